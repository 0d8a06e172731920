"""What becomes of the flows into one workload, for all who may ask it at once: part of a proof.

Most pairs of pods are as many others: what network policies say of them is read off the rows of the
matrix. Where sidecars have a say, or policies tell the pods of one workload apart, each pair is
judged by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.facts import Facts
from auditor.facts.network import Peer, PortSet, Reach, Stranger
from auditor.facts.network.matrix import places
from auditor.facts.network.points import is_on_node
from auditor.facts.workloads import Workload
from auditor.fixes.case import Case
from auditor.fixes.requests import there

Row = Mapping[int, Reach]
"""What is let through to one workload, by the bit of who sends it; nothing from others."""

NOTHING = Reach(PortSet.NONE, PortSet.NONE)


def compared(case: Case, target: Workload) -> Iterator[tuple[Sequence[Peer], Reach, Reach]]:
    """Everybody who may send something else to `target` after the change, with what he may send
    before and after: workloads, pods that are not there yet, and the internet. Those of whom the
    same is known are told together.
    """
    before, after = case.facts, case.facts_after
    rows = _row(before, target), _row(after, target)
    alike: dict[tuple[int, int], list[Peer]] = {}
    ends: dict[tuple[int, int], tuple[Reach, Reach]] = {}
    for source in senders(case, target):
        was, now = _read(before, rows[0], source), _read(after, rows[1], source)
        if was is None or now is None:
            was, now = _reach(before, source, target), _reach(after, source, target)
        pair = id(was), id(now)
        ends[pair] = was, now
        alike.setdefault(pair, []).append(source)
    for pair, sources in alike.items():
        was, now = ends[pair]
        if was != now:
            yield sources, was, now


def senders(case: Case, target: Workload) -> Iterator[Peer]:
    """All of these, whether or not anything changes for them."""
    yield from (one for one in case.facts.workloads if one.ref != target.ref)
    yield from _others(case, target)


def _row(facts: Facts, target: Workload) -> Row | None:
    """None where pairs have to be judged one by one."""
    net, one = facts.network, there(facts, target)
    points = net.points_of(one)
    if len(points) > 1 or points[0] not in net.matrix.place or is_on_node(one) or net.meshed(one):
        return None
    found: dict[int, Reach] = {}
    for flow in net.matrix.into(points[0]):
        reach = Reach(flow.ports, flow.possible)
        found |= dict.fromkeys(places(flow.sources), reach)
    return found


def _read(facts: Facts, row: Row | None, source: Peer) -> Reach | None:
    """What is let through from `source`; None where that is not sure, or has to be asked."""
    bit = facts.bits.get(source.ref.key, -1) if isinstance(source, Workload) else -1
    if row is None or bit < 0:
        return None
    found = row.get(bit, NOTHING)
    return found if found.ports is found.possible or found.ports == found.possible else None


def _others(case: Case, target: Workload) -> Iterator[Peer]:
    for namespace in case.facts.homes:
        yield Stranger(namespace, {})
    yield Stranger("", {})
    worlds = [facts.network.outside(target) for facts in (case.facts, case.facts_after)]
    yield from dict.fromkeys(world for each in worlds for world in each)


def _reach(facts: Facts, source: Peer, target: Workload) -> Reach:
    return facts.network.reach(there(facts, source), there(facts, target))
