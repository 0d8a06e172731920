"""What NetworkPolicies cut a workload off from."""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.model import Server, Settings, Snapshot
from auditor.sources.kinds import KINDS
from tests.bench import objects

CHECKS = """
apiVersion: v1
kind: Namespace
metadata: {name: checks, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: checks, namespace: checks, labels: {app: checks}}
spec: {containers: [{name: main, image: "example.com/checks:1"}]}
---
apiVersion: v1
kind: Service
metadata: {name: checks, namespace: checks}
spec: {selector: {app: checks}, ports: [{port: 443, targetPort: 8443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: checks}
webhooks: [{name: a.example, clientConfig: {service: {namespace: checks, name: checks}}}]
---
"""
CLOSED = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: checks}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
OPEN = CLOSED.replace("policyTypes: [Ingress]", "ingress: [{}]")
BY_SIDECAR = """---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: checks}
spec: {}
"""


LIVE = Server(136, frozenset(kind.kind for kind in KINDS))


def said(text: str, server: Server | None = None) -> tuple[Any, list[str]]:
    """What is said of the pod where policies are enforced, and why something is not known."""
    facts = Facts(Snapshot(objects(text), (), server), Settings(cni=("calico",)))
    (pod,) = facts.snapshot.of_kind("Pod")
    told = facts.about(pod, ("cut_off",)).get("cut_off")
    return told, [gap.why for gap in facts.gaps.values() if gap.what.startswith("which webhooks")]


def test_a_webhook_is_told_of_a_cluster_as_of_files() -> None:
    """Of what else calls services, a cluster tells nothing yet; that is said."""
    of_files, nothing = said(CHECKS + CLOSED)
    assert [(call["what"], call["port"]) for call in of_files["called"]] == [
        ("an admission webhook", 8443)
    ]
    assert nothing == []
    why = "no CustomResourceDefinition and no APIService is read from a cluster yet"
    assert said(CHECKS + CLOSED, LIVE) == (of_files, [why])


def test_what_a_sidecar_refuses_is_no_fault_of_networkpolicies() -> None:
    """The policies admit the call: none of them is to blame."""
    assert said(CHECKS + OPEN + BY_SIDECAR) == (None, [])
