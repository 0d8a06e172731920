"""What becomes of the flows into one workload, for all who may ask it at once: part of a proof.

Most pairs of pods are as many others: what network policies say of them is read off the rows of the
matrix, and those who fare alike are told together. Where sidecars have a say, or policies tell the
pods of one workload apart, each pair is judged by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from auditor.facts import Facts
from auditor.facts.network import Peer, PortSet, Reach, Stranger
from auditor.facts.network.bits import Common
from auditor.facts.network.matrix import Mask
from auditor.facts.network.points import is_on_node
from auditor.facts.workloads import Workload
from auditor.fixes.case import Case
from auditor.fixes.requests import there
from auditor.values import dataclass

NOTHING = Reach(PortSet.NONE, PortSet.NONE)


@dataclass(frozen=True, slots=True)
class Many:
    """Workloads that a mask means, less the one that they ask."""

    common: Common
    mask: Mask
    target: Workload

    def __len__(self) -> int:
        return self.common.count(self.mask) - self.common.has(self.target, self.mask)

    def __iter__(self) -> Iterator[Peer]:
        asked = self.target.ref
        return (one for one in self.common.meant(self.mask) if one.ref != asked)


Senders = Many | tuple[Peer]
"""Some who may send the same: workloads, or somebody."""
Changed = tuple[Senders, Reach, Reach]
"""Who may send something else than before, what he might, and what he may."""


def compared(case: Case, target: Workload) -> Iterator[Changed]:
    """Everybody who may send something else to `target` after the change: workloads, pods that are
    not there yet, and the internet.
    """
    common = case.facts_after.bits.since(case.facts.bits)
    alone: Iterable[Peer] = case.facts.workloads
    if all(_is_one(facts, target) for facts in (case.facts, case.facts_after)):
        yield from _by_masks(case, target, common)
        alone = common.others
    yield from _one_by_one(case, alone, target)
    yield from _one_by_one(case, _others(case, target), target)


def senders(case: Case, target: Workload) -> Iterator[Peer]:
    """All who are asked about, whether or not anything changes for them."""
    yield from (one for one in case.facts.workloads if one.ref != target.ref)
    yield from _others(case, target)


def _others(case: Case, target: Workload) -> Iterator[Peer]:
    for namespace in case.facts.homes:
        yield Stranger(namespace, {})
    yield Stranger("", {})
    worlds = [facts.network.outside(target) for facts in (case.facts, case.facts_after)]
    yield from dict.fromkeys(world for each in worlds for world in each)


def _is_one(facts: Facts, target: Workload) -> bool:
    """Whether its pods are one point of the matrix, and nobody else than policies has a say."""
    net, one = facts.network, there(facts, target)
    points = net.points_of(one)
    placed = len(points) == 1 and points[0] in net.matrix.place
    return placed and not is_on_node(one) and not net.meshed(one)


def _by_masks(case: Case, target: Workload, common: Common) -> Iterator[Changed]:
    """The same of all who have a bit of their own in the masks of both networks."""
    sides = (_into(case.facts, target, common, 0), _into(case.facts_after, target, common, 1))
    parts = [
        (mask & other, was, now)
        for (mask, was), (other, now) in product(*sides)
        if was != now and mask & other
    ]
    for mask, was, now in sorted(parts, key=lambda part: part[0] & -part[0]):
        found = Many(common, mask, target)
        if was.ports != was.possible or now.ports != now.possible:
            yield from _one_by_one(case, found, target)
        elif len(found):
            yield found, was, now


def _into(facts: Facts, target: Workload, common: Common, side: int) -> list[tuple[Mask, Reach]]:
    """What is let through to it, and from whom."""
    net = facts.network
    (point,) = net.points_of(there(facts, target))
    found = [
        (common.translated(flow.sources, side), Reach(flow.ports, flow.possible))
        for flow in net.matrix.into(point)
    ]
    rest = common.every
    for mask, _ in found:
        rest &= ~mask
    return [*found, (rest, NOTHING)]


def _one_by_one(case: Case, sources: Iterable[Peer], target: Workload) -> Iterator[Changed]:
    for source in sources:
        if isinstance(source, Workload) and source.ref == target.ref:
            continue
        was, now = (_reach(facts, source, target) for facts in (case.facts, case.facts_after))
        if was != now:
            yield (source,), was, now


def _reach(facts: Facts, source: Peer, target: Workload) -> Reach:
    return facts.network.reach(there(facts, source), there(facts, target))
