"""Whatever is wrong in the objects that have a part in who reaches whom, every command answers, and
nothing that stands beside is lost.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.facts import FACTS, Facts
from auditor.facts.connections import Connections
from auditor.facts.network import Machine, Peer, Request, Stranger, World
from auditor.facts.network.profiles import PROFILES
from auditor.model import Origin, Ref, Resource, Settings, Snapshot
from tests.measured import measured

from .cli.command import Command
from .facts.network.cluster import NoLines
from .hostile_network import MESH, OBJECTS, WRONG, changed, places

NEIGHBOUR = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "neighbour", "namespace": "other"},
    "spec": {
        "containers": [
            {"name": "a", "image": "example.com/a:1", "securityContext": {"privileged": True}}
        ]
    },
}
CLUSTER_WIDE = {"Namespace", "Node", "ClusterNetworkPolicy", "AdminNetworkPolicy"}
PLACES = [(index, path) for index, one in enumerate(OBJECTS) for path in places(one)]
STRANGERS: tuple[Peer, ...] = (
    World(), World("10.1.2.3"), World("2600::1"), Stranger("shop", {}), Stranger("", {}),
    Machine(own=True), Machine(own=False),
)  # fmt: skip
REQUESTS = (Request(8080), Request(8080, method="GET", path="/healthz", host="x"), Request(5432))
ENDS = ({"namespace": "other", "pod": "neighbour"}, {"entity": "world"}, {"ip": "10.1.2.3"})
QUESTIONS = [
    {"src": end, "dst": {"namespace": "other", "pod": "neighbour"}, "port": 8080} for end in ENDS
]

Change = tuple[tuple[int, tuple[str | int, ...]], Any]
changes = st.lists(
    st.tuples(st.sampled_from(PLACES), st.sampled_from(WRONG)), min_size=1, max_size=4
)


def broken(wanted: list[Change]) -> list[dict[str, Any]]:
    """The objects with wrong values in these places, as far as the places are left."""
    found = list(OBJECTS)
    for (index, path), wrong in wanted:
        try:
            found[index] = changed(found[index], path, wrong)
        except (TypeError, LookupError):
            continue
    return [*found, NEIGHBOUR]


def with_mesh(text: str) -> list[dict[str, Any]]:
    """The objects with another ConfigMap of the mesh."""
    return [
        changed(one, ("data", "mesh"), text) if one["kind"] == "ConfigMap" else one
        for one in (*OBJECTS, NEIGHBOUR)
    ]


def _resource(manifest: dict[str, Any]) -> Resource:
    kind, metadata = manifest["kind"], manifest["metadata"]
    namespace = "" if kind in CLUSTER_WIDE else metadata["namespace"]
    ref = Ref(manifest["apiVersion"], kind, namespace, metadata["name"])
    return Resource(ref, manifest, Origin("case.yaml", NoLines()))


def tell_everything(objects: list[dict[str, Any]], profile: str) -> None:
    """Every fact about every object, and every question about every pair."""
    facts = Facts(Snapshot(tuple(map(_resource, objects))), Settings(cni=(profile,)))
    for resource in facts.snapshot.resources:
        for fact in FACTS.values():
            fact.tell(facts, resource)
    net = facts.network
    assert any(one.ref.name == "neighbour" for one in net.workloads)
    for target in net.workloads:
        peers: tuple[Peer, ...] = (*net.workloads, *STRANGERS)
        for source in peers:
            net.reach(source, target)
            net.reach(target, source)
            for request in REQUESTS:
                assert net.ruling(source, target, request).verdict
        net.requests(World(), target, 8080)
        assert net.outside(target)
        net.listening(target)
        net.entrances(target)
    assert net.externals()
    assert sum(1 for _ in net.pairs())
    assert Connections(net, {}).workloads


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes, st.sampled_from(sorted(PROFILES)))
def test_whatever_is_wrong_every_question_is_answered(wanted: list[Change], profile: str) -> None:
    """Wrong types in up to four places at once; no fact and no ruling breaks."""
    tell_everything(broken(wanted), profile)


@pytest.mark.parametrize("name", MESH)
def test_no_setting_of_the_mesh_is_a_bomb(name: str) -> None:
    """It is read within seconds, or not at all."""
    start = time.process_time()
    tell_everything(with_mesh(MESH[name]), "istio")
    assert time.process_time() - start < 20


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command."""
    return Command(monkeypatch, capsys)


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes)
def test_every_command_answers(auditor: Command, tmp_path: Path, wanted: list[Change]) -> None:
    """None ends in a fault of the program, and what stands beside is told by all of them."""
    _ask_all(auditor, tmp_path, broken(wanted))


@pytest.mark.parametrize("name", ["aliases", "brackets"])
def test_every_command_survives_a_bomb(auditor: Command, tmp_path: Path, name: str) -> None:
    """As the library does."""
    _ask_all(auditor, tmp_path, with_mesh(MESH[name]))


def _ask_all(auditor: Command, folder: Path, objects: list[dict[str, Any]]) -> None:
    file, queries = folder / "objects.json", folder / "queries.jsonl"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    queries.write_text("".join(json.dumps(one) + "\n" for one in QUESTIONS))
    listed = auditor("network", "list", file, "--format", "json")
    assert listed.code in (0, 4), listed.err
    assert "neighbour" in listed.out
    checked = auditor("network", "check", file, "--queries", queries)
    assert checked.code in (0, 4), checked.err
    assert len(checked.out.splitlines()) == len(QUESTIONS)
    assert all(json.loads(line)["verdict"] for line in checked.out.splitlines())
    ends = ("--from", "internet", "--to", "other/neighbour:8080")
    explained = auditor("network", "explain", file, *ends, "--format", "json")
    assert explained.code in (0, 4), explained.err
    drawn = auditor("network", "graph", file, "--format", "svg")
    assert drawn.code in (0, 4), drawn.err
    assert "neighbour" in drawn.out
    only = ("--select", "workload/privileged_container", "--format", "json")
    audited = auditor("audit", file, *only)
    assert audited.code == 1, audited.err
    assert "neighbour" in {one["object"]["name"] for one in audited.report["findings"]}


def test_a_long_value_costs_what_it_is_long() -> None:
    """Of a header that a policy names, with thousands of characters."""
    index = [one["kind"] for one in OBJECTS].index("AuthorizationPolicy")
    place = ("spec", "rules", 0, "when", 0, "values", 0)
    objects = [*OBJECTS, NEIGHBOUR]
    objects[index] = changed(objects[index], place, "a" * 10_000)
    facts = Facts(Snapshot(tuple(map(_resource, objects))), Settings())
    start = time.process_time()
    for target in facts.network.workloads:
        facts.network.requests(World(), target, 8080)
    assert time.process_time() - start < 20


NAMES = (
    "\x1b[31mred",
    "<script>alert(1)</script>",
    "a&b\"'",
    "]]>",
    "--><b>",
    "\u202eevil",
    "${x}",
)


@pytest.mark.parametrize("form", ["svg", "dot", "mermaid", "html"])
def test_names_are_text_in_every_picture(auditor: Command, tmp_path: Path, form: str) -> None:
    """Nothing of a name acts on a terminal or in a browser."""
    objects = [
        {**NEIGHBOUR, "metadata": {"name": name, "namespace": name, "labels": {"a": name}}}
        for name in NAMES
    ]
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    drawn = auditor("network", "graph", file, "--format", form)
    assert drawn.code in (0, 4), drawn.err
    # DOT is quoted text, which is escaped by whoever draws it.
    tags = () if form == "dot" else ("<script>alert", "--><b>")
    for harm in ("\x1b", "\u202e", *tags):
        assert harm not in drawn.out
        assert harm not in drawn.err
    listed = auditor("network", "list", file)
    assert "\x1b[31m" not in listed.out + listed.err


def test_a_hundred_thousand_questions_are_streamed(tmp_path: Path) -> None:
    """A hundred megabytes of them: answered line by line, in bounded memory."""
    file, queries, answers = (tmp_path / name for name in ("o.json", "q.jsonl", "a.jsonl"))
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [NEIGHBOUR]}))
    padding = "x" * 900
    with queries.open("w") as lines:
        for number in range(100_000):
            one = QUESTIONS[number % 3] | {"headers": {"x": padding}, "path": f"/{number}"}
            lines.write(json.dumps(one) + "\n")
    assert queries.stat().st_size > 100_000_000
    words = ["network", "check", str(file), "--queries", str(queries), "--output", str(answers)]
    command = [str(Path(sys.executable).with_name("auditor")), *words]
    took = measured(tmp_path / "out", *command)
    assert took.code == 0
    with answers.open() as lines:
        assert sum(json.loads(line)["verdict"] == "allowed" for line in lines) == 100_000
    assert took.megabytes < 400
