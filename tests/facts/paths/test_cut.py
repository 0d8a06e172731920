"""The least cut against every smaller one there is, in random graphs."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.facts.paths.cut import least_cut
from auditor.facts.paths.positions import Means, Position
from auditor.facts.paths.search import search

POSITIONS = tuple(Position("subject", f"p{number}") for number in range(6))
STORE = Position("data", "store")
CLIENT = POSITIONS[5]
GOALS = frozenset((STORE, CLIENT))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Means, ...]:
    some = st.lists(st.sampled_from(POSITIONS), min_size=1, max_size=3, unique=True)
    ends = st.lists(st.sampled_from((*POSITIONS, STORE)), min_size=1, max_size=2, unique=True)
    kinds = st.sampled_from(("opens", "opens", "opens", "needed", "approach"))
    found = []
    for _ in range(draw(st.integers(1, 8))):
        kind = draw(kinds)
        found.append(
            Means(
                "api", draw(some), draw(ends), needed=kind == "needed",
                approach=kind == "approach", mend="take it away",
            )
        )  # fmt: skip
    return tuple(found)


def into(means: tuple[Means, ...]) -> dict[Position, list[Means]]:
    found: dict[Position, list[Means]] = {}
    for one in means:
        for target in one.targets:
            found.setdefault(target, []).append(one)
    return found


def closes(means: tuple[Means, ...], gone: frozenset[Means], starts: frozenset[Position]) -> bool:
    """Walked forward from each start, in the plainest way: no path that opens something."""
    seen = {(start, False) for start in starts - GOALS}
    queue = list(seen)
    while queue:
        here, used = queue.pop()
        for one in means:
            if one in gone or here not in one.sources:
                continue
            for target in one.targets:
                if one.approach and target is CLIENT:
                    continue
                after = (target, used or one.opens)
                if target in GOALS:
                    if after[1]:
                        return False
                elif after not in seen:
                    seen.add(after)
                    queue.append(after)
    return True


@given(graphs(), st.sets(st.sampled_from(POSITIONS), min_size=1))
@settings(max_examples=400, deadline=None)
def test_no_smaller_cut_closes_all(means: tuple[Means, ...], begin: set[Position]) -> None:
    starts = frozenset(begin)
    ways = search(into(means), STORE, GOALS)
    cut = least_cut(into(means), ways, starts)

    assert cut.closes
    assert closes(means, frozenset(cut.taken), starts)
    opening = [one for one in means if one.opens]
    for size in range(len(cut.taken)):
        assert not any(closes(means, frozenset(few), starts) for few in combinations(opening, size))


@given(graphs())
@settings(max_examples=400, deadline=None)
def test_a_start_has_a_path_where_one_can_be_walked(means: tuple[Means, ...]) -> None:
    ways = search(into(means), STORE, GOALS)

    for position in POSITIONS[:5]:
        walked = not closes(means, frozenset(), frozenset((position,)))
        assert (ways.path(position) is not None) == walked
