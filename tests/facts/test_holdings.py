"""What looks like personal data, and where declared data goes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.declared import DataTerms, Holding, Store
from auditor.facts import Facts
from auditor.facts.data.inferred import ENOUGH, likeness_of
from auditor.facts.data.vocabulary import hints, words
from auditor.facts.holdings import held, likeness, removed, stores
from auditor.model import Resource, Settings, Snapshot

from .network.cluster import pod
from .test_data import annotated
from .test_dependencies import service
from .test_graph import thing


def facts_of(*found: Resource, **terms: Any) -> Facts:
    """The facts of a cluster; `terms` are what the configuration declares."""
    return Facts(Snapshot(found), Settings(data=DataTerms(**terms)))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("customersDb", ("customer", "db")),
        ("user-profiles", ("user", "profile")),
        ("MEDICAL_HISTORIES", ("medical", "history")),
        ("diagnosis", ("diagnosis",)),
        ("status", ("status",)),
        ("", ()),
    ],
)
def test_names_are_taken_apart(name: str, found: tuple[str, ...]) -> None:
    """At capital letters and signs, and into the singular."""
    assert words(name) == found


@given(st.text(max_size=400))
def test_any_name_is_taken_apart(name: str) -> None:
    """Names in manifests hold anything."""
    assert all(word == word.lower() for word in words(name))
    assert list(hints(name)) is not None


def told(**container: Any) -> Resource:
    """A workload that is told something."""
    return pod("shop/thing", containers=[{"name": "main", "image": "app", **container}])


SECRET = {"secretKeyRef": {"name": "s", "key": "iban"}}


@pytest.mark.parametrize(
    ("one", "sure"),
    [
        (pod("shop/customers"), 0.6),
        (pod("shop/patient-records"), 0.6),
        (pod("shop/user"), 0.3),
        (pod("shop/user-db"), 0.51),
        (pod("shop/customerservice"), 0),
        (pod("shop/health"), 0),
        (pod("shop/orders"), 0),
        (told(env=[{"name": "POSTGRES_DB", "value": "customers"}]), 0.6),
        (told(env=[{"name": "X", "value": "postgres://u:p@h/customers?x"}]), 0.6),
        (told(env=[{"name": "CUSTOMERS_URL", "value": "http://customers"}]), 0),
        (told(env=[{"name": "CUSTOMER_TABLE", "value": "x"}]), 0.3),
        (told(env=[{"name": "USER", "value": "x"}]), 0),
        (told(env=[{"name": "X", "valueFrom": SECRET}]), 0.3),
        (told(envFrom=[{"secretRef": {"name": "payroll"}}]), 0.3),
        (pod("shop/x", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "patients"}}]),
         0.6),
    ],
)  # fmt: skip
def test_how_sure_a_hint_is(one: Resource, sure: float) -> None:
    """Who asks for the data of others does not hold it by that."""
    facts = facts_of(one)
    found = likeness_of(facts, facts.workloads[0])
    assert (found.confidence if found else 0) == sure


def test_what_is_declared_looks_like_nothing() -> None:
    """Also where it is declared to hold none, and a monitor watches what it is named after."""
    for one in (
        annotated(pod("shop/customers"), data="none"),
        annotated(pod("shop/customers"), data="pii"),
        annotated(pod("shop/customers"), role="monitor"),
    ):
        facts = facts_of(one)
        assert likeness_of(facts, facts.workloads[0]) is None


ASKS = [{"name": "X", "value": "store:5432"}]
STORE = pod("shop/store", containers=[{"name": "m", "image": "postgres:17"}])
BEFORE_IT = service("shop/store", {"port": 5432})


def test_data_flows_on_from_who_is_declared_to_hold_it() -> None:
    """Into a database surely enough; elsewhere as a hint alone."""
    asking = annotated(pod("shop/a", containers=[{"name": "m", "env": ASKS}]), data="spi")
    facts = facts_of(asking, STORE, BEFORE_IT)
    found = likeness_of(facts, facts.by_key["", "Pod", "shop", "store"])
    assert found
    assert found.names == ("spi",)
    assert found.confidence >= ENOUGH
    assert found.clues[0].told == "it keeps data for shop/a"
    plain = pod("shop/store", containers=[{"name": "m", "image": "app"}])
    facts = facts_of(asking, plain, BEFORE_IT)
    found = likeness_of(facts, facts.by_key["", "Pod", "shop", "store"])
    assert found
    assert found.confidence > 0


def test_what_looks_like_it_is_not_declared() -> None:
    """No other policy on personal data speaks of it, and nothing flows on from it."""
    asking = pod("shop/customers", containers=[{"name": "m", "env": ASKS}])
    facts = facts_of(asking, STORE, BEFORE_IT)
    assert facts.holders == ()
    assert likeness_of(facts, facts.by_key["", "Pod", "shop", "store"]) is None


CLUSTER = thing("Cluster", "postgresql.cnpg.io", "shop/ledger", {})


@pytest.mark.parametrize(
    ("cluster", "terms", "told_of"),
    [
        (CLUSTER, {}, True),
        (thing("Cluster", "evil.example", "shop/ledger", {}), {}, False),
        (annotated(CLUSTER, data="pii"), {}, False),
        (CLUSTER, {"objects": (Holding("shop/ledger", ("pii",)),)}, False),
        (thing("Cluster", "postgresql.cnpg.io", "far/ledger", {}), {}, False),
    ],
)
def test_a_database_of_an_operator_is_asked_about(
    cluster: Resource, terms: Any, told_of: bool
) -> None:
    """Its Services are made later: their names are known."""
    env = [{"name": "X", "value": "postgres://ledger-rw:5432/x"}]
    one = annotated(pod("shop/a", containers=[{"name": "m", "env": env}]), data="pii")
    facts = facts_of(one, cluster, **terms)
    found = likeness(facts, facts.workloads[0])
    assert ([each["name"] for each in found["behind"]] if found else []) == (
        ["Cluster shop/ledger"] if told_of else []
    )


def outside(value: str, *beside: Resource, name: str = "X", **terms: Any) -> list[str]:
    """The addresses outside that a workload with personal data asks and nobody declared."""
    one = pod("shop/a", containers=[{"name": "m", "env": [{"name": name, "value": value}]}])
    facts = facts_of(annotated(one, data="pii"), *beside, **terms)
    found = stores(facts, facts.workloads[0])
    assert found is not None
    return [each["address"] for each in found["undeclared"]]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("https://api.example.com/x", ["api.example.com"]),
        ("postgres://u:p@db.example.com:5432/x", ["db.example.com:5432"]),
        ("a.example.com:1,b.example.com:2", ["a.example.com:1", "b.example.com:2"]),
        ("203.0.113.9:443", ["203.0.113.9:443"]),
        ("10.9.9.9:443", ["10.9.9.9:443"]),
        ("https://u.example.com:p@[2600::9]:5432/x", []),
        ("http://127.0.0.1:80", []),
        ("http://0.0.0.0:80", []),
        ("http://169.254.169.254/x", []),
        ("http://localhost:80", []),
        ("http://db:80", []),
        ("http://db.shop:80", []),
        ("http://db.shop.svc:80", []),
        ("http://db.shop.svc.cluster.local:80", []),
        ("http://printer.local:80", []),
        ("http://www.w3.org/x", []),
        ("settings.yaml", []),
        ("app.example.com", []),
        ("v1.2.3", []),
        ("org.example.Main", []),
        ("1.2.3", []),
    ],
)
def test_what_leads_outside(value: str, found: list[str]) -> None:
    """A name without a domain is taken to be a Service that was not read."""
    assert outside(value) == found


def test_a_name_alone_leads_outside_where_an_address_is_meant() -> None:
    """As managed databases are written."""
    assert outside("db.example.com", name="DB_HOST") == ["db.example.com"]


def test_another_name_of_something_outside_leads_there() -> None:
    """The place of the evidence is that of the Service."""
    alias = service("shop/mail", {"port": 25}, type="ExternalName", externalName="MX.example.com.")
    assert outside("smtp://mail:25", alias) == ["mx.example.com:25"]
    known = Store("mail", service="shop/mail", classes=("pii",), owner="us")
    assert outside("smtp://mail:25", alias, external=(known,)) == []


@pytest.mark.parametrize(
    ("store", "declared"),
    [
        ({"hosts": ("api.example.com",)}, True),
        ({"hosts": ("*.example.com",)}, True),
        ({"hosts": ("example.com",)}, False),
        ({"hosts": ("*.api.example.com",)}, False),
        ({"cidrs": ("203.0.113.0/24",)}, False),
    ],
)
def test_a_declared_store_is_known_by_its_name(store: Any, declared: bool) -> None:
    """A star stands for what is below."""
    known = Store("api", **store, classes=("pii",), owner="us")
    assert (outside("https://api.example.com", external=(known,)) == []) is declared


def test_a_declared_store_is_known_by_its_network() -> None:
    """Of either family."""
    known = Store("x", cidrs=("203.0.113.0/24", "2001:db8::/32"), classes=("pii",), owner="us")
    assert outside("203.0.113.9:1", external=(known,)) == []
    assert outside("198.51.100.9:1", external=(known,)) == ["198.51.100.9:1"]


def test_a_class_that_is_no_longer_said_is_told_of_a_change_alone() -> None:
    """Also where another one is said instead."""
    before = facts_of(
        annotated(pod("shop/a"), data="pii,spi"), annotated(pod("shop/b"), data="pii")
    )
    known = held(before)
    after = Snapshot((annotated(pod("shop/a"), data="spi"), annotated(pod("shop/b"), data="pii")))
    facts = Facts(after, Settings(held=known))
    found = {w.ref.name: removed(facts, w) for w in facts.workloads}
    assert found == {
        "a": {"classes": ["PII"], "said_by": "auditor/data of shop/a[Pod]"},
        "b": None,
    }
    facts = Facts(after, Settings())
    assert [removed(facts, w) for w in facts.workloads] == [None, None]
