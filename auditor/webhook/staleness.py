"""How old what is known of the cluster may be for each policy, and what becomes of one for which it
is too old: it is not assessed. Knows no watches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from auditor.declared import Admission
from auditor.facts import FACTS
from auditor.model import Gap, Policy
from auditor.sources.watch import STALE_SECONDS, Stale
from auditor.webhook.judgement import Judgement


def bounds_of(policies: Iterable[Policy], terms: Admission) -> Mapping[str, frozenset[int]]:
    """By the kind, after how many seconds without a word it is too old for some policy. A kind that
    no fact of a policy needs has no bound: of the object itself, the request tells.
    """
    found: dict[str, set[int]] = {}
    for policy in policies:
        for kind in needed(policy):
            found.setdefault(kind, set()).add(bound_of(policy, terms))
    return {kind: frozenset(bounds) for kind, bounds in found.items()}


def bound_of(policy: Policy, terms: Admission) -> int:
    """After how many seconds without a word from the server a policy is not assessed."""
    declared = terms.max_staleness(policy.names)
    return STALE_SECONDS if declared is None else min(declared, STALE_SECONDS)


def needed(policy: Policy) -> tuple[str, ...]:
    """The kinds of which its facts need every object."""
    return tuple(dict.fromkeys(kind for fact in policy.facts for kind in FACTS[fact].needs))


def too_old(policies: Iterable[Policy], stale: Sequence[Stale], terms: Admission) -> list[Gap]:
    """A gap for each policy that needs something that was seen too long ago."""
    late = {each.kind: each for each in stale}
    found = []
    for policy in policies if late else ():
        bound = bound_of(policy, terms)
        exceeded = (late[kind] for kind in needed(policy) if kind in late)
        if first := next((each for each in exceeded if each.seconds >= bound), None):
            why = f"it needs every {first.kind}, and {replace(first, seconds=bound).why}"
            found.append(Gap.of_policy(policy.id, f"not assessed: {why}"))
    return found


def assessed(judgement: Judgement, stale: Sequence[Stale], terms: Admission) -> Judgement:
    """The judgement without what policies say for which the cluster was seen too long ago."""
    gaps = too_old(judgement.policies, stale, terms)
    if not gaps:
        return judgement
    missing = {gap.policy for gap in (*gaps, *judgement.unasked)}
    known = {gap.policy for gap in judgement.unasked}
    return replace(
        judgement,
        added=tuple(f for f in judgement.added if f.policy.id not in missing),
        copied=tuple(f for f in judgement.copied if f.policy.id not in missing),
        unasked=(*judgement.unasked, *(gap for gap in gaps if gap.policy not in known)),
    )
