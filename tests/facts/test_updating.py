"""What the next update of a Deployment passes through, against the model of the controllers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts import Facts
from auditor.facts.updating import Update
from auditor.model import Settings, Snapshot
from tests.bench import facts

from .controllers.cases import APART, deployment, node, updated
from .network.cluster import resource

PORT: dict[str, Any] = {
    "containers": [
        {"name": "app", "image": "app:1", "ports": [{"containerPort": 80, "hostPort": 80}]}
    ]
}
PODS: dict[str, dict[str, Any]] = {"plain": {}, "apart": {"affinity": APART}, "port": PORT}


def asked(nodes: list[dict[str, Any]], web: dict[str, Any]) -> Update | None:
    """What is said of the update."""
    found = Facts(Snapshot(tuple(map(resource, (*nodes, web)))), Settings())
    return found.updates.of(found.workloads[0])


@given(
    replicas=st.integers(1, 4),
    nodes=st.integers(1, 5),
    room=st.integers(1, 3),
    kind=st.sampled_from(sorted(PODS)),
    rolling=st.tuples(
        st.sampled_from([0, 1, 2, "25%", "50%"]), st.sampled_from([0, 1, "25%", "100%"])
    ).filter(lambda both: both != (0, 0)),
)
@settings(max_examples=60, deadline=None)
def test_what_is_said_is_what_the_model_reaches(
    replicas: int, nodes: int, room: int, kind: str, rolling: tuple[int | str, int | str]
) -> None:
    """From a start at which all pods are there: certain is what no order of events avoids, and said
    to go through is what each one reaches. The fewest are never less than was said.
    """
    numbers = dict(zip(("maxSurge", "maxUnavailable"), rolling, strict=True))
    strategy = {"type": "RollingUpdate", "rollingUpdate": numbers}
    there = [node(f"n{n}", pods=room) for n in range(nodes)]
    web, new = (
        deployment(replicas, image, strategy=strategy, pod=PODS[kind]) for image in ("1", "2")
    )
    if kind == "port":
        new["spec"]["template"]["metadata"]["annotations"] = {"version": "2"}
    told = updated(there, web, new)
    said = asked(there, web)
    assert said is not None
    if replicas > nodes * (room if kind == "plain" else 1):
        assert said.stuck is None  # it does not even start, and that is not the update's fault
        return
    assert told["minAvailable"] == said.lowest
    if said.stuck is None:
        assert told["ends"] == ["complete"]
    else:
        assert told["ends"] == (["stuck"] if said.stuck.certain else ["complete", "stuck"])


def test_what_stands_on_the_nodes_counts() -> None:
    """Another workload has taken the place that the new pod would need."""
    there = [node("n1", pods=3)]
    web = deployment(2)
    other = {**deployment(1), "metadata": {"name": "other", "namespace": "shop"}}
    found = Facts(Snapshot(tuple(map(resource, (*there, web, other)))), Settings())
    update = found.updates.of(next(w for w in found.workloads if w.ref.name == "web"))
    assert update is not None
    assert update.stuck is not None
    assert asked(there, web) is not None
    alone = asked(there, web)
    assert alone is not None
    assert alone.stuck is None


@pytest.mark.parametrize(
    "strategy",
    [
        "{type: Sometimes}",
        "{rollingUpdate: {maxSurge: 0, maxUnavailable: 0%}}",
        "{rollingUpdate: {maxSurge: many}}",
        "{rollingUpdate: {maxUnavailable: -1}}",
        "{rollingUpdate: {maxUnavailable: [1]}}",
        "{rollingUpdate: {maxSurge: 99999999999999999999%}}",
    ],
)
def test_a_strategy_that_is_refused_is_not_judged(strategy: str) -> None:
    """The API server tells whoever sends it."""
    found = facts(f"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {{name: web, namespace: shop}}
        spec:
          replicas: 3
          strategy: {strategy}
          template: {{spec: {{containers: [{{name: app, image: app}}]}}}}
        """)
    assert found.updates.of(found.workloads[0]) is None


def test_without_nodes_the_question_is_left_open() -> None:
    """Where the place of other pods decides, and nobody says which nodes there are."""
    web = deployment(3, pod=PODS["apart"])
    found = Facts(Snapshot((resource(web),)), Settings())
    update = found.updates.of(found.workloads[0])
    assert update is not None
    assert update.stuck is None
    assert [gap.what for gap in found.gaps.values()] == [
        "whether updates find room for their new pods"
    ]
