"""All facts of one snapshot: computed when asked for, and then kept.

A policy names in METADATA the facts that it reads; the table FACTS says who tells each of them
and which kinds of objects must have been seen for it to be true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from auditor.facts.data import DataClasses
from auditor.facts.dependencies import Dependency, dependencies_of
from auditor.facts.distance import distance
from auditor.facts.exposure import exposure
from auditor.facts.monitors import is_monitor
from auditor.facts.network import Network
from auditor.facts.oversight import oversight
from auditor.facts.placement import Topology
from auditor.facts.reads import alike
from auditor.facts.standing import Standing
from auditor.facts.workloads import Workload, at, texts, workloads_of
from auditor.model import Gap, Resource, Settings, Snapshot


class Facts:
    """What can be said of `snapshot`; every attribute is computed once, when first read."""

    def __init__(self, snapshot: Snapshot, settings: Settings) -> None:
        self.snapshot = snapshot
        self.settings = settings
        self.gaps: dict[tuple[str, str], Gap] = {}
        """What a fact could not tell, found while it was computed."""

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Every workload that people edit."""
        return workloads_of(self.snapshot)

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str, str, str], Workload]:
        """The workloads by the identity of their object."""
        return {workload.ref.key: workload for workload in self.workloads}

    @cached_property
    def network(self) -> Network:
        """Who can reach whom."""
        return Network(self.snapshot, self.workloads)

    @cached_property
    def data(self) -> DataClasses:
        """Who holds personal data, and who may ask for it."""
        return DataClasses(self.snapshot, self.workloads)

    @cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Who needs whom."""
        return dependencies_of(self.snapshot, self.workloads)

    @cached_property
    def needs(self) -> Mapping[tuple[str, str, str, str], Sequence[Dependency]]:
        """The same, by the identity of the client."""
        found: dict[tuple[str, str, str, str], list[Dependency]] = {}
        for edge in self.dependencies:
            found.setdefault(edge.client.ref.key, []).append(edge)
        return found

    @cached_property
    def monitors(self) -> tuple[Workload, ...]:
        """The workloads that watch others."""
        return tuple(workload for workload in self.workloads if is_monitor(workload))

    @cached_property
    def topology(self) -> Topology:
        """Nodes, racks and zones."""
        return Topology.from_snapshot(self.snapshot, self.settings)

    @cached_property
    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every namespace that is declared, with the one that the API server adds."""
        return {
            resource.ref.name: {
                **texts(at(resource.manifest, ("metadata", "labels"))),
                "kubernetes.io/metadata.name": resource.ref.name,
            }
            for resource in self.snapshot.of_kind("Namespace")
            if not resource.ref.group
        }

    @cached_property
    def standing(self) -> Standing:
        """Where pods stand, and where they may."""
        return Standing(self.snapshot, self.workloads, self.topology, self.namespace_labels)

    @cached_property
    def misread(self) -> tuple[Gap, ...]:
        """What the workloads declare of themselves and that means nothing."""
        gaps = (gap for workload in self.workloads for gap in self.data.misread(workload))
        return tuple(dict.fromkeys(gaps))

    @cached_property
    def holders(self) -> tuple[Workload, ...]:
        """The workloads that hold personal data."""
        return tuple(workload for workload in self.workloads if self.data.of(workload))

    def same(self, changed: Resource) -> bool:
        """Whether every fact stays as it is when an object of the snapshot becomes `changed`."""
        old = self.snapshot.find(changed.ref)
        return bool(old and alike(old, changed, privileges=bool(self.holders)))

    def unknown(self, gap: Gap) -> None:
        """Note what a fact could not tell."""
        self.gaps[gap.what, gap.why] = gap

    def about(self, resource: Resource, names: tuple[str, ...]) -> dict[str, Any]:
        """What the facts of these names say of `resource`, less those with nothing to say."""
        workload = self.by_key.get(resource.ref.key)
        if workload is None:
            return {}
        told = {name: FACTS[name].tell(self, workload) for name in names}
        return {name: answer for name, answer in told.items() if answer is not None}


@dataclass(frozen=True, slots=True)
class Fact:
    """Who tells a fact, and what must have been seen for it."""

    tell: Callable[[Facts, Workload], Any]
    needs: tuple[str, ...]


FACTS: Mapping[str, Fact] = {
    "exposure": Fact(exposure, ("NetworkPolicy", "Namespace", "Service")),
    "oversight": Fact(oversight, ("NetworkPolicy", "Namespace")),
    "distance": Fact(distance, ("Node", "Service")),
}
