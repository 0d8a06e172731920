"""Notes that this replica answers; and where none did for a while, has judged what came in.

Knows times and the heartbeat; what is found, `outage` knows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol

from auditor.sources.cluster import RefusedError
from auditor.webhook.outage import BEAT_SECONDS, outage

log = logging.getLogger(__name__)


class Beats(Protocol):
    """Where signs of life are kept: `auditor.sources.heartbeat.Heartbeat`."""

    def last(self) -> datetime | None:
        """When a replica gave the last one; None where none ever did."""

    def beat(self, now: datetime, holder: str) -> None:
        """Give one."""


def _now() -> datetime:
    return datetime.now(UTC)


class Attendance:
    """Gives signs of life, in a thread of its own between `start` and `stop`, or tick by tick.

    Args:
        beats: where they are kept.
        holder: the name of this replica.
        ready: whether this replica answers.
        judge: told since when no replica did; runs in the same thread.
    """

    def __init__(
        self,
        beats: Beats,
        holder: str,
        ready: Callable[[], bool],
        judge: Callable[[datetime], None],
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._beats, self._holder = beats, holder
        self._ready, self._judge = ready, judge
        self._clock = clock
        self._mine: datetime | None = None
        self._mute = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._attend, name="attendance", daemon=True)

    def tick(self) -> None:
        """One sign of life, where this replica answers. What came in since the last one of any is
        judged before: a replica that ends over that leaves it to the next.
        """
        if not self._ready():
            return
        try:
            if outage(self._mine, self._clock()) or self._mine is None:
                self._catch_up()
            now = self._clock()
            self._beats.beat(now, self._holder)
        except RefusedError as refused:
            self._complain(refused)
            return
        self._mine, self._mute = now, False

    def _catch_up(self) -> None:
        since = outage(self._beats.last(), self._clock())
        if since:
            log.warning("no replica answered since %s", since.isoformat(timespec="seconds"))
            self._judge(since)

    def _complain(self, refused: RefusedError) -> None:
        if not self._mute:
            log.warning("no sign of life can be given: %s", refused)
        self._mute = True

    def _attend(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except Exception as error:  # noqa: BLE001 - whatever broke, the next sign is given
                log.error("judging what came in broke down (%s)", type(error).__name__)  # noqa: TRY400 - values are secret
                self._mine = self._clock()
            self._stopping.wait(BEAT_SECONDS if self._mine else 1.0)

    def __enter__(self) -> Attendance:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give no more signs. A judgement under way ends with the process."""
        self._stopping.set()
        self._thread.join(1.0)
