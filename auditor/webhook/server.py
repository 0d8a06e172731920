"""Serves the webhook over HTTPS. Knows sockets, deadlines and signals; `decide` knows the answer.

Two kinds of failure are kept apart. What we cannot do, for no fault of the request, is an HTTP
error, so that the failurePolicy of the webhook's registration decides. What the object itself
makes impossible is a denial, so that nobody can choose a failurePolicy of Ignore by an object.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.http_parser import HttpRequestParser

from auditor.declared import Admission
from auditor.errors import ClusterError, ConfigError
from auditor.webhook.break_glass import BreakGlass, let_in
from auditor.webhook.certificates import Certificates, Registered, Source, unregistered
from auditor.webhook.court import Court
from auditor.webhook.decide import CannotJudgeError
from auditor.webhook.review import MAX_BYTES, RejectedError
from auditor.webhook.worker import Live, Worker

log = logging.getLogger(__name__)

LONGEST_SECONDS = 10.0
"""For an answer, where the API server does not say; its own default."""
MARGIN_SECONDS = 0.3
"""What an answer needs to travel."""
BODY_SECONDS = 5.0
HANDSHAKE_SECONDS = 3.0
LOOK_SECONDS = 0.1
"""How often to look whether the cluster is read."""
IDLE_SECONDS = 120.0
"""Longer than the API server keeps an idle connection (90 s), so that it is the one to close."""
BYTES_AT_ONCE = 32 * 1024 * 1024
"""Bodies in memory at the same time."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where and how to listen."""

    host: str
    port: int
    """0 for any that is free."""
    pair: Source
    """Where the certificate comes from."""
    registered: Registered = unregistered
    """What the API server was told of us. May wait for it."""
    glass: Callable[[], BreakGlass | None] = lambda: None
    """The broken glass, while it is to let everything in."""
    drain_seconds: float = 12.0
    """How long to go on serving after SIGTERM: the API server needs time to hear of it."""
    refresh_seconds: float = 10.0
    """How often to look whether the certificate changed."""
    first_read_seconds: float = 120.0
    """How long the first lists of a large cluster may take before the start is given up."""
    stuck_seconds: float = 120.0
    """After so long the judgement of one request is taken to have no end. Longer than that of a
    whole large cluster takes, or a restart would only begin it anew.
    """


def serve(court: Court, live: Live, terms: Admission, listener: Listener) -> None:
    """Answer until SIGTERM or SIGINT. The caller has started `live`, and stops it.

    Raises:
        ConfigError: the certificate cannot be used, or the address not be listened on.
        ClusterError: the cluster could not be read in time.
    """
    asyncio.run(_until_told(Webhook(court, live, terms, listener)))


async def _until_told(webhook: Webhook) -> None:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await webhook.start()
    log.info("serving on port %d", webhook.port)
    try:
        await webhook.read(told)
        await told.wait()
    finally:
        await webhook.stop()


class Webhook:
    """The server. Its methods belong to one event loop; judging happens in one other thread.

    Raises:
        ConfigError: the certificate cannot be used.
    """

    def __init__(self, court: Court, live: Live, terms: Admission, listener: Listener) -> None:
        if HttpRequestParser.__module__ != "aiohttp._http_parser":
            raise ConfigError(
                "aiohttp runs without its compiled parser, and the other one is too lenient to "
                "face a network; install aiohttp from a wheel and unset AIOHTTP_NO_EXTENSIONS"
            )
        self._certificates = Certificates(listener.pair, listener.registered)
        self._worker = Worker(court, live, terms)
        self._live = live
        self._listener = listener
        self._server: web.Server | None = None
        self._socket: asyncio.Server | None = None
        self._refresher: asyncio.Task[None] | None = None
        self._bytes = 0
        self._leaving = False
        self.port = 0
        """Where it listens, once started."""

    async def start(self) -> None:
        """Listen.

        Raises:
            ConfigError: the address cannot be listened on.
        """
        host, port = self._listener.host, self._listener.port
        loop = asyncio.get_running_loop()
        self._server = web.Server(
            self._answer,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=1.0,
        )
        try:
            self._socket = await loop.create_server(
                self._server,
                host,
                port,
                ssl=self._certificates.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error}") from error
        self.port = self._socket.sockets[0].getsockname()[1]
        self._refresher = asyncio.create_task(self._refresh())

    async def read(self, told: asyncio.Event) -> None:
        """Wait until the cluster is read, or until somebody told us to end.

        Raises:
            ClusterError: that took too long; the text names the lists that are missing.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._listener.first_read_seconds
        while not self._live.ready and not told.is_set():
            if loop.time() > deadline:
                waited = f"{self._listener.first_read_seconds:g} s"
                missing = ", ".join(self._live.unread)
                raise ClusterError(f"the cluster could not be read within {waited}: no {missing}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), LOOK_SECONDS)

    async def stop(self) -> None:
        """Say that we are leaving, go on serving until everybody has heard, then stop."""
        self._leaving = True
        if self._live.ready:  # or else nobody was ever sent here
            await asyncio.sleep(self._listener.drain_seconds)
        if self._refresher:
            self._refresher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._refresher
        if self._socket:
            self._socket.close()
        if self._server:
            await self._server.shutdown(timeout=LONGEST_SECONDS)
        self._worker.close()

    async def _refresh(self) -> None:
        while True:
            read = self._live.ready  # before, nobody is sent here, and the API server may be silent
            if read:
                await asyncio.to_thread(self._certificates.refresh)
            await asyncio.sleep(self._listener.refresh_seconds if read else LOOK_SECONDS)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._routed(request)
        if self._leaving:
            response.force_close()
        return response

    async def _routed(self, request: web.BaseRequest) -> web.StreamResponse:
        allowed = {"/validate": ("POST",), "/healthz": ("GET", "HEAD"), "/readyz": ("GET", "HEAD")}
        methods = allowed.get(request.path)
        if methods is None:
            return _error(404, "there is /validate, /healthz and /readyz")
        if request.method not in methods:
            response = _error(405, f"use {' or '.join(methods)}")
            response.headers["Allow"] = ", ".join(methods)
            return response
        if why := self._unable(request.path):
            return _error(503, why)
        if request.path != "/validate":
            return web.Response(text="ok\n")
        return _refusal(request) or await self._validate(request)

    def _unable(self, path: str) -> str:
        """Why a request to `path` cannot be answered, empty where it can. A judgement without end
        fails every probe: only a new process judges again.
        """
        if self._worker.busy_seconds() > self._listener.stuck_seconds:
            return "busy: a judgement does not end"
        if path == "/healthz":
            return ""
        if self._leaving and (path == "/readyz" or not self._live.ready):
            return "shutting down"
        if path == "/readyz" and self._certificates.problem:
            return f"the API server does not trust us: {self._certificates.problem}"
        if path == "/readyz":
            return self._live.unready
        return "" if self._live.ready else "the cluster is not read yet"

    async def _validate(self, request: web.BaseRequest) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds(request.query.get("timeout", ""))
        expected = MAX_BYTES if request.content_length is None else request.content_length
        if self._bytes + expected > BYTES_AT_ONCE:
            return _error(503, "busy with other large requests")
        self._bytes += expected
        try:
            body = await _body(request)
            answer = await self._judged(body, deadline)
        except TimeoutError:
            return _error(408, f"the body did not arrive within {BODY_SECONDS:g} s")
        except RejectedError as rejected:
            return _error(rejected.status, str(rejected))
        except CannotJudgeError as unable:
            log.warning("cannot judge: %s", unable)
            return _error(500, str(unable))
        finally:
            self._bytes -= expected
        return web.Response(body=answer, content_type="application/json")

    async def _judged(self, body: bytes, deadline: float) -> bytes:
        glass, answer, why = self._listener.glass(), None, ""
        try:
            answer = await self._worker.answer(body, deadline)
        except CannotJudgeError as unable:
            why = str(unable)
        if glass is not None:
            answer = let_in(body, answer, glass, why)
        if answer is None:
            raise CannotJudgeError(why)
        return answer


async def _body(request: web.BaseRequest) -> bytes:
    chunks, size = [], 0
    async with asyncio.timeout(BODY_SECONDS):
        try:
            async for chunk in request.content.iter_any():
                size += len(chunk)
                if size > MAX_BYTES:
                    raise RejectedError(f"the body has more than {MAX_BYTES} bytes", 413)
                chunks.append(chunk)
        except web.RequestPayloadError as error:
            raise RejectedError("the body is broken") from error
    return b"".join(chunks)


def _refusal(request: web.BaseRequest) -> web.Response | None:
    """What is wrong with a request before a byte of its body is read."""
    if request.content_type != "application/json":
        return _error(415, "send application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return _error(415, "send the body as it is, not compressed")
    if not request.body_exists or request.content_length == 0:
        return _error(400, "the body is empty")
    if (request.content_length or 0) > MAX_BYTES:
        return _error(413, f"the body has more than {MAX_BYTES} bytes")
    return None


def _error(status: int, why: str) -> web.Response:
    response = web.Response(status=status, text=f"{why}\n")
    response.force_close()  # there may be a body that nobody will read
    return response


def seconds(timeout: str) -> float:
    """How long we may take, from the query's ``timeout=3s``, less what the answer needs to travel.

    The API server sends whole seconds and stops waiting after them.
    """
    asked = re.fullmatch(r"(\d{1,2})s", timeout)
    wanted = float(asked[1]) if asked else LONGEST_SECONDS
    return max(min(wanted, LONGEST_SECONDS * 3) - MARGIN_SECONDS, 0.1)
