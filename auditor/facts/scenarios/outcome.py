"""What a scenario answers: who is how far down, who comes back, who does not, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from auditor.facts.scenarios.cluster import Cluster, Group
from auditor.model import Resource
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Effect:
    """What happens to the pods of one workload."""

    group: Group
    before: int
    """How many are available before."""
    lowest: int
    """The fewest of any moment that can come."""
    after: int
    """How many are available once nothing moves any more: the fewest of all ends."""
    waiting: tuple[tuple[int, str], ...] = ()
    """How many pods have no node then, each number with why."""
    notes: tuple[str, ...] = ()
    """What else has to be known of them."""

    @property
    def harmed(self) -> bool:
        """Whether nothing serves for a time, or less does for good."""
        if not self.group.serves:
            return False
        return (self.before > 0 and self.lowest == 0) or self.after < self.before

    @property
    def personal(self) -> bool:
        """Whether what it holds is personal data, and fewer of its pods serve for a time."""
        return bool(self.group.data) and min(self.lowest, self.after) < self.before


@dataclass(frozen=True, slots=True)
class Silent:
    """A Service that has no endpoint for a time."""

    service: Resource
    for_good: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer."""

    cluster: Cluster
    action: str
    """``drain node n1``."""
    result: str
    """``completed``, ``blocked`` …"""
    words: str
    """The same in a sentence."""
    effects: tuple[Effect, ...]
    silent: tuple[Silent, ...] = ()
    blocked_on: tuple[str, ...] = ()
    """The pods, or workloads, that it waits for in vain, with why."""
    flags: tuple[str, ...] = ()
    """What has to be said on the command line of kubectl for it to begin."""
    doubts: tuple[str, ...] = ()
    """What is not modelled, by name: where there is anything, nothing here is proven."""
    ends: tuple[str, ...] = ()
    """All ends that can be reached, where there are several."""
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def harmful(self) -> bool:
        """Whether something is blocked, goes down or stays down."""
        return bool(self.blocked_on or self.silent or any(e.harmed for e in self.effects))


def silenced(cluster: Cluster, effects: Sequence[Effect], lowest: Sequence[int]) -> list[Silent]:
    """The Services that had an endpoint and lose the last one. `lowest`: for each Service of the
    cluster, the fewest of any moment.
    """
    after = {effect.group.ref.key: effect.after for effect in effects}
    found = []
    for (service, numbers), fewest in zip(cluster.services, lowest, strict=True):
        groups = [cluster.groups[number] for number in numbers]
        before = sum(group.available for group in groups)
        last = sum(after.get(group.ref.key, group.available) for group in groups)
        if before and not fewest:
            found.append(Silent(service, for_good=not last))
    return found
