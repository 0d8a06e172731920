"""What the nodes hold: resources, ports, volumes, and pods in groups that rules cannot tell apart.

A rule is asked once per group instead of once per pod, so that its cost grows with the number of
different pods; what is counted stands in columns over all nodes. A fork shares what neither side
changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from copy import copy
from dataclasses import field

import numpy as np

from auditor.facts.placement.columns import Columns, Ints, added, column
from auditor.facts.placement.pods import HostPort, Pod
from auditor.facts.placement.rules import Affinity, Term
from auditor.facts.selectors import METADATA_NAME, Labels
from auditor.values import dataclass

MANY = 1 << 20
"""So many places a node has that does not say how many."""
BEST = 100
"""The highest score that a node can have in one regard."""


@dataclass(slots=True)
class Group:
    """Placed pods of the same namespace, labels and rules."""

    namespace: str
    labels: Labels
    terminating: bool
    affinity: Affinity
    nodes: Counter[int] = field(default_factory=Counter)
    """How many of them are on each node, by its index."""

    def copy(self) -> Group:
        """One of its own."""
        return Group(
            self.namespace, self.labels, self.terminating, self.affinity, Counter(self.nodes)
        )


_Key = tuple[Hashable, bool]
_Groups = dict[_Key, Group]
_ANYWHERE = None
"""Where the groups stand whose rules may be about pods of any namespace."""


class Occupancy:
    """The nodes of a topology with what is bound to them so far."""

    def __init__(self, columns: Columns, namespace_labels: Mapping[str, Mapping[str, str]]) -> None:
        self.columns = columns
        self.nodes = columns.nodes
        self.index = columns.index
        self.pods = self._nothing()
        """How many pods are on each node."""
        self._amounts: dict[str, Ints] = {}
        self.assumed_cpu, self.assumed_memory = self._nothing(), self._nothing()
        """What scores count, with what is assumed of containers that ask for none."""
        self.ports: dict[int, Counter[HostPort]] = {}
        """The ports that are taken, of each node on which any is."""
        self.claims: Counter[tuple[str, str]] = Counter()
        """How many pods mount a claim, by its namespace and name."""
        self.mounted: dict[int, Counter[tuple[str, str]]] = {}
        """The same of each node on which any is mounted."""
        self._namespace_labels = namespace_labels
        self._groups: dict[str, _Groups] = {}
        self._bearers: dict[str | None, dict[_Key, str]] = {}
        self._here: dict[int, tuple[Pod, ...]] = {}
        self._own: set[object] = set()
        """The namespaces and groups that no fork shares."""

    def _nothing(self) -> Ints:
        return column([0] * len(self.nodes))

    def fork(self) -> Occupancy:
        """The same for now; what is bound to one of the two from here on is not on the other."""
        other = copy(self)
        other.pods = self.pods.copy()
        other._amounts = {name: taken.copy() for name, taken in self._amounts.items()}
        other.assumed_cpu, other.assumed_memory = (
            self.assumed_cpu.copy(),
            self.assumed_memory.copy(),
        )
        other.ports = {index: Counter(taken) for index, taken in self.ports.items()}
        other.claims = Counter(self.claims)
        other.mounted = {index: Counter(claims) for index, claims in self.mounted.items()}
        other._here = dict(self._here)
        other._groups = dict(self._groups)
        other._bearers = {space: dict(keys) for space, keys in self._bearers.items()}
        self._own, other._own = set(), set()
        return other

    def over(self, columns: Columns) -> Occupancy:
        """This one on nodes that say something else and are the same otherwise, in their order."""
        self.columns, self.nodes = columns, columns.nodes
        return self

    def bind(self, pod: Pod, index: int) -> None:
        """Put `pod` on the node with that index."""
        self._change(pod, index, 1)
        self._here[index] = (*self._here.get(index, ()), pod)

    def release(self, pod: Pod, index: int) -> None:
        """Take `pod`, which was put there, from the node with that index."""
        self._change(pod, index, -1)
        self._here[index] = tuple(p for p in self._here.get(index, ()) if not _same(p, pod))

    def on(self, index: int) -> tuple[Pod, ...]:
        """The pods on the node with that index."""
        return self._here.get(index, ())

    def places(self, pod: Pod) -> Ints:
        """How many pods like `pod` each node has room for, as far as resources tell; many where it
        does not say.
        """
        columns = self.columns
        found = columns.holds("pods") - self.pods
        for name, amount in pod.shape.requests.amounts.items():
            found = np.minimum(found, (columns.holds(name) - self.taken(name)) // amount)
        free: Ints = np.where(columns.told, np.maximum(found, 0), MANY)
        return free

    def _change(self, pod: Pod, index: int, sign: int) -> None:
        requests = pod.shape.requests
        self.pods[index] += sign
        for name, amount in requests.amounts.items():
            self._amounts[name] = added(self.taken(name), index, sign * amount)
        self.assumed_cpu = added(self.assumed_cpu, index, sign * requests.assumed_cpu)
        self.assumed_memory = added(self.assumed_memory, index, sign * requests.assumed_memory)
        for port in pod.shape.ports:
            self.ports.setdefault(index, Counter())[port] += sign
        for claim in pod.claims:
            self._mount((pod.namespace, claim.name), index, sign)
        group = self._group_of(pod)
        group.nodes[index] += sign
        if not group.nodes[index]:
            del group.nodes[index]

    def _mount(self, claim: tuple[str, str], index: int, sign: int) -> None:
        self.claims[claim] += sign
        here = self.mounted.setdefault(index, Counter())
        here[claim] += sign
        if not here[claim]:
            del here[claim]

    def taken(self, name: str) -> Ints:
        """What is taken of a resource on each node."""
        if name not in self._amounts:
            self._amounts[name] = self._nothing()
        return self._amounts[name]

    def _group_of(self, pod: Pod) -> Group:
        """The group of `pod`, as one that may be changed."""
        affinity = pod.shape.affinity
        key = (pod.shape.known_by, pod.terminating)
        if pod.namespace not in self._own:
            self._groups[pod.namespace] = dict(self._groups.get(pod.namespace, {}))
            self._own.add(pod.namespace)
        groups = self._groups[pod.namespace]
        group = groups.get(key)
        if group is None:
            group = Group(pod.namespace, Labels(pod.labels), pod.terminating, affinity)
            for space in _concerned(affinity):
                self._bearers.setdefault(space, {})[key] = pod.namespace
        elif key not in self._own:
            group = group.copy()
        groups[key] = group
        self._own.add(key)
        return group

    @property
    def groups(self) -> Iterator[Group]:
        """All placed pods."""
        return (group for groups in self._groups.values() for group in groups.values())

    def groups_in(self, namespaces: Iterable[str]) -> Iterator[Group]:
        """The placed pods of these namespaces."""
        return (group for name in namespaces for group in self._groups.get(name, {}).values())

    def groups_for(self, term: Term) -> Iterator[Group]:
        """The placed pods that `term` may mean, by their namespaces."""
        return self.groups if term.spaces else self.groups_in(term.namespaces)

    def bearers(self, namespace: str) -> Iterator[Group]:
        """The placed pods whose rules may be about pods of that namespace."""
        for space in (namespace, _ANYWHERE):
            for key, home in self._bearers.get(space, {}).items():
                yield self._groups[home][key]

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


def _same(one: Pod, other: Pod) -> bool:
    return (one.name, one.namespace) == (other.name, other.namespace)


def _concerned(affinity: Affinity) -> Iterator[str | None]:
    """The namespaces whose pods these rules may be about."""
    terms = (*affinity.near, *affinity.away, *affinity.rather_near, *affinity.rather_away)
    if any(term.spaces for term in terms):
        yield _ANYWHERE
        return
    yield from {name: None for term in terms for name in term.namespaces}
