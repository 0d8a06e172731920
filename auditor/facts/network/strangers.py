"""The pods that are not there yet, and to whom policies leave anything on the way to a workload."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from auditor.facts.network.answers import Stranger
from auditor.facts.network.matrix import Mask, Matrix
from auditor.facts.network.points import Point
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.network.engine import Network


class Strangers:
    """A pod without labels in each namespace with a workload, and one in a namespace that nobody
    has made. All of them are judged at once: a row for each target, as in a `Matrix`.
    """

    def __init__(self, network: Network) -> None:
        spaces = sorted({workload.ref.namespace for workload in network.workloads})
        self._network = network
        self._all = (*(Stranger(space, {}) for space in spaces), Stranger("", {}))
        points = [network.points_of(stranger)[0] for stranger in self._all]
        self._matrix = Matrix(network.judge, points, distinct=False)

    def sending(self, target: Workload) -> Iterator[Stranger]:
        """Those to whom the policies of `target` leave anything, or may; for a target on the
        network of its node always all, since assumptions about it are told.
        """
        if target.pod.get("hostNetwork") is True:
            yield from self._all
            return
        mask = reduce(or_, map(self._admitted, self._network.points_of(target)))
        for place, stranger in enumerate(self._all):
            if mask >> place & 1:
                yield stranger

    def _admitted(self, target: Point) -> Mask:
        row = self._matrix.row("Ingress", target)
        return reduce(or_, (mask for bounds, mask in row.masks.items() if bounds.possible), 0)
