"""What a workload declares of its data, its clients and its health API."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.declared import DataTerms, Holding
from auditor.facts.data import DataClasses
from auditor.facts.workloads import Workload, workloads_of
from auditor.model import Gap, Resource, Snapshot

from .network.cluster import namespace, pod, resource, serving, workload
from .test_dependencies import service


def annotated(one: Resource, field: str = "annotations", **declared: Any) -> Resource:
    """The object with ``auditor/…`` words: data="pii" is auditor/data: pii."""
    metadata = dict(one.manifest["metadata"])
    words = {f"auditor/{key}": value for key, value in declared.items()}
    metadata[field] = {**metadata.get(field, {}), **words}
    return resource({**one.manifest, "metadata": metadata})


def asked(*found: Resource) -> tuple[DataClasses, Workload]:
    """The declarations of a cluster, and its first workload."""
    snapshot = Snapshot(found)
    workloads = workloads_of(snapshot)
    return DataClasses(snapshot, workloads), workloads[0]


def classes(*found: Resource) -> tuple[str, ...]:
    """What the first workload is declared to hold."""
    data, one = asked(*found)
    held = data.of(one)
    return held.names if held else ()


def misread(*found: Resource) -> list[str]:
    """What is told of the first workload's declarations."""
    data, one = asked(*found)
    return [f"{gap.what}: {gap.why}" for gap in data.misread(one)]


@pytest.mark.parametrize("field", ["labels", "annotations"])
@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("pii", ("pii",)),
        ("PII", ("pii",)),
        ("spi", ("spi",)),
        ("pii,spi", ("pii", "spi")),
        ("pii spi pii", ("pii", "spi")),
        ("none", ()),
        ("", ()),
    ],
)
def test_data_is_declared_in_a_label_or_an_annotation(
    field: str, word: str, names: tuple[str, ...]
) -> None:
    """Capitals do not matter, and nothing is said of a word that means something."""
    one = annotated(pod("web"), field, data=word)
    assert classes(one) == names
    assert misread(one) == []


def test_data_may_be_declared_on_the_pods_alone() -> None:
    """In the template of a Deployment."""
    template = {"metadata": {"labels": {"auditor/data": "spi"}}, "spec": {"containers": []}}
    assert classes(workload("Deployment", "web", template=template)) == ("spi",)


def test_a_namespace_speaks_for_its_workloads() -> None:
    """Unless one says otherwise of itself."""
    home = annotated(namespace("default"), "labels", data="pii")
    assert classes(pod("web"), home) == ("pii",)
    assert classes(annotated(pod("web"), data="spi"), home) == ("spi",)
    assert classes(annotated(pod("web"), data="none"), home) == ()
    assert classes(pod("shop/web"), home) == ()


def test_a_typing_error_takes_nothing_out_of_sight() -> None:
    """It is told, and what the namespace says still holds."""
    home = annotated(namespace("default"), "labels", data="pii")
    one = annotated(pod("web"), data="PI")
    assert classes(one, home) == ("pii",)
    assert misread(one, home) == [
        "auditor/data of default/web[Pod]: 'PI' is none of pii, spi, none"
    ]
    assert misread(pod("web"), annotated(namespace("default"), data="personal")) == [
        "auditor/data of default[Namespace]: 'personal' is none of pii, spi, none"
    ]


def test_a_role_that_is_nearly_one_is_told() -> None:
    """A monitor that is none by a slip would not be judged as one; other words are for others."""
    assert misread(annotated(pod("web"), role="moniter")) == [
        "auditor/role of default/web[Pod]: 'moniter' is no role; did you mean 'monitor'?"
    ]
    assert misread(annotated(pod("web"), role="monitor")) == []
    assert misread(annotated(pod("web"), role="active-passive")) == []


def clients(*found: Resource) -> dict[str, list[str]] | None:
    """The clients of the first workload, by the name that was written."""
    data, one = asked(*found)
    named = data.clients_of(one)
    if named is None:
        return None
    return {name: [str(w.ref) for w in workloads] for name, workloads in named.items()}


def test_clients_are_named_with_or_without_their_namespace() -> None:
    """Without, it is the workload's own; a name may mean several kinds."""
    one = annotated(pod("shop/db"), clients="web, other/app")
    found = [one, pod("shop/web"), pod("web"), pod("other/app")]
    assert clients(*found) == {"web": ["shop/web[Pod]"], "other/app": ["other/app[Pod]"]}
    assert clients(pod("shop/db"), pod("shop/web")) is None


def test_a_client_that_is_not_there_is_told() -> None:
    """Perhaps it is of another repository; perhaps it is a typing error."""
    one = annotated(pod("shop/db"), clients="shop/wbe")
    assert clients(one, pod("shop/web")) == {"shop/wbe": []}
    assert misread(one, pod("shop/web")) == [
        "auditor/clients of shop/db[Pod]: no workload here is called 'shop/wbe'"
    ]


@pytest.mark.parametrize(
    ("key", "meant"),
    [("auditor/dta", "auditor/data"), ("auditor/client", "auditor/clients")],
)
def test_a_key_that_is_nearly_ours_is_told(key: str, meant: str) -> None:
    """Data that somebody meant to protect must not go out of sight by a typing error."""
    one = pod("shop/db")
    manifest = {**one.manifest, "metadata": {**one.manifest["metadata"], "labels": {key: "pii"}}}
    assert misread(resource(manifest)) == [
        f"{key} of shop/db[Pod]: there is no such key; did you mean '{meant}'?"
    ]


SERVING = serving({"name": "http", "containerPort": 80}, {"name": "health", "containerPort": 81})


@pytest.mark.parametrize(
    ("word", "ports"),
    [
        ("health", (81,)),
        ("81", (81,)),
        (81, (81,)),
        ("8081", (8081,)),
        ("health,http", (81, 80)),
        ("health 81", (81,)),
    ],
)
def test_a_health_api_is_a_port_by_number_or_name(word: Any, ports: tuple[int, ...]) -> None:
    """A number without quotes is meant, too: the API server would refuse it, and we know what it
    stands for.
    """
    one = annotated(pod("web", **SERVING), health=word)
    data, found = asked(one)
    assert data.health_ports(found) == ports
    assert misread(one) == []


@pytest.mark.parametrize(
    "word", ["healthz", "0", "65536", "99999", "²", "٣٣", "-1", "9" * 5000, "8.0"]
)
def test_a_health_api_that_is_no_port_is_told(word: str) -> None:
    """Else the monitor's reach would be judged by nothing."""
    one = annotated(pod("web", **SERVING), health=word)
    data, found = asked(one)
    assert data.health_ports(found) == ()
    assert misread(one) == [
        f"auditor/health of default/web[Pod]: '{word}' is no port of its containers"
    ]


@pytest.mark.parametrize("number", ["81", None, True, 0, 70000, [81]])
def test_a_container_port_that_is_none_is_no_health_port(number: Any) -> None:
    """Whatever is written there."""
    spec = serving({"name": "health", "containerPort": number})
    data, found = asked(annotated(pod("web", **spec), health="health"))
    assert data.health_ports(found) == ()


TERMS = DataTerms(
    objects=(
        Holding("default/we*", classes=("spi",), clients=("shop/app",), health=("81/healthz",)),
        Holding("default/web[Pod]", classes=("none",), owner="us"),
    )
)


def configured(*found: Resource, terms: DataTerms = TERMS) -> tuple[DataClasses, Workload]:
    """The declarations with a configuration, and the first workload."""
    snapshot = Snapshot(found)
    workloads = workloads_of(snapshot)
    return DataClasses(snapshot, workloads, terms), workloads[0]


def test_the_configuration_counts_before_the_manifests() -> None:
    """Whoever may write a manifest must not take data out of sight."""
    one = annotated(pod("web", **SERVING), data="none", clients="thief", health="80")
    data, web = configured(one, pod("shop/app"), pod("default/thief"))
    held = data.of(web)
    assert held is not None
    assert held.names == ("spi",)
    assert [w.name for w in (data.clients_of(web) or {})["shop/app"]] == ["shop/app"]
    assert data.health_requests(web) == ((81, "/healthz"),)
    assert data.owner_of(web) == "us"


def test_an_entry_speaks_only_of_what_it_names() -> None:
    """Brackets stand for themselves."""
    data, one = configured(pod("shop/web"))
    assert data.of(one) is None
    assert not data.is_classified(one)
    brackets = DataTerms(objects=(Holding("default/[w]eb", classes=("pii",)),))
    assert configured(pod("web"), terms=brackets)[0].of(configured(pod("web"))[1]) is None


@pytest.mark.parametrize(
    ("key", "word", "names", "classified"),
    [
        ("data-classification", "pii", ("pii",), True),
        ("data-classification", "PII", ("pii",), True),
        ("data-classification", "public", (), True),
        ("data-classification", "none", (), True),
        ("data-classification", "whatever", (), False),
        ("example.com/data", "pii", (), False),
    ],
)
def test_other_keys_may_say_it(
    key: str, word: str, names: tuple[str, ...], classified: bool
) -> None:
    """One is known as it is; the configuration names others."""
    one = pod("shop/db")
    one = resource(
        {**one.manifest, "metadata": {**one.manifest["metadata"], "labels": {key: word}}}
    )
    data, workload = asked(one)
    held = data.of(workload)
    assert (held.names if held else ()) == names
    assert data.is_classified(workload) is classified
    data, workload = configured(one, terms=DataTerms(keys=("example.com/data",)))
    assert (data.of(workload) is not None) is (key == "example.com/data")


def test_a_word_that_others_may_understand_fails_nothing() -> None:
    """Under a key of ours it is a slip; under another it may be theirs."""
    told = [gap.severity.value for gap in _gaps("auditor/data", "ppi")]
    assert told == ["incomplete"]
    assert [gap.severity.value for gap in _gaps("data-classification", "ppi")] == ["unknown"]
    assert _gaps("data-classification", "confidential") == []


def _gaps(key: str, word: str) -> list[Gap]:
    one = pod("shop/db")
    metadata = {**one.manifest["metadata"], "labels": {key: word}}
    data, workload = asked(resource({**one.manifest, "metadata": metadata}))
    return list(data.misread(workload))


def test_a_service_speaks_for_what_is_behind_it() -> None:
    """After what the workload says of itself, before its namespace."""
    front = annotated(service("default/web", {"port": 80}), "labels", data="spi")
    home = annotated(namespace("default"), "labels", data="pii")
    assert classes(pod("web"), front, home) == ("spi",)
    assert classes(annotated(pod("web"), data="pii"), front) == ("pii",)
    assert classes(pod("other"), front, home) == ("pii",)


def test_clients_may_be_declared_on_the_namespace_of_the_data() -> None:
    """It belongs to the same owner; a name without a namespace means one of it."""
    home = annotated(namespace("default"), clients="app")
    assert clients(pod("web"), pod("app"), home) == {"app": ["default/app[Pod]"]}
    elsewhere = annotated(namespace("far"), clients="app")
    assert clients(pod("web"), pod("app"), elsewhere) is None


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("81", ((81, None),)),
        ("81/healthz", ((81, "/healthz"),)),
        ("health:/healthz", ((81, "/healthz"),)),
        ("health/a/b, http", ((81, "/a/b"), (80, None))),
        ("healthz:/x", ()),
        ("/x", ()),
        (":/x", ()),
    ],
)
def test_a_health_api_may_be_a_path(word: str, found: tuple[Any, ...]) -> None:
    """The port by number or name, with or without the colon."""
    data, one = asked(annotated(pod("web", **SERVING), health=word))
    assert data.health_requests(one) == found


@pytest.mark.parametrize("junk", [None, 3, [], {}, [None], {"auditor/data": []}, {"a": 3}])
def test_metadata_of_any_type_ends_well(junk: Any) -> None:
    """Labels, annotations, or all of it."""
    for metadata in ({"labels": junk}, {"annotations": junk}):
        one = pod("web")
        full = {"name": "web", "namespace": "default", **metadata}
        data, workload = asked(resource({**one.manifest, "metadata": full}))
        assert list(data.misread(workload)) is not None
        assert data.of(workload) is None


def test_a_waiver_is_no_slip_of_a_key() -> None:
    """It begins as our keys do, and is another kind of key."""
    one = pod("shop/db")
    words = {"auditor/waive.workload.privileged_container": "until the move"}
    metadata = {**one.manifest["metadata"], "annotations": words}
    assert misread(resource({**one.manifest, "metadata": metadata})) == []
