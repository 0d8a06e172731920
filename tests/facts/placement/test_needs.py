"""What a workload needs, told without nodes: the simulated scheduler has to agree on any."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.placement.needs import Needs, needs_of, quantity
from auditor.facts.workloads import workload_of
from auditor.model import Resource, Settings
from tests.facts.placement.world import (
    HOST,
    ZONE,
    affinity,
    cluster,
    evenly,
    near,
    node,
    pods,
    workload,
)


def needs(found: Resource) -> Needs:
    made = workload_of(found)
    assert made
    told = needs_of(made, Settings())
    assert told
    return told


def web(replicas: int, **rest: Any) -> Resource:
    own = {"replicas": replicas}
    return workload("Deployment", "web", own=own, requests={"cpu": "600m"}, **rest)


def all_fit(found: Resource, *nodes: Resource) -> bool:
    """Whether the simulated scheduler finds a node for each pod."""
    return not cluster(*nodes).place(pods(found), 0).unschedulable


APART = affinity("podAntiAffinity", near(HOST, app="web"))
BY_ZONE = affinity("podAntiAffinity", near(ZONE, app="web"))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        pytest.param(
            web(3),
            "schedulable if nodes have room for 3 pods of 0.6 CPU each",
            id="nothing but room",
        ),
        pytest.param(
            web(3, affinity=BY_ZONE),
            "schedulable if at least 3 zones have 0.6 CPU free each",
            id="one in each zone",
        ),
        pytest.param(
            web(6, topologySpreadConstraints=[evenly(ZONE, minDomains=3)]),
            "schedulable if at least 3 zones and every further zone have 1.2 CPU free each"
            " (2 pods of 0.6 CPU)",
            id="evenly over three zones at least",
        ),
        pytest.param(
            web(4, topologySpreadConstraints=[evenly(ZONE)]),
            "schedulable if every zone has room for an even share of 4 pods of 0.6 CPU",
            id="evenly over as many zones as there are",
        ),
        pytest.param(
            web(2, nodeSelector={"disks": "nvme"}),
            "schedulable if nodes have room for 2 pods of 0.6 CPU each, counting only nodes"
            " with disks=nvme",
            id="on some nodes alone",
        ),
        pytest.param(
            web(2, affinity=affinity("podAffinity", near(ZONE, app="db"))),
            "schedulable if nodes have room for 2 pods of 0.6 CPU each; and that zone holds a pod"
            " with app=db",
            id="near the pods of another",
        ),
        pytest.param(
            web(2, affinity=affinity("podAffinity", near(ZONE, app="web"))),
            "schedulable if one zone has 1.2 CPU free",
            id="all together",
        ),
        pytest.param(
            workload("DaemonSet", "agent", requests={"memory": "100Mi"}),
            "schedulable if every node has 100Mi memory free for its pod",
            id="one for each node",
        ),
        pytest.param(
            workload("Deployment", "web"),
            "schedulable if nodes have room for 1 pod",
            id="no request",
        ),
        pytest.param(
            workload("Deployment", "web", own={"replicas": 2}, affinity=BY_ZONE),
            "schedulable if at least 2 zones have room for 1 pod each",
            id="no request, one in each zone",
        ),
    ],
)
def test_the_answer_without_nodes_is_one_sentence(found: Resource, sentence: str) -> None:
    assert needs(found).sentence == sentence


def test_a_preference_decides_nothing() -> None:
    """Only what the scheduler must keep counts."""
    soft = {"preferredDuringSchedulingIgnoredDuringExecution": [
        {"weight": 100, "podAffinityTerm": near(ZONE, app="web")}
    ]}  # fmt: skip
    assert needs(web(3, affinity={"podAntiAffinity": soft})) == needs(web(3))


def zoned(zones: int, each: int, cpu: str = "600m") -> list[Resource]:
    """So many zones with so many nodes of one pod each."""
    return [
        node(f"z{zone}-{number}", {ZONE: f"z{zone}"}, room={"cpu": cpu})
        for zone in range(zones)
        for number in range(each)
    ]


@given(replicas=st.integers(1, 6), key=st.sampled_from((HOST, ZONE)))
def test_pods_that_keep_apart_need_exactly_as_many_domains_as_said(replicas: int, key: str) -> None:
    found = web(replicas, affinity=affinity("podAntiAffinity", near(key, app="web")))
    (domains,) = needs(found).domains
    assert all_fit(found, *zoned(domains.least, domains.pods))
    each = 9 if key == ZONE else 1
    assert not all_fit(found, *zoned(domains.least - 1, each, cpu="9"))


@given(
    replicas=st.integers(1, 8),
    skew=st.integers(1, 3),
    least=st.integers(2, 4),
    further=st.integers(0, 2),
)
def test_pods_spread_over_several_domains_need_what_is_said(
    replicas: int, skew: int, least: int, further: int
) -> None:
    """With it they all fit; in one domain less they do not, whatever room it has."""
    rule = evenly(ZONE, minDomains=least, maxSkew=skew)
    found = web(replicas, topologySpreadConstraints=[rule])
    (domains,) = needs(found).domains
    assert all_fit(found, *zoned(domains.least + further, domains.pods))
    assert not all_fit(found, *zoned(domains.least - 1, 9, cpu="9"))
    full = [node(f"full{n}", {ZONE: f"full{n}"}, room={"cpu": "1m"}) for n in range(further)]
    held_back = not all_fit(found, *zoned(domains.least, domains.pods), *full)
    assert held_back <= domains.every


def test_ports_of_the_node_keep_pods_apart() -> None:
    ports = [{"containerPort": 80, "hostPort": 80}]
    found = web(3, ports=ports)
    assert needs(found).sentence == "schedulable if at least 3 nodes have 0.6 CPU free each"
    assert all_fit(found, *zoned(3, 1))
    assert not all_fit(found, *zoned(2, 1, cpu="4"))


@pytest.mark.parametrize(
    ("name", "amount", "said"),
    [
        ("cpu", 1200, "1.2 CPU"),
        ("cpu", 5, "0.005 CPU"),
        ("memory", 3 * 2**29, "1536Mi memory"),
        ("memory", 1000, "1000 memory"),
        ("example.com/gpu", 2, "2 example.com/gpu"),
    ],
)
def test_amounts_are_written_as_people_do(name: str, amount: int, said: str) -> None:
    assert quantity(name, amount) == said
