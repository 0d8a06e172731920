"""What is said of availability, with its odds."""

from __future__ import annotations

from collections import Counter

import pytest

from auditor.declared import Priors
from auditor.facts.availability import (
    Odds,
    Places,
    along_path,
    availability_of,
    minutes_a_year,
)
from auditor.facts.placement import Node, Topology
from auditor.model import Settings

ODDS = Odds(node=2e-3, rack=5e-4, zone=1e-4, region=1e-5)
REGION = "topology.kubernetes.io/region"


def node(name: str, zone: str = "", rack: str = "", region: str = "") -> Node:
    """A node with what labels tell of its place."""
    labels = {REGION: region} if region else {}
    return Node(name, labels, zone=zone or None, rack=rack or None)


PLACES = Places.of(
    Topology(
        (
            node("a1", "a", "r1", "eu"),
            node("a2", "a", "r2", "eu"),
            node("b1", "b", "r1", "eu"),
            node("c1", "c", "r1", "us"),
            node("bare"),
        )
    )
)


def test_the_odds_are_said_with_every_answer() -> None:
    """Nobody can take the number for measured."""
    told = str(availability_of(["a1", "b1"], 1, PLACES, ODDS))
    assert told.startswith("unavailable 1.7e-05 (fewer than 1 of 2; ")
    assert "odds of a loss: region 1e-05, zone 0.0001, rack 0.0005, node 0.002" in told
    assert "not told" not in told


def test_odds_that_nobody_declared_are_called_assumed() -> None:
    """And those that somebody declared are not."""
    assert str(Odds.of_settings(Settings())).startswith("assumed odds of a loss: region")
    given = Settings(priors=Priors(node=0.1, rack=0.2, zone=0.3, region=0.4))
    told = str(Odds.of_settings(given))
    assert told == "odds of a loss: region 0.4, zone 0.3, rack 0.2, node 0.1"


def test_a_place_that_no_label_tells_is_named() -> None:
    """Its loss is not counted, and that is said."""
    answer = availability_of(Counter(["bare"]), 1, PLACES, ODDS)
    assert answer.unavailability == pytest.approx(ODDS.node)
    assert answer.untold == ("region", "zone", "rack")
    assert str(answer).endswith("region and zone and rack not told")


def test_racks_of_one_name_in_two_zones_are_two() -> None:
    """r1 of zone a and r1 of zone b are not lost together."""
    same = availability_of(["a1", "b1"], 1, PLACES, ODDS).unavailability
    assert same < ODDS.rack / 10


@pytest.mark.parametrize(
    ("nodes", "shared"),
    [
        (["a1"], ("eu", "a", "r1", "a1")),
        (["a1", "a2"], ("eu", "a")),
        (["a1", "b1"], ("eu",)),
        (["a1", "c1"], ()),
        (["a1", "bare"], ()),
    ],
)
def test_the_smallest_place_that_holds_all(nodes: list[str], shared: tuple[str, ...]) -> None:
    """From the region down; nothing where there is none."""
    assert PLACES.shared(nodes) == shared


def test_a_path_that_would_take_too_long_has_bounds() -> None:
    """The exact answer lies between the worst of its parts and their sum."""
    six = [(Counter({"a1": 8, "b1": 8}), 8)] * 6
    found = along_path(six, PLACES, ODDS)
    alone = availability_of({"a1": 8, "b1": 8}, 8, PLACES, ODDS).unavailability
    assert found.least == pytest.approx(alone)
    assert found.most == pytest.approx(6 * alone)
    assert not found.exact


def test_minutes() -> None:
    """One hundredth of a year of 365 days."""
    assert minutes_a_year(0.01) == pytest.approx(5256)
