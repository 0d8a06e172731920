"""Whether free room alone is enough for many pods, whoever is placed first and wherever each goes.

Replaying a scheduler for every pod of a zone costs minutes; that there is plenty can be seen at
once. The argument holds for any scheduler that never leaves a pod out that some node would take.

A node refuses a pod once some resource is short there. Were a pod refused by all nodes that admit
it, each of them would have been given at least what it had left of one resource. In shares of what
all of them have left together, the others would then have taken no less than the sum of the least
shares of the nodes; so where all that the pods ask for is no more than that, nobody is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from auditor.facts.placement.columns import Bools, Ints
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Pod, Shape
from auditor.facts.placement.simulation import Simulation
from auditor.facts.placement.unmodelled import gates

MARGIN = 1e-6
"""Far more than the shares can be off by rounding."""
_PODS = "pods"


class Plenty:
    """What is free in a simulation, to which nothing is bound meanwhile. Not frozen: it remembers
    what the pods of each shape ask for.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._alike: dict[Shape, Hashable | None] = {}

    def holds(self, pods: Iterable[Pod], lost: Sequence[bool]) -> bool:
        """Whether each of `pods` is sure to find a node that is not `lost`, beside all that is
        there; False where that cannot be told by counting. The rules of pods that are on a lost
        node count as if these were still there.
        """
        counts: Counter[Shape] = Counter()
        first: dict[Shape, Pod] = {}
        for pod in pods:
            if pod.claims:
                return False
            counts[pod.shape] += 1
            first[pod.shape] = pod
        kinds: dict[Hashable, list[Pod]] = {}
        for pod in first.values():
            kinds.setdefault(self._alike_to(pod), []).append(pod)
        stays, asked = ~np.array(lost, dtype=np.bool_), _sum(counts)
        return None not in kinds and all(
            self._suffices(kind, stays, asked) for kind in kinds.values()
        )

    def _alike_to(self, pod: Pod) -> Hashable | None:
        """Equal for pods that the same nodes admit and that ask for the same resources; None where
        room is not all that they ask for.
        """
        if pod.shape not in self._alike:
            self._alike[pod.shape] = self._read(pod)
        return self._alike[pod.shape]

    def _read(self, pod: Pod) -> Hashable | None:
        shape, names = pod.shape, frozenset(pod.shape.requests.amounts)
        if not pod.is_plain or gates(pod) or _PODS in names or self._simulation.is_kept_away(pod):
            return None
        return shape.choice.known_by, shape.tolerations, names

    def _suffices(self, pods: Sequence[Pod], stays: Bools, asked: Mapping[str, int]) -> bool:
        among = self._simulation.admitted(pods[0]) & stays
        return _suffices(self._simulation.occupancy, among, _most(pods), asked)


def _sum(counts: Mapping[Shape, int]) -> Mapping[str, int]:
    """What so many pods of each shape ask for together."""
    asked = Counter({_PODS: sum(counts.values())})
    for shape, count in counts.items():
        for name, amount in shape.requests.amounts.items():
            asked[name] += count * amount
    return asked


def _most(pods: Sequence[Pod]) -> Mapping[str, int]:
    """The most that one of them asks for, by resource."""
    first = pods[0].shape.requests.amounts
    return {_PODS: 1} | {name: max(p.shape.requests.amounts[name] for p in pods) for name in first}


def _suffices(
    occupancy: Occupancy, among: Bools, one: Mapping[str, int], asked: Mapping[str, int]
) -> bool:
    """Whether no pod that asks for `one` can be refused by all nodes that are `among` those, while
    all pods together ask for `asked`.
    """
    if not among.any():
        return False
    if not occupancy.columns.told[among].all():
        return True  # what a node does not say is never short
    left = {name: _left(occupancy, name, amount)[among] for name, amount in one.items()}
    totals = {name: float(free.sum()) for name, free in left.items()}
    if not all(totals.values()):
        return False
    least = np.minimum.reduce([free / totals[name] for name, free in left.items()])
    needed = sum(asked[name] / total for name, total in totals.items())
    return bool(float(least.sum()) >= needed * (1 + MARGIN))


def _left(occupancy: Occupancy, name: str, amount: int) -> Ints:
    """How much of a resource others must take on each node before it is short for `amount`."""
    taken = occupancy.pods if name == _PODS else occupancy.taken(name)
    left: Ints = np.maximum(occupancy.columns.holds(name) - taken - amount + 1, 0)
    return left.astype(np.float64)
