"""What only a placement shows: wishes that change nothing, running pods against their own rules,
pods that leave for others, pods that leave slowly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.placement.pods import Choice
from auditor.facts.scheduling.demand import REPLICATED, ROLLING, Demand
from auditor.facts.workloads import Workload
from auditor.model import Ref

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
LONG_SECONDS = 300
"""A grace period from which on pods that leave are felt by those that come."""


def standings(facts: Facts, workload: Workload) -> dict[str, list[Told]] | None:
    """The fact `standings` for policies: by fault, what only a placement shows of the workload:
    wishes that change nothing, pods against their own rules, and such as leave for others or
    slowly.
    """
    pod = facts.standing.first(workload)
    if workload.ref.kind not in REPLICATED or pod is None:
        return None
    found: dict[str, list[Told]] = {}
    for name, case in _faults(facts, workload, pod):
        found.setdefault(name, []).append(case)
    return found or None


def _faults(facts: Facts, workload: Workload, pod: Pod) -> Iterator[tuple[str, Told]]:
    demand = facts.scheduling.demand(workload)
    if (case := _slow(facts, workload, pod, demand)) is not None:
        yield "slow_to_leave", case
    if not facts.scheduling.known:
        return
    if (case := _swamped(facts, workload, pod)) is not None:
        yield "swamped", case
    if (case := _drifted(facts, workload, pod)) is not None:
        yield "drifted", case
    if (case := _preempted(facts, workload)) is not None:
        yield "preempted", case


def _swamped(facts: Facts, workload: Workload, pod: Pod) -> Told | None:
    """Preferred nodes that were to be had, and that no pod gets: without the preference all go
    where they go with it.
    """
    choice = pod.shape.choice
    nodes = facts.topology.nodes
    if not choice.preferred or not facts.scheduling.afford(len(nodes) * workload.replicas):
        return None
    liked = {n.name for n in nodes if any(t.matches(n.name, n.labels) for t in choice.preferred)}
    one = facts.scheduling.replayed(workload)
    if not one or not liked.isdisjoint(one.values()):
        return None
    could = set(facts.scheduling.feasible(workload, pod)) & liked
    indifferent = Choice(choice.labels, choice.required)
    if not could or facts.scheduling.replayed(workload, choice=indifferent) != one:
        return None
    return {
        "path": (*workload.pod_path, "affinity", "nodeAffinity"),
        "anchor": "",
        "pods": len(one),
        "liked": len(could),
    }


def _drifted(facts: Facts, workload: Workload, pod: Pod) -> Told | None:
    """Running pods that the scheduler would not put where they are now."""
    shape = pod.shape
    if pod.is_plain and shape.choice.required is None and not shape.choice.labels:
        return None
    running = [
        each
        for each in facts.standing.placed().get(workload.ref.key, ())
        if each.live and each.node in facts.topology.by_name
    ]
    if not running or not facts.scheduling.afford(len(running) * len(running)):
        return None
    wrong = [(each, why) for each in running if (why := facts.scheduling.against(each))]
    if not wrong:
        return None
    return {
        "path": workload.pod_path,
        "anchor": "",
        "wrong": len(wrong),
        "pods": len(running),
        "why": wrong[0][1],
        "node": wrong[0][0].node,
        "evidence": [
            {
                "message": f"runs on {each.node}, which {why}",
                "object": as_object(Ref("v1", "Pod", each.namespace, each.name)),
                "path": [],
            }
            for each, why in wrong[:10]
        ],
    }


def _preempted(facts: Facts, workload: Workload) -> Told | None:
    """Its pods leave for those of another after a loss."""
    found = facts.scheduling.victims.get(workload.ref.key)
    if found is None or not facts.scheduling.services(workload):
        return None
    domain, other, count = found
    return {
        "path": workload.pod_path, "anchor": "", "domain": str(domain), "count": count,
        "other": facts.by_key[other].name,
        "evidence": [
            {"message": "has a higher priority", "object": as_object(facts.by_key[other].ref),
             "path": []}
        ],
    }  # fmt: skip


def _slow(facts: Facts, workload: Workload, pod: Pod, demand: Demand) -> Told | None:
    """Pods that leave slowly hold their room while those of a rollout wait for it."""
    seconds = workload.pod.get("terminationGracePeriodSeconds")
    if workload.ref.kind not in ROLLING or type(seconds) is not int or seconds < LONG_SECONDS:
        return None
    if not pod.shape.requests.amounts or not demand.most:
        return None
    both = 2 * demand.most
    if facts.scheduling.known and facts.scheduling.free(workload, pod, both) >= both:
        return None
    path = (*workload.pod_path, "terminationGracePeriodSeconds")
    return {"path": path, "anchor": "", "seconds": seconds, "pods": demand.most}
