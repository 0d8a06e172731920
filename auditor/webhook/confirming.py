"""Has those that judge confirm what any of them admitted, and tells the races that they find.

Each is told of all admissions and confirms them on its own copy of the cluster: one that ends takes
nothing with it. So a race is found as often as there are processes, and told once.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any

from auditor.serving.metrics import Counter
from auditor.sources.watch.feed import Feed
from auditor.webhook.confirm import ADMITTED_IN_RACE, CONFIRM_SECONDS, MOST
from auditor.webhook.live import Admitted, Live, News
from auditor.webhook.process import NEVER, Process

log = logging.getLogger(__name__)

ONCE_SECONDS = 60.0
"""Within so long, a fault that was told as a race is not told again."""
_NEVER_AT = float("inf")


class Confirming:
    """What each process still has to be told and to confirm. Belongs to one event loop.

    Args:
        clock: that of the loop.
        races: counts them, by the policy.
    """

    def __init__(self, live: Live, clock: Callable[[], float], races: Counter) -> None:
        self._live = live
        self._clock = clock
        self._races = races
        self._count = 0
        self._admitted: deque[Admitted] = deque(maxlen=MOST)
        self._told: dict[str, float] = {}

    def note(self, admitted: Admitted) -> None:
        """A request was let in that policies on more than its object judged."""
        self._count += 1
        self._admitted.append(admitted)

    def needs(self, process: Process) -> bool:
        """Whether it has something to do, also where nothing changed in the cluster."""
        return process.heard != self._count or self._is_due(process)

    def news(self, process: Process, feed: Feed) -> News:
        """What it is told with the changes of the cluster. One that knew nothing yet cannot know
        what was there before.
        """
        missed = 0 if process.revision == NEVER else self._count - process.heard
        first = max(len(self._admitted) - missed, 0)
        admitted = tuple(islice(self._admitted, first, None))
        process.heard = self._count
        if admitted and process.confirm_at == _NEVER_AT:
            process.confirm_at = self._clock() + CONFIRM_SECONDS
        return News(feed, admitted, self._live.believed if self._is_due(process) else None)

    def heard(self, process: Process, said: dict[str, Any]) -> None:
        """Take note of what it says to its news."""
        now = self._clock()
        if not said["waiting"]:
            process.confirm_at = _NEVER_AT
        elif process.confirm_at <= now or process.confirm_at == _NEVER_AT:
            process.confirm_at = now + CONFIRM_SECONDS
        for race in said["races"]:
            self._tell(race, now)

    def _is_due(self, process: Process) -> bool:
        return process.confirm_at <= self._clock()

    def _tell(self, race: dict[str, Any], now: float) -> None:
        fault = race["fingerprint"]
        recent = {fault: at for fault, at in self._told.items() if now - at < ONCE_SECONDS}
        if fault not in recent:
            log.warning(ADMITTED_IN_RACE, extra={"fields": race})
            self._races.add(policy=race["policy"])
        self._told = {**recent, fault: now}
