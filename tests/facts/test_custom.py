"""Custom kinds that may make pods are never passed over."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.workloads import workloads_of
from auditor.model import Resource, Settings, Unseen
from auditor.terms import Opening
from tests.bench import gaps, judged, told
from tests.facts.network.cluster import resource, workload

PRIVILEGED = "workload/privileged_container"
CONTAINERS = [{"name": "a", "image": "b", "securityContext": {"privileged": True}}]


def custom(group: str, kind: str, spec: Any, name: str = "x") -> Resource:
    metadata = {"name": name, "namespace": "shop"}
    whole = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata}
    return resource(whole if spec is None else whole | {"spec": spec})


def test_unknown_kinds_are_one_line_each() -> None:
    """However many objects there are."""
    objects = [custom("tekton.dev", "Task", {}, str(n)) for n in range(7)]
    answer = judged([*objects, workload("Deployment", "web")], PRIVILEGED)
    (line,) = gaps(answer)
    assert line.startswith("7 objects of kind Task (tekton.dev): may create pods")
    assert answer.gaps[0].severity is Unseen.UNKNOWN


def test_many_that_hold_containers_are_one_line_too() -> None:
    """With the place of the first."""
    objects = [custom("example.com", "Widget", {"containers": CONTAINERS}, f"w{n}") for n in (1, 2)]
    (line,) = gaps(judged([*objects, workload("Deployment", "web")], PRIVILEGED))
    assert line.startswith("spec.containers of shop/w1[Widget] (test.yaml:1): holds containers")
    assert line.endswith("1 more of this kind")


def test_nothing_but_unknown_kinds_is_never_clean() -> None:
    """No pod was looked at, and there may be some."""
    answer = judged([custom("tekton.dev", "Task", {})], PRIVILEGED)
    assert [gap.severity for gap in answer.gaps] == [Unseen.UNKNOWN, Unseen.INCOMPLETE]
    assert "no pod was assessed: whether Task (tekton.dev) makes any" in answer.gaps[1].why


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("monitoring.coreos.com", "ServiceMonitor"),
        ("cert-manager.io", "Certificate"),
        ("cilium.io", "CiliumNetworkPolicy"),
        ("networking.istio.io", "VirtualService"),
        ("rbac.authorization.k8s.io", "Role"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("argoproj.io", "Application"),
    ],
)
def test_kinds_that_make_no_pods_are_no_gap(group: str, kind: str) -> None:
    """They are well known."""
    objects = [custom(group, kind, None), workload("Deployment", "web")]
    assert gaps(judged(objects, PRIVILEGED)) == []


@pytest.mark.parametrize(
    ("group", "kind", "spec"),
    [
        ("serving.knative.dev", "Service", {"template": {"spec": {"containers": CONTAINERS}}}),
        ("serving.knative.dev", "Revision", {"containers": CONTAINERS}),
        ("apps.kruise.io", "CloneSet", {"template": {"spec": {"containers": CONTAINERS}}}),
        (
            "apps.openshift.io",
            "DeploymentConfig",
            {"template": {"spec": {"containers": CONTAINERS}}},
        ),
    ],
)
def test_known_custom_kinds_are_opened(group: str, kind: str, spec: Any) -> None:
    """Their pods are judged as any."""
    answer = judged([custom(group, kind, spec)], PRIVILEGED)
    assert told(answer) == [f"{PRIVILEGED} shop/x[{kind}]"]
    assert answer.findings[0].path[-4:] == ("containers", 0, "securityContext", "privileged")
    assert gaps(answer) == []


def test_a_declared_kind_is_opened() -> None:
    """The configuration says where it keeps its pods."""
    opening = Opening("example.com", "Widget", ("spec", "podSpec"), bare=True, declared=True)
    widget = custom("example.com", "Widget", {"podSpec": {"containers": CONTAINERS}})
    answer = judged([widget], PRIVILEGED, settings=Settings(openings=(opening,)))
    assert answer.findings[0].path[:4] == ("spec", "podSpec", "containers", 0)
    assert workloads_of(answer.snapshot)[0].name == "shop/x"


def test_a_declared_kind_without_pods_there_is_a_gap_that_counts() -> None:
    """Somebody said that they are there: the map is wrong, or the object is."""
    opening = Opening("example.com", "Widget", ("spec", "pod"), declared=True)
    widget = custom("example.com", "Widget", {"podSpec": {"containers": CONTAINERS}})
    answer = judged([widget], PRIVILEGED, settings=Settings(openings=(opening,)))
    assert "is not there, and a Widget keeps its pods there" in gaps(answer)[0]
    assert answer.gaps[0].severity is Unseen.INCOMPLETE


def test_a_kind_that_only_has_a_known_name_is_another_kind() -> None:
    """A policy on Deployments has nothing to say of somebody's own."""
    mine = custom("example.com", "Deployment", {"template": {"spec": {"containers": CONTAINERS}}})
    answer = judged([mine], PRIVILEGED)
    assert answer.judged == 0
    assert [gap.severity for gap in answer.gaps] == [Unseen.UNKNOWN, Unseen.INCOMPLETE]
