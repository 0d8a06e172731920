"""What looks like personal data, and where declared data goes: told to policies.

Nothing here is more than a question to whoever owns the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.declared import Held
from auditor.facts.data.inferred import ENOUGH, likeness_of
from auditor.facts.data.matching import fitting
from auditor.facts.data.stores import Asked, declaring, kept_by_operators, outside
from auditor.facts.data.written import listed, written
from auditor.facts.forms import as_object
from auditor.facts.workloads import Workload
from auditor.model import Key, Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def likeness(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `likeness` for policies: what an unclassified workload looks like, and the databases
    of operators behind a declared one that nothing classifies. None where there is nothing.
    """
    found = likeness_of(facts, workload)
    held = facts.data.of(workload)
    behind = [_behind(*one) for one in _unclassified_behind(facts, workload)] if held else []
    if not behind and (found is None or found.confidence < ENOUGH):
        return None
    return {
        "data": [name.upper() for name in (held.names if held else found.names if found else ())],
        "behind": behind,
        "confidence": found.confidence if found else 0,
        "clues": [
            {"message": clue.told, "object": as_object(clue.ref), "path": clue.path}
            for clue in (found.clues if found else ())
        ],
    }


def _behind(resource: Resource, ref: Any, path: Any) -> dict[str, Any]:
    return {
        "name": f"{resource.ref.kind} {resource.ref.namespace}/{resource.ref.name}",
        "object": as_object(ref),
        "path": path,
    }


def _unclassified_behind(facts: Facts, workload: Workload) -> Iterator[tuple[Resource, Any, Any]]:
    for resource, ref, path in kept_by_operators(facts, workload):
        if not is_classified(facts, resource):
            yield resource, ref, path


def is_classified(facts: Facts, resource: Resource) -> bool:
    """Whether something says what an object that is no workload holds: itself, or the
    configuration.
    """
    terms = facts.data.terms
    if any(entry.classes for entry in fitting(terms.objects, resource.ref)):
        return True
    found = (written(resource, (("metadata",),), key) for key in terms.keys)
    return any(listed(one.value) for one in found if one)


def stores(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `stores` for policies: the addresses outside of the cluster that a workload with
    personal data asks, and nobody declared. None for a workload without such data.
    """
    held = facts.data.of(workload)
    if held is None:
        return None
    return {
        "data": [name.upper() for name in held.names],
        "undeclared": [_asked(one) for one in undeclared(facts, workload)],
    }


def undeclared(facts: Facts, workload: Workload) -> Iterator[Asked]:
    """The addresses outside that the workload asks and that no declaration means."""
    known = facts.data.terms.external
    for asked in outside(facts, workload):
        service = ""
        if asked.ref.kind == "Service":
            service = f"{asked.ref.namespace}/{asked.ref.name}"
        if declaring(known, asked, service) is None:
            yield asked


def _asked(one: Asked) -> dict[str, Any]:
    address = f"[{one.host}]" if ":" in one.host else one.host
    where = f"{address}:{one.port}" if one.port else address
    return {"address": where, "object": as_object(one.ref), "path": one.path}


def held(facts: Facts) -> Mapping[Key, Held]:
    """What each workload is declared to hold, by its identity."""
    found = {}
    for workload in facts.holders:
        data = facts.data.of(workload)
        if data:
            place = data.declared
            by = place.origin or f"{place.path[-1]} of {place.ref}"
            found[workload.ref.key] = Held(data.names, by)
    return found


def removed(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `removed_classes` for policies: the classes that the workload held before the change
    that is audited, and no longer says. None where no change is audited, or nothing was removed.
    """
    was = facts.held_before.get(workload.ref.key)
    if was is None:
        return None
    now = facts.data.of(workload)
    gone = [name.upper() for name in was.classes if now is None or name not in now.names]
    return {"classes": gone, "said_by": was.by} if gone else None
