"""The pods that a workload would make."""

from __future__ import annotations

from typing import Any

import pytest

from tests.facts.placement.world import cluster, node, pod, pods, resource, workload


@pytest.mark.parametrize(
    ("kind", "own", "count"),
    [
        pytest.param("Deployment", {}, 1, id="one where it does not say"),
        pytest.param("Deployment", {"replicas": 3}, 3, id="replicas"),
        pytest.param("Deployment", {"replicas": 0}, 0, id="scaled to zero"),
        pytest.param("StatefulSet", {"replicas": 2}, 2, id="a stateful set"),
        pytest.param("Job", {"parallelism": 4}, 4, id="a job runs several at once"),
        pytest.param("Job", {"parallelism": 4, "completions": 2}, 2, id="never more than needed"),
        pytest.param("Job", {"suspend": True}, 0, id="a suspended job"),
    ],
)
def test_a_workload_makes_as_many_pods_as_it_says(
    kind: str, own: dict[str, Any], count: int
) -> None:
    """Names count up from zero."""
    names = [made.name for made in pods(workload(kind, "web", own=own))]
    assert names == [f"web-{number}" for number in range(count)]


def test_a_pod_is_itself_until_it_has_ended() -> None:
    """A finished pod is not made again."""
    assert [made.id for made in pods(pod("web"))] == ["shop/web"]
    assert pods(pod("web", status={"phase": "Failed"})) == ()


def test_a_live_pod_looks_for_a_node_anew() -> None:
    """Whatever is changed in its specification takes effect on a new pod only."""
    manifest = pod("web", on="a").manifest
    assert [made.node for made in pods(resource(manifest, live=True))] == [""]
    assert [made.node for made in pods(resource(manifest))] == ["a"]


def test_a_daemon_set_has_a_pod_on_every_node_that_admits_it() -> None:
    """Also on a cordoned node, and not on one whose taint it does not tolerate."""
    taint = {"key": "dedicated", "effect": "NoSchedule"}
    simulation = cluster(node("a"), node("b", unschedulable=True), node("c", taints=[taint]))
    placement = simulation.place(pods(workload("DaemonSet", "agent")), seed=0)
    assert placement.bound == {"shop/agent-a": "a", "shop/agent-b": "b"}
    assert placement.unschedulable == {}


def test_a_daemon_set_misses_a_node_that_is_full() -> None:
    """The reason is that of the one node in question."""
    simulation = cluster(node("a", room={"pods": "0"}), node("b"))
    placement = simulation.place(pods(workload("DaemonSet", "agent")), seed=0)
    assert placement.unschedulable == {"shop/agent-a": "node a takes no more than 0 pods"}


def test_an_absurd_number_of_replicas_is_not_made() -> None:
    """The answer is then not proven."""
    made = pods(workload("Deployment", "web", own={"replicas": 10**9}))
    simulation = cluster(node("a"))
    simulation.feasible(made[0])
    assert len(made) == 5000
    assert "only the first 5000" in simulation.unsupported[0]
