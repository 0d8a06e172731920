"""Turns the remedies of an audit into fixes that were tried first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from auditor.audit import Bench
from auditor.facts import Facts
from auditor.fixes.operations import CannotApplyError, patched
from auditor.fixes.patch import CannotEditError, edits, insert_document, verify
from auditor.fixes.proof import Case, prove
from auditor.fixes.synthesize import BUILDERS
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.model import (
    Audit,
    Change,
    Finding,
    Fix,
    Proof,
    Remedy,
    Safety,
    Settings,
    Status,
    TextEdit,
)


def with_fixes(audit: Audit, bench: Bench, settings: Settings) -> Audit:
    """The audit, each open finding with the fix that its policy offers and the proof of it."""
    facts = Facts(audit.snapshot, settings)
    findings = tuple(
        _with_fix(finding, audit, facts, bench, settings) for finding in audit.findings
    )
    return replace(audit, findings=findings)


def _with_fix(
    finding: Finding, audit: Audit, facts: Facts, bench: Bench, settings: Settings
) -> Finding:
    remedy = finding.remedy
    if remedy is None or finding.status is not Status.OPEN:
        return finding
    try:
        changes = changes_of(facts, finding, remedy)
    except (CannotBuildError, CannotApplyError) as error:
        return replace(finding, fix=_manual(remedy, str(error)))
    written, unwritten = _written(audit, changes)
    case = Case(audit, facts, finding, changes, written, unwritten, bench, settings)
    fix = Fix(remedy.title, remedy.safety, changes, written, prove(case))
    return replace(finding, fix=fix)


def changes_of(facts: Facts, finding: Finding, remedy: Remedy) -> tuple[Change, ...]:
    """The objects as the remedy would leave them.

    Raises:
        CannotBuildError, CannotApplyError: it cannot be carried out; the text says why.
    """
    if remedy.synthesize:
        builder = BUILDERS.get(remedy.synthesize)
        if builder is None:
            raise CannotBuildError(f"nothing is called '{remedy.synthesize}' here")
        return builder(facts, finding)
    resource = facts.snapshot.find(finding.ref)
    if resource is None or not remedy.patch:
        raise CannotBuildError("the policy names no change")
    return (patched(resource, *remedy.patch),)


def _manual(remedy: Remedy, why: str) -> Fix:
    return Fix(remedy.title, Safety.MANUAL, (), (), Proof(resolved=False, unproven=(why,)))


def _written(audit: Audit, changes: Sequence[Change]) -> tuple[tuple[TextEdit, ...], str]:
    """The changes as edits of the user's files, and why that is not possible where it is not."""
    found: list[TextEdit] = []
    for change in changes:
        beside = audit.snapshot.find(change.beside) if change.beside else None
        resource = audit.snapshot.find(change.resource.ref)
        if (beside or resource or change.resource).origin.live:
            continue
        try:
            if beside:
                found.append(insert_document(beside, change.resource.manifest))
            elif resource:
                own = edits(resource, change.operations)
                verify(resource, own, change.resource.manifest)
                found += own
        except CannotEditError as error:
            return (), f"{change.resource.origin.uri} cannot be edited: {error}"
    return tuple(found), ""
