"""Why one connection is allowed or not, as `auditor network explain` tells it: the verdict first,
then what decides, in order, each with the lines that say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from auditor.credentials import told
from auditor.facts.network import Reach, Reason, Ruling, Verdict
from auditor.manifests import at, leaves
from auditor.reporters.excerpt import Mark, excerpt
from auditor.reporters.network.told import Places, fit, ports_document
from auditor.reporters.places import Place
from auditor.reporters.terminal import Terminal
from auditor.values import dataclass

LINES = 8
"""How many lines of a rule are shown."""
_LOOKS = {Verdict.ALLOWED: "good", Verdict.DENIED: "bad", Verdict.UNDEFINED: "bold"}


@dataclass(frozen=True, slots=True)
class Explained:
    """One connection, and what was said of it."""

    source: str
    target: str
    asked: str
    """The port and what is sent, in words; empty where every port is meant."""
    ruling: Ruling
    places: Places
    steps: tuple[Reason, ...] = ()
    """What led from the name that was given to the pods."""
    unbound: str = ""
    """That nothing holds the source back."""
    reach: Reach | None = None
    """Where every port is meant: which are open."""
    notes: tuple[str, ...] = ()
    """What has to be known beside the policies."""
    state: str = ""


def text(explained: Sequence[Explained], terminal: Terminal) -> Iterator[str]:
    """For people."""
    for number, one in enumerate(explained):
        if number:
            yield ""
        yield from _one(one, terminal)


def _one(one: Explained, terminal: Terminal) -> Iterator[str]:
    verdict = one.ruling.verdict
    asked = f", {fit(one.asked)}" if one.asked else ""
    state = f" ({fit(one.state)})" if one.state else ""
    head = terminal.paint(_LOOKS[verdict], verdict.value)
    body = f"{fit(one.source)} → {fit(one.target)}{asked}{_which(one)}{state}"
    yield f"{head}: {terminal.wrapped(body, 2, len(verdict.value) + 2)}"
    unbound = (Reason(None, (), one.unbound),) if one.unbound else ()
    for number, reason in enumerate((*one.steps, *one.ruling.reasons, *unbound), 1):
        yield from _reason(number, reason, one.places, terminal)
    for doubt in one.ruling.unknown:
        yield _note("unknown", doubt, terminal)
    for note in one.notes:
        yield _note("note", note, terminal)


def _which(one: Explained) -> str:
    if one.reach is None:
        return ""
    sure, possible = one.reach.ports, one.reach.possible
    if not possible:
        return ", on every port"
    return f", on {sure}" if sure == possible else f", surely on {sure}, perhaps on {possible}"


def _reason(number: int, reason: Reason, places: Places, terminal: Terminal) -> Iterator[str]:
    yield f"{number}. {terminal.wrapped(fit(reason.text), 3, 3)}"
    place = places.place(reason.ref, reason.path)
    if place is None:
        return
    yield f"  {terminal.paint('frame', '-->')} {fit(places.where(reason.ref, reason.path))}"
    yield from excerpt([Mark(one) for one in _lines(place, places)], terminal)


def _lines(place: Place, places: Places) -> list[Place]:
    """The field itself; of a rule, the lines that say whom and what it admits."""
    if not place.path or not isinstance(place.path[-1], int):
        return [place]
    found: dict[int, Place] = {}
    for path, _ in leaves(at(place.resource.manifest, place.path), place.path):
        inside = places.place(place.resource.ref, path)
        if inside:
            found.setdefault(inside.span.line, inside)
        if len(found) == LINES:
            break
    return list(found.values()) or [place]


def _note(title: str, said: str, terminal: Terminal) -> str:
    body = terminal.wrapped(fit(said), 7 + len(title), 7 + len(title))
    return f"   {terminal.paint('frame', '=')} {terminal.paint('bold', title)}: {body}"


def document(explained: Sequence[Explained], rejected: list[Any], gaps: list[Any], cni: str) -> Any:
    """For programs."""
    from auditor import __version__
    from auditor.reporters.assessed import date

    return {
        "format": "auditor-network-explain/1",
        "auditor": __version__,
        "date": date(),
        "cni": cni,
        "connections": list(map(_document, explained)),
        "rejected": rejected,
        "gaps": gaps,
    }


def _document(one: Explained) -> dict[str, Any]:
    found: dict[str, Any] = {
        "state": told(one.state),
        "from": told(one.source),
        "to": told(one.target),
        "asked": told(one.asked) or None,
        "verdict": one.ruling.verdict.value,
        "steps": list(map(one.places.document, one.steps)),
        "reasons": list(map(one.places.document, one.ruling.reasons)),
        "unknown": list(map(told, one.ruling.unknown)),
        "notes": list(map(told, one.notes)),
    }
    if one.reach is not None:
        found["ports"] = ports_document(one.reach.ports)
        found["possible"] = ports_document(one.reach.possible)
    return found
