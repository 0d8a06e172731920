"""Who is judged next: everybody in turn, and not whoever asks most."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import field
from typing import TYPE_CHECKING

from auditor.values import dataclass
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
SHARE = 2 / 3
"""Of the time that is left, for one judgement: what is judged next needs some as well."""
LEAST_SECONDS = 0.1
"""With less than this left, no judgement is begun."""


@dataclass(slots=True, eq=False)
class Ask:
    """A review that waits for its answer."""

    body: bytes
    deadline: float
    """By the clock of the loop."""
    mark: bytes = JUDGE
    """What is asked about it: see `auditor.webhook.marks`."""
    peer: str = ""
    """The address that it came from, where anybody who can connect may ask in anybody's name."""
    who: bytes = field(init=False)
    """Who asks, and for which namespace."""
    abandoned: bool = False
    """Nobody waits for the answer any more."""
    spent: float = 0.0
    """Seconds in which it was being judged, and nothing else was done for it."""
    process: asyncio.Future[Process] = field(init=False)
    """Who will judge it, as soon as one is free."""
    _seconds: float = field(init=False)
    """What there was when it came."""

    def __post_init__(self) -> None:
        self.who = b" from ".join((requester(self.body), self.peer.encode()))
        self._seconds = self.deadline - asyncio.get_running_loop().time()
        self.renew()

    def renew(self) -> None:
        """Wait once more."""
        self.process = asyncio.get_running_loop().create_future()

    @property
    def is_big(self) -> bool:
        """Whether it may take much memory."""
        return len(self.body) > BIG_BYTES

    @property
    def had_its_time(self) -> bool:
        """Whether its own judgement took at least half of what it would have had without a wait:
        only then is it to blame for having none left.
        """
        return self.spent >= self._seconds * SHARE / 2


class Waiting:
    """The reviews that wait, each requester's in their order, the requesters in turn; and so the
    addresses that they come from, where anybody may make up requesters.
    """

    def __init__(self) -> None:
        self._peers: OrderedDict[str, OrderedDict[bytes, deque[Ask]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(line) for lines in self._peers.values() for line in lines.values())

    def add(self, ask: Ask) -> None:
        """Take a place behind one's own."""
        lines = self._peers.setdefault(ask.peer, OrderedDict())
        lines.setdefault(ask.who, deque()).append(ask)

    def drop(self, ask: Ask) -> None:
        """Leave."""
        lines = self._peers.get(ask.peer, OrderedDict())
        line = lines.get(ask.who, deque())
        if ask in line:
            line.remove(ask)
        if not line:
            lines.pop(ask.who, None)
        if not lines:
            self._peers.pop(ask.peer, None)

    def next(self, fits: Callable[[Ask], bool]) -> Ask | None:
        """The next one that fits, which leaves; whoever sent it goes to the end of the row. One
        whose time is up still stands in it until its task runs again, and is nobody to judge.
        """
        for lines in self._peers.values():
            for line in lines.values():
                ask = next((each for each in line if not each.process.done()), None)
                if ask is not None and fits(ask):
                    self._serve(ask)
                    return ask
        return None

    def _serve(self, ask: Ask) -> None:
        self._peers.move_to_end(ask.peer)
        self._peers[ask.peer].move_to_end(ask.who)
        self.drop(ask)


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
