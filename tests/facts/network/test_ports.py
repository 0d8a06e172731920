"""Sets of ports."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.network import PortSet

NUMBERS = [1, 2, 3, 4, 5, 80, 65534, 65535]

some_ports = st.builds(
    lambda tcp, udp, whole: PortSet(
        tuple((min(a, b), max(a, b)) for a, b in tcp), tuple((n, n) for n in udp)
    ).union(PortSet.span("SCTP") if whole else PortSet.NONE),
    st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS)), max_size=4),
    st.lists(st.sampled_from(NUMBERS), max_size=4),
    st.booleans(),
)


def pairs(ports: PortSet) -> set[tuple[str, int]]:
    """What is in it among the numbers of interest."""
    return {(p, n) for p in ("TCP", "UDP", "SCTP") for n in NUMBERS if ports.contains(p, n)}


@settings(max_examples=200, database=None, deadline=None)
@given(some_ports, some_ports)
def test_it_is_a_set(one: PortSet, other: PortSet) -> None:
    """Union, intersection and difference are those of sets of pairs."""
    assert pairs(one | other) == pairs(one) | pairs(other)
    assert pairs(one & other) == pairs(one) & pairs(other)
    assert pairs(one - other) == pairs(one) - pairs(other)
    assert one.covers(other) == (one | other == one)


@settings(max_examples=100, database=None, deadline=None)
@given(some_ports, some_ports)
def test_equal_sets_are_equal_values(one: PortSet, other: PortSet) -> None:
    """However a set came to be, it has one form."""
    assert (one - other) | (one & other) == one
    assert one.complement().complement() == one
    assert hash(one | other) == hash(other | one)
    assert not one - PortSet.ALL
    assert one - PortSet.NONE == one


def test_touching_intervals_are_one() -> None:
    """1-4 and 5-9 are 1-9."""
    assert PortSet(((5, 9), (1, 4))) == PortSet.span("TCP", 1, 9)


def test_what_is_no_port_number_is_left_out() -> None:
    """0 and 65536 are no ports."""
    assert PortSet.of("TCP", 0, 65536, -1) == PortSet.NONE
    assert PortSet.span("TCP", 65000, 99999) == PortSet.span("TCP", 65000, 65535)


def test_a_protocol_of_which_policies_do_not_speak_is_refused() -> None:
    """ICMP has no ports."""
    with pytest.raises(KeyError):
        PortSet.of("ICMP", 1)
    assert list(PortSet.ALL.numbers("ICMP")) == []


def test_only_the_empty_set_is_false() -> None:
    """Truth of a set is that something is in it."""
    assert not PortSet.NONE
    assert PortSet.NONE.empty
    assert PortSet.of("UDP", 53)


def test_numbers_of_a_protocol_are_a_collection() -> None:
    """They can be asked, walked through and counted."""
    numbers = (PortSet.of("TCP", 80) | PortSet.span("TCP", 8080, 8082)).numbers("TCP")
    assert 8081 in numbers
    assert 8083 not in numbers
    assert list(numbers) == [80, 8080, 8081, 8082]
    assert len(numbers) == 4


@pytest.mark.parametrize(
    ("ports", "text"),
    [
        (PortSet.NONE, "no port"),
        (PortSet.ALL, "every port"),
        (PortSet.of("TCP", 8080) | PortSet.of("UDP", 53), "TCP 8080, UDP 53"),
        (PortSet.of("TCP", 443, 80) | PortSet.span("TCP", 90, 99), "TCP 80, 90-99, 443"),
        (PortSet.span("TCP"), "every TCP port"),
        (PortSet.span("TCP") | PortSet.span("UDP"), "every TCP port, every UDP port"),
        (PortSet.ALL - PortSet.of("TCP", 9090), "every port but TCP 9090"),
    ],
)
def test_it_reads_as_people_say_it(ports: PortSet, text: str) -> None:
    """The shorter of what is inside and what is missing is told."""
    assert str(ports) == text


def test_a_few_ports_of_a_closed_protocol_are_named_themselves() -> None:
    """What is left of a protocol is said by what it has where that is less than what it lacks."""
    few = PortSet(((9090, 9090), (15020, 15021)), PortSet.ALL.udp, PortSet.ALL.sctp)
    assert str(few) == "TCP 9090, 15020-15021, every UDP port, every SCTP port"
    assert str(PortSet.ALL - PortSet.of("TCP", 80)) == "every port but TCP 80"
