"""Connections: slow, many, odd, or gone in the middle."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from auditor.serving.connections import HEAD_SECONDS
from auditor.webhook.evaluators import Staff
from auditor.webhook.server import BODY_SECONDS, HANDSHAKE_SECONDS
from auditor.webhook.waiting import BIG_BYTES
from tests.webhook.conftest import Running, Starter, until
from tests.webhook.disturbance import Gate
from tests.webhook.world import disturbed, pod, review

from .test_bodies import said

HEAD = b"POST /validate?timeout=9s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@contextlib.contextmanager
def plain(running: Running, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A connection without TLS, from that address."""
    there = ("127.0.0.1", running.port)
    with socket.create_connection(there, timeout=30, source_address=(source, 0)) as found:
        yield found


@contextlib.contextmanager
def secured(running: Running, source: str = "127.0.0.1") -> Iterator[ssl.SSLSocket]:
    """One with it."""
    with plain(running, source) as found:
        context = running.context
        with context.wrap_socket(found, server_hostname="127.0.0.1") as inside:
            yield inside


def closed_after(connection: socket.socket) -> float:
    """Seconds until the other side closes."""
    began = time.monotonic()
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            pass
    return time.monotonic() - began


def test_slow_clients_are_let_go(running: Running) -> None:
    """No handshake, half a head, half a body: each has its few seconds. Meanwhile others are
    answered.
    """
    length = b"Content-Length: 1000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(plain(running)) for _ in range(5)]
        half_head = [stack.enter_context(secured(running)) for _ in range(5)]
        half_body = [stack.enter_context(secured(running)) for _ in range(5)]
        for each in half_head:
            each.sendall(HEAD)
        for each in half_body:
            each.sendall(HEAD + length + b'{"kind"')
        assert said(running, review(pod()))["allowed"]
        most = max(HANDSHAKE_SECONDS, HEAD_SECONDS, BODY_SECONDS) + 5
        began = time.monotonic()
        for connection in (*silent, *half_head, *half_body):
            closed_after(connection)
        assert time.monotonic() - began < most


def test_a_head_that_comes_drop_by_drop_is_let_go(running: Running) -> None:
    """A byte now and then starts no clock anew."""
    with secured(running) as slow:
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 20:
                slow.sendall(HEAD[:1])
                time.sleep(0.2)
        assert time.monotonic() - began < HEAD_SECONDS + 5


def test_of_too_many_connections_the_longest_idle_goes(start: Starter) -> None:
    """There is always room for one that asks."""
    running = start(most_connections=8)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(secured(running)) for _ in range(20)]
        assert said(running, review(pod()))["allowed"]
        assert running.ask(method="GET", path="/readyz").status == 200
        for each in idle[:10]:
            each.settimeout(5)
            assert closed_after(each) < 4
    assert b'closed_total{why="too many"}' in running.ask(method="GET", path="/metrics").body


SLOW = {
    "many that are small": (40, f"Content-Length: {BIG_BYTES}\r\n\r\n".encode() + b"{"),
    "some without a length": (6, b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"),
}


@pytest.mark.parametrize(("count", "begun"), SLOW.values(), ids=SLOW.keys())
@pytest.mark.parametrize("addresses", [1, 4])
def test_bodies_that_do_not_come_keep_nobody_out(
    start: Starter, count: int, begun: bytes, addresses: int
) -> None:
    """They are claimed, begun and never finished, from one address or from several, and as soon as
    one is given up there is another. Small objects and large ones of others are judged meanwhile.
    """
    running = start()
    large = pod()
    large["metadata"]["annotations"] = {"padding": "x" * BIG_BYTES}
    with contextlib.ExitStack() as stack:
        for number in range(count * addresses):
            source = f"127.0.0.{2 + number % addresses}"
            stack.enter_context(secured(running, source)).sendall(HEAD + begun)
        for body in (review(pod()), review(large), review(pod())):
            assert said(running, body, "/validate?timeout=2s")["allowed"]


def test_connections_whose_bodies_do_not_come_make_room(start: Starter) -> None:
    """All of them are busy, and an honest one is still let in: those of the address that has most
    of them go. One that it keeps between two requests is not closed for that.
    """
    running = start(most_connections=8)
    body = HEAD + b"Content-Length: 1000\r\n\r\n{"
    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(secured(running))
        for _ in range(20):
            stack.enter_context(secured(running, "127.0.0.2")).sendall(body)
        assert said(running, review(pod()), "/validate?timeout=2s")["allowed"]
        kept.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_who_goes_away_is_not_counted_in(start: Starter, tmp_path: Path) -> None:
    """A client that hangs up while it waits frees its place."""
    gate = Gate(tmp_path)
    running = start(by=disturbed(gate), staff=Staff(workers=1, standing_by=0))
    body = review(pod("slow"))
    with secured(running) as connection:
        connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        assert until(lambda: gate.reached)
    gate.open()
    assert said(running, review(pod()))["allowed"]


def test_pipelined_requests_are_answered_in_order(running: Running) -> None:
    """Several at once on one connection, each with its own uid."""
    uids = ["a1", "b2", "c3"]
    bodies = [review(pod(), uid=uid) for uid in uids]
    sent = b"".join(
        HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies[:-1]
    )
    last = HEAD + f"Connection: close\r\nContent-Length: {len(bodies[-1])}\r\n\r\n".encode()
    answer = running.raw(sent + last + bodies[-1])
    found = [
        orjson.loads(part.partition(b"\r\n\r\n")[2]) for part in answer.split(b"HTTP/1.1 ")[1:]
    ]
    assert [each["response"]["uid"] for each in found] == uids


def test_who_expects_a_continue_gets_one(running: Running) -> None:
    """Curl sends this before a large body."""
    body = review(pod())
    with secured(running) as connection:
        length = f"Connection: close\r\nContent-Length: {len(body)}\r\n".encode()
        connection.sendall(HEAD + length + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


ODD = {
    "HTTP/1.0": (HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + b"Content-Length: 2\r\n\r\n{}", b"505"),
    "another expectation": (HEAD + b"Content-Length: 2\r\nExpect: x\r\n\r\n", b"417"),
    "too many headers": (HEAD + b"A: b\r\n" * 300 + b"\r\n", b"400"),
    "an upgrade": (
        HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
        b"400",
    ),
    "HTTP/2 at once": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
}


@pytest.mark.parametrize(("sent", "status"), ODD.values(), ids=ODD.keys())
def test_odd_http_is_refused(running: Running, sent: bytes, status: bytes) -> None:
    """With a status, and without a word of what was sent."""
    answer = running.raw(sent)
    assert answer.split(b" ", 2)[1] == status, answer
    assert b"SM" not in answer.partition(b"\r\n\r\n")[2]


def test_old_tls_is_refused(running: Running) -> None:
    """Anything before 1.3, whatever the name that is asked for."""
    context = ssl.create_default_context()
    running.authority.configure_trust(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with plain(running) as connection, pytest.raises(ssl.SSLError):
        context.wrap_socket(connection, server_hostname="127.0.0.1")


def test_a_connection_ends_after_many_requests(
    start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that a client reaches all replicas in the end; the answer itself says so."""
    monkeypatch.setattr("auditor.serving.connections.MOST_REQUESTS", 3)
    running = start()
    sent = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 5
    answer = running.raw(sent)
    assert 2 <= answer.count(b"HTTP/1.1 200 ") <= 4
    assert b"Connection: close" in answer
