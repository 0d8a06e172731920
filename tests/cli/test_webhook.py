"""`auditor webhook registration`: what the API server is told. What it then does: tests/e2e."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import yaml

from auditor.facts.workloads import TEMPLATES

from .command import Command


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """A CA file; nobody reads into it here."""
    file = tmp_path / "ca.crt"
    file.write_text("-----BEGIN CERTIFICATE-----\n", "utf-8")
    return file


def test_every_kind_that_makes_pods_is_asked_about(auditor: Command, ca: Path) -> None:
    """A workload kind that is left out would be the way in; so would a debugger."""
    said = auditor("webhook", "registration", "--url", "https://h:8443/", "--ca", ca)
    assert said.code == 0
    (webhook,) = yaml.safe_load(said.out)["webhooks"]
    asked = {(group, name) for rule in webhook["rules"] for group in rule["apiGroups"]
             for name in rule["resources"]}  # fmt: skip
    wanted = {(group, f"{kind.lower()}s") for group, kind in TEMPLATES if group != "extensions"}
    assert wanted <= asked
    assert ("", "pods/ephemeralcontainers") in asked
    assert ("networking.k8s.io", "networkpolicies") in asked
    assert webhook["matchPolicy"] == "Equivalent"
    assert webhook["failurePolicy"] == "Ignore"
    assert webhook["clientConfig"]["url"] == "https://h:8443/validate"
    assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == ca.read_bytes()


def test_a_service_is_named_with_its_namespace(auditor: Command, ca: Path) -> None:
    """As the API server needs it."""
    said = auditor("webhook", "registration", "--service", "security/auditor", "--ca", ca)
    (webhook,) = yaml.safe_load(said.out)["webhooks"]
    assert webhook["clientConfig"]["service"] == {
        "namespace": "security", "name": "auditor", "path": "/validate", "port": 443,
    }  # fmt: skip


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--url", "https://h", "--service", "a/b"),
        ("--url", "http://h"),
        ("--service", "auditor"),
        ("--service", "a/b/c"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused(
    auditor: Command, ca: Path, flags: tuple[str, ...]
) -> None:
    """Before it stands in a cluster and every request waits for it."""
    assert auditor("webhook", "registration", *flags, "--ca", ca).code == 2


def test_a_missing_certificate_is_named(auditor: Command, tmp_path: Path) -> None:
    """Before the cluster is asked for anything."""
    said = auditor("webhook", "serve", "--tls-cert", tmp_path / "no.crt",
                   "--tls-key", tmp_path / "no.key", "--kubeconfig", tmp_path / "none")  # fmt: skip
    assert said.code == 2
    assert "none" in said.err or "no.crt" in said.err
