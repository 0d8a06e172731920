"""Serves what a continuous audit tells over plain HTTP, from a thread of its own: probes and
Prometheus are answered while an audit goes on. Nothing can be told to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

from aiohttp import web

from auditor.continuous.numbers import Numbers
from auditor.errors import ConfigError
from auditor.serving.answers import GET, misplaced, numbers, probed
from auditor.serving.connections import Connections

T = TypeVar("T")

PATHS = dict.fromkeys(("/metrics", "/healthz", "/readyz"), GET)
MOST_CONNECTIONS = 64
STOP_SECONDS = 2.0


@contextlib.contextmanager
def serving(numbers: Numbers, host: str, port: int) -> Iterator[int]:
    """Serve within the block; the port, which was asked for or, for 0, is any that is free.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=_turning, args=(loop,), name="serving", daemon=True)
    thread.start()
    try:
        server, connections = _done(loop, _listening(numbers, host, port))
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            _done(loop, _stopped(server, connections))
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_SECONDS)


def _turning(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop until it is stopped, and leave nothing of it."""
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def _done(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(work, loop).result()


async def _listening(numbers: Numbers, host: str, port: int) -> tuple[asyncio.Server, Connections]:
    connections = Connections(_Answers(numbers).answer, numbers.closed, MOST_CONNECTIONS)
    try:
        server = await asyncio.get_running_loop().create_server(connections, host, port)
    except OSError as error:
        raise ConfigError(f"cannot listen on {host}:{port}: {error}") from error
    return server, connections


async def _stopped(server: asyncio.Server, connections: Connections) -> None:
    server.close()
    await connections.shutdown(STOP_SECONDS)


class _Answers:
    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What is asked for, or why not."""
        if (wrong := misplaced(request, PATHS)) is not None:
            return wrong
        if request.path == "/metrics":
            return numbers(self._numbers.text())
        return probed(self._numbers.unready if request.path == "/readyz" else "")
