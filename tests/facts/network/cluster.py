"""Small clusters for the tests: the smallest valid objects, written as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from auditor.facts.network import Direction, Network
from auditor.facts.workloads import Workload, workloads_of
from auditor.model import Origin, Path, Ref, Resource, Snapshot, Span


@dataclass(frozen=True, slots=True)
class NoLines:
    """A manifest that was never in a file."""

    def span(self, path: Path) -> Span:
        return Span(1, 1, 1, 1)


NOWHERE = Origin("test.yaml", NoLines())
CLUSTER_WIDE = (
    "Namespace", "Node", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
)  # fmt: skip


def resource(manifest: Mapping[str, Any]) -> Resource:
    """The object of a manifest, in namespace default where it names none."""
    metadata = manifest["metadata"]
    kind = manifest["kind"]
    namespace = metadata.get("namespace", "" if kind in CLUSTER_WIDE else "default")
    return Resource(
        Ref(manifest["apiVersion"], kind, namespace, metadata["name"]), manifest, NOWHERE
    )


def resources(text: str) -> tuple[Resource, ...]:
    """The objects of a YAML text."""
    return tuple(resource(manifest) for manifest in yaml.safe_load_all(text) if manifest)


def network(*objects: Resource) -> Network:
    """The engine over these objects."""
    snapshot = Snapshot(objects)
    return Network(snapshot, workloads_of(snapshot))


def find(net: Network, name: str) -> Workload:
    """The workload ``namespace/name``."""
    return next(workload for workload in net.workloads if workload.name == name)


def ports(net: Network, source: str, target: str) -> str:
    """What surely flows, as people read it."""
    return str(net.reach(find(net, source), find(net, target)).ports)


def namespace(name: str, **labels: str) -> Resource:
    """A namespace with labels."""
    metadata = {"name": name, "labels": labels}
    return resource({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})


def pod(name: str, *, ip: str = "", **fields: Any) -> Resource:
    """A pod ``namespace/name`` with label app=name; `fields` go over its specification."""
    space, _, short = name.rpartition("/")
    spec: dict[str, Any] = {"containers": [{"name": "main", "image": "app"}], **fields}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": short, "namespace": space or "default", "labels": {"app": short}},
            "spec": spec,
            "status": {"phase": "Running", "podIP": ip} if ip else {},
        }
    )


def workload(kind: str, name: str, **spec: Any) -> Resource:
    """A workload of a kind of apps/v1 or batch/v1, with label app=name on its pods."""
    group = "batch/v1" if kind in ("Job", "CronJob") else "apps/v1"
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "app"}]},
    }
    body = {"template": template, **spec}
    if kind == "CronJob":
        body = {"jobTemplate": {"spec": body}}
    return resource({"apiVersion": group, "kind": kind, "metadata": {"name": name}, "spec": body})


def serving(*ports: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    """The fields of a pod specification whose container declares these ports."""
    return {"containers": [{"name": "main", "image": "app", "ports": list(ports)}], **fields}


def policy(spec: Any, name: str = "default/policy") -> Resource:
    """A NetworkPolicy ``namespace/name``; `spec` as YAML text or as a value."""
    space, _, short = name.rpartition("/")
    return resource(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": short, "namespace": space or "default"},
            "spec": yaml.safe_load(spec) if isinstance(spec, str) else spec,
        }
    )


def cluster_policy(spec: Any, name: str = "wide", kind: str = "ClusterNetworkPolicy") -> Resource:
    """A cluster-wide policy; `spec` as YAML text or as a value."""
    version = "v1alpha2" if kind == "ClusterNetworkPolicy" else "v1alpha1"
    return resource(
        {
            "apiVersion": f"policy.networking.k8s.io/{version}",
            "kind": kind,
            "metadata": {"name": name},
            "spec": yaml.safe_load(spec) if isinstance(spec, str) else spec,
        }
    )


def node(name: str, *addresses: str, **labels: str) -> Resource:
    """A node with these addresses."""
    listed = [{"type": "InternalIP", "address": address} for address in addresses]
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {},
            "status": {"addresses": listed},
        }
    )


INGRESS: tuple[Direction, ...] = ("Ingress",)
EGRESS: tuple[Direction, ...] = ("Egress",)
