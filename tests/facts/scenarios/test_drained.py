"""A drain of a node: who is blocked, who is down, who finds no node."""

from __future__ import annotations

from auditor.facts.controllers.case import Behaviour
from auditor.facts.scenarios.drained import drained
from tests.facts.placement.world import HOST, affinity, near, node, thing
from tests.facts.scenarios.world import (
    apps,
    bare,
    budget,
    cluster,
    effect,
    numbers,
    running,
    service,
)

NODES = (node("a"), node("b"), node("c"))
APART = affinity("podAntiAffinity", near(HOST, app="web"))


def test_a_budget_that_allows_nothing_blocks_the_drain_and_is_named() -> None:
    found = cluster(*NODES, *running(apps("web", 2), "a", "b"), budget("web", minAvailable=2))
    outcome = drained(found, "a")
    assert (outcome.result, outcome.words) == ("blocked", "a cannot be drained")
    (reason,) = outcome.blocked_on
    assert reason.startswith("shop/web-*: PodDisruptionBudget shop/web (minAvailable 2)")
    assert numbers(outcome, "web") == (2, 2, 2)
    assert outcome.harmful


def test_a_budget_of_another_namespace_blocks_nobody() -> None:
    """Selectors are those of one namespace."""
    other = budget("web", namespace="elsewhere", minAvailable=2)
    outcome = drained(cluster(*NODES, *running(apps("web", 2), "a", "b"), other), "a")
    assert outcome.result == "completed"


def test_two_budgets_on_one_pod_let_none_be_evicted() -> None:
    live = running(apps("web", 2), "a", "b")
    budgets = budget("one", "web", minAvailable=0), budget("two", "web", minAvailable=0)
    outcome = drained(cluster(*NODES, *live, *budgets), "a")
    assert outcome.result == "blocked"
    assert "two budgets speak of it (shop/one and shop/two)" in outcome.blocked_on[0]


def test_pods_that_share_the_node_go_together_and_their_service_is_silent() -> None:
    live = running(apps("web", 2), "a", "a")
    outcome = drained(cluster(*NODES, *live, service("web")), "a")
    assert numbers(outcome, "web") == (2, 0, 2)
    (silent,) = outcome.silent
    assert (silent.service.ref.name, silent.for_good) == ("web", False)
    assert outcome.harmful


def test_pods_on_two_nodes_leave_an_endpoint() -> None:
    live = running(apps("web", 2), "a", "b")
    outcome = drained(cluster(*NODES, *live, service("web")), "a")
    assert numbers(outcome, "web") == (2, 1, 2)
    assert not outcome.silent
    assert not outcome.harmful


def test_a_pod_that_fits_nowhere_else_waits_and_says_why() -> None:
    live = running(apps("web", 3, affinity=APART), "a", "b", "c")
    outcome = drained(cluster(*NODES, *live), "a")
    assert numbers(outcome, "web") == (3, 2, 2)
    ((count, why),) = effect(outcome, "web").waiting
    assert count == 1
    assert "a is cordoned" in why
    assert "b, c holds pods that this one must be away from" in why


def test_the_room_that_others_take_counts() -> None:
    """On an empty node the pod would fit."""
    half = {"cpu": "2500m"}
    others = running(apps("db", 1, "StatefulSet", requests=half), "b")
    live = running(apps("web", 1, requests=half), "a")
    assert numbers(drained(cluster(node("a"), node("b"), *live), "a"), "web") == (1, 0, 1)
    outcome = drained(cluster(node("a"), node("b"), *live, *others), "a")
    assert numbers(outcome, "web") == (1, 0, 0)


def test_flags_that_kubectl_asks_for_are_worked_out() -> None:
    agent = running(apps("agent", 1, "DaemonSet"), "a", "b", "c")
    scratch = apps("web", 1, volumes=[{"name": "tmp", "emptyDir": {}}])
    found = cluster(*NODES, *agent, *running(scratch, "a"), bare("debug", "a"))
    outcome = drained(found, "a")
    assert outcome.flags == ("--ignore-daemonsets", "--delete-emptydir-data", "--force")
    assert effect(outcome, "debug").notes == ("nothing makes this pod again",)
    assert numbers(outcome, "debug") == (1, 0, 0)
    assert all(each.group.ref.name != "agent" for each in outcome.effects)


def test_pods_that_do_not_get_ready_stop_the_next_eviction() -> None:
    live = running(apps("web", 3), "a", "a", "b")
    found = cluster(*NODES, *live, budget("web", maxUnavailable=1))
    assert drained(found, "a").result == "completed"
    outcome = drained(found, "a", Behaviour(ready="never"))
    assert outcome.result == "blocked"
    assert numbers(outcome, "web") == (3, 2, 2)


def test_volumes_that_may_be_stuck_are_named_as_not_provable() -> None:
    claims = [{"metadata": {"name": "data"}, "spec": {"storageClassName": "ssd"}}]
    claim = [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    live = running(
        apps("db", 1, "StatefulSet", own={"volumeClaimTemplates": claims}, volumes=claim), "a"
    )
    outcome = drained(cluster(*NODES, *live), "a")
    assert any("where the volumes of shop/db can be mounted" in each for each in outcome.doubts)
    everywhere = (
        thing("PersistentVolumeClaim", "data-db-0", "shop", spec={"volumeName": "nfs"}),
        thing("PersistentVolume", "nfs", spec={"accessModes": ["ReadWriteMany"]}),
    )
    assert not drained(cluster(*NODES, *live, *everywhere), "a").doubts


def test_without_running_pods_those_of_the_simulation_are_drained() -> None:
    found = cluster(node("a"), apps("web", 2), service("web"))
    assert not found.live
    outcome = drained(found, "a")
    assert numbers(outcome, "web") == (2, 0, 0)
    assert outcome.silent[0].for_good


def test_pods_of_a_job_are_no_outage() -> None:
    job = thing("Job", "once", "shop", spec={"template": {"metadata": {}, "spec": {}}})
    found = cluster(node("a"), job)
    outcome = drained(found, "a")
    assert not outcome.harmful
    assert outcome.doubts == ("what becomes of Job shop/once once its pod is evicted",)
