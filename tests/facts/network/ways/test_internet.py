"""Who of the internet reaches personal data, by what the pods see of it."""

from __future__ import annotations

import pytest

from auditor.facts import Facts
from auditor.facts.exposure import name_of, others
from auditor.model import Resource, Settings, Snapshot
from tests.facts.network.cluster import pod, policy, resource
from tests.facts.test_data import annotated

from .test_services import service

DATA = annotated(pod("shop/web"), data="pii")
OPEN = "{type: LoadBalancer, ports: [{port: 80, targetPort: 8080}], %s}"


def node(address: str) -> Resource:
    """A node."""
    status = {"addresses": [{"type": "InternalIP", "address": address}, 3, {"type": "Hostname"}]}
    return resource(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": status}
    )


def admitting(*ranges: str) -> Resource:
    """A policy that admits these addresses alone."""
    peers = [{"ipBlock": {"cidr": each}} for each in ranges]
    return policy({"podSelector": {}, "ingress": [{"from": peers}]}, "shop/guard")


def internet(*objects: Resource) -> tuple[list[str], list[str]]:
    """Why the internet reaches the data, and what is in doubt."""
    facts = Facts(Snapshot((DATA, *objects)), Settings())
    found = others(facts, facts.by_key[DATA.ref.key])
    told = [other.why for other in found if name_of(other.peer) == "the internet"]
    return told, [gap.why for gap in facts.gaps.values()]


HIDDEN = "by the addresses of nodes, and those are not known"
THROUGH = "through Service shop/web"
AS_NODES = f"{THROUGH}, which shows clients by the addresses of nodes"


@pytest.mark.parametrize(
    ("fields", "ranges", "why"),
    [
        ("", ("0.0.0.0/0",), [THROUGH]),
        ("", ("10.0.0.0/8",), [AS_NODES]),
        ("externalTrafficPolicy: Local", ("10.0.0.0/8",), []),
        ("externalTrafficPolicy: Local", ("198.41.0.0/24",), [THROUGH]),
        ("", ("10.1.0.0/16",), []),
        ("loadBalancerSourceRanges: [198.41.0.0/24]", ("198.41.0.0/16",), [THROUGH]),
        ("loadBalancerSourceRanges: [198.41.0.0/24]", ("198.42.0.0/16",), []),
        ("loadBalancerSourceRanges: [10.9.0.0/16]", ("0.0.0.0/0",), []),
    ],
)
def test_what_the_pods_see_of_the_internet(
    fields: str, ranges: tuple[str, ...], why: list[str]
) -> None:
    """The addresses of nodes unless the traffic policy is Local; and of those in the ranges of the
    load balancer alone.
    """
    balancer = service(OPEN % fields, "shop/web")
    assert internet(balancer, admitting(*ranges), node("10.0.0.4"))[0] == why


def test_where_the_nodes_are_not_known_it_is_in_doubt() -> None:
    """A range may hold them."""
    balancer = service(OPEN % "", "shop/web")
    told, doubts = internet(balancer, admitting("10.0.0.0/8"))
    assert told == []
    assert any(HIDDEN in why for why in doubts)
    kept = service(OPEN % "externalTrafficPolicy: Local", "shop/web")
    told, doubts = internet(kept, admitting("10.0.0.0/8"))
    assert told == []
    assert not any(HIDDEN in why for why in doubts)
