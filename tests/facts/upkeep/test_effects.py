"""What a NetworkPolicy is good for: of a cluster all pods are told, of files perhaps not all."""

from __future__ import annotations

import pytest

from auditor.audit import audit
from auditor.model import Snapshot
from auditor.terms import Server
from tests.bench import SETTINGS, bench, objects

WAITING = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: web, namespace: shop}
    spec:
      podSelector: {matchLabels: {app: web}}
      ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]
    """
FOR_ALL = """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: default-deny, namespace: shop}
    spec: {podSelector: {}, policyTypes: [Ingress]}
    """
READ = Server(136, frozenset({"NetworkPolicy", "Namespace", "Pod", "Deployment"}))


def found(text: str, policy: str, server: Server | None) -> list[str]:
    """What a policy of ours says of it."""
    snapshot = Snapshot(objects(text), server=server)
    return [finding.ref.name for finding in audit(snapshot, bench(policy), SETTINGS).findings]


@pytest.mark.parametrize("policy", ["network/selects_no_pod", "network/peer_without_pods"])
def test_a_namespace_without_pods_is_known_in_a_cluster_alone(policy: str) -> None:
    """Files of policies commonly lie apart from those of the workloads."""
    assert found(WAITING, policy, READ) == ["web"]
    assert found(WAITING, policy, None) == []


def test_a_policy_for_every_pod_waits_for_the_first() -> None:
    """It misses none of them."""
    assert found(FOR_ALL, "network/selects_no_pod", READ) == []
