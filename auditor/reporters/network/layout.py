"""Places the nodes of a picture: namespaces as boxes in columns, from left to right as connections
go, and in each box its workloads the same way. No more than a picture of some dozens needs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import field

from auditor.reporters.network.picture import Edge, Node, Picture
from auditor.reporters.terminal import cells
from auditor.values import dataclass

HEIGHT = 30
GAP = 12
PAD = 14
TITLE = 24
LINE = 15
"""How high a label is: a node is as high as those of the edges that lead there."""
COLUMN, LANE = 44, 56
"""Between the columns of a box, and between boxes side by side: beside the labels of edges."""
TALLEST = 9
"""How many nodes stand above each other before a further column begins."""
LETTER = 7.2
SMALL = 6.2
"""How wide a letter is in a name, and in a label."""
NARROW, WIDE = 96, 240


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + self.width

    @property
    def middle(self) -> float:
        """Half its height, from the top of the picture."""
        return self.y + self.height / 2


@dataclass(slots=True)
class Layout:
    """Where everything stands. Not frozen: it is filled once, when made."""

    nodes: dict[int, Box] = field(default_factory=dict)
    spaces: dict[str, Box] = field(default_factory=dict)
    labels: dict[int, list[str]] = field(default_factory=dict)
    """Of each node, what stands beside the edges that lead there, each once."""
    width: float = 0
    height: float = 0


def labels_of(edges: Iterable[Edge]) -> dict[int, list[str]]:
    """The labels of the edges into each node, each once."""
    found: dict[int, dict[str, None]] = {}
    for edge in edges:
        found.setdefault(edge.target, {})[edge.label] = None
    return {key: list(labels) for key, labels in found.items()}


def layout(picture: Picture) -> Layout:
    """The places of all nodes."""
    groups: dict[Hashable, list[Node]] = dict(picture.spaces.items())
    groups |= {("", node.key): [node] for node in picture.outside}
    of = {node.key: name for name, nodes in groups.items() for node in nodes}
    pairs = [(of[edge.source], of[edge.target]) for edge in picture.edges]
    found = Layout(labels=labels_of(picture.edges))
    left = float(PAD)
    before: dict[Hashable, float] = {}
    for number, column in enumerate(_ordered(list(groups), pairs)):
        left += LANE + _room(found, (n.key for one in column for n in groups[one])) if number else 0
        top, widest = float(PAD), 0.0
        for name in sorted(column, key=lambda one: _pull(one, pairs, before)):
            width, height = _place(groups[name], picture.edges, (left, top), found)
            before[name] = top + height / 2
            if isinstance(name, str):
                found.spaces[name] = Box(left, top, width, height)
            top += height + 2 * GAP
            widest = max(widest, width)
        left += widest
        found.height = max(found.height, top)
    found.width = left + PAD + _room(found, found.nodes)
    return found


def _room(found: Layout, keys: Iterable[int]) -> float:
    """How wide the labels of the edges into these nodes are."""
    return max(
        (cells(said) * SMALL for key in keys for said in found.labels.get(key, ())), default=0
    )


def _pull(
    name: Hashable, pairs: Sequence[tuple[Hashable, Hashable]], before: Mapping[Hashable, float]
) -> tuple[float, str]:
    """Where those stand, on average, that lead there from further left."""
    heights = [before[source] for source, target in pairs if target == name and source in before]
    return (sum(heights) / len(heights) if heights else 0.0, str(name))


def _ordered(
    names: Sequence[Hashable], pairs: Iterable[tuple[Hashable, Hashable]]
) -> list[list[Hashable]]:
    """Columns: each name to the right of those that lead there, as far as there are no circles."""
    into: dict[Hashable, set[Hashable]] = {name: set() for name in names}
    for source, target in pairs:
        if source != target:
            into[target].add(source)
    depth = _depths(names, into)
    _closer(names, into, depth)
    columns: list[list[Hashable]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for name, at in depth.items():
        columns[at].append(name)
    return _wrapped([column for column in columns if column])


def _depths(
    names: Sequence[Hashable], into: Mapping[Hashable, set[Hashable]]
) -> dict[Hashable, int]:
    depth: dict[Hashable, int] = {}
    left = list(names)
    while left:
        free = [name for name in left if into[name] <= depth.keys()]
        # In a circle, whoever waits for the fewest goes first.
        taken = free or [min(left, key=lambda name: len(into[name] - depth.keys()))]
        found = {
            name: max((depth[one] + 1 for one in into[name] if one in depth), default=0)
            for name in taken
        }
        depth |= found
        left = [name for name in left if name not in found]
    return depth


def _closer(
    names: Sequence[Hashable],
    into: Mapping[Hashable, set[Hashable]],
    depth: dict[Hashable, int],
) -> None:
    """Move each as far to the right as it may stand, so that few lines cross a column."""
    out: dict[Hashable, set[Hashable]] = {name: set() for name in names}
    for target, sources in into.items():
        for source in sources:
            out[source].add(target)
    for name in sorted(names, key=lambda name: -depth[name]):
        after = [depth[one] - 1 for one in out[name] if depth[one] > depth[name]]
        if after:
            depth[name] = max(depth[name], min(after))


def _wrapped(columns: list[list[Hashable]]) -> list[list[Hashable]]:
    """No column with more boxes than can be seen at once."""
    return [
        column[start : start + TALLEST]
        for column in columns
        for start in range(0, len(column), TALLEST)
    ]


def _place(
    nodes: Sequence[Node], edges: Sequence[Edge], corner: tuple[float, float], found: Layout
) -> tuple[float, float]:
    """Place the nodes of one box; its width and height."""
    inside = {node.key for node in nodes}
    pairs = [(e.source, e.target) for e in edges if e.source in inside and e.target in inside]
    by_key = {node.key: node for node in nodes}
    framed = bool(nodes[0].space)
    pad, top = (PAD, TITLE + GAP) if framed else (0, 0)
    x, tallest = corner[0] + pad, 0.0
    for number, keys in enumerate(_ordered([node.key for node in nodes], pairs)):
        column = [by_key[key] for key in keys if isinstance(key, int)]
        x += COLUMN + _room(found, (node.key for node in column)) if number else 0
        width = max(width_of(node) for node in column)
        y = corner[1] + top
        for node in column:
            height = max(HEIGHT, LINE * len(found.labels.get(node.key, ())))
            found.nodes[node.key] = Box(x, y, width, height)
            y += height + GAP
        tallest = max(tallest, y - GAP - corner[1])
        x += width
    title = cells(nodes[0].space) * LETTER + 2 * PAD if framed else 0
    return max(x + pad - corner[0], title), tallest + pad


def width_of(node: Node) -> float:
    """How much room the name takes."""
    held = cells(f" {' '.join(node.data)}") + 1 if node.data else 0
    return min(max((cells(node.short) + held) * LETTER + 28, NARROW), WIDE)
