"""`auditor placement show`: the map, in each of its forms."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.facts import Facts
from auditor.facts.scenarios.cluster import Cluster
from auditor.facts.scenarios.plan import plan
from auditor.model import Settings
from auditor.reporters.placement.text import text
from auditor.reporters.terminal import Terminal, cells
from auditor.sources.building import Building
from auditor.sources.files import FileSource
from tests.cli.command import PEAPODS, Command
from tests.cli.placement.test_placement import POD, node

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


def test_the_tree_shows_racks_nodes_and_what_holds_personal_data(auditor: Command) -> None:
    said = auditor("placement", "show", PEAPODS)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "region north  21 pods"
    assert any(re.match(r".*rack r1  9 pods$", line) for line in lines)
    assert any("customers/customers-db  PII" in line for line in lines)
    assert "pods stand where the simulated scheduler puts them (seed 0)" in lines


def test_everything_of_rack_2_that_has_to_be_there_is(auditor: Command) -> None:
    """Both databases ask for it; the search asks for rack 1, one on each node."""
    report = auditor("placement", "show", PEAPODS, "--format", "json").report
    (region,) = report["places"]
    racks = {rack["name"]: rack["nodes"] for rack in region["places"][0]["places"]}
    on = {
        name: [each["name"] for spot in spots for each in spot["workloads"]]
        for name, spots in racks.items()
    }
    assert {"customers/customers-db", "shop/orders-db"} <= set(on["r2"])
    assert on["r1"].count("shop/search") == 3
    assert report["pods"] == "simulated"


def test_hops_are_told_on_request(auditor: Command) -> None:
    assert "→" not in auditor("placement", "show", PEAPODS).out
    said = auditor("placement", "show", PEAPODS, "--hops")
    assert re.search(r"shop/orders → shop/orders-db: \d(\.\d+)? hops on average", said.out)
    report = auditor("placement", "show", PEAPODS, "--hops", "--format", "json").report
    (call,) = (
        c for c in report["calls"] if (c["from"], c["to"]) == ("shop/orders", "shop/orders-db")
    )
    assert 0 <= call["least"] <= call["hops"] <= call["most"] <= 4


def test_another_seed_may_place_otherwise_and_is_named(auditor: Command) -> None:
    found = [
        auditor("placement", "show", PEAPODS, "--seed", str(seed), "--format", "json").report
        for seed in (0, 0, 3)
    ]
    assert found[0] == found[1]
    assert found[2]["seed"] == 3


def test_a_narrow_terminal_gets_narrow_lines() -> None:
    """Only a screen does: what is read by `grep` keeps its lines."""
    variant = FileSource((str(PEAPODS),), Building()).variants()[0]
    cluster = Cluster.of(Facts(variant.snapshot, Settings()))
    found = plan(cluster, cluster.groups)
    narrow = text(found, (), Terminal(colour=False, width=44, wraps=True), hops=True)
    assert max(map(cells, narrow.splitlines())) <= 44
    assert "customers/customers-db  PII" in narrow
    whole = text(found, (), Terminal(colour=False, width=44, wraps=False), hops=True)
    assert max(map(cells, whole.splitlines())) > 44


def test_without_nodes_each_workload_says_what_it_needs(auditor: Command, tmp_path: Path) -> None:
    (tmp_path / "search.yaml").write_text((PEAPODS / "search.yaml").read_text())
    said = auditor("placement", "show", tmp_path)
    assert said.code == 0
    assert (
        "shop/search: schedulable if at least 3 nodes have 0.5 CPU and 1Gi memory free each, "
        "counting only nodes with topology.kubernetes.io/rack=r1"
    ) in said.out
    report = auditor("placement", "show", tmp_path, "--format", "json").report
    assert report["workloads"][0]["needs"].startswith("schedulable if at least 3 nodes")


def test_a_pod_that_fits_nowhere_is_listed_with_why(auditor: Command, tmp_path: Path) -> None:
    objects = [node("small", "1"), POD]
    (tmp_path / "all.json").write_text(
        json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    )
    said = auditor("placement", "show", tmp_path)
    assert "shop/web: 1 pod without a node: no node can take it: small has too little CPU left" in (
        said.out
    )


def live(tmp_path: Path) -> Path:
    """A pod that runs, one that is not ready and one that waits, as a cluster tells of them."""
    pods = []
    for number, (where, ready) in enumerate((("large", "True"), ("large", "False"), ("", "False"))):
        spec = {**POD["spec"], **({"nodeName": where} if where else {})}
        conditions = [{"type": "Ready", "status": ready}]
        if not where:
            conditions.append(
                {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: too little cpu"}
            )
        pods.append(
            {
                **POD,
                "metadata": {**POD["metadata"], "name": f"web-{number}", "uid": f"u{number}"},
                "spec": spec,
                "status": {"phase": "Running" if where else "Pending", "conditions": conditions},
            }
        )
    file = tmp_path / "live.json"
    items = [node("large", "8"), *pods]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return file


def test_live_pods_are_shown_where_they_are(auditor: Command, tmp_path: Path) -> None:
    said = auditor("placement", "show", live(tmp_path))
    assert "pods stand where they run" in said.out
    assert "shop/web-1 (1 not ready)" in said.out
    assert "shop/web-2: 1 pod without a node: 0/1 nodes: too little cpu" in said.out


def hostile(tmp_path: Path) -> Path:
    """Every text that somebody else writes tries to be markup."""
    labels = {"topology.kubernetes.io/rack": HOSTILE, "topology.kubernetes.io/zone": HOSTILE}
    there = node("n1", "4")
    there["metadata"] = {"name": HOSTILE, "labels": labels}
    there["spec"] = {"taints": [{"key": HOSTILE, "effect": "PreferNoSchedule"}]}
    pod = {**POD, "metadata": {**POD["metadata"], "name": HOSTILE, "namespace": HOSTILE}}
    big = {"containers": [{"name": "app", "resources": {"requests": {"cpu": "64"}}}]}
    lost = {**POD, "metadata": {**POD["metadata"], "name": f"lost{HOSTILE}"}, "spec": big}
    file = tmp_path / "hostile.json"
    items = [there, pod, lost]
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return file


def test_the_picture_is_well_formed_whatever_names_hold(auditor: Command, tmp_path: Path) -> None:
    for source in (PEAPODS, hostile(tmp_path)):
        said = auditor("placement", "show", source, "--format", "svg")
        root = ET.fromstring(said.out)  # noqa: S314 our own
        assert root.tag.endswith("svg")
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "title", "style", "rect", "g", "text", "path"}
        assert "http" not in said.out.replace("http://www.w3.org/2000/svg", "")


class _Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = dict(attrs).get("id") or "" if tag == "script" else self._within

    def handle_data(self, data: str) -> None:
        if self._within == "data" and not self.data:
            self.data = data


def read(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    return page


def test_the_page_loads_nothing_and_runs_nothing_of_others(
    auditor: Command, tmp_path: Path
) -> None:
    page = read(auditor("placement", "show", hostile(tmp_path), "--format", "html").out)
    names = [tag for tag, _ in page.tags]
    assert names.count("script") == 2
    assert "img" not in names
    for _, attributes in page.tags:
        assert not any(key.startswith("on") or key in ("src", "href") for key in attributes)
    (policy,) = (a["content"] for tag, a in page.tags if a.get("http-equiv"))
    assert policy
    assert "default-src 'none'" in policy
    told: dict[str, Any] = json.loads(page.data)
    assert told["groups"][0]["name"].endswith(HOSTILE)


def test_the_page_says_what_the_picture_cannot(auditor: Command) -> None:
    page = read(auditor("placement", "show", PEAPODS, "--format", "html").out)
    told: dict[str, Any] = json.loads(page.data)
    orders = next(n for n, each in enumerate(told["groups"]) if each["name"] == "shop/orders")
    assert told["groups"][orders]["pods"] == 2
    assert any(
        call["from"] == orders and "hops on average" in call["far"] for call in told["calls"]
    )
    pods = [a for tag, a in page.tags if tag == "g" and "data-group" in a]
    assert len(pods) == 21
    assert all(a.get("aria-label") for a in pods)


@pytest.mark.parametrize("ending", ["svg", "html", "json"])
def test_the_ending_of_the_file_tells_the_form(
    ending: str, auditor: Command, tmp_path: Path
) -> None:
    file = tmp_path / f"map.{ending}"
    assert auditor("placement", "show", PEAPODS, "-o", file).code == 0
    begins = {"svg": "<?xml", "html": "<!doctype html>", "json": "{"}
    assert file.read_text().startswith(begins[ending])
