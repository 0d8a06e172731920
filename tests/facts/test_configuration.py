"""What containers are told, and what of it nobody here can read."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts
from auditor.facts.configuration import LONGEST, LONGEST_OF_ALL
from auditor.model import Resource, Settings, Snapshot, Unseen

from .network.cluster import pod, resource
from .test_dependencies import SQL, WORLD, client, edges, needs


def config(data: dict[str, Any], name: str = "settings", **fields: Any) -> Resource:
    """A ConfigMap of namespace shop."""
    metadata = {"name": name, "namespace": "shop"}
    return resource(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data, **fields}
    )


def mounting(volume: dict[str, Any], **mount: Any) -> Resource:
    """A pod of namespace shop that mounts a volume."""
    seen = {"name": "config", "mountPath": "/etc/app", **mount}
    container = {"name": "main", "image": "app", "volumeMounts": [seen]}
    return pod("shop/web", containers=[container], volumes=[{"name": "config", **volume}])


SETTINGS = {"configMap": {"name": "settings"}}


def chosen(key: str, path: str) -> dict[str, Any]:
    """A volume with one key of the ConfigMap, as a file of another name."""
    return {"configMap": {"name": "settings", "items": [{"key": key, "path": path}]}}


def in_file(text: str) -> list[str]:
    """Whom a pod needs that mounts a file with this text."""
    return needs(mounting(SETTINGS), config({"app.conf": text}), *WORLD)


@pytest.mark.parametrize(
    "text",
    [
        'scrape_configs:\n  - static_configs:\n      - targets: ["db.shop:5432"]\n',
        "targets:\n  - db.shop:5432\n  - elsewhere:1\n",
        '{"a": {"b": ["x", "postgres://u:p@db:5432/x"]}}',
        '{"database":{"host":"db","port":5432},"log":"info"}',
        "spring.datasource.url=jdbc:postgresql://db:5432/x\n",
        "db.host = db\n",
        "cache:\n  address: db\n",
        "upstream x {\n  server db:5432 weight=1;\n}\n",
        "location / { proxy_pass http://db; }\n",
        '<property name="url" value="jdbc:postgresql://db:5432/x"/>\n',
        "#!/bin/sh\nset -e\nexec psql -h db -p 5432\n",
        "first line\r\nhost: db.shop.svc.cluster.local\r\n",
        "exec app --db-host=db\n",
    ],
)
def test_a_config_map_that_is_mounted_is_read(text: str) -> None:
    """In whatever format: Prometheus, YAML, JSON, properties, nginx, XML, a script."""
    assert in_file(text) == SQL


@pytest.mark.parametrize(
    "text",
    [
        "the db is asked for names",
        "name: db\n",
        "schema: db.sql\n",
        "# host: db\n  # was http://db:5432\n; host=db\n// http://db:5432",
        "db.shop: a database\n",
        "db.shop=4\n",
        "cors_allowed_origins: [http://db:5432, http://db]\n",
        '{"allowedOrigins": ["http://db:5432"]}',
        "host: the db of the shop\n",
        "http://elsewhere:5432/db?host=db\n",
        "db:5433",
        "host:\n",
    ],
)
def test_a_file_that_only_speaks_of_it_needs_nobody(text: str) -> None:
    """A word, a comment, a key, the origins that may come, a port that it does not have."""
    assert in_file(text) == []


def test_the_evidence_stands_in_the_config_map() -> None:
    """Which is where people would look."""
    (edge,) = edges(mounting(SETTINGS), config({"app.conf": "http://db:5432"}), *WORLD)
    assert (str(edge.ref), edge.path) == ("shop/settings[ConfigMap]", ("data", "app.conf"))


@pytest.mark.parametrize(
    ("volume", "mount", "found"),
    [
        (SETTINGS, {}, ["shop/db", "shop/queue"]),
        ({"projected": {"sources": [SETTINGS]}}, {}, ["shop/db", "shop/queue"]),
        (chosen("a", "x"), {}, ["shop/db"]),
        (SETTINGS, {"subPath": "b"}, ["shop/queue"]),
        (SETTINGS, {"subPath": "c"}, []),
        (chosen("a", "x/y"), {"subPath": "x"}, ["shop/db"]),
        (chosen("a", "x/y"), {"subPath": "y"}, []),
        (SETTINGS, {"name": "another"}, []),
        ({"emptyDir": {}}, {}, []),
    ],
)  # fmt: skip
def test_only_what_a_container_sees_counts(volume: Any, mount: Any, found: list[str]) -> None:
    """Chosen keys, one file of the volume, or a volume that nobody mounts."""
    data = config({"a": "http://db:5432", "b": "queue:9092"})
    told = edges(mounting(volume, **mount), data, *WORLD)
    assert sorted(edge.target.name for edge in told) == found


def test_a_document_in_a_variable_is_read_as_one() -> None:
    """SPRING_APPLICATION_JSON has keys of its own."""
    value = '{"redis": {"host": "db"}}'
    assert needs(client(env=[{"name": "APPLICATION_JSON", "value": value}]), *WORLD) == SQL


def test_many_pods_mount_one_file() -> None:
    """Each of them needs whom it names, by the names of its own namespace."""
    spec = dict(mounting(SETTINGS).manifest["spec"])
    found = edges(*(pod(f"shop/{n}", **spec) for n in "ab"), config({"x": "db:5432"}), *WORLD)
    assert [edge.client.name for edge in found] == ["shop/a", "shop/b"]


def from_key(kind: str, **chosen: str) -> Resource:
    """A pod with one variable that takes its value from a key."""
    return client(env=[{"name": "A", "valueFrom": {f"{kind}KeyRef": chosen}}])


def unread(*found: Resource) -> list[str]:
    """What is not read of the configuration of shop/web."""
    return list(Facts(Snapshot(found), Settings()).unread.get(("", "Pod", "shop", "web"), ()))


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (from_key("secret", name="db", key="u"), "Secret db, key u"),
        (client(envFrom=[{"secretRef": {"name": "db"}}]), "Secret db, every key of it"),
        (mounting({"secret": {"secretName": "db"}}), "Secret db mounted at /etc/app"),
        (
            mounting({"projected": {"sources": [{"secret": {"name": "db"}}]}}),
            "Secret db mounted at /etc/app",
        ),
        (
            mounting({"csi": {"driver": "secrets-store.csi.k8s.io"}}),
            "secrets of secrets-store.csi.k8s.io mounted at /etc/app",
        ),
        (
            client(envFrom=[{"configMapRef": {"name": "x"}}]),
            "ConfigMap x, which is not among the objects",
        ),
        (
            from_key("configMap", name="x", key="a"),
            "ConfigMap x, which is not among the objects",
        ),
        (
            mounting({"configMap": {"name": "x"}}),
            "ConfigMap x, which is not among the objects",
        ),
        (from_key("file", key="a"), "variable A, from its fileKeyRef"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named(one: Resource, told: str) -> None:
    """Whom it makes the workload ask, nobody here knows."""
    assert unread(one, *WORLD) == [told]


@pytest.mark.parametrize(
    "one",
    [
        client(env=[{"name": "A", "value": "b"}]),
        client(env=[{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        client(envFrom=[{"configMapRef": {"name": "x", "optional": True}}]),
        mounting({"configMap": {"name": "x", "optional": True}}),
        mounting({"secret": {"secretName": "db"}}, name="another"),
        mounting(SETTINGS),
    ],
)
def test_what_is_read_or_not_there_is_not_named(one: Resource) -> None:
    """A ConfigMap that may be missing, and a volume that nobody mounts."""
    assert unread(one, config({"a": "b"}), *WORLD) == []


def test_binary_files_are_not_read() -> None:
    """They may hold anything."""
    odd = config({"a": "b"}, binaryData={"c": "AAAA"})
    assert unread(mounting(SETTINGS), odd) == ["ConfigMap settings, binary key c"]


def doubling(levels: int, first: str = "ten bytes!") -> list[dict[str, str]]:
    """Variables each of which holds the one before ten times."""
    env = [{"name": "V0", "value": first}]
    env += [{"name": f"V{i}", "value": f"$(V{i - 1})" * 10} for i in range(1, levels + 1)]
    return env


def told(*found: Resource) -> Facts:
    """The facts of a cluster, with its edges worked out."""
    facts = Facts(Snapshot(found), Settings())
    assert facts.dependencies is not None
    return facts


def test_variables_that_grow_without_end_are_a_gap() -> None:
    """Ten levels of ten are ten thousand million characters, in a kilobyte of YAML."""
    facts = told(client(env=[*doubling(10), {"name": "DB_HOST", "value": "db"}]), *WORLD)
    first = next(iter(facts.gaps.values()))
    assert first.what == "variable V4 of container 'main' of shop/web[Pod]"
    assert first.severity is Unseen.UNKNOWN
    assert [edge.target.name for edge in facts.dependencies] == ["shop/db"]
    assert (
        "variable V4 of container 'main', which grows too long"
        in facts.unread["", "Pod", "shop", "web"]
    )


def test_many_long_variables_of_one_container_are_a_gap() -> None:
    """Each of them is short enough, all of them are not."""
    long = {"name": "LONG", "value": "x" * (LONGEST - 1)}
    few, many = LONGEST_OF_ALL // LONGEST, LONGEST_OF_ALL // LONGEST + 1
    for count, told_of in ((few, []), (many, [f"variable C{few} of container 'main'"])):
        copies = [{"name": f"C{i}", "value": "$(LONG)"} for i in range(count)]
        gaps = told(client(env=[long, *copies])).gaps.values()
        assert [gap.what.removesuffix(" of shop/web[Pod]") for gap in gaps] == told_of


def test_arguments_that_grow_are_a_gap_too() -> None:
    """The variables fit, and what is made of them does not."""
    args = ["$(V3)" * 10]
    facts = told(client(env=doubling(3), args=args))
    assert [gap.what for gap in facts.gaps.values()] == [
        "args[0] of container 'main' of shop/web[Pod]"
    ]


def test_a_long_value_without_references_is_no_gap() -> None:
    """It is as long as somebody wrote it."""
    assert told(client(env=[{"name": "A", "value": "x" * 10 * LONGEST}])).gaps == {}


def test_a_file_of_a_megabyte_is_read() -> None:
    """What it holds is no reason to stop: a long word, many marks, many names."""
    size = 1 << 18
    for text in (
        "a" * size,
        "a:" * size,
        "a." * size,
        "@" * size,
        ",a" * size,
        "- " * size,
        "a-" * size,
    ):
        assert in_file(f"{text}\nhost: db\n") == SQL


HUGE = 10**5000
"""A number too long for Python to print."""


JUNK: list[Any] = [HUGE, None, 7, "x", [], {}, [7], {"name": HUGE}, [{"name": []}]]


@pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize(
    "path",
    [
        ("env",), ("env", 0), ("env", 0, "name"), ("env", 0, "value"), ("env", 0, "valueFrom"),
        ("env", 0, "valueFrom", "secretKeyRef"), ("env", 0, "valueFrom", "secretKeyRef", "key"),
        ("envFrom",), ("envFrom", 0), ("envFrom", 0, "prefix"), ("envFrom", 0, "secretRef"),
        ("volumeMounts",), ("volumeMounts", 0), ("volumeMounts", 0, "mountPath"), ("args", 0),
    ],
)  # fmt: skip
def test_nothing_that_is_written_breaks_the_reading(path: Any, junk: Any) -> None:
    """Manifests hold anything."""
    container: Any = {
        "name": "main",
        "env": [{"name": "A", "value": "b", "valueFrom": {"secretKeyRef": {"name": "a"}}}],
        "envFrom": [{"prefix": "P", "secretRef": {"name": "x"}, "configMapRef": {"name": "y"}}],
        "volumeMounts": [{"name": "config", "mountPath": "/x", "subPath": "y"}],
        "args": ["a"],
    }  # fmt: skip
    *way, last = path
    inner = container
    for step in way:
        inner = inner[step]
    inner[last] = junk
    volumes = [{"name": "config", "secret": {"secretName": junk}, "configMap": {"items": junk}}]
    facts = told(pod("shop/web", containers=[container], volumes=volumes), *WORLD)
    assert [str(edge.target.ref) for edge in facts.dependencies] == []
    assert all(isinstance(text, str) for said in facts.unread.values() for text in said)
