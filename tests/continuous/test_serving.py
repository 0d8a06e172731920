"""What is served, over real connections."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from typing import ClassVar

import pytest

from auditor.continuous.numbers import Numbers
from auditor.continuous.serving import serving
from auditor.errors import ConfigError
from tests.reporters import world


class _Fresh:
    unready = ""
    ages: ClassVar = {"Pod": 1.0}


@pytest.fixture
def numbers() -> Numbers:
    return Numbers(_Fresh())


@pytest.fixture
def port(numbers: Numbers) -> Iterator[int]:
    with serving(numbers, "127.0.0.1", 0) as chosen:
        yield chosen


def _ask(port: int, path: str, method: str = "GET") -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers["Content-Type"]
    connection.close()
    return found


def test_it_lives_before_it_is_ready(numbers: Numbers, port: int) -> None:
    assert _ask(port, "/healthz")[:2] == (200, "ok\n")
    assert _ask(port, "/readyz")[:2] == (503, "the cluster is not audited yet\n")
    numbers.audited(world.audit(world.privileged()), 1.0, 2.0)
    assert _ask(port, "/readyz")[:2] == (200, "ok\n")
    numbers.leaving = True
    assert _ask(port, "/readyz")[:2] == (503, "shutting down\n")


def test_the_numbers_are_those_of_the_last_audit(numbers: Numbers, port: int) -> None:
    numbers.audited(world.audit(world.privileged()), 1.0, 2.0)
    status, text, kind = _ask(port, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    finding = 'policy="workload/privileged_container",severity="high",namespace="shop"'
    assert f'auditor_findings{{{finding},status="open"}} 1\n' in text
    assert "auditor_watch_last_audit_seconds 2\n" in text
    numbers.audited(world.audit(), 3.0, 4.0)
    assert "privileged" not in _ask(port, "/metrics")[1]


def test_what_the_numbers_never_hold(numbers: Numbers, port: int) -> None:
    """No name of an object, no message, no value."""
    numbers.audited(world.audit(world.privileged(), world.literal()), 1.0, 2.0)
    text = _ask(port, "/metrics")[1]
    assert [word for word in ("hunter2", "web", "PASSWORD") if word in text] == []


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/metrics/../etc", "GET", 404), ("/metrics", "POST", 405)],
)
def test_nothing_else_is_answered(port: int, path: str, method: str, status: int) -> None:
    assert _ask(port, path, method)[0] == status


def test_what_is_no_http_is_told_so_and_repeated_nowhere(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"hunter2\r\n\r\n")
        answer = client.recv(4096)
    assert answer.split(b" ")[1] == b"400"
    assert b"hunter2" not in answer


def test_an_address_that_is_taken_is_an_error_in_a_sentence(numbers: Numbers, port: int) -> None:
    taken = serving(numbers, "127.0.0.1", port)
    with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}"), taken:
        pass
