"""How many replicas a workload needs, and which rule says so."""

from __future__ import annotations

import pytest

from auditor.facts.placement.needed import Rule, least_replicas, needed
from tests.bench import facts


def _workload(
    kind: str = "Deployment", spec: str = "replicas: 4", image: str = "web", notes: str = ""
) -> str:
    return f"""
    apiVersion: apps/v1
    kind: {kind}
    metadata: {{name: web, namespace: shop, annotations: {{{notes}}}}}
    spec:
      {spec}
      template:
        spec: {{containers: [{{name: app, image: "registry.example/{image}:1"}}]}}
    """


def _hpa(spec: str, status: str = "{}", kind: str = "Deployment") -> str:
    return f"""
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {{name: web, namespace: shop}}
    spec: {{scaleTargetRef: {{apiVersion: apps/v1, kind: {kind}, name: web}}, {spec}}}
    status: {status}
    """


CPU = "metrics: [{type: Resource, resource: {name: cpu, target: {averageUtilization: 70}}}]"


@pytest.mark.parametrize(
    ("objects", "count", "rule"),
    [
        pytest.param([_workload(notes="auditor/needs: '3'")], 3, Rule.DECLARED, id="declared"),
        pytest.param([_workload()], 3, Rule.ROLLOUT, id="25% of 4 is 1"),
        pytest.param([_workload(spec="replicas: 3")], 2, Rule.ROLLOUT, id="25% of 3 is none"),
        pytest.param([_workload(spec="replicas: 1")], 1, Rule.ROLLOUT, id="one"),
        pytest.param(
            [_workload(spec="strategy: {type: Recreate}")],
            1, Rule.ONE, id="Recreate keeps none",
        ),
        pytest.param(
            [_workload("StatefulSet", "replicas: 5", "etcd")], 3, Rule.QUORUM, id="majority of 5"
        ),
        pytest.param(
            [_workload("StatefulSet", "replicas: 5", "web")], 4, Rule.ROLLOUT, id="one at a time"
        ),
        pytest.param(
            [_workload(), _hpa(f"minReplicas: 2, maxReplicas: 20, {CPU}", "{desiredReplicas: 10}")],
            7, Rule.LOAD, id="10 at 70%",
        ),
        pytest.param(
            [_workload(), _hpa(f"minReplicas: 4, maxReplicas: 20, {CPU}", "{desiredReplicas: 4}")],
            3, Rule.ROLLOUT, id="at its minimum the load is not known",
        ),
        pytest.param(
            [_workload(), _hpa(f"minReplicas: 8, maxReplicas: 20, {CPU}")],
            6, Rule.ROLLOUT, id="not live, 25% of the 8 at least",
        ),
    ],
)  # fmt: skip
def test_the_first_rule_that_tells_decides(objects: list[str], count: int, rule: Rule) -> None:
    """What is declared, the load, a majority, what updates keep, one: in this order."""
    found = facts(*objects)
    answer = needed(found, found.workloads[0])
    assert (answer.count, answer.rule) == (count, rule)


def test_a_declaration_that_is_no_number_is_a_gap() -> None:
    """It is named, and the next rule decides."""
    found = facts(_workload(notes="auditor/needs: many"))
    assert needed(found, found.workloads[0]).rule is Rule.ROLLOUT
    assert "'many'" in next(iter(found.gaps.values())).why


@pytest.mark.parametrize(
    ("scaler", "least", "most"),
    [
        ("", 4, 4),
        (_hpa("maxReplicas: 9"), 1, 9),
        (_hpa("minReplicas: 3, maxReplicas: 9"), 3, 9),
        (_hpa("minReplicas: 3, maxReplicas: 9", kind="StatefulSet"), 4, 4),
        (_hpa("minReplicas: x, maxReplicas: 9"), 4, 4),
        (
            """
            apiVersion: keda.sh/v1alpha1
            kind: ScaledObject
            metadata: {name: web, namespace: shop}
            spec: {scaleTargetRef: {name: web}}
            """,
            0, 100,
        ),
    ],
)  # fmt: skip
def test_an_autoscaler_says_between_which_bounds(scaler: str, least: int, most: int) -> None:
    """Without one, what the workload itself says; the defaults are those of the API and of KEDA."""
    found = facts(_workload(), *filter(None, [scaler]))
    web = found.workloads[0]
    scaler_of = found.scalers.get(web.ref.key)
    bounds = scaler_of.bounds(web.replicas) if scaler_of else (web.replicas, web.replicas)
    assert bounds == (least, most)
    assert least_replicas(found, web) == least
