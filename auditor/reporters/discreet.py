"""Takes credentials out of what an audit says, before any reporter sees it.

Policies quote values, and programs that fail quote their input. A fix whose edit would itself have
to show a credential is left as a title with the reason: `auditor fix --write` makes it in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from auditor.credentials import told
from auditor.fixes.sourced import SourceFix
from auditor.manifests import leaves
from auditor.model import Audit, Evidence, Finding, Fix, Gap, Operation, Waiver
from auditor.reporters.masks import is_credential
from auditor.stand_ins import ALL

SHOWN_BY_HAND = "its edit would show a credential; `auditor fix --write` makes it in the file"
NOT_READ = "it would write a credential, which is not read from a cluster"


def discreet(audit: Audit) -> Audit:
    """The audit without the credentials that its words and its fixes would show."""
    return replace(
        audit,
        findings=tuple(_findings(audit.findings)),
        gaps=tuple(map(_gap, audit.gaps)),
        added=tuple(map(_waiver, audit.added)),
    )


def _findings(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Most of a hundred thousand say what others said before, and nothing else."""
    harmless: set[tuple[str, int]] = set()
    for finding in findings:
        bare = not (finding.reason or finding.evidence or finding.waiver)
        key = finding.message, id(finding.fix)
        if bare and key in harmless:
            yield finding
            continue
        shown = _finding(finding)
        if bare and shown is finding:
            harmless.add(key)
        yield shown


def _gap(gap: Gap) -> Gap:
    what, why, acknowledged = map(told, (gap.what, gap.why, gap.acknowledged))
    if (what, why, acknowledged) == (gap.what, gap.why, gap.acknowledged):
        return gap
    return replace(gap, what=what, why=why, acknowledged=acknowledged)


def _waiver(waiver: Waiver) -> Waiver:
    """People write down why in their own words."""
    said = (waiver.object, waiver.anchor, waiver.reason, waiver.origin)
    about, anchor, reason, origin = map(told, said)
    if (about, anchor, reason, origin) == said:
        return waiver
    return replace(waiver, object=about, anchor=anchor, reason=reason, origin=origin)


def _finding(finding: Finding) -> Finding:
    """The same value where there is nothing to hide: most of ten thousand are."""
    message, reason = told(finding.message), told(finding.reason)
    evidence = tuple(map(_evidence, finding.evidence))
    fix = _fix(finding.fix) if finding.fix else None
    waiver = _waiver(finding.waiver) if finding.waiver else None
    now, before = (message, reason, evidence, fix, waiver), (
        finding.message, finding.reason, finding.evidence, finding.fix, finding.waiver,
    )  # fmt: skip
    if now == before:
        return finding
    return replace(
        finding, message=message, reason=reason, evidence=evidence, fix=fix, waiver=waiver
    )


def _evidence(evidence: Evidence) -> Evidence:
    message = told(evidence.message)
    return evidence if message == evidence.message else replace(evidence, message=message)


def _fix(fix: Fix) -> Fix:
    if not shows_credential(fix):
        return fix
    why = NOT_READ if not fix.edits else SHOWN_BY_HAND
    proof = replace(fix.proof, unproven=(*fix.proof.unproven, why))
    if isinstance(fix, SourceFix):
        return replace(fix, changes=(), edits=(), proof=proof, rendered=(), files=())
    return replace(fix, changes=(), edits=(), proof=proof)


def shows_credential(fix: Fix) -> bool:
    """Whether somebody who sees the fix sees a credential, or what stands for one."""
    if any(told(edit.text) != edit.text or _stands_for_one(edit.text) for edit in fix.edits):
        return True
    steps = [step for change in fix.changes for step in change.operations]
    if isinstance(fix, SourceFix):
        steps += [step for one in fix.rendered for step in one.operations]
    return any(holds_credential(step) for step in steps)


def holds_credential(step: Operation) -> bool:
    """Whether what a step writes is a credential, by its name or its form."""
    return any(
        isinstance(text, str)
        and (is_credential(path, text) or _stands_for_one(text) or told(text) != text)
        for path, text in leaves(step.value, step.path)
    )


def _stands_for_one(text: str) -> bool:
    return any(each in text for each in ALL)
