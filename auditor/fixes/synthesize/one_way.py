"""The other direction, for pods that NetworkPolicies isolate in one alone."""

from __future__ import annotations

from auditor.facts import Facts
from auditor.facts.data.stores import kept_by_operators, outside
from auditor.facts.identity import account_of
from auditor.facts.workloads import Workload
from auditor.fixes.synthesize.callers import admit_callers
from auditor.fixes.synthesize.egress import contain
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.subject import workload_of
from auditor.model import Change, Finding

UNASKING = (
    "nobody is known whom it asks: name them in its configuration, or let it be observed (--flows)"
)


def isolate_both_ways(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A NetworkPolicy for the direction in which none isolates the workload: see `admit_callers`
    and `contain`.

    Raises:
        CannotBuildError: see those; or nothing says whom it asks, or it may ask the API server,
            whose address no policy can name.
    """
    one = workload_of(facts, finding)
    if not facts.network.isolating(one, "Ingress", possibly=True):
        return admit_callers(facts, finding)
    if not _asks(facts, one):
        raise CannotBuildError(UNASKING)
    if (one.ref.namespace, account_of(one)) in facts.accounts.bound:
        raise CannotBuildError(
            f"its service account {account_of(one)} is granted rights, and the API server that it"
            " may ask for them is at an address that is not known here"
        )
    return contain(facts, finding)


def _asks(facts: Facts, one: Workload) -> bool:
    named = (*facts.asking.of(one), *outside(facts, one), *kept_by_operators(facts, one))
    return bool(named)
