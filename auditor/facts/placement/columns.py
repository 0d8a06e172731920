"""The nodes of a cluster column by column, so that a question is put to all of them at once.

Whole numbers stay exact: a column that may hold more than 64 bits can sum is one of Python's own
integers, slower and without a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from auditor.facts.placement.node_selectors import NodeTerm
from auditor.facts.placement.topology import Node
from auditor.values import dataclass

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
T = TypeVar("T")

LARGE = 2**44
"""From here on an amount makes its column one of Python's integers: a thousand such amounts on one
node, in hundredths, are still within 64 bits."""


def column(values: Sequence[int]) -> Ints:
    """One number for each node."""
    return np.array(values, dtype=object if max(values, default=0) >= LARGE else np.int64)


def added(column: Ints, index: int, amount: int) -> Ints:
    """The column with `amount` more at `index`: the same one, unless it cannot hold that."""
    if abs(amount) >= LARGE and column.dtype != object:
        column = column.astype(object)
    column[index] += amount
    return column


@dataclass(frozen=True, slots=True)
class Domains:
    """The domains that the values of one label make."""

    of_node: NDArray[np.intp]
    """The number of the domain of each node; the number of domains where it has no such label."""
    numbers: Mapping[str, int]
    """The number of each value."""
    present: Bools
    """Which nodes have the label."""

    @classmethod
    def of(cls, nodes: Sequence[Node], key: str) -> Domains:
        """Those of the label `key`."""
        numbers: dict[str, int] = {}
        found = [
            -1 if value is None else numbers.setdefault(value, len(numbers))
            for value in (node.labels.get(key) for node in nodes)
        ]
        codes = np.array(found, dtype=np.intp)
        present = codes >= 0
        return cls(np.where(present, codes, len(numbers)), numbers, present)

    def sums(self, per_node: Ints, among: Bools) -> Ints:
        """The sum over the nodes of each domain that are `among` those; a last one is of the nodes
        without the label.
        """
        counts = np.bincount(
            self.of_node[among], weights=per_node[among], minlength=len(self.numbers) + 1
        )
        return counts.astype(np.int64)

    def spread_out(self, by_value: Mapping[str, int]) -> Ints:
        """For each node the number of its value; 0 without the label."""
        table = np.zeros(len(self.numbers) + 1, dtype=np.int64)
        for value, number in by_value.items():
            known = self.numbers.get(value)
            if known is not None:
                table[known] = number
        found: Ints = table[self.of_node]
        return found


class Columns:
    """What nodes say, whatever is on them; each column is made when it is first asked for."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self._domains: dict[str, Domains] = {}
        self._holds: dict[str, Ints] = {}
        self._remembered: dict[Hashable, object] = {}

    def retainted(self, nodes: Sequence[Node]) -> Columns:
        """Those of the same nodes in their order, which differ in nothing but taints."""
        other = Columns(nodes)
        other._domains, other._holds = self._domains, self._holds
        return other

    @cached_property
    def all(self) -> Bools:
        """Every node."""
        return np.ones(len(self.nodes), dtype=np.bool_)

    @cached_property
    def told(self) -> Bools:
        """Which nodes say what they can hold."""
        return np.array([node.allocatable is not None for node in self.nodes], dtype=np.bool_)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """The place of each node, by its name."""
        return {node.name: index for index, node in enumerate(self.nodes)}

    def domains(self, key: str) -> Domains:
        """The domains of a label."""
        if key not in self._domains:
            self._domains[key] = Domains.of(self.nodes, key)
        return self._domains[key]

    def holds(self, name: str) -> Ints:
        """What each node can hold of a resource."""
        if name not in self._holds:
            values = [(node.allocatable or {}).get(name, 0) for node in self.nodes]
            self._holds[name] = column(values)
        return self._holds[name]

    @cached_property
    def ones(self) -> Ints:
        """One for each node."""
        return np.ones(len(self.nodes), dtype=np.int64)

    def says(self, name: str) -> Ints:
        """1 for each node that has some of a resource, 0 for the others."""
        return self.remembered(("says", name), lambda: (self.holds(name) > 0).astype(np.int64))

    def divisor(self, name: str) -> Ints:
        """What each node can hold of a resource; 1 where it is nothing."""
        return self.remembered(("divisor", name), lambda: np.maximum(self.holds(name), 1))

    def numbers(
        self, about: Hashable, terms: Iterable[NodeTerm], ask: Callable[[Node], int]
    ) -> Ints:
        """The answers that are numbers."""
        return self.remembered(
            ("numbers", about), lambda: column(self._answers(tuple(terms), (), ask))
        )

    def flags(
        self,
        about: Hashable,
        terms: Iterable[NodeTerm],
        keys: Iterable[str],
        ask: Callable[[Node], bool],
    ) -> Bools:
        """The answers that are yes or no."""
        return self.remembered(
            ("flags", about),
            lambda: np.array(self._answers(tuple(terms), tuple(keys), ask), dtype=np.bool_),
        )

    def answers(
        self,
        about: Hashable,
        terms: Iterable[NodeTerm],
        keys: Iterable[str],
        ask: Callable[[Node], T],
    ) -> list[T]:
        """What `ask` says of each node; it is asked once of nodes that differ in nothing that it
        reads: taints, and the labels of `terms` and `keys`. Remembered as `about`.
        """
        return self.remembered(about, lambda: self._answers(tuple(terms), tuple(keys), ask))

    def _answers(
        self, terms: Sequence[NodeTerm], keys: Sequence[str], ask: Callable[[Node], T]
    ) -> list[T]:
        read = sorted({*keys, *(e.key for term in terms for e in term.labels)})
        by_name = any(term.fields for term in terms)
        known: dict[Hashable, T] = {}
        found = []
        for node in self.nodes:
            labels = tuple(map(node.labels.get, read))
            alike = (node.taints, node.unschedulable, labels, node.name if by_name else "")
            if alike not in known:
                known[alike] = ask(node)
            found.append(known[alike])
        return found

    def remembered(self, about: Hashable, make: Callable[[], T]) -> T:
        """What was made of the nodes before, under that name, or is made now."""
        if about not in self._remembered:
            self._remembered[about] = make()
        return self._remembered[about]  # type: ignore[return-value]
