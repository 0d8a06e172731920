"""Small meshes for the tests: a target with a sidecar, its callers, and policies as people write
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from auditor.facts.network import Identity, Peer, Request, Ruling, World
from auditor.facts.network.istio import Mesh
from auditor.facts.workloads import Workload, workloads_of
from auditor.model import Resource, Snapshot
from tests.facts.network import cluster

PROXY = {"name": "istio-proxy", "image": "istio/proxyv2"}

OUTSIDE = World("203.0.113.7")

PORTS = (
    {"name": "http-api", "port": 80, "targetPort": 8080},
    {"name": "tcp-db", "port": 5432, "targetPort": 5432},
    {"name": "something", "port": 7000, "targetPort": 7000},
)


@dataclass(frozen=True, slots=True)
class Small:
    """A mesh with its workloads by ``namespace/name``."""

    mesh: Mesh
    workloads: dict[str, Workload]

    def ask(self, caller: str | Peer | Identity, request: Request) -> Ruling:
        """What becomes of a request to the target."""
        peer = self.workloads[caller] if isinstance(caller, str) else caller
        return self.mesh.ruling(peer, self.target, request)

    @property
    def target(self) -> Workload:
        return self.workloads["pii/customers"]

    def get(self, caller: str | Peer | Identity, path: str, **fields: Any) -> str:
        """The verdict on a GET."""
        return str(self.ask(caller, get(path, **fields)).verdict)


def get(path: str = "/", **fields: Any) -> Request:
    """A GET of the target's API."""
    given = {"port": 8080, "method": "GET", "host": "customers", **fields}
    return Request(path=path, **given)


def tcp(port: int = 5432, **fields: Any) -> Request:
    """Bytes that are no HTTP."""
    return Request(port=port, **fields)


def pod(name: str, ip: str, account: str = "", *, proxied: bool = True) -> Resource:
    """A pod ``namespace/name`` that runs, with its sidecar."""
    containers = [{"name": "app", "image": "app"}, *([PROXY] if proxied else [])]
    short = account or name.rpartition("/")[2]
    return cluster.pod(name, ip=ip, containers=containers, serviceAccountName=short)


def small(*policies: str | Resource, mesh: str = "") -> Small:
    """A target ``pii/customers`` with policies (the YAML of a whole object, or of the specification
    of an ALLOW policy of its namespace), a monitor, a shop, and a pod without sidecar.
    """
    objects = [
        cluster.namespace("pii"),
        pod("pii/customers", "10.0.0.1"),
        pod("monitoring/prometheus", "10.0.1.1"),
        pod("shop/frontend", "10.0.2.1"),
        pod("shop/legacy", "10.0.2.9", proxied=False),
        cluster.resource(SERVICE),
        *(each if isinstance(each, Resource) else policy(each) for each in policies),
    ]
    if mesh:
        objects.append(configuration(mesh))
    return of(*objects)


def of(*objects: Resource) -> Small:
    """The mesh of these objects."""
    snapshot = Snapshot(tuple(objects))
    return Small(Mesh(snapshot), {w.name: w for w in workloads_of(snapshot)})


def configuration(mesh: str, name: str = "istio") -> Resource:
    """The settings of the mesh."""
    metadata = {"name": name, "namespace": "istio-system"}
    data = {"mesh": mesh}
    return cluster.resource(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    )


SERVICE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "customers", "namespace": "pii"},
    "spec": {"selector": {"app": "customers"}, "ports": list(PORTS)},
}


def policy(spec: Any, name: str = "pii/policy", **metadata: Any) -> Resource:
    """An AuthorizationPolicy ``namespace/name``; `spec` as YAML text or as a value."""
    return _object("AuthorizationPolicy", spec, name, metadata)


def peer(spec: Any, name: str = "pii/peers", **metadata: Any) -> Resource:
    """A PeerAuthentication ``namespace/name``; `spec` as YAML text or as a value."""
    return _object("PeerAuthentication", spec, name, metadata)


def _object(kind: str, spec: Any, name: str, metadata: dict[str, Any]) -> Resource:
    space, _, short = name.rpartition("/")
    return cluster.resource(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": kind,
            "metadata": {"name": short, "namespace": space, **metadata},
            "spec": yaml.safe_load(spec) if isinstance(spec, str) else spec,
        }
    )
