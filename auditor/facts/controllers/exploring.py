"""Follows every order in which things can happen."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from auditor.values import dataclass

MOST_STATES = 60_000
"""So many states of one step are explored; beyond them nothing is said to be certain."""

S = TypeVar("S", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Explored(Generic[S]):
    """All that can become of some states."""

    quiet: frozenset[S]
    """The states in which nothing happens any more."""
    seen: frozenset[S]
    whole: bool
    """Whether all states were looked at."""


def explored(
    starts: Iterable[S], following: Callable[[S], Iterable[S]], most: int = MOST_STATES
) -> Explored[S]:
    """Everything that can be reached. Costs one call of `following` a state, of `most` at most."""
    seen = set(starts)
    waiting, quiet = list(seen), set()
    while waiting and len(seen) < most:
        state = waiting.pop()
        after = set(following(state))
        if not after:
            quiet.add(state)
        fresh = after - seen
        seen |= fresh
        waiting += fresh
    return Explored(frozenset(quiet), frozenset(seen), not waiting)
