"""What every form of `auditor paths` shares: one state, what was asked, and where reasons stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.facts.paths import Means, PathGraph, Position, Step, Why
from auditor.facts.paths.findings import StorePaths
from auditor.reporters.network.told import Places, fit
from auditor.values import dataclass

NAMED = 4
"""How many are named where more are counted."""


@dataclass(frozen=True, slots=True)
class View:
    """One state of what was read."""

    name: str
    """Empty where there is no other."""
    graph: PathGraph
    stores: Sequence[StorePaths]
    held: dict[Position, tuple[str, ...]]
    """The classes of data of each store; () of one that was asked about without."""
    declared: dict[Position, Why]
    """Where each is declared."""
    places: Places

    @property
    def openings(self) -> int:
        """How many things open a path."""
        return len({one.means for store in self.stores for one in store.openings})

    @property
    def has_paths(self) -> bool:
        """Whether there is any."""
        return any(store.paths for store in self.stores)

    def why(self, step: Step) -> Why:
        """What makes a step possible."""
        return self.graph.why(step.source, step.means, step.target)

    def where(self, why: Why | None) -> str:
        """``file:line``; empty where there is no place."""
        return self.places.where(why.ref, why.path) if why else ""


def names(positions: Iterable[Position], shown: int = NAMED) -> str:
    """``shop/web, shop/cart and 3 more``."""
    found = [fit(position.name) for position in positions]
    more = len(found) - shown
    if more > 1:
        return f"{', '.join(found[:shown])} and {more} more"
    return ", ".join(found)


def grouped(means: Means, view: View, target: Position) -> list[tuple[Why, list[Position]]]:
    """The sources of one opening by what is said of them."""
    found: dict[tuple[str, str], tuple[Why, list[Position]]] = {}
    for source in means.sources:
        why = view.graph.why(source, means, target)
        found.setdefault((why.text, view.where(why)), (why, []))[1].append(source)
    return list(found.values())
