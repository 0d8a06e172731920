"""Cases in the form of the recordings, put together in a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.facts.controllers import course_of, what_if

Manifest = dict[str, Any]

LABELS = {"app": "web"}
APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": LABELS}, "topologyKey": "kubernetes.io/hostname"}
        ]
    }
}


def node(name: str, zone: str = "a", pods: int = 110) -> Manifest:
    """A node with room for so many pods."""
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": zone}
    allocatable = {"cpu": "8", "memory": "32Gi", "pods": str(pods)}
    metadata = {"name": name, "labels": labels}
    status = {"allocatable": allocatable}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


def deployment(replicas: int, image: str = "1", **more: Any) -> Manifest:
    """A Deployment; `pod` adds to its pods' specification, `ready` says how they behave."""
    notes = {"oracle.example/ready": more.pop("ready")} if "ready" in more else {}
    pod = {"containers": [{"name": "app", "image": f"app:{image}"}], **more.pop("pod", {})}
    template = {"metadata": {"labels": LABELS, "annotations": notes}, "spec": pod}
    spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template, **more}
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def updated(nodes: Sequence[Manifest], before: Manifest, after: Manifest) -> Mapping[str, Any]:
    """What becomes of the update."""
    objects = [*nodes, before]
    return what_if(course_of({"objects": objects, "action": {"type": "update", "object": after}}))
