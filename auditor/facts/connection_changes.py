"""Which connections a change opens and closes: two networks asked alike, in classes of ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from auditor.facts.connections import INTERNET, Connections, End, Link
from auditor.facts.network import PortSet, Reason
from auditor.grades import Severity
from auditor.model import Key
from auditor.values import dataclass

Identity = Key | tuple[str, str]
"""By what an end is the same on both sides."""


@dataclass(frozen=True, slots=True)
class Change:
    """Connections that open, or that close, all for the same reasons."""

    sources: tuple[End, ...]
    targets: tuple[End, ...]
    ports: PortSet
    """What opens or closes; of what cannot be told, what may."""
    severity: Severity
    sure: bool
    reasons: tuple[Reason, ...] = ()
    """What admits or stops it afterwards; none where an end is gone."""
    unknown: tuple[str, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether it leads to personal data."""
        return any(end.data for end in self.targets)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a change does. Each list has the worst first."""

    opened: tuple[Change, ...]
    closed: tuple[Change, ...]
    added: tuple[End, ...] = ()
    """The workloads that were not there before."""
    removed: tuple[End, ...] = ()


Clients = Callable[[End], frozenset[Key] | None]
"""A target → the objects of its declared clients; None where nothing is declared."""


@dataclass(slots=True)
class Comparison:
    """Two sides, each in one state or in several: what is open in any of them is open there. Not
    frozen: it remembers who is who.
    """

    base: Sequence[Connections]
    head: Sequence[Connections]
    clients: Clients
    told: Callable[[End], bool] = lambda _: True
    """Whether a workload is within the scope: of two ends, one has to be."""
    _ends: dict[Identity, End] = field(init=False)
    _known: list[dict[Identity, End]] = field(init=False)

    def __post_init__(self) -> None:
        self._known = [_by_identity(one) for one in (*self.base, *self.head)]
        self._ends = {}
        for known in reversed(self._known):  # as HEAD has it, where both have it
            self._ends = known | self._ends
        # The classes of data of both sides: what was personal does not cease to be by a change.
        self._ends = {who: self._with_data(who, end) for who, end in self._ends.items()}

    @property
    def ends(self) -> tuple[End, ...]:
        """Everybody who is asked about."""
        return tuple(self._ends.values())

    def changes(self) -> Changes:
        """All that opens and closes."""
        found = list(self._rows())
        bases, heads = self._known[: len(self.base)], self._known[len(self.base) :]
        before = {who for known in bases for who in known}
        after = {who for known in heads for who in known}
        ends = {who: end for who, end in self._ends.items() if end.workload and self.told(end)}
        return Changes(
            opened=_merged(change for opening, change in found if opening),
            closed=_merged(change for opening, change in found if not opening),
            added=tuple(end for who, end in ends.items() if who not in before),
            removed=tuple(end for who, end in ends.items() if who not in after),
        )

    def _with_data(self, who: Identity, end: End) -> End:
        held = {name: None for known in self._known if who in known for name in known[who].data}
        if tuple(held) == end.data:
            return end
        return End(end.name, end.kind, end.namespace, end.peer, tuple(held))

    def _rows(self) -> Iterator[tuple[bool, Change]]:
        """Whether it opens, and what, for each two classes of ends."""
        sources = self._grouped(asking=True)
        targets = self._grouped(asking=False)
        for asking in sources:
            for asked in targets:
                givers, takers = (
                    [self._ends[who] for who in asking],
                    [self._ends[who] for who in asked],
                )
                if asking == asked and len(asking) == 1:
                    continue  # its own pods
                if not (self._is_told(givers[0]) or self._is_told(takers[0])):
                    continue
                source, target = _two(asking, asked)
                if self._stays_closed(source, target):
                    continue
                after, opened, closed = self._between(source, target)
                for ports, opening in ((opened, True), (closed, False)):
                    if ports:
                        for severity, some in self._by_severity(givers, takers[0]).items():
                            yield opening, _change((some, takers), ports, severity, after)

    def _stays_closed(self, source: Identity, target: Identity) -> bool:
        """Whether it is known at once that nothing passes on either side."""
        for world, known in zip((*self.base, *self.head), self._known, strict=True):
            asking, asked = known.get(source), known.get(target)
            if asking is not None and asked is not None and not world.is_closed(asking, asked):
                return False
        return True

    def _is_told(self, end: End) -> bool:
        return end.workload is not None and self.told(end)

    def _by_severity(self, sources: Sequence[End], target: End) -> dict[Severity, list[End]]:
        """The sources by how bad it is where they reach the target."""
        found: dict[Severity, list[End]] = {}
        clients = self.clients(target) if target.data else None
        for source in sources:
            found.setdefault(_severity(source, target, clients or frozenset()), []).append(source)
        return found

    def _between(self, source: Identity, target: Identity) -> tuple[Link, PortSet, PortSet]:
        known = self._known
        before = [self._link(one, known[i], source, target) for i, one in enumerate(self.base)]
        now = [
            self._link(one, known[len(self.base) + i], source, target)
            for i, one in enumerate(self.head)
        ]
        was, is_ = _union(before), _union(now)
        return is_, is_.possible - was.possible, was.possible - is_.possible

    def _link(
        self, world: Connections, known: Mapping[Identity, End], source: Identity, target: Identity
    ) -> Link:
        asking, asked = known.get(source), known.get(target)
        if asking is None or asked is None or asking is asked is INTERNET:
            return NOTHING
        if asking.kind != "internet":
            return world.link(asking, asked)
        ways = _led(world, asked)
        link = world.link(asking, asked)
        return Link(
            link.ports & ways, link.possible & ways, link.reasons, link.unknown, link.partly
        )

    def _grouped(self, *, asking: bool) -> list[list[Identity]]:
        groups: dict[Hashable, list[Identity]] = {}
        for who, end in self._ends.items():
            if not asking and end.kind == "anyone":
                continue
            groups.setdefault(self._class(who, asking=asking), []).append(who)
        return list(groups.values())

    def _class(self, who: Identity, *, asking: bool) -> Hashable:
        worlds = (*self.base, *self.head)
        mine = self._ends[who]
        # Who holds personal data has clients of its own: it is asked about by itself.
        classes: list[Hashable] = [self._is_told(mine), who if mine.data else None]
        for world, known in zip(worlds, self._known, strict=True):
            end = known.get(who)
            classes.append(None if end is None else world.class_of(end))
            if end is not None and not asking:
                classes.append(_led(world, end))
        return tuple(classes)


def _two(sources: Sequence[Identity], targets: Sequence[Identity]) -> tuple[Identity, Identity]:
    """One of each, two different ones where there are: a pod with itself says nothing of others."""
    for target in targets:
        if target != sources[0]:
            return sources[0], target
    return sources[-1], targets[0]


NOTHING = Link(PortSet.NONE, PortSet.NONE)


def _severity(source: End, target: End, clients: frozenset[Key]) -> Severity:
    """How bad it is where this opens: who is on the internet before everybody else, personal data
    before all else; its declared clients are no harm.
    """
    if target.kind == "internet":
        return Severity.MEDIUM if source.data else Severity.LOW
    if not target.data:
        return Severity.MEDIUM if source.kind == "internet" else Severity.LOW
    if source.kind == "internet":
        return Severity.CRITICAL
    known = source.workload is not None and source.workload.ref.key in clients
    return Severity.INFO if known else Severity.HIGH


def _change(
    ends: tuple[Sequence[End], Sequence[End]], ports: PortSet, severity: Severity, after: Link
) -> Change:
    sources, targets = (tuple(sorted(some, key=lambda end: end.name)) for some in ends)
    sure = after.certain or after.ports.covers(ports)
    return Change(sources, targets, ports, severity, sure, after.reasons, after.unknown)


def _merged(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Those that are alike as one: first their sources, then their targets."""
    found = _joined(_joined(changes, by="targets"), by="sources")
    return tuple(
        sorted(found, key=lambda one: (one.severity.rank, not one.personal, one.targets[0].name))
    )


def _joined(changes: Iterable[Change], *, by: str) -> list[Change]:
    """Those with the same ends on one side as one, with all their ends on the other."""
    other = "sources" if by == "targets" else "targets"
    alike: dict[tuple[object, ...], list[Change]] = {}
    for one in changes:
        key = (getattr(one, by), one.ports, one.severity, one.sure, one.reasons, one.unknown)
        alike.setdefault(key, []).append(one)
    found = []
    for same in alike.values():
        ends = {end: None for one in same for end in getattr(one, other)}
        joined = tuple(sorted(ends, key=lambda end: end.name))
        one = same[0]
        found.append(
            replace(one, sources=joined) if by == "targets" else replace(one, targets=joined)
        )
    return found


def _led(world: Connections, end: End) -> PortSet:
    """The ports of a target to which the internet is led."""
    found = PortSet.NONE
    for way in world.entrances(end):
        if way.port:
            found |= PortSet.of(way.protocol, way.port)
    return found


def _by_identity(world: Connections) -> dict[Identity, End]:
    found: dict[Identity, End] = {}
    for end in (*world.workloads, *world.strangers, INTERNET):
        found[end.workload.ref.key if end.workload else (end.kind, end.namespace)] = end
    return found


def _union(links: Sequence[Link]) -> Link:
    """What is open in any state."""
    if len(links) == 1:
        return links[0]
    sure, possible = PortSet.NONE, PortSet.NONE
    for link in links:
        sure, possible = sure | link.ports, possible | link.possible
    open_ = [link for link in links if link.possible] or links
    reasons = dict.fromkeys(reason for link in open_ for reason in link.reasons)
    unknown = dict.fromkeys(doubt for link in open_ for doubt in link.unknown)
    return Link(sure, possible, tuple(reasons), tuple(unknown))
