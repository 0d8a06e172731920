"""Which pods have a sidecar, and who they are."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.network import Verdict
from auditor.facts.network.istio import Mesh
from auditor.facts.selectors import Truth
from auditor.model import Resource
from tests.facts.network import cluster
from tests.facts.network.istio.meshes import (
    OUTSIDE,
    PROXY,
    Small,
    get,
    of,
    peer,
    pod,
    policy,
    small,
)


def _deployment(**metadata: Any) -> Resource:
    template = {"metadata": {"labels": {"app": "customers"}, **metadata}}
    template["spec"] = {"containers": [{"name": "app", "image": "app"}]}
    return cluster.resource(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "customers", "namespace": "pii"},
            "spec": {"template": template},
        }
    )


def _sidecar(*objects: Resource) -> Truth:
    mesh = of(*objects)
    return mesh.mesh.capture(mesh.target).sidecar


INJECT = "sidecar.istio.io/inject"


@pytest.mark.parametrize(
    ("namespace", "metadata", "expected"),
    [
        ({"istio-injection": "enabled"}, {}, Truth.YES),
        ({"istio-injection": "disabled"}, {}, Truth.NO),
        ({"istio.io/rev": "stable"}, {}, Truth.YES),
        ({}, {}, Truth.NO),
        ({}, {"labels": {"app": "customers", INJECT: "true"}}, Truth.YES),
        ({"istio-injection": "disabled"}, {"labels": {INJECT: "true"}}, Truth.NO),
        ({"istio-injection": "enabled"}, {"labels": {INJECT: "false"}}, Truth.NO),
        ({"istio-injection": "enabled"}, {"annotations": {INJECT: "false"}}, Truth.NO),
        ({}, {"labels": {"istio.io/rev": "canary"}}, Truth.MAYBE),
    ],
)
def test_who_gets_a_sidecar(
    namespace: dict[str, str], metadata: dict[str, Any], expected: Truth
) -> None:
    """By the labels of the namespace, unless the pod says otherwise."""
    assert _sidecar(cluster.namespace("pii", **namespace), _deployment(**metadata)) is expected


def test_a_namespace_that_is_not_known_leaves_it_open() -> None:
    """Unless the pod itself has the container."""
    assert _sidecar(_deployment()) is Truth.MAYBE
    assert _sidecar(pod("pii/customers", "10.0.0.1")) is Truth.YES


def test_running_pods_are_what_they_are() -> None:
    """A label that came later adds nothing; a sidecar may be an init container."""
    home = cluster.namespace("pii", **{"istio-injection": "enabled"})
    assert _sidecar(home, pod("pii/customers", "10.0.0.1", proxied=False)) is Truth.NO
    native = cluster.pod(
        "pii/customers", ip="10.0.0.1", initContainers=[{**PROXY, "restartPolicy": "Always"}]
    )
    assert _sidecar(native) is Truth.YES


def test_where_it_is_not_known_only_what_passes_either_way_passes() -> None:
    """What the sidecar would stop may arrive where there is none."""
    open_, closed = of(_deployment()), of(_deployment(), policy("{}"))
    assert [_asked(mesh) for mesh in (open_, closed)] == [Verdict.ALLOWED, Verdict.UNDEFINED]


def _asked(mesh: Small) -> Verdict:
    return mesh.ask(OUTSIDE, get()).verdict


def test_ports_that_go_past_the_sidecar() -> None:
    """By annotation, or because only others are listed."""
    home = cluster.namespace("pii", **{"istio-injection": "enabled"})
    prefix = "traffic.sidecar.istio.io/"
    excluded = {"annotations": {f"{prefix}excludeInboundPorts": "8080, 9"}}
    included = {"annotations": {f"{prefix}includeInboundPorts": "9"}}
    for metadata in (excluded, included):
        mesh = of(home, _deployment(**metadata), policy("{}"))
        assert _asked(mesh) is Verdict.ALLOWED
    listed = {"annotations": {f"{prefix}includeInboundPorts": "8080"}}
    assert _asked(of(home, _deployment(**listed), policy("{}"))) is Verdict.DENIED


def test_a_certificate_has_the_trust_domain_that_its_sidecar_was_given() -> None:
    """A sidecar from before the trust domain was changed is no longer let in."""
    spec = "{rules: [{from: [{source: {namespaces: [shop]}}]}]}"
    moved = "trustDomain: new.domain"
    assert small(spec, mesh=moved).get("shop/frontend", "/") == "denied"
    assert (
        small(spec, mesh=f"{moved}\ntrustDomainAliases: [cluster.local]").get("shop/frontend", "/")
        == "allowed"
    )


@pytest.mark.parametrize(
    ("entry", "speaks"),
    [
        ({"name": "http"}, "http"),
        ({"name": "grpc-web-x"}, "http"),
        ({"name": "HTTP2-x"}, "http"),
        ({"name": "https-x"}, "tcp"),
        ({"name": "tcp"}, "tcp"),
        ({"name": "redis-main"}, "tcp"),
        ({"name": "httpx"}, "auto"),
        ({"name": "main"}, "auto"),
        ({}, "auto"),
        ({"name": "http-x", "appProtocol": "tcp"}, "tcp"),
        ({"name": "tcp-x", "appProtocol": "kubernetes.io/h2c"}, "http"),
        ({"name": "main", "port": 3306}, "tcp"),
    ],
)
def test_what_a_port_speaks(entry: dict[str, Any], speaks: str) -> None:
    """By appProtocol, else the word before the first hyphen of its name, else by its number."""
    service = cluster.resource(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "customers", "namespace": "pii"},
            "spec": {
                "selector": {"app": "customers"},
                "ports": [{"port": 80, "targetPort": 8080, **entry}],
            },
        }
    )
    mesh = of(pod("pii/customers", "10.0.0.1"), service)
    assert mesh.mesh.speaks(mesh.target, 8080) == {speaks}
    assert mesh.mesh.speaks(mesh.target, 1) == {"auto"}


def test_gateways_are_not_judged() -> None:
    """Their proxy is no sidecar: it stands for those behind it."""
    gateway = {**PROXY, "args": ["proxy", "router"]}
    mesh = of(cluster.pod("pii/customers", ip="10.0.0.1", containers=[gateway]))
    assert "gateway" in mesh.ask(OUTSIDE, get()).unknown[0]


def test_a_gateway_of_the_chart_is_not_judged_either() -> None:
    """Its template has no arguments: an annotation asks for them, or its pods have them. STRICT
    does not close it to the internet.
    """
    strict = peer({"mtls": {"mode": "STRICT"}}, "istio-system/default")
    asked = {"annotations": {"inject.istio.io/templates": "gateway"}, "labels": {INJECT: "true"}}
    home = cluster.namespace("pii")
    mesh = of(home, _deployment(**asked), strict)
    assert mesh.mesh.capture(mesh.target).gateway
    assert _asked(mesh) is Verdict.UNDEFINED
    sidecar = of(home, _deployment(labels={INJECT: "true"}), strict)
    assert _asked(sidecar) is Verdict.DENIED


def test_what_was_parsed_before_is_not_parsed_again() -> None:
    """After a change of one object, the policies that stayed are the same values."""
    before = small(policy("{}"), policy("{}", "pii/other")).mesh
    changed = policy("{rules: [{}]}", "pii/other")
    after = Mesh(before.snapshot.replacing(changed), before)
    kept = {policy.ref.name: policy for policy in before.policies}
    assert [p is kept[p.ref.name] for p in after.policies] == [False, True]
    assert len(after.policies[0].rules) == 1
