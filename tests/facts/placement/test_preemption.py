"""Whom the scheduler evicts: the cases of pickOneNodeForPreemption and SelectVictimsOnNode."""

from __future__ import annotations

from typing import Any

from auditor.facts.placement import Pod
from auditor.facts.placement.preemption import chosen
from auditor.model import Resource

from .world import cluster, node, pod, thing, workload
from .world import pods as pods_of

SMALL = {"cpu": "1"}
LARGE = {"cpu": "2"}


def nodes(*names: str, cpu: str = "2") -> list[Resource]:
    return [node(name, room={"cpu": cpu}) for name in names]


def running(name: str, on: str, priority: int, cpu: str = "1", **rest: Any) -> Resource:
    status = {"phase": "Running", "startTime": rest.pop("since", "2026-01-01T00:00:00Z")}
    return pod(name, on, requests={"cpu": cpu}, priority=priority, status=status, **rest)


def incoming(priority: int = 1000, cpu: str = "1", **rest: Any) -> Resource:
    return pod("urgent", requests={"cpu": cpu}, priority=priority, **rest)


def evicted(asking: Resource, *there: Resource) -> dict[str, list[str]]:
    """By each of the nodes that may be chosen, who leaves it."""
    found = chosen(cluster(*there).victims(Pod.from_resource(asking)))
    return {each.node: [pod.name for pod in each.victims] for each in found}


def budget(allowed: int, **labels: str) -> Resource:
    spec = {"selector": {"matchLabels": labels}, "minAvailable": 1}
    status = {"disruptionsAllowed": allowed}
    return thing("PodDisruptionBudget", "b", "shop", spec=spec, status=status)


def test_nobody_leaves_for_an_equal() -> None:
    """Only pods of lower priority leave."""
    assert evicted(incoming(10), *nodes("a"), running("x", "a", 10, "2")) == {}


def test_nobody_leaves_for_one_that_does_not_preempt() -> None:
    """``preemptionPolicy: Never`` is obeyed."""
    asking = incoming(preemptionPolicy="Never")
    assert evicted(asking, *nodes("a"), running("x", "a", 0, "2")) == {}


def test_nobody_leaves_where_it_would_not_help() -> None:
    """A node that is too small, or tainted, keeps its pods."""
    tainted = node("b", taints=[{"key": "k", "effect": "NoSchedule"}])
    there = [*nodes("a"), tainted, running("x", "a", 0), running("y", "b", 0)]
    assert evicted(incoming(cpu="3"), *there) == {}


def test_whoever_fits_beside_it_stays() -> None:
    """The more important are given back first."""
    there = [running("low", "a", 1), running("middle", "a", 5)]
    assert evicted(incoming(), *nodes("a"), *there) == {"a": ["low"]}


def test_of_equals_the_younger_leaves() -> None:
    """Who has run longer is more important."""
    there = [
        running("old", "a", 1, since="2026-01-01T00:00:00Z"),
        running("young", "a", 1, since="2026-01-02T00:00:00Z"),
    ]
    assert evicted(incoming(), *nodes("a"), *there) == {"a": ["young"]}


def test_a_budget_is_kept_where_another_node_does() -> None:
    """The fewest budgets are broken, before any priority counts."""
    there = [
        running("guarded", "a", 1, "2", labels={"app": "g"}),
        running("dear", "b", 900, "2"),
        budget(0, app="g"),
    ]
    assert evicted(incoming(), *nodes("a", "b"), *there) == {"b": ["dear"]}


def test_a_budget_is_broken_where_nothing_else_helps() -> None:
    """It is best effort."""
    there = [running("guarded", "a", 1, "2", labels={"app": "g"}), budget(0, app="g")]
    assert evicted(incoming(), *nodes("a"), *there) == {"a": ["guarded"]}


def test_whom_a_budget_protects_is_given_back_first() -> None:
    """Even before a more important one."""
    there = [
        running("guarded", "a", 1, labels={"app": "g"}),
        running("dear", "a", 5),
        budget(0, app="g"),
    ]
    assert evicted(incoming(), *nodes("a"), *there) == {"a": ["dear"]}


def test_the_mildest_victim_decides() -> None:
    """The least of the highest priorities, then of the sums, then the fewest, then the youngest."""
    highest = [running("x", "a", 9, "2"), running("y", "b", 5, "2")]
    assert evicted(incoming(), *nodes("a", "b"), *highest) == {"b": ["y"]}
    total = [
        running("x", "a", 5), running("x2", "a", 4), running("y", "b", 5), running("y2", "b", 3),
    ]  # fmt: skip
    assert evicted(incoming(cpu="2"), *nodes("a", "b"), *total) == {"b": ["y", "y2"]}
    fewer = [running("x", "a", 5), running("x2", "a", 5), running("y", "b", 5, "2")]
    assert evicted(incoming(cpu="2"), *nodes("a", "b"), *fewer) == {"b": ["y"]}
    younger = [
        running("x", "a", 5, "2", since="2026-01-01T00:00:00Z"),
        running("y", "b", 5, "2", since="2026-01-02T00:00:00Z"),
    ]
    assert evicted(incoming(), *nodes("a", "b"), *younger) == {"b": ["y"]}
    equal = [running("x", "a", 5, "2"), running("y", "b", 5, "2")]
    assert evicted(incoming(), *nodes("a", "b"), *equal) == {"a": ["x"], "b": ["y"]}


def test_placing_says_who_left() -> None:
    """A placement that preempts tells who left for whom, and what it lost of its own."""
    simulation = cluster(*nodes("a"), running("x", "a", 1, "2"))
    urgent = Pod.from_resource(incoming(cpu="2"))
    assert simulation.place([urgent], 0).unschedulable
    placement = simulation.place([urgent], 0, preempting=True)
    assert placement.bound == {"shop/urgent": "a"}
    assert placement.evicted == {"shop/x": "shop/urgent"}


def test_what_is_tried_is_undone() -> None:
    """Asking for victims leaves every pod where it was."""
    simulation = cluster(*nodes("a"), running("x", "a", 1, "2"))
    urgent = Pod.from_resource(incoming())
    assert simulation.victims(urgent) == simulation.victims(urgent) != ()
    assert simulation.feasible(urgent).nodes == ()


def test_samples_begin_where_the_last_one_ended() -> None:
    """Of 200 nodes 100 are looked for (48 % would be 96); the next search goes on from there."""
    names = [f"n{number:03}" for number in range(200)]
    there = [node(name, room={"cpu": "1"}) for name in names]
    web = pods_of(workload("Deployment", "web", own={"replicas": 2}, requests={"cpu": "1"}))
    first, second = cluster(*there).place(web, 0, sampled=True).bound.values()
    assert first in names[:100]
    assert second in names[100:]
