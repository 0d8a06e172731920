"""What a PodDisruptionBudget allows, as the disruption controller writes it into its status.

``pkg/controller/disruption/disruption.go`` of Kubernetes 1.36.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from auditor.facts.selectors import matches
from auditor.manifests import at, mapping, texts
from auditor.model import Manifest
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller of a pod, as far as a budget asks for it."""

    name: str
    replicas: int | None
    """What its scale subresource says; None where there is none."""
    why: str = ""
    """Why there is none, in the words of the API server."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A pod, as a budget sees it."""

    name: str
    labels: Mapping[str, str]
    ready: bool
    phase: str = "Running"
    node: str = ""
    terminating: bool = False
    owner: Owner | None = None
    """None where no controller owns it."""
    namespace: str = ""
    """Empty where there is one namespace alone."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of a budget."""

    healthy: int = 0
    desired: int = 0
    expected: int = 0
    observed: bool = False
    """Whether the controller could work it out at all."""
    why: str = ""

    @property
    def allowed(self) -> int:
        """How many pods may go."""
        return max(self.healthy - self.desired, 0) if self.expected > 0 else 0

    def written(self) -> Mapping[str, Any]:
        """As the API shows it."""
        enough = "SufficientPods" if self.allowed else "InsufficientPods"
        return {
            "conditions": [
                {
                    "message": self.why,
                    "reason": enough if self.observed else "SyncFailed",
                    "status": str(bool(self.observed and self.allowed)),
                    "type": "DisruptionAllowed",
                }
            ],
            "currentHealthy": self.healthy,
            "desiredHealthy": self.desired,
            "disruptedPods": [],
            "disruptionsAllowed": self.allowed,
            "expectedPods": self.expected,
            "observed": self.observed,
        }


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget."""

    name: str
    selector: Manifest | None
    """None selects nothing; an empty one everything in the namespace."""
    least: int | str | None
    most: int | str | None
    always: bool
    """Whether unhealthy pods may always be evicted."""
    namespace: str = ""
    """Empty where there is one namespace alone."""

    def covers(self, pod: Guarded) -> bool:
        """Whether it speaks of the pod."""
        if self.selector is None or pod.namespace != self.namespace:
            return False
        return matches(self.selector, pod.labels)

    def status(self, pods: Iterable[Guarded]) -> Status:
        """What the controller writes, once it is settled."""
        mine = [pod for pod in pods if self.covers(pod)]
        healthy = sum(1 for pod in mine if pod.ready and not pod.terminating)
        if isinstance(self.least, int):
            return Status(healthy, self.least, len(mine), observed=True)
        if self.least is None and self.most is None:
            return Status(healthy, observed=True)
        owners = {pod.owner.name: pod.owner for pod in mine if pod.owner}
        if why := next((owner.why for owner in owners.values() if owner.replicas is None), ""):
            return Status(why=why)
        expected = sum(owner.replicas or 0 for owner in owners.values())
        return Status(healthy, self._desired(expected), expected, observed=True)

    def _desired(self, expected: int) -> int:
        if self.most is not None:
            return max(expected - scaled(self.most, expected), 0)
        return scaled(self.least or 0, expected)


def budget_of(manifest: Manifest) -> Budget:
    """The budget that a manifest writes."""
    spec = mapping(manifest.get("spec"))
    selector = spec.get("selector")
    return Budget(
        name=str(at(manifest, ("metadata", "name")) or ""),
        selector=selector if isinstance(selector, dict) else None,
        least=spec.get("minAvailable"),
        most=spec.get("maxUnavailable"),
        always=spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow",
    )


def scaled(value: int | str, total: int, *, up: bool = True) -> int:
    """A count or a share of `total`, rounded up or down."""
    if isinstance(value, int):
        return value
    share = int(value.removesuffix("%")) * total
    return -(-share // 100) if up else share // 100


def covering(budgets: Sequence[Budget], pod: Guarded) -> Collection[Budget]:
    """The budgets that speak of the pod."""
    return [budget for budget in budgets if budget.covers(pod)]


def is_ready(manifest: Manifest) -> bool:
    """Whether the condition Ready of a pod holds."""
    conditions = at(manifest, ("status", "conditions"))
    found = conditions if isinstance(conditions, list) else []
    return any(
        mapping(c).get("type") == "Ready" and mapping(c).get("status") == "True" for c in found
    )


def labels_of(manifest: Manifest) -> Mapping[str, str]:
    """The labels of an object."""
    return texts(at(manifest, ("metadata", "labels")))
