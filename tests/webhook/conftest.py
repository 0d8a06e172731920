"""A webhook that really listens on the loopback interface, with a real certificate."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import trustme

from auditor.audit import Bench
from auditor.declared import Admission, Mode
from auditor.webhook.break_glass import BreakGlass
from auditor.webhook.certificates import Pair, Registered, unregistered
from auditor.webhook.server import Listener, Webhook
from auditor.webhook.worker import Live

from .world import BENCH, Kept, court, live


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

    def ask(
        self,
        body: bytes = b"",
        *,
        method: str = "POST",
        path: str = "/validate?timeout=5s",
        content_type: str = "application/json",
    ) -> Answer:
        """One request over a connection of its own."""
        connection = HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=20)
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
            secured.sendall(text)
            answer = b""
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


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts a webhook, and stops it in the end."""
    running: list[Running] = []

    def begin(
        state: Live | None = None,
        by: Bench = BENCH,
        terms: Admission | None = None,
        registered: Registered = unregistered,
        glass: Callable[[], BreakGlass | None] = lambda: None,
        **times: float,
    ) -> Running:
        authority = trustme.CA()
        pair = write_pair(authority, tmp_path)
        known = {"drain_seconds": 0.0, "refresh_seconds": 0.1}
        listener = Listener("127.0.0.1", 0, pair, registered, glass, **known | times)
        webhook = Webhook(court(by), state or Kept(live()), terms or Admission(Mode.DENY), listener)
        port, stop = _in_thread(webhook)
        context = ssl.create_default_context()
        authority.configure_trust(context)
        running.append(Running(port, context, pair, authority, stop))
        return running[-1]

    yield begin
    for each in running:
        each.stop()


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
