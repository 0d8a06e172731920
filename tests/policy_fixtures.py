"""Judges the fixtures of a policy: they are its tests.

``fixtures/policies/<policy>/fail-*.yaml`` says where it hurts: a line that ends in
``# finding: MESSAGE`` has exactly that finding, and no other line has any. ``pass-*.yaml`` is
silent. ``fixed-X.yaml`` is what the fixes of ``fail-X.yaml`` write, apart from the marks. A file
that begins with ``# kubernetes: 1.N`` is judged for that version. An ``.auditor.yaml`` beside them
declares the parameters of the policy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.audit import Bench, audit
from auditor.cli.config import load as load_config
from auditor.fixes.offer import with_fixes
from auditor.fixes.patch import apply
from auditor.model import Audit, Policy, Settings, TextEdit, Unseen
from auditor.policies.engine import PolicyEngine
from auditor.policies.loader import load
from auditor.policies.parameters import settled
from auditor.sources.files import FileSource

MARK = re.compile(r"[ \t]*# finding: (?P<message>.*\S)[ \t]*$", re.MULTILINE)
FIXABLE = ("deterministic", "generated")
SINCE = re.compile(r"\A# kubernetes: 1\.(\d+)$", re.MULTILINE)


def settings_of(file: Path) -> Settings:
    """What the fixture is judged for: the version that its first line names, else the default; and
    the parameters that are declared beside it.
    """
    found = SINCE.search(file.read_text(encoding="utf-8"))
    version = 100 + int(found[1]) if found else Settings().kubernetes
    beside = file.with_name(".auditor.yaml")
    if not beside.is_file():
        return Settings(kubernetes=version)
    declared = load_config(beside, file.parent)
    told = settled(declared.config.parameters, load()[0], declared.file)
    return Settings(kubernetes=version, parameters=told)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A policy, what evaluates it, and the folder of its fixtures."""

    policy: Policy
    engine: PolicyEngine
    fixtures: Path

    def files(self, kind: str) -> list[Path]:
        """The fixtures of a kind: fail, pass or fixed."""
        return sorted(self.fixtures.glob(f"{kind}-*.yaml"))

    def audit(self, file: Path) -> Audit:
        """What this policy alone says of a file."""
        bench = Bench((self.policy,), self.engine)
        return audit(FileSource((str(file),)).snapshot(), bench, settings_of(file))


def faults(bundle: Bundle) -> Iterator[str]:
    """What is wrong with a policy or its fixtures, a sentence each; none where all is right."""
    for kind in ("fail", "pass"):
        if not bundle.files(kind):
            yield f"{bundle.policy.id} has no {kind}-*.yaml in {bundle.fixtures}"
    for file in bundle.files("fail"):
        yield from failing(bundle, file)
    for file in (*bundle.files("pass"), *bundle.files("fixed")):
        yield from silent(bundle, file)
    for file in bundle.files("fixed"):
        if not file.with_name(file.name.replace("fixed-", "fail-", 1)).is_file():
            yield f"{file} belongs to no fail-*.yaml"


def failing(bundle: Bundle, file: Path) -> Iterator[str]:
    """The marks of a failing fixture against the findings, then its fixed side."""
    answer = bundle.audit(file)
    yield from _unseen(file, answer)
    expected, found = marked(file.read_text(encoding="utf-8")), findings(answer)
    if not expected:
        yield f"{file}: no line says '# finding: …'"
    for line, message in sorted(expected - found):
        yield f"{file}:{line}: expected: {message}"
    for line, message in sorted(found - expected):
        yield f"{file}:{line}: found: {message}"
    fixed = file.with_name(file.name.replace("fail-", "fixed-", 1))
    if bundle.policy.fix in FIXABLE or fixed.is_file():
        yield from _fixed(bundle, file, fixed, answer)


def silent(bundle: Bundle, file: Path) -> Iterator[str]:
    """The findings of a fixture that should have none."""
    answer = bundle.audit(file)
    yield from _unseen(file, answer)
    for line, message in sorted(findings(answer)):
        yield f"{file}:{line}: found: {message}"


def marked(text: str) -> set[tuple[int, str]]:
    """Line and message of every mark."""
    return {(text.count("\n", 0, m.start()) + 1, m["message"]) for m in MARK.finditer(text)}


def findings(answer: Audit) -> set[tuple[int, str]]:
    """Line and message of every finding, where the file says what the finding is about."""
    found = set()
    for finding in answer.findings:
        resource = answer.snapshot.find(finding.ref)
        assert resource is not None
        found.add((resource.origin.span(finding.path).line, finding.message))
    return found


def _unseen(file: Path, answer: Audit) -> Iterator[str]:
    for gap in answer.gaps:
        # Values of a wrong type are there on purpose: no policy may stumble over them.
        if gap.severity is Unseen.INCOMPLETE and not gap.why.startswith("an API server refuses"):
            yield f"{file}: could not be seen: {gap.what}: {gap.why}"


def _fixed(bundle: Bundle, file: Path, fixed: Path, answer: Audit) -> Iterator[str]:
    """What the fixes write, against the fixed fixture."""
    if not fixed.is_file():
        yield f"{file}: the policy has a fix, but there is no {fixed.name}"
        return
    edits: list[TextEdit] = []
    bench = Bench((bundle.policy,), bundle.engine)
    for finding in with_fixes(answer, bench, settings_of(file)).findings:
        if finding.fix is None or not finding.fix.proof.holds:
            why = finding.fix.proof if finding.fix else "there is none"
            yield f"{file}: the fix for '{finding.message}' is not proven: {why}"
            return
        edits += [edit for edit in finding.fix.edits if edit not in edits]
    text = file.read_text(encoding="utf-8")
    if MARK.sub("", apply(text, edits)) != fixed.read_text(encoding="utf-8"):
        yield f"{fixed}: the fix writes something else:\n{MARK.sub('', apply(text, edits))}"
