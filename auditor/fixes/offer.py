"""Turns the remedies of an audit into fixes that were tried first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from operator import attrgetter

from auditor.audit import Bench
from auditor.facts import Facts
from auditor.fixes.case import Before, Case
from auditor.fixes.operations import CannotApplyError, patched
from auditor.fixes.patch import CannotEditError
from auditor.fixes.proof import Outcome, prove
from auditor.fixes.side_by_side import is_apart, side_by_side
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.together import written
from auditor.memory import builder
from auditor.model import (
    Audit,
    Change,
    Finding,
    Fix,
    Proof,
    Ref,
    Remedy,
    Safety,
    Settings,
    Snapshot,
    Status,
    TextEdit,
    by_document,
)

NONE = Remedy("", Safety.MANUAL)
"""Of a finding for which its policy offers nothing."""


def with_fixes(audit: Audit, bench: Bench, settings: Settings) -> Audit:
    """The audit, each open finding with the fix that its policy offers and the proof of it."""
    before = Before(audit, bench, settings)
    fixes: dict[int, Fix] = {}
    apart: list[Case] = []
    for one in by_document(f for f in audit.findings if f.remedy and f.status is Status.OPEN):
        made = _made(one, before)
        if isinstance(made, Case):
            apart.append(made)
        else:
            fixes[id(one)] = made
    fixes |= {id(case.finding): _proven(case, found) for case, found in side_by_side(apart)}
    findings = tuple(
        _with(finding, fix) if (fix := fixes.get(id(finding))) else finding
        for finding in audit.findings
    )
    return replace(audit, findings=findings)


_FIELDS = [field.name for field in fields(Finding)]
_VALUES = attrgetter(*_FIELDS)
_FIX = _FIELDS.index("fix")
_built = builder(Finding)


def _with(finding: Finding, fix: Fix) -> Finding:
    """The finding with its fix. `replace` would take five times as long, ten thousands of times."""
    values = list(_VALUES(finding))
    values[_FIX] = fix
    return _built(*values)


def _made(finding: Finding, before: Before) -> Fix | Case:
    """The fix that the remedy becomes, or the case where it may be tried with others. One that
    cannot be carried out changes nothing, and says why.
    """
    remedy = finding.remedy or NONE
    try:
        _check_single(before.audit.snapshot, (finding.ref,))
        changes = changes_of(before.facts, finding, remedy)
        _check_single(before.audit.snapshot, [change.resource.ref for change in changes])
    except (CannotBuildError, CannotApplyError) as error:
        return _manual(remedy.title, str(error))
    edits, unwritten = _written(before.audit.snapshot, changes)
    case = Case(before, finding, changes, edits, unwritten)
    return case if is_apart(case) else _proven(case)


def _proven(case: Case, outcome: Outcome | None = None) -> Fix:
    """The fix, with what can be shown of it."""
    remedy = case.finding.remedy or NONE
    proof = prove(case, outcome)
    doubted = proof.assumes and remedy.safety is Safety.SAFE
    safety = Safety.UNSAFE if doubted else remedy.safety
    return Fix(remedy.title, safety, case.changes, case.edits, proof)


def changes_of(facts: Facts, finding: Finding, remedy: Remedy) -> tuple[Change, ...]:
    """The objects as the remedy would leave them.

    Raises:
        CannotBuildError, CannotApplyError: it cannot be carried out; the text says why.
    """
    if remedy.synthesize:
        from auditor.fixes.synthesize import builder_of

        build = builder_of(remedy.synthesize)
        if build is None:
            raise CannotBuildError(f"nothing is called '{remedy.synthesize}' here")
        return build(facts, finding)
    resource = facts.snapshot.find(finding.ref)
    if resource is None or not remedy.patch:
        raise CannotBuildError("the policy names no change")
    return (patched(resource, *remedy.patch),)


def _check_single(snapshot: Snapshot, refs: Iterable[Ref]) -> None:
    for ref in refs:
        if ref.key in snapshot.repeated:
            raise CannotBuildError(
                f"{ref} is written more than once: only one of them can be there"
            )


@lru_cache(maxsize=1024)
def _manual(title: str, why: str) -> Fix:
    """One value for all findings that have it."""
    return Fix(title, Safety.MANUAL, (), (), Proof(resolved=False, unproven=(why,)))


def _written(snapshot: Snapshot, changes: Sequence[Change]) -> tuple[tuple[TextEdit, ...], str]:
    """The changes as edits of the user's files, and why that is not possible where it is not."""
    try:
        return written(snapshot, changes), ""
    except CannotEditError as error:
        return (), str(error)
