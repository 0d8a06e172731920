"""A relay between the command and the real API server, which disturbs what a test wants disturbed.

Whatever is told about a disturbed list is told by a real server's answers about all others; the
relay itself says nothing of Kubernetes but the status 410 and 429, as the server words them.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Query = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the relay sends: the server's answer, or something that a disturbance made of it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    """So many bytes of the body, and then the connection ends."""
    pause: float = 0.0
    """Seconds before each byte."""


Disturbance = Callable[[Query, Answer], Answer]
"""What becomes of one answer of the server, given the query."""


@dataclass(slots=True)
class Relay:
    """A running relay."""

    kubeconfig: Path
    asked: list[tuple[str, Query]] = field(default_factory=list)
    """Path and query of every request, in their order."""
    at_once: int = 0
    """How many requests were being answered at one time, at most."""

    def queries(self, path: str) -> list[Query]:
        """Those that were sent to `path`."""
        return [query for asked, query in self.asked if asked == path]


def cut(after: int = 100) -> Disturbance:
    """Every answer ends after so many bytes."""
    return lambda _, answer: Answer(answer.status, answer.body, answer.headers, sent=after)


def dribbled(pause: float = 0.05) -> Disturbance:
    """Every answer comes byte by byte."""
    return lambda _, answer: Answer(answer.status, answer.body, answer.headers, pause=pause)


def silent(seconds: float) -> Disturbance:
    """No answer comes for so long."""

    def wait(_: Query, answer: Answer) -> Answer:
        time.sleep(seconds)
        return answer

    return wait


def refused(status: int, times: int, headers: dict[str, str] | None = None) -> Disturbance:
    """The first answers are a status of that number."""
    left = [times]

    def refuse(_: Query, answer: Answer) -> Answer:
        left[0] -= 1
        return _status(status, headers or {}) if left[0] >= 0 else answer

    return refuse


def expired(times: int) -> Disturbance:
    """The page after the first is gone, so many times."""
    left = [times]

    def expire(query: Query, answer: Answer) -> Answer:
        if "continue" not in query:
            return answer
        left[0] -= 1
        return _status(410, {}) if left[0] >= 0 else answer

    return expire


def _status(code: int, headers: dict[str, str]) -> Answer:
    reason = {410: "Expired", 429: "TooManyRequests"}.get(code, "InternalError")
    message = {410: "The provided continue parameter is too old", 429: "too many requests"}
    said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason}
    return Answer(
        code, json.dumps(said | {"message": message.get(code, ""), "code": code}).encode(), headers
    )


@contextmanager
def relay(kubeconfig: Path, scratch: Path, disturbed: dict[str, Disturbance]) -> Iterator[Relay]:
    """A relay to the server of that kubeconfig of a user with a token. `disturbed` has the paths of
    lists (``/api/v1/pods``).
    """
    config = yaml.safe_load(kubeconfig.read_text("utf-8"))
    cluster = config["clusters"][0]["cluster"]
    running = Relay(scratch / "relay.kubeconfig")
    handler = type(
        "Handler", (_Handler,), {"to": _Upstream(cluster), "disturbed": disturbed, "relay": running}
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    config["clusters"][0]["cluster"] = {"server": f"http://127.0.0.1:{server.server_port}"}
    running.kubeconfig.write_text(yaml.safe_dump(config), "utf-8")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


class _Upstream:
    """The real server."""

    def __init__(self, cluster: dict[str, Any]) -> None:
        import base64

        self._server = cluster["server"]
        data = cluster.get("certificate-authority-data")
        self._tls = ssl.create_default_context(
            cafile=cluster.get("certificate-authority"),
            cadata=base64.b64decode(data).decode() if data else None,
        )

    def get(self, path: str, token: str) -> Answer:
        """Its answer."""
        request = urllib.request.Request(f"{self._server}{path}", headers={"Authorization": token})  # noqa: S310 - https, of the test's own kubeconfig
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=60) as answer:  # noqa: S310
                return Answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read())


class _Handler(BaseHTTPRequestHandler):
    """Answers one request at a time on each connection."""

    to: _Upstream
    disturbed: dict[str, Disturbance]
    relay: Relay
    protocol_version = "HTTP/1.1"
    lock = threading.Lock()
    answering = 0

    def do_GET(self) -> None:
        """Pass it on, and the answer back, disturbed."""
        where = urlsplit(self.path)
        query = parse_qs(where.query)
        with self.lock:
            self.relay.asked.append((where.path, query))
            type(self).answering += 1
            self.relay.at_once = max(self.relay.at_once, self.answering)
        try:
            answer = self.to.get(self.path, self.headers.get("Authorization", ""))
            if disturbance := self.disturbed.get(where.path):
                answer = disturbance(query, answer)
            self._send(answer)
        except OSError:
            self.close_connection = True
        finally:
            with self.lock:
                type(self).answering -= 1

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer.body))}
        for name, value in (headers | answer.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if answer.pause:
            for byte in answer.body:
                self.wfile.write(bytes((byte,)))
                self.wfile.flush()
                time.sleep(answer.pause)
            return
        self.wfile.write(answer.body[: answer.sent])
        self.close_connection = answer.sent is not None

    def log_message(self, *_: object) -> None:
        """Nothing."""
