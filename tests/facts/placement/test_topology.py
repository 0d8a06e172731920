"""Nodes, racks and zones, and how far apart nodes are."""

from __future__ import annotations

import pytest

from auditor.facts.placement import Topology
from auditor.facts.placement.topology import Level
from auditor.model import Settings, Snapshot
from tests.facts.placement.world import RACK, ZONE, node, thing

FULL = (
    node("a", {RACK: "r1", ZONE: "z1"}),
    node("b", {RACK: "r1", ZONE: "z1"}),
    node("c", {RACK: "r2", ZONE: "z1"}),
    node("d", {RACK: "r1", ZONE: "z2"}),
    node("lost", {ZONE: "z1"}),
)


@pytest.mark.parametrize(
    ("other", "hops"),
    [
        pytest.param("a", 0, id="the same node"),
        pytest.param("b", 2, id="the same rack"),
        pytest.param("c", 4, id="the same zone"),
        pytest.param("d", 6, id="a rack of the same name in another zone"),
        pytest.param("lost", None, id="a node in no rack that we know"),
        pytest.param("gone", None, id="a node that does not exist"),
    ],
)
def test_nodes_are_as_far_apart_as_their_labels_say(other: str, hops: int | None) -> None:
    """Distance is told in links of a fat tree, and not guessed."""
    topology = Topology.from_snapshot(Snapshot(FULL), Settings())
    assert topology.hops("a", other) == hops
    assert topology.hops(other, "a") == hops


def test_without_zones_the_cluster_is_one_zone() -> None:
    """Racks alone are enough to tell near from far."""
    nodes = (node("a", {RACK: "r1"}), node("b", {RACK: "r2"}))
    assert Topology.from_snapshot(Snapshot(nodes), Settings()).hops("a", "b") == 4


def test_without_racks_nothing_inside_a_zone_is_known() -> None:
    """Two nodes of a zone may share a rack or not."""
    nodes = (node("a", {ZONE: "z1"}), node("b", {ZONE: "z1"}), node("c", {ZONE: "z2"}))
    topology = Topology.from_snapshot(Snapshot(nodes), Settings())
    assert (topology.hops("a", "b"), topology.hops("a", "c")) == (None, 6)


def test_users_name_the_label_of_racks() -> None:
    """There is no standard rack label, so that the settings name it."""
    nodes = (node("a", {"example.com/rack": "x"}),)
    topology = Topology.from_snapshot(Snapshot(nodes), Settings(rack_label="example.com/rack"))
    assert topology.nodes[0].rack == "x"


def test_a_node_offers_its_capacity_where_nothing_is_reserved() -> None:
    """The API server copies the capacity where no allocatable is written."""
    found = thing("Node", "a", status={"capacity": {"cpu": "2", "pods": "5"}})
    (only,) = Topology.from_snapshot(Snapshot((found,)), Settings()).nodes
    assert only.allocatable == {"cpu": 2000, "pods": 5}


REGION = "topology.kubernetes.io/region"


@pytest.mark.parametrize(
    ("other", "level"),
    [
        pytest.param("a", Level.NODE, id="the same node"),
        pytest.param("b", Level.RACK, id="the same rack"),
        pytest.param("c", Level.ZONE, id="the same zone"),
        pytest.param("d", Level.REGION, id="the same region, with a rack of the same name"),
        pytest.param("e", Level.BEYOND, id="another region, with a zone of the same name"),
        pytest.param("f", None, id="a node that names no region among some that do"),
        pytest.param("g", None, id="a node of the zone that names no rack"),
        pytest.param("gone", None, id="a node that does not exist"),
    ],
)
def test_two_nodes_share_the_nearest_place_that_their_labels_tell(
    other: str, level: Level | None
) -> None:
    """What is not told is not guessed."""
    north = {REGION: "north"}
    nodes = (
        node("a", {RACK: "r1", ZONE: "z1", **north}),
        node("b", {RACK: "r1", ZONE: "z1", **north}),
        node("c", {RACK: "r2", ZONE: "z1", **north}),
        node("d", {RACK: "r1", ZONE: "z2", **north}),
        node("e", {RACK: "r1", ZONE: "z1", REGION: "south"}),
        node("f", {RACK: "r1", ZONE: "z1"}),
        node("g", {ZONE: "z1", **north}),
    )
    topology = Topology.from_snapshot(Snapshot(nodes), Settings())
    assert topology.level("a", other) is level
    assert topology.level(other, "a") is level


def test_what_no_node_names_there_is_once_or_not_at_all() -> None:
    """A cluster without regions is one region; one without racks has none."""
    nodes = (node("a", {ZONE: "z1"}), node("b", {ZONE: "z1"}), node("c", {ZONE: "z2"}))
    topology = Topology.from_snapshot(Snapshot(nodes), Settings())
    assert topology.level("a", "b") is Level.ZONE
    assert topology.level("a", "c") is Level.REGION
