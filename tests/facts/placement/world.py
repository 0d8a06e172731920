"""Small clusters: the least that makes a node, a pod or a workload, plus what a test changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.facts.placement import Pod, Simulation, Topology, pods_of
from auditor.facts.workloads import workload_of
from auditor.model import Origin, Path, Ref, Resource, Settings, Snapshot, Span

ZONE = "topology.kubernetes.io/zone"
RACK = "topology.kubernetes.io/rack"
HOST = "kubernetes.io/hostname"
APPS = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"}
GROUPS = dict.fromkeys(APPS, "apps/v1") | {
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "CSINode": "storage.k8s.io/v1",
    "StorageClass": "storage.k8s.io/v1",
    "PriorityClass": "scheduling.k8s.io/v1",
    "RuntimeClass": "node.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
}


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Path) -> Span:
        return Span(1, 1, 1, 1)


def resource(manifest: Mapping[str, Any], *, live: bool = False) -> Resource:
    metadata = manifest["metadata"]
    ref = Ref(
        manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]
    )
    return Resource(ref, manifest, Origin("world.yaml", NoLines(), live=live))


def thing(kind: str, name: str, namespace: str = "", **rest: Any) -> Resource:
    metadata = {"name": name, **rest.pop("metadata", {})}
    if namespace:
        metadata["namespace"] = namespace
    manifest = {"apiVersion": GROUPS.get(kind, "v1"), "kind": kind, "metadata": metadata, **rest}
    return resource(manifest)


def node(name: str, labels: Mapping[str, str] = {}, **rest: Any) -> Resource:
    """A node with 4 CPU, 8Gi and room for 10 pods."""
    room = {"cpu": "4", "memory": "8Gi", "pods": "10"} | rest.pop("room", {})
    return thing(
        "Node",
        name,
        metadata={"labels": {HOST: name, **labels}},
        spec=rest,
        status={"allocatable": room},
    )


def spec(**rest: Any) -> dict[str, Any]:
    """A pod specification with one container that asks for `requests`."""
    container: dict[str, Any] = {"name": "main", "image": "app:1"}
    for key in ("ports", "resources"):
        if key in rest:
            container[key] = rest.pop(key)
    if "requests" in rest:
        container["resources"] = {"requests": rest.pop("requests")}
    return {"containers": [container], **rest}


def pod(name: str, on: str = "", namespace: str = "shop", **rest: Any) -> Resource:
    labels, metadata = rest.pop("labels", {"app": name}), rest.pop("metadata", {})
    status = rest.pop("status", {})
    body = spec(**rest) | ({"nodeName": on} if on else {})
    metadata = {"labels": labels, **metadata}
    return thing("Pod", name, namespace, metadata=metadata, spec=body, status=status)


def workload(kind: str, name: str, namespace: str = "shop", **rest: Any) -> Resource:
    """A workload; `own` goes to its specification, all else to that of its pods."""
    own, labels = rest.pop("own", {}), rest.pop("labels", {"app": name})
    template = {"metadata": {"labels": labels}, "spec": spec(**rest)}
    return thing(
        kind,
        name,
        namespace,
        spec={"selector": {"matchLabels": labels}, "template": template, **own},
    )


def pods(found: Resource) -> tuple[Pod, ...]:
    """The pods that a workload would make."""
    made = workload_of(found)
    assert made
    return pods_of(made)


def cluster(
    *resources: Resource, namespaces: Mapping[str, Mapping[str, str]] | None = None
) -> Simulation:
    """The nodes among `resources` with the bound pods among them."""
    snapshot = Snapshot(resources)
    placed = [Pod.from_resource(found) for found in snapshot.of_kind("Pod")]
    topology = Topology.from_snapshot(snapshot, Settings())
    spaces = {"shop": {}} if namespaces is None else namespaces
    return Simulation(topology, spaces, [p for p in placed if p.node], snapshot)


def fits(simulation: Simulation, found: Resource) -> list[str]:
    """The nodes that can take a pod."""
    return list(simulation.feasible(Pod.from_resource(found)).nodes)


def near(key: str, **labels: str) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels}}


def affinity(kind: str, *terms: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def evenly(key: str, **rest: Any) -> dict[str, Any]:
    """A hard constraint over the pods of the label app=web."""
    rule = {
        "topologyKey": key,
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    return rule | rest
