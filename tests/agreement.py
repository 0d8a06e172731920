"""What other tools' own tests expect of checks that a policy of ours names in `equivalents`.

Each tool gives its expectations in a form of its own; here each becomes a `Question`: files, the
policies of ours that name the check, and which objects fail. Found by METADATA: a new policy, or a
new name in `equivalents`, brings its questions along. Nothing of the tools is kept here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from auditor.audit import Bench, audit
from auditor.model import Policy, Settings
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load
from auditor.sources.files import FileSource

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
SETS = ("regolibrary", "polaris", "kube-linter", "kube-score")

RULES: Mapping[str, str] = {
    "image-not-pinned-to-digest": "kubescape:C-0306",
    "rule-identify-blocklisted-image-registries-v1": "kubescape:C-0001",
    "sudo-in-container-entrypoint": "kubescape:C-0062",
    "set-procmount-default": "trivy:KSV-0027",
    "set-seLinuxOptions": "trivy:KSV-0025",
    "set-fsgroup-value": "gatekeeper:fsgroup",
    "set-supplementalgroups-values": "kyverno:check-supplemental-groups",
    "set-runasusername-value": "kyverno:require-run-as-containeruser",
}
"""Rules of regolibrary that no framework of theirs names, or only one that puts ten into one
control (C-0211): by which name our policies know them."""
MANY = "kubescape:C-0211"

ALL = "*"
"""Stands for an object where a tool says no more than that some object of a file fails."""


@dataclass(frozen=True, slots=True)
class Question:
    """One expectation of a tool."""

    name: str
    """set/check/case"""
    files: tuple[str, ...]
    policies: tuple[Policy, ...]
    failing: frozenset[str]
    """Kind/name of what fails; Kind/* where some object of that kind does; * where some does."""
    by: str
    """object, kind or file: what the verdicts are told of."""
    passing: str = ""
    """Names that begin so are said to pass, where the verdict is of a kind."""
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What both say of one thing."""

    name: str
    """set/check/case/thing"""
    theirs: bool
    """Whether it fails."""
    ours: bool

    @property
    def agreed(self) -> bool:
        """Whether it is the same."""
        return self.theirs == self.ours


@cache
def _known() -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    return load(ROOT / "policies")


def naming(*checks: str) -> tuple[Policy, ...]:
    """The policies that name one of the checks."""
    return tuple(p for p in _known()[0] if not set(checks).isdisjoint(p.equivalents))


@cache
def _bench(policies: tuple[Policy, ...]) -> Bench:
    modules = {policy.file: policy.module for policy in policies} | dict(_known()[1])
    return Bench(policies, compile_policies("regorus", modules))


def verdicts(question: Question) -> Iterator[Verdict]:
    """Both verdicts of each object that our policies judge, or of the file as a whole."""
    bench = _bench(question.policies)
    snapshot = FileSource(question.files).snapshot()
    found = audit(snapshot, bench, Settings(parameters=question.parameters)).findings
    kinds = {kind for policy in question.policies for kind in policy.kinds}
    ours = {f"{f.ref.kind}/{f.ref.name}" for f in found}
    judged = {f"{r.ref.kind}/{r.ref.name}" for r in snapshot.resources if r.ref.kind in kinds}
    for thing, failing in _things(question, judged, ours):
        theirs = thing in question.failing
        yield Verdict(f"{question.name}/{thing}", theirs, failing)


def _things(question: Question, judged: set[str], ours: set[str]) -> Iterator[tuple[str, bool]]:
    """What a verdict is told of, with ours."""
    if question.by == "object":
        yield from ((each, each in ours) for each in sorted(judged))
    elif question.by == "file" and judged:
        yield ALL, bool(ours)
    elif question.by == "kind":
        good = {each for each in judged if each.split("/")[1].startswith(question.passing)}
        yield from ((each, each in ours) for each in sorted(good))
        for kind in sorted({each.split("/")[0] for each in judged - good}):
            yield f"{kind}/{ALL}", any(each.startswith(f"{kind}/") for each in ours - good)


def questions(name: str) -> Iterator[Question]:
    """Those of one set that concern a policy of ours; none where the set is not there."""
    yield from {
        "regolibrary": _regolibrary,
        "polaris": _polaris,
        "kube-linter": _kube_linter,
        "kube-score": _kube_score,
    }[name](DATA / name)


def _regolibrary(folder: Path) -> Iterator[Question]:
    controls = _controls(folder.parent.parent / "frameworks")
    for rule in sorted(path.name for path in (folder / "rules").glob("*")):
        named = {RULES[rule]} if rule in RULES else controls.get(rule, set()) - {MANY}
        policies = naming(*named)
        for expected in sorted((folder / "rules" / rule).glob("test/*/expected.json")):
            if policies:
                yield Question(
                    f"regolibrary/{rule}/{expected.parent.name}",
                    (str(expected.parent / "input"),),
                    policies,
                    frozenset(_alerted(json.loads(expected.read_text("utf-8")))),
                    by="object",
                    parameters=_declared(expected.with_name("data.json")),
                )


def _controls(folder: Path) -> Mapping[str, set[str]]:
    """Rule → the controls that it serves."""
    found: dict[str, set[str]] = {}
    for file in folder.glob("kubescape-*.json"):
        for control in json.loads(file.read_text("utf-8"))["controls"]:
            for rule in control["rules"]:
                found.setdefault(rule, set()).add(f"kubescape:{control['id']}")
    return found


def _alerted(alerts: Any) -> Iterator[str]:
    for alert in alerts or []:
        for found in alert["alertObject"].get("k8sApiObjects") or []:
            yield f"{found['kind']}/{found['metadata'].get('name', '')}"


def _declared(file: Path) -> Mapping[str, Mapping[str, Any]]:
    """Their lists of registries are parts of names; ours are names."""
    inputs = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    listed = inputs.get("postureControlInputs", {}).get("imageRepositoryAllowList", [])
    registries = [registry for name in listed for registry in (name, f"*.{name}")]
    return {"image/undeclared_registry": {"registries": registries}} if registries else {}


def _polaris(folder: Path) -> Iterator[Question]:
    for file in sorted(folder.glob("checks/*/*.yaml")):
        policies = naming(f"polaris:{file.parent.name}")
        if policies:
            failing = frozenset({ALL} if file.name.startswith("failure") else ())
            name = f"polaris/{file.parent.name}/{file.stem}"
            yield Question(name, (str(file),), policies, failing, by="file")


def _kube_linter(folder: Path) -> Iterator[Question]:
    for case in _listed(folder):
        policies = naming(f"kube-linter:{case['check']}")
        if policies and not case["config"]:
            kinds = {message.split(":")[0].split()[0] for message in case["messages"]}
            yield Question(
                f"kube-linter/{case['check']}",
                (str(folder / case["file"]),),
                policies,
                frozenset(f"{kind}/{ALL}" for kind in kinds),
                by="kind",
                passing="dont-fire",
            )


def _kube_score(folder: Path) -> Iterator[Question]:
    seen: dict[str, int] = {}
    for case in _listed(folder):
        check = case["check"].lower().replace(" ", "-")
        files = tuple(str(folder / "testdata" / file) for file in case["files"])
        name = f"kube-score/{check}/{Path(files[0]).stem}"
        seen[name] = seen.get(name, 0) + 1  # the same files, asked again with other options
        policies = naming(f"kube-score:{check}")
        if policies:
            failing = frozenset(() if case["grade"] == "GradeAllOK" else {ALL})
            yield Question(f"{name}#{seen[name]}", files, policies, failing, by="file")


def _listed(folder: Path) -> list[dict[str, Any]]:
    file = folder / "expected.json"
    found: list[dict[str, Any]] = json.loads(file.read_text("utf-8")) if file.is_file() else []
    return found
