"""Where the boxes of a map are: places around nodes, nodes around pods, all in rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from auditor.facts.scenarios.plan import Place, Plan, Spot
from auditor.values import dataclass

NODE_WIDTH = 236
HEAD, ROOM_LINE, CHIP, GAP, PAD, TITLE = 24, 15, 24, 12, 12, 28
ACROSS = (2, 6)
"""At least and at most so many nodes of one place stand beside each other."""
WIDEST = 1120
"""Where places beside each other go on in the next row."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; y grows downwards."""

    x: float
    y: float
    width: float
    height: float

    def moved(self, x: float, y: float) -> Box:
        """The same elsewhere."""
        return Box(self.x + x, self.y + y, self.width, self.height)


@dataclass(frozen=True, slots=True)
class Area:
    """A place with what is in it, from its own corner."""

    place: Place
    box: Box
    areas: tuple[Area, ...]
    spots: tuple[tuple[Spot, Box], ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole map."""

    areas: tuple[Area, ...]
    width: float
    height: float


def layout(plan: Plan) -> Layout:
    """Where everything is."""
    areas = [_area(place) for place in plan.places]
    boxes, width, height = _rows([area.box for area in areas], WIDEST)
    placed = (_at(area, box) for area, box in zip(areas, boxes, strict=True))
    return Layout(tuple(placed), width, height)


def _at(area: Area, box: Box) -> Area:
    return Area(area.place, box, area.areas, area.spots)


def _area(place: Place) -> Area:
    if place.places:
        inner = [_area(each) for each in place.places]
        boxes, width, height = _rows([each.box for each in inner], WIDEST)
        shifted = [box.moved(PAD, TITLE) for box in boxes]
        areas = tuple(_at(each, box) for each, box in zip(inner, shifted, strict=True))
        return Area(place, Box(0, 0, width + 2 * PAD, height + TITLE + PAD), areas, ())
    sizes = [Box(0, 0, NODE_WIDTH, node_height(spot)) for spot in place.spots]
    least, most = ACROSS
    across = min(max(math.isqrt(len(sizes)), least), most)
    boxes, width, height = _rows(sizes, across * (NODE_WIDTH + GAP))
    spots = tuple(
        (spot, box.moved(PAD, TITLE)) for spot, box in zip(place.spots, boxes, strict=True)
    )
    return Area(place, Box(0, 0, width + 2 * PAD, height + TITLE + PAD), (), spots)


def node_height(spot: Spot) -> float:
    """Of the box of a node."""
    return HEAD + len(lines_of(spot)) * ROOM_LINE + len(spot.here) * CHIP + 8


def lines_of(spot: Spot) -> list[tuple[str, str]]:
    """What is written below the name of a node, each line with its look."""
    room = [("room", ", ".join(part)) for part in (spot.room[:2], spot.room[2:]) if part]
    return [*room, *(("mark", mark) for mark in spot.marks)]


def _rows(boxes: Sequence[Box], widest: float) -> tuple[list[Box], float, float]:
    """The boxes beside each other, in rows no wider than that; and how much room they take."""
    found: list[Box] = []
    x = y = row = width = 0.0
    for box in boxes:
        if x and x + box.width > widest:
            x, y, row = 0.0, y + row + GAP, 0.0
        found.append(box.moved(x, y))
        x += box.width + GAP
        row, width = max(row, box.height), max(width, x - GAP)
    return found, width, y + row
