"""How many bytes of bodies may be in memory at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Budget:
    """So many bytes, given out in the order in which they are asked for; of one event loop."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def spending(self, count: int, deadline: float) -> AsyncIterator[None]:
        """Within the block, `count` bytes are taken. Waits until they are there.

        Raises:
            TimeoutError: they were not before the loop's clock showed `deadline`.
        """
        async with asyncio.timeout_at(deadline):
            await self._take(count)
        try:
            yield
        finally:
            self._left += count
            self._grant()

    async def _take(self, count: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((count, turn))
        self._grant()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._left += count
            self._waiting = deque(each for each in self._waiting if each[1] is not turn)
            self._grant()
            raise

    def _grant(self) -> None:
        while self._waiting and self._waiting[0][0] <= self._left:
            count, turn = self._waiting.popleft()
            if not turn.done():
                self._left -= count
                turn.set_result(None)
