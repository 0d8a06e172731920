"""Places that can be lost as a whole: a region holds zones, a zone racks, a rack nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from auditor.declared import ASSUMED_PRIORS
from auditor.facts.placement import Node, Topology
from auditor.model import Settings
from auditor.values import dataclass

REGION = "topology.kubernetes.io/region"
LEVELS = ("region", "zone", "rack", "node")
"""From the largest to the smallest."""
Place = tuple[str, ...]
"""The names of region, zone, rack and node; empty where a label is missing: then no loss of such a
place is reckoned with."""


@dataclass(frozen=True, slots=True)
class Odds:
    """How probable it is, at any moment, that one such place is lost, each by itself. Inputs: they
    have to be said with every answer that rests on them.
    """

    node: float
    rack: float
    zone: float
    region: float
    assumed: bool = False
    """Whether nobody declared them."""

    @classmethod
    def of_settings(cls, settings: Settings) -> Odds:
        """Those that are declared, else those that are assumed."""
        given = settings.priors or ASSUMED_PRIORS
        assumed = settings.priors is None
        return cls(given.node, given.rack, given.zone, given.region, assumed)

    def of(self, level: int) -> float:
        """That of a level, by its index in LEVELS."""
        return (self.region, self.zone, self.rack, self.node)[level]

    def __str__(self) -> str:
        told = (f"{level} {self.of(index):g}" for index, level in enumerate(LEVELS))
        return f"{'assumed ' if self.assumed else ''}odds of a loss: {', '.join(told)}"


@dataclass(frozen=True, slots=True)
class Places:
    """Where each node is."""

    of_node: Mapping[str, Place]

    @classmethod
    def of(cls, topology: Topology, region_label: str = REGION) -> Places:
        """The places of the nodes of a topology."""
        return cls({node.name: _place(node, region_label) for node in topology.nodes})

    def of_replicas(self, nodes: Mapping[str, int]) -> Iterator[tuple[Place, int]]:
        """The replicas by place; a node that is not known is a place of its own."""
        for node, count in nodes.items():
            yield self.of_node.get(node, ("", "", "", node)), count

    def untold(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """The levels of which some of these nodes has no label."""
        found = [self.of_node.get(node, ("", "", "", node)) for node in nodes]
        return tuple(
            level for index, level in enumerate(LEVELS) if any(not place[index] for place in found)
        )

    def shared(self, nodes: Iterable[str]) -> Place:
        """The smallest place that holds all of these nodes, as the names down to it; () where
        there is none.
        """
        found = [self.of_node.get(node, ("", "", "", node)) for node in nodes]
        for length in range(len(LEVELS), 0, -1):
            heads = {place[:length] for place in found}
            if len(heads) == 1 and (head := heads.pop())[-1]:
                return head
        return ()


def _place(node: Node, region_label: str) -> Place:
    return (node.labels.get(region_label, ""), node.zone or "", node.rack or "", node.name)
