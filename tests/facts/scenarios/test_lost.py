"""The loss of nodes: what serves meanwhile, and what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.controllers.case import Behaviour
from auditor.facts.scenarios.cluster import Cluster
from auditor.facts.scenarios.lost import Loss, lost
from auditor.facts.scenarios.outcome import Outcome
from tests.facts.placement.world import RACK, ZONE, affinity, evenly, near, node
from tests.facts.scenarios.world import (
    apps,
    bare,
    cluster,
    effect,
    numbers,
    running,
    service,
)

NODES = tuple(node(name, {ZONE: name[0], RACK: f"r{name[0]}"}) for name in ("x1", "x2", "y1", "y2"))


def lose(found: Cluster, *nodes: str, deleted: bool = False, **more: Any) -> Outcome:
    return lost(found, Loss("nodes", frozenset(nodes), deleted), Behaviour(**more))


def test_a_deployment_comes_back_elsewhere_after_its_tolerations() -> None:
    found = cluster(*NODES, *running(apps("web", 2), "x1", "x2"), service("web"))
    outcome = lose(found, "x1", "x2")
    assert numbers(outcome, "web") == (2, 0, 2)
    assert outcome.result == "recovers"
    assert outcome.extra["evictedAfterSeconds"] == 300
    assert [(s.service.ref.name, s.for_good) for s in outcome.silent] == [("web", False)]


def test_tolerations_of_its_own_decide_when() -> None:
    key = "node.kubernetes.io/unreachable"
    quick = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 20}
    found = cluster(*NODES, *running(apps("web", 1, tolerations=[quick]), "x1"))
    assert lose(found, "x1").extra["evictedAfterSeconds"] == 20
    forever = [{"operator": "Exists"}]
    found = cluster(*NODES, *running(apps("web", 1, tolerations=forever), "x1"))
    outcome = lose(found, "x1")
    assert numbers(outcome, "web") == (1, 0, 0)
    assert "its pods tolerate the loss for ever" in effect(outcome, "web").notes[0]


def test_a_stateful_set_comes_back_only_where_the_node_is_deleted() -> None:
    """Nobody confirms the end of its pod, and there may not be two of one name."""
    found = cluster(*NODES, *running(apps("db", 1, "StatefulSet"), "x1"))
    outcome = lose(found, "x1")
    assert numbers(outcome, "db") == (1, 0, 0)
    assert "out-of-service" in effect(outcome, "db").notes[0]
    assert numbers(lose(found, "x1", deleted=True), "db") == (1, 0, 1)


def test_bare_pods_and_daemons_do_not_come_back() -> None:
    agent = running(apps("agent", 1, "DaemonSet"), "x1", "y1")
    found = cluster(*NODES, *agent, bare("debug", "x1"))
    outcome = lose(found, "x1", deleted=True)
    assert effect(outcome, "debug").notes == ("nothing makes this pod again",)
    assert numbers(outcome, "agent") == (2, 1, 1)


def test_what_is_tied_to_the_lost_rack_waits_and_says_why() -> None:
    found = cluster(*NODES, *running(apps("web", 1, nodeSelector={RACK: "rx"}), "x1"))
    outcome = lose(found, "x1", "x2")
    ((count, why),) = effect(outcome, "web").waiting
    assert count == 1
    assert "y1, y2 is not among the nodes that the pod selects" in why
    assert outcome.result == "does-not-recover"


@pytest.mark.parametrize(("policy", "after"), [("Ignore", 2), ("Honor", 3)])
def test_a_lost_zone_still_counts_for_a_hard_spread_unless_taints_are_honoured(
    policy: str, after: int
) -> None:
    """KEP-3094: a zone whose nodes have a taint is an empty domain that nothing can fill."""
    nodes = [node(zone, {ZONE: zone}) for zone in ("a", "b", "c")]
    rule = evenly(ZONE, nodeTaintsPolicy=policy)
    live = running(apps("web", 3, topologySpreadConstraints=[rule]), "a", "b", "c")
    assert numbers(lose(cluster(*nodes, *live), "c"), "web") == (3, 2, after)


def test_evicted_pods_that_nobody_confirms_keep_others_away() -> None:
    """Pods that are being deleted still count for anti-affinity."""
    apart = affinity("podAntiAffinity", near(ZONE, app="web"))
    live = running(apps("web", 2, affinity=apart), "x1", "y1")
    found = cluster(*NODES, *live)
    assert numbers(lose(found, "x1"), "web") == (2, 1, 1)
    assert numbers(lose(found, "x1", deleted=True), "web") == (2, 1, 2)


def test_where_most_of_a_zone_is_lost_nobody_is_evicted() -> None:
    """ComputeZoneState: more than two nodes, and 55 % of a small zone, but not all of it."""
    nodes = [node(f"n{number}", {ZONE: "z"}) for number in range(5)]
    found = cluster(*nodes, *running(apps("web", 2), "n0", "n4"))
    outcome = lose(found, "n0", "n1", "n2")
    assert "3 of 5 nodes of zone z are lost at once" in outcome.words
    assert numbers(outcome, "web") == (2, 1, 1)
    assert numbers(lose(found, "n0", "n1"), "web") == (2, 1, 2)
    assert numbers(lose(found, "n0", "n1", "n2", deleted=True), "web") == (2, 1, 2)


def test_a_zone_that_is_lost_as_a_whole_is_evicted() -> None:
    nodes = [node(f"n{number}", {ZONE: "z" if number < 4 else "other"}) for number in range(5)]
    found = cluster(*nodes, *running(apps("web", 1), "n0"))
    assert numbers(lose(found, "n0", "n1", "n2", "n3"), "web") == (1, 0, 1)


def test_where_all_nodes_are_lost_the_controller_waits() -> None:
    found = cluster(*NODES, *running(apps("web", 1), "x1"))
    outcome = lose(found, "x1", "x2", "y1", "y2")
    assert "no node is left" in outcome.words
    assert numbers(outcome, "web") == (1, 0, 0)


def test_new_pods_that_never_get_ready_do_not_serve() -> None:
    found = cluster(*NODES, *running(apps("web", 1), "x1"))
    assert numbers(lose(found, "x1", ready="crash"), "web") == (1, 0, 0)
