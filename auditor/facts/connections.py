"""Everything that reaches everything, told in classes: what no policy tells apart is asked once.

The ends are the workloads of a snapshot, the internet, and as sources pods that are not there yet:
one without labels in each namespace, and one in a namespace that nobody has made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Literal

from auditor.facts.network import (
    Entrance,
    Network,
    Peer,
    PortSet,
    Reach,
    Reason,
    Stranger,
    World,
)
from auditor.facts.workloads import Workload
from auditor.model import Ref
from auditor.values import dataclass

Kind = Literal["workload", "internet", "anyone"]

ELSEWHERE = "any pod of a new namespace"
SOMEBODY = World()


@dataclass(frozen=True, slots=True, eq=False)
class End:
    """One end of connections. Each has one object of its own."""

    name: str
    """``namespace/name``, with the kind in brackets where several are called so; what else a person
    would say."""
    kind: Kind
    namespace: str = ""
    peer: Peer = SOMEBODY
    """Of the internet, somebody: who decides about it asks for every address that is told apart."""
    data: tuple[str, ...] = ()
    """The classes of personal data that it holds: pii, spi."""

    @property
    def workload(self) -> Workload | None:
        """The workload that it is; None where it is none."""
        return self.peer if isinstance(self.peer, Workload) else None


INTERNET = End("the internet", "internet")


@dataclass(frozen=True, slots=True)
class Link:
    """What one end may send to another."""

    ports: PortSet
    """What is surely allowed; of the internet, to somebody there."""
    possible: PortSet
    reasons: tuple[Reason, ...] = ()
    unknown: tuple[str, ...] = ()
    partly: bool = False
    """Whether it holds for some addresses of the internet alone."""

    @property
    def certain(self) -> bool:
        """Whether nothing about the ports is unknown."""
        return self.ports == self.possible

    @property
    def said(self) -> str:
        """The ports in words: ``TCP 8080``, ``every port``, ``TCP 80, and perhaps every port``."""
        if self.certain:
            return str(self.ports)
        return f"perhaps {self.possible}" if not self.ports else f"{self.ports}, and perhaps more"


@dataclass(frozen=True, slots=True)
class Row:
    """Ends that give, or get, the same."""

    ends: tuple[End, ...]
    links: tuple[tuple[Link, tuple[End, ...]], ...]
    """What, and with whom; nothing that is closed."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pairs of two workloads there are, of each sort."""

    pairs: int = 0
    whole: int = 0
    """Open on every port."""
    some: int = 0
    closed: int = 0
    unsure: int = 0
    """Of which something cannot be told; none of these is in the others."""


@dataclass(slots=True)
class Connections:
    """All connections of one network. Not frozen: it remembers what it has asked."""

    network: Network
    data: Mapping[Ref, tuple[str, ...]] = field(default_factory=dict)
    """What workloads hold personal data, by their object: its classes."""
    workloads: tuple[End, ...] = field(init=False)
    strangers: tuple[End, ...] = field(init=False)
    _links: dict[tuple[Hashable, Hashable], Link] = field(default_factory=dict)
    _classes: dict[End, Hashable] = field(default_factory=dict)
    _bits: dict[End, int] = field(default_factory=dict)
    _masks: dict[End, int] = field(default_factory=dict)
    _same: dict[Link, Link] = field(default_factory=dict)
    _of_reach: dict[int, tuple[Reach, Link]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.workloads = tuple(_ends(self.network.workloads, self.data))
        self.strangers = tuple(_strangers(self.network.workloads))

    @property
    def sources(self) -> tuple[End, ...]:
        """Everybody who may ask."""
        return (*self.workloads, *self.strangers, INTERNET)

    @property
    def targets(self) -> tuple[End, ...]:
        """Everybody who may be asked."""
        return (*self.workloads, INTERNET)

    def link(self, source: End, target: End) -> Link:
        """What `source` may send to `target`; of a workload with itself, between its pods."""
        if source is target and _is_pod(source):
            return _ITSELF
        key = (self.class_of(source), self.class_of(target))
        found = self._links.get(key)
        if found is None:
            found = self._links[key] = self._asked(source, target)
        return found

    def is_closed(self, source: End, target: End) -> bool:
        """Whether it is known at once that nothing passes between two workloads; else a link
        tells. A pod counts as another one that looks the same.
        """
        bit = self._bit(source)
        return bit >= 0 and target.workload is not None and not self._senders(target) >> bit & 1

    def _bit(self, end: End) -> int:
        found = self._bits.get(end)
        if found is None:
            found = self._bits[end] = self.network.bit_of(end.workload) if end.workload else -1
        return found

    def _senders(self, target: End) -> int:
        found = self._masks.get(target)
        if found is None:
            assert target.workload
            found = self._masks[target] = self.network.senders(target.workload)
        return found

    def class_of(self, end: End) -> Hashable:
        """Ends of one class have the same links."""
        found = self._classes.get(end)
        if found is None:
            inside = end.kind != "internet"
            found = self.network.class_of(end.peer) if inside else "internet"
            self._classes[end] = found
        return found

    def entrances(self, target: End) -> tuple[Entrance, ...]:
        """The ways by which an object leads the internet to it."""
        if target.workload is None:
            return ()
        return tuple(way for way in self.network.entrances(target.workload) if way.public)

    def into(self, targets: Sequence[End], sources: Sequence[End]) -> tuple[Row, ...]:
        """Who reaches these targets, targets that the same ends reach alike in one row."""
        return tuple(self._rows(targets, sources, inwards=True))

    def out_of(self, sources: Sequence[End], targets: Sequence[End]) -> tuple[Row, ...]:
        """Whom these sources reach, sources that reach the same alike in one row."""
        return tuple(self._rows(sources, targets, inwards=False))

    def counts(self, sources: Iterable[End], targets: Iterable[End]) -> Counts:
        """The pairs of these workloads; no workload with itself."""
        givers, takers = self._grouped(sources), self._grouped(targets)
        count: Counter[str] = Counter()
        for source in givers:
            for target in takers:
                alike = self.class_of(source[0]) == self.class_of(target[0])
                shared = len(set(source) & set(target)) if alike else 0
                if pairs := len(source) * len(target) - shared:
                    two = _two(source, target)
                    sort = "closed" if self.is_closed(*two) else _sort(self.link(*two))
                    count[sort] += pairs
        return Counts(
            sum(count.values()), count["whole"], count["some"], count["closed"], count["unsure"]
        )

    def _rows(self, ends: Sequence[End], others: Sequence[End], *, inwards: bool) -> Iterator[Row]:
        groups = self._grouped(others)
        alike: dict[tuple[object, ...], tuple[list[End], list[list[tuple[Link, int]]]]] = {}
        for same in self._grouped(ends):
            links = []
            for at, other in enumerate(groups):
                source, target = _two(other, same) if inwards else _two(same, other)
                if source is target and (source.kind == "internet" or _is_pod(source)):
                    continue
                if self.is_closed(source, target):
                    continue
                link = self.link(source, target)
                if link.possible:
                    links.append((link, at))
            key = tuple((id(link), at) for link, at in links)
            alike.setdefault(key, ([], [links]))[0].extend(same)
        for found, [links] in alike.values():
            yield Row(_sorted(found), tuple(_united(links, groups)))

    def _grouped(self, ends: Iterable[End]) -> list[list[End]]:
        groups: dict[Hashable, list[End]] = {}
        for end in ends:
            groups.setdefault(self.class_of(end), []).append(end)
        return list(groups.values())

    def _asked(self, source: End, target: End) -> Link:
        if source.kind == "internet" and target.workload:
            worlds = self.network.outside(target.workload)
            return self._any(self.network.reach(world, target.peer) for world in worlds)
        if target.kind == "internet" and source.workload:
            worlds = self.network.outside(source.workload, "Egress")
            return self._any(self.network.reach(source.peer, world) for world in worlds)
        reach = self.network.reach(source.peer, target.peer)
        known = self._of_reach.get(id(reach))
        if known is None:
            sure = reach.ports - reach.assumed
            link = self._one(Link(sure, reach.possible, reach.reasons, reach.unknown))
            known = self._of_reach[id(reach)] = (reach, link)
        return known[1]

    def _any(self, reaches: Iterable[Reach]) -> Link:
        found = list(reaches)
        sure, possible = PortSet.NONE, PortSet.NONE
        for reach in found:
            sure = sure | (reach.ports - reach.assumed)
            possible = possible | reach.possible
        opening = [reach for reach in found if reach.possible] or found
        reasons = dict.fromkeys(reason for reach in opening for reason in reach.reasons)
        unknown = dict.fromkeys(doubt for reach in opening for doubt in reach.unknown)
        partly = any(reach.possible != possible for reach in found)
        return self._one(Link(sure, possible, tuple(reasons), tuple(unknown), partly))

    def _one(self, link: Link) -> Link:
        """The same object for equal links."""
        return self._same.setdefault(link, link)


_ITSELF = Link(PortSet.ALL, PortSet.ALL, (Reason(None, (), "a pod always reaches itself"),))


def _is_pod(end: End) -> bool:
    return end.workload is not None and end.workload.ref.kind == "Pod"


def _two(sources: list[End], targets: list[End]) -> tuple[End, End]:
    """One of each, two different ones where there are: what a pod may send to itself says nothing
    of the others of its class.
    """
    if sources[0] is not targets[0] or not _is_pod(sources[0]):
        return sources[0], targets[0]
    if len(targets) > 1:
        return sources[0], targets[1]
    return sources[-1], targets[0]


def _united(
    links: list[tuple[Link, int]], groups: list[list[End]]
) -> Iterator[tuple[Link, tuple[End, ...]]]:
    """Each link once, with everybody who has it; the widest first."""
    having: dict[int, tuple[Link, list[End]]] = {}
    for link, at in links:
        having.setdefault(id(link), (link, []))[1].extend(groups[at])
    for link, ends in sorted(having.values(), key=lambda one: one[0].ports != PortSet.ALL):
        yield link, _sorted(ends)


def _sort(link: Link) -> str:
    if not link.certain:
        return "unsure"
    return "whole" if link.ports == PortSet.ALL else "some" if link.ports else "closed"


def _sorted(ends: Iterable[End]) -> tuple[End, ...]:
    order = ("workload", "anyone", "internet")
    return tuple(sorted(ends, key=lambda end: (order.index(end.kind), end.name)))


def _ends(workloads: Sequence[Workload], data: Mapping[Ref, tuple[str, ...]]) -> Iterator[End]:
    names = Counter(workload.name for workload in workloads)
    for workload in workloads:
        name = workload.name if names[workload.name] == 1 else str(workload.ref)
        yield End(name, "workload", workload.ref.namespace, workload, data.get(workload.ref, ()))


def _strangers(workloads: Sequence[Workload]) -> Iterator[End]:
    for namespace in sorted({workload.ref.namespace for workload in workloads}):
        name = f"any other pod of {namespace}"
        yield End(name, "anyone", namespace, Stranger(namespace, {}))
    yield End(ELSEWHERE, "anyone", "", Stranger("", {}))
