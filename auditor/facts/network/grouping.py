"""The workloads of a network in groups that nothing tells apart, whoever asks."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.network.points import Point, beside, is_on_node
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.network.engine import Network


class Grouping:
    """The groups of one network; each attribute is worked out when first asked for."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @cached_property
    def groups(self) -> Mapping[Hashable, Sequence[Workload]]:
        """The workloads that nothing tells apart, by what stands for each; see `of`."""
        found: dict[Hashable, list[Workload]] = {}
        for workload in self._network.workloads:
            found.setdefault(self.of(workload), []).append(workload)
        return found

    @cached_property
    def at(self) -> Mapping[Point, Sequence[Hashable]]:
        """By point, the keys of the groups that have pods there."""
        found: dict[Point, list[Hashable]] = {}
        for key, (workload, *_) in self.groups.items():
            for point in self._network.points_of(workload):
                found.setdefault(point, []).append(key)
        return found

    def of(self, workload: Workload) -> Hashable:
        """What stands for all workloads that give and get the same, whoever asks; finer than need
        be, and cheaper than `Network.class_of`.
        """
        # A pod on the network of its node looks like the others there.
        own = workload.ref if is_on_node(workload) else self.stand(workload)
        points, mesh = self._network.points_of(workload), self._network.mesh
        if not mesh.present:
            return points, own
        return points, own, mesh.caller(workload), mesh.kind(workload)

    @cached_property
    def machines(self) -> frozenset[frozenset[str]]:
        """The nodes of each workload that is on the network of its node, where they are known."""
        on_nodes = filter(is_on_node, self._network.workloads)
        return frozenset(map(self._network.nodes_of, on_nodes)) - {frozenset()}

    def stand(self, workload: Workload) -> Hashable:
        """What its node tells it by from others at the same points: what is on the network of a
        node and what runs there reach each other whatever policies say. None where that is nothing.
        """
        if not self.machines:
            return None
        nodes = self._network.nodes_of(workload)
        return nodes if is_on_node(workload) else tuple(beside(nodes, one) for one in self.machines)
