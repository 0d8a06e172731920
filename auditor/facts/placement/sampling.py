"""Of how many nodes a large cluster asks each pod, and of which.

Rules: numFeasibleNodesToFind and findNodesThatPassFilters of pkg/scheduler/schedule_one.go, and the
order of internal/cache/node_tree.go: zone by zone in turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from auditor.facts.placement.columns import Bools
from auditor.facts.placement.topology import Node

ALL_BELOW = 100
"""Of fewer nodes all are asked, and of more at least so many have to be found."""
LEAST_PERCENT = 5


def wanted(nodes: int) -> int:
    """How many nodes that can take a pod are looked for."""
    if nodes < ALL_BELOW:
        return nodes
    percent = max(50 - nodes // 125, LEAST_PERCENT)
    return max(nodes * percent // 100, ALL_BELOW)


def in_turn(nodes: Sequence[Node]) -> list[int]:
    """The indices of the nodes in the order in which they are asked: one of each zone in turn."""
    zones: dict[str | None, list[int]] = {}
    for index, node in enumerate(nodes):
        zones.setdefault(node.zone, []).append(index)
    rounds = zip_longest(*zones.values())
    return [index for each in rounds for index in each if index is not None]


class Sampling:
    """Where the search for a node starts. It goes on where the last one ended."""

    def __init__(self, nodes: Sequence[Node], start: int) -> None:
        self._order = np.array(in_turn(nodes), dtype=np.intp)
        self._start = start % len(nodes) if nodes else 0

    def of(self, fits: Bools) -> Bools:
        """Those of the nodes that fit which the search finds before it ends."""
        turn = np.roll(self._order, -self._start)
        able = np.flatnonzero(fits[turn])[: wanted(len(turn))]
        full = len(able) == wanted(len(turn))
        seen = int(able[-1]) + 1 if full and len(able) else len(turn)
        self._start = (self._start + seen) % max(len(turn), 1)
        found: Bools = np.zeros(len(turn), dtype=np.bool_)
        found[turn[able]] = True
        return found
