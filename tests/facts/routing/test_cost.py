"""Milliseconds and money, from what somebody declared."""

from __future__ import annotations

import pytest

from auditor.declared import Latency
from auditor.facts.placement import Node, Topology
from auditor.facts.placement.topology import Level
from auditor.facts.routing import (
    Endpoint,
    Endpoints,
    Load,
    Traffic,
    latency_of,
    load_of,
    price_a_month,
)

TRIPS = Latency(node=0.05, rack=0.1, zone=0.3, region=1.0, beyond=80.0)


def node(name: str) -> Node:
    """A node ``region-zone-rack-number``."""
    region, zone, rack, _ = name.split("-")
    labels = {"topology.kubernetes.io/zone": zone, "topology.kubernetes.io/region": region}
    return Node(name, labels if region else {}, zone=zone or None, rack=rack or None)


NAMES = ("eu-a-r-1", "eu-a-r-2", "eu-a-s-1", "eu-b-r-1", "us-c-r-1", "---1")
TOPOLOGY = Topology(tuple(map(node, NAMES)))


def load(client: str, *instances: str) -> Load:
    """Requests from one node to one instance on each of others."""
    found = tuple(Endpoint(name, name) for name in instances)
    return load_of({client: 1.0}, Endpoints(found, Traffic()), TOPOLOGY)


@pytest.mark.parametrize(
    ("instance", "milliseconds"),
    [
        ("eu-a-r-1", 0.05),
        ("eu-a-r-2", 0.1),
        ("eu-a-s-1", 0.3),
        ("eu-b-r-1", 1.0),
        ("us-c-r-1", 80.0),
    ],
)
def test_a_request_takes_what_its_way_takes(instance: str, milliseconds: float) -> None:
    """By the smallest place that both ends share."""
    assert latency_of(load("eu-a-r-1", instance), TRIPS) == pytest.approx(milliseconds)


def test_several_instances_are_asked_alike() -> None:
    """One in the rack, one in another region: half of each."""
    found = load("eu-a-r-1", "eu-a-r-2", "us-c-r-1")
    assert found.levels == {Level.RACK: 0.5, Level.BEYOND: 0.5}
    assert latency_of(found, TRIPS) == pytest.approx(40.05)


def test_what_labels_do_not_tell_has_no_number() -> None:
    """Neither milliseconds nor money."""
    found = load("eu-a-r-1", "---1")
    assert latency_of(found, TRIPS) is None
    assert price_a_month(found, 100, 1000, 0.01) is None


def test_money_is_paid_between_zones() -> None:
    """100 requests a second of 10 kB for 30 days are 2,592 GB; two thirds of them cross, and 0.01
    is paid in each direction's sum of 0.02.
    """
    found = load("eu-a-r-1", "eu-a-r-2", "eu-b-r-1", "us-c-r-1")
    assert found.cross_zone == pytest.approx(2 / 3)
    assert price_a_month(found, 100, 10_000, 0.02) == pytest.approx(2592 * 2 / 3 * 0.02)
