"""Shows in memory what a fix does, before it is offered.

The snapshot as it would be is audited again; every flow to the touched workloads is compared;
every pod that the fix touches is placed by the simulated scheduler; the text edits are read back.
What cannot be shown is named in the proof, which then does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.fixes.case import Case
from auditor.fixes.flows import flows_of
from auditor.fixes.operations import CannotApplyError, applied
from auditor.fixes.placing import placed_of
from auditor.model import Change, Proof


def prove(case: Case) -> Proof:
    """What can be shown of the fix. Costs the audit of one object where it changes nothing that
    facts read, else one partial audit; and where NetworkPolicies or labels change, one question
    per workload and touched target.
    """
    flows = flows_of(case)
    placed = placed_of(case)
    gone = case.finding.fingerprint not in {f.fingerprint for f in case.after.findings}
    introduced = tuple(
        f"{f.policy.id} {f.ref}"
        for f in case.after.open
        if f.fingerprint not in case.before.fingerprints
        and f.severity.at_least(case.finding.severity)
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
        stable=_is_stable(case.changes),
        exact=not case.unwritten,
        unproven=(*flows.unknown, *placed.unknown, *_said(case.unwritten), *_new_gaps(case)),
    )


def _said(text: str) -> Iterator[str]:
    if text:
        yield text


def _new_gaps(case: Case) -> Iterator[str]:
    for gap in case.after.gaps:
        if gap not in case.before.gaps:
            yield f"{gap.what}: {gap.why}"


def _is_stable(changes: Sequence[Change]) -> bool:
    """Whether applying the steps to the result changes nothing more (appending is judged by the
    policy, which no longer asks for it).
    """
    for change in changes:
        steps = [step for step in change.operations if step.path and step.path[-1] != "-"]
        try:
            again = applied(change.resource.manifest, [s for s in steps if s.op != "remove"])
        except CannotApplyError:
            return False
        if again != change.resource.manifest:
            return False
    return True
