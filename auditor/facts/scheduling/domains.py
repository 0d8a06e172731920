"""What is lost together: a node, a rack, a zone."""

from __future__ import annotations

from auditor.facts.placement import Node
from auditor.values import dataclass

LEVELS = ("node", "rack", "zone")
"""From the smallest to the largest."""


@dataclass(frozen=True, slots=True)
class Domain:
    """Nodes that are lost together."""

    level: str
    name: str
    nodes: frozenset[str]

    def __str__(self) -> str:
        return f"{self.level} {self.name}"


def place(node: Node, level: str) -> str | None:
    """The domain of a level that a node is in; a rack is one of its zone."""
    if level == "node":
        return node.name
    if level == "zone":
        return node.zone
    return f"{node.zone or ''}\0{node.rack}" if node.rack else None
