"""Who needs whom, read from what containers are told; and what is no address is none."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.configuration import told_of
from auditor.facts.dependencies import Dependency, Directory, dependencies_of
from auditor.facts.workloads import workloads_of
from auditor.model import Resource, Snapshot

from .network.cluster import pod, resource, serving


def service(name: str, *ports: dict[str, Any], **spec: Any) -> Resource:
    """A Service ``namespace/name`` that selects app=name."""
    space, _, short = name.rpartition("/")
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": short, "namespace": space or "default"},
            "spec": {"selector": {"app": short}, "ports": list(ports), **spec},
        }
    )


DB = pod("shop/db", **serving({"name": "sql", "containerPort": 5432}))
DB_SERVICE = service("shop/db", {"name": "sql", "port": 5432, "targetPort": "sql"})
QUEUE = resource(
    {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "queue", "namespace": "shop"},
        "spec": {
            "serviceName": "queue",
            "template": {
                "metadata": {"labels": {"app": "queue"}},
                "spec": {"containers": [{"name": "main", "image": "queue"}]},
            },
        },
    }
)
QUEUE_SERVICE = service("shop/queue", {"port": 9092}, clusterIP="None")
WORLD = (DB, DB_SERVICE, QUEUE, QUEUE_SERVICE)


def client(**container: Any) -> Resource:
    """A pod of namespace shop that is told something."""
    return pod("shop/web", containers=[{"name": "main", "image": "app", **container}])


def edges(*found: Resource) -> tuple[Dependency, ...]:
    """All edges of a cluster."""
    snapshot = Snapshot(found)
    workloads = workloads_of(snapshot)
    return dependencies_of(told_of(snapshot, workloads), Directory.of(snapshot, workloads))


def needs(*found: Resource) -> list[str]:
    """Target and ports of every edge."""
    return sorted(f"{edge.target.name} {edge.ports}" for edge in edges(*found))


def told(name: str, value: str) -> list[str]:
    """What a pod needs that has this environment variable."""
    return needs(client(env=[{"name": name, "value": value}]), *WORLD)


SQL = ["shop/db TCP 5432"]


@pytest.mark.parametrize(
    "value",
    [
        "postgres://user:pw@db:5432/x?sslmode=disable",
        "postgres://user:p@ss@db:5432/x",
        "postgresql+psycopg://db/x",
        "jdbc:postgresql://db:5432/orders",
        "jdbc:sqlserver://db:5432;databaseName=x",
        "jdbc:oracle:thin:@//db:5432/x",
        "user:pw@tcp(db:5432)/x?parseTime=true",
        "Server=tcp:db:5432;Database=x",
        "host=db port=5432 user=x",
        "http://db",
        "db:5432",
        "DB:5432",
        "db.shop",
        "db.shop:5432",
        "db.shop.svc",
        "db.shop.svc.cluster.local",
        "db.shop.svc.cluster.local.:5432",
        "db.shop.svc.k8s.example:5432",
        "other.example.org:5432,db:5432",
        "tcp://db:5432",
    ],
)
def test_an_address_is_known_under_any_name(value: str) -> None:
    """By its scheme, its port or its namespace."""
    assert told("ANYTHING", value) == SQL


@pytest.mark.parametrize(
    "value",
    [
        "db", "DB_NAME", "db/migrations", "db,web", "db:5433", "db:latest", "my-db:5432",
        "db.other",
        "xdb:5432", "postgres://localhost:5432/db", "postgres://elsewhere:5432/db?host=x",
        "/etc/db:5432", "https://example.org/db:5432", "user@db", "db.shop.example.org:5432", "",
        "a db b", "db:99999999999999999999", "::", "://", "@", "db:",
    ],
)  # fmt: skip
def test_what_is_no_address_needs_nobody(value: str) -> None:
    """A word that is the name of a Service by chance; another host; a port it does not have."""
    assert told("ANYTHING", value) == []


@pytest.mark.parametrize(
    "name",
    [
        "DB_HOST", "PGHOST", "PGHOSTADDR", "ORDERS_SERVICE", "DB_HOSTNAME",
        "DATABASE_URL", "db-addr", "spring.data.hosts",
        "dbServer", "UPSTREAM", "KAFKA_BROKERS", "CASSANDRA_NODES", "ES_ENDPOINT", "DB_DSN",
    ],
)  # fmt: skip
def test_a_name_alone_counts_where_an_address_is_meant(name: str) -> None:
    """DB_HOST=db and DB_PORT=5432 is how most people write it."""
    assert told(name, "db") == SQL


@pytest.mark.parametrize(
    "name",
    [
        "DB_NAME", "OTEL_SERVICE_NAME", "SCHEMA", "MODE", "HOST_KEY", "GHOST", "CURL", "LOGSERVER",
        "DD_SERVICE", "SERVICE", "HOSTNAME", "MY_HOST", "--service",
    ],
)  # fmt: skip
def test_a_name_alone_counts_nowhere_else(name: str) -> None:
    """A database and its Service often have one name; a container is told its own, too."""
    assert told(name, "db") == []
    assert told(name, "queue") == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ALLOWED_ORIGINS", "http://db"),
        ("CORS_ALLOWED_ORIGINS", "http://db:5432,https://queue:9092"),
        ("CORS_ORIGIN", "http://db:5432"),
        ("TRUSTED_ORIGINS", "http://db:5432"),
        ("ALLOWED_HOSTS", "db.shop,db"),
        ("NO_PROXY", "db.shop,.svc"),
        ("X", "--allowed-origins=http://db:5432"),
        ("SQLITE_FILE", "cache.db"),
        ("LOG_FILE", "db.queue"),
        ("SQLITE_FILE", "cache.queue"),
    ],
)
def test_who_may_come_is_nobody_to_ask(name: str, value: str) -> None:
    """Neither is a file whose ending is the name of a Service."""
    assert told(name, value) == []


def test_several_addresses_are_several_needs() -> None:
    """With commas, with spaces, with one scheme for all."""
    assert told("X", "db:5432,queue:9092") == ["shop/db TCP 5432", "shop/queue TCP 9092"]
    assert told("X", "db:5432 queue:9092") == ["shop/db TCP 5432", "shop/queue TCP 9092"]
    assert told("X", "kafka://u:p@db:5432,queue:9092/x") == [
        "shop/db TCP 5432",
        "shop/queue TCP 9092",
    ]


def test_a_pod_behind_a_headless_service_has_a_name() -> None:
    """As a StatefulSet gives it; and it can be asked on any port."""
    assert told("X", "queue-0.queue:9092") == ["shop/queue TCP 9092"]
    assert told("X", "queue-0.queue.shop.svc.cluster.local:7000") == ["shop/queue TCP 7000"]
    assert told("X", "db-0.db:5432") == []
    assert told("X", "cache.queue") == told("X", "queue-x.queue:9092") == []
    named = pod("shop/peer", hostname="one", subdomain="peers", containers=[{"name": "main"}])
    peers = service("shop/peer", {"port": 1}, clusterIP="None")
    peers = resource({**peers.manifest, "metadata": {"name": "peers", "namespace": "shop"}})
    for host, found in (("one.peers", ["shop/peer TCP 1"]), ("peer.peers", [])):
        one = client(env=[{"name": "X", "value": host}])
        assert needs(one, named, peers) == found


@pytest.mark.parametrize(
    "container",
    [
        {"args": ["--db=db:5432"]},
        {"args": ['--members=["db:5432"]']},
        {"args": ["--db-url=postgres://u:p@db:5432/x?sslmode=disable"]},
        {"args": ["--db-host=db"]},
        {"args": ["--db-host", "db"]},
        {"command": ["psql", "-h", "db"]},
        {"command": ["sh", "-c", "psql -h db -p 5432"]},
        {"command": ["sh", "-c", "exec app --server='db' --verbose"]},
        {"command": ["wait-for-it", "db:5432", "--", "app"]},
        {"env": [{"name": "PORT", "value": "5432"}], "args": ["db:$(PORT)"]},
    ],
)
def test_arguments_are_read(container: dict[str, Any]) -> None:
    """As flags with or without the sign, and inside of a line for the shell."""
    assert needs(client(**container), *WORLD) == SQL


def test_an_argument_that_is_a_word_needs_nobody() -> None:
    """`--name db` is no address."""
    for args in (["--name", "db"], ["db"], ["migrate", "db"], ["--db-host", "x", "db"], [3, None]):
        assert needs(client(args=args), *WORLD) == []


def test_variables_are_put_together_as_kubernetes_does() -> None:
    """From those before; $$ is a dollar; what is not known stays as it is written."""
    parts = [
        {"name": "NAME", "value": "db"},
        {"name": "PORT", "value": "5432"},
        {"name": "WHERE", "value": "$(NAME):$(PORT)"},
    ]
    assert needs(client(env=parts), *WORLD) == SQL
    assert needs(client(env=list(reversed(parts))), *WORLD) == []
    assert told("X", "$$(NAME):5432") == []
    assert told("X", "$(NAME):5432") == []


SETTINGS = resource(
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"},
        "data": {"db-host": "db", "queue": "queue:9092", "name": "db", "number": 3},
    }
)


def test_config_maps_are_followed() -> None:
    """By key, and as a whole; the evidence stands in the ConfigMap."""
    by_key = {"configMapKeyRef": {"name": "settings", "key": "db-host"}}
    one = client(env=[{"name": "WHERE_IT_IS", "valueFrom": by_key}])
    assert needs(one, SETTINGS, *WORLD) == []
    one = client(env=[{"name": "DB_HOST", "valueFrom": by_key}])
    (edge,) = edges(one, SETTINGS, *WORLD)
    assert (str(edge.ref), edge.path) == ("shop/settings[ConfigMap]", ("data", "db-host"))
    whole = client(envFrom=[{"configMapRef": {"name": "settings"}}])
    assert needs(whole, SETTINGS, *WORLD) == ["shop/db TCP 5432", "shop/queue TCP 9092"]
    elsewhere = pod("other/web", **dict(whole.manifest["spec"]))
    assert needs(elsewhere, SETTINGS, *WORLD) == []


def test_the_evidence_is_the_place_of_the_words() -> None:
    """In the manifest of the client."""
    one = client(env=[{"name": "A", "value": "x"}, {"name": "B", "value": "db:5432"}])
    (edge,) = edges(one, *WORLD)
    assert edge.path == ("spec", "containers", 0, "env", 1, "value")
    assert str(edge.ref) == "shop/web[Pod]"


def test_the_port_is_that_of_the_pod() -> None:
    """A Service may have another, and another protocol."""
    stats = pod("shop/stats", **serving({"name": "in", "containerPort": 8125, "protocol": "UDP"}))
    front = service("shop/stats", {"port": 80, "targetPort": "in", "protocol": "UDP"})
    one = client(env=[{"name": "X", "value": "stats:80"}])
    assert needs(one, stats, front) == ["shop/stats UDP 8125"]


def test_a_workload_does_not_need_itself() -> None:
    """A cluster whose members name each other is one workload."""
    spec: dict[str, Any] = {
        "containers": [{"name": "m", "env": [{"name": "X", "value": "db:5432"}]}]
    }
    assert needs(pod("shop/db", **spec), DB_SERVICE) == []


@pytest.mark.parametrize("spec", [{"selector": {}}, {"selector": None}, {"type": "ExternalName"}])
def test_a_service_without_pods_of_its_own_leads_to_nobody(spec: dict[str, Any]) -> None:
    """It stands for something outside."""
    one = client(env=[{"name": "X", "value": "db:5432"}])
    assert needs(one, DB, service("shop/db", {"port": 5432}, **spec)) == []
