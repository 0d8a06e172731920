"""Pictures of the network: readable with thirty workloads, and text of others is text."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from auditor.reporters.network.dot import dot, mermaid
from auditor.reporters.network.layout import Box, layout
from auditor.reporters.network.picture import Edge, Node, Picture
from auditor.reporters.network.svg import svg


def company(spaces: int = 5, each: int = 6) -> Picture:
    """Thirty workloads, each of which asks the next two."""
    nodes = [
        Node(space * each + number, f"team{space}/service-{number}", f"team{space}", "workload")
        for space in range(spaces)
        for number in range(each)
    ]
    total = len(nodes)
    edges = [
        Edge(key, (key * step + step) % total, "TCP 8080")
        for key in range(total)
        for step in (1, 7)
        if (key * step + step) % total != key
    ]
    return Picture("", nodes, edges)


def apart(one: Box, other: Box) -> bool:
    """Whether two rectangles have nothing in common."""
    return (
        one.right <= other.x
        or other.right <= one.x
        or one.y + one.height <= other.y
        or other.y + other.height <= one.y
    )


@pytest.mark.parametrize(("spaces", "each"), [(1, 1), (1, 30), (5, 6), (30, 1), (12, 10)])
def test_no_two_nodes_and_no_two_boxes_overlap(spaces: int, each: int) -> None:
    """Each node is in the box of its namespace, and all of them are in the picture."""
    picture = company(spaces, each)
    found = layout(picture)
    assert all(apart(*pair) for pair in combinations(found.nodes.values(), 2))
    assert all(apart(*pair) for pair in combinations(found.spaces.values(), 2))
    for node in picture.nodes:
        box, around = found.nodes[node.key], found.spaces[node.space]
        assert around.x <= box.x
        assert box.right <= around.right
        assert around.y <= box.y
        assert box.y + box.height <= around.y + around.height
        assert around.right <= found.width
        assert around.y + around.height <= found.height


def test_a_chain_goes_from_left_to_right() -> None:
    """As connections go."""
    nodes = [Node(n, f"s{n}/a", f"s{n}", "workload") for n in range(4)]
    found = layout(Picture("", nodes, [Edge(n, n + 1, "TCP 1") for n in range(3)]))
    assert all(found.nodes[a].right < found.nodes[b].x for a, b in pairwise(range(4)))


def test_a_circle_has_a_place_too() -> None:
    """Nothing waits for itself."""
    nodes = [Node(n, f"s{n}/a", f"s{n}", "workload") for n in range(3)]
    edges = [Edge(0, 1, "x"), Edge(1, 2, "x"), Edge(2, 0, "x"), Edge(1, 1, "x")]
    assert len(layout(Picture("", nodes, edges)).nodes) == 3


def test_an_empty_picture_is_one() -> None:
    """No node, no line, no error."""
    empty = Picture("")
    assert svg(empty).startswith("<?xml")
    assert dot([empty]).startswith('digraph "network" {')
    assert mermaid([empty]).startswith("flowchart LR\n")


def test_a_long_name_is_cut_and_whole_in_its_title() -> None:
    """No name runs out of its node."""
    name = "a" * 200
    text = svg(Picture("", [Node(0, f"s/{name}", "s", "workload")]))
    assert f"<title>s/{name}</title>" in text
    assert f">{name}<" not in text
    assert "…</text>" in text


def test_several_states_are_several_graphs() -> None:
    """Each with its name."""
    two = [Picture("overlays/prod"), Picture('overlays/"test"')]
    assert 'digraph "overlays/prod" {' in dot(two)
    assert r'digraph "overlays/\"test\"" {' in dot(two)
    assert mermaid(two).count("flowchart LR") == 2
