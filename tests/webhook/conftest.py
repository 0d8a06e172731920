"""A webhook that really listens on the loopback interface, with a real certificate."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
import trustme

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.webhook.break_glass import BreakGlass
from auditor.webhook.certificates import Pair, Registered, unregistered
from auditor.webhook.evaluators import Evaluators, Staff
from auditor.webhook.live import Live
from auditor.webhook.plan import Plan
from auditor.webhook.server import Listener, Webhook
from tests.bench import SETTINGS

from .world import BENCH, ROOT, Kept, live


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Running:
    """A webhook that is up."""

    port: int
    context: ssl.SSLContext
    pair: Pair
    authority: trustme.CA
    stop: Callable[[], None]
    webhook: Webhook

    @property
    def evaluators(self) -> Evaluators:
        """Who judges."""
        assert self.webhook.evaluators is not None
        return self.webhook.evaluators

    def ask(
        self,
        body: bytes = b"",
        *,
        method: str = "POST",
        path: str = "/validate?timeout=5s",
        content_type: str = "application/json",
        source: str = "127.0.0.1",
    ) -> Answer:
        """One request over a connection of its own, from that address."""
        connection = HTTPSConnection(
            "127.0.0.1", self.port, context=self.context, timeout=40, source_address=(source, 0)
        )
        try:
            connection.request(method, path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            return Answer(response.status, response.read(), dict(response.getheaders()))
        finally:
            connection.close()

    def raw(self, text: bytes) -> bytes:
        """Whatever comes back for these bytes, until the server closes."""
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            self.context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
        ):
            answer = b""
            with contextlib.suppress(OSError):  # it may hang up while we still send
                secured.sendall(text)
            with contextlib.suppress(OSError):
                while chunk := secured.recv(65536):
                    answer += chunk
            return answer

    def serial(self, name: str | None = "127.0.0.1") -> int:
        """The serial number of the certificate that is served."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        self.authority.configure_trust(context)
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=name) as secured,
        ):
            certificate = secured.getpeercert()
            assert certificate is not None
            return int(str(certificate["serialNumber"]), 16)


def write_pair(authority: trustme.CA, folder: Path) -> Pair:
    """A new certificate for the loopback address, and its key."""
    issued = authority.issue_cert("127.0.0.1")
    pair = Pair(folder / "tls.crt", folder / "tls.key")
    pair.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    pair.key.write_bytes(issued.private_key_pem.bytes())
    return pair


ALONE = Staff(workers=1, standing_by=0)
"""One evaluator: what most tests need, and what starts fastest."""


class Starter:
    """Starts webhooks, and stops them in the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Running] = []

    def __call__(
        self,
        state: Live | None = None,
        by: Bench = BENCH,
        *,
        terms: Admission | None = None,
        registered: Registered = unregistered,
        glass: Callable[[], BreakGlass | None] = lambda: None,
        staff: Staff = ALONE,
        **told: Any,
    ) -> Running:
        authority = trustme.CA()
        pair = write_pair(authority, self._folder)
        known = {"drain_seconds": 0.0, "refresh_seconds": 0.1}
        listener = Listener("127.0.0.1", 0, pair, registered, glass, **known | told)
        plan, cluster = Plan(by, SETTINGS, terms or Admission(Mode.DENY)), state or Kept(live())
        webhook = Webhook(plan, cluster, listener, staff)
        port, stop = _in_thread(webhook)
        context = ssl.create_default_context()
        authority.configure_trust(context)
        running = Running(port, context, pair, authority, stop, webhook)
        self._running.append(running)
        if cluster.ready:
            until(lambda: running.ask(method="GET", path="/readyz").status == 200)
        return running

    def stop(self) -> None:
        """Stop all."""
        for each in self._running:
            each.stop()


def pids(running: Running) -> tuple[int, ...]:
    """The processes of those who judge, the one that stands by last."""
    return tuple(process.pid for process in running.evaluators._all)


def until(true: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait for something that happens elsewhere; whether it did."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


@pytest.fixture(autouse=True, scope="session")
def _findable() -> None:
    """Evaluators find the engines of tests where we do."""
    os.environ["PYTHONPATH"] = str(ROOT)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a webhook, and stops it in the end."""
    starter = Starter(tmp_path)
    yield starter
    starter.stop()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One webhook for all tests of a module, in an empty cluster."""
    starter = Starter(tmp_path_factory.mktemp("webhook"))
    yield starter()
    starter.stop()


def _in_thread(webhook: Webhook) -> tuple[int, Callable[[], None]]:
    started, end = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def live_on() -> None:
        await webhook.start()
        loops.append(asyncio.get_running_loop())
        started.set()
        await end.wait()
        await webhook.stop()

    thread = threading.Thread(target=lambda: asyncio.run(live_on()))
    thread.start()
    assert started.wait(10)

    def stop() -> None:
        if thread.is_alive():
            loops[0].call_soon_threadsafe(end.set)
            thread.join(30)

    return webhook.port, stop
