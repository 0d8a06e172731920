"""The availability of a workload, and of all that a call needs, by where replicas stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from auditor.facts.availability.places import Odds, Places
from auditor.facts.availability.survivors import (
    TooManyStatesError,
    joint_unavailability,
    unavailability,
)
from auditor.values import dataclass

MINUTES_A_YEAR = 365 * 24 * 60

Standing = Mapping[str, int]
"""Node → how many replicas stand there."""


@dataclass(frozen=True, slots=True)
class Availability:
    """How probable it is that too few replicas are there, as long as lost ones are not made anew
    elsewhere.
    """

    unavailability: float
    needed: int
    replicas: int
    odds: Odds
    untold: tuple[str, ...] = ()
    """The levels whose labels are missing on some node: their losses are not counted."""

    @property
    def value(self) -> float:
        """The probability that enough are there."""
        return 1 - self.unavailability

    def __str__(self) -> str:
        share = f"{self.unavailability:.1e}"
        told = f"unavailable {share} (fewer than {self.needed} of {self.replicas}; {self.odds})"
        return f"{told}, {' and '.join(self.untold)} not told" if self.untold else told


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what the unavailability of several workloads together lies."""

    least: float
    most: float

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.least == self.most


def availability_of(
    standing: Standing | Iterable[str], needed: int, places: Places, odds: Odds
) -> Availability:
    """Of a workload whose replicas stand so, of which `needed` have to be there."""
    nodes = standing if isinstance(standing, Mapping) else Counter(standing)
    lost = unavailability(places.of_replicas(nodes), needed, odds)
    return Availability(lost, needed, sum(nodes.values()), odds, places.untold(nodes))


def along_path(workloads: Sequence[tuple[Standing, int]], places: Places, odds: Odds) -> Bounds:
    """How probable it is that a call fails that needs all of these workloads: each as its replicas
    by node, and how many it needs. Exact, places that they share included; where that would take
    too long, the bounds that hold however they share (Fréchet).
    """
    asked = [(list(places.of_replicas(nodes)), needed) for nodes, needed in workloads]
    try:
        exact = joint_unavailability(asked, odds)
    except TooManyStatesError:
        single = [unavailability(replicas, needed, odds) for replicas, needed in asked]
        return Bounds(max(single, default=0.0), min(1.0, sum(single)))
    return Bounds(exact, exact)


def minutes_a_year(unavailable: float) -> float:
    """Minutes of downtime in a year of 365 days."""
    return unavailable * MINUTES_A_YEAR
