"""Tries fixes that cannot meet as one: a thousand of them cost one audit, and not an audit each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from auditor.fixes.case import Case
from auditor.fixes.proof import Outcome
from auditor.model import Key

FEW = 4
"""Up to so many are tried one by one."""


APART = ("LimitRange", "PodDisruptionBudget", "ResourceQuota")
"""What speaks of pods of its own namespace alone, and has no part in who may ask whom."""


def is_apart(case: Case) -> bool:
    """Whether it adds one such object and nothing else. Where the pods to which a LimitRange gives
    requests would find a node is asked of each case by itself.
    """
    if len(case.changes) != 1 or case.changes[0].resource.ref.kind not in APART:
        return False
    return case.before.audit.snapshot.find(case.changes[0].resource.ref) is None


def side_by_side(cases: Sequence[Case]) -> Iterator[tuple[Case, Outcome]]:
    """Each of these cases, which are apart: in the cluster that many of them together make, and
    what came of it. There each finding is still asked for by itself, and nothing may have come that
    is as grave as the least grave of them.
    """
    first: dict[Key, Case] = {}
    for case in cases:
        known = first.setdefault(case.changes[0].resource.ref.key, case)
        if known is not case:
            yield case, Outcome.of(case)
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
    if not outcome.introduced and not outcome.gaps:
        yield from ((replace(case, joint=joint.after), outcome) for case in cases)
        return
    middle = len(cases) // 2
    yield from _together(cases[:middle])
    yield from _together(cases[middle:])
