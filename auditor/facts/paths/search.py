"""The shortest paths to one store, from everywhere at once.

Searched backwards from the store in two layers: on the upper one something that opens a path was
already used, on the lower one not yet. A path is told when it ends on the upper one. Declared
clients of the store hold its data by right: a path may end in one that somebody controls, and none
begins there. To speak to one is not to control it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence

from auditor.facts.paths.positions import DataPath, Means, Position, Step
from auditor.values import dataclass

State = tuple[Position, bool]
"""A position, and whether something that opens a path was used to come there."""
Into = Mapping[Position, Sequence[Means]]
"""By position, what leads there."""


@dataclass(frozen=True, slots=True)
class Ways:
    """All shortest paths to one store."""

    store: Position
    goals: frozenset[Position]
    """The data of the store, the store itself, and those of its declared clients that reach it."""
    next: Mapping[State, tuple[Means, State]]
    """What is done at each state, and where that leads."""
    openings: Mapping[Means, State]
    """Everything that opens a path, with where it leads from there: on a shortest path or not."""

    @property
    def starts(self) -> tuple[Position, ...]:
        """From where there is a path, the shortest ones first."""
        return tuple(position for position, used in self.next if not used)

    def path(self, start: Position) -> DataPath | None:
        """The path from there; None where there is none."""
        steps = tuple(self.onward((start, False)))
        return DataPath(start, self.store, steps) if steps else None

    def onward(self, state: State) -> Iterator[Step]:
        """The steps from a state to the data."""
        while state in self.next:
            means, after = self.next[state]
            yield Step(state[0], after[0], means)
            state = after


def search(
    into: Into, store: Position, goals: frozenset[Position], without: Collection[Means] = ()
) -> Ways:
    """The ways to `store`, as if the means in `without` were not there.

    Costs one look at each source of each means that leads there.
    """
    found: dict[State, tuple[Means, State]] = {}
    openings: dict[Means, State] = {}
    seen = {(means, used) for means in without for used in (False, True)}
    # The store first: of two ways of one length, that to the store itself is told.
    nearest = sorted(
        goals, key=lambda one: (one.workload is not store.workload, one.name, one.kind)
    )
    queue = deque((goal, True) for goal in nearest)
    while queue:
        state = queue.popleft()
        for means in leading(into, state[0], goals):
            if (means, state[1]) in seen:
                continue
            seen.add((means, state[1]))
            # Nobody comes to a place that nothing leads to: there one only sets out.
            before = [
                one
                for one in _before(means, used=state[1])
                if one[0] not in goals and (not one[1] or one[0] in into)
            ]
            if before and means.opens:
                openings[means] = state
            for one in before:
                if one not in found:
                    found[one] = (means, state)
                    queue.append(one)
    return Ways(store, goals, found, openings)


def leading(into: Into, position: Position, goals: frozenset[Position]) -> Iterator[Means]:
    """What leads to a position and counts there."""
    controlled = position in goals and position.kind != "data"
    for means in into.get(position, ()):
        if not (controlled and (means.approach or means.kind == "network")):
            yield means


def _before(means: Means, *, used: bool) -> list[State]:
    """The states from which the means lead to a state that is `used` or not."""
    if not means.opens:
        return [(source, used) for source in means.sources]
    if not used:
        return []
    return [(source, flag) for source in means.sources for flag in (False, True)]
