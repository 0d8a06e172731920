"""The kinds of the cluster itself are those that the Kubernetes API says."""

from __future__ import annotations

import re

import kubernetes.client
import pytest

from auditor.model import Ref
from auditor.sources.scopes import in_namespace

_METHOD = re.compile(r"(?:create|list)_(namespaced_)?([a-z0-9_]+?)")
_NOT_KINDS = ("_for_all_namespaces", "_with_http_info", "_custom_object", "_binding", "_eviction")
_GROUPS = {
    "core": "",
    "apps": "apps",
    "autoscaling": "autoscaling",
    "batch": "batch",
    "policy": "policy",
    "flowcontrol_apiserver": "flowcontrol.apiserver.k8s.io",
    "internal_apiserver": "internal.apiserver.k8s.io",
    "rbac_authorization": "rbac.authorization.k8s.io",
}


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _kinds() -> dict[str, str]:
    """Kinds as the generated client has them, by their names in snake case."""
    names = (
        m[1] for n in dir(kubernetes.client) if (m := re.fullmatch(r"V\d\w*?\d?([A-Z]\w+)", n))
    )
    return {_snake(name): name for name in names}


def _cases() -> list[tuple[str, str, bool]]:
    kinds = _kinds()
    found = set()
    for api in dir(kubernetes.client):
        match = re.fullmatch(r"([A-Z]\w*?)V\d(?:(?:alpha|beta)\d)?Api", api)
        for method in dir(getattr(kubernetes.client, api)) if match else ():
            parsed = _METHOD.fullmatch(method)
            if match and parsed and not method.endswith(_NOT_KINDS) and parsed[2] in kinds:
                name = _snake(match[1])
                group = _GROUPS.get(name, f"{name.replace('_', '.')}.k8s.io")
                found.add((group, kinds[parsed[2]], bool(parsed[1])))
    return sorted(found)


@pytest.mark.parametrize(("group", "kind", "namespaced"), _cases())
def test_built_in_kinds(group: str, kind: str, namespaced: bool) -> None:
    """The client's methods, which are generated from the API, say which kinds have a namespace."""
    version = f"{group}/v1" if group else "v1"
    expected = "default" if namespaced else ""
    assert in_namespace(Ref(version, kind, "", "a"), {}).namespace == expected


@pytest.mark.parametrize(
    ("version", "kind", "namespaced"),
    [
        ("apps.openshift.io/v1", "DeploymentConfig", True),
        ("serving.knative.dev/v1", "Service", True),
        ("apps.kruise.io/v1alpha1", "CloneSet", True),
        ("apps.kruise.io/v1alpha1", "SidecarSet", False),
        ("keda.sh/v1alpha1", "ScaledObject", True),
        ("keda.sh/v1alpha1", "ClusterTriggerAuthentication", False),
        ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", True),
    ],
)
def test_custom_kinds_that_are_read(version: str, kind: str, namespaced: bool) -> None:
    """What makes pods or counts them is looked for beside those, also without its definition."""
    expected = "default" if namespaced else ""
    assert in_namespace(Ref(version, kind, "", "a"), {}).namespace == expected
