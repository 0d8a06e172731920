"""An update of a workload of the user's own, beside all other pods."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.controllers.case import Behaviour, UnmodelledError
from auditor.facts.scenarios.cluster import Cluster
from auditor.facts.scenarios.outcome import Outcome
from auditor.facts.scenarios.rolled_out import rolled_out
from tests.facts.placement.world import HOST, affinity, near, node, thing
from tests.facts.scenarios.world import apps, cluster, group, numbers, running, service

NODES = (node("a"), node("b"), node("c"))
APART = affinity("podAntiAffinity", near(HOST, app="web"))


def update(found: Cluster, name: str = "web", **behaviour: Any) -> Outcome:
    return rolled_out(found, group(found, name), Behaviour(**behaviour))


def rolling(surge: Any, unavailable: Any) -> dict[str, Any]:
    return {"strategy": {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


@pytest.mark.parametrize(
    ("replicas", "own", "lowest"),
    [
        pytest.param(4, {}, 3, id="a quarter may be away by default"),
        pytest.param(3, {}, 3, id="a quarter of three is none"),
        pytest.param(4, rolling(0, 2), 2, id="two may be away"),
        pytest.param(4, {"strategy": {"type": "Recreate"}}, 0, id="all go first"),
    ],
)
def test_as_many_stay_available_as_the_strategy_says(
    replicas: int, own: dict[str, Any], lowest: int
) -> None:
    found = cluster(*NODES, *running(apps("web", replicas, own=own), *"abca"[:replicas]))
    outcome = update(found)
    assert numbers(outcome, "web") == (replicas, lowest, replicas)
    assert outcome.ends == ("complete",)


def test_one_pod_a_node_and_no_node_to_spare_gets_stuck() -> None:
    live = running(apps("web", 3, affinity=APART), "a", "b", "c")
    outcome = update(cluster(*NODES, *live))
    assert outcome.ends == ("stuck",)
    assert "holds pods that this one must be away from" in outcome.blocked_on[0]
    assert numbers(outcome, "web") == (3, 3, 3)
    assert update(cluster(*NODES, node("d"), *live)).ends == ("complete",)


def test_room_that_others_take_makes_an_update_stuck() -> None:
    most = {"cpu": "3"}
    others = [running(apps(f"db-{n}", 1, "StatefulSet", requests=most), n) for n in "bc"]
    live = running(apps("web", 1, requests=most), "a")
    assert update(cluster(*NODES, *live)).ends == ("complete",)
    crowded = cluster(*NODES, *live, *others[0], *others[1])
    assert update(crowded).ends == ("stuck",)


def test_what_others_use_of_a_quota_counts() -> None:
    quota = thing("ResourceQuota", "most", "shop", spec={"hard": {"pods": "4"}})
    live = running(apps("web", 2), "a", "b")
    assert update(cluster(*NODES, *live, quota)).ends == ("complete",)
    others = running(apps("db", 2, "StatefulSet"), "a", "b")
    outcome = update(cluster(*NODES, *live, *others, quota))
    assert outcome.ends == ("stuck",)
    assert "exceeded quota: pods" in outcome.blocked_on[0]


def test_new_pods_that_crash_leave_the_old_ones() -> None:
    live = running(apps("web", 4), "a", "b", "c", "a")
    outcome = update(cluster(*NODES, *live), ready="crash")
    assert outcome.ends == ("stuck",)
    assert numbers(outcome, "web") == (4, 3, 3)


def test_recreate_silences_the_service_for_a_time() -> None:
    own = {"strategy": {"type": "Recreate"}}
    found = cluster(*NODES, *running(apps("web", 2, own=own), "a", "b"), service("web"))
    outcome = update(found)
    assert [(s.service.ref.name, s.for_good) for s in outcome.silent] == [("web", False)]
    assert outcome.harmful


def test_a_stateful_set_goes_one_by_one_and_a_daemon_set_node_by_node() -> None:
    found = cluster(
        *NODES,
        *running(apps("db", 3, "StatefulSet"), "a", "b", "c"),
        *running(apps("agent", 1, "DaemonSet"), "a", "b", "c"),
    )
    assert numbers(update(found, "db"), "db") == (3, 2, 3)
    assert numbers(update(found, "agent"), "agent") == (3, 2, 3)


def test_nothing_of_a_paused_deployment_moves() -> None:
    live = running(apps("web", 2, own={"paused": True}), "a", "b")
    outcome = update(cluster(*NODES, *live))
    assert outcome.result == "paused"
    assert not outcome.harmful
    assert numbers(outcome, "web") == (2, 2, 2)


def test_what_an_api_server_refuses_is_not_rolled_out() -> None:
    found = cluster(*NODES, apps("web", 2, own=rolling(0, 0)))
    outcome = update(found)
    assert outcome.result == "refused"
    assert "may not be 0 when maxSurge is 0" in outcome.words


def test_a_type_that_no_field_has_is_refused_and_no_fault() -> None:
    found = cluster(*NODES, apps("web", 2, own={"minReadySeconds": "soon"}))
    assert update(found).result == "refused"


def test_more_room_than_pods_can_take_is_looked_at_as_one_node() -> None:
    """Ten replicas on ten nodes that all hold something else: too many states to look at each."""
    nodes = [node(f"n{number}") for number in range(10)]
    others = [
        running(apps(f"o{n}", 1, "StatefulSet", requests={"cpu": f"{n + 1}m"}), f"n{n}")
        for n in range(10)
    ]
    live = running(apps("web", 10), *(f"n{n}" for n in range(10)))
    outcome = update(cluster(*nodes, *live, *(each for other in others for each in other)))
    assert not outcome.doubts
    assert numbers(outcome, "web") == (10, 8, 10)


def test_only_what_rolls_out_is_updated() -> None:
    found = cluster(*NODES, thing("Job", "once", "shop", spec={"template": {"spec": {}}}))
    with pytest.raises(UnmodelledError, match="is not rolled out"):
        update(found, "once")


def test_annotations_of_recorded_cases_mean_nothing_here() -> None:
    note = {"oracle.example/ready": "never", "oracle.example/ready-after": "nonsense"}
    found = apps("web", 2)
    template = found.manifest["spec"]["template"]
    template["metadata"]["annotations"] = note
    assert update(cluster(*NODES, found)).ends == ("complete",)


@pytest.mark.parametrize(("unavailable", "lowest"), [(1, 59), ("10%", 54), (60, 0)])
def test_a_daemon_set_of_many_nodes_loses_as_many_as_may_be_away(
    unavailable: Any, lowest: int
) -> None:
    """Nodes that hold different things: each state of each would be too many."""
    names = [f"n{number}" for number in range(60)]
    others = [
        running(apps(f"o{n}", 1, "StatefulSet", requests={"cpu": f"{n + 1}m"}), names[n])
        for n in range(60)
    ]
    own = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": unavailable}}}
    agent = running(apps("agent", 1, "DaemonSet", own=own), *names)
    found = cluster(*map(node, names), *agent, *(each for other in others for each in other))
    outcome = update(found, "agent")
    assert numbers(outcome, "agent") == (60, lowest, 60)
    assert outcome.ends == ("complete",)
    broken = update(found, "agent", ready="never")
    assert numbers(broken, "agent") == (60, lowest, lowest)
    assert broken.blocked_on == (f"{_pods(60 - lowest)} (notReady): readiness",)


def _pods(count: int) -> str:
    return f"{count} pod{'' if count == 1 else 's'}"
