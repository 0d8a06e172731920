"""Paths to personal data, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from auditor.credentials import told
from auditor.facts.forms import as_object
from auditor.facts.paths import DataPath, Means, Position, Step, Why
from auditor.facts.paths.findings import Opening, StorePaths
from auditor.reporters.paths.view import View, grouped


def document(views: Sequence[View], gaps: Sequence[Any], rejected: Sequence[Any]) -> Any:
    """All of it; one entry for each state."""
    from auditor import __version__

    return {
        "version": __version__,
        "states": [_state(view) for view in views],
        "rejected": list(rejected),
        "gaps": list(gaps),
    }


def _state(view: View) -> Any:
    return {
        "name": view.name,
        "stores": [_store(store, view) for store in view.stores],
        "nodes": [
            {
                "owner": _position(means.sources[0]),
                "reaches": [_position(target) for target in means.targets],
                **_why(means.place, view),
            }
            for means in view.graph.on_nodes()
        ],
    }


def _store(store: StorePaths, view: View) -> Any:
    return {
        "store": _position(store.store),
        "data": list(view.held[store.store]),
        "clients": [_position(client) for client in store.clients],
        "openings": [_opening(one, view) for one in store.openings],
        "paths": [_path(path, view) for path in store.paths],
        "cut": {
            "take": [_taken(means, view) for means in store.cut.taken],
            "closes": store.cut.closes,
            "unmendable": [
                [_position(source) for source in means.sources] for means in store.cut.unmendable
            ],
        },
        "through_clients": [
            {"client": _position(client), "open_to": [_position(one) for one in means.sources]}
            for client, means in view.graph.broken_into(store.store)
        ],
    }


def _opening(one: Opening, view: View) -> Any:
    return {
        "kind": one.means.kind,
        "target": _position(one.target),
        "from": [
            {"sources": [_position(source) for source in sources], **_why(why, view)}
            for why, sources in grouped(one.means, view, one.target)
        ],
        "onward": [_step(step, view) for step in one.onward],
    }


def _path(path: DataPath, view: View) -> Any:
    return {
        "from": _position(path.start),
        "through": _position(path.through) if path.through else None,
        "steps": [_step(step, view) for step in path.steps],
    }


def _step(step: Step, view: View) -> Any:
    return {
        "to": _position(step.target),
        "kind": step.means.kind,
        "by_design": step.means.needed,
        **_why(view.why(step), view),
    }


def _taken(means: Means, view: View) -> Any:
    return {
        "mend": told(means.mend),
        "kind": means.kind,
        "needed_by": [told(edge.source.name) for edge in view.graph.needs_of(means)],
        **_why(means.place, view),
    }


def _why(why: Why | None, view: View) -> dict[str, Any]:
    place = view.places.place(why.ref, why.path) if why else None
    live = place is not None and place.resource.origin.live
    return {
        "why": told(why.text) if why else "",
        "object": as_object(why.ref) if why and why.ref else None,
        "file": told(place.file) if place and not live else None,
        "line": place.span.line if place and not live else None,
    }


def _position(position: Position) -> dict[str, Any]:
    workload = position.workload
    return {
        "kind": position.kind,
        "name": told(position.name),
        "object": as_object(workload.ref) if workload else None,
    }
