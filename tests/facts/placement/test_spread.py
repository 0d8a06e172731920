"""Pods that are to be spread evenly."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.placement import Pod
from tests.facts.placement.world import (
    HOST,
    ZONE,
    cluster,
    evenly,
    fits,
    node,
    pod,
    pods,
    workload,
)

ZONES = tuple(node(name, {ZONE: f"z{name}"}) for name in "abc")


def web(name: str, on: str = "", **rest: Any) -> Any:
    return pod(name, on=on, labels={"app": "web"}, **rest)


def new(*rules: dict[str, Any], **rest: Any) -> Any:
    return web("new", topologySpreadConstraints=list(rules), **rest)


def test_a_zone_that_is_ahead_takes_no_more() -> None:
    """With one pod in zone a and none elsewhere, the next one goes elsewhere."""
    assert fits(cluster(*ZONES, web("old", on="a")), new(evenly(ZONE))) == ["b", "c"]


def test_a_node_without_the_label_takes_no_pod_that_is_spread() -> None:
    """It belongs to no domain."""
    assert fits(cluster(*ZONES, node("d")), new(evenly(ZONE))) == ["a", "b", "c"]


def test_a_pod_that_is_being_deleted_does_not_count() -> None:
    """Its replacement may go where it was."""
    going = web("old", on="a", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    assert fits(cluster(*ZONES, going), new(evenly(ZONE))) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("rule", "nodes"),
    [
        pytest.param(evenly(ZONE), [], id="Ignore: the lost zone stays empty and blocks"),
        pytest.param(evenly(ZONE, nodeTaintsPolicy="Honor"), ["a", "b"], id="Honor: it is out"),
        pytest.param(
            evenly(ZONE, nodeTaintsPolicy="Honor", minDomains=3), [], id="Honor, but three wanted"
        ),
    ],
)
def test_a_lost_zone_blocks_unless_taints_are_honored(
    rule: dict[str, Any], nodes: list[str]
) -> None:
    """One pod in each zone that is left, and a third zone that is tainted."""
    lost = node("c", {ZONE: "zc"}, taints=[{"key": "lost", "effect": "NoSchedule"}])
    simulation = cluster(*ZONES[:2], lost, web("x", on="a"), web("y", on="b"))
    assert fits(simulation, new(rule)) == nodes


@pytest.mark.parametrize(("policy", "nodes"), [("Honor", ["a"]), ("Ignore", [])])
def test_zones_that_the_pod_does_not_select_count_only_if_ignored(
    policy: str, nodes: list[str]
) -> None:
    """A pod bound to zone a is not held back by empty zones that it could not use."""
    rule = evenly(ZONE, nodeAffinityPolicy=policy)
    simulation = cluster(*ZONES, web("old", on="a"))
    assert fits(simulation, new(rule, nodeSelector={ZONE: "za"})) == nodes


def test_a_rollout_counts_only_its_own_revision() -> None:
    """With matchLabelKeys, the pods of the last revision do not push the new ones aside."""
    old = pod("old", on="a", labels={"app": "web", "pod-template-hash": "old"})
    rule = evenly(ZONE, matchLabelKeys=["pod-template-hash"])
    made = pods(workload("Deployment", "web", topologySpreadConstraints=[rule]))
    assert cluster(*ZONES, old).feasible(made[0]).nodes == ("a", "b", "c")


@pytest.mark.parametrize("selector", [{}, None])
def test_a_constraint_that_selects_nothing_in_particular_has_no_effect(selector: Any) -> None:
    """Neither an empty selector nor a missing one counts any pod."""
    rule = evenly(ZONE, labelSelector=selector)
    simulation = cluster(*ZONES, web("x", on="a"), web("y", on="a"))
    assert fits(simulation, new(rule)) == ["a", "b", "c"]


def test_replicas_end_up_even() -> None:
    """Six replicas over three zones: two in each, whatever the seed."""
    made = pods(
        workload("Deployment", "web", own={"replicas": 6}, topologySpreadConstraints=[evenly(ZONE)])
    )
    for seed in range(5):
        bound = cluster(*ZONES).place(made, seed).bound
        assert sorted(bound.values()) == ["a", "a", "b", "b", "c", "c"]


def test_a_wish_to_spread_is_followed_where_it_can_be() -> None:
    """A soft constraint prefers the emptier zone and refuses none."""
    rule = evenly(ZONE, whenUnsatisfiable="ScheduleAnyway")
    simulation = cluster(*ZONES, web("x", on="a"), web("y", on="b"))
    assert fits(simulation, new(rule)) == ["a", "b", "c"]
    points = simulation.weighted(Pod.from_resource(new(rule)))
    spread = {name: each["PodTopologySpread"] for name, each in points.items()}
    assert spread["c"] > spread["a"] == spread["b"]


def test_one_node_each_is_a_spread_over_hostnames() -> None:
    """The hostname is a domain like any other."""
    assert fits(cluster(*ZONES, web("x", on="b")), new(evenly(HOST))) == ["a", "c"]
