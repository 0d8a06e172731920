"""Who needs whom by what containers are told.

An edge is drawn where an environment variable, an argument or a file of a ConfigMap names a Service
as DNS resolves it: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/

A false edge would make a stranger of a database its client (see ``addresses``); a missing one
would cut a client off (see ``configuration`` for what is not read).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from auditor.facts.addresses import Address, addresses
from auditor.facts.configuration import Text, Told
from auditor.facts.data import has_role
from auditor.facts.dependencies.edges import CONFIDENCE, Evidence
from auditor.facts.monitors.known import runs
from auditor.facts.network import PortSet
from auditor.facts.network.ways import Leads, Services
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Key, Path, Ref, Resource, Snapshot
from auditor.values import dataclass

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
    kind: Evidence = Evidence.ENVIRONMENT
    confidence: float = 0.8


Named = tuple[tuple[Resource, Address], ...]
"""Services, each with the address that named it."""

PLAIN = ("", "http", "https", "grpc", "tcp")
"""Schemes of addresses that name a Service as surely as its bare name does."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A workload, the Services that lead to it, and how."""

    workload: Workload
    services: tuple[Resource, ...]
    leads: tuple[Leads, ...]

    @classmethod
    def among(cls, services: Services, workload: Workload) -> Placed:
        """As these Services have it."""
        found = services.of(workload)
        return cls(workload, found, services.leads(workload) if found else ())


class Directory:
    """The Services by namespace and name, each with the workloads behind it."""

    def __init__(self, placed: Iterable[Placed]) -> None:
        self.served = tuple(each for each in placed if each.services)
        """The workloads that some Service leads to."""
        self._here: dict[tuple[str, str], Resource] = {}
        self._behind: dict[tuple[str, str], list[tuple[Workload, list[Leads]]]] = {}
        self._of: dict[Key, list[Resource]] = {}
        self._leads: dict[Key, tuple[Leads, ...]] = {}
        self._in_files: dict[tuple[Ref, Path], Named] = {}
        for each in self.served:
            mine = each.workload.ref.key
            self._leads[mine] = (*self._leads.get(mine, ()), *each.leads)
            for service in each.services:
                key = (service.ref.namespace, service.ref.name)
                self._here[key] = service
                self._of.setdefault(mine, []).append(service)
                through = [lead for lead in each.leads if lead.service is service]
                self._behind.setdefault(key, []).append((each.workload, through))

    @classmethod
    def of(cls, snapshot: Snapshot, workloads: Iterable[Workload]) -> Directory:
        """That of the workloads of a snapshot."""
        services = Services(snapshot)
        return cls(Placed.among(services, workload) for workload in workloads)

    def is_of(self, placed: Iterable[Placed]) -> bool:
        """Whether a directory of workloads that are placed so would be this one."""
        served = tuple(each for each in placed if each.services)
        same = len(served) == len(self.served)
        return same and all(a is b for a, b in zip(served, self.served, strict=True))

    def without_files(self) -> Directory:
        """The same, where files may say something else than before."""
        return Directory(self.served)

    def services_of(self, workload: Workload) -> tuple[Resource, ...]:
        """The Services that lead to pods of the workload."""
        return tuple(self._of.get(workload.ref.key, ()))

    def leads_to(self, workload: Workload) -> tuple[Leads, ...]:
        """Every port of a Service that leads to pods of the workload, and to which of theirs."""
        return self._leads.get(workload.ref.key, ())

    def named_in(self, text: Text, namespace: str) -> Named:
        """The Services that `text` names to a pod of `namespace`, each with the port."""
        if not text.file:
            return tuple(self._named_in(text, namespace))
        # Many workloads may mount one file, and all of them are in its namespace.
        key = (text.ref, text.path)
        if key not in self._in_files:
            self._in_files[key] = tuple(self._named_in(text, namespace))
        return self._in_files[key]

    def _named_in(self, text: Text, namespace: str) -> Iterator[tuple[Resource, Address]]:
        for address in dict.fromkeys(addresses(text)):
            service = self.lookup(address.host, namespace)
            if service:
                yield service, address

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

    def workloads_behind(self, service: Resource) -> tuple[Workload, ...]:
        """The workloads that the Service leads to, or may."""
        behind = self._behind.get((service.ref.namespace, service.ref.name), ())
        return tuple(workload for workload, _ in behind)

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

    def behind_name(
        self, namespace: str, name: str, port: object
    ) -> Iterator[tuple[Workload, PortSet]]:
        """The workloads behind a Service that is named outright, as `behind` has them; `port` may
        be the name of one too. None where there is no such Service.
        """
        service = self._here.get((namespace, name))
        if service is None:
            return
        if isinstance(port, str) and port:
            yield from self._behind_called(service, port)
        elif port is None or (isinstance(port, int) and not isinstance(port, bool)):
            yield from self.behind(service, port)

    def _behind_called(self, service: Resource, name: str) -> Iterator[tuple[Workload, PortSet]]:
        for workload, leads in self._behind[service.ref.namespace, service.ref.name]:
            found = PortSet.NONE
            for lead in leads:
                if lead.entry.get("name") == name:
                    found |= PortSet.of(lead.protocol, lead.number)
            if found:
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


def dependencies_of(told: Iterable[Told], directory: Directory) -> tuple[Dependency, ...]:
    """Every edge from these workloads, by what they are told. Costs one look-up for each address in
    that.
    """
    found = (edge for each in told for edge in _edges(each, directory))
    return joined(edge for edge in found if edge.client.ref != edge.target.ref)


def joined(edges: Iterable[Dependency]) -> tuple[Dependency, ...]:
    """The edges, of several that differ only in where they are written the surest. People look at
    the first place that is as sure as any.
    """
    found: dict[tuple[object, ...], Dependency] = {}
    for edge in edges:
        key = (edge.client.ref, edge.target.ref, edge.service.ref, edge.ports)
        if key not in found or found[key].confidence < edge.confidence:
            found[key] = edge
    return tuple(found.values())


def _edges(told: Told, directory: Directory) -> Iterator[Dependency]:
    client = told.workload
    for text in told.texts:
        for service, address in directory.named_in(text, client.ref.namespace):
            kind, confidence = _evidence(client, text, address)
            for target, ports in directory.behind(service, address.port):
                yield Dependency(
                    client, target, service, ports, text.ref, text.path, kind, confidence
                )


def _evidence(client: Workload, text: Text, address: Address) -> tuple[Evidence, float]:
    """What kind of evidence the text is, and how sure."""
    if text.ref.kind == "ConfigMap":
        kind = Evidence.CONFIG_MAP
    else:
        kind = Evidence.ENVIRONMENT if "env" in text.path else Evidence.ARGUMENT
    if text.ref == client.ref and _waits(client, text.path):
        return Evidence.WAIT, CONFIDENCE[Evidence.WAIT]
    if text.composed or address.scheme not in PLAIN:
        return kind, CONFIDENCE[Evidence.URL]
    return kind, CONFIDENCE[kind]


def _waits(client: Workload, path: Path) -> bool:
    """Whether it stands in an init container that ends before the others begin."""
    return any(
        container.list == "initContainers"
        and path[: len(container.path)] == container.path
        and container.spec.get("restartPolicy") != "Always"
        for container in client.containers
    )
