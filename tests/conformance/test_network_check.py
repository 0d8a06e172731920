"""The real command `auditor network check`, on files as an outside engine would write them: the
tables of cyclonus, the conformance tests of the Network Policy API, Istio's sidecars as a real
Envoy answered, and NetworkPolicy v1 as Cilium's and Calico's own code decided it.

The library answers all of them elsewhere; here it is the command, its form and its speed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.cli.main import cli

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
PROCESSES = 2
"""Of each set, so many cases are asked of a process of its own as well."""
PATIENCE = 0.25
"""Seconds that a case may take on average, without the start of a process."""

pytestmark = pytest.mark.conformance

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Objects, questions about them, and what becomes of each."""

    name: str
    objects: Sequence[Any]
    queries: tuple[tuple[Query, str], ...]
    profile: str = "spec"


def _end(name: str) -> Query:
    namespace, slash, pod = name.partition("/")
    return {"namespace": namespace, "pod": pod} if slash else {"ip": name}


def _query(ends: tuple[str, str], protocol: str, port: int) -> Query:
    src, dst = map(_end, ends)
    return {"src": src, "dst": dst, "protocol": protocol, "port": port}


def _found(path: Path, pattern: str) -> list[Path]:
    found = sorted(path.glob(pattern))
    if not found:
        why = f"no recorded answers in {path}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return found


def _recorded(name: str) -> Iterator[dict[str, Any]]:
    [file] = _found(SHARED / name, "cases.jsonl")
    for line in file.read_text().splitlines():
        yield json.loads(line)


def _objects(*files: Path) -> list[Any]:
    """The recordings write a namespace `y` without quotes, which kubectl reads as true, and
    refuses: so they are read here.
    """
    texts = (file.read_text() for file in files)
    return [one for text in texts for one in yaml.load_all(text, yaml.CSafeLoader) if one]


def _verdict(allowed: bool) -> str:
    return "allowed" if allowed else "denied"


def _cyclonus() -> Iterator[Asked]:
    for file in _found(SHARED / "cyclonus" / "cases", "*/expected.json"):
        folder = file.parent
        for step in json.loads(file.read_text())["steps"]:
            pods = folder / step["pods"] if "pods" in step else SHARED / "cyclonus" / "pods.yaml"
            name = f"{folder.name} step {step['step']}"
            yield Asked(name, _objects(pods, folder / step["manifests"]), tuple(_cells(step)))


def _cells(step: dict[str, Any]) -> Iterator[tuple[Query, str]]:
    """All cells but those of a pod with itself."""
    for named, tables in step["tables"].items():
        protocol, _, port = named.partition("/")
        for source, row in zip(step["order"], tables["combined"], strict=True):
            for target, cell in zip(step["order"], row, strict=True):
                if source != target:
                    yield _query((source, target), protocol, int(port)), _verdict(cell == ".")


def _probes() -> Iterator[Asked]:
    folder = SHARED / "network-policy-api-conformance"
    for file in _found(folder / "cases", "*/expected.json"):
        for step in json.loads(file.read_text())["steps"]:
            queries = tuple(
                (_query((p["src"], p["dst"]), p["protocol"], p["port"]), _verdict(p["allowed"]))
                for p in step["probes"]
            )
            objects = _objects(folder / "topology.yaml", file.parent / step["manifests"])
            yield Asked(f"{file.parent.name} {step['name']}", objects, queries)


def _cases(name: str) -> Iterator[Asked]:
    """Those of one engine; of Cilium and Calico those with no policies but NetworkPolicy."""
    for case in _recorded(name):
        groups = {
            one["apiVersion"].partition("/")[0]
            for one in case["objects"]
            if one["kind"].endswith("Policy")
        }
        if name == "istio" or groups == {"networking.k8s.io"}:
            queries = tuple((query, query["verdict"]) for query in case["queries"])
            yield Asked(case["id"], case["objects"], queries, name)


SETS = {
    "cyclonus": (_cyclonus, 109_956),
    "network-policy-api-conformance": (_probes, 301),
    "istio": (lambda: _cases("istio"), 11_019),
    "cilium": (lambda: _cases("cilium"), 237),
    "calico": (lambda: _cases("calico"), 266),
}
"""Each set, and how many questions it has."""


def _words(asked: Asked, folder: Path, form: str) -> list[str]:
    """The arguments of the command, with their files written."""
    objects, questions = folder / "objects.json", folder / "queries.jsonl"
    objects.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": asked.objects}))
    lines = ({k: v for k, v in query.items() if k != "verdict"} for query, _ in asked.queries)
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ["network", "check", str(objects), "--queries", str(questions)]
    return [*words, "--cni", asked.profile, "--format", form, "--output", str(folder / form)]


def _answered(asked: Asked, folder: Path) -> Sequence[str]:
    """What the command answers, line by line."""
    code = cli.main(_words(asked, folder, "jsonl"), standalone_mode=False)
    assert code == 0, asked.name
    return _read(asked, folder)


def _read(asked: Asked, folder: Path) -> Sequence[str]:
    answers = [json.loads(line) for line in (folder / "jsonl").read_text().splitlines()]
    assert len(answers) == len(asked.queries), asked.name
    assert all(answer["reasons"] for answer in answers), asked.name
    return [answer["verdict"] for answer in answers]


@pytest.mark.parametrize("name", SETS)
def test_every_question_is_answered_as_recorded(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each question of each case, with reasons, and within the time that it may take."""
    cases, expected = SETS[name]
    count: Counter[str] = Counter()
    wrong: list[object] = []
    took = 0.0
    for asked in cases():
        start = time.process_time()
        verdicts = _answered(asked, tmp_path)
        took += time.process_time() - start
        count["cases"] += 1
        for (query, recorded), verdict in zip(asked.queries, verdicts, strict=True):
            count["queries"] += 1
            count[recorded] += verdict == recorded
            if verdict != recorded:
                wrong.append((asked.name, query, verdict))
    agree = count["allowed"] + count["denied"]
    each = took / count["cases"]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{name} by command: {agree} of {count['queries']} in {count['cases']} cases"
            f" ({count['allowed']} allowed), {each * 1000:.0f} ms a case",
            end="",
        )
    assert not wrong, f"{len(wrong)}: {wrong[:10]}"
    assert count["queries"] == expected
    assert each < PATIENCE


@pytest.mark.parametrize("name", SETS)
def test_a_process_of_its_own_answers_the_same(name: str, tmp_path: Path) -> None:
    """As an outside engine would run it."""
    cases, _ = SETS[name]
    for asked in islice(cases(), 0, 5 * PROCESSES, 5):
        words = [sys.executable, "-m", "auditor", *_words(asked, tmp_path, "jsonl")]
        said = subprocess.run(words, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
        assert list(_read(asked, tmp_path)) == [verdict for _, verdict in asked.queries]


def test_what_istio_refuses_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the API server, istiod or a proxy would not take is in `rejected` and on standard
    error, by name and by whom, and nothing else is.
    """
    named = 0
    for case in _recorded("istio"):
        stopped = {
            (one["kind"], one["name"], by)
            for one in case["admission"]
            for by in ("crd", "webhook")
            if by in one
        }
        asked = Asked(case["id"], case["objects"], (), "istio")
        assert cli.main(_words(asked, tmp_path, "json"), standalone_mode=False) == 0
        told = {
            (policy["kind"], f"{policy['namespace']}/{policy['name']}", one["by"])
            for one in json.loads((tmp_path / "json").read_text())["rejected"]
            for policy in [one["policy"]]
        }
        said = capsys.readouterr().err
        assert {one[:2] for one in told if one[2] != "envoy"} == {one[:2] for one in stopped}
        assert any(one[2] == "envoy" for one in told) == ("envoy-rejected" in case["tags"])
        for kind, name, _ in told:
            assert f"rejected: {name}[{kind}] (" in said, case["id"]
        named += len(told)
    assert named > 50
