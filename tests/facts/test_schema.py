"""Whether an API server takes what a fix makes of an object, version by version."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.schema.types import faults, types
from auditor.fixes.case import Before, Case
from auditor.fixes.operations import patched
from auditor.fixes.proof import prove
from auditor.model import Fix, Operation, Resource, Safety
from auditor.reporters.words import objections, shown_by
from tests.bench import SETTINGS, bench, judged, objects
from tests.fixes.test_proof import PRIVILEGED, bad

DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop, labels: {app: web}}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 25%}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers:
            - name: web
              image: example.com/web:1
              resources: {requests: {cpu: 1, memory: 64Mi}}
              ports: [{containerPort: 80}]
"""


def told(resource: Resource, version: int) -> list[str]:
    """Every fault in words."""
    return [str(fault) for fault in faults(resource, version)]


def deployment(old: str = "", new: str = "") -> Resource:
    """A right one, with something written otherwise."""
    assert old in DEPLOYMENT
    return objects(DEPLOYMENT.replace(old, new))[0]


def test_what_the_api_takes_has_no_fault() -> None:
    """Numbers and percentages, quantities with and without a unit."""
    assert faults(deployment(), 136) == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("replicas: 2", "replicas: two", "spec.replicas must be integer"),
        ("replicas: 2", "replica: 2", "there is no field spec.replica"),
        ("containerPort: 80", "hostPort: 80", "[0].containerPort is missing"),
        ("name: web\n", "title: web\n", "there is no field spec.template.spec.containers[0].title"),
        ("ports: [{containerPort: 80}]", "ports: {}", "containers[0].ports must be a list"),
        (
            "labels: {app: web}}\n    spec",
            "labels: {app: 3}}\n    spec",
            "labels.app must be string",
        ),
        ("selector: {matchLabels: {app: web}}", "paused: false", "spec.selector is missing"),
        ("maxSurge: 1", "maxSurge: true", "maxSurge must be integer or string"),
    ],
)
def test_what_it_does_not_take_is_named_with_the_field(old: str, new: str, said: str) -> None:
    """Unknown fields, wrong types, what is required."""
    found = told(deployment(old, new), 136)
    assert any(said in fault for fault in found), found


def test_null_is_a_field_that_is_not_there() -> None:
    """The API server drops it."""
    assert faults(deployment("replicas: 2", "replicas: null"), 136) == ()


@pytest.mark.parametrize(
    ("field", "value", "since"),
    [
        # The releases in which these fields came into the API, by their enhancement proposals.
        ("appArmorProfile", {"type": "RuntimeDefault"}, 130),  # KEP-24
        ("supplementalGroupsPolicy", "Strict", 131),  # KEP-3619
        ("seLinuxChangePolicy", "Recursive", 132),  # KEP-1710
    ],
)
def test_a_field_is_known_since_its_version(field: str, value: Any, since: int) -> None:
    """What a newer server takes, an older one drops without a word."""
    context = {"securityContext": {field: value}}
    pod = bad("shop/web", **context)
    assert any(field in fault for fault in told(pod, since - 1))
    assert faults(pod, since) == ()


def test_a_kind_that_is_no_longer_served_is_named() -> None:
    """CronJob left batch/v1beta1 in 1.25, HorizontalPodAutoscaler v2beta2 in 1.26."""
    (scaler,) = objects("""
        apiVersion: autoscaling/v2beta2
        kind: HorizontalPodAutoscaler
        metadata: {name: web}
        spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: web}}
    """)
    assert faults(scaler, 125) == ()
    assert told(scaler, 126) == ["autoscaling/v2beta2 HorizontalPodAutoscaler is not served"]


def test_of_a_kind_of_somebody_else_the_pods_are_judged() -> None:
    """A Rollout has a pod template as a Deployment has."""
    text = DEPLOYMENT.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
    (right,) = objects(text)
    assert faults(right, 136) == ()
    (wrong,) = objects(text.replace("image:", "imge:"))
    assert "there is no field spec.template.spec.containers[0].imge" in told(wrong, 136)


def test_versions_beyond_the_known_are_judged_by_the_nearest() -> None:
    """The definitions begin with 1.25."""
    oldest, newest = types().versions
    assert (oldest, newest) == (125, 137)
    assert types().known(100) == oldest
    assert types().known(140) == newest


def offered(*steps: Operation) -> tuple[list[str], list[str]]:
    """What is shown of a fix of a privileged pod with these steps, and what speaks against it."""
    answer = judged([bad("shop/web")], PRIVILEGED)
    (finding,) = answer.findings
    change = patched(answer.snapshot.resources[0], *steps)
    proof = prove(Case(Before(answer, bench(), SETTINGS), finding, (change,), (), ""))
    return shown_by(proof), objections(Fix("", Safety.SAFE, (change,), (), proof))


def test_a_fix_that_the_api_would_not_take_is_not_proven() -> None:
    """It resolves the finding, and the API server would drop or refuse it."""
    at = ("spec", "containers", 0, "securityContext")
    shown, against = offered(Operation("replace", at, {"privileged": False}))
    assert "valid for Kubernetes 1.36" in shown
    assert not [said for said in against if "API server" in said]
    _, against = offered(Operation("replace", at, {"priviledged": False}))
    assert (
        "would not be taken by the API server: "
        "there is no field spec.containers[0].securityContext.priviledged"
    ) in against
