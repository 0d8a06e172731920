"""The doctor calls the servers of webhooks as the API server would."""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Callable

import pytest
import trustme

from auditor.webhook.doctor.checks import dangers
from auditor.webhook.doctor.hooks import Around, Hook
from auditor.webhook.doctor.seen import called

from .conftest import Running

Start = Callable[..., Running]


def hook(port: int, bundle: bytes) -> Hook:
    client = {
        "url": f"https://127.0.0.1:{port}/validate",
        "caBundle": b64encode(bundle).decode(),
    }
    webhook = {"name": "w.example.org", "sideEffects": "None", "clientConfig": client}
    configuration = {"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "c"}}
    return Hook({**configuration, "webhooks": [webhook]}, webhook)


def test_a_certificate_that_nobody_believes_is_told(start: Start) -> None:
    """One of another CA than the registration names; the right one is nothing to tell."""
    running = start()
    right = hook(running.port, running.authority.cert_pem.bytes())
    assert called([right]) == ({right.key: ""}, ())
    wrong = hook(running.port, trustme.CA().cert_pem.bytes())
    served, uncalled = called([wrong])
    assert uncalled == ()
    [danger] = dangers([wrong], Around(served=served))
    assert (danger.check, danger.severity.value) == ("served-certificate", "high")
    assert "certificate" in danger.message


def test_who_cannot_be_called_from_here_is_no_danger() -> None:
    """The API server may well reach it."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    served, [told] = called([hook(port, trustme.CA().cert_pem.bytes())])
    assert served == {}
    assert told.startswith("127.0.0.1: ")


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example"])
def test_a_name_that_can_be_no_host_is_told(host: str) -> None:
    webhook = {
        "name": "w.example.org",
        "clientConfig": {
            "url": f"https://{host}/validate",
            "caBundle": b64encode(trustme.CA().cert_pem.bytes()).decode(),
        },
    }
    served, [told] = called([Hook({"webhooks": [webhook]}, webhook)])
    assert served == {}
    assert told.startswith(f"{host}: ")
