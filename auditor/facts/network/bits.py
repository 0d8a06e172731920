"""Which workloads the bits of a matrix stand for, where two networks have another matrix each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from auditor.facts.network.matrix import Mask, places
from auditor.facts.network.points import is_on_node
from auditor.facts.workloads import Workload
from auditor.model import Key

if TYPE_CHECKING:
    from auditor.facts.network.engine import Network

KEPT = 64
"""Of so many masks it is kept what they are in common bits: those of few are quick to tell, and
everybody is the same for all targets.
"""


class Bits:
    """The workloads of a network by the places of their pods in its matrix."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._common: Common | None = None

    @cached_property
    def of(self) -> Mapping[Key, int]:
        """The place of each, by its identity; of one that is in none, -1: policies tell its pods
        apart, or leave them alone.
        """
        net = self.network
        return {w.ref.key: -1 if is_on_node(w) else net.bit_of(w) for w in net.workloads}

    def since(self, before: Bits) -> Common:
        """The bits that they have in common; the last answer is kept."""
        if self._common is None or self._common.before is not before:
            self._common = Common(before, self)
        return self._common


class Common:
    """The workloads of two networks, a bit for those that neither of them tells apart."""

    def __init__(self, before: Bits, after: Bits) -> None:
        self.before = before
        self.others: list[Workload] = []
        """Those that have no place in the matrix of one of them."""
        self._placed: list[list[Workload]] = []
        self._bit: dict[Key, int] = {}
        self._sides: tuple[dict[int, Mask], dict[int, Mask]] = {}, {}
        known: dict[tuple[int, int], int] = {}
        for one in before.network.workloads:
            key = one.ref.key
            pair = before.of[key], after.of.get(key, -1)
            if min(pair) < 0:
                self.others.append(one)
                continue
            bit = self._bit[key] = known.setdefault(pair, len(known))
            if bit == len(self._placed):
                self._placed.append([])
            self._placed[bit].append(one)
            for side, place in zip(self._sides, pair, strict=True):
                side[place] = side.get(place, 0) | 1 << bit
        self.every: Mask = (1 << len(known)) - 1
        self.translated = lru_cache(KEPT)(self._translated)
        """A mask of the first or of the second network in common bits."""

    def _translated(self, mask: Mask, side: int) -> Mask:
        found = 0
        for place in places(mask):
            found |= self._sides[side].get(place, 0)
        return found

    def has(self, workload: Workload, mask: Mask) -> bool:
        """Whether a mask means it."""
        return bool(mask >> self._bit[workload.ref.key] & 1) if self.placed(workload) else False

    def placed(self, workload: Workload) -> bool:
        """Whether it has a bit."""
        return workload.ref.key in self._bit

    def meant(self, mask: Mask) -> Iterator[Workload]:
        """The workloads that it means."""
        return (one for place in places(mask) for one in self._placed[place])

    def count(self, mask: Mask) -> int:
        """How many they are."""
        return mask.bit_count() + sum(
            len(here) - 1 for bit, here in self._crowded if mask >> bit & 1
        )

    @cached_property
    def _crowded(self) -> Sequence[tuple[int, list[Workload]]]:
        return [(bit, here) for bit, here in enumerate(self._placed) if len(here) > 1]
