"""Before and after in numbers: hops of each call, and how often a workload is unavailable together
with what it asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean

from auditor.facts import Facts
from auditor.facts.availability import Odds, Places, along_path
from auditor.facts.placement.needed import needed
from auditor.model import Key

Edge = tuple[Key, Key]
"""Who asks, and who is asked."""
Where = Mapping[Key, Mapping[str, int]]
"""How many pods of each workload stand on each node."""

ASSUMED = Odds(node=2e-3, rack=5e-4, zone=1e-4, region=0.0)
"""Whatever the user declares: the order of magnitude of a first year of 1,800 servers (Dean 2008),
as parts of the time. They only weigh one placement against another."""


def hops(facts: Facts, wheres: Iterable[Where], edges: Sequence[Edge]) -> Mapping[str, float]:
    """The mean number of hops of each edge whose ends stand where the labels tell, over all of the
    placements: one alone may be luck. An instance is asked as often as any other.
    """
    told: dict[Edge, list[float]] = {}
    for where in wheres:
        for edge in edges:
            mean = _mean(facts, where, edge)
            if mean is not None:
                told.setdefault(edge, []).append(mean)
    return {_arrow(facts, edge): round(fmean(means), 3) for edge, means in told.items()}


def _mean(facts: Facts, where: Where, edge: Edge) -> float | None:
    """The hops of one edge in one placement; None where they are not known."""
    askers, asked = (where.get(end, {}) for end in edge)
    pairs = [
        (facts.topology.hops(a, b), n * m) for a, n in askers.items() for b, m in asked.items()
    ]
    total = sum(number for _, number in pairs)
    if not total or any(each is None for each, _ in pairs):
        return None
    return sum((each or 0) * number for each, number in pairs) / total


def _arrow(facts: Facts, edge: Edge) -> str:
    return f"{_name(facts, edge[0])} → {_name(facts, edge[1])}"


def unavailability(
    facts: Facts, where: Where, keys: Iterable[Key], edges: Sequence[Edge]
) -> Mapping[str, float]:
    """For each of these workloads, the part of the time in which it or something that it asks has
    fewer replicas than it needs: at the most, where it cannot be reckoned exactly.
    """
    places = Places.of(facts.topology)
    found = {}
    for key in keys:
        path = [each for each in (key, *_asked(edges, key)) if each in facts.by_key]
        calls = [(where.get(each, {}), needed(facts, facts.by_key[each]).count) for each in path]
        if calls and all(nodes for nodes, _ in calls):
            found[_name(facts, key)] = along_path(calls, places, ASSUMED).most
    return found


def edges_of(facts: Facts) -> tuple[Edge, ...]:
    """Who asks whom, of all that is known."""
    return tuple(
        (need.client.ref.key, need.target.ref.key)
        for needs in facts.needs.values()
        for need in needs
    )


def _asked(edges: Sequence[Edge], key: Key) -> Iterator[Key]:
    yield from dict.fromkeys(target for client, target in edges if client == key != target)


def _name(facts: Facts, key: Key) -> str:
    workload = facts.by_key.get(key)
    return workload.name if workload else f"{key[2]}/{key[3]}"
