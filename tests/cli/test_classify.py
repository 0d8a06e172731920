"""`auditor classify`, and what the configuration declares of personal data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.cli.config import parsed
from auditor.errors import ConfigError

from .command import PEAPODS, Command

SHOP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: customers, namespace: shop}
spec:
  selector: {matchLabels: {app: customers}}
  template:
    metadata: {labels: {app: customers}}
    spec:
      containers:
        - name: customers
          image: registry.example/customers:1.0.0
          env: [{name: CRM_HOST, value: eu.crm.example}]
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {port: http, path: /ready}}
---
apiVersion: v1
kind: Service
metadata: {name: customers, namespace: shop}
spec: {selector: {app: customers}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers:
    - name: web
      image: registry.example/web:1.0.0
      env: [{name: CUSTOMERS_URL, value: "http://customers"}]
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a service that looks like it holds personal data; the current folder."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "k8s.yaml").write_text(SHOP, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


ENTRY = "shop/customers[Deployment]"


def test_it_proposes_a_class_with_its_evidence(auditor: Command, shop: Path) -> None:
    """Each in a comment with its place; whoever asks stays a comment too."""
    said = auditor("classify", "k8s.yaml")
    assert said.code == 0
    assert yaml.safe_load(said.out) == {"data": {"objects": {ENTRY: {"class": "pii"}}}}
    for line in (
        "# 2 of 2 workloads are unclassified; 1 look like personal data",
        "# its name says 'customer' (k8s.yaml:3)",
        "#   shop/web names Service shop/customers (k8s.yaml:28)",
        '# clients: ["shop/web"]',
        '# health: ["8080/ready"]  # as probed',
        "#   # shop/customers names it (k8s.yaml:12)",
        '#   - {name: "eu.crm.example", fqdn: "eu.crm.example", class: pii, owner: WHO}',
    ):
        assert line in said.out


def test_what_it_could_not_see_is_told_and_ends_with_4(auditor: Command, shop: Path) -> None:
    """On standard error, so that what is proposed stays a document; not what somebody answers
    for.
    """
    (shop / "broken.yaml").write_text("kind: [", "utf-8")
    said = auditor("classify", ".")
    assert said.code == 4
    assert yaml.safe_load(said.out) == {"data": {"objects": {ENTRY: {"class": "pii"}}}}
    (line,) = said.err.splitlines()
    assert line.startswith("gap (incomplete): broken.yaml")
    known = 'acknowledged: [{gap: "broken.yaml*", reason: made so on purpose}]'
    (shop / ".auditor.yaml").write_text(known, "utf-8")
    said = auditor("classify", ".")
    assert said.code == 0
    assert "(acknowledged: made so on purpose)" in said.err


def test_what_it_writes_is_a_configuration_and_a_second_run_adds_nothing(
    auditor: Command, shop: Path
) -> None:
    """The first makes the workload a declared one, and its clients are still to be named."""
    file = shop / ".auditor.yaml"
    assert auditor("classify", "k8s.yaml", "-o", file).code == 0
    first = file.read_bytes()
    assert auditor("classify", "k8s.yaml", "-o", file).code == 0
    assert file.read_bytes() == first
    (finding,) = auditor(
        "audit", "k8s.yaml", "--select", "data/personal_data_not_isolated", "--format", "json"
    ).report["findings"]
    assert finding["message"].startswith("holds PII, and one workload beside its clients")
    assert finding["fix"]["safety"] == "manual"
    assert finding["fix"]["patch"] == []


@pytest.mark.parametrize(
    "there",
    [
        "policySet: 1\n",
        "policySet: 1",
        "data:\n  classes: [pii, spi]\npolicySet: 1\n",
        "data:\n  objects:\n    other/x:   # ours\n      class: none\n\n# the end\n",
        "data:\n    objects:\n        other/x: {class: none}\npolicySet: 1\n",
    ],
)
def test_what_is_declared_stays_byte_for_byte(auditor: Command, shop: Path, there: str) -> None:
    """New entries stand between the old lines."""
    file = shop / ".auditor.yaml"
    file.write_text(there, "utf-8")
    assert auditor("classify", "k8s.yaml", "-o", file).code == 0
    text = file.read_text("utf-8")
    old, new = yaml.safe_load(there), yaml.safe_load(text)
    assert new["data"]["objects"].pop(ENTRY) == {"class": "pii"}
    lines = text.split("\n")
    assert [line for line in there.rstrip("\n").split("\n") if line not in lines] == []
    assert {key: new.get(key) for key in old if key != "data"} == {
        key: value for key, value in old.items() if key != "data"
    }
    parsed(text, "x", shop)
    assert auditor("classify", "k8s.yaml", "-o", file).code == 0
    assert file.read_text("utf-8") == text


@pytest.mark.parametrize(
    "there", ["data: {}\n", "data: {classes: [pii]}\n", "data:\n  objects: {}\n"]
)
def test_where_nothing_can_be_added_it_says_so(auditor: Command, shop: Path, there: str) -> None:
    """And leaves the file alone."""
    file = shop / ".auditor.yaml"
    file.write_text(there, "utf-8")
    said = auditor("classify", "k8s.yaml", "-o", file)
    assert said.code == 2
    assert file.read_text("utf-8") == there


def test_what_is_declared_is_not_proposed(auditor: Command) -> None:
    """In the example company everything that looks like such data is declared."""
    said = auditor("classify", PEAPODS)
    assert yaml.safe_load(said.out) == {"data": {"objects": {}}}


def test_a_name_that_would_mean_others_is_no_entry(auditor: Command, shop: Path) -> None:
    """Names in files hold anything; in an entry a star stands for everything."""
    (shop / "k8s.yaml").write_text(
        'apiVersion: v1\nkind: Pod\nmetadata: {name: "customers*\\n#", namespace: "*"}\n'
        "spec: {containers: [{name: a, image: b}]}\n",
        "utf-8",
    )
    said = auditor("classify", "k8s.yaml")
    assert said.code == 0
    assert yaml.safe_load(said.out) == {"data": {"objects": {}}}


def test_a_report_says_of_how_many_nothing_is_said(auditor: Command, shop: Path) -> None:
    """Policies on personal data say nothing about them."""
    said = auditor("audit", "k8s.yaml", "--no-fixes")
    assert "unclassified: 2 of 2 workloads; see auditor classify" in said.out
    summary = auditor("audit", "k8s.yaml", "--no-fixes", "--format", "json").report["summary"]
    assert (summary["workloads"], summary["workloadsUnclassified"]) == (2, 2)
    text = "data: {objects: {'shop/*': {class: none}}}\n"
    (shop / ".auditor.yaml").write_text(text, "utf-8")
    assert "unclassified: none of 2 workloads" in auditor("audit", "k8s.yaml", "--no-fixes").out


def test_a_change_that_takes_the_class_away_is_told(auditor: Command, tmp_path: Path) -> None:
    """By `auditor diff`; who adds one is not."""
    labelled = SHOP.replace(
        "name: customers, namespace: shop}\nspec:\n",
        "name: customers, namespace: shop, labels: {auditor/data: pii}}\nspec:\n",
        1,
    )
    assert labelled != SHOP
    for name, text in (("old", labelled), ("new", SHOP)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "k8s.yaml").write_text(text, "utf-8")
    asked = ("--select", "data/class_removed")
    said = auditor("diff", tmp_path / "old", tmp_path / "new", *asked)
    assert said.code == 1
    assert "no longer says that it holds PII" in said.out
    assert auditor("diff", tmp_path / "new", tmp_path / "old", *asked).code == 0


def test_observed_flows_make_candidates(auditor: Command, shop: Path) -> None:
    """Never clients; a file of no known form is an error."""
    flows = shop / "flows.csv"
    flows.write_text("# from 2026-01-01 to 2026-01-31\nshop/report,shop/customers,8080\n", "utf-8")
    said = auditor("classify", "k8s.yaml", "--flows", flows)
    assert "shop/report" not in said.out  # there is no such workload
    flows.write_text("# from 2026-01-01 to 2026-01-31\nshop/web,shop/customers,8080\n", "utf-8")
    said = auditor("classify", "k8s.yaml", "--flows", flows)
    assert "#   shop/web was seen to ask it, from 2026-01-01 to 2026-01-31 (" in said.out
    flows.write_text("nothing", "utf-8")
    assert auditor("classify", "k8s.yaml", "--flows", flows).code == 2


def declared(text: str) -> Any:
    """What a configuration declares of personal data."""
    return parsed(text, ".auditor.yaml", Path()).data


def test_the_configuration_declares_holders_and_stores() -> None:
    """Classes in any case of letters; numbers are ports."""
    terms = declared(
        "data:\n  objects:\n"
        "    shop/*: {class: [PII, spi], clients: [web], health: 8081, owner: us}\n"
        "  external: [{name: crm, fqdn: CRM.example, class: pii, owner: us}]\n"
    )
    (entry,), (store,) = terms.objects, terms.external
    assert (entry.classes, entry.clients, entry.health) == (("pii", "spi"), ("web",), ("8081",))
    assert entry.origin == ".auditor.yaml:3"
    assert (store.hosts, store.classes, store.owner) == (("crm.example",), ("pii",), "us")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("data: 3", "data: must be a mapping"),
        ("data: {objects: {a/b: {clas: pii}}}", "data.objects.a/b.clas: there is no such key"),
        ("data: {objects: {a/b: {class: ppi}}}", "'ppi' is none of pii, spi, none"),
        ("data: {objects: {a/b: {class: []}}}", "data.objects.a/b.class: "),
        ("data: {external: [{name: x, class: pii, owner: y}]}", "say where it is"),
        (
            "data: {external: [{name: x, fqdn: a.b, class: pii}]}",
            "external.0.owner: field required",
        ),
        ("data: {external: [{name: x, fqdn: a.b, owner: y}]}", "external.0.class: field required"),
        ("data: {external: [{name: x, cidr: no, class: pii, owner: y}]}", "external.0.cidr"),
        ("data: {object: {}}", "did you mean 'objects'?"),
    ],
)
def test_what_it_gets_wrong_is_an_error_with_its_place(text: str, why: str) -> None:
    """A slip must not take data out of sight."""
    with pytest.raises(ConfigError) as error:
        declared(text)
    assert why in str(error.value)
    assert str(error.value).startswith(".auditor.yaml:1: ")
