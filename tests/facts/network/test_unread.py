"""Network policies that have no part in the answer are named."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.facts.network import Network
from auditor.model import Gap, Resource, Settings, Snapshot, Unseen
from tests.bench import gaps, judged
from tests.facts.test_data import annotated

from .cluster import network, pod, policy, resource


def thing(group: str, kind: str) -> Resource:
    """An object of some API."""
    metadata = {"name": "x", "namespace": "shop"}
    return resource({"apiVersion": group, "kind": kind, "metadata": metadata, "spec": {}})


def unread(*found: Resource) -> tuple[Gap, ...]:
    """What the engine names."""
    net: Network = network(pod("web"), *found)
    return net.gaps


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("policy.networking.k8s.io/v9", "AdminNetworkPolicy"),
        ("policy.networking.k8s.io/v9", "ClusterNetworkPolicy"),
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"),
        ("projectcalico.org/v3", "GlobalNetworkPolicy"),
        ("crd.projectcalico.org/v1", "NetworkPolicy"),
        ("crd.projectcalico.org/v1", "GlobalNetworkPolicy"),
        ("security.istio.io/v1", "RequestPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
        ("policy.linkerd.io/v1beta3", "Server"),
        ("extensions/v1beta1", "NetworkPolicy"),
        ("somebody.example/v1", "NetworkPolicy"),
    ],
)
def test_a_policy_of_another_dialect_is_told(group: str, kind: str) -> None:
    """It may allow or stop what the answer says of traffic."""
    (gap,) = unread(thing(group, kind))
    assert gap.what == f"shop/x[{kind}]"
    assert gap.severity is Unseen.UNKNOWN
    assert "dialect is not read yet" in gap.why


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        ("networking.k8s.io/v1", "IngressClass"),
        ("networking.istio.io/v1", "VirtualService"),
        ("kyverno.io/v1", "Policy"),
        ("policy/v1", "PodDisruptionBudget"),
        ("v1", "Service"),
        ("notistio.io/v1", "AuthorizationPolicy"),
    ],
)
def test_what_rules_no_traffic_is_not_told(group: str, kind: str) -> None:
    """Other policies, and other objects of the network."""
    assert unread(thing(group, kind)) == ()


def test_a_policy_that_the_api_server_refuses_is_told() -> None:
    """With its file, the field and the reason; it has no effect, although somebody meant it to."""
    odd = policy({"podSelector": {}, "ingress": [{"ports": [{"port": 99999}]}]}, "shop/odd")
    (gap,) = unread(odd, policy({"podSelector": {}}, "shop/right"))
    assert gap.what == "spec.ingress.0.ports.0.port of shop/odd[NetworkPolicy] (test.yaml:1)"
    assert "'99999' is not between 1 and 65535" in gap.why
    assert gap.severity is Unseen.INCOMPLETE
    assert gap.ref == odd.ref


@pytest.mark.parametrize(("data", "told"), [("pii", True), ("none", False)])
def test_they_are_told_where_somebody_asks_about_the_network(data: str, told: bool) -> None:
    """Who holds no personal data has no use for it."""
    cilium = thing("cilium.io/v2", "CiliumNetworkPolicy")
    target = annotated(pod("shop/data"), data=data)
    answer = judged([target, cilium], "data/personal_data_not_isolated")
    assert any("CiliumNetworkPolicy" in gap for gap in gaps(answer)) is told
    facts = Facts(Snapshot((target, cilium)), Settings())
    assert facts.gaps == {}


def test_what_changes_sidecars_is_told_and_what_they_read_is_not() -> None:
    """A Sidecar may close a port; an AuthorizationPolicy is part of the answer."""
    (gap,) = unread(thing("networking.istio.io/v1", "Sidecar"))
    assert gap.severity is Unseen.UNKNOWN
    assert not unread(thing("security.istio.io/v1", "AuthorizationPolicy"))
    assert not unread(thing("security.istio.io/v1", "PeerAuthentication"))
