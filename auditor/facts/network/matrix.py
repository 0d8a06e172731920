"""All pairs at once: what every pod may send to every other, in bit sets.

Pods that no policy can tell apart are one `Point` and one bit. A point's policies tell the other
points apart only by the peers that their rules name; all others in between get one answer. So each
row is a partition of all points into a few blocks, each with the answer to one of its members, and
the judge, not this module, knows what policies mean.

Cost: P points, and S distinct conditions in selectors: S·P/64 words to know whom each condition
means; for each group of points that the same policies select, one operation on P/64 words for each
of their peers and one judgement for each block. The pairs themselves are never visited one by one.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from auditor.facts.network.answers import Direction
from auditor.facts.network.cluster_policies import Nodes
from auditor.facts.network.decisions import Side
from auditor.facts.network.judge import Judge
from auditor.facts.network.points import Point
from auditor.facts.network.policies import Block, Pods
from auditor.facts.network.ports import PortSet
from auditor.facts.selectors import Labels, Requirement, Selector, Truth

K = TypeVar("K", bound=Hashable)

Mask = int
"""A set of points: bit i is the point at that place of `Bits.points`."""


@dataclass(frozen=True, slots=True)
class Means:
    """Whom a condition means, surely and at least perhaps."""

    surely: Mask
    perhaps: Mask

    def __and__(self, other: Means) -> Means:
        return Means(self.surely & other.surely, self.perhaps & other.perhaps)


@dataclass(slots=True)
class LabelIndex:
    """The points by their labels. Not frozen: it remembers whom each condition means."""

    labels: Sequence[Labels]
    """In the order of the bits; equal ones once for each point."""
    _values: dict[str, dict[str, Mask]] = field(default_factory=dict)
    _open: list[tuple[Labels, Mask]] = field(default_factory=list)
    _means: dict[Requirement, Means] = field(default_factory=dict)

    def __post_init__(self) -> None:
        open_ones: dict[object, tuple[Labels, Mask]] = {}
        for place, labels in enumerate(self.labels):
            bit = 1 << place
            for key, value in labels.known.items():
                here = self._values.setdefault(key, {})
                here[value] = here.get(value, 0) | bit
            if labels.hidden or labels.open:
                content = (*labels.known.items(), *labels.hidden.items(), labels.open)
                known = open_ones.get(content, (labels, 0))[1]
                open_ones[content] = (labels, known | bit)
        self._open = list(open_ones.values())

    def means(self, selector: Selector | None) -> Means:
        """The points whose labels meet `selector`; every one for None."""
        found = Means(self.every, self.every)
        for requirement in selector.requirements if selector else ():
            known = self._means.get(requirement)
            if known is None:
                known = self._means[requirement] = self._met(requirement)
            found &= known
        return found

    @property
    def every(self) -> Mask:
        """All points."""
        return (1 << len(self.labels)) - 1

    def _met(self, requirement: Requirement) -> Means:
        here = self._values.get(requirement.key, {})
        if requirement.operator in ("In", "NotIn"):
            named = _union(here.get(value, 0) for value in requirement.values)
        else:
            named = _union(here.values())
        positive = requirement.operator in ("In", "Exists")
        surely = named if positive else self.every & ~named
        perhaps = surely
        for labels, mask in self._open:
            truth = requirement.truth(labels)
            surely = surely | mask if truth is Truth.YES else surely & ~mask
            perhaps = perhaps | mask if truth is not Truth.NO else perhaps & ~mask
        return Means(surely, perhaps)


def _union(masks: Iterable[Mask]) -> Mask:
    found = 0
    for mask in masks:
        found |= mask
    return found


@dataclass(frozen=True, slots=True)
class Cell:
    """All points that get the same answer from one end's policies."""

    others: Mask
    side: Side


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What is surely and what is perhaps let through."""

    sure: PortSet
    possible: PortSet


@dataclass(frozen=True, slots=True)
class Flow:
    """All sources that may send the same to one target."""

    sources: Mask
    ports: PortSet
    """What is surely allowed."""
    possible: PortSet
    """What may be; never empty."""


class Matrix:
    """The answers of `judge` for all pairs of `points`."""

    def __init__(self, judge: Judge, points: Sequence[Point]) -> None:
        self.points = tuple(dict.fromkeys(points))
        self.place: Mapping[Point, int] = {point: i for i, point in enumerate(self.points)}
        self.every: Mask = (1 << len(self.points)) - 1
        self._judge = judge
        self._labels = LabelIndex([point.labels for point in self.points])
        self._homes = LabelIndex([point.home for point in self.points])
        self._peers: dict[tuple[Pods, str | None], Means] = {}
        self._blocks: dict[Block | Nodes, Means] = {}
        self._rows: dict[tuple[object, ...], tuple[Cell, ...]] = {}
        self._known: dict[tuple[PortSet, PortSet], Bounds] = {}

    def row(self, direction: Direction, subject: Point) -> tuple[Cell, ...]:
        """What the policies of `subject` say of each point at the other end; every point is in
        one cell.
        """
        selection = self._judge.selection(subject, direction)
        unsure = any(truth is not Truth.YES for _, truth in selection)
        key = (
            direction, subject.kind, selection,
            subject.ports if direction == "Ingress" else None, subject if unsure else None,
        )  # fmt: skip
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = self._row(direction, subject)
        return found

    def into(self, target: Point) -> tuple[Flow, ...]:
        """Who may send what to `target`; whoever may send nothing is in none of them. A pod counts
        as another pod that looks the same: that each reaches itself is not said here.
        """
        found: dict[tuple[PortSet, PortSet], Mask] = {}
        senders = self._senders(self.place[target])
        for cell in self.row("Ingress", target):
            for bounds, mask in senders.items():
                both = mask & cell.others
                ports = cell.side.possible & bounds.possible if both else PortSet.NONE
                if ports:
                    key = (cell.side.sure & bounds.sure, ports)
                    found[key] = found.get(key, 0) | both
        return tuple(Flow(mask, *ports) for ports, mask in found.items())

    @cached_property
    def classes(self) -> Mapping[Point, int]:
        """A number for each point; those of one number send the same to everybody and get the same
        from everybody, for the same reasons.
        """
        rows: dict[int, tuple[Cell, ...]] = {}
        alike: dict[tuple[int, int], Mask] = {}
        for place, point in enumerate(self.points):
            pair = (self.row("Ingress", point), self.row("Egress", point))
            rows |= {id(row): row for row in pair}
            key = (id(pair[0]), id(pair[1]))
            alike[key] = alike.get(key, 0) | 1 << place
        parts = list(alike.values())
        for mask in dict.fromkeys(cell.others for row in rows.values() for cell in row):
            parts = [part for old in parts for part in (old & mask, old & ~mask) if part]
        return {point: i for i, part in enumerate(parts) for point in self.members(part)}

    def members(self, mask: Mask) -> Iterator[Point]:
        """The points of a mask."""
        while mask:
            low = mask & -mask
            yield self.points[low.bit_length() - 1]
            mask ^= low

    def _row(self, direction: Direction, subject: Point) -> tuple[Cell, ...]:
        cells = self._split(direction, subject)
        by_side: dict[int, tuple[Mask, Side]] = {}
        for mask in cells:
            other = next(self.members(mask))
            ends = (other, subject) if direction == "Ingress" else (subject, other)
            side = self._judge.side(direction, *ends)
            by_side[id(side)] = (by_side.get(id(side), (0, side))[0] | mask, side)
        return tuple(Cell(mask, side) for mask, side in by_side.values())

    def _split(self, direction: Direction, subject: Point) -> list[Mask]:
        """The points, apart where a rule of the subject's policies can tell them apart."""
        found = [self.every]
        for means in self._told_apart(direction, subject):
            for mask in dict.fromkeys((means.surely, means.perhaps)):
                found = [part for old in found for part in (old & mask, old & ~mask) if part]
        return found

    def _told_apart(self, direction: Direction, subject: Point) -> Iterator[Means]:
        yield from self._kinds
        selection = self._judge.selection(subject, direction)
        rules = [(policy, rule) for policy, _ in selection for rule in policy.rules[direction]]
        if direction == "Egress" and any(rule.named for _, rule in rules):
            yield from self._ports
        asked = dict.fromkeys((p.ref.namespace, peer) for p, rule in rules for peer in rule.peers)
        for home, peer in asked:
            if isinstance(peer, Pods):
                yield self._labelled(peer, home)
            elif isinstance(peer, Block | Nodes):
                yield self._within(peer)

    def _labelled(self, peer: Pods, home: str) -> Means:
        key = (peer, home if peer.namespaces is None else None)
        found = self._peers.get(key)
        if found is None:
            here = self._here.get(home, 0)
            spaces = peer.namespaces
            there = Means(here, here) if spaces is None else self._homes.means(spaces)
            found = self._peers[key] = there & self._labels.means(peer.pods)
        return found

    def _within(self, block: Block | Nodes) -> Means:
        found = self._blocks.get(block)
        if found is None:
            truths = [point.within[block] for point in self.points]
            surely = _union(1 << i for i, truth in enumerate(truths) if truth is Truth.YES)
            perhaps = _union(1 << i for i, truth in enumerate(truths) if truth)
            found = self._blocks[block] = Means(surely, perhaps)
        return found

    @cached_property
    def _here(self) -> Mapping[str, Mask]:
        return _grouped(point.namespace for point in self.points)

    @cached_property
    def _kinds(self) -> tuple[Means, ...]:
        masks = _grouped(point.kind for point in self.points).values()
        return tuple(Means(mask, mask) for mask in masks)

    @cached_property
    def _ports(self) -> tuple[Means, ...]:
        masks = _grouped(point.ports for point in self.points).values()
        return tuple(Means(mask, mask) for mask in masks)

    def _senders(self, target: int) -> Mapping[Bounds, Mask]:
        """What egress policies let through to the target, and from whom."""
        usual, special = self._egress
        here = special.get(target, {})
        told = _union(here.values())
        found = {bounds: mask & ~told for bounds, mask in usual.items() if mask & ~told}
        for bounds, mask in here.items():
            found[bounds] = found.get(bounds, 0) | mask
        return found

    @cached_property
    def _egress(self) -> tuple[Mapping[Bounds, Mask], Mapping[int, Mapping[Bounds, Mask]]]:
        """What each group of sources may send to most targets; and, for each target, from whom it
        may get something else.
        """
        usual: dict[Bounds, Mask] = {}
        special: dict[int, dict[Bounds, Mask]] = {}
        for row, senders in self._senders_by_row():
            most = max(row, key=lambda cell: cell.others.bit_count())
            bounds = self._bounds(most.side)
            usual[bounds] = usual.get(bounds, 0) | senders
            for cell in row:
                bounds = self._bounds(cell.side)
                for place in _places(cell.others) if cell is not most else ():
                    here = special.setdefault(place, {})
                    here[bounds] = here.get(bounds, 0) | senders
        return usual, special

    def _senders_by_row(self) -> Iterable[tuple[tuple[Cell, ...], Mask]]:
        found: dict[int, tuple[tuple[Cell, ...], Mask]] = {}
        for place, point in enumerate(self.points):
            row = self.row("Egress", point)
            found[id(row)] = (row, found.get(id(row), (row, 0))[1] | 1 << place)
        return found.values()

    def _bounds(self, side: Side) -> Bounds:
        """The one object for what the side says, so that it is compared by identity."""
        key = (side.sure, side.possible)
        return self._known.setdefault(key, Bounds(*key))


def _places(mask: Mask) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _grouped(keys: Iterable[K]) -> Mapping[K, Mask]:
    found: dict[K, Mask] = {}
    for place, key in enumerate(keys):
        found[key] = found.get(key, 0) | 1 << place
    return found
