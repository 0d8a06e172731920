"""`auditor diff`: what a change brings, what it resolves, and what can no longer be told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import auditor.reporters

from .command import HARMLESS, PRIVILEGED, Command, Said

SCHEMA = json.loads((Path(auditor.reporters.__file__).parent / "diff.schema.json").read_text())
ONLY = ("--select", "workload/privileged_container")
LIST = "apiVersion: v1\nkind: Pod\nmetadata: [1\n"


def _git(repo: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", *identity, *arguments]
    return subprocess.run(command, cwd=repo, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one harmless pod in its last commit; the current folder."""
    made = tmp_path / "repo"
    (made / "k8s").mkdir(parents=True)
    _git(made, "init", "-q", "-b", "main")
    (made / "k8s" / "pod.yaml").write_text(HARMLESS, "utf-8")
    _git(made, "add", ".")
    _git(made, "commit", "-qm", "one")
    monkeypatch.chdir(made)
    return made


def _compared(said: Said) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(said.out)
    jsonschema_rs.validator_for(SCHEMA).validate(document)
    return document


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["object"]["name"] for row in rows]


def _two(tmp_path: Path, base: str, head: str) -> tuple[Path, Path]:
    for name, text in (("old", base), ("new", head)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pod.yaml").write_text(text, "utf-8")
    return tmp_path / "old", tmp_path / "new"


def test_new_resolved_and_remaining(auditor: Command, tmp_path: Path) -> None:
    """Known by fingerprint: the one that stays has moved by a line and to another file."""
    base, head = _two(tmp_path, PRIVILEGED, "# moved\n" + PRIVILEGED)
    (head / "pod.yaml").rename(head / "moved.yaml")
    gone, come = (PRIVILEGED.replace("name: web", f"name: {name}") for name in ("gone", "come"))
    (base / "gone.yaml").write_text(gone, "utf-8")
    (head / "come.yaml").write_text(come, "utf-8")
    said = auditor("diff", base, head, "--format", "json", *ONLY)
    found = _compared(said)
    assert said.code == 1
    assert _names(found["new"]) == ["come"]
    assert _names(found["resolved"]) == ["gone"]
    assert _names(found["remaining"]) == ["web"]
    assert [row["file"] for row in (*found["new"], *found["resolved"])] == [
        "come.yaml",
        "gone.yaml",
    ]


def test_the_text_shows_the_line_of_what_is_new(auditor: Command, tmp_path: Path) -> None:
    """And counts the rest."""
    base, head = _two(tmp_path, HARMLESS, PRIVILEGED)
    out = auditor("diff", base, head, *ONLY).out
    assert out.startswith("new (1):\nhigh[workload/privileged_container]: container 'app' runs")
    assert "11 |         privileged: true # for now" in out
    assert "1 new; 0 resolved; 0 still there; no new gaps" in out
    brief = auditor("diff", base, head, "-q", *ONLY).out
    assert "\n  pod.yaml:11:21: high[workload/privileged_container]: container" in f"\n{brief}"


@pytest.mark.parametrize(
    ("flags", "code"), [((), 1), (("--fail-on", "critical"), 0), (("--fail-on", "never"), 0)]
)
def test_only_what_is_new_fails(
    auditor: Command, tmp_path: Path, flags: tuple[str, ...], code: int
) -> None:
    """From --fail-on on; what was there before fails nothing."""
    base, head = _two(tmp_path, HARMLESS, PRIVILEGED)
    assert auditor("diff", base, head, *flags, *ONLY).code == code
    assert auditor("diff", head, head, *ONLY).code == 0
    assert auditor("diff", head, base, *ONLY).code == 0


def test_what_cannot_be_seen_is_not_resolved(auditor: Command, tmp_path: Path) -> None:
    """A file that broke has its fault no longer in sight, and perhaps still in it."""
    base, head = _two(tmp_path, PRIVILEGED, LIST)
    said = auditor("diff", base, head, "--format", "json", *ONLY)
    found = _compared(said)
    assert said.code == 4
    assert [row["doubtful"] for row in found["resolved"]] == [True]
    assert "pod.yaml" in found["newGaps"][0]["what"]
    text = auditor("diff", base, head, *ONLY).out
    assert "(may only be out of sight)" in text
    assert "1 of the resolved may only be out of sight" in text


@pytest.mark.parametrize("folder", ["control plane", "policy overrides"])
def test_nor_is_it_in_a_folder_of_any_name(auditor: Command, tmp_path: Path, folder: str) -> None:
    """A gap is about a policy where that could not be asked, and not where a path says so."""
    base, head = _two(tmp_path, PRIVILEGED, LIST)
    for side in (base, head):
        (side / folder).mkdir()
        (side / "pod.yaml").rename(side / folder / "pod.yaml")
    said = auditor("diff", base, head, "--format", "json", *ONLY)
    found = _compared(said)
    assert [row["doubtful"] for row in found["resolved"]] == [True]
    assert [gap.get("policy") for gap in found["newGaps"]] == [None]
    audited = auditor("audit", head, "--format", "json", *ONLY)
    assert [(gap["about"], gap["policy"]) for gap in audited.report["gaps"]] == [("reading", None)]


def test_what_was_not_seen_before_may_not_be_new(auditor: Command, tmp_path: Path) -> None:
    """It counts all the same, and that is said."""
    base, head = _two(tmp_path, LIST, PRIVILEGED)
    said = auditor("diff", base, head, *ONLY)
    assert said.code == 1
    assert "may have been there unseen in" in " ".join(said.out.split())


def test_revisions_are_compared_with_files(auditor: Command, repo: Path) -> None:
    """By every spelling; files are named as they are in the repository."""
    (repo / "k8s" / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    for base, head in (
        ("HEAD", "."), ("git:main", "k8s"), ("HEAD:k8s", "k8s"),
        ("git:HEAD:k8s/pod.yaml", "k8s/pod.yaml"), ("main:./k8s", str(repo)),
    ):  # fmt: skip
        said = auditor("diff", base, head, "--format", "json", *ONLY)
        [row] = _compared(said)["new"]
        assert (row["file"], row["line"]) == ("k8s/pod.yaml", 11)
    _git(repo, "commit", "-qam", "two")
    assert _compared(auditor("diff", "HEAD~1", "HEAD", "--format", "json", *ONLY))["new"]


def test_a_saved_report_is_a_side(auditor: Command, repo: Path, tmp_path: Path) -> None:
    """Of either end: for a pipeline that keeps the report of its main branch."""
    saved = tmp_path / "saved.json"
    (repo / "k8s" / "pod.yaml").write_text(PRIVILEGED, "utf-8")
    auditor("audit", "k8s", "--format", "json", "-o", saved, *ONLY)
    assert _compared(auditor("diff", saved, "k8s", "--format", "json", *ONLY))["new"] == []
    said = auditor("diff", "HEAD", saved, *ONLY)
    assert said.code == 1
    assert "k8s/pod.yaml:11:21: high[workload/privileged_container]" in said.out
    refused = auditor("diff", "HEAD", saved, "--format", "sarif", *ONLY)
    assert refused.code == 2
    assert "saved report" in refused.err


def test_more_who_reach_the_data_make_it_worse(auditor: Command, tmp_path: Path) -> None:
    """As a baseline sees it: by what the evidence is about."""
    finding = {
        "policy": "a/b", "severity": "high", "message": "open", "file": "a.yaml", "line": 1,
        "object": {"apiVersion": "v1", "kind": "Pod", "namespace": "a", "name": "b"}, "column": 1,
        "fingerprint": "0" * 16, "status": "open",
    }  # fmt: skip
    for name, anchors in (("old", ["one"]), ("new", ["one", "two"])):
        evidence = [{"anchor": anchor, "within": []} for anchor in anchors]
        report = {"format": "auditor/1", "findings": [finding | {"evidence": evidence}], "gaps": []}
        (tmp_path / f"{name}.json").write_text(json.dumps(report), "utf-8")
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    said = auditor("diff", old, new, "--format", "json")
    found = _compared(said)
    assert (said.code, len(found["worse"]), len(found["new"])) == (1, 1, 0)
    assert _compared(auditor("diff", new, old, "--format", "json"))["worse"] == []


def test_sarif_has_the_new_ones_alone(auditor: Command, tmp_path: Path) -> None:
    """For a review that shows what the change is to blame for."""
    base, head = _two(tmp_path, PRIVILEGED, PRIVILEGED)
    (head / "b.yaml").write_text(PRIVILEGED.replace("name: web", "name: b"), "utf-8")
    log = json.loads(auditor("diff", base, head, "--format", "sarif", *ONLY).out)
    [result] = log["runs"][0]["results"]
    assert result["message"]["text"].startswith("Pod shop/b: ")


@pytest.mark.parametrize("name", ["nowhere", "git:nowhere", "HEAD:nowhere", "-x", "git:--all"])
def test_what_is_no_side_is_named(auditor: Command, repo: Path, name: str) -> None:
    """With what was looked for."""
    said = auditor("diff", "--", name, ".")
    assert (said.code, said.out) == (2, "")
    assert name.removeprefix("git:").removeprefix("HEAD:") in said.err


def test_a_broken_report_is_named(auditor: Command, tmp_path: Path) -> None:
    """A truncated or foreign one is no empty one."""
    file = tmp_path / "a.json"
    for text in (
        '{"format": "auditor/1", "findings": [{}], "gaps": []}',
        '{"format": "auditor/9"}',
    ):
        file.write_text(text, "utf-8")
        assert auditor("diff", file, file).code == 2


FINDING: dict[str, Any] = {
    "policy": "a/b", "severity": "high", "message": "open", "file": "a.yaml", "line": 1,
    "object": {"apiVersion": "v1", "kind": "Pod", "namespace": "a", "name": "b"}, "column": 1,
    "fingerprint": "0" * 16, "status": "open", "evidence": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"object": {"kind": "Pod", "namespace": "a", "name": "b"}}, "object.apiVersion: is mis"),
        ({"object": ["Pod"]}, "object: must be a mapping"),
        ({"object": {**FINDING["object"], "name": 3}}, "object.name: must be a text"),
        ({"fingerprint": ["0"]}, "fingerprint: must be a text"),
        ({"severity": "grave"}, "severity: must be one of critical, "),
        ({"status": {}}, "status: must be a text"),
        ({"line": "1"}, "line: must be a whole number"),
        ({"column": True}, "column: must be a whole number"),
        ({"evidence": [{"anchor": ["a"]}]}, "evidence[0].anchor: must be a text"),
        ({"evidence": [{"anchor": "a", "within": 1}]}, "evidence[0].within: must be a list"),
        ({"evidence": [{"anchor": "a", "within": [[]]}]}, "evidence[0].within[0]: must be a text"),
        ({"evidence": ["a"]}, "evidence[0]: must be a mapping"),
    ],
)
def test_what_is_wrong_in_a_saved_report_is_named(
    change: dict[str, Any], said: str, auditor: Command, tmp_path: Path
) -> None:
    """File and field, as of everything that others write; on either side."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    for file, finding in ((good, FINDING), (bad, FINDING | change)):
        document = {"format": "auditor/1", "findings": [FINDING, finding], "gaps": []}
        file.write_text(json.dumps(document), "utf-8")
    assert auditor("diff", good, good).code == 0
    for sides in ((good, bad), (bad, good)):
        answer = auditor("diff", *sides)
        assert answer.code == 2
        assert f"bad.json: findings[1].{said}" in " ".join(answer.err.split())


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ({}, "gaps: must be a list"),
        ([{"what": "a", "severity": "incomplete"}], "gaps[0].why: is missing"),
        ([{"what": ["a"], "severity": "incomplete", "why": "b"}], "gaps[0].what: must be a text"),
    ],
)
def test_what_is_wrong_with_gaps_is_named(
    gaps: Any, said: str, auditor: Command, tmp_path: Path
) -> None:
    """As of findings."""
    file = tmp_path / "bad.json"
    file.write_text(json.dumps({"format": "auditor/1", "findings": [], "gaps": gaps}), "utf-8")
    answer = auditor("diff", file, file)
    assert answer.code == 2
    assert f"bad.json: {said}" in " ".join(answer.err.split())


def test_nothing_on_both_sides_ends_with_3(auditor: Command, folder: Path) -> None:
    """As for an audit of nothing."""
    assert auditor("diff", folder, folder).code == 3


def test_nothing_on_one_side_is_told(auditor: Command, tmp_path: Path) -> None:
    """All faults are resolved, most likely because nothing was made to look at."""
    base, head = _two(tmp_path, PRIVILEGED, "")
    said = auditor("diff", base, head, *ONLY)
    assert (said.code, "1 resolved" in said.out) == (0, True)
    assert "warning: no Kubernetes object in" in said.err
    assert "counts as resolved" in said.err


def test_a_new_fault_that_is_waived_is_told_and_does_not_fail(
    auditor: Command, tmp_path: Path
) -> None:
    """The waivers of HEAD hold for both sides; what they cover is not hidden."""
    base, head = _two(tmp_path, HARMLESS, PRIVILEGED)
    waiver = "{policy: workload/privileged_container, object: shop/web, reason: until the move}"
    (head / ".auditor.yaml").write_text(f"waivers: [{waiver}]\n", "utf-8")
    said = auditor("diff", base, head, *ONLY)
    assert said.code == 0
    assert "container 'app' runs privileged (shop/web[Pod]) [waived]" in said.out
    assert "1 new; 1 of them waived;" in said.out
    log = json.loads(auditor("diff", base, head, "--format", "sarif", *ONLY).out)
    assert log["runs"][0]["results"] == []
