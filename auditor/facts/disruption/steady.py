"""What a budget allows when every pod is ready: of fewer pods it allows no more.

``pkg/controller/disruption/disruption.go``: shares are rounded up, of minAvailable as well as of
maxUnavailable; what is expected is what controllers say, what is healthy are the pods themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.facts.controllers.budgets import Status
from auditor.facts.disruption.guards import Guard
from auditor.facts.disruption.owners import Scale, scale_of
from auditor.facts.placement.needed import least_replicas, rounded
from auditor.facts.workloads import Workload
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Steady:
    """The best that a budget can be in."""

    pods: int
    """As many as there are at the least."""
    allowed: int | None
    """How many of them may go at once; None where the controller cannot work it out."""
    scaleless: tuple[Workload, ...] = ()
    """Whose number it asks for in vain."""
    bare: tuple[Workload, ...] = ()
    """The covered pods that nothing controls."""


def steady(facts: Facts, guard: Guard) -> Steady | None:
    """None where that cannot be told: nothing is covered, or the number of pods is not known."""
    if guard.perhaps or not guard.covered:
        return None
    scales = {workload.ref.key: scale_of(facts, workload) for workload in guard.covered}
    scaleless = tuple(w for w in guard.covered if scales[w.ref.key] is Scale.LACKS)
    bare = tuple(w for w in guard.covered if scales[w.ref.key] is Scale.BARE)
    absolute = type(guard.least) is int
    if scaleless and not absolute and guard.rule:
        return Steady(0, None, scaleless, bare)
    if scaleless or (Scale.UNKNOWN in scales.values() and not absolute):
        return None
    pods = sum(least_replicas(facts, workload) for workload in guard.covered)
    owned = pods - len(bare)
    status = _status(guard, pods, owned)
    return Steady(pods, status.allowed, scaleless, bare) if status else None


def _status(guard: Guard, pods: int, owned: int) -> Status | None:
    if type(guard.least) is int:
        return Status(pods, guard.least, pods, observed=True)
    if guard.least is None and guard.most is None:
        return Status(pods, observed=True)
    value = guard.least if guard.most is None else guard.most
    share = rounded(value, owned, up=True)
    if share is None:
        return None
    desired = share if guard.most is None else max(owned - share, 0)
    return Status(pods, desired, owned, observed=True)
