"""Which pods the scheduler evicts so that another finds a node.

Rules: kube-scheduler plugin defaultpreemption and pkg/scheduler/framework/preemption of Kubernetes
1.36. On each node all pods of lower priority are taken away; if the pod fits then, those are given
back that it still fits beside, first those that a budget protects, the more important first. Of the
nodes, that with the mildest victims is chosen; a budget is kept where that is possible, no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from auditor.facts.placement.pods import Pod
from auditor.facts.selectors import Labels, RefusedError, Selector, Truth, parse_selector
from auditor.facts.wording import text
from auditor.manifests import at, mapping
from auditor.model import Snapshot
from auditor.values import dataclass

_BEYOND = 2**31
"""Added to each priority, so that of two sums that of fewer victims is less."""

Fits = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, and who has to leave it."""

    node: str
    victims: tuple[Pod, ...]
    """The most important first."""
    priorities: tuple[int, ...]
    """Those of the victims."""
    violations: int
    """How many of them a budget protects."""
    started: str = ""
    """When the first of the most important victims started (RFC 3339), the later the better."""

    @property
    def rank(self) -> tuple[int, int, int, int]:
        """The less, the rather it is chosen."""
        total = sum(priority + _BEYOND for priority in self.priorities)
        return self.violations, self.priorities[0], total, len(self.victims)


def chosen(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Those of which one is taken: the best in every regard, of which only chance tells one."""
    if not candidates:
        return ()
    least = min(each.rank for each in candidates)
    best = [each for each in candidates if each.rank == least]
    latest = max(each.started for each in best)
    return tuple(each for each in best if each.started == latest)


@dataclass(frozen=True, slots=True)
class Budget:
    """A PodDisruptionBudget, as preemption asks for it."""

    namespace: str
    selector: Selector
    allowed: int

    def covers(self, pod: Pod) -> bool:
        """Whether it speaks of the pod."""
        if pod.namespace != self.namespace or not pod.labels or not self.selector.requirements:
            return False
        return self.selector.truth(Labels(pod.labels)) is Truth.YES


def budgets_of(snapshot: Snapshot) -> tuple[Budget, ...]:
    """The budgets of a snapshot; one whose status says nothing allows nothing."""
    found = []
    for resource in snapshot.of_kind("PodDisruptionBudget"):
        allowed = at(resource.manifest, ("status", "disruptionsAllowed"))
        try:
            selector = parse_selector(at(resource.manifest, ("spec", "selector")), ())
        except (RefusedError, ValueError):
            continue
        number = allowed if type(allowed) is int else 0
        found.append(Budget(resource.ref.namespace, selector, number))
    return tuple(found)


@dataclass
class Scene:
    """One node on which pods may be taken away and given back."""

    node: str
    priority: int
    """Of the pod that needs room."""
    priority_of: Callable[[Pod], int]
    budgets: Sequence[Budget]
    take: Callable[[Pod], None]
    give: Callable[[Pod], None]
    fits: Fits

    def candidate(self, pods: Iterable[Pod]) -> Candidate | None:
        """Who of `pods` has to leave; None where nobody may, or where it would not help."""
        lower = [pod for pod in pods if self.priority_of(pod) < self.priority]
        if not lower:
            return None
        for pod in lower:
            self.take(pod)
        if not self.fits():
            return None
        lower.sort(key=lambda pod: (-self.priority_of(pod), started(pod)))
        guarded = set(self._guarded(lower))
        first = [pod for pod in lower if pod.id in guarded]
        rest = [pod for pod in lower if pod.id not in guarded]
        victims = [pod for pod in (*first, *rest) if not self._spared(pod)]
        if not victims:
            return None
        victims.sort(key=lambda pod: (-self.priority_of(pod), started(pod)))
        return self._told(victims, sum(pod.id in guarded for pod in victims))

    def _spared(self, pod: Pod) -> bool:
        self.give(pod)
        if self.fits():
            return True
        self.take(pod)
        return False

    def _guarded(self, pods: Sequence[Pod]) -> Iterator[str]:
        """The pods whose leaving some budget would not allow, one after the other."""
        left = [budget.allowed for budget in self.budgets]
        for pod in pods:
            violates = False
            for number, budget in enumerate(self.budgets):
                if budget.covers(pod):
                    left[number] -= 1
                    violates = violates or left[number] < 0
            if violates:
                yield pod.id

    def _told(self, victims: Sequence[Pod], violations: int) -> Candidate:
        priorities = tuple(self.priority_of(pod) for pod in victims)
        top = [started(pod) for pod in victims if self.priority_of(pod) == priorities[0]]
        return Candidate(self.node, tuple(victims), priorities, violations, min(top))


NOT_STARTED = "9999"


def started(pod: Pod) -> str:
    """When the kubelet took the pod (RFC 3339); one that it has not taken is the latest."""
    return text(pod.shape.status.get("startTime")) or NOT_STARTED


def preempts(spec: Mapping[str, object]) -> bool:
    """Whether a pod of that specification may take the place of others."""
    return mapping(spec).get("preemptionPolicy") != "Never"
