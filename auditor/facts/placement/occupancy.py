"""What the nodes hold: resources, ports, volumes, and pods in groups that rules cannot tell apart.

A rule is asked once per group instead of once per pod, so that its cost grows with the number of
different pods.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from auditor.facts.placement.pods import HostPort, Pod
from auditor.facts.placement.rules import Affinity
from auditor.facts.placement.topology import Node, Topology
from auditor.facts.selectors import METADATA_NAME, Labels

BEST = 100
"""The highest score that a node can have in one regard."""


@dataclass(slots=True)
class Load:
    """What is taken on one node."""

    pods: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    assumed_cpu: int = 0
    assumed_memory: int = 0
    ports: set[HostPort] = field(default_factory=set)

    def take(self, pod: Pod) -> None:
        """Add what `pod` asks for."""
        requests = pod.shape.requests
        self.pods += 1
        self.amounts.update(requests.amounts)
        self.assumed_cpu += requests.assumed_cpu
        self.assumed_memory += requests.assumed_memory
        self.ports.update(pod.shape.ports)


@dataclass(slots=True)
class Group:
    """Placed pods of the same namespace, labels and rules."""

    namespace: str
    labels: Labels
    terminating: bool
    affinity: Affinity
    nodes: Counter[int] = field(default_factory=Counter)
    """How many of them are on each node, by its index."""


_Key = tuple[str, frozenset[tuple[str, str]], bool, Affinity]


class Occupancy:
    """The nodes of a topology with what is bound to them so far."""

    def __init__(
        self, topology: Topology, namespace_labels: Mapping[str, Mapping[str, str]]
    ) -> None:
        self.nodes: tuple[Node, ...] = topology.nodes
        self.index = {node.name: index for index, node in enumerate(self.nodes)}
        self.loads = [Load() for _ in self.nodes]
        self.claims: Counter[tuple[str, str]] = Counter()
        """How many pods mount a claim, by its namespace and name."""
        self._namespace_labels = namespace_labels
        self._groups: dict[_Key, Group] = {}
        self._bearers: list[Group] = []

    def bind(self, pod: Pod, index: int) -> None:
        """Put `pod` on the node with that index."""
        self.loads[index].take(pod)
        self.claims.update((pod.namespace, claim.name) for claim in pod.claims)
        affinity = pod.shape.affinity
        key = (pod.namespace, frozenset(pod.labels.items()), pod.terminating, affinity)
        group = self._groups.get(key)
        if group is None:
            group = Group(pod.namespace, Labels(pod.labels), pod.terminating, affinity)
            self._groups[key] = group
            if affinity:
                self._bearers.append(group)
        group.nodes[index] += 1

    @property
    def groups(self) -> Iterable[Group]:
        """All placed pods."""
        return self._groups.values()

    @property
    def bearers(self) -> Iterable[Group]:
        """The placed pods that have rules about other pods."""
        return self._bearers

    def domains(self, key: str, group: Group) -> Iterator[tuple[str, int]]:
        """The domains of `key` that hold pods of `group`, node by node, with their number."""
        for index, count in group.nodes.items():
            value = self.nodes[index].labels.get(key)
            if value is not None:
                yield value, count

    def spaces(self, namespace: str) -> Labels:
        """The labels of a namespace; of one that is not declared, only its name is known."""
        known = self._namespace_labels.get(namespace)
        if known is None:
            return Labels({METADATA_NAME: namespace}, open=True)
        return Labels(known)
