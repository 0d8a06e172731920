"""Who is judged next: everybody in turn, and not whoever asks most."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.webhook.marks import JUDGE
from auditor.webhook.review import requester

if TYPE_CHECKING:
    from auditor.webhook.process import Process

BIG_BYTES = 256 * 1024
"""From here on a body may become a hundred times as large in memory: one is judged at a time."""
STRIKE_SECONDS = 60.0
"""How long it is remembered that somebody's object ended an evaluator."""
STRIKES = 2
"""So many of them, and whoever sent the objects is judged apart. One may be chance."""
MOST_REMEMBERED = 1000


@dataclass(slots=True, eq=False)
class Ask:
    """A review that waits for its answer."""

    body: bytes
    deadline: float
    """By the clock of the loop."""
    mark: bytes = JUDGE
    """What is asked about it: see `auditor.webhook.marks`."""
    who: bytes = b""
    """Who asks, and for which namespace."""
    abandoned: bool = False
    """Nobody waits for the answer any more."""
    process: asyncio.Future[Process] = field(init=False)
    """Who will judge it, as soon as one is free."""

    def __post_init__(self) -> None:
        self.who = requester(self.body)
        self.renew()

    def renew(self) -> None:
        """Wait once more."""
        self.process = asyncio.get_running_loop().create_future()

    @property
    def is_big(self) -> bool:
        """Whether it may take much memory."""
        return len(self.body) > BIG_BYTES


class Waiting:
    """The reviews that wait, each requester's in their order, the requesters in turn."""

    def __init__(self) -> None:
        self._lines: OrderedDict[bytes, deque[Ask]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def add(self, ask: Ask) -> None:
        """Take a place behind one's own."""
        self._lines.setdefault(ask.who, deque()).append(ask)

    def drop(self, ask: Ask) -> None:
        """Leave."""
        line = self._lines.get(ask.who, deque())
        if ask in line:
            line.remove(ask)
        if not line:
            self._lines.pop(ask.who, None)

    def next(self, fits: Callable[[Ask], bool]) -> Ask | None:
        """The next one that fits, which leaves; whoever sent it goes to the end of the row. One
        whose time is up still stands in it until its task runs again, and is nobody to judge.
        """
        for who, line in self._lines.items():
            ask = next((each for each in line if not each.process.done()), None)
            if ask is not None and fits(ask):
                line.remove(ask)
                self._lines.move_to_end(who)
                if not line:
                    del self._lines[who]
                return ask
        return None


class Strikes:
    """Whose objects ended evaluators of late."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._times: OrderedDict[bytes, deque[float]] = OrderedDict()

    def add(self, who: bytes, count: int = 1) -> None:
        """An object of theirs did."""
        times = self._times.setdefault(who, deque(maxlen=STRIKES))
        times.extend([self._clock()] * count)
        self._times.move_to_end(who)
        if len(self._times) > MOST_REMEMBERED:
            self._times.popitem(last=False)

    def out(self, who: bytes) -> bool:
        """Whether it happened so often that they are judged apart from all others."""
        times = self._times.get(who)
        if times is None:
            return False
        if times[-1] + STRIKE_SECONDS < self._clock():
            del self._times[who]
            return False
        return len(times) >= STRIKES and times[0] + STRIKE_SECONDS >= self._clock()
