"""The words that every form of `auditor network` shares: ends, reasons and their places, each fit
to be shown and without a credential.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal

from auditor import credentials
from auditor.facts.connections import End, Link
from auditor.facts.forms import as_object
from auditor.facts.network import Entrance, InvalidPolicy, Network, PortSet, Reason
from auditor.facts.workloads import Workload
from auditor.model import Path, Ref, Snapshot
from auditor.reporters.places import Place, dotted, place_of
from auditor.text import escaped
from auditor.values import dataclass

NAMED = 12
"""How many ends are named where more are folded."""


def fit(text: str) -> str:
    """Text of others on one line, harmless on a screen and without a credential."""
    return escaped(credentials.told(text))


@dataclass(slots=True)
class Places:
    """Where reasons stand. Not frozen: each place is looked for once."""

    snapshot: Snapshot
    others: tuple[Snapshot, ...] = ()
    """Where an object may be that is not in the first: other states of the same files."""
    _known: dict[tuple[Ref, Path], Place | None] = field(default_factory=dict)

    def place(self, ref: Ref | None, path: Path) -> Place | None:
        """None where there is no object, or it is not known."""
        if ref is None:
            return None
        key = (ref, path)
        if key not in self._known:
            found = (place_of(one, ref, path) for one in (self.snapshot, *self.others))
            self._known[key] = next(filter(None, found), None)
        return self._known[key]

    def where(self, ref: Ref | None, path: Path) -> str:
        """``file:line``; of a live object its name; empty where there is no place."""
        place = self.place(ref, path)
        if place is None:
            return ""
        if place.resource.origin.live:
            return str(place.resource.ref)
        return f"{place.file}:{place.span.line}"

    def document(self, reason: Reason) -> dict[str, Any]:
        """A reason for programs."""
        place = self.place(reason.ref, reason.path)
        live = place is not None and place.resource.origin.live
        return {
            "policy": as_object(reason.ref) if reason.ref else None,
            "rule": dotted(reason.path) or None,
            "file": credentials.told(place.file) if place and not live else None,
            "line": place.span.line if place and not live else None,
            "text": credentials.told(reason.text),
        }


Refuser = Literal["api", "crd", "webhook", "envoy"]
"""``api``: the API server, by what it knows of its own kinds; ``crd``: the same by the schema of
Istio; ``webhook``: istiod, asked by the API server; ``envoy``: nobody until a proxy loads it."""

_CONSEQUENCE: Mapping[Refuser, str] = {
    "api": "it has no effect",
    "crd": "the API server refuses it, and answers are as if it had been stored",
    "webhook": "istiod's webhook refuses it, and answers are as if it had been stored",
    "envoy": "no proxy that it selects can load its rules",
}
_VERBS = ("cannot ", "has ", "is ", "must ", "names ", "needs ")
"""Reasons that begin so speak of their field."""


def refused(snapshot: Snapshot, one: InvalidPolicy, by: Refuser = "api") -> str:
    """A policy that somebody would not take, in a sentence."""
    where = Places(snapshot).where(one.ref, one.path)
    colon = "" if one.why.startswith(_VERBS) else ":"
    field_ = f"{dotted(one.path)}{colon} " if one.path else ""
    return f"{one.ref} ({where}): {field_}{one.why}; {_CONSEQUENCE[by]}"


def rejection(snapshot: Snapshot, one: InvalidPolicy, by: Refuser = "api") -> dict[str, Any]:
    """The same for programs."""
    reason = Reason(one.ref, one.path, one.why)
    found = Places(snapshot).document(reason)
    return {
        "policy": found["policy"],
        "field": found["rule"],
        "file": found["file"],
        "line": found["line"],
        "why": found["text"],
        "by": by,
    }


def ports(link: Link) -> str:
    """What a link carries, in words."""
    return f"{link.said} (some addresses alone)" if link.partly else link.said


@dataclass(frozen=True, slots=True)
class Folder:
    """Tells of many ends in few words."""

    everybody: frozenset[End]
    spaces: Mapping[str, frozenset[End]]
    """Namespace → all its workloads."""
    strangers: frozenset[End]

    @classmethod
    def of(cls, everybody: Iterable[End]) -> Folder:
        """For these, of whom some will be told."""
        known = list(everybody)
        spaces: dict[str, set[End]] = {}
        for end in known:
            if end.kind == "workload":
                spaces.setdefault(end.namespace, set()).add(end)
        strangers = frozenset(end for end in known if end.kind == "anyone")
        return cls(frozenset(known), {k: frozenset(v) for k, v in spaces.items()}, strangers)

    def said(self, ends: Sequence[End], *, most: int = NAMED) -> str:
        """``everything``, or who: whole namespaces as ``shop/*``, then names, at most `most`."""
        given = frozenset(ends)
        missing = self.everybody - given
        if not missing and len(given) > 1:
            return "everything"
        if len(given) > len(self.everybody) * 0.8 and len(missing) <= 3 < len(given):
            return f"everything but {', '.join(self._parts(missing))}"
        parts = list(self._parts(given))
        more = [f"and {len(parts) - most} more"] if len(parts) > most else []
        return ", ".join([*parts[:most], *more])

    def _parts(self, given: frozenset[End]) -> Iterator[str]:
        for namespace, all_of_it in sorted(self.spaces.items()):
            here = given & all_of_it
            if here == all_of_it and len(here) > 2:
                yield f"{fit(namespace)}/* ({len(here)})"
            else:
                yield from sorted(fit(end.name) for end in here)
        strangers = given & self.strangers
        if strangers and strangers == self.strangers:
            yield "any other pod"
        else:
            yield from sorted(fit(end.name) for end in strangers)
        yield from (end.name for end in given if end.kind == "internet")


def ways(network: Network, target: End) -> tuple[Entrance, ...]:
    """The objects that lead the internet to a target."""
    if not isinstance(target.peer, Workload):
        return ()
    return tuple(way for way in network.entrances(target.peer) if way.public)


def way_said(way: Entrance) -> str:
    """``Ingress shop/web``."""
    name = f"{way.ref.namespace}/{way.ref.name}".removeprefix("/")
    port = f" to port {way.port}" if way.port else ""
    return fit(f"{way.ref.kind} {name}{port}")


def ports_document(found: PortSet) -> dict[str, list[list[int]]]:
    """The set for programs: per protocol the first and last number of each range."""
    return {
        name: [list(pair) for pair in intervals]
        for name, intervals in (("TCP", found.tcp), ("UDP", found.udp), ("SCTP", found.sctp))
        if intervals
    }


def marked(end: End) -> str:
    """The name with what it holds: ``diets/diets [spi]``."""
    held = f" [{', '.join(end.data)}]" if end.data else ""
    return f"{fit(end.name)}{held}"


def markdown(text: str) -> str:
    """Text as it is in a cell or a list of Markdown: nothing in it is markup."""
    fitted = fit(text)
    return "".join(f"&#{ord(ch)};" if ch in "\\`*_{}[]()<>#|!~&@$" else ch for ch in fitted)
