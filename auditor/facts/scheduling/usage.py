"""What pods and nodes use, beside what they ask for and what there is.

Measurements are objects of metrics.k8s.io (PodMetrics, NodeMetrics), given as files: what
``kubectl get podmetrics -A -o yaml`` writes. Each is one look at a short window, so that only wide
differences are told; where there are none, that is a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.placement.quantities import QuantityError, milli, parse, units
from auditor.facts.placement.requests import CPU, MEMORY
from auditor.facts.scheduling.choices import said_amount
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Gap, Key, Resource, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
Amounts = dict[str, int]
METRICS = ("PodMetrics", "NodeMetrics")
FAR = 2
"""Use of so many times the request is more than a busy moment of what was asked for."""
IDLE = 4
"""A request of so many times the use is kept from others."""
WORTH = {CPU: 500, MEMORY: 512 * 2**20}
"""Less than that is not worth a change: thousandths of a CPU, bytes."""
FULL, EMPTY = 80, 30
"""Percent of a node that is busy, and of one that is idle, beside it."""
TOO_MUCH = 150
"""Percent of the memory of a node up to which limits may add up."""
NAMES = {CPU: "CPU", MEMORY: "memory"}


class Measured:
    """The measurements of a snapshot."""

    def __init__(self, facts: Facts) -> None:
        snapshot = facts.snapshot
        self.pods = {
            (each.ref.namespace, each.ref.name): each for each in snapshot.of_kind("PodMetrics")
        }
        self.nodes = {
            each.ref.name: found
            for each in snapshot.of_kind("NodeMetrics")
            if (found := _amounts(each.manifest.get("usage")))
        }


def usage(facts: Facts, workload: Workload) -> list[Told] | None:
    """The fact `usage` for policies: requests that are far from what is used, each once."""
    measured = facts.scheduling.measured
    if not facts.scheduling.known or not facts.standing.live:
        return None
    if not measured.pods:
        facts.unknown(Gap("what pods use of what they ask for", _NONE, Unseen.UNKNOWN))
        return None
    return list(_far(facts, workload, measured)) or None


_NONE = "no PodMetrics (metrics.k8s.io) are given"


def _far(facts: Facts, workload: Workload, measured: Measured) -> Iterator[Told]:
    used = _used(facts, workload.ref.key, measured)
    scaled = facts.scheduling.demand(workload).autoscaler is not None
    for container in workload.containers:
        asked = _amounts(at(container.spec, ("resources", "requests")))
        for name, amount in asked.items():
            seen = [each[name] for each in used.get(container.name, ()) if name in each]
            if not seen or not amount:
                continue
            most = max(seen)
            more = most >= FAR * amount and most - amount >= WORTH[name]
            less = IDLE * most <= amount and amount - most >= WORTH[name] and not scaled
            if more or less:
                yield {
                    "path": (*container.path, "resources", "requests", name),
                    "anchor": f"{container.name} {name}",
                    "container": container.name,
                    "resource": NAMES[name],
                    "asked": said_amount(name, amount),
                    "used": said_amount(name, most),
                    "pods": len(seen),
                    "more": more,
                }


def _used(facts: Facts, key: Key, measured: Measured) -> Mapping[str, list[Amounts]]:
    """What the running pods of a workload use, by the name of the container."""
    found: dict[str, list[Amounts]] = {}
    for pod in facts.standing.live.get(key, ()):
        metrics = measured.pods.get((pod.ref.namespace, pod.ref.name))
        for each in map(mapping, sequence(metrics.manifest.get("containers")) if metrics else ()):
            found.setdefault(str(each.get("name")), []).append(_amounts(each.get("usage")))
    return found


def _amounts(value: Any) -> Amounts:
    """CPU in thousandths and memory in bytes, as far as they are quantities."""
    found = {}
    for name, count in ((CPU, milli), (MEMORY, units)):
        written = mapping(value).get(name)
        try:
            if written is not None:
                found[name] = count(parse(written))
        except QuantityError:
            continue
    return found


def node_load(facts: Facts, resource: Resource) -> dict[str, list[Told]] | None:
    """The fact `node_load` for policies, about one Node: limits of memory beyond what there is,
    room that nobody can use, and a load far from that of others.
    """
    name = resource.ref.name
    pods = facts.scheduling.by_node.get(name, ())
    node = facts.topology.by_name.get(name)
    if node is None or not node.allocatable:
        return None
    found: dict[str, list[Told]] = {}
    for fault, case in (
        ("overcommitted", _overcommitted(pods, node.allocatable)),
        ("stranded", _stranded(facts, pods, node.allocatable)),
        ("busy", _busy(facts, name, node.allocatable)),
    ):
        if case is not None:
            found[fault] = [{"path": ("status", "allocatable"), "anchor": "", **case}]
    return found or None


def _overcommitted(pods: tuple[Pod, ...], room: Mapping[str, int]) -> Told | None:
    """Limits of memory that add up to more than there is: when all use them, some are killed."""
    limits = [sum(_limits(pod)) for pod in pods]
    percent = 100 * sum(limits) // room[MEMORY] if room.get(MEMORY) else 0
    return {"percent": percent, "pods": len(pods)} if percent > TOO_MUCH else None


def _limits(pod: Pod) -> Iterator[int]:
    for container in map(mapping, sequence(pod.spec.get("containers"))):
        yield _amounts(at(container, ("resources", "limits"))).get(MEMORY, 0)


def _stranded(facts: Facts, pods: tuple[Pod, ...], room: Mapping[str, int]) -> Told | None:
    """Half of one resource free, and too little of the other for any pod there is."""
    free = {r: room.get(r, 0) - sum(_asked(pod, r) for pod in pods) for r in (CPU, MEMORY)}
    for scarce, plenty in ((CPU, MEMORY), (MEMORY, CPU)):
        least = facts.scheduling.least_asked.get(scarce, 0)
        if room.get(plenty) and 2 * free[plenty] >= room[plenty] and 0 <= free[scarce] < least:
            return {
                "scarce": NAMES[scarce],
                "plenty": NAMES[plenty],
                "free": said_amount(plenty, free[plenty]),
                "left": said_amount(scarce, free[scarce]),
            }
    return None


def _asked(pod: Pod, resource: str) -> int:
    return pod.shape.requests.amounts.get(resource, 0)


def _busy(facts: Facts, name: str, room: Mapping[str, int]) -> Told | None:
    """Busy beside a node that is idle in every regard (as the descheduler tells them apart)."""
    measured = facts.scheduling.measured.nodes
    if name not in measured:
        return None
    high = [(r, _percent(measured[name], room, r)) for r in (CPU, MEMORY)]
    over = [(r, percent) for r, percent in high if percent > FULL]
    idle = [other for other in measured if other != name and _is_idle(facts, other)]
    if not over or not idle:
        return None
    resource, percent = over[0]
    return {
        "resource": NAMES[resource],
        "percent": percent,
        "idle": len(idle),
        "evidence": [
            {"message": "is idle beside it", "object": as_object(node.ref), "path": []}
            for node in facts.snapshot.of_kind("Node")
            if node.ref.name in idle[:10]
        ],
    }


def _is_idle(facts: Facts, name: str) -> bool:
    node = facts.topology.by_name.get(name)
    if node is None or not node.allocatable or node.unschedulable:
        return False
    used = facts.scheduling.measured.nodes[name]
    return all(_percent(used, node.allocatable, r) < EMPTY for r in (CPU, MEMORY))


def _percent(used: Mapping[str, int], room: Mapping[str, int], resource: str) -> int:
    return 100 * used.get(resource, 0) // room[resource] if room.get(resource) else 0
