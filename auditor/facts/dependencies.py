"""Who needs whom: one graph, each edge with the place that shows it.

An edge is drawn where an environment variable, an argument or a file of a ConfigMap names a Service
as DNS resolves it: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/

A false edge would make a stranger of a database its client (see ``addresses``); a missing one
would cut a client off (see ``configuration`` for what is not read).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from auditor.facts.addresses import addresses
from auditor.facts.configuration import Text, Told
from auditor.facts.data import has_role
from auditor.facts.monitors import runs
from auditor.facts.network import PortSet
from auditor.facts.network.ways import Leads, Services
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Path, Ref, Resource, Snapshot

DATABASE_IMAGES = (
    "postgres", "postgresql", "timescaledb", "mysql", "mariadb", "percona", "percona-server",
    "mongo", "mongodb", "redis", "valkey", "memcached", "cassandra", "cockroach", "couchdb", "etcd",
    "elasticsearch", "opensearch", "neo4j", "influxdb", "clickhouse-server", "mssql/server",
    "oracle/database",
)  # fmt: skip
"""Ends of image repositories: programs that keep data for others."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """A client that names a Service, and one workload behind that Service."""

    client: Workload
    target: Workload
    service: Resource
    ports: PortSet
    """Ports of the target's pods that the named Service port leads to; those of all its ports
    where none is named."""
    ref: Ref
    path: Path
    """Where the client names the Service: in its own manifest or in a ConfigMap's."""


Named = tuple[tuple[Resource, int | None], ...]
"""Services, each with the port that was named."""


@dataclass(slots=True)
class Directory:
    """The Services by namespace and name, each with the workloads behind it. Not frozen: it is
    filled once, when made.
    """

    snapshot: Snapshot
    workloads: Sequence[Workload]
    _here: dict[tuple[str, str], Resource] = field(default_factory=dict)
    _behind: dict[tuple[str, str], list[tuple[Workload, list[Leads]]]] = field(default_factory=dict)
    _in_files: dict[tuple[Ref, Path], Named] = field(default_factory=dict)

    def __post_init__(self) -> None:
        services = Services(self.snapshot)
        for workload in self.workloads:
            leads = list(services.leads(workload))
            for service in services.of(workload):
                key = (service.ref.namespace, service.ref.name)
                self._here[key] = service
                mine = [lead for lead in leads if lead.service is service]
                self._behind.setdefault(key, []).append((workload, mine))

    def named_in(self, text: Text, namespace: str) -> Named:
        """The Services that `text` names to a pod of `namespace`, each with the port."""
        if not text.file:
            return tuple(self._named_in(text, namespace))
        # Many workloads may mount one file, and all of them are in its namespace.
        key = (text.ref, text.path)
        if key not in self._in_files:
            self._in_files[key] = tuple(self._named_in(text, namespace))
        return self._in_files[key]

    def _named_in(self, text: Text, namespace: str) -> Iterator[tuple[Resource, int | None]]:
        for address in dict.fromkeys(addresses(text)):
            service = self.lookup(address.host, namespace)
            if service:
                yield service, address.port

    def lookup(self, host: str, namespace: str) -> Resource | None:
        """The Service that a pod of `namespace` asks when it asks for `host`: by the Service's
        name, or by that of a pod behind a headless one. The domain of the cluster may be any.
        """
        name, *rest = host.rstrip(".").split(".")
        if "svc" in rest:
            rest = rest[: rest.index("svc")]
        if len(rest) > 2:
            return None
        found = self._here.get((rest[0] if rest else namespace, name)) if len(rest) < 2 else None
        if found is None and rest:
            pods = self._here.get((rest[1] if rest[1:] else namespace, rest[0]))
            found = pods if pods and self._has_pod(pods, name) else None
        return found

    def _has_pod(self, service: Resource, name: str) -> bool:
        """Whether DNS knows a pod of that name behind the Service."""
        behind = self._behind[service.ref.namespace, service.ref.name]
        return _is_headless(service) and any(
            re.fullmatch(pattern, name)
            for workload, _ in behind
            if (pattern := _host_names(workload, service.ref.name))
        )

    def behind(self, service: Resource, port: int | None) -> Iterator[tuple[Workload, PortSet]]:
        """The workloads behind `port` of the Service, with the ports of their pods; behind every
        port of it where that is None. None where the Service has no such port: nothing answers
        there, unless it is headless and the pods are asked themselves.
        """
        for workload, leads in self._behind[service.ref.namespace, service.ref.name]:
            found = PortSet.NONE
            for lead in leads:
                if port is None or lead.entry.get("port") == port:
                    found |= PortSet.of(lead.protocol, lead.number)
            if port is not None and not found and _is_headless(service):
                found = PortSet.of("TCP", port)
            if found or port is None:
                yield workload, found


def _is_headless(service: Resource) -> bool:
    return bool(at(service.manifest, ("spec", "clusterIP")) == "None")


def _host_names(workload: Workload, service: str) -> str:
    """A pattern for the names that DNS gives to its pods behind a headless Service; empty where
    it gives none: their subdomain has to be the Service.
    """
    spec = mapping(workload.resource.manifest.get("spec"))
    if workload.ref.kind == "StatefulSet" and spec.get("serviceName") == service:
        return rf"{re.escape(workload.ref.name)}-\d+"
    if workload.pod.get("subdomain") != service:
        return ""
    if workload.ref.kind == "Job" and spec.get("completionMode") == "Indexed":
        return rf"{re.escape(workload.ref.name)}-\d+"
    host = workload.pod.get("hostname")
    return re.escape(host) if isinstance(host, str) else ""


def is_database(workload: Workload) -> bool:
    """Whether the workload keeps data for others: declared as such, or known by its image."""
    declares = has_role(workload, "database")
    if declares is not None:
        return declares
    return any(runs(container, DATABASE_IMAGES) for container in workload.containers)


def dependencies_of(snapshot: Snapshot, told: Sequence[Told]) -> tuple[Dependency, ...]:
    """Every edge of the snapshot, by what its workloads are told. Costs one look-up for each
    address in that.
    """
    directory = Directory(snapshot, [each.workload for each in told])
    found: dict[tuple[object, ...], Dependency] = {}
    for each in told:
        client = each.workload
        for text in each.texts:
            for service, port in directory.named_in(text, client.ref.namespace):
                for target, ports in directory.behind(service, port):
                    edge = Dependency(client, target, service, ports, text.ref, text.path)
                    found.setdefault((client.ref, target.ref, service.ref, ports), edge)
    return tuple(edge for edge in found.values() if edge.client.ref != edge.target.ref)
