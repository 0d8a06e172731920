"""Where pods stand, and where they may: the simulated cluster that other facts ask.

Placing a pod costs a millisecond, so that a cluster is placed once and not once per question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from auditor.facts.network.points import pods_by_owner
from auditor.facts.placement import Node, Pod, Simulation, Topology, pods_of
from auditor.facts.workloads import Workload
from auditor.model import Key, Resource, Snapshot

Labels = Mapping[str, Mapping[str, str]]

PASSING_TAINTS = "node.kubernetes.io/"
"""How the keys of taints begin that the cluster itself puts on nodes and takes away again."""


@dataclass
class Standing:
    """The pods of a snapshot on its nodes. Not frozen: it remembers what it has worked out."""

    snapshot: Snapshot
    workloads: Sequence[Workload]
    topology: Topology
    namespace_labels: Labels
    _placed: dict[int, Sequence[tuple[Key, Pod]]] = field(default_factory=dict)
    _eligible: dict[Key, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def live(self) -> Mapping[Key, Sequence[Resource]]:
        """The pods that have not ended, by the identity of the workload that they belong to."""
        return pods_by_owner(self.snapshot)

    def simulation(self, without: Workload | None = None, seed: int = 0) -> Simulation:
        """The nodes with every pod where it is, or where the simulated scheduler would put it,
        less the pods of `without`.
        """
        if seed not in self._placed:
            self._placed[seed] = tuple(self._bound) or tuple(self._simulated(seed))
        gone = without.ref.key if without else None
        pods = (pod for owner, pod in self._placed[seed] if owner != gone)
        return Simulation(self.topology, self.namespace_labels, pods, self.snapshot)

    @cached_property
    def _bound(self) -> Sequence[tuple[Key, Pod]]:
        """The live pods that have a node."""
        owned = ((key, Pod.from_resource(pod)) for key, pods in self.live.items() for pod in pods)
        return tuple((key, pod) for key, pod in owned if pod.node)

    def _simulated(self, seed: int) -> Iterator[tuple[Key, Pod]]:
        waiting = [(w.ref.key, pod) for w in self.workloads for pod in pods_of(w)]
        simulation = Simulation(self.topology, self.namespace_labels, (), self.snapshot)
        bound = simulation.place([pod for _, pod in waiting], seed).bound
        for key, pod in waiting:
            for name in self._names(pod):
                if name in bound:
                    yield key, pod.on(bound[name])

    def _names(self, pod: Pod) -> Iterator[str]:
        """The pods that it stands for: a DaemonSet's has one on every node."""
        yield pod.id
        if pod.each_node:
            yield from (f"{pod.id}-{node.name}" for node in self.topology.nodes)

    def eligible(self, workload: Workload) -> tuple[str, ...]:
        """The nodes on which the pods may run at all; none where there are no pods."""
        key = workload.ref.key
        if key not in self._eligible:
            pods = pods_of(workload)
            self._eligible[key] = self._empty.feasible(pods[0]).nodes if pods else ()
        return self._eligible[key]

    @property
    def doubts(self) -> tuple[str, ...]:
        """What of the pods that were asked about is not modelled, or not given."""
        return self._empty.unsupported

    @cached_property
    def _empty(self) -> Simulation:
        """The nodes without pods and without what passes, so that a cordoned node or one that is
        short of memory today does not decide where something may run.
        """
        nodes = tuple(_at_its_best(node) for node in self.topology.nodes)
        return Simulation(Topology(nodes), self.namespace_labels, (), self.snapshot)


def _at_its_best(node: Node) -> Node:
    lasting = tuple(taint for taint in node.taints if not taint.key.startswith(PASSING_TAINTS))
    return replace(node, taints=lasting, unschedulable=False)
