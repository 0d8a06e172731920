"""Small clusters with a store of personal data, to look for paths in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from auditor.facts.facts import Facts
from auditor.facts.paths import PathGraph
from auditor.facts.paths.findings import StorePaths, paths_to
from auditor.model import Settings, Snapshot
from auditor.sources.files import FileSource
from tests.facts.network.cluster import resources

Written = dict[str, Any]

CLUSTERS = Path(__file__).parents[3] / "fixtures" / "clusters"
RBAC = "rbac.authorization.k8s.io"


def namespace(name: str, level: str = "restricted") -> Written:
    """A namespace with a level of Pod Security."""
    labels = {"pod-security.kubernetes.io/enforce": level}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def pod(name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> Written:
    """A pod in the namespace shop that listens on 8080 and holds no token."""
    container = {"name": "app", "image": "a", "ports": [{"containerPort": 8080}]}
    container |= spec.pop("container", {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": name, **(labels or {})}},
        "spec": {"automountServiceAccountToken": False, "containers": [container], **spec},
    }


def store(clients: str = "web", **spec: Any) -> Written:
    """A pod that holds personal data."""
    found = pod("db", labels={"auditor/data": "pii"}, **spec)
    found["metadata"]["annotations"] = {"auditor/clients": clients}
    return found


def closed(target: str, *admitted: str) -> Written:
    """A NetworkPolicy that admits these pods of the namespace to another."""
    peers = [{"podSelector": {"matchLabels": {"app": name}}} for name in admitted]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": target, "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": target}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": peers}] if peers else [],
        },
    }


def granted(subject: str, *rules: dict[str, Any], namespace: str = "shop") -> list[Written]:
    """A role with these rules and a binding to a user, in a namespace; in none, for the cluster."""
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": subject, **({"namespace": namespace} if namespace else {})}
    role = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": list(rules)}
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": f"{kind}Binding",
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": subject},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": subject}],
    }
    return [role, binding]


def rule(verb: str, resource: str, *names: str, group: str = "") -> dict[str, Any]:
    """A rule of a role."""
    found: dict[str, Any] = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
    return {**found, "resourceNames": list(names)} if names else found


def graph_of(*paths: Path) -> PathGraph:
    """The graph of what stands there."""
    return PathGraph(Facts(FileSource(tuple(map(str, paths))).snapshot(), Settings()))


def graph_of_objects(*written: Written) -> PathGraph:
    """The graph of a cluster of these objects."""
    found = resources("\n---\n".join(map(json.dumps, written)))
    return PathGraph(Facts(Snapshot(tuple(found)), Settings()))


def told(graph: PathGraph, name: str) -> StorePaths:
    """What is told of the store of that name."""
    return paths_to(graph, next(store for store in graph.stores if store.name == name))


def ways(found: StorePaths) -> dict[str, list[tuple[str, str]]]:
    """By start, the kind of each step of the shortest path and where it leads."""
    return {
        path.start.name: [(step.means.kind, step.target.name) for step in path.steps]
        for path in found.paths
    }
