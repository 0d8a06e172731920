"""Edges from routes: what an Ingress, a Gateway's route or a mesh sends to a Service.

Forms: https://kubernetes.io/docs/concepts/services-networking/ingress/,
https://gateway-api.sigs.k8s.io/reference/spec/ (BackendRef),
https://docs.openshift.com/container-platform/latest/rest_api/network_apis/route-route-openshift-io-v1.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.facts.dependencies.edges import CONFIDENCE, Edge, Evidence, Outsider
from auditor.facts.dependencies.told import Directory
from auditor.facts.network.ways.doors import ingress_backends
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Resource, Snapshot

GATEWAY = "gateway.networking.k8s.io"
ROUTES = ("HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute")

Backend = tuple[Path, str, str, Any]
"""Where it stands, namespace and name of the Service, and its port (None: any; a name: text)."""


def routes(snapshot: Snapshot, directory: Directory) -> Iterator[Edge]:
    """An edge for each backend of each route."""
    for route, (path, space, name, port) in backends_of(snapshot):
        yield from _edges(route, path, directory, (space, name), port)


def backends_of(snapshot: Snapshot) -> Iterator[tuple[Resource, Backend]]:
    """Each backend of each route that names a Service."""
    for kind, backends in (
        ("Ingress", _of_ingress),
        *((kind, _of_route) for kind in ROUTES),
        ("Route", _of_openshift),
        ("VirtualService", _of_mesh),
    ):
        for route in snapshot.of_kind(kind):
            yield from ((route, backend) for backend in backends(route))


def _edges(
    route: Resource, path: Path, directory: Directory, service: tuple[str, str], port: Any
) -> Iterator[Edge]:
    source = Outsider(f"{route.ref.kind} {route.ref.namespace}/{route.ref.name}")
    for target, ports in directory.behind_name(*service, port):
        told = f"leads to Service {service[0]}/{service[1]}"
        yield Edge(
            source, target, ports, Evidence.ROUTE, CONFIDENCE[Evidence.ROUTE], told, route.ref, path
        )


def _of_ingress(route: Resource) -> Iterator[Backend]:
    for backend in ingress_backends(route):
        if isinstance(backend.service, str):
            yield backend.path, route.ref.namespace, backend.service, backend.port


def _of_route(route: Resource) -> Iterator[Backend]:
    if route.ref.group != GATEWAY:
        return
    for i, rule in enumerate(sequence(at(route.manifest, ("spec", "rules")))):
        for j, backend in enumerate(map(mapping, sequence(mapping(rule).get("backendRefs")))):
            name, space = backend.get("name"), backend.get("namespace", route.ref.namespace)
            ours = backend.get("kind", "Service") == "Service" and not backend.get("group")
            if ours and isinstance(name, str) and isinstance(space, str):
                yield ("spec", "rules", i, "backendRefs", j), space, name, backend.get("port")


def _of_openshift(route: Resource) -> Iterator[Backend]:
    if route.ref.group != "route.openshift.io":
        return
    port = at(route.manifest, ("spec", "port", "targetPort"))
    name = at(route.manifest, ("spec", "to", "name"))
    if isinstance(name, str):
        # The port is that of the pod, or the name of the Service's.
        yield ("spec", "to"), route.ref.namespace, name, port if isinstance(port, str) else None


def _of_mesh(route: Resource) -> Iterator[Backend]:
    if not route.ref.group.endswith("istio.io"):
        return
    for protocol in ("http", "tcp", "tls"):
        for i, rule in enumerate(sequence(at(route.manifest, ("spec", protocol)))):
            for j, each in enumerate(sequence(mapping(rule).get("route"))):
                path: Path = ("spec", protocol, i, "route", j, "destination")
                host = at(each, ("destination", "host"))
                named = _service_named(host, route.ref.namespace) if isinstance(host, str) else None
                if named:
                    yield path, *named, at(each, ("destination", "port", "number"))


def _service_named(host: str, home: str) -> tuple[str, str] | None:
    """Namespace and name of a Service, as Istio reads a host: a short name is of the namespace of
    the rule, and any other one with a dot is a whole name. None where it is outside of the cluster.
    https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination
    """
    name, *rest = host.split(".")
    if not rest:
        return home, name
    return (rest[0], name) if rest[1:2] == ["svc"] else None
