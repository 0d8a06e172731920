"""Who may ask, where only the API server may."""

from __future__ import annotations

import ssl
from pathlib import Path

import orjson
import pytest
import trustme

from auditor.webhook.clients import Clients

from .conftest import Running, Starter
from .world import pod, review


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """Who signs for the API server."""
    found = trustme.CA()
    (tmp_path / "clients.crt").write_bytes(found.cert_pem.bytes())
    return found


def _showing(running: Running, signed_by: trustme.CA, name: str) -> Running:
    signed_by.issue_cert(common_name=name).configure_cert(running.context)
    return running


def _asked(running: Running) -> int:
    return running.ask(review(pod())).status


def test_only_the_right_certificate_may_ask(
    start: Starter, tmp_path: Path, authority: trustme.CA
) -> None:
    """None and a wrong name are 401, before the body is read; probes need no certificate."""
    running = start(clients=Clients(tmp_path / "clients.crt", "kube-apiserver"))
    assert _asked(running) == 401
    unread = b"POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    assert running.raw(unread + b"Content-Length: 99999\r\n\r\n").startswith(b"HTTP/1.1 401")
    assert running.ask(method="GET", path="/readyz").status == 200
    assert _asked(_showing(running, authority, "mallory")) == 401
    answer = _showing(running, authority, "kube-apiserver").ask(review(pod()))
    assert orjson.loads(answer.body)["response"]["allowed"]


def test_a_certificate_of_somebody_else_does_not_get_in(
    start: Starter, tmp_path: Path, authority: trustme.CA
) -> None:
    """The right name, signed by another authority: the handshake itself fails."""
    running = start(clients=Clients(tmp_path / "clients.crt", "kube-apiserver"))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _asked(_showing(running, trustme.CA(), "kube-apiserver"))


def test_after_a_new_server_certificate_clients_are_still_checked(
    start: Starter, tmp_path: Path, authority: trustme.CA
) -> None:
    """Each context that is ever served asks for the same."""
    from .conftest import until, write_pair

    running = start(clients=Clients(tmp_path / "clients.crt"))
    old = running.serial()
    write_pair(running.authority, tmp_path)
    assert until(lambda: running.serial() != old)
    assert _asked(running) == 401
    assert _asked(_showing(running, authority, "anybody")) == 200
