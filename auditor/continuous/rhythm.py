"""When to audit again: soon after the cluster has changed, not while it is still changing, and not
too often. Told times; knows no clock.
"""

from __future__ import annotations

from typing import Generic, TypeVar

S = TypeVar("S")

SETTLED_SECONDS = 2.0
"""A change that nothing follows for so long is over: a rollout writes several objects a second."""


class Rhythm(Generic[S]):
    """Says when. A state is anything that is equal as long as nothing has changed.

    Args:
        interval: seconds from the end of one audit to the start of the next, at least. What goes
            on changing is audited after so long all the same.
    """

    def __init__(self, interval: float, settled: float = SETTLED_SECONDS) -> None:
        self._interval = interval
        self._settled = settled
        self._audited: S | None = None
        self._ended = float("-inf")
        self._seen: S | None = None
        self._first = self._latest = 0.0
        """When the oldest change came that was not audited, and the newest."""

    def due(self, state: S, now: float) -> bool:
        """Whether it is time to audit `state`."""
        self._note(state, now)
        if self._audited is None:
            return True
        if state == self._audited or now - self._ended < self._interval:
            return False
        return now - self._latest >= self._settled or now - self._first >= self._interval

    def audited(self, state: S, now: float) -> None:
        """An audit of `state` has just ended, well or not."""
        self._audited, self._ended = state, now

    @property
    def unaudited_since(self) -> float | None:
        """When the oldest change came that was not audited to its end; None where there is none."""
        return self._first if self._seen != self._audited else None

    def _note(self, state: S, now: float) -> None:
        if state == self._seen:
            return
        if self._seen == self._audited:
            self._first = now
        self._seen, self._latest = state, now
