"""Tries fixes that cannot meet as one: a thousand of them cost one audit, and not an audit each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.fixes.case import Case
from auditor.fixes.proof import Outcome
from auditor.manifests import at
from auditor.model import Key, Resource

FEW = 4
"""Up to so many are tried one by one."""


APART = ("LimitRange", "PodDisruptionBudget", "ResourceQuota")
"""What speaks of pods of its own namespace alone, and has no part in who may ask whom."""


def is_apart(case: Case) -> bool:
    """Whether it adds one object and nothing else: one such, or a NetworkPolicy that isolates the
    pods of its workload on their way in, which leaves the way to everybody else as it is. Where the
    pods to which a LimitRange gives requests would find a node is asked of each case by itself.
    """
    if len(case.changes) != 1:
        return False
    made = case.changes[0].resource
    if case.before.audit.snapshot.find(made.ref) is not None:
        return False
    return made.ref.kind in APART or _isolates(case, made)


def _isolates(case: Case, made: Resource) -> bool:
    """Whether it is such a NetworkPolicy. That its labels mean nobody else was seen to, where it
    was made; it is looked at again where it was tried.
    """
    ways = at(made.manifest, ("spec", "policyTypes"))
    ours = case.facts.by_key.get(case.finding.ref.key)
    return made.ref.kind == "NetworkPolicy" and ways == ["Ingress"] and ours is not None


def side_by_side(cases: Sequence[Case]) -> Iterator[tuple[Case, Outcome]]:
    """Each of these cases, which are apart: in the cluster that many of them together make, and
    what came of it. There each finding is still asked for by itself, and nothing may have come that
    is as grave as the least grave of them.
    """
    lanes: dict[bool, dict[Key, Case]] = {}
    for case in cases:
        made = case.changes[0].resource.ref
        known = lanes.setdefault(made.kind in APART, {}).setdefault(made.key, case)
        if known is not case:
            yield case, Outcome.of(case)
    for first in lanes.values():
        yield from _together(list(first.values()))


def _together(cases: Sequence[Case]) -> Iterator[tuple[Case, Outcome]]:
    """As one; where that brings something new, by halves, so that it is found who brings it."""
    if len(cases) <= FEW:
        yield from ((case, Outcome.of(case)) for case in cases)
        return
    least = max((case.finding for case in cases), key=lambda finding: finding.severity.rank)
    changes = tuple(change for case in cases for change in case.changes)
    joint = replace(cases[0], finding=least, changes=changes, edits=())
    outcome = Outcome.of(joint)
    if not outcome.introduced and not outcome.gaps and _is_each_alone(cases, joint):
        yield from ((replace(case, joint=joint.after), outcome) for case in cases)
        return
    middle = len(cases) // 2
    yield from _together(cases[:middle])
    yield from _together(cases[middle:])


def _is_each_alone(cases: Sequence[Case], joint: Case) -> bool:
    """Whether each NetworkPolicy among them selects the workload of its finding and nobody else."""
    for case in cases:
        made = case.changes[0].resource.ref
        found = joint.facts_after.selected.get((made.key, "Ingress"), ())
        alone = [one.ref.key for one in found] == [case.finding.ref.key]
        if made.kind == "NetworkPolicy" and not alone:
            return False
    return True
