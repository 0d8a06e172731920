"""The least that closes all paths to a store: a minimum cut, by the theorem of Ford and Fulkerson.

To take one thing away costs one, whatever it closes; what is by design, an approach, or nobody's
to take away costs more than there is. As in `search` there are two layers, and what opens a path
always leads to the upper one, so that it has one place in the network however it is used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import field
from itertools import pairwise

from auditor.facts.paths.positions import Means, Position
from auditor.facts.paths.search import Into, Ways, leading, search
from auditor.values import dataclass

MANY = 1 << 40
"""More than can be cut."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What to take away, and what is left then."""

    taken: tuple[Means, ...]
    left: Ways
    """The ways as they would be: asked again, with that gone."""
    unmendable: tuple[Means, ...]
    """What opens paths and is nobody's to take away."""
    starts: frozenset[Position]
    """From where no path is to be left."""

    @property
    def closes(self) -> bool:
        """Whether none is left."""
        return not any((start, False) in self.left.next for start in self.starts)


def least_cut(into: Into, ways: Ways, starts: Iterable[Position] | None = None) -> Cut:
    """The least to take away, so that no path leads from any of `starts` (None: from anywhere)."""
    known = frozenset(ways.starts)
    asked = known if starts is None else known.intersection(starts)
    fixed = tuple(means for means in ways.openings if not means.mend)
    rest = search(into, ways.store, ways.goals, fixed)
    taken = _separating(into, rest, asked)
    left = search(into, ways.store, ways.goals, taken)
    return Cut(taken, left, fixed, asked)


def _separating(into: Into, ways: Ways, starts: frozenset[Position]) -> tuple[Means, ...]:
    flow = _Flow(into.keys())
    for goal in ways.goals:
        flow.add((goal, True), "data", MANY)
    for means in ways.openings:
        flow.add((means, "in"), (means, "out"), 1)
        for source in means.sources:
            if source in starts:
                flow.add("starts", (means, "in"), MANY)
                break
    for layer, means, target in _arcs(into, ways):
        _connect(flow, means, target, starts, layer=layer)
    for start in starts:
        flow.add("starts", (start, False), MANY)
    side = flow.source_side("starts", "data")
    return tuple(m for m in ways.openings if (m, "in") in side and (m, "out") not in side)


def _arcs(into: Into, ways: Ways) -> Iterator[tuple[bool, Means, Position]]:
    """Everything that leads to a state from which the data is reached."""
    states = {*ways.next, *((goal, True) for goal in ways.goals)}
    for position, used in states:
        for means in leading(into, position, ways.goals):
            if means in ways.openings:
                if used:
                    yield True, means, position
            elif not means.opens:
                yield used, means, position


def _connect(
    flow: _Flow, means: Means, target: Position, starts: Collection[Position], *, layer: bool
) -> None:
    begun = any(source in starts for source in means.sources)
    # Nobody comes to a place that nothing leads to: there one only sets out.
    passed = [source for source in means.sources if source in flow.led]
    if means.opens:
        flow.add((means, "out"), (target, True), MANY)
        # Where somebody sets out from one of its sources, the others add nothing.
        for source in () if begun else passed:
            for used in (False, True):
                flow.add((source, used), (means, "in"), MANY)
    elif begun and not layer:
        flow.add("starts", (target, False), MANY)
    else:
        for source in passed:
            flow.add((source, layer), (target, layer), MANY)


@dataclass(slots=True)
class _Flow:
    """A network with capacities. Not frozen: what flows is written into it."""

    led: Collection[Position]
    """Where something leads to."""
    room: dict[Hashable, dict[Hashable, int]] = field(default_factory=dict)

    def add(self, one: Hashable, other: Hashable, room: int) -> None:
        """Let so much flow from one to the other."""
        self.room.setdefault(one, {})[other] = room
        self.room.setdefault(other, {}).setdefault(one, 0)

    def source_side(self, source: Hashable, sink: Hashable) -> Collection[Hashable]:
        """What is still reached from `source` when no more flows: the cut runs around it."""
        self.room.setdefault(source, {})
        while sink in (reached := self._reached(source, sink)):
            way = [sink]
            while way[-1] != source:
                way.append(reached[way[-1]])
            self._send(way[::-1])
        return reached

    def _reached(self, source: Hashable, sink: Hashable) -> dict[Hashable, Hashable]:
        found: dict[Hashable, Hashable] = {source: source}
        queue = deque([source])
        while queue and sink not in found:
            here = queue.popleft()
            for other, room in self.room[here].items():
                if room and other not in found:
                    found[other] = here
                    queue.append(other)
        return found

    def _send(self, way: list[Hashable]) -> None:
        pairs = list(pairwise(way))
        amount = min(self.room[one][other] for one, other in pairs)
        for one, other in pairs:
            self.room[one][other] -= amount
            self.room[other][one] += amount
