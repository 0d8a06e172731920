"""How requests fall on instances: against the formulae, and against counting every pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.placement import Node, Topology
from auditor.facts.placement.topology import Level
from auditor.facts.routing import Endpoint, Endpoints, Load, Traffic, load_of
from auditor.facts.routing.instances import hinted
from auditor.facts.routing.load import LINKS
from auditor.facts.routing.what_if import Near

ZONE = "topology.kubernetes.io/zone"


def node(name: str) -> Node:
    """A node ``zone-rack-number``; without a zone where that is empty."""
    zone, rack, _ = name.split("-")
    labels = {ZONE: zone} if zone else {}
    return Node(name, labels, zone=zone or None, rack=rack or None)


NAMES = [f"{zone}-{rack}-{n}" for zone in "abc" for rack in "rs" for n in "12"]
UNLABELLED = ["-r-1", "-r-2", "a--1", "--1", "--2"]
TOPOLOGY = Topology(tuple(map(node, NAMES)))


def instances(nodes: Sequence[str], traffic: Traffic) -> tuple[Endpoint, ...]:
    """One on each of these nodes, with the hints of the controller."""
    found = [Endpoint(f"{name}#{i}", name, name.split("-")[0]) for i, name in enumerate(nodes)]
    return hinted(found, traffic)


def measured(clients: Sequence[str], nodes: Sequence[str], distribution: str = "") -> Load:
    """The load of these clients."""
    traffic = Traffic(distribution)
    endpoints = Endpoints(instances(nodes, traffic), traffic)
    return load_of({name: float(n) for name, n in Counter(clients).items()}, endpoints, TOPOLOGY)


NODES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=9)
KINDS = st.sampled_from(["", "PreferSameZone", "PreferSameNode"])


@settings(deadline=None)
@given(NODES, NODES, KINDS)
def test_every_pair_counted_one_by_one_says_the_same(
    clients: list[str], nodes: list[str], distribution: str
) -> None:
    """Hops, zones and shares."""
    load = measured(clients, nodes, distribution)
    traffic = Traffic(distribution)
    endpoints = Endpoints(instances(nodes, traffic), traffic)
    hops, crossing, shares = 0.0, 0.0, dict.fromkeys((each.name for each in endpoints.ready), 0.0)
    for client in clients:
        reached = endpoints.for_client(client, client.split("-")[0])
        for each in reached:
            part = 1 / len(reached) / len(clients)
            hops += part * (TOPOLOGY.hops(client, each.node) or 0)
            crossing += part * (client.split("-")[0] != each.zone)
            shares[each.name] += part
    assert load.hops == pytest.approx(hops)
    assert load.cross_zone == pytest.approx(crossing)
    assert all(load.shares[name] == pytest.approx(part) for name, part in shares.items())
    assert sum(load.shares.values()) == pytest.approx(1)
    assert load.worst == pytest.approx(len(nodes) * max(shares.values()))


ANYWHERE = st.lists(st.sampled_from([*NAMES, *UNLABELLED]), min_size=1, max_size=9)


@settings(deadline=None)
@given(ANYWHERE, ANYWHERE, st.booleans())
def test_labels_may_be_missing_anywhere(clients: list[str], nodes: list[str], zoned: bool) -> None:
    """Each pair is as far apart as the topology says, or untold where it does not; in a cluster
    with zones as well as in one without.
    """
    names = [*NAMES, *UNLABELLED] if zoned else [*UNLABELLED]
    topology = Topology(tuple(map(node, names)))
    endpoints = Endpoints(instances(nodes, Traffic()), Traffic())
    asking = {name: float(count) for name, count in Counter(clients).items()}
    load = load_of(asking, endpoints, topology)
    pairs = Counter(topology.hops(a, b) for a in clients for b in nodes)
    expected = {hops: count / len(clients) / len(nodes) for hops, count in pairs.items()}
    assert load.untold == pytest.approx(expected.pop(None, 0))
    assert all(
        load.levels.get(_level(hops), 0) == pytest.approx(expected[hops]) for hops in expected
    )
    assert sum(load.levels.values()) + load.untold == pytest.approx(1)


def _level(hops: int | None) -> Level:
    """The level of these links, in one region."""
    return next(level for level, links in LINKS.items() if links == hops)


@settings(deadline=None)
@given(NODES, NODES)
def test_traffic_kept_near_is_reckoned_by_zones(clients: list[str], nodes: list[str]) -> None:
    """What it would be says the same as what it is with the field."""
    near = measured(clients, nodes, "PreferSameZone")
    a, b = (Counter(name.split("-")[0] for name in each) for each in (clients, nodes))
    reckoned = Near({zone: float(n) for zone, n in a.items()}, b)
    assert reckoned.load == pytest.approx(near.worst)
    assert reckoned.crossing == pytest.approx(near.cross_zone)


@settings(deadline=None)
@given(NODES, NODES)
def test_the_formulae_of_zones(clients: list[str], nodes: list[str]) -> None:
    """P = 1 − Σ a_z·b_z without hints; with them ρ_z = a_z / b_z wherever each zone with clients
    has an instance.
    """
    a = Counter(name.split("-")[0] for name in clients)
    b = Counter(name.split("-")[0] for name in nodes)
    total, size = len(clients), len(nodes)
    expected = 1 - sum(a[zone] * b[zone] for zone in a) / total / size
    assert measured(clients, nodes).cross_zone == pytest.approx(expected)
    if set(a) <= set(b):
        near = measured(clients, nodes, "PreferSameZone")
        assert near.cross_zone == pytest.approx(0)
        for zone in b:
            assert near.zones[zone] == pytest.approx((a[zone] / total) / (b[zone] / size))


def test_two_of_three_requests_cross_three_even_zones() -> None:
    """The figure that everybody quotes."""
    three = ["a-r-1", "b-r-1", "c-r-1"]
    assert measured(three, three).cross_zone == pytest.approx(2 / 3)
    assert measured(three, three, "PreferSameZone").hops == 0


def test_what_labels_do_not_tell_is_not_guessed() -> None:
    """A node without a zone, in a cluster that has zones."""
    nowhere = node("--1")
    topology = Topology((*TOPOLOGY.nodes, nowhere))
    endpoints = Endpoints(instances(["a-r-1"], Traffic()), Traffic())
    load = load_of({"--1": 1.0, "a-r-2": 1.0}, endpoints, topology)
    assert load.hops is None
    assert load.cross_zone is None
    assert load.levels == {Level.RACK: 0.5}
    assert load.untold == 0.5


def test_hops_are_the_links_of_the_topology() -> None:
    """One scale for placement and routing."""
    found = {TOPOLOGY.hops("a-r-1", other) for other in ("a-r-1", "a-r-2", "a-s-1", "b-r-1")}
    assert found == set(LINKS.values())


def test_clients_without_an_instance_are_counted_apart() -> None:
    """Half of them get no answer; the hops are those of the others."""
    traffic = Traffic(internal_local=True)
    endpoints = Endpoints(instances(["a-r-1"], traffic), traffic)
    load = load_of({"a-r-1": 1.0, "b-r-1": 1.0}, endpoints, TOPOLOGY)
    assert load.unanswered == 0.5
    assert load.hops == 0
