"""What users declare for single policies."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.errors import ConfigError
from auditor.model import Settings
from auditor.policies.loader import load
from auditor.policies.parameters import settled
from tests.bench import judged, told

POLICIES, _ = load()
FILE = "shop/.auditor.yaml"
REGISTRY, MAXIMUM = "image/undeclared_registry", "resources/limit_beyond_maximum"

POD = """
    apiVersion: v1
    kind: Pod
    metadata: {name: web, namespace: shop}
    spec:
      containers:
        - name: app
          image: quay.io/team/app:1.0.0
          resources: {limits: {cpu: 3, memory: 2Gi}}
    """


def _settings(declared: dict[str, Any]) -> Settings:
    return Settings(parameters=settled(declared, POLICIES, FILE))


def test_without_a_declaration_nothing_is_said() -> None:
    """Nobody but the user knows the registries that are trusted, or what is too much."""
    assert told(judged(POD, REGISTRY, MAXIMUM)) == []


def test_what_is_declared_is_asked_for() -> None:
    """Each policy gets its own parameters, and none of the other's."""
    settings = _settings({REGISTRY: {"registries": ["registry.example"]}, MAXIMUM: {"cpu": 2}})
    assert told(judged(POD, REGISTRY, MAXIMUM, settings=settings)) == [
        f"{REGISTRY} shop/web[Pod]",
        f"{MAXIMUM} shop/web[Pod]",
    ]


def test_a_default_stays_where_another_is_declared() -> None:
    """A maximum of CPU is none of memory."""
    answer = judged(POD, MAXIMUM, settings=_settings({MAXIMUM: {"cpu": "1500m"}}))
    assert [f.anchor for f in answer.findings] == ["app/cpu"]


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (
            {"image/undeclared_registries": {}},
            "there is no policy that has parameters",
        ),
        ({"image/undeclared_registries": {}}, "did you mean 'image/undeclared_registry'?"),
        (
            {"workload/privileged_container": {}},
            "workload/privileged_container: there is no policy",
        ),
        ({REGISTRY: {"registry": ["a"]}}, f"{REGISTRY}.registry: there is no such parameter"),
        ({REGISTRY: {"registry": ["a"]}}, "did you mean 'registries'?"),
        ({REGISTRY: {"registries": "ghcr.io"}}, f"{REGISTRY}.registries: must be a list of texts"),
        ({REGISTRY: {"registries": ["a", ""]}}, "none of them empty"),
        ({REGISTRY: {"registries": [3]}}, "must be a list of texts"),
        ({MAXIMUM: {"cpu": True}}, f"{MAXIMUM}.cpu: must be a text or a number"),
        ({MAXIMUM: {"cpu": ["2"]}}, f"{MAXIMUM}.cpu: must be a text or a number"),
        ({MAXIMUM: {"memory": None}}, f"{MAXIMUM}.memory: must be a text or a number"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_field(declared: Any, said: str) -> None:
    """Nothing is passed over because it is spelled in another way."""
    with pytest.raises(ConfigError) as caught:
        settled(declared, POLICIES, FILE)
    assert str(caught.value).startswith(f"{FILE}: parameters.")
    assert said in str(caught.value)


def test_a_cluster_of_another_domain_has_its_services_there() -> None:
    """The name of a Service ends with the domain of the cluster, which some change."""
    hook = """
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: {name: guard}
        webhooks:
          - name: guard.example.com
            clientConfig: {url: "https://guard.guard.svc.corp.example/check"}
        """
    outside = "admission/outside_the_cluster"
    assert told(judged(hook, outside)) == [
        f"{outside} default/guard[ValidatingWebhookConfiguration]"
    ]
    settings = _settings({outside: {"domain": "corp.example"}})
    assert told(judged(hook, outside, settings=settings)) == []
