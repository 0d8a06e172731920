"""Who needs whom: one graph, each edge with the place that shows it.

An edge is drawn where an environment variable (written out, or read from a ConfigMap) or an
argument names a Service as DNS resolves it, alone or as the host of a URL, with or without a port:
https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/

A word that happens to be the name of a Service is no address: a name alone counts where what it is
written under says so (``DB_HOST``, ``--server``), everywhere else only with a scheme, a port of
the Service or a namespace. A false edge would make a stranger of a database its client.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from auditor.facts.data import has_role
from auditor.facts.monitors import runs
from auditor.facts.network import PortSet
from auditor.facts.network.entries import Leads, Services
from auditor.facts.workloads import Container, Workload, at, mapping, sequence, texts
from auditor.model import Path, Ref, Resource, Snapshot

DATABASE_IMAGES = (
    "postgres", "postgresql", "timescaledb", "mysql", "mariadb", "percona", "percona-server",
    "mongo", "mongodb", "redis", "valkey", "memcached", "cassandra", "cockroach", "couchdb", "etcd",
    "elasticsearch", "opensearch", "neo4j", "influxdb", "clickhouse-server", "mssql/server",
    "oracle/database",
)  # fmt: skip
"""Ends of image repositories: programs that keep data for others."""

_ADDRESS = re.compile(
    r"(?P<scheme>(?:[a-z][a-z0-9+.-]*:)+@?//)?(?:[^/\s]*@)?(?:tcp[(:])?"
    r"(?P<host>[a-z0-9.-]+)(?::(?P<port>\d{1,5}))?\)?(?P<rest>[/?#:].*)?",
    re.IGNORECASE,
)
"""``scheme://user:password@host:port/path``, all but the host left out at will; also as Go's MySQL
driver (``user@tcp(host:port)/name``) and Oracle's JDBC driver (``…:@//host:port``) have it."""

_NAMES_AN_ADDRESS = re.compile(
    r"(?:hosts?|hostnames?|ur[il]s?|dsn|addr|addrs|address|addresses|servers?|service|endpoints?"
    r"|brokers?|upstreams?|(?:^|[_.-])nodes|(?:^|[_.-])peers|^-h)$",
    re.IGNORECASE,
)

_QUOTES = "\"'[]"

_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
"""How Kubernetes puts one variable into another: ``$(HOST):$(PORT)``; ``$$`` is one dollar."""


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


@dataclass(frozen=True, slots=True)
class Text:
    """Something that a container is told, what it is written under, and where."""

    key: str
    value: str
    ref: Ref
    path: Path


@dataclass(slots=True)
class Directory:
    """The Services by namespace and name, each with the workloads behind it. Not frozen: it is
    filled once, when made.
    """

    snapshot: Snapshot
    workloads: Sequence[Workload]
    _here: dict[tuple[str, str], Resource] = field(default_factory=dict)
    _behind: dict[tuple[str, str], list[tuple[Workload, list[Leads]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        services = Services(self.snapshot)
        for workload in self.workloads:
            leads = list(services.leads(workload))
            for service in services.of(workload):
                key = (service.ref.namespace, service.ref.name)
                self._here[key] = service
                mine = [lead for lead in leads if lead.service is service]
                self._behind.setdefault(key, []).append((workload, mine))

    def lookup(self, host: str, namespace: str) -> Resource | None:
        """The Service that a pod of `namespace` asks when it asks for `host`: by the Service's
        name, or by that of a pod behind a headless one. The domain of the cluster may be any.
        """
        name, *rest = host.lower().rstrip(".").split(".")
        if "svc" in rest:
            rest = rest[: rest.index("svc")]
        if len(rest) > 2:
            return None
        found = self._here.get((rest[0] if rest else namespace, name)) if len(rest) < 2 else None
        if found is None and rest:
            pods = self._here.get((rest[1] if rest[1:] else namespace, rest[0]))
            found = pods if pods and _is_headless(pods) else None
        return found

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


def is_database(workload: Workload) -> bool:
    """Whether the workload keeps data for others: declared as such, or known by its image."""
    declares = has_role(workload, "database")
    if declares is not None:
        return declares
    return any(runs(container, DATABASE_IMAGES) for container in workload.containers)


def dependencies_of(snapshot: Snapshot, workloads: Sequence[Workload]) -> tuple[Dependency, ...]:
    """Every edge of the snapshot. Cost: one look-up per word of what containers are told."""
    directory = Directory(snapshot, workloads)
    configs = {(c.ref.namespace, c.ref.name): c for c in snapshot.of_kind("ConfigMap")}
    found: dict[tuple[object, ...], Dependency] = {}
    for client in workloads:
        for text in _told(client, configs):
            for service, port in _mentions(text, client.ref.namespace, directory):
                for target, ports in directory.behind(service, port):
                    edge = Dependency(client, target, service, ports, text.ref, text.path)
                    found.setdefault((client.ref, target.ref, service.ref, ports), edge)
    return tuple(edge for edge in found.values() if edge.client.ref != edge.target.ref)


def _mentions(
    text: Text, namespace: str, directory: Directory
) -> Iterator[tuple[Resource, int | None]]:
    key = text.key
    for word in re.split(r"[\s,;|]+", text.value):
        under, equals, value = word.partition("=")
        # libpq, ADO.NET and flags have host=name; in a URL the sign belongs to the query.
        if not equals or "/" in under or ":" in under:
            under, value = key, word
        yield from _mentioned(under, value.strip(_QUOTES), namespace, directory)
        key = word if word.startswith("-") else text.key


def _mentioned(
    key: str, word: str, namespace: str, directory: Directory
) -> Iterator[tuple[Resource, int | None]]:
    match = _ADDRESS.fullmatch(word)
    if match is None:
        return
    port = int(match["port"]) if match["port"] else None
    certain = match["scheme"] or port is not None or "." in match["host"]
    if not certain and (match["rest"] or not _NAMES_AN_ADDRESS.search(key)):
        return
    service = directory.lookup(match["host"], namespace)
    if service:
        yield service, port


def _told(client: Workload, configs: Mapping[tuple[str, str], Resource]) -> Iterator[Text]:
    for container in client.containers:
        known: dict[str, str] = {}
        for text in _environment(client, container, configs):
            known[text.key] = value = _expanded(text.value, known)
            yield Text(text.key, value, text.ref, text.path)
        yield from _arguments(client, container, known)


def _expanded(value: str, known: Mapping[str, str]) -> str:
    """`value` with the variables before it put in, as the kubelet does; others stay written."""
    return _REFERENCE.sub(lambda match: known.get(match[1], match[0]) if match[1] else "$", value)


def _arguments(client: Workload, container: Container, known: Mapping[str, str]) -> Iterator[Text]:
    for name in ("command", "args"):
        flag = ""
        for index, word in enumerate(sequence(container.spec.get(name))):
            if isinstance(word, str):
                value = _expanded(word, known)
                yield Text(flag, value, client.ref, (*container.path, name, index))
                flag = word if word.startswith("-") else ""


def _environment(
    client: Workload, container: Container, configs: Mapping[tuple[str, str], Resource]
) -> Iterator[Text]:
    """In the order in which Kubernetes sets them: what is written one by one comes last."""
    namespace = client.ref.namespace
    for entry in map(mapping, sequence(container.spec.get("envFrom"))):
        prefix = entry.get("prefix")
        config = configs.get((namespace, str(at(entry, ("configMapRef", "name")))))
        for key, text in _values(config):
            yield Text(f"{prefix or ''}{key}", text.value, text.ref, text.path)
    for index, entry in enumerate(map(mapping, sequence(container.spec.get("env")))):
        name, value = str(entry.get("name")), entry.get("value")
        if isinstance(value, str):
            yield Text(name, value, client.ref, (*container.path, "env", index, "value"))
        chosen = mapping(at(entry, ("valueFrom", "configMapKeyRef")))
        config = configs.get((namespace, str(chosen.get("name"))))
        for key, text in _values(config):
            if key == chosen.get("key"):
                yield Text(name, text.value, text.ref, text.path)


def _values(config: Resource | None) -> Iterator[tuple[str, Text]]:
    if config is not None:
        for key, value in texts(config.manifest.get("data")).items():
            yield key, Text(key, value, config.ref, ("data", key))
