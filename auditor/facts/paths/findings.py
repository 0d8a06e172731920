"""What is told of each store: what opens paths to it, the shortest ones, and the least that closes
them all.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.facts.paths.cut import Cut, least_cut
from auditor.facts.paths.graph import PathGraph
from auditor.facts.paths.positions import DataPath, Means, Position, Step
from auditor.facts.paths.search import Ways
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """One thing that opens paths to a store."""

    means: Means
    target: Position
    """Where it leads first."""
    onward: tuple[Step, ...]
    """From there to the store, or to a client of it; empty where it leads to that at once."""


@dataclass(frozen=True, slots=True)
class StorePaths:
    """All that is told of one store."""

    store: Position
    clients: tuple[Position, ...]
    """The declared ones that reach it."""
    openings: tuple[Opening, ...]
    """What opens a path, on a shortest one or not; the nearest first."""
    paths: tuple[DataPath, ...]
    """The shortest path from each start that has one, the shortest first."""
    cut: Cut
    asked: bool = False
    """Whether only some starts were asked about."""


def paths_to(
    graph: PathGraph, store: Position, starts: Sequence[Position] | None = None
) -> StorePaths:
    """Everything about one store; from these starts alone, where they are given."""
    ways = graph.ways(store)
    begin = ways.starts if starts is None else tuple(s for s in starts if (s, False) in ways.next)
    paths = tuple(path for start in begin if (path := ways.path(start)))
    cut = least_cut(graph.into, ways, None if starts is None else begin)
    openings = tuple(_openings(ways)) if starts is None else ()
    return StorePaths(store, graph.clients(store), openings, paths, cut, starts is not None)


def _openings(ways: Ways) -> list[Opening]:
    return [
        Opening(means, state[0], tuple(ways.onward(state)))
        for means, state in ways.openings.items()
    ]
