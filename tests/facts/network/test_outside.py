"""The internet as policies see it: somebody for each set of addresses that they tell apart."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.facts.network import World
from auditor.facts.network.outside import is_private

from .cluster import find, network, pod, policy


def admitted(*blocks: Any) -> bool:
    """Whether anybody on the internet is let in to a pod whose one rule has these blocks."""
    peers = [{"ipBlock": block} for block in blocks]
    net = network(pod("b"), policy({"podSelector": {}, "ingress": [{"from": peers}]}))
    b = find(net, "default/b")
    return any(net.reach(world, b).ports for world in net.outside(b))


@pytest.mark.parametrize(
    ("block", "reached"),
    [
        ({"cidr": "0.0.0.0/0"}, True),
        ({"cidr": "64.0.0.0/2"}, True),
        ({"cidr": "8.8.8.8/32"}, True),
        ({"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}, True),
        ({"cidr": "0.0.0.0/0", "except": ["0.0.0.0/1", "128.0.0.0/1"]}, False),
        ({"cidr": "0.0.0.0/0", "except": ["0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3"]}, False),
        ({"cidr": "10.0.0.0/7"}, True),
        ({"cidr": "10.0.0.0/8"}, False),
        ({"cidr": "192.0.0.0/23", "except": ["192.0.1.0/24"]}, False),
        ({"cidr": "172.16.0.0/12"}, False),
        ({"cidr": "100.64.0.0/10"}, False),
        ({"cidr": "127.0.0.0/8"}, False),
        ({"cidr": "169.254.0.0/16"}, False),
        ({"cidr": "203.0.113.0/24"}, False),
        ({"cidr": "224.0.0.0/4"}, False),
        ({"cidr": "::/0"}, True),
        ({"cidr": "2600::/16"}, True),
        ({"cidr": "2001:db8::/32"}, False),
        ({"cidr": "fd00::/8"}, False),
        ({"cidr": "fe80::/10"}, False),
    ],
)
def test_a_block_lets_the_internet_in_where_it_holds_a_public_address(
    block: Any, reached: bool
) -> None:
    """In whatever part of the address space; RFC 6890 says which are not public."""
    assert admitted(block) is reached


def test_without_blocks_the_internet_is_all_alike() -> None:
    """One question is enough."""
    net = network(pod("b"))
    (world,) = net.outside(find(net, "default/b"))
    assert ip_address(world.address).is_global


def test_every_set_of_addresses_is_asked() -> None:
    """Two rules that admit to different ports make three kinds of strangers."""
    rules = [
        {"from": [{"ipBlock": {"cidr": "64.0.0.0/2"}}], "ports": [{"port": 80}]},
        {"from": [{"ipBlock": {"cidr": "96.0.0.0/3"}}], "ports": [{"port": 81}]},
    ]
    net = network(pod("b"), policy({"podSelector": {}, "ingress": rules}))
    b = find(net, "default/b")
    found = {str(net.reach(world, b).ports) for world in net.outside(b)}
    assert found == {"no port", "TCP 80", "TCP 80-81"}


@given(
    st.lists(
        st.integers(0, 2**32 - 1).flatmap(
            lambda number: st.integers(1, 32).map(
                lambda bits: ip_network((number, bits), strict=False)
            )
        ),
        max_size=6,
    ),
    st.integers(0, 2**32 - 1),
)
def test_nobody_on_the_internet_is_overlooked(blocks: Any, number: int) -> None:
    """Whoever is let in has somebody of his kind among those who are asked."""
    rules = [
        {"from": [{"ipBlock": {"cidr": str(block)}}], "ports": [{"port": port}]}
        for port, block in enumerate(blocks, 1)
    ]
    net = network(pod("b"), policy({"podSelector": {}, "ingress": rules}))
    b = find(net, "default/b")
    address = ip_address(number)
    if not address.is_global or address.is_multicast or address in ip_network("192.0.0.0/24"):
        return
    reached = net.reach(World(str(address)), b).ports
    assert reached in [net.reach(world, b).ports for world in net.outside(b)]


def test_private_is_what_lies_wholly_in_a_network_of_ones_own() -> None:
    """A range that goes beyond is not private."""
    assert is_private(ip_network("10.1.0.0/16"))
    assert not is_private(ip_network("0.0.0.0/0"))
    assert not is_private(ip_network("10.0.0.0/7"))
