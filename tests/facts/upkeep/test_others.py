"""Whom policies of another make may hold for: read of Cilium's labels of pods; else anybody."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.selectors import Labels
from auditor.facts.upkeep.others import others
from tests.facts.network.cluster import resource

WEB = Labels({"app": "web"})


def may_hold(manifest: dict[str, Any], api: str = "cilium.io/v2") -> bool:
    """Whether a policy may hold for the web pods of namespace shop."""
    kind = "CiliumNetworkPolicy" if api.startswith("cilium") else "NetworkPolicy"
    metadata = {"name": "x", "namespace": "shop"}
    written = resource({"apiVersion": api, "kind": kind, "metadata": metadata, **manifest})
    return any(other.may_hold("shop", WEB) for other in others([written]))


def selecting(selector: Any) -> dict[str, Any]:
    """The manifest of a rule with that selector."""
    return {"spec": {"endpointSelector": selector, "ingress": [{}]}}


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "orders"}},
        {"matchLabels": {"k8s:app": "orders"}},
        {"matchLabels": {"k8s.app": "orders"}},
        {"matchLabels": {"any:app": "orders"}},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
        {"matchExpressions": [{"key": "any:role", "operator": "Exists"}]},
    ],
)
def test_one_for_other_labels_does_not_hold(selector: Any) -> None:
    """In any spelling that means labels of pods."""
    assert not may_hold(selecting(selector))


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"matchLabels": {"k8s:app": "web"}},
        {"matchLabels": {"reserved:host": ""}},
        {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "store"}},
        {"matchLabels": {"io.cilium.k8s.policy.serviceaccount": "web"}},
        {"matchExpressions": [{"key": "app", "operator": "Nearly", "values": ["web"]}]},
        {"matchExpressions": [{"key": 3}]},
        {"matchExpressions": [None]},
        "app=orders",
        None,
    ],
)
def test_what_cannot_be_told_may_hold(selector: Any) -> None:
    """It is no reason to say that nothing isolates the pods."""
    assert may_hold(selecting(selector))


def test_each_rule_counts_and_nodes_are_no_pods() -> None:
    """A policy has one, or a list of them."""
    other = {"endpointSelector": {"matchLabels": {"app": "orders"}}}
    assert not may_hold({"specs": [other, {"nodeSelector": {}}]})
    assert may_hold({"specs": [other, {"endpointSelector": {}}]})


def test_of_other_makes_nothing_is_read() -> None:
    """Calico's selector is of another form."""
    assert may_hold({"spec": {"selector": "app == 'orders'"}}, "projectcalico.org/v3")
