"""Stores that a workload asks and that are no workload of the snapshot: addresses outside of the
cluster, and databases that an operator makes of a custom resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from auditor.declared import Store
from auditor.facts.addresses import Address, addresses
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Ref, Resource, Snapshot
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

INSIDE = (".svc", ".local", ".localhost", ".localdomain", ".invalid", ".test")
"""Ends of names that lead nowhere outside."""
NO_STORES = ("www.w3.org", "json-schema.org", "xmlns.com", "purl.org")
"""Hosts whose addresses are names of vocabularies: nobody asks them."""
FILES = frozenset(
    (
        "json", "yaml", "yml", "xml", "properties", "conf", "cfg", "ini", "toml", "txt", "log",
        "sh", "py", "js", "ts", "html", "css", "jar", "war", "so", "crt", "key", "pem", "csv", "db",
        "sql", "md", "go", "lua", "rb", "env", "sock", "pid", "lock", "tmpl", "tpl",
    )
)  # fmt: skip
"""Ends of names of files, which look like those of hosts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An address outside that a workload is told."""

    host: str
    port: int | None
    ref: Ref
    """The object that says it."""
    path: Path


def outside(facts: Facts, workload: Workload) -> Iterator[Asked]:
    """The addresses outside of the cluster in what the workload is told, each host once. A name
    that nothing here has, and that has no domain, is taken to be a Service that was not read.
    """
    told = facts.told_by_key.get(workload.ref.key)
    seen: set[str] = set()
    for one in told.texts if told else ():
        for address in addresses(one):
            for host, ref, path in _hosts(facts, workload, address, one.ref, one.path):
                if host not in seen:
                    seen.add(host)
                    yield Asked(host, address.port, ref, path)


def _hosts(
    facts: Facts, workload: Workload, address: Address, ref: Ref, path: Path
) -> Iterator[tuple[str, Ref, Path]]:
    space = workload.ref.namespace
    if facts.directory.lookup(address.host, space):
        return
    alias = facts.aliases.get(_service_name(address.host, space))
    if alias:
        host = text(mapping(alias.manifest.get("spec")).get("externalName")).lower().rstrip(".")
        yield host, alias.ref, ("spec", "externalName")
    elif _is_outside(facts, address):
        yield address.host.rstrip("."), ref, path


def _service_name(host: str, namespace: str) -> tuple[str, str]:
    name, *rest = host.rstrip(".").split(".")
    return (rest[0] if rest else namespace), name


def _is_outside(facts: Facts, address: Address) -> bool:
    host = address.host.rstrip(".")
    number = _number(host)
    if number is not None:
        local = number.is_loopback or number.is_unspecified or number.is_link_local
        return not local and host not in facts.own_addresses
    if not (address.scheme or address.port or address.named) or "." not in host:
        return False
    *names, last = host.split(".")
    whole = all(names) and last.isalpha() and len(last) >= 2
    if not whole or last in FILES or host in NO_STORES:
        return False
    inside = host.endswith(INSIDE) or ".svc." in host
    # name.namespace: a Service that was not read.
    return not inside and not (len(names) == 1 and last in facts.namespaces)


def own_addresses(snapshot: Snapshot) -> Iterator[str]:
    """The addresses that the snapshot tells of its pods, Services and nodes."""
    for pod in snapshot.of_kind("Pod"):
        yield text(at(pod.manifest, ("status", "podIP")))
    for service in snapshot.of_kind("Service"):
        yield from map(text, sequence(at(service.manifest, ("spec", "clusterIPs"))))
        yield text(at(service.manifest, ("spec", "clusterIP")))
    for node in snapshot.of_kind("Node"):
        for address in sequence(at(node.manifest, ("status", "addresses"))):
            yield text(mapping(address).get("address"))


def _number(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def declaring(stores: tuple[Store, ...], asked: Asked, service: str = "") -> Store | None:
    """The declaration that means an address; None where there is none."""
    return next((store for store in stores if _means(store, asked, service)), None)


def _means(store: Store, asked: Asked, service: str) -> bool:
    if service and store.service == service:
        return True
    number = _number(asked.host)
    if number is not None:
        return any(number in ip_network(one, strict=False) for one in store.cidrs)
    return any(
        asked.host == host or (host.startswith("*.") and asked.host.endswith(host[1:]))
        for host in store.hosts
    )


OPERATORS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("postgresql.cnpg.io", "Cluster"): ("{}-rw", "{}-ro", "{}-r"),
    ("postgresql.cnpg.io", "Pooler"): ("{}",),
    ("kafka.strimzi.io", "Kafka"): ("{}-kafka-bootstrap", "{}-kafka-brokers"),
    ("acid.zalan.do", "postgresql"): ("{}", "{}-repl", "{}-pooler"),
    ("postgres-operator.crunchydata.com", "PostgresCluster"): (
        "{}-primary", "{}-replicas", "{}-pgbouncer", "{}-ha",
    ),
    ("pgv2.percona.com", "PerconaPGCluster"): ("{}-pgbouncer", "{}-primary", "{}-ha"),
    ("pxc.percona.com", "PerconaXtraDBCluster"): ("{}-haproxy", "{}-proxysql", "{}-pxc"),
    ("psmdb.percona.com", "PerconaServerMongoDB"): ("{}-rs0", "{}-mongos"),
    ("mongodbcommunity.mongodb.com", "MongoDBCommunity"): ("{}-svc",),
    ("mysql.oracle.com", "InnoDBCluster"): ("{}", "{}-instances"),
    ("k8s.mariadb.com", "MariaDB"): ("{}", "{}-primary", "{}-secondary"),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): ("{}-es-http",),
    ("opensearch.opster.io", "OpenSearchCluster"): ("{}",),
    ("rabbitmq.com", "RabbitmqCluster"): ("{}",),
    ("databases.spotahome.com", "RedisFailover"): ("rfs-{}", "rfrm-{}", "rfrs-{}"),
    ("redis.redis.opstreelabs.in", "RedisCluster"): ("{}-leader", "{}-follower"),
    ("redis.redis.opstreelabs.in", "Redis"): ("{}",),
    ("k8ssandra.io", "K8ssandraCluster"): ("{}-dc1-service",),
    ("scylla.scylladb.com", "ScyllaCluster"): ("{}-client",),
    ("clickhouse.altinity.com", "ClickHouseInstallation"): ("clickhouse-{}",),
    ("minio.min.io", "Tenant"): ("minio", "{}-hl"),
}  # fmt: skip
"""Group and kind → how the Services are called that its operator makes, ``{}`` for its name. From
the operators' own manuals."""


def made_by_operators(snapshot: Snapshot) -> Mapping[tuple[str, str], Resource]:
    """The custom resources behind Services that an operator will make, by namespace and name."""
    found = {}
    for (group, kind), names in OPERATORS.items():
        for resource in snapshot.of_kind(kind):
            if resource.ref.group == group:
                for name in names:
                    key = (resource.ref.namespace, name.format(resource.ref.name))
                    found[key] = resource
    return found


def kept_by_operators(facts: Facts, workload: Workload) -> Iterator[tuple[Resource, Ref, Path]]:
    """The databases of operators that the workload asks, each once, and where it names them."""
    told = facts.told_by_key.get(workload.ref.key)
    seen: set[Ref] = set()
    for one in told.texts if told and facts.operated else ():
        for address in addresses(one):
            found = facts.operated.get(_service_name(address.host, workload.ref.namespace))
            if found and found.ref not in seen:
                seen.add(found.ref)
                yield found, one.ref, one.path
