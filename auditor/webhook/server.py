"""Serves the webhook over HTTPS. Knows HTTP, deadlines and signals; the evaluators know the answer.

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
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from aiohttp import HttpVersion11, web
from aiohttp.http_parser import HttpRequestParser

from auditor.declared import Mode
from auditor.errors import ClusterError, ConfigError
from auditor.serving.answers import GET, error, misplaced, numbers, probed
from auditor.serving.connections import MOST_CONNECTIONS, Connection, Connections
from auditor.serving.metrics import Labels
from auditor.values import dataclass
from auditor.webhook.break_glass import BreakGlass, let_in
from auditor.webhook.budget import Budget, Room
from auditor.webhook.certificates import Certificates, Registered, Source, unregistered
from auditor.webhook.clients import Clients
from auditor.webhook.decide import CannotJudgeError, undecidable
from auditor.webhook.evaluators import Evaluators, Staff
from auditor.webhook.live import Live
from auditor.webhook.marks import JUDGE, MUTATE
from auditor.webhook.metrics import Metrics
from auditor.webhook.plan import Plan
from auditor.webhook.process import Outcome
from auditor.webhook.review import (
    MAX_BYTES,
    Decision,
    RejectedError,
    UndecidableError,
    encode,
    glance,
)
from auditor.webhook.waiting import BIG_BYTES

log = logging.getLogger(__name__)

LONGEST_SECONDS = 10.0
"""For an answer, where the API server does not say; its own default."""
MARGIN_SECONDS = 0.3
"""What an answer needs to travel."""
BODY_SECONDS = 5.0
HANDSHAKE_SECONDS = 3.0
LOOK_SECONDS = 0.1
"""How often to look whether the cluster is read."""
LARGE_BYTES = 24 * 1024 * 1024
"""Of bodies from `BIG_BYTES` on, in memory at the same time."""
SMALL_BYTES = 8 * 1024 * 1024
"""Of all others: few large objects, which anybody may send, must not hold up everybody."""
MARKS = {"/validate": JUDGE, "/mutate": MUTATE}
PATHS: Mapping[str, tuple[str, ...]] = {
    "/validate": ("POST",),
    "/mutate": ("POST",),
    "/healthz": GET,
    "/readyz": GET,
    "/metrics": GET,
}


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
    unmended: Callable[[], BreakGlass | None] = lambda: None
    """And the one whose time is over, and that nobody ended."""
    answers: Callable[[bool], None] = lambda _: None
    """Told again and again whether requests are judged here."""
    clients: Clients | None = None
    """Who may ask; None for anybody who can connect."""
    drain_seconds: float = 12.0
    """How long to go on serving after SIGTERM: the API server needs time to hear of it."""
    refresh_seconds: float = 10.0
    """How often to look whether the certificate changed."""
    first_read_seconds: float = 120.0
    """How long the first lists of a large cluster may take before the start is given up."""
    most_connections: int = MOST_CONNECTIONS


def serve(
    plan: Plan, live: Live, listener: Listener, staff: Staff, metrics: Metrics | None = None
) -> None:
    """Answer until SIGTERM or SIGINT. The caller has started `live`, and stops it.

    Raises:
        ConfigError: the certificate cannot be used, the address not be listened on, or there is no
            policy to ask.
        ClusterError: the cluster could not be read in time.
    """
    asyncio.run(_until_told(Webhook(plan, live, listener, staff, metrics)))


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
    """The server. Its methods belong to one event loop; judging happens in other processes.

    Raises:
        ConfigError: see `serve`.
    """

    def __init__(
        self,
        plan: Plan,
        live: Live,
        listener: Listener,
        staff: Staff,
        metrics: Metrics | None = None,
    ) -> None:
        if HttpRequestParser.__module__ != "aiohttp._http_parser":
            raise ConfigError(
                "aiohttp runs without its compiled parser, and the other one is too lenient to "
                "face a network; install aiohttp from a wheel and unset AIOHTTP_NO_EXTENSIONS"
            )
        self._plan = plan.checked()
        self._clients = listener.clients
        self._certificates = Certificates(
            listener.pair,
            listener.registered,
            listener.clients.demand if listener.clients else _nothing_more,
        )
        self._live = live
        self._listener = listener
        self._staff = staff
        self._metrics = metrics or Metrics()
        self._paths = {p: m for p, m in PATHS.items() if p != "/mutate" or plan.terms.mutate}
        """What is offered; nothing is added to objects unless the configuration wants it."""
        self._large, self._small = Budget(LARGE_BYTES), Budget(SMALL_BYTES)
        self._notes = (("policy-digest", plan.digest),)
        self._connections: Connections | None = None
        self._socket: asyncio.Server | None = None
        self._refresher: asyncio.Task[None] | None = None
        self._leaving = False
        self.evaluators: Evaluators | None = None
        """Who judge, once started."""
        self.port = 0
        """Where it listens, once started."""

    async def start(self) -> None:
        """Listen, and begin to start the evaluators.

        Raises:
            ConfigError: the address cannot be listened on.
        """
        host, port = self._listener.host, self._listener.port
        loop = asyncio.get_running_loop()
        self._connections = Connections(
            self._answer, self._metrics.connections, self._listener.most_connections
        )
        try:
            self._socket = await loop.create_server(
                self._connections,
                host,
                port,
                ssl=self._certificates.context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS,
            )
        except OSError as error:
            raise ConfigError(f"cannot listen on {host}:{port}: {error}") from error
        self.port = self._socket.sockets[0].getsockname()[1]
        self._refresher = asyncio.create_task(self._refresh())
        self.evaluators = Evaluators(self._plan, self._live, self._staff, self._metrics)
        self.evaluators.start()
        self._show(self.evaluators, self._connections)

    def _show(self, evaluators: Evaluators, connections: Connections) -> None:
        """Tell the numbers that are only looked up when somebody asks."""
        name = "auditor_webhook"

        def resident() -> dict[Labels, float]:
            return {(("evaluator", str(n)),): b for n, b in enumerate(evaluators.figures())}

        gauge = self._metrics.gauge
        gauge(f"{name}_evaluator_bytes", "Memory of each evaluator.", resident)
        gauge(f"{name}_ready", "1 where requests are judged.", lambda: {(): not self._unready()})
        gauge(f"{name}_connections", "Open connections.", lambda: {(): len(connections)})
        gauge(f"{name}_waiting", "Reviews that wait.", lambda: {(): evaluators.waiting})
        digest: Labels = (("digest", self._plan.digest),)
        gauge(f"{name}_policies", "Policies that are asked.", lambda: {digest: self._asked})
        self._show_surroundings()

    def _show_surroundings(self) -> None:
        """The numbers of what serving depends on."""
        gauge, name, own = self._metrics.gauge, "auditor_webhook", self._certificates
        expiry = "When the certificate that is served expires, in seconds since the epoch."
        gauge(f"{name}_certificate_expiry_seconds", expiry, lambda: {(): own.not_after})
        refused = "New certificates that were left aside."
        gauge(f"{name}_certificates_refused_total", refused, lambda: {(): own.refused})
        glass = "1 while the glass is broken: everything is let in."
        is_broken = self._listener.glass
        gauge(f"{name}_break_glass", glass, lambda: {(): is_broken() is not None})
        over = "1 while failurePolicy is still Ignore after a break-glass whose time is over."
        is_over = self._listener.unmended
        gauge(f"{name}_break_glass_unmended", over, lambda: {(): is_over() is not None})
        heard = "Since the API server was last heard of, by kind."
        gauge(f"{name}_unheard_seconds", heard, self._ages)

    def _ages(self) -> dict[Labels, float]:
        return {(("kind", kind),): age for kind, age in self._live.ages.items()}

    @property
    def _asked(self) -> int:
        return len(self._plan.bench.policies)

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
        if self._connections:
            await self._connections.shutdown(LONGEST_SECONDS)
        if self.evaluators:
            await self.evaluators.close()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self._listener.refresh_seconds)
            try:
                await asyncio.to_thread(self._certificates.refresh)
            except Exception as error:  # noqa: BLE001 - else no certificate is ever renewed again
                log.error("looking at the certificate broke down (%s)", type(error).__name__)  # noqa: TRY400 - values are secret
            self._listener.answers(not self._unready())

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        response = await self._routed(request)
        path = request.path if request.path in self._paths else "other"
        self._metrics.requests.add(path=path, status=str(response.status))
        if self._leaving:
            response.force_close()
        return response

    async def _routed(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.version != HttpVersion11:
            return error(505, "speak HTTP/1.1")
        if (wrong := misplaced(request, self._paths)) is not None:
            return wrong
        if request.path == "/metrics":
            return numbers(self._metrics.text())
        if request.method in GET:
            return probed(self._unready() if request.path == "/readyz" else "")
        return self._refusal(request) or await self._timed(self._review, request)

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        """What is wrong with a review before a byte of its body is read."""
        if self._clients and (why := self._clients.refusal(request)):
            return error(401, why)
        if why := self._unready(asked=True):
            return error(503, why)
        return _refusal(request)

    def _unready(self, *, asked: bool = False) -> str:
        """Why requests are not judged, empty where they are. One that is `asked` all the same is
        judged while we are leaving.
        """
        if self._leaving and not (asked and self._live.ready):
            return "shutting down"
        if not self._live.ready:
            return "the cluster is not read yet"
        if not asked and self._live.unready:
            return self._live.unready
        if not asked and self._certificates.problem:
            return f"the API server does not trust us: {self._certificates.problem}"
        judging = self.evaluators and (self.evaluators.begun if asked else self.evaluators.warm)
        return "" if judging else "the cluster is not judged yet"

    async def _timed(
        self,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        request: web.BaseRequest,
    ) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            return await answer(request)
        finally:
            self._metrics.seconds.observe(loop.time() - began)

    async def _review(self, request: web.BaseRequest) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds(request.query.get("timeout", ""))
        expected = MAX_BYTES if request.content_length is None else request.content_length
        budget = self._large if expected > BIG_BYTES else self._small
        try:
            async with budget.spending(expected, deadline, request.remote or "") as room:
                body = await _arrived(request, room)
                budget.arrived(room)
                outcome = await self._judged(body, deadline, request)
        except TimeoutError:
            return error(503, "busy with other requests")
        except RejectedError as rejected:
            return error(rejected.status, str(rejected))
        if outcome.status != 200:
            text = outcome.body.decode("utf-8", "replace")
            if outcome.status >= 500:
                log.warning("cannot judge: %s", text)
            return error(outcome.status, text)
        return web.Response(body=outcome.body, content_type="application/json")

    async def _judged(self, body: bytes, deadline: float, request: web.BaseRequest) -> Outcome:
        assert self.evaluators is not None
        mark, glass = MARKS[request.path], self._listener.glass()
        if glass is not None and mark == MUTATE:
            return _untouched(body, glass)
        try:
            peer = "" if self._clients else request.remote or ""
            outcome = await self.evaluators.answer(body, deadline, mark, peer)
        except CannotJudgeError as unable:
            outcome = Outcome(500, str(unable).encode(), {})
        except UndecidableError as error:
            outcome = self._denied(body, error, mark)
        self._count(outcome)
        glass = self._listener.glass()
        return outcome if glass is None else _opened(body, outcome, glass)

    def _denied(self, body: bytes, error: UndecidableError, mark: bytes) -> Outcome:
        """The answer to an object that kept the evaluators from saying anything."""
        addressee = glance(body)
        if addressee is None:
            raise RejectedError(str(error)) from error
        # What nothing can be added to is judged afterwards, and denied there.
        mode = Mode.AUDIT if mark == MUTATE else self._plan.terms.strictest()
        decision = undecidable(mode, error)
        decision = replace(decision, annotations=(*decision.annotations, *self._notes))
        return Outcome(200, encode(*addressee, decision), {"verdict": "undecidable"})

    def _count(self, outcome: Outcome) -> None:
        told = outcome.told
        self._metrics.verdicts.add(
            verdict=told.get("verdict", "none"),
            operation=told.get("operation", ""),
            resource=told.get("what", ""),
        )


def _untouched(body: bytes, glass: BreakGlass) -> Outcome:
    """What is added while the glass is broken: nothing, and no process is asked."""
    addressee = glance(body)
    answer = addressee and let_in(body, encode(*addressee, Decision(allowed=True)), glass)
    if not answer:
        raise RejectedError("the body is no AdmissionReview")
    return Outcome(200, answer, {})


def _opened(body: bytes, outcome: Outcome, glass: BreakGlass) -> Outcome:
    """What was found, while the glass is broken: everybody is let in who can be answered."""
    answered = outcome.status == 200
    why = "" if answered else outcome.body.decode("utf-8", "replace")
    answer = let_in(body, outcome.body if answered else None, glass, why)
    return outcome if answer is None else replace(outcome, status=200, body=answer)


async def _arrived(request: web.BaseRequest, room: Room) -> bytes:
    try:
        async with room.coming(BODY_SECONDS):
            body = await _body(request)
    except TimeoutError as error:
        raise RejectedError("the body did not arrive in time", 408) from error
    if isinstance(request.protocol, Connection):
        request.protocol.awaited = False
    return body


async def _body(request: web.BaseRequest) -> bytes:
    if request.headers.get("Expect") and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    chunks, size = [], 0
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
    """What is wrong with the head of a request."""
    if request.content_type != "application/json":
        return error(415, "send application/json")
    if request.headers.get("Content-Encoding", "identity") != "identity":
        return error(415, "send the body as it is, not compressed")
    if not request.body_exists or request.content_length == 0:
        return error(400, "the body is empty")
    if (request.content_length or 0) > MAX_BYTES:
        return error(413, f"the body has more than {MAX_BYTES} bytes")
    if request.headers.get("Expect", "100-continue").lower() != "100-continue":
        return error(417, "expect nothing but 100-continue")
    return None


def _nothing_more(_: ssl.SSLContext) -> None:
    """What else a context must do where anybody may ask."""


def seconds(timeout: str) -> float:
    """How long we may take, from the query's ``timeout=3s``, less what the answer needs to travel.

    The API server sends whole seconds and stops waiting after them.
    """
    asked = re.fullmatch(r"(\d{1,2})s", timeout)
    wanted = float(asked[1]) if asked else LONGEST_SECONDS
    return max(min(wanted, LONGEST_SECONDS * 3) - MARGIN_SECONDS, 0.1)
