"""The fact `clientele`: who asks a Service by its name, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.dependencies import Dependency
from auditor.facts.forms import as_object
from auditor.facts.monitors.known import runs
from auditor.facts.network.ways.services import external_name, is_headless, ports_of
from auditor.facts.roles import is_role
from auditor.facts.routing.meshed import is_meshed
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, texts
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

ONE_WRITER = (
    "postgres", "postgresql", "timescaledb", "spilo", "mysql", "mariadb", "percona",
    "percona-server", "redis", "valkey",
)  # fmt: skip
"""Ends of image repositories: databases of which one member takes the writes, and whose clients do
not look for it themselves. (Those of MongoDB, Cassandra, Elasticsearch and etcd do.)"""
READING = frozenset(
    (
        "ro", "r", "read", "reader", "readonly", "replica", "replicas", "slave", "standby",
        "secondary",
    )
)  # fmt: skip
"""Words in names of Services for reading."""
KEPT_OPEN = frozenset(("grpc", "http2", "kubernetes.io/h2c"))
"""Names of ports, up to a dash, and protocols whose connections carry many requests."""
CERTAIN = 0.6
"""From which confidence on somebody counts as a client."""


def clientele(facts: Facts, service: Resource) -> Told | None:
    """The fact `clientele` for policies, about a Service that somebody asks.

    ``asking``: the clients (``namespace/name``) and routes (``Ingress shop/web``) that name it;
    ``headless``; ``instances``: how many there are to choose from, in words, or null where there is
    one, or a mesh or the client itself chooses; ``open``: the ports with connections that stay
    open, each with its ``path`` and ``number``; ``members``: the database of one writer of which a
    client is led to any member, or null. None of any other kind, and where nobody is known to ask.
    """
    if (service.ref.group, service.ref.kind) != ("", "Service") or external_name(service):
        return None
    edges = [
        edge for edge in facts.asked_through.get(service.ref.key, ()) if edge.confidence >= CERTAIN
    ]
    routes = facts.routes_to.get(service.ref.key, ())
    behind = facts.directory.workloads_behind(service)
    if not behind or not (edges or routes):
        return None
    clients = {edge.client.ref.key: edge.client for edge in edges}
    return {
        "asking": _some(
            [client.name for client in clients.values()]
            + [f"{route.ref.kind} {_name(route)}" for route, _ in routes]
        ),
        "headless": is_headless(service),
        "instances": _instances(facts, service, behind, clients.values()),
        "open": [*_kept_open(service)] if clients else [],
        "members": _written(service, behind, [client.name for client in clients.values()]),
        "evidence": [*_evidence(edges), *_by_routes(facts, service)],
    }


def _name(resource: Resource) -> str:
    return f"{resource.ref.namespace}/{resource.ref.name}"


def _some(names: Sequence[str]) -> str:
    """The first three of them, in words."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _instances(
    facts: Facts, service: Resource, behind: Iterable[Workload], clients: Iterable[Workload]
) -> str | None:
    """How many instances a connection may go to, where the Service chooses."""
    if is_headless(service) or any(is_meshed(facts, client) for client in clients):
        return None
    if any(_is_scaled(facts, workload) for workload in behind):
        return "instances, whose number an autoscaler changes"
    replicas = sum(workload.replicas for workload in behind)
    return f"{replicas} instances" if replicas > 1 else None


def _kept_open(service: Resource) -> Iterator[Told]:
    """The ports whose connections stay open for many requests, by name or by protocol."""
    for path, port in ports_of(service):
        name, protocol = text(port.get("name")), text(port.get("appProtocol"))
        if name.partition("-")[0] in KEPT_OPEN or protocol in KEPT_OPEN:
            yield {"path": path, "number": port.get("port")}


def _written(service: Resource, behind: Iterable[Workload], clients: Sequence[str]) -> Told | None:
    """The database of which `clients` are led to any member, and only one takes writes: none where
    the selector asks for a role, the name says that it is for reading, or the client chooses.
    """
    asked = texts(at(service.manifest, ("spec", "selector")))
    if not clients or is_headless(service) or any(is_role(*each) for each in asked.items()):
        return None
    if is_for_reading(service):
        return None
    found = next(filter(None, map(_members, behind)), None)
    return {**found, "clients": _some(clients)} if found else None


def is_for_reading(service: Resource) -> bool:
    """Whether the name of a Service says that it is for reading."""
    return not READING.isdisjoint(service.ref.name.split("-"))


def _is_scaled(facts: Facts, workload: Workload) -> bool:
    """Whether an autoscaler names it."""
    return any(
        scaler.ref.namespace == workload.ref.namespace
        and text(at(scaler.manifest, ("spec", "scaleTargetRef", "name"))) == workload.ref.name
        and text(at(scaler.manifest, ("spec", "scaleTargetRef", "kind"))) == workload.ref.kind
        for scaler in facts.snapshot.of_kind("HorizontalPodAutoscaler", "ScaledObject")
    )


def _members(workload: Workload) -> Told | None:
    """What the workload is, if it is several members of a database of one writer."""
    if workload.ref.kind != "StatefulSet" or workload.replicas < 2:
        return None
    for container in workload.containers:
        if container.list == "containers" and runs(container, ONE_WRITER):
            image = str(container.spec.get("image"))
            return {"name": workload.name, "count": workload.replicas, "image": image}
    return None


def _evidence(edges: list[Dependency]) -> Iterator[Told]:
    for edge in edges[:3]:
        told = f"{edge.client.name} asks it"
        yield {"message": told, "object": as_object(edge.ref), "path": edge.path}


def _by_routes(facts: Facts, service: Resource) -> Iterator[Told]:
    for route, path in facts.routes_to.get(service.ref.key, ())[:3]:
        told = f"{route.ref.kind} {_name(route)} leads to it"
        yield {"message": told, "object": as_object(route.ref), "path": path}
