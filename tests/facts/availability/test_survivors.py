"""The exact probability of too few survivors, against a published example and every combination."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.availability import Odds
from auditor.facts.availability.places import Place
from auditor.facts.availability.survivors import (
    MOST_STATES,
    TooManyStatesError,
    joint_unavailability,
    unavailability,
)

ODDS = Odds(node=2e-3, rack=5e-4, zone=1e-4, region=0)
Replicas = list[tuple[Place, int]]


def at(*nodes: str) -> Replicas:
    """One replica on each node ``zone/rack/node``."""
    return [(("", *name.split("/")), 1) for name in nodes]


ONE_NODE = [(("", "a", "r1", "n1"), 3)]
ONE_RACK = at("a/r1/n1", "a/r1/n2", "a/r1/n3")
ONE_ZONE = at("a/r1/n1", "a/r2/n2", "a/r3/n3")
THREE_ZONES = at("a/r1/n1", "b/r2/n2", "c/r3/n3")


@pytest.mark.parametrize(
    ("replicas", "one", "two"),
    [
        (ONE_NODE, 2.6e-3, 2.6e-3),
        (ONE_RACK, 6.0e-4, 6.1e-4),
        (ONE_ZONE, 1.0e-4, 1.2e-4),
        (THREE_ZONES, 1.8e-8, 2.0e-5),
    ],
)
def test_three_replicas_of_which_one_or_two_are_needed(
    replicas: Replicas, one: float, two: float
) -> None:
    """The figures of another program for the same odds, to its two digits."""
    assert float(f"{unavailability(replicas, 1, ODDS):.1e}") == one
    assert float(f"{unavailability(replicas, 2, ODDS):.1e}") == two


ZONES, RACKS, NODES = ("", "a", "b"), ("", "r1", "r2"), ("n1", "n2", "n3")
PLACES = st.builds(
    lambda zone, rack, node: ("", zone, rack, f"{zone}{rack}{node}"),
    st.sampled_from(ZONES),
    st.sampled_from(RACKS),
    st.sampled_from(NODES),
)
STANDING = st.dictionaries(PLACES, st.integers(1, 3), min_size=1, max_size=4)
PROBABILITY = st.floats(0, 0.9)
SOME_ODDS = st.builds(Odds, PROBABILITY, PROBABILITY, PROBABILITY, PROBABILITY)


def losable(place: Place) -> Iterator[tuple[int, Place]]:
    """The places that hold it and can be lost, each with its level."""
    for level, name in enumerate(place):
        if name:
            yield level, place[: level + 1]


def enumerated(workloads: Sequence[tuple[Replicas, int]], odds: Odds) -> float:
    """Every combination of lost places, one after the other."""
    every = sorted({each for standing, _ in workloads for p, _ in standing for each in losable(p)})
    failing = 0.0
    for lost in itertools.product((False, True), repeat=len(every)):
        gone = {each for each, is_lost in zip(every, lost, strict=True) if is_lost}
        part = 1.0
        for level, place in every:
            part *= odds.of(level) if (level, place) in gone else 1 - odds.of(level)
        alive = [
            sum(count for place, count in standing if gone.isdisjoint(losable(place))) >= needed
            for standing, needed in workloads
        ]
        failing += part * (not all(alive))
    return failing


@settings(max_examples=60, deadline=None)
@given(STANDING, st.integers(0, 6), SOME_ODDS)
def test_one_workload_is_as_every_combination_says(
    standing: dict[Place, int], needed: int, odds: Odds
) -> None:
    """Not one way to lose replicas is forgotten or counted twice."""
    replicas = list(standing.items())
    expected = enumerated([(replicas, needed)], odds)
    assert unavailability(replicas, needed, odds) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@settings(max_examples=40, deadline=None)
@given(STANDING, STANDING, st.integers(1, 3), st.integers(1, 3), SOME_ODDS)
def test_a_path_is_as_every_combination_says(
    one: dict[Place, int], two: dict[Place, int], first: int, second: int, odds: Odds
) -> None:
    """A place that both share counts once."""
    workloads = [(list(one.items()), first), (list(two.items()), second)]
    expected = enumerated(workloads, odds)
    assert joint_unavailability(workloads, odds) == pytest.approx(expected, rel=1e-9, abs=1e-15)


@given(STANDING, st.integers(1, 4), SOME_ODDS)
@settings(max_examples=40, deadline=None)
def test_a_path_of_one_is_the_workload(standing: dict[Place, int], needed: int, odds: Odds) -> None:
    """Both ways to reckon agree."""
    replicas = list(standing.items())
    alone = unavailability(replicas, needed, odds)
    assert joint_unavailability([(replicas, needed)], odds) == pytest.approx(alone, rel=1e-9)


def test_sharing_a_rack_fails_together_less_often_than_apart() -> None:
    """Two services that are needed both are lost with one rack instead of either of two."""
    together = joint_unavailability([(at("a/r1/n1"), 1), (at("a/r1/n2"), 1)], ODDS)
    apart = joint_unavailability([(at("a/r1/n1"), 1), (at("a/r2/n2"), 1)], ODDS)
    assert apart - together == pytest.approx(ODDS.rack, rel=0.01)


def test_what_would_take_too_long_is_refused() -> None:
    """No answer that never comes."""
    many = [(at("a/r1/n1"), 9)] * 5
    assert MOST_STATES < 10**5
    with pytest.raises(TooManyStatesError, match="100000 combinations"):
        joint_unavailability(many, ODDS)
