"""Every connection, and how long each may take for what it does: no client can hold one for ever,
or keep others out.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter as Counted
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from auditor.serving.metrics import Counter

HEAD_SECONDS = 3.0
"""From the first byte of a request to the end of its head."""
IDLE_SECONDS = 120.0
"""Longer than the API server keeps an idle connection (90 s), so that it is the one to close."""
WRITE_SECONDS = 5.0
"""How long an answer may lie about because nobody reads it."""
LOOK_SECONDS = 0.5
MOST_CONNECTIONS = 512
MOST_REQUESTS = 1000
"""On one connection, give or take a tenth: a client that opens a new one now and then reaches all
replicas in the end."""


class Connection(web.RequestHandler):
    """One connection."""

    __slots__ = ("awaited", "began", "busy", "connections", "left", "peer", "unread_since")

    def __init__(self, connections: Connections, manager: Any, **kwargs: Any) -> None:
        super().__init__(manager, **kwargs)
        self.connections = connections
        self.busy = 0
        """Requests whose answer is under way."""
        self.awaited = False
        """Whether it is the body of one that is still to come."""
        self.peer = ""
        """The address of who asks."""
        self.began: float | None = None
        """When the first byte of a request came whose head is not there yet."""
        self.unread_since: float | None = None
        """Since when the peer leaves bytes of ours unread."""
        self.left = int(MOST_REQUESTS * random.uniform(0.9, 1.1))  # noqa: S311 - no secret
        """Requests until it is closed."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        super().connection_made(transport)
        self.peer = str((transport.get_extra_info("peername") or ("",))[0])
        self.connections.join(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """See asyncio."""
        super().connection_lost(exc)
        self.connections.leave(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if data and not self.busy and self.began is None:
            self.began = self._loop.time()
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002 - aiohttp's parameters
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What cannot be read as HTTP, in our words: aiohttp would repeat what was sent."""
        if isinstance(exc, LineTooLong):
            status, message = 431, "a line of the head is too long"
        elif status == 400:
            message = "this is no HTTP request"
        response = web.Response(status=status, text=f"{message or 'the server failed'}\n")
        response.force_close()
        return response

    def abort(self, why: str) -> None:
        """Close it at once."""
        self.connections.closed.add(why=why)
        if self.transport is not None:
            self.transport.abort()
        self.force_close()

    def overdue(self, now: float) -> str:
        """What takes too long, empty where nothing does."""
        transport = self.transport
        if transport is None or not transport.get_write_buffer_size():
            self.unread_since = None
        elif self.unread_since is None:
            self.unread_since = now
        elif now - self.unread_since > WRITE_SECONDS:
            return "answer not read"
        if not self.busy and self.began is not None and now - self.began > HEAD_SECONDS:
            return "head not sent"
        return ""


class Connections:
    """All of them. To be handed to `asyncio.loop.create_server`."""

    def __init__(
        self,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        closed: Counter,
        most: int = MOST_CONNECTIONS,
    ) -> None:
        self._answer = answer
        self._most = most
        self._open: dict[Connection, None] = {}
        """The one that has been idle longest comes first."""
        self.closed = closed
        self._server = web.Server(self._served, handler_cancellation=True)
        self._sweeper: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    def __call__(self) -> Connection:
        """A new one."""
        loop = asyncio.get_running_loop()
        if self._sweeper is None:
            self._sweeper = loop.create_task(self._sweep())
        return Connection(
            self,
            self._server,
            loop=loop,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=1.0,
        )

    async def shutdown(self, seconds: float) -> None:
        """Close all, after the answers that are under way, but for those that take longer."""
        if self._sweeper:
            self._sweeper.cancel()
        await self._server.shutdown(timeout=seconds)

    def join(self, connection: Connection) -> None:
        """One more. Where there is no room, one is closed of the address that has most: the one
        that has been idle longest or, where all ask, whose body has not come for longest.
        """
        if len(self._open) >= self._most:
            counts = Counted(each.peer for each in self._open)
            idle = [each for each in self._open if not each.busy]
            slow = [each for each in self._open if each.busy and each.awaited]
            most = max((*idle, *slow), key=lambda each: counts[each.peer], default=connection)
            most.abort("too many")
        if connection.transport is not None:
            self._open[connection] = None

    def leave(self, connection: Connection) -> None:
        """One less."""
        self._open.pop(connection, None)

    async def _served(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.busy += 1
        connection.began = None
        connection.awaited = True
        try:
            response = await self._answer(request)
        finally:
            connection.busy -= 1
            connection.awaited = False
            if self._open.pop(connection, self) is None:  # not the one that is idle longest
                self._open[connection] = None
        connection.left -= 1
        if connection.left <= 0:
            response.force_close()
        return response

    async def _sweep(self) -> None:
        """Close those that take too long. aiohttp itself closes the ones that are only idle."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for connection in tuple(self._open):
                if why := connection.overdue(loop.time()):
                    connection.abort(why)
