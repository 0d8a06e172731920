"""The exact probability that fewer replicas survive than are needed.

Every place is lost with the probability of its level, each by itself; what is in a lost place is
lost. Of one workload that is a polynomial whose coefficients are the probabilities of so many
survivors: q + (1−q)·x^r for a node with r replicas, q + (1−q)·∏ of its places for any other. Of
several workloads at once it is the same in as many variables, which is how a node or rack that they
share counts once. Only sums of positive terms, so that nothing is lost to cancellation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import add, or_
from typing import Any

from auditor.facts.availability.places import LEVELS, Odds, Place
from auditor.values import dataclass

MOST_STATES = 4096
"""As many combinations of survivors are told apart; beyond, only bounds are given."""

Counts = tuple[int, ...]
"""How many of each workload survive, none above what it needs."""


class TooManyStatesError(Exception):
    """So many replicas are needed of so many workloads that no exact answer is made."""


def unavailability(replicas: Iterable[tuple[Place, int]], needed: int, odds: Odds) -> float:
    """The probability that fewer than `needed` survive. Costs O(nodes · needed)."""
    if needed <= 0:
        return 0.0
    return sum(_alone(list(_merged([replicas])), 0, needed, odds))


def _alone(
    places: Sequence[tuple[Place, Counts]], level: int, needed: int, odds: Odds
) -> list[float]:
    """The probabilities of 0, 1 … survivors of these places, which share all above; none from
    `needed` on.
    """
    found = [1.0]
    for name, inside in _grouped(places, level).items():
        lost = odds.of(level) if name else 0.0
        if level == len(LEVELS) - 1:
            ((_, (count,)),) = inside
            survivors = [0.0] * count + [1.0]
        else:
            survivors = _alone(inside, level + 1, needed, odds)
        kept = [(1 - lost) * each for each in survivors]
        kept[0] += lost
        found = _product(found, kept)[:needed]
    return found


def _product(one: list[float], other: list[float]) -> list[float]:
    found = [0.0] * (len(one) + len(other) - 1)
    for j, right in enumerate(other):
        if right:
            for i, left in enumerate(one, j):
                found[i] += left * right
    return found


def joint_unavailability(
    workloads: Sequence[tuple[Iterable[tuple[Place, int]], int]], odds: Odds
) -> float:
    """The probability that any of several workloads has fewer survivors than it needs; each is its
    replicas by place, and how many are needed.

    Raises:
        TooManyStatesError: the answer would take more than `MOST_STATES` combinations.
    """
    needed = tuple(need for _, need in workloads)
    states = 1
    for need in needed:
        states *= need + 1
    if states > MOST_STATES:
        raise TooManyStatesError(f"{states} combinations of survivors, more than {MOST_STATES}")
    rules = _Rules.of(needed)
    places = list(_merged([replicas for replicas, _ in workloads], needed))
    found = _together(places, 0, rules, odds)
    return sum(part for state, part in found.items() if state != rules.full)


@dataclass(frozen=True, slots=True)
class _Rules:
    """How counts of survivors are told and put together. Where one of each is needed, a bit for
    each says all.
    """

    tell: Callable[[Counts], Hashable]
    join: Callable[[Any, Any], Hashable]
    none: Hashable
    full: Hashable

    @classmethod
    def of(cls, needed: Counts) -> _Rules:
        """For workloads of which so many are needed."""
        if all(need == 1 for need in needed):
            return cls(_bits, or_, 0, _bits(needed))

        def join(one: Counts, other: Counts) -> Counts:
            return tuple(map(min, map(add, one, other), needed))

        return cls(tuple, join, (0,) * len(needed), needed)


def _bits(counts: Counts) -> int:
    return sum(1 << index for index, count in enumerate(counts) if count)


def _together(
    places: Sequence[tuple[Place, Counts]], level: int, rules: _Rules, odds: Odds
) -> dict[Hashable, float]:
    found: dict[Hashable, float] = {rules.none: 1.0}
    for name, inside in _grouped(places, level).items():
        lost = odds.of(level) if name else 0.0
        if level == len(LEVELS) - 1:
            below = {rules.tell(inside[0][1]): 1.0}
        else:
            below = _together(inside, level + 1, rules, odds)
        kept = {state: (1 - lost) * part for state, part in below.items()}
        kept[rules.none] = kept.get(rules.none, 0.0) + lost
        found = _joined(found, kept, rules.join)
    return found


def _joined(
    one: Mapping[Hashable, float],
    other: Mapping[Hashable, float],
    join: Callable[[Any, Any], Hashable],
) -> dict[Hashable, float]:
    found: dict[Hashable, float] = {}
    for left, p in one.items():
        for right, q in other.items():
            state = join(left, right)
            found[state] = found.get(state, 0.0) + p * q
    return found


def _merged(
    workloads: Sequence[Iterable[tuple[Place, int]]], needed: Counts | None = None
) -> Iterable[tuple[Place, Counts]]:
    """Each node once, with how many replicas of each workload it has, at most what is needed."""
    found: dict[Place, list[int]] = {}
    for index, replicas in enumerate(workloads):
        for place, count in replicas:
            found.setdefault(place, [0] * len(workloads))[index] += count
    for place, counts in found.items():
        yield place, tuple(map(min, counts, needed)) if needed else tuple(counts)


def _grouped(
    places: Sequence[tuple[Place, Counts]], level: int
) -> Mapping[str, list[tuple[Place, Counts]]]:
    """The places by their name at a level."""
    found: dict[str, list[tuple[Place, Counts]]] = {}
    for each in places:
        found.setdefault(each[0][level], []).append(each)
    return found
