"""The real command `auditor network check`, on files as an outside engine would write them: a part
of the tables of cyclonus and of the conformance tests of the Network Policy API.

The library answers all of them elsewhere; here it is the command, its form and its speed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.cli.main import cli

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
EVERY = 8
"""Of the cases of cyclonus, one in so many is asked."""

pytestmark = pytest.mark.conformance

Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Manifests, questions about them, and whether each is allowed."""

    name: str
    files: tuple[Path, ...]
    queries: tuple[tuple[Query, bool], ...]


def _end(name: str) -> Query:
    namespace, slash, pod = name.partition("/")
    return {"namespace": namespace, "pod": pod} if slash else {"ip": name}


def _query(ends: tuple[str, str], protocol: str, port: int) -> Query:
    src, dst = map(_end, ends)
    return {"src": src, "dst": dst, "protocol": protocol, "port": port}


def _folders(name: str) -> list[Path]:
    found = sorted((SHARED / name / "cases").glob("*/expected.json"))
    if not found:
        why = f"no recorded answers in {SHARED / name}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [file.parent for file in found]


def _cyclonus() -> Iterator[Asked]:
    for folder in _folders("cyclonus")[::EVERY]:
        expected = json.loads((folder / "expected.json").read_text())
        for step in expected["steps"]:
            pods = folder / step["pods"] if "pods" in step else SHARED / "cyclonus" / "pods.yaml"
            yield Asked(
                f"{folder.name} step {step['step']}",
                (pods, folder / step["manifests"]),
                tuple(_cells(step)),
            )


def _cells(step: dict[str, Any]) -> Iterator[tuple[Query, bool]]:
    """All cells but those of a pod with itself."""
    for named, tables in step["tables"].items():
        protocol, _, port = named.partition("/")
        for source, row in zip(step["order"], tables["combined"], strict=True):
            for target, cell in zip(step["order"], row, strict=True):
                if source != target:
                    yield _query((source, target), protocol, int(port)), cell == "."


def _probes() -> Iterator[Asked]:
    top = SHARED / "network-policy-api-conformance" / "topology.yaml"
    for folder in _folders("network-policy-api-conformance"):
        for step in json.loads((folder / "expected.json").read_text())["steps"]:
            queries = tuple(
                (_query((p["src"], p["dst"]), p["protocol"], p["port"]), p["allowed"])
                for p in step["probes"]
            )
            yield Asked(f"{folder.name} {step['name']}", (top, folder / step["manifests"]), queries)


def _manifests(asked: Asked, folder: Path) -> Path:
    """All objects in one file of JSON: the recordings write a namespace `y` without quotes, which
    kubectl reads as true, and refuses.
    """
    items = [
        item
        for file in asked.files
        for item in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader)
        if item
    ]
    found = folder / "objects.json"
    found.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return found


def _verdicts(asked: Asked, folder: Path) -> Sequence[str]:
    """What the command answers, line by line."""
    questions, answered = folder / "queries.jsonl", folder / "answers.jsonl"
    questions.write_text("".join(json.dumps(query) + "\n" for query, _ in asked.queries))
    words = ["network", "check", str(_manifests(asked, folder)), "--queries", str(questions)]
    words += ["--cni", "spec", "--format", "jsonl", "--output", str(answered)]
    assert cli.main(words, standalone_mode=False) == 0, asked.name
    answers = [json.loads(line) for line in answered.read_text().splitlines()]
    assert len(answers) == len(asked.queries), asked.name
    assert all(answer["reasons"] for answer in answers), asked.name
    return [answer["verdict"] for answer in answers]


def _scored(asked: Iterator[Asked], folder: Path) -> tuple[Counter[str], list[object]]:
    count: Counter[str] = Counter()
    wrong: list[object] = []
    for one in asked:
        verdicts = _verdicts(one, folder)
        for (query, allowed), verdict in zip(one.queries, verdicts, strict=True):
            agrees = verdict == ("allowed" if allowed else "denied")
            count["queries"] += 1
            count["agree"] += agrees
            if not agrees:
                wrong.append((one.name, query, verdict))
    return count, wrong


def test_the_tables_of_cyclonus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every cell between two pods, of one case in eight, is answered as the tables have it."""
    count, wrong = _scored(_cyclonus(), tmp_path)
    with capsys.disabled():
        print(f"\ncyclonus by command: {count['agree']} of {count['queries']}", end="")  # noqa: T201
    assert not wrong, wrong[:10]
    assert count["queries"] > 5_000


def test_the_probes_of_the_network_policy_api(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every probe of ClusterNetworkPolicy is answered as its conformance tests have it."""
    count, wrong = _scored(_probes(), tmp_path)
    with capsys.disabled():
        print(f"\nprobes by command: {count['agree']} of {count['queries']}", end="")  # noqa: T201
    assert not wrong, wrong[:10]
    assert count["queries"] == 301
