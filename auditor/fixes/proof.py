"""Shows in memory what a fix does, before it is offered.

The snapshot as it would be is audited again; every flow to the touched workloads is compared;
every pod that the fix touches is placed by the simulated scheduler; the text edits are read back.
What cannot be shown is named in the proof, which then does not hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.kinds import SCALERS, UNPLACED
from auditor.facts.schema.types import faults, types
from auditor.facts.workloads import WORKLOAD_KINDS, Workload, workload_of
from auditor.fixes.case import Before, Case
from auditor.fixes.differences import is_done
from auditor.fixes.flows import flows_of
from auditor.fixes.operations import settled
from auditor.fixes.placing import moved_of, placed_of
from auditor.model import Change, Finding, Proof, TextEdit
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the audit of the cluster as it would be says, beside the one before."""

    left: frozenset[str]
    """The fingerprints of all that is found there."""
    introduced: tuple[str, ...]
    """What was not there before and is as grave as the finding of the case."""
    gaps: tuple[str, ...]
    """What could be seen before, and cannot be there."""

    @classmethod
    def of(cls, case: Case) -> Outcome:
        """Of this case. Costs the audit of one object where it changes nothing that facts read,
        else one partial audit.
        """
        introduced = (
            f"{f.policy.id} {f.ref}"
            for f in case.after.open
            if f not in case.before.known
            and f.severity.at_least(case.finding.severity)
            and not _is_by_chance(case, f)
            and not _is_left(case, f)
        )
        left = frozenset(finding.fingerprint for finding in case.after.findings)
        return cls(left, tuple(introduced), tuple(_new_gaps(case)))


def prove(case: Case, outcome: Outcome | None = None) -> Proof:
    """What can be shown of the fix, whose `outcome` may be known. Costs that; and where
    NetworkPolicies or labels change, one question per workload and touched target.
    """
    return prove_findings(case, (case.finding,), outcome)


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


def prove_findings(
    case: Case, findings: Sequence[Finding], outcome: Outcome | None = None
) -> Proof:
    """What can be shown of a case: all these findings are gone, and nothing came that is as grave
    as that of the case.
    """
    flows = flows_of(case)
    moved = moved_of(case)
    placed = placed_of(case, moved)
    outcome = outcome or Outcome.of(case)
    return Proof(
        resolved=not any(finding.fingerprint in outcome.left for finding in findings),
        introduced=outcome.introduced,
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
        unproven=(
            *flows.unknown,
            *placed.unknown,
            *_said(case.unwritten),
            *outcome.gaps,
            *_worse(case, moved),
            *_unmeasured(case),
        ),
        selected=flows.selected,
        assumes=flows.assumes,
    )


def _said(text: str) -> Iterator[str]:
    if text:
        yield text


def _unmeasured(case: Case) -> Iterator[str]:
    """What may be missing of that by which the bounds of a namespace are measured: with more of it
    they might have to be wider.
    """
    if any(change.resource.ref.kind in MEASURED for change in case.changes):
        yield from case.unseen((*WORKLOAD_KINDS, *SCALERS))


MEASURED = ("LimitRange", "ResourceQuota")

PLACING = frozenset(
    ("capacity", "disruption", "placement", "redundancy", "rollout", "routing", "scaling", "spread")
)
"""The folders of policies whose fixes decide where pods run, or how they are replaced."""


def _is_by_chance(case: Case, finding: Finding) -> bool:
    """Whether a finding may come of nothing but another simulated placement of what the fix leaves
    alone. Where no pod runs, the scheduler is asked anew about the whole cluster, and breaks ties
    in another way; what the fix does to others is asked with each where it stood (`_worse`).
    """
    if finding.policy.id.partition("/")[0] not in STANDING:
        return False
    touched = any(change.resource.ref == finding.ref for change in case.changes)
    return not touched and not case.facts.standing.whereabouts().live


LEFT_OF = {
    "network/isolated_one_way": "network/not_isolated",
    "network/no_default_deny": "network/namespace_without_policies",
}
"""What is found of an object that a fix has mended by half → what was found of it before."""


def _is_left(case: Case, finding: Finding) -> bool:
    """Whether it is what is left of a fault that was there: who was open both ways and is open on
    the way out alone is no worse than before.
    """
    whole = LEFT_OF.get(finding.policy.id)
    return whole is not None and (whole, finding.ref.key) in case.before.told


STANDING = frozenset(("capacity", "placement", "redundancy", "routing", "spread"))
"""The folders of policies that look at where pods happen to stand."""


def _worse(case: Case, moved: Sequence[Workload]) -> Iterator[str]:
    """What such a fix does to the way there and to others: see `certificates`. That its pods come
    back after a later loss as well is certified, and not asked of every fix: who leaves a contended
    rack to others has nowhere else to go.
    """
    if case.finding.policy.id.partition("/")[0] not in PLACING or not case.facts.topology.nodes:
        return
    if all(change.resource.ref.kind in UNPLACED for change in case.changes):
        return
    from auditor.fixes.certificates.levels import Worlds, others, transition

    changed = tuple(change.resource for change in case.changes)
    worlds = Worlds(case.facts, case.facts_after, changed, case.before.edges)
    levels = [transition, others] if moved or _is_beside_workloads(case) else [transition]
    for shown in (level(worlds) for level in levels):
        if shown.holds is False:
            yield f"{shown.level.means}: not shown: {shown.told}"


def _is_beside_workloads(case: Case) -> bool:
    """Whether anything else is changed than workloads: then pods may be asked for otherwise, or be
    put elsewhere, though no scheduler reads them in another way.
    """
    return not all(workload_of(change.resource) for change in case.changes)


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
    steps = ((c.resource.manifest, step) for c in changes for step in settled(c.operations))
    return all(is_done(manifest, step) for manifest, step in steps if step.path)
