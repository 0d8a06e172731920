"""How many bytes of bodies may be in memory at once, and who may have them: no address can keep the
others out by bodies that do not come.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

HURRIED_SECONDS = 0.5
"""So long a body may take to come where another address waits for its room."""


class Room:
    """What one body takes, or waits for."""

    def __init__(self, count: int, peer: str) -> None:
        self.count, self.peer = count, peer
        self.granted = asyncio.get_running_loop().create_future()
        self._hurried = False
        self._timeout: asyncio.Timeout | None = None
        self._began = 0.0

    @asynccontextmanager
    async def coming(self, seconds: float) -> AsyncIterator[None]:
        """Within the block, the body comes.

        Raises:
            TimeoutError: it took longer than so many seconds, or than others can wait.
        """
        self._began = asyncio.get_running_loop().time()
        most = min(seconds, HURRIED_SECONDS) if self._hurried else seconds
        async with asyncio.timeout_at(self._began + most) as timeout:
            self._timeout = timeout
            try:
                yield
            finally:
                self._timeout = None

    def hurry(self) -> None:
        """Somebody else waits for it."""
        self._hurried = True
        if self._timeout and not self._timeout.expired():
            most = self._began + HURRIED_SECONDS
            self._timeout.reschedule(min(self._timeout.when() or most, most))


class Budget:
    """So many bytes, of one event loop. Of the addresses that wait, the one that has least under
    way is next, or wants least; and of what has not come yet, none has more than half.
    """

    def __init__(self, most: int) -> None:
        self._left = most
        self._share = most // 2
        self._coming: dict[Room, None] = {}
        self._waiting: dict[str, deque[Room]] = {}

    @asynccontextmanager
    async def spending(self, count: int, deadline: float, peer: str = "") -> AsyncIterator[Room]:
        """Within the block, `count` bytes are taken for a body from the address `peer`; `arrived`
        is to be called once it is there. Waits until there is room.

        Raises:
            TimeoutError: there was none before the loop's clock showed `deadline`.
        """
        room = Room(count, peer)
        async with asyncio.timeout_at(deadline):
            await self._take(room)
        try:
            yield room
        finally:
            self._give_back(room)

    def arrived(self, room: Room) -> None:
        """Its body is there, or will never be."""
        self._coming.pop(room, None)
        self._grant()

    def _give_back(self, room: Room) -> None:
        self._left += room.count
        self.arrived(room)

    async def _take(self, room: Room) -> None:
        self._waiting.setdefault(room.peer, deque()).append(room)
        self._grant()
        try:
            await room.granted
        except asyncio.CancelledError:
            if room.granted.done() and not room.granted.cancelled():
                self._give_back(room)
            else:
                self._leave(room)
                self._grant()
            raise

    def _grant(self) -> None:
        under_way = Counter[str]()
        for each in self._coming:
            under_way[each.peer] += each.count
        while room := self._next(under_way):
            self._leave(room)
            self._left -= room.count
            self._coming[room] = None
            under_way[room.peer] += room.count
            room.granted.set_result(None)
        for each in self._coming:
            if self._waiting.keys() - {each.peer}:
                each.hurry()

    def _next(self, under_way: Counter[str]) -> Room | None:
        """Who may have it now. None overtakes: what is large would wait for ever."""
        lines = self._waiting.values()
        firsts = (next((r for r in line if not r.granted.done()), None) for line in lines)
        room = min(filter(None, firsts), key=lambda r: (under_way[r.peer], r.count), default=None)
        if room is None or room.count > self._left:
            return None
        return room if under_way[room.peer] + room.count <= self._share else None

    def _leave(self, room: Room) -> None:
        line = self._waiting[room.peer]
        line.remove(room)
        if not line:
            del self._waiting[room.peer]
