"""The smallest roles, by the audit log of a real API server, and what that server then answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import Options, TestCluster
from .cluster_kubectl import Kubectl
from .conftest import Starter
from .product import AS_SPECIFIED, auditor

pytestmark = pytest.mark.e2e

USER = "system:serviceaccount:kube-system:busy"
GROUPS = ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"]
EVERYTHING = [
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
]
OBJECTS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: others, namespace: shop}
"""
USED: tuple[tuple[str, ...], ...] = (
    ("get", "configmap", "settings", "-n", "shop"),
    ("get", "deployments", "-n", "shop"),
    ("create", "serviceaccount", "made", "-n", "shop"),
    ("get", "nodes"),
    ("get", "--raw", "/metrics"),
)
KEPT: dict[str, dict[str, str]] = {
    "its own map": {"verb": "get", "resource": "configmaps", "namespace": "shop",
                    "name": "settings"},
    "the list": {"verb": "list", "group": "apps", "resource": "deployments", "namespace": "shop"},
    "what it made": {"verb": "create", "resource": "serviceaccounts", "namespace": "shop"},
    "the nodes": {"verb": "list", "resource": "nodes"},
    "the numbers": {"verb": "get", "path": "/metrics"},
    "what everybody may": {"verb": "get", "path": "/version"},
}  # fmt: skip
TAKEN: dict[str, dict[str, str]] = {
    "another map": {"verb": "get", "resource": "configmaps", "namespace": "shop",
                    "name": "others"},
    "all maps": {"verb": "list", "resource": "configmaps", "namespace": "shop"},
    "its map elsewhere": {"verb": "get", "resource": "configmaps", "namespace": "default",
                          "name": "settings"},
    "to change it": {"verb": "update", "resource": "configmaps", "namespace": "shop",
                     "name": "settings"},
    "the list elsewhere": {"verb": "list", "group": "apps", "resource": "deployments",
                           "namespace": "default"},
    "secrets": {"verb": "get", "resource": "secrets", "namespace": "shop", "name": "x"},
    "a node's proxy": {"verb": "get", "resource": "nodes", "subresource": "proxy", "name": "n"},
    "another path": {"verb": "get", "path": "/logs/"},
    "any verb": {"verb": "escalate", "group": "rbac.authorization.k8s.io",
                 "resource": "clusterroles"},
}  # fmt: skip


def _allowed(cluster: TestCluster, asked: dict[str, str]) -> bool:
    """What the API server says."""
    part = "nonResourceAttributes" if "path" in asked else "resourceAttributes"
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": USER, "groups": GROUPS, part: asked},
    }
    done = cluster.kubectl("create", "-f", "-", "-o", "json", input=json.dumps(review), check=True)
    status: dict[str, Any] = json.loads(done.stdout)["status"]
    return bool(status["allowed"])


def test_what_was_used_stays_allowed_and_the_rest_is_gone(
    start_cluster: Starter, tmp_path: Path
) -> None:
    """One that may do everything does five things; then it may do these, and nothing else."""
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text(
        yaml.safe_dump(
            {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": "Request"}]}
        )
    )
    flags = (f"--audit-policy-file={policy}", f"--audit-log-path={log}")
    cluster = start_cluster(Options(api_server=flags))
    cluster.apply(OBJECTS)
    busy = Kubectl(cluster.kubeconfig_for("busy", EVERYTHING), tmp_path)
    for words in USED:
        busy(*words)
    assert [name for name, asked in TAKEN.items() if not _allowed(cluster, asked)] == []

    where = ("--cluster", "--kubeconfig", str(cluster.kubeconfig), *AS_SPECIFIED)
    answer = auditor("access", "minimize", *where, "--used", log, "--format", "json")
    assert answer.code == 0, answer.err
    (one,) = answer.report["proposals"]
    assert (one["subject"], one["proven"]) == (f"ServiceAccount/{USER}", True)

    written = auditor("access", "minimize", *where, "--used", log, "--format", "yaml")
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=written.out,
                    check=True)  # fmt: skip
    cluster.wait_until(
        "it is heard of", lambda: "still" if _allowed(cluster, TAKEN["secrets"]) else ""
    )
    assert [name for name, asked in KEPT.items() if not _allowed(cluster, asked)] == []
    assert [name for name, asked in TAKEN.items() if _allowed(cluster, asked)] == []
    for words in USED:
        if words[0] != "create":
            busy(*words)
