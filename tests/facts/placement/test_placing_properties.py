"""What holds of the simulated scheduler whatever the cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.placement import Pod, Simulation
from auditor.model import Resource

from .world import HOST, ZONE, affinity, cluster, evenly, near, node, pod, pods, thing, workload

IN_A = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["a"]}]}
ZONAL = (
    thing(
        "PersistentVolume",
        "disk",
        spec={"nodeAffinity": {"required": {"nodeSelectorTerms": [IN_A]}}},
    ),
    thing("PersistentVolumeClaim", "v", "shop", spec={"volumeName": "disk"}),
)
"""A claim whose volume is in zone a."""
TAINTS = [[], [{"key": "pool", "value": "gpu", "effect": "NoSchedule"}]]


@st.composite
def nodes(draw: st.DrawFn, least: int = 1) -> list[dict[str, Any]]:
    """What tells a few nodes apart, without their names."""
    one = st.fixed_dictionaries(
        {
            "zone": st.sampled_from(["a", "b", "c"]),
            "cpu": st.integers(1, 6),
            "taints": st.sampled_from(TAINTS),
        }
    )
    return draw(st.lists(one, min_size=least, max_size=6))


def made(found: list[dict[str, Any]], names: list[str]) -> list[Resource]:
    return [
        node(name, {ZONE: n["zone"]}, taints=n["taints"], room={"cpu": str(n["cpu"])})
        for n, name in zip(found, names, strict=True)
    ]


def names_of(found: list[dict[str, Any]], prefix: str = "n") -> list[str]:
    return [f"{prefix}{number}" for number in range(len(found))]


CHOOSING: list[dict[str, Any]] = [
    {},
    {"nodeSelector": {ZONE: "a"}},
    {"tolerations": [{"key": "pool", "operator": "Exists"}]},
    {"ports": [{"containerPort": 80, "hostPort": 80}]},
]
choosing = st.sampled_from(CHOOSING)
ruled = st.sampled_from(
    [
        {"topologySpreadConstraints": [evenly(ZONE)]},
        {"topologySpreadConstraints": [evenly(HOST, maxSkew=2)]},
        {"affinity": affinity("podAntiAffinity", near(HOST, app="web"))},
        {"affinity": affinity("podAffinity", near(ZONE, app="web"))},
    ]
)


def web(fields: dict[str, Any], number: int, cpu: str = "1") -> list[Pod]:
    own = {"replicas": number}
    found = workload("Deployment", "web", own=own, requests={"cpu": cpu}, **fields)
    return list(pods(found))


def running(found: list[dict[str, Any]], names: list[str]) -> list[Resource]:
    """A pod on every other node."""
    labels = {"app": "web"}
    return [
        pod(f"p-{number}", name, labels=labels, requests={"cpu": "1"})
        for number, name in enumerate(names[::2])
    ]


MONOTONE: list[dict[str, Any]] = [
    *CHOOSING,
    {"affinity": affinity("podAntiAffinity", near(HOST, app="web"))},
    {"affinity": affinity("podAntiAffinity", near(ZONE, app="web"))},
    {"affinity": affinity("podAffinity", near(ZONE, app="web"))},
    {"volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}]},
]
"""Rules of which a node that is empty takes nothing away."""


@pytest.mark.parametrize("fields", MONOTONE, ids=lambda fields: "".join(fields) or "room")
@given(nodes(), nodes())
@settings(max_examples=40, deadline=None)
def test_another_node_takes_none_away(
    fields: dict[str, Any], found: list[dict[str, Any]], more: list[dict[str, Any]]
) -> None:
    """Of all filters but that of spreading, an empty node that is added changes nothing for others:
    none that took the pod refuses it.
    """
    names = names_of(found)
    there = [*made(found, names), *running(found, names), *ZONAL]
    (asking, *_) = web(fields, 1)
    before = cluster(*there).feasible(asking).nodes
    after = cluster(*there, *made(more, names_of(more, "m"))).feasible(asking).nodes
    assert set(before) <= set(after)


def test_another_node_may_take_some_away_of_what_is_spread() -> None:
    """So that the property above says something: an empty zone holds back all others."""
    there = [node("n0", {ZONE: "a"}), pod("p", "n0", labels={"app": "web"})]
    (asking, *_) = web({"topologySpreadConstraints": [evenly(ZONE)]}, 1)
    assert cluster(*there).feasible(asking).nodes == ("n0",)
    assert cluster(*there, node("m0", {ZONE: "b"})).feasible(asking).nodes == ("m0",)


@given(nodes(), choosing, st.integers(1, 20), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_replay_reaches_what_a_witness_says(
    found: list[dict[str, Any]], fields: dict[str, Any], number: int, seed: int
) -> None:
    """Of equal pods that nothing but room and node rules bind, as many are placed as there are free
    places, counted here by hand: an assignment exists exactly where the replay finds one.
    """
    names = names_of(found)
    simulation = cluster(*made(found, names), *running(found, names))
    wanted = web(fields, number)
    full = [free(each, fields, taken=index % 2 == 0) for index, each in enumerate(found)]
    placed = simulation.place(wanted, seed).bound
    assert len(placed) == min(number, sum(full))
    if "ports" not in fields:
        fresh = cluster(*made(found, names), *running(found, names))
        assert fresh.places(wanted[0]) == sum(full)


def free(one: dict[str, Any], fields: dict[str, Any], *, taken: bool) -> int:
    """How many pods of one CPU a node takes: by its CPU, its zone, its taint, and a port."""
    if fields.get("nodeSelector", {}).get(ZONE, one["zone"]) != one["zone"]:
        return 0
    if one["taints"] and "tolerations" not in fields:
        return 0
    left = int(one["cpu"]) - taken
    return min(left, 1) if "ports" in fields else left


@given(nodes(2), st.one_of(choosing, ruled), st.integers(1, 8), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_what_a_replay_did_is_a_witness(
    found: list[dict[str, Any]], fields: dict[str, Any], number: int, seed: int
) -> None:
    """Whoever follows it pod by pod finds every rule kept at each turn, and nobody who was left has
    a node at its end.
    """
    names = names_of(found)
    wanted = web(fields, number)
    placement = cluster(*made(found, names), *running(found, names)).place(wanted, seed)
    followed = cluster(*made(found, names), *running(found, names))
    by_name = {each.id: each for each in wanted}
    for name, place in placement.bound.items():
        assert place in followed.feasible(by_name[name]).nodes
        followed.bind(by_name[name], place)
    for name in placement.unschedulable:
        assert followed.feasible(by_name[name]).nodes == ()


@given(nodes(2), st.one_of(choosing, ruled), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_names_and_order_change_nothing(
    found: list[dict[str, Any]], fields: dict[str, Any], chance: Any
) -> None:
    """The same nodes under other names, in another order, have the same scores for a pod."""
    names = names_of(found)
    others = [f"x{name}" for name in chance.sample(names, len(names))]
    renamed = dict(zip(names, others, strict=True))
    (asking, *_) = web(fields, 1)
    one = cluster(*made(found, names), *running(found, names))
    there = [*made(found, others), *running(found, others)]
    chance.shuffle(there)
    other = cluster(*there)
    scores = {renamed[name]: score for name, score in one.scores(asking).items()}
    assert scores == other.scores(asking)


@given(nodes(2), st.one_of(choosing, ruled), st.integers(1, 8), st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_what_is_tried_leaves_no_trace(
    found: list[dict[str, Any]], fields: dict[str, Any], number: int, seed: int
) -> None:
    """After a trial every answer is as before, whatever was placed, released or evicted in it."""
    names = names_of(found)
    simulation: Simulation = cluster(*made(found, names), *running(found, names))
    wanted = web(fields, number)
    before = simulation.scores(wanted[0])
    with simulation.trial():
        simulation.place(wanted, seed, preempting=True)
    assert simulation.scores(wanted[0]) == before
