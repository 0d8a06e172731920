"""Pods that must be near others, or away from them."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.placement import Pod
from tests.facts.placement.world import (
    HOST,
    RACK,
    affinity,
    cluster,
    fits,
    near,
    node,
    pod,
    pods,
    workload,
)

RACKS = (
    node("a1", {RACK: "a"}),
    node("a2", {RACK: "a"}),
    node("b1", {RACK: "b"}),
    node("nowhere"),
)


def test_a_client_goes_into_the_rack_of_its_database() -> None:
    """Only nodes of a rack that holds the database can take it."""
    simulation = cluster(*RACKS, pod("db", on="a1"))
    assert fits(simulation, pod("web", affinity=affinity("podAffinity", near(RACK, app="db")))) == [
        "a1",
        "a2",
    ]


def test_a_must_that_nobody_meets_leaves_no_node() -> None:
    """The first pod is excused only where it means itself."""
    wanted = affinity("podAffinity", near(RACK, app="db"))
    assert fits(cluster(*RACKS), pod("web", affinity=wanted)) == []
    assert fits(cluster(*RACKS), pod("db", affinity=wanted)) == ["a1", "a2", "b1"]


def test_a_pod_waits_for_the_one_that_it_must_be_near_to() -> None:
    """The order in which two workloads are read does not matter."""
    web = pods(
        workload("Deployment", "web", affinity=affinity("podAffinity", near(RACK, app="db")))
    )
    db = pods(workload("Deployment", "db", nodeSelector={RACK: "b"}))
    placement = cluster(*RACKS).place((*web, *db), seed=0)
    assert placement.bound == {"shop/web-0": "b1", "shop/db-0": "b1"}
    assert placement.unschedulable == {}


def test_two_terms_must_be_met_by_the_same_pod() -> None:
    """One pod with each label does not do for a pod that wants both labels at once."""
    both = affinity("podAffinity", near(RACK, app="db"), near(RACK, tier="back"))
    apart = (pod("x", on="a1", labels={"app": "db"}), pod("y", on="a2", labels={"tier": "back"}))
    together = pod("z", on="b1", labels={"app": "db", "tier": "back"})
    assert fits(cluster(*RACKS, *apart), pod("web", affinity=both)) == []
    assert fits(cluster(*RACKS, *apart, together), pod("web", affinity=both)) == ["b1"]


def test_anti_affinity_needs_a_node_each() -> None:
    """Four replicas that must not share a node find three nodes: one stays pending."""
    nodes = [node(name) for name in "abc"]
    rule = affinity("podAntiAffinity", near(HOST, app="web"))
    made = pods(workload("Deployment", "web", own={"replicas": 4}, affinity=rule))
    placement = cluster(*nodes).place(made, seed=1)
    assert sorted(placement.bound.values()) == ["a", "b", "c"]
    assert "must be away from" in placement.unschedulable["shop/web-3"]


def test_a_placed_pod_keeps_others_away() -> None:
    """Anti-affinity of a pod that is there counts for one that has none itself."""
    alone = pod("old", on="a1", affinity=affinity("podAntiAffinity", near(RACK, app="web")))
    assert fits(cluster(*RACKS, alone), pod("web")) == ["b1", "nowhere"]


def test_a_pod_that_is_being_deleted_still_counts() -> None:
    """It holds its place until it is gone."""
    going = pod("db", on="a1", metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"})
    rule = affinity("podAntiAffinity", near(HOST, app="db"))
    assert fits(cluster(node("a1"), going), pod("web", affinity=rule)) == []


@pytest.mark.parametrize(
    ("where", "found"),
    [
        pytest.param({}, False, id="unsaid: only the own namespace"),
        pytest.param({"namespaces": ["data"]}, True, id="by name"),
        pytest.param({"namespaceSelector": {}}, True, id="all namespaces"),
        pytest.param({"namespaceSelector": {"matchLabels": {"kind": "db"}}}, True, id="by label"),
        pytest.param({"namespaceSelector": {"matchLabels": {"kind": "x"}}}, False, id="no label"),
    ],
)
def test_a_term_means_the_namespaces_that_it_says(where: dict[str, Any], found: bool) -> None:
    """The database is in namespace data, which has the label kind=db."""
    spaces: dict[str, dict[str, str]] = {"shop": {}, "data": {"kind": "db"}}
    simulation = cluster(node("a"), pod("db", on="a", namespace="data"), namespaces=spaces)
    term = near(HOST, app="db") | where
    wanted = pod("web", affinity=affinity("podAffinity", term))
    assert fits(simulation, wanted) == (["a"] if found else [])
    assert not simulation.unsupported


def test_a_namespace_that_is_not_declared_makes_the_answer_unproven() -> None:
    """Its labels may be what the rule asks for."""
    simulation = cluster(node("a"), pod("db", on="a", namespace="data"))
    term = near(HOST, app="db") | {"namespaceSelector": {"matchLabels": {"kind": "db"}}}
    fits(simulation, pod("web", affinity=affinity("podAntiAffinity", term)))
    assert simulation.unsupported == ("the labels of namespace data are not given",)


def test_revisions_keep_apart_by_match_label_keys() -> None:
    """A rule for pods of the own revision does not see those of the last one."""
    term = near(HOST, app="web") | {"matchLabelKeys": ["pod-template-hash"]}
    old = pod("web-0", on="a", labels={"app": "web", "pod-template-hash": "old"})
    made = pods(workload("Deployment", "web", affinity=affinity("podAntiAffinity", term)))
    assert cluster(node("a"), old).feasible(made[0]).nodes == ("a",)


def test_other_tenants_are_kept_away_by_mismatch_label_keys() -> None:
    """The rule means pods with another value of the label than the pod's own."""
    term = {
        "topologyKey": HOST,
        "labelSelector": {"matchExpressions": [{"key": "tenant", "operator": "Exists"}]},
        "mismatchLabelKeys": ["tenant"],
    }
    theirs = pod("x", on="theirs", labels={"tenant": "y"})
    ours = pod("z", on="ours", labels={"tenant": "me"})
    simulation = cluster(node("theirs"), node("ours"), theirs, ours)
    rule = affinity("podAntiAffinity", term)
    assert fits(simulation, pod("web", labels={"tenant": "me"}, affinity=rule)) == ["ours"]


def test_a_wish_decides_between_equal_nodes() -> None:
    """A preferred affinity of the pod, or of one that is placed, makes the difference."""
    wish = {
        "podAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 50, "podAffinityTerm": near(RACK, app="db")}
            ]
        }
    }
    mine = cluster(*RACKS, pod("db", on="a1", requests={"cpu": "0"}))
    assert _best(mine, pod("web", affinity=wish)) == {"a2"}
    theirs = cluster(*RACKS, pod("web", on="a1", affinity=wish))
    assert _best(theirs, pod("db")) == {"a2"}


def _best(simulation: Any, found: Any) -> set[str]:
    totals = simulation.scores(Pod.from_resource(found))
    return {name for name, total in totals.items() if total == max(totals.values())}
