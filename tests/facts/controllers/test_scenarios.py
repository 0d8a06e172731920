"""What people get wrong about updates, scaling and drains, each with its number."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.controllers import course_of, what_if

from .cases import APART, LABELS, deployment, node, updated

THREE = [node("n1"), node("n2"), node("n3")]


def test_one_pod_a_node_and_the_default_strategy_is_a_deadlock_up_to_three() -> None:
    """25 % of three is no pod that may be away, and there is no node for one more."""
    pods: dict[str, Any] = {"pod": {"affinity": APART}}
    told = updated(THREE, deployment(3, **pods), deployment(3, "2", **pods))
    assert told["ends"] == ["stuck"]
    assert told["minAvailable"] == 3
    assert told["why"][0]["kind"] == "unschedulable"


def test_the_same_with_four_goes_through() -> None:
    pods: dict[str, Any] = {"pod": {"affinity": APART}}
    nodes = [*THREE, node("n4")]
    told = updated(nodes, deployment(4, **pods), deployment(4, "2", **pods))
    assert told["ends"] == ["complete"]
    assert told["minAvailable"] == 3


def test_a_revision_of_its_own_in_the_rule_ends_the_deadlock() -> None:
    term = {**APART["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0]}
    term["matchLabelKeys"] = ["pod-template-hash"]
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    pods: dict[str, Any] = {"pod": {"affinity": apart}}
    told = updated(THREE, deployment(3, **pods), deployment(3, "2", **pods))
    assert told["ends"] == ["complete"]


def test_recreate_takes_the_service_down() -> None:
    strategy: dict[str, Any] = {"strategy": {"type": "Recreate"}}
    told = updated(THREE, deployment(3, **strategy), deployment(3, "2", **strategy))
    assert (told["ends"], told["minAvailable"]) == (["complete"], 0)


def test_a_version_that_never_becomes_ready_stops_where_the_strategy_says() -> None:
    told = updated(THREE, deployment(4), deployment(4, "2", ready="never"))
    assert told["ends"] == ["stuck"]
    assert told["minAvailable"] == 3


def test_a_scale_down_minds_no_spread() -> None:
    """Ten over three zones to three: which three stay is chance, and may be one zone's."""
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": f"p{n}", "labels": LABELS},
            "spec": {"nodeName": f"n{n % 3 + 1}"},
            "attributes": {"phase": "Running", "ready": True, "readySecondsAgo": 600},
        }
        for n in range(10)
    ]
    workload = {
        "kind": "ReplicaSet",
        "metadata": {"name": "web"},
        "spec": {"replicas": 10, "selector": {"matchLabels": LABELS}},
    }
    action = {"type": "scale", "kind": "ReplicaSet", "name": "web", "to": [3]}
    told = what_if(course_of({"objects": [workload, *pods], "action": action}))
    assert set(told["steps"][0]["undetermined"]) == {f"p{n}" for n in range(10)}


def drained(budget: dict[str, Any], replicas: int = 2, *flags: str) -> tuple[str, list[str]]:
    """How the drain of a node ends whose two neighbours have room."""
    workload = deployment(replicas)
    guard = {
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": LABELS}, **budget},
    }
    there = [{"name": f"web-{n}", "node": f"n{n % 3 + 1}", "ready": True} for n in range(replicas)]
    step = {
        "node": "n1",
        "args": ["drain", "n1", "--ignore-daemonsets", *(flags or ("--timeout=12s",))],
    }
    fields = {
        "objects": [*THREE, workload, guard],
        "initialPods": there,
        "action": {"type": "kubectl-drain", "steps": [step]},
    }
    told = what_if(course_of(fields))["steps"][0]
    return told["result"], told["stillBlockedOn"]


@pytest.mark.parametrize(
    ("budget", "ends"),
    [
        ({"maxUnavailable": 1}, ("completed", [])),
        ({"minAvailable": 1}, ("completed", [])),
        ({"minAvailable": 2}, ("blocked", ["web-*"])),
        ({"minAvailable": "100%"}, ("blocked", ["web-*"])),
        ({"maxUnavailable": 0}, ("blocked", ["web-*"])),
    ],
)
def test_a_budget_that_allows_nothing_blocks_every_drain(
    budget: dict[str, Any], ends: tuple[str, list[str]]
) -> None:
    assert drained(budget) == ends


@pytest.mark.parametrize("flag", ["--force", "--timeout=0s"])
def test_a_drain_without_a_timeout_has_an_answer_all_the_same(flag: str) -> None:
    """Where kubectl would wait for ever."""
    assert drained({"maxUnavailable": 0}, 2, flag) == ("blocked", ["web-*"])


@settings(max_examples=25, deadline=None)
@given(
    replicas=st.integers(1, 4),
    surge=st.integers(0, 2),
    unavailable=st.integers(0, 2),
    room=st.integers(1, 3),
    names=st.permutations(["a", "b", "c"]),
)
def test_names_of_nodes_change_nothing(
    replicas: int, surge: int, unavailable: int, room: int, names: list[str]
) -> None:
    """And the promise of the strategy is kept, if the API server takes it at all."""
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    strategy: dict[str, Any] = {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}
    before = deployment(replicas, **(strategy if surge or unavailable else {}))
    after = deployment(replicas, "2", **strategy)
    answers = [
        updated([node(name, pods=room) for name in order], before, after)
        for order in (["a", "b", "c"], names)
    ]
    assert answers[0] == answers[1]
    if surge or unavailable:
        assert answers[0]["minAvailable"] >= min(replicas, 3 * room) - unavailable
    else:
        assert answers[0]["accepted"] is False
