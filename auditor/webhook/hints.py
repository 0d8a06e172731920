"""Says in a line what a fix sets: for people who read a warning after ``kubectl apply``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import orjson

from auditor.fixes.case import Before, Case
from auditor.fixes.offer import changes_of
from auditor.fixes.operations import CannotApplyError
from auditor.fixes.proof import prove_findings
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.together import ClashError, merged
from auditor.manifests import at, mapping
from auditor.model import Finding, Fix, Manifest, Operation, Path, Proof, Safety
from auditor.reporters.places import dotted

LENGTH = 200
"""Code points of one line, as of every warning."""
NAMES = 3
"""So many containers, volumes … are named; the rest is counted."""


def classes(findings: Iterable[Finding]) -> Iterator[tuple[Finding, ...]]:
    """The findings of each policy on each object, in the order in which they came first."""
    order: dict[tuple[str, object], list[Finding]] = {}
    for finding in findings:
        order.setdefault((finding.policy.id, finding.ref), []).append(finding)
    yield from map(tuple, order.values())


def hints(findings: Iterable[Finding], before: Before) -> tuple[str, ...]:
    """For each class of findings, among those of the audit `before`, the fix that was proven for
    all of them at once. Nothing is said where none was: a hint that fails is worse than none.
    """
    return tuple(line for each in classes(findings) if (line := _hint(each, before)))


def _hint(findings: Sequence[Finding], before: Before) -> str:
    remedy = findings[0].remedy
    fix = _proven(findings, before) if remedy and remedy.safety is not Safety.MANUAL else None
    if fix is None:
        return ""
    unsafe = fix.safety is Safety.UNSAFE or fix.proof.assumes
    opening = "fix (may change behaviour): " if unsafe else "fix: "
    line = opening + _said(fix, findings[0], before)
    return line if len(line) <= LENGTH else f"{opening}{fix.title}"


def _proven(findings: Sequence[Finding], before: Before) -> Fix | None:
    """The fixes of all these findings as one, where that holds."""
    fixes = []
    for finding in findings:
        if finding.remedy is None:
            return None
        try:
            changes = changes_of(before.facts, finding, finding.remedy)
        except (CannotBuildError, CannotApplyError):
            return None
        nothing = Proof(resolved=False)
        fixes.append(Fix(finding.remedy.title, finding.remedy.safety, changes, (), nothing))
    try:
        changes = merged(before.audit.snapshot, fixes)
    except ClashError:
        return None
    proof = prove_findings(Case(before, findings[0], changes, (), ""), findings)
    return Fix(fixes[0].title, fixes[0].safety, changes, (), proof) if proof.holds else None


def _said(fix: Fix, finding: Finding, before: Before) -> str:
    """What it sets, where it changes nothing but fields of the object that was found faulty."""
    (change, *more) = fix.changes
    there = before.audit.snapshot.find(finding.ref)
    if more or there is None or change.beside or change.resource.ref.key != finding.ref.key:
        return fix.title
    return steps_told(there.manifest, change.operations)


def steps_told(manifest: Manifest, operations: Iterable[Operation]) -> str:
    """The operations in words: ``set spec.containers[app, log].securityContext.privileged: false``.
    Items of lists go by their names, and what is done to several alike is told once.
    """
    alike: dict[tuple[str, str], dict[str, None]] = {}
    for operation in operations:
        before, name, after = _parts(manifest, operation)
        alike.setdefault((before, after), {})[name] = None
    return ", ".join(
        _joined(before, tuple(names), after) for (before, after), names in alike.items()
    )


def _parts(manifest: Manifest, operation: Operation) -> tuple[str, str, str]:
    """What is said before the name of an item, the name, and what is said after it."""
    path = operation.path[:-1] if operation.path[-1:] == ("-",) else operation.path
    verb = (
        "remove" if operation.op == "remove" else "set" if path == operation.path else "append to"
    )
    value = "" if operation.op == "remove" else f": {orjson.dumps(operation.value).decode()}"
    first = next((i for i, step in enumerate(path) if isinstance(step, int)), None)
    if first is None:
        return f"{verb} {dotted(path)}", "", value
    rest = dotted(path[first + 1 :])
    after = f".{rest}{value}" if rest else value
    return f"{verb} {dotted(path[:first])}", _name(manifest, path[: first + 1]), after


def _name(manifest: Manifest, path: Path) -> str:
    name = mapping(at(manifest, path)).get("name")
    return name if isinstance(name, str) and name else str(path[-1])


def _joined(before: str, names: Sequence[str], after: str) -> str:
    if names == ("",):
        return before + after
    more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
    return f"{before}[{', '.join(names[:NAMES])}{more}]{after}"
