"""To whom network policies leave anything on the way to a workload, of all that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING

from auditor.facts.network.matrix import Mask, places
from auditor.facts.network.points import is_on_node
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.network.engine import Network


class Senders:
    """Answers from the matrix of a network: pairs of workloads are not judged one by one."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def to(self, target: Workload) -> Mask:
        """See `Network.senders`."""
        points, matrix = self._network.points_of(target), self._network.matrix
        if len(points) > 1 or points[0] not in matrix.place:
            return matrix.every
        return reduce(or_, (flow.sources for flow in matrix.into(points[0])), 0)

    def bit_of(self, workload: Workload) -> int:
        """See `Network.bit_of`."""
        points = self._network.points_of(workload)
        return self._network.matrix.place.get(points[0], -1) if len(points) == 1 else -1

    def sending(self, target: Workload) -> Iterator[Workload]:
        """See `Network.sending`."""
        mask = self.to(target)
        if mask == self._network.matrix.every or is_on_node(target):
            yield from self._network.workloads
            return
        placed, others = self._placed
        yield from others
        for place in places(mask):
            yield from placed.get(place, ())

    @cached_property
    def _placed(self) -> tuple[Mapping[int, Sequence[Workload]], Sequence[Workload]]:
        """The workloads by their bit, and those that have none or may always send."""
        placed: dict[int, list[Workload]] = {}
        others = []
        for workload in self._network.workloads:
            bit = -1 if is_on_node(workload) else self.bit_of(workload)
            if bit < 0:
                others.append(workload)
            else:
                placed.setdefault(bit, []).append(workload)
        return placed, others
