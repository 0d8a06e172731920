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
from copy import copy
from dataclasses import field
from functools import cached_property
from typing import TypeVar

from auditor.facts.network.answers import Direction
from auditor.facts.network.cluster_policies import Nodes
from auditor.facts.network.judge import Judge
from auditor.facts.network.namespaced import Selecting
from auditor.facts.network.points import POD, Point
from auditor.facts.network.policies import Block, NetPolicy, Pods, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.selectors import Labels, Requirement, Selector, Truth
from auditor.memory import collector_paused
from auditor.values import dataclass

K = TypeVar("K", bound=Hashable)

Mask = int
"""A set of points: bit i is the point at that place of `Bits.points`."""


Admitted = tuple[PortSet, PortSet]
"""Ports, surely and perhaps."""


@dataclass(frozen=True, slots=True)
class Means:
    """Whom a condition means, surely and at least perhaps."""

    surely: Mask
    perhaps: Mask

    def __and__(self, other: Means) -> Means:
        return Means(self.surely & other.surely, self.perhaps & other.perhaps)

    def __or__(self, other: Means) -> Means:
        return Means(self.surely | other.surely, self.perhaps | other.perhaps)


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


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """What is surely and what is perhaps let through; the one object for both sets."""

    sure: PortSet
    possible: PortSet


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What the policies of one end say of each point at the other end."""

    masks: Mapping[Bounds, Mask]
    """Who gets the same, for whatever reasons; the largest mask first. Each point is in one."""
    apart: tuple[Mask, ...]
    """What tells points apart, whatever they get, beside the rules of `united`: those that are in
    the same of these, and that the same rules mean, get it for the same reasons.
    """
    united: Selecting

    def at(self, place: int) -> Bounds:
        """What is said of the point at that place."""
        bit = 1 << place
        return next(bounds for bounds, mask in self.masks.items() if mask & bit)

    @classmethod
    def of(cls, masks: Mapping[Bounds, Mask], apart: Iterable[Mask], united: Selecting) -> Row:
        """Who gets what, in any order."""
        ordered = sorted(masks.items(), key=lambda one: -one[1].bit_count())
        return cls(dict(ordered), tuple(apart), united)


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

    def __init__(self, judge: Judge, points: Sequence[Point], *, distinct: bool = True) -> None:
        """Unless `distinct`, a point that comes twice has two bits."""
        self.points = tuple(dict.fromkeys(points)) if distinct else tuple(points)
        self.place: Mapping[Point, int] = {point: i for i, point in enumerate(self.points)}
        self.every: Mask = (1 << len(self.points)) - 1
        self._judge = judge
        self._labels = LabelIndex([point.labels for point in self.points])
        self._homes = LabelIndex([point.home for point in self.points])
        self._peers: dict[tuple[Pods, str | None], Means] = {}
        self._blocks: dict[Block | Nodes, Means] = {}
        self._rows: dict[tuple[object, ...], Row] = {}
        self._known: dict[tuple[PortSet, PortSet], Bounds] = {}

    def row(self, direction: Direction, subject: Point) -> Row:
        """What the policies of `subject`, which may be none of `points`, say of all of these."""
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

    def judged_by(self, judge: Judge) -> Matrix:
        """The same points by other policies: the rows of whom the same ones select are kept."""
        found = copy(self)
        for name in ("_egress", "classes"):
            vars(found).pop(name, None)
        found._judge = judge
        found._rows = dict(self._rows)
        return found

    def prepare(self) -> None:
        """Judge all rows now, so that each answer of `into` is quick."""
        with collector_paused():
            for point in self.points:
                self.row("Ingress", point)
            _ = self._egress

    def into(self, target: Point) -> tuple[Flow, ...]:
        """Who may send what to `target`; whoever may send nothing is in none of them. A pod counts
        as another pod that looks the same: that each reaches itself is not said here.
        """
        found: dict[Bounds, Mask] = {}
        senders = self._senders(self.place[target])
        for mine, others in self.row("Ingress", target).masks.items():
            if not mine.possible:
                continue
            for bounds, mask in senders.items():
                both = mask & others
                ports = mine.possible & bounds.possible if both else PortSet.NONE
                if ports:
                    key = self._bounds(mine.sure & bounds.sure, ports)
                    found[key] = found.get(key, 0) | both
        return tuple(Flow(mask, ports.sure, ports.possible) for ports, mask in found.items())

    def flow(self, source: Point, target: Point) -> tuple[PortSet, PortSet]:
        """What two different pods at these points may send, surely and perhaps."""
        out, into = self.said("Egress", source, target), self.said("Ingress", target, source)
        return out.sure & into.sure, out.possible & into.possible

    def said(self, direction: Direction, subject: Point, other: Point) -> Bounds:
        """What the policies of `subject`, which may be none of `points`, say of one of these."""
        return self.row(direction, subject).at(self.place[other])

    @cached_property
    def classes(self) -> Mapping[Point, int]:
        """A number for each point; those of one number send the same to everybody and get the same
        from everybody, for the same reasons.
        """
        apart: dict[Mask, None] = {}
        alike: dict[tuple[Row, Row], list[int]] = {}
        for place, point in enumerate(self.points):
            pair = (self.row("Ingress", point), self.row("Egress", point))
            alike.setdefault(pair, []).append(place)
        for into, out in alike:
            apart |= dict.fromkeys((*into.apart, *self._asked("Ingress", into.united)))
            apart |= dict.fromkeys((*out.apart, *self._asked("Egress", out.united)))
        parts = Parts(alike.values())
        for mask in apart:
            parts.split(min(mask, self.every & ~mask, key=int.bit_count))
        return {point: parts.of[place] for place, point in enumerate(self.points)}

    def members(self, mask: Mask) -> Iterator[Point]:
        """The points of a mask."""
        return (self.points[place] for place in places(mask))

    def _row(self, direction: Direction, subject: Point) -> Row:
        found: dict[Bounds, Mask] = {}
        apart: list[Mask] = []
        selecting = self._judge.united(subject, direction)
        pods = self._pods if selecting is not None else 0
        if selecting is not None and pods:
            found |= self._of_pods(direction, subject, selecting)
            apart.append(pods)
        for mask, other in self._split(direction, subject, self.every & ~pods):
            ends = (other, subject) if direction == "Ingress" else (subject, other)
            side = self._judge.side(direction, *ends)
            bounds = self._bounds(side.sure, side.possible)
            found[bounds] = found.get(bounds, 0) | mask
            apart.append(mask)
        return Row.of(found, apart, selecting or ())

    def _of_pods(
        self, direction: Direction, subject: Point, selecting: Selecting
    ) -> Mapping[Bounds, Mask]:
        """What NetworkPolicies alone say of ordinary pods: whom a rule means is known for all of
        them at once, and no pair is judged by itself. Costs one operation for each rule, and some
        for what the rules admit, of which there are few.
        """
        if not selecting:
            return {self._bounds(PortSet.ALL, PortSet.ALL): self._pods}
        found: dict[Admitted, Mask] = {(PortSet.NONE, PortSet.NONE): self._pods}
        for more, mask in self._admitted(direction, subject, selecting).items():
            found = _joined(found, more, mask)
        return {self._bounds(*ports): mask for ports, mask in found.items()}

    def _admitted(
        self, direction: Direction, subject: Point, selecting: Selecting
    ) -> Mapping[Admitted, Mask]:
        """Whom some rule admits on these ports, surely and perhaps."""
        found: dict[Admitted, Mask] = {}
        for policy, truth in selecting:
            for rule in policy.rules[direction]:
                means = self._meant(policy, rule)
                by_target = direction == "Egress" and rule.named
                for some in self._by_ports(means.perhaps) if by_target else (means.perhaps,):
                    target = self._first(some) if by_target else subject
                    sure, possible = self._judge.admitted(rule, target)
                    surely = some & means.surely if truth is Truth.YES else 0
                    _add(found, (sure, possible), surely)
                    _add(found, (PortSet.NONE, possible), some & ~surely)
        return found

    def _asked(self, direction: Direction, selecting: Selecting) -> Iterator[Mask]:
        """What tells ordinary pods apart."""
        rules = [(policy, rule) for policy, _ in selecting for rule in policy.rules[direction]]
        for policy, rule in rules:
            means = self._meant(policy, rule)
            yield from (means.surely, means.perhaps)
        if direction == "Egress" and any(rule.named for _, rule in rules):
            yield from self._by_ports(self._pods)

    def _meant(self, policy: NetPolicy, rule: PolicyRule) -> Means:
        """Which pods a rule means. Not kept: that would be a mask for each rule there is."""
        if not rule.peers:
            return Means(self._pods, self._pods)
        surely = perhaps = 0
        for peer in rule.peers:
            means = self._peer(peer, policy.ref.namespace)
            surely, perhaps = surely | means.surely, perhaps | means.perhaps
        return Means(surely & self._pods, perhaps & self._pods)

    def _peer(self, peer: Pods | Block, home: str) -> Means:
        if isinstance(peer, Pods):
            return self._labelled(peer, home)
        truth, found = self._judge.means_pods(peer), self._within(peer)
        return Means(found.surely if truth is Truth.YES else 0, found.perhaps if truth else 0)

    def _by_ports(self, mask: Mask) -> Iterator[Mask]:
        for means in self._ports:
            if some := mask & means.surely:
                yield some

    def _first(self, mask: Mask) -> Point:
        return self.points[(mask & -mask).bit_length() - 1]

    def _split(
        self, direction: Direction, subject: Point, among: Mask
    ) -> Iterator[tuple[Mask, Point]]:
        """Some points, apart where a rule of the subject's policies can tell them apart, each part
        with one of them.
        """
        found = [among] if among else []
        for means in self._told_apart(direction, subject) if among else ():
            for mask in dict.fromkeys((means.surely, means.perhaps)):
                found = [part for old in found for part in (old & mask, old & ~mask) if part]
        return ((mask, self._first(mask)) for mask in found)

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
    def on_nodes(self) -> Mask:
        """The pods on the network of their node."""
        return self.every & ~self._pods

    @cached_property
    def _pods(self) -> Mask:
        """All but those on the network of their node."""
        return _grouped(point.kind for point in self.points).get(POD, 0)

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
            (most, _), *others = row.masks.items()
            usual[most] = usual.get(most, 0) | senders
            for bounds, mask in others:
                for place in places(mask):
                    here = special.get(place)
                    if here is None:
                        here = special[place] = {}
                    here[bounds] = here.get(bounds, 0) | senders
        return usual, special

    def _senders_by_row(self) -> Iterable[tuple[Row, Mask]]:
        found: dict[Row, Mask] = {}
        for place, point in enumerate(self.points):
            row = self.row("Egress", point)
            found[row] = found.get(row, 0) | 1 << place
        return found.items()

    def _bounds(self, sure: PortSet, possible: PortSet) -> Bounds:
        """The one object for both, so that it is compared by identity."""
        key = (sure, possible)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Bounds(*key)
        return found


class Parts:
    """The places of points in groups, which are split step by step. A split costs what the mask
    holds, not what all groups hold.
    """

    def __init__(self, groups: Iterable[Sequence[int]]) -> None:
        self._sizes = [len(group) for group in groups if group]
        self.of = {place: i for i, group in enumerate(groups) for place in group}
        """The number of the group of each place."""

    def split(self, mask: Mask) -> None:
        """Put those in the mask apart from the others of their group."""
        inside: dict[int, list[int]] = {}
        for place in places(mask):
            inside.setdefault(self.of[place], []).append(place)
        for group, some in inside.items():
            if len(some) < self._sizes[group]:
                self._sizes[group] -= len(some)
                self.of |= dict.fromkeys(some, len(self._sizes))
                self._sizes.append(len(some))


def _joined(found: Mapping[Admitted, Mask], more: Admitted, mask: Mask) -> dict[Admitted, Mask]:
    """What is admitted where some are admitted on more ports."""
    joined: dict[Admitted, Mask] = {}
    for ports, others in found.items():
        _add(joined, ports, others & ~mask)
        if both := others & mask:
            _add(joined, (ports[0] | more[0], ports[1] | more[1]), both)
    return joined


def _add(found: dict[Admitted, Mask], ports: Admitted, mask: Mask) -> None:
    if mask:
        found[ports] = found.get(ports, 0) | mask


def places(mask: Mask) -> Iterator[int]:
    """The places of its bits, ascending. Searched as text: shifting would copy it for each bit."""
    digits = f"{mask:b}"[::-1]
    place = digits.find("1")
    while place >= 0:
        yield place
        place = digits.find("1", place + 1)


def _grouped(keys: Iterable[K]) -> Mapping[K, Mask]:
    found: dict[K, Mask] = {}
    for place, key in enumerate(keys):
        found[key] = found.get(key, 0) | 1 << place
    return found
