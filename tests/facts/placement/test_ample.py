"""Where there is plenty, a replay leaves nobody without a node; nothing else is called plenty."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from auditor.facts.placement import Pod, Simulation
from auditor.facts.placement.ample import Plenty
from auditor.model import Resource
from tests.facts.placement.world import (
    HOST,
    ZONE,
    affinity,
    cluster,
    evenly,
    near,
    node,
    pod,
    pods,
    workload,
)

NODES = (node("a"), node("b"), node("c"))


def displaced(**rest: Any) -> tuple[Pod, ...]:
    """Four replicas that stood on node a."""
    made = workload("Deployment", "web", own={"replicas": 4}, **{"requests": {"cpu": "1"}, **rest})
    return pods(made)


def is_plenty(simulation: Simulation, moved: Sequence[Pod], lost: str = "a") -> bool:
    """Whether all find a node that is not the lost one."""
    nodes = simulation.occupancy.nodes
    return Plenty(simulation).holds(moved, [each.name == lost for each in nodes])


def test_two_free_nodes_are_plenty_for_what_one_held() -> None:
    """Eight CPU are free, and four are asked for."""
    assert is_plenty(cluster(*NODES), displaced())


def test_where_one_is_left_out_there_is_no_plenty() -> None:
    """Two pods of 3 CPU find a node of 4 each, a third does not, though 12 CPU are free in all."""
    large = displaced(requests={"cpu": "3"})
    simulation = cluster(*NODES)
    assert len(simulation.place(large, 0).unschedulable) == 1
    assert not is_plenty(simulation, large, "none")


def test_what_stands_on_the_nodes_that_are_left_counts() -> None:
    """Both are full."""
    full = [pod(f"old-{name}", on=name, requests={"cpu": "4"}) for name in "bc"]
    assert not is_plenty(cluster(*NODES, *full), displaced())


def test_a_node_takes_no_more_pods_than_it_says() -> None:
    """CPU is there, and places for two pods alone."""
    narrow = (node("a"), node("b", room={"pods": "2"}))
    assert not is_plenty(cluster(*narrow), displaced(requests={"cpu": "10m"}))


@pytest.mark.parametrize(
    "rule",
    [
        {"nodeSelector": {HOST: "a"}},
        {"topologySpreadConstraints": [evenly(HOST)]},
        {"affinity": affinity("podAntiAffinity", near(HOST, app="web"))},
        {"affinity": affinity("podAffinity", near(HOST, app="database"))},
        {"ports": [{"containerPort": 80, "hostPort": 80}]},
        {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]},
        {"schedulingGates": [{"name": "example.com/wait"}]},
    ],
    ids=lambda rule: next(iter(rule)),
)
def test_rules_are_not_a_matter_of_room(rule: dict[str, Any]) -> None:
    """Room is enough for them, which says nothing."""
    assert not is_plenty(cluster(*NODES), displaced(**rule))


def test_others_may_keep_them_away() -> None:
    """A pod on each of the other nodes wants none of them near."""
    hostile: list[Resource] = [
        pod(f"lone-{name}", on=name, affinity=affinity("podAntiAffinity", near(HOST, app="web")))
        for name in "bc"
    ]
    simulation = cluster(*NODES, *hostile)
    assert not is_plenty(simulation, displaced())
    assert len(simulation.after_loss({"a"}).place(displaced(), 0).unschedulable) == 4


def test_plenty_is_never_told_where_any_order_leaves_one_out() -> None:
    """Random clusters, each replayed in an order of its own: told often, and never wrong."""
    told = 0
    for seed in range(300):
        chance = random.Random(seed)  # noqa: S311 a cluster, not a secret
        nodes = [node(f"n{n}", room=_room(chance)) for n in range(chance.randint(2, 8))]
        moved = [
            made
            for n in range(chance.randint(1, 4))
            for made in pods(
                workload(
                    "Deployment",
                    f"app{n}",
                    own={"replicas": chance.randint(1, 4)},
                    requests=_asked(chance),
                )
            )
        ]
        chance.shuffle(moved)
        if is_plenty(cluster(*nodes), moved, "n0"):
            told += 1
            assert not cluster(*nodes).after_loss({"n0"}).place(moved, seed).unschedulable
    assert told > 30


def _room(chance: random.Random) -> dict[str, str]:
    return {"cpu": f"{chance.randint(1, 9)}", "pods": f"{chance.randint(1, 9)}"}


def _asked(chance: random.Random) -> dict[str, str]:
    return {"cpu": f"{chance.randint(1, 20)}00m", "memory": f"{chance.randint(1, 30)}00Mi"}


def test_after_a_loss_only_what_stood_elsewhere_is_there() -> None:
    """The node is shunned, its pods are gone, and the cluster itself is as it was."""
    zone = {ZONE: "one"}
    there = [pod(f"old-{name}", on=name, requests={"cpu": "4"}) for name in "ab"]
    simulation = cluster(node("a", zone), node("b", zone), node("c", zone), *there)
    after = simulation.after_loss({"a"})
    new = Pod.from_resource(pod("new", requests={"cpu": "1"}))
    assert after.feasible(new).nodes == ("c",)
    assert "unreachable" in after.feasible(new).refused["a"]
    assert not after.occupancy.on(0)
    assert simulation.feasible(new).refused["a"] == "has too little CPU left"


def test_equal_answers_are_one_list_of_names() -> None:
    """So that what is asked about the nodes is asked once."""
    simulation = cluster(*NODES)
    one, other = (Pod.from_resource(pod(name)) for name in ("one", "other"))
    assert simulation.takers(one) is simulation.takers(other)
    assert simulation.takers(one) == simulation.feasible(one).nodes == ("a", "b", "c")
