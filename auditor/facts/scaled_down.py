"""How unevenly pods may stand over zones once an autoscaler has gone down to its minimum.

A scale-down reads no spreading rule: the ReplicaSet controller gives up pods on nodes that hold
many of its Deployment first, counted once, and among equals those of any age
(``ActivePodsWithRanks`` in ``pkg/controller/controller_utils.go`` of Kubernetes 1.36).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Pod, pods_of
from auditor.facts.placement.needed import needed
from auditor.facts.workloads import Workload
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

MOST = 200
"""Of a Deployment that may grow beyond, its scale-down is not simulated."""


@dataclass(frozen=True, slots=True)
class ScaledDown:
    """What a scale-down may leave."""

    before: int
    after: int
    left: tuple[int, ...]
    """The pods of each zone, the most first, in the worst case."""


def scaled_down(facts: Facts, deployment: Workload) -> ScaledDown | None:
    """From the most that its autoscaler makes of it to the least, all at once; None where that is
    not known: no zones are given, or not all pods find a node.
    """
    scaler = facts.scalers.get(deployment.ref.key)
    if scaler is None or not 0 < scaler.least < scaler.most <= MOST:
        return None
    zones = {node.name: node.zone for node in facts.topology.nodes if node.zone}
    if len(set(zones.values())) < 2:
        return None
    counts = _placed(facts, deployment, scaler.most)
    if sum(counts.values()) < scaler.most or not counts.keys() <= zones.keys():
        return None
    left = _worst(counts, zones, scaler.least)
    found = sorted((left[zone] for zone in set(zones.values())), reverse=True)
    return ScaledDown(scaler.most, scaler.least, tuple(found))


def _placed(facts: Facts, deployment: Workload, most: int) -> Counter[str]:
    """How many pods are on each node when there are `most`."""
    one = facts.standing.first(deployment)
    if one is None:
        return Counter()
    simulation = facts.standing.simulation(without=deployment)
    placed = simulation.place([_named(one, number) for number in range(most)], seed=0)
    return Counter(placed.bound.values())


def _named(pod: Pod, number: int) -> Pod:
    return replace(pod, name=f"{pod.name}-of-most-{number}")


def _worst(counts: Counter[str], zones: Mapping[str, str | None], after: int) -> Counter[str]:
    """The pods of each zone where as many as can be stay in one: those on the emptiest nodes stay
    for sure, and of the first group that is not whole any may.
    """
    left: Counter[str] = Counter()
    for full in sorted(set(counts.values())):
        group: Counter[str] = Counter()
        for node, count in counts.items():
            group[str(zones[node])] += count if count == full else 0
        room = after - sum(left.values())
        if sum(group.values()) <= room:
            left += group
            continue
        for zone, count in sorted(group.items(), key=lambda item: (-left[item[0]], -item[1])):
            kept = min(count, room)
            left[zone] += kept
            room -= kept
        break
    return left


def uneven(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `scale_down` of a Deployment that is to be spread over zones and is autoscaled; None
    where the worst that is left would do, or an even spread would not do either.
    """
    if (workload.ref.group, workload.ref.kind) != ("apps", "Deployment"):
        return None
    pods = pods_of(workload, most=1)
    key = facts.settings.zone_label
    index = next((n for p in pods for n, s in enumerate(p.shape.spreads) if s.key == key), None)
    found = None if index is None else scaled_down(facts, workload)
    if found is None or index is None:
        return None
    count = needed(facts, workload)
    even = found.after - -(-found.after // len(found.left))
    lost = found.after - found.left[0]
    if lost >= count.count or even < count.count:
        return None
    return {
        "before": found.before,
        "after": found.after,
        "left": list(found.left),
        "lost": lost,
        "even": even,
        "needed": count.count,
        "needed_why": count.why,
        "path": (*workload.pod_path, "topologySpreadConstraints", index),
        "object": as_object(facts.scalers[workload.ref.key].ref),
    }
