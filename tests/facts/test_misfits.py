"""A manifest that is written wrong is never clean: what an API server would drop or refuse of it
was not judged as it was meant.
"""

from __future__ import annotations

import pytest

from tests.bench import gaps, judged

DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          containers:
            - name: web
              image: example.com/web:1
              securityContext: {privileged: true}
"""


MISTYPED = {
    "one level too high": (
        ("        spec:\n          containers:", "        containers:"),
        "an API server refuses an object that makes pods without any container",
    ),
    "a letter less": (("containers:", "contaners:"), "did you mean 'containers'?"),
    "a letter more": (("privileged:", "priviledged:"), "did you mean 'privileged'?"),
    "text for a truth": (
        ("privileged: true", 'privileged: "true"'),
        "an API server refuses it: it must be boolean",
    ),
    "an old version": (
        ("apps/v1\n    kind: Deployment", "autoscaling/v2beta2\n    kind: HorizontalPodAutoscaler"),
        "of this version does not serve autoscaling/v2beta2 HorizontalPodAutoscaler",
    ),
}


@pytest.mark.parametrize("name", MISTYPED)
def test_what_is_mistyped_is_a_gap(name: str) -> None:
    """With what was meant, as far as that can be guessed."""
    change, said = MISTYPED[name]
    told = gaps(judged(DEPLOYMENT.replace(*change)))
    assert any(said in gap for gap in told), told


def test_what_an_api_server_takes_is_none() -> None:
    """The right one has its finding, and no gap."""
    answer = judged(DEPLOYMENT, "workload/privileged_container")
    assert gaps(answer) == []
    assert len(answer.findings) == 1


@pytest.mark.parametrize(
    ("version", "kind", "meant"),
    [
        ("apps/v1", "Deploymnt", "Deployment"), ("apps/v1", "deployment", "Deployment"),
        ("v1", "Servce", "Service"), ("networking.k8s.io/v1", "NetworkPolciy", "NetworkPolicy"),
        ("rbac.authorization.k8s.io/v1", "Rolebinding", "RoleBinding"),
    ],
)  # fmt: skip
def test_a_kind_that_is_mistyped_is_a_gap(version: str, kind: str, meant: str) -> None:
    """Nothing of it is judged, and nothing of it is clean."""
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web}}\n"
    (gap,) = gaps(judged(text))
    assert gap.endswith(f": {version} has no kind '{kind}'; did you mean '{meant}'?")


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("resource.k8s.io/v1", "ResourceClaimTemplate"), ("v1", "Event"), ("v1", "PodList"),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding"),
        ("example.com/v1", "Deploymnt"), ("apps/v1", "SomethingNew"),
    ],
)  # fmt: skip
def test_a_kind_that_is_there_or_may_be_is_none(version: str, kind: str) -> None:
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web}}\n"
    assert not [gap for gap in gaps(judged(text)) if "did you mean" in gap]
