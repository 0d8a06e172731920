"""Judges the fixtures of a policy: they are its tests.

``fixtures/policies/<policy>/fail-*.yaml`` says where it hurts: a line that ends in
``# finding: MESSAGE`` has exactly that finding, and no other line has any. ``pass-*.yaml`` is
silent. ``fixed-X.yaml`` is what the fixes of ``fail-X.yaml`` write, apart from the marks. A file
that begins with ``# kubernetes: 1.N`` is judged for that version; ``# cni: PROFILE`` on a line says
what enforces, and ``# live`` that the objects are those of a cluster. An ``.auditor.yaml`` beside
them declares the parameters of the policy and what holds personal data; ``flows.csv`` is what was
observed; ``before-fail-X.yaml`` is what was there before the change to ``fail-X.yaml``. What a
fixture waives is no finding.
``fail-refused-*.yaml`` shows what the API server takes neither before nor after its fixes.

A mark may say more: ``# finding with an unsafe fix: MESSAGE`` (safe, unsafe or manual; or
unproven, where nothing shows that it would help), or ``# finding with no fix: MESSAGE`` where the
policy has one for others. ``# evidence: MESSAGE (one
of GROUP, GROUP)`` stands on the line at which evidence points, or anywhere where it points at
nothing: as soon as a file says one, it says all. ``# evidence: none`` says that there is none.
``# remedy: SAFETY: TITLE`` says, anywhere, what the policy itself says of a fix, before any proof;
it says all of them, too, as does ``# severity: LEVEL`` of how grave the findings are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.audit import Bench, audit
from auditor.cli.config import load as load_config
from auditor.declared import Flows, Inline
from auditor.facts import Facts
from auditor.facts.holdings import held
from auditor.fixes.offer import with_fixes
from auditor.fixes.patch import apply
from auditor.model import Audit, Finding, Policy, Ref, Settings, Status, TextEdit, Unseen
from auditor.policies.engine import PolicyEngine
from auditor.policies.loader import load
from auditor.policies.parameters import settled
from auditor.sources.files import FileSource
from auditor.sources.flows import read_flows
from auditor.terms import Server

MARK = re.compile(
    r"[ \t]*# (?:(?P<finding>finding)"
    r"(?: with (?P<fix>no|a safe|an unsafe|a manual|an unproven) fix)?"
    r"|(?P<evidence>evidence)|(?P<remedy>remedy)|(?P<severity>severity)): (?P<message>.*\S)[ \t]*$",
    re.MULTILINE,
)
INLINE = Inline(allowed=("*",))
FIXABLE = ("deterministic", "generated")
SINCE = re.compile(r"\A# kubernetes: 1\.(\d+)$", re.MULTILINE)
LIVE = re.compile(r"^# live$", re.MULTILINE)
ENFORCED = re.compile(r"^# cni: (\S+)$", re.MULTILINE)


def settings_of(file: Path) -> Settings:
    """What the fixture is judged for: the version that its first line names, else the default; the
    profile of what enforces network policies; and the parameters that are declared beside it.
    """
    before = file.with_name(f"before-{file.name}")
    if before.is_file():
        facts = Facts(FileSource((str(before),)).snapshot(), Settings())
        return replace(_settings_of(file), held=held(facts))
    return _settings_of(file)


def _flows(file: Path) -> tuple[Flows, ...]:
    """What was observed, where that lies beside the fixtures."""
    beside = file.with_name("flows.csv")
    return (read_flows(beside),) if beside.is_file() else ()


def _settings_of(file: Path) -> Settings:
    text = file.read_text(encoding="utf-8")
    found = SINCE.search(text)
    version = 100 + int(found[1]) if found else Settings().kubernetes
    cni = tuple(ENFORCED.findall(text))
    beside = file.with_name(".auditor.yaml")
    if not beside.is_file():
        return Settings(kubernetes=version, inline=INLINE, cni=cni, flows=_flows(file))
    declared = load_config(beside, file.parent)
    told = settled(declared.config.parameters, load()[0], declared.file)
    return Settings(kubernetes=version, parameters=told, inline=INLINE, cni=cni, data=declared.data)


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
        snapshot = FileSource((str(file),)).snapshot()
        settings = settings_of(file)
        if LIVE.search(file.read_text(encoding="utf-8")):
            server = Server(settings.kubernetes, frozenset(r.ref.kind for r in snapshot.resources))
            snapshot = replace(snapshot, server=server)
        return audit(snapshot, bench, settings)


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
    text = file.read_text(encoding="utf-8")
    expected, found = marked(text), findings(answer)
    if not expected:
        yield f"{file}: no line says '# finding: …'"
    for line, message in sorted(expected - found):
        yield f"{file}:{line}: expected: {message}"
    for line, message in sorted(found - expected):
        yield f"{file}:{line}: found: {message}"
    yield from _evident(file, answer)
    yield from _remedied(file, answer)
    yield from _grave(file, answer)
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
    """Line and message of every finding that is marked."""
    return {(line, mark["message"]) for line, mark in _marks(text) if mark["finding"]}


def beyond_fixing(text: str) -> set[tuple[int, str]]:
    """Those of them for which no change is offered."""
    return {
        (line, mark["message"])
        for line, mark in _marks(text)
        if mark["fix"] in ("no", "a manual", "an unproven")
    }


def _marks(text: str) -> Iterator[tuple[int, re.Match[str]]]:
    for mark in MARK.finditer(text):
        yield text.count("\n", 0, mark.start()) + 1, mark


def findings(answer: Audit) -> set[tuple[int, str]]:
    """Line and message of every finding, where the file says what the finding is about."""
    return {(_line(answer, f.ref, f.path), f.message) for f in _open(answer.findings)}


def _open(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Those that the fixture does not waive."""
    return (finding for finding in findings if finding.status is Status.OPEN)


def _line(answer: Audit, ref: Ref, path: tuple[str | int, ...]) -> int:
    resource = answer.snapshot.find(ref)
    assert resource is not None
    return resource.origin.span(path).line


def _evident(file: Path, answer: Audit) -> Iterator[str]:
    """The evidence of the findings, against what the file says of it, if it says anything."""
    text = file.read_text(encoding="utf-8")
    marks = {(line, mark["message"]) for line, mark in _marks(text) if mark["evidence"]}
    if not marks:
        return
    said = {message for _, message in marks} - {"none"}
    found = set()
    for evidence in (each for finding in answer.findings for each in finding.evidence):
        groups = f" (one of {', '.join(evidence.within)})" if evidence.within else ""
        message = f"{evidence.message}{groups}"
        found.add(message)
        if evidence.ref and (_line(answer, evidence.ref, evidence.path), message) not in marks:
            yield f"{file}:{_line(answer, evidence.ref, evidence.path)}: evidence: {message}"
    for message in sorted(said ^ found):
        yield f"{file}: evidence {'expected' if message in said else 'found'}: {message}"


def _remedied(file: Path, answer: Audit) -> Iterator[str]:
    """What the policy says of its fixes, against what the file says, if it says anything."""
    marks = _marks(file.read_text(encoding="utf-8"))
    said = {mark["message"] for _, mark in marks if mark["remedy"]}
    remedies = (finding.remedy for finding in _open(answer.findings)) if said else ()
    found = {f"{remedy.safety.value}: {remedy.title}" for remedy in remedies if remedy}
    for remedy in sorted(said ^ found):
        yield f"{file}: remedy {'expected' if remedy in said else 'found'}: {remedy}"


def _grave(file: Path, answer: Audit) -> Iterator[str]:
    """How grave the findings are, against what the file says, if it says anything."""
    marks = _marks(file.read_text(encoding="utf-8"))
    said = {mark["message"] for _, mark in marks if mark["severity"]}
    found = {f.severity.name.lower() for f in _open(answer.findings)} if said else set()
    for severity in sorted(said ^ found):
        yield f"{file}: severity {'expected' if severity in said else 'found'}: {severity}"


def _is_as_said(text: str, line: int, finding: Finding) -> bool:
    """Whether the fix of the finding at `line` is as its mark says."""
    said = {(at, mark["message"]): mark["fix"] for at, mark in _marks(text)}
    expected = (said.get((line, finding.message)) or "").split(" ")[-1]
    if expected == "unproven":
        return finding.fix is not None and not finding.fix.proof.holds
    return expected in ("", finding.fix.safety if finding.fix else "no")


def _unseen(file: Path, answer: Audit) -> Iterator[str]:
    for gap in answer.gaps:
        # Values of a wrong type are there on purpose: no policy may stumble over them. The pods
        # that a Gateway makes are no matter of the policies on routes.
        on_purpose = ("an API server refuses", "may create pods", "no pod was assessed")
        if gap.severity is Unseen.INCOMPLETE and not gap.why.startswith(on_purpose):
            yield f"{file}: could not be seen: {gap.what}: {gap.why}"


def _fixed(bundle: Bundle, file: Path, fixed: Path, answer: Audit) -> Iterator[str]:
    """What the fixes write, against the fixed fixture."""
    edits: list[TextEdit] = []
    bench = Bench((bundle.policy,), bundle.engine)
    text = file.read_text(encoding="utf-8")
    for finding in _open(with_fixes(answer, bench, settings_of(file)).findings):
        line = _line(answer, finding.ref, finding.path)
        if not _is_as_said(text, line, finding):
            yield f"{file}:{line}: the fix is another: {finding.fix and finding.fix.safety}"
        if (line, finding.message) in beyond_fixing(text):
            continue
        if finding.fix is None or not finding.fix.proof.holds:
            why = finding.fix.proof if finding.fix else "there is none"
            yield f"{file}: the fix for '{finding.message}' is not proven: {why}"
            return
        edits += [edit for edit in finding.fix.edits if edit not in edits]
    if not fixed.is_file():
        if edits:
            yield f"{file}: the policy has a fix, but there is no {fixed.name}"
    elif MARK.sub("", apply(text, edits)) != fixed.read_text(encoding="utf-8"):
        yield f"{fixed}: the fix writes something else:\n{MARK.sub('', apply(text, edits))}"
