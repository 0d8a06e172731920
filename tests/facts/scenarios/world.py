"""Small clusters to drain, to lose parts of and to update."""

from __future__ import annotations

from typing import Any

from auditor.facts.facts import Facts
from auditor.facts.scenarios.cluster import Cluster, Group
from auditor.facts.scenarios.outcome import Effect, Outcome
from auditor.model import Resource, Settings, Snapshot
from tests.facts.placement.world import resource, spec, thing, workload


def cluster(*resources: Resource, **settings: Any) -> Cluster:
    """The cluster of these objects."""
    return Cluster.of(Facts(Snapshot(resources), Settings(**settings)))


def group(found: Cluster, name: str) -> Group:
    (one,) = (each for each in found.groups if each.ref.name == name)
    return one


def effect(outcome: Outcome, name: str) -> Effect:
    """What happens to the workload of that name."""
    (one,) = (each for each in outcome.effects if each.group.ref.name == name)
    return one


def numbers(outcome: Outcome, name: str) -> tuple[int, int, int]:
    """How many are available before, at worst and in the end."""
    one = effect(outcome, name)
    return one.before, one.lowest, one.after


def apps(name: str, replicas: int, kind: str = "Deployment", **rest: Any) -> Resource:
    """A workload with so many replicas; `own` goes to its specification."""
    own = {"replicas": replicas, **rest.pop("own", {})}
    return workload(kind, name, own=own, **rest)


def service(name: str) -> Resource:
    return thing("Service", name, "shop", spec={"selector": {"app": name}, "ports": [{"port": 80}]})


def budget(name: str, app: str = "", namespace: str = "shop", **limit: Any) -> Resource:
    manifest = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": app or name}}, **limit},
    }
    return resource(manifest)


def running(maker: Resource, *nodes: str, ready: bool = True) -> list[Resource]:
    """A live StatefulSet or DaemonSet, or a Deployment with its ReplicaSet, and its pods there."""
    name, kind = maker.ref.name, maker.ref.kind
    top = _born(maker.manifest, f"uid-{name}")
    labels = dict(maker.manifest["spec"]["template"]["metadata"]["labels"])
    found, owner = [resource(top)], top
    if kind == "Deployment":
        labels["pod-template-hash"] = "live"
        owner = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{name}-live",
                "namespace": "shop",
                "uid": f"uid-{name}-live",
                "labels": labels,
                "ownerReferences": [_reference(top)],
            },
            "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {}}},
        }
        found.append(resource(owner))
    for number, node in enumerate(nodes):
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"{owner['metadata']['name']}-{number}",
                "namespace": "shop",
                "uid": f"uid-{name}-pod-{number}",
                "labels": labels,
                "ownerReferences": [_reference(owner)],
            },
            "spec": {
                **maker.manifest["spec"]["template"]["spec"],
                **({"nodeName": node} if node else {}),
            },
            "status": {
                "phase": "Running" if node else "Pending",
                "conditions": [
                    {"type": "Ready", "status": str(ready)},
                    {
                        "type": "PodScheduled",
                        "status": str(bool(node)),
                        "message": "0/1 nodes are available",
                    },
                ],
            },
        }
        found.append(resource(pod))
    return found


def _born(manifest: Any, uid: str) -> dict[str, Any]:
    return {**manifest, "metadata": {**manifest["metadata"], "uid": uid}}


def _reference(owner: Any) -> dict[str, Any]:
    metadata = owner["metadata"]
    told = {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
    return {**told, "name": metadata["name"], "uid": metadata["uid"]}


def bare(name: str, node: str) -> Resource:
    """A live pod that nobody makes."""
    ready = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
    metadata = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "labels": {"app": name}}
    body = {**spec(), "nodeName": node}
    return resource(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": body, "status": ready}
    )
