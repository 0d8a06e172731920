"""What LimitRanges and ResourceQuotas say of a namespace."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.audit import audit
from auditor.model import Gap, Snapshot, Unseen
from tests.bench import SETTINGS, bench, facts, gaps, judged, objects, told

WEB = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers: [{name: app, image: registry.example/app:1.0.0}]
    """
NAMESPACE = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    """
REQUEST = "resources/no_cpu_request"


def _limits(item: str, namespace: str = "shop") -> str:
    return f"""
    apiVersion: v1
    kind: LimitRange
    metadata: {{name: limits, namespace: {namespace}}}
    spec: {{limits: [{item}]}}
    """


@pytest.mark.parametrize(
    ("item", "requests", "limits"),
    [
        ("{type: Container, default: {cpu: 2}}", {"cpu": 2}, {"cpu": 2}),
        ("{type: Container, max: {cpu: 4}}", {"cpu": 4}, {"cpu": 4}),
        ("{type: Container, min: {cpu: 1}}", {"cpu": 1}, {}),
        ("{type: Container, defaultRequest: {cpu: 1}}", {"cpu": 1}, {}),
        (
            "{type: Container, default: {cpu: 2}, defaultRequest: {cpu: 1}, max: {x/y: 1}}",
            {"cpu": 1, "x/y": 1},
            {"cpu": 2, "x/y": 1},
        ),
        ("{type: Pod, max: {cpu: 4}}", {}, {}),
    ],
)
def test_a_limit_range_gives_what_the_api_server_makes_of_it(
    item: str, requests: dict[str, Any], limits: dict[str, Any]
) -> None:
    """SetDefaults_LimitRangeItem: the most is the default limit, that is the default request, and
    the least is it where there is neither. Limits of pods give nothing.
    """
    world = facts(WEB, _limits(item))
    (web,) = (r for r in world.snapshot.resources if r.ref.kind == "Deployment")
    said = world.about(web, ("resource_defaults",))
    assert said == {"resource_defaults": {"requests": requests, "limits": limits}}


def test_without_every_limit_range_requests_are_not_assessed() -> None:
    """A list that is forbidden may hold the one that gives them: a gap, and no finding."""
    gap = Gap("list of limitranges", "forbidden", Unseen.INCOMPLETE, kinds=("LimitRange",))
    answer = audit(Snapshot(objects(WEB), (gap,)), bench(REQUEST), SETTINGS)
    assert told(answer) == []
    assert any(REQUEST in each and "LimitRange" in each for each in gaps(answer))
    assert told(judged(WEB, REQUEST)) == [f"{REQUEST} shop/web[Deployment]"]


@pytest.mark.parametrize("limits", ["3", "[]", "[3]", "[{type: Container, default: 3}]"])
def test_a_limit_range_of_another_form_gives_nothing(limits: str) -> None:
    """The API server would refuse it."""
    broken = f"""
    apiVersion: v1
    kind: LimitRange
    metadata: {{name: limits, namespace: shop}}
    spec: {{limits: {limits}}}
    """
    assert told(judged((*objects(WEB), *objects(broken)), REQUEST)) == [
        f"{REQUEST} shop/web[Deployment]"
    ]


def test_quotas_and_limits_are_told_of_namespaces_alone() -> None:
    """Of no workload, and of no kind that somebody else calls Namespace."""
    world = facts(NAMESPACE, WEB, _limits("{type: Pod, max: {cpu: 4}}"))
    told_of = {r.ref.kind: world.about(r, ("limit_ranges",)) for r in world.snapshot.resources}
    assert told_of["Namespace"] == {"limit_ranges": {"count": 1}}
    assert told_of["Deployment"] == {}
