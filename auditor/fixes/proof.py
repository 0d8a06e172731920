"""Shows in memory what a fix does, before it is offered.

The snapshot as it would be is audited again; every flow to the touched workloads is compared;
every pod that the fix touches is placed by the simulated scheduler; the text edits are read back.
What cannot be shown is named in the proof, which then does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.schema.types import faults, types
from auditor.fixes.case import Before, Case
from auditor.fixes.flows import flows_of
from auditor.fixes.operations import CannotApplyError, applied
from auditor.fixes.placing import placed_of
from auditor.manifests import at, sequence
from auditor.model import Change, Finding, Manifest, Operation, Proof, TextEdit


def prove(case: Case) -> Proof:
    """What can be shown of the fix. Costs the audit of one object where it changes nothing that
    facts read, else one partial audit; and where NetworkPolicies or labels change, one question
    per workload and touched target.
    """
    return prove_findings(case, (case.finding,))


def prove_together(
    before: Before,
    findings: Sequence[Finding],
    changes: tuple[Change, ...],
    edits: tuple[TextEdit, ...],
    measure: Finding | None = None,
) -> Proof:
    """What can be shown of several fixes as one: all findings are gone, and whatever is asked of
    one fix holds for all of them at once. A fix may uncover a lesser fault (what is no longer
    privileged may still gain privileges), so that the gravest finding sets the measure: of these
    and `measure`, which may be one of another variant.
    """
    measures = [*findings, measure] if measure else findings
    gravest = min(measures, key=lambda finding: finding.severity.rank)
    return prove_findings(Case(before, gravest, changes, edits, ""), findings)


def prove_findings(case: Case, findings: Sequence[Finding]) -> Proof:
    """What can be shown of a case: all these findings are gone, and nothing came that is as grave
    as that of the case.
    """
    flows = flows_of(case)
    placed = placed_of(case)
    left = {finding.fingerprint for finding in case.after.findings}
    gone = not any(finding.fingerprint in left for finding in findings)
    introduced = tuple(
        f"{f.policy.id} {f.ref}"
        for f in case.after.open
        if f not in case.before.known and f.severity.at_least(case.finding.severity)
    )
    return Proof(
        resolved=gone,
        introduced=introduced,
        opened=flows.opened,
        closed=flows.closed,
        kept=flows.kept,
        cut=flows.cut,
        scheduled=placed.scheduled,
        unschedulable=placed.unschedulable,
        invalid=tuple(_invalid(case)),
        valid_for=types().known(case.before.settings.kubernetes),
        stable=_is_stable(case.changes),
        exact=not case.unwritten,
        unproven=(*flows.unknown, *placed.unknown, *_said(case.unwritten), *_new_gaps(case)),
        selected=flows.selected,
        assumes=flows.assumes,
    )


def _said(text: str) -> Iterator[str]:
    if text:
        yield text


def _new_gaps(case: Case) -> Iterator[str]:
    for gap in case.after.gaps:
        if gap not in case.before.gaps:
            yield f"{gap.what}: {gap.why}"


def _invalid(case: Case) -> Iterator[str]:
    """What the fix brings that the API server would not take. What it would not have taken before
    is no fault of the fix.
    """
    version = case.before.settings.kubernetes
    for change in case.changes:
        found = faults(change.resource, version)
        before = case.before.audit.snapshot.find(change.resource.ref) if found else None
        known = faults(before, version) if before else ()
        yield from (str(fault) for fault in found if fault not in known)


def _is_stable(changes: Sequence[Change]) -> bool:
    """Whether applying the steps to the result changes nothing more. What was removed is gone
    already; what was appended, the policy no longer asks for, or its finding would not be gone.
    """
    steps = ((c.resource.manifest, step) for c in changes for step in c.operations if step.path)
    return all(_is_done(manifest, step) for manifest, step in steps)


def _is_done(manifest: Manifest, step: Operation) -> bool:
    if step.path[-1] == "-":
        return step.value in sequence(at(manifest, step.path[:-1]))
    if step.op == "remove":
        return at(manifest, step.path) is None or isinstance(step.path[-1], int)
    try:
        return applied(manifest, [step]) == manifest
    except CannotApplyError:
        return False
