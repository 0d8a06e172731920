"""The map of a cluster: places, nodes, what is on them, and how far calls go."""

from __future__ import annotations

import pytest

from auditor.declared import Latency
from auditor.facts.placement.topology import Level
from auditor.facts.scenarios.cluster import Cluster
from auditor.facts.scenarios.plan import Plan, plan
from auditor.model import Resource
from tests.facts.placement.world import RACK, ZONE, node
from tests.facts.scenarios.world import apps, cluster, running, service

NODES = (
    node("a", {ZONE: "z1", RACK: "r1"}),
    node("b", {ZONE: "z1", RACK: "r2"}),
    node("c", {ZONE: "z2", RACK: "r3"}),
)


def drawn(found: Cluster) -> Plan:
    return plan(found, found.groups)


def test_nodes_are_in_their_racks_and_zones() -> None:
    """A level that no node tells is left out."""
    found = drawn(cluster(*NODES))
    assert [place.title for place in found.places] == ["zone z1", "zone z2"]
    assert [place.title for place in found.places[0].places] == ["rack r1", "rack r2"]
    (bare,) = drawn(cluster(node("x"), node("y"))).places
    assert bare.level is Level.BEYOND
    assert [spot.node.name for spot in bare.spots] == ["x", "y"]


def test_a_node_that_tells_no_zone_is_in_none() -> None:
    found = drawn(cluster(*NODES, node("lost")))
    assert [place.title for place in found.places] == ["no zone told", "zone z1", "zone z2"]


def test_what_is_asked_of_a_node_is_counted() -> None:
    requests = {"cpu": "500m", "memory": "1Gi"}
    found = drawn(cluster(*NODES, *running(apps("web", 3, requests=requests), "a", "a", "b")))
    (spot,) = found.places[0].places[0].spots
    assert spot.room == ("CPU 1 of 4", "memory 2Gi of 8Gi", "pods 2 of 10")
    (here,) = spot.here
    assert (here.pods, here.ready) == (2, 2)


def test_pods_without_a_node_say_why() -> None:
    """In the words of the scheduler that refused them."""
    found = cluster(*NODES, *running(apps("web", 2), "a", ""))
    (group,) = found.groups
    assert group.waiting == (("shop/web-live-1", "0/1 nodes are available"),)
    assert found.live


def calls(found: Plan) -> dict[tuple[str, str], tuple[float | None, int, int, str]]:
    names = [group.ref.name for group in found.groups]
    return {
        (names[c.source], names[c.target]): (c.hops, c.least, c.most, c.level) for c in found.calls
    }


def caller(replicas: int, *nodes: str) -> list[Resource]:
    template = apps("web", replicas)
    container = template.manifest["spec"]["template"]["spec"]["containers"][0]
    container["env"] = [{"name": "API", "value": "http://api:80"}]
    return [*running(template, *nodes)]


@pytest.mark.parametrize(
    ("clients", "targets", "told"),
    [
        pytest.param("a", "a", (0, 0, 0, "node"), id="on one node"),
        pytest.param("a", "b", (4, 4, 4, "zone"), id="in one zone"),
        pytest.param("a", "c", (6, 6, 6, "region"), id="in another zone"),
        pytest.param("a", "ab", (2, 0, 4, "zone"), id="near and far alike"),
        pytest.param("ac", "ac", (3, 0, 6, "region"), id="each asks both"),
    ],
)
def test_calls_go_as_far_as_their_pods_are_apart(
    clients: str, targets: str, told: tuple[float, int, int, str]
) -> None:
    """On average over all pairs, since every pod asks every endpoint alike."""
    api = running(apps("api", len(targets), "StatefulSet"), *targets)
    found = drawn(cluster(*NODES, *caller(len(clients), *clients), *api, service("api")))
    assert calls(found) == {("web", "api"): told}


def test_milliseconds_are_told_where_they_are_declared() -> None:
    api = running(apps("api", 2, "StatefulSet"), "a", "c")
    objects = (*NODES, *caller(1, "a"), *api, service("api"))
    (call,) = drawn(cluster(*objects)).calls
    assert call.milliseconds is None
    latency = Latency(node=0.1, rack=0.2, zone=0.5, region=1.5, beyond=40)
    (call,) = drawn(cluster(*objects, latency=latency)).calls
    assert call.milliseconds == pytest.approx((0.1 + 1.5) / 2)


def test_where_labels_do_not_tell_no_distance_is_guessed() -> None:
    nodes = (node("a", {RACK: "r1"}), node("b"))
    api = running(apps("api", 1, "StatefulSet"), "b")
    (call,) = drawn(cluster(*nodes, *caller(1, "a"), *api, service("api"))).calls
    assert call.hops is None


def test_without_nodes_each_workload_says_what_it_needs() -> None:
    found = drawn(cluster(apps("web", 2, requests={"cpu": "1"})))
    assert not found.places
    assert found.needs == {0: "schedulable if nodes have room for 2 pods of 1 CPU each"}
