"""The chart and `auditor webhook install` say the same, whatever is asked for; Helm takes it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from cryptography import x509

from auditor.webhook.authority import Authority, days_left
from auditor.webhook.installation import (
    CertManager,
    Given,
    Installation,
    Own,
    objects,
)
from auditor.webhook.registration import SYSTEM_NAMESPACES, Terms, mutating, registered

CHART = Path(__file__).parents[1] / "deploy" / "chart"
IMAGE = "registry.example/auditor@sha256:" + "a" * 64
CA = trustme.CA().cert_pem.bytes()
HELM = """
import json, sys
from helm_python import Chart, lint
values = json.load(sys.stdin)
linted = lint(sys.argv[1], values, strict=True, namespace="guard")
with Chart.load(sys.argv[1]) as chart:
    made = chart.render(values, name="webhook", namespace="guard")
print(json.dumps({"linted": linted, "made": made}))
"""
Manifest = dict[str, Any]

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _helm() -> None:
    if not importlib.util.find_spec("helm_python"):
        if os.environ.get("CI") == "true":
            pytest.fail("no helm-python-sdk")
        pytest.skip("needs helm-python-sdk (requirements/e2e.txt)")


def helm(values: Manifest) -> subprocess.CompletedProcess[str]:
    """Helm in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", HELM, str(CHART)],
        input=json.dumps(values), capture_output=True, text=True, check=False,
    )  # fmt: skip


def rendered(values: Manifest) -> list[Manifest]:
    """What Helm makes of the chart in namespace ``guard``."""
    done = helm(values)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["linted"]["errors"] == [], said["linted"]
    texts = [text for name, text in sorted(said["made"].items()) if name.endswith(".yaml")]
    return [each for text in texts for each in yaml.safe_load_all(text) if each]


@dataclass(frozen=True)
class Wish:
    """One installation, as values of the chart and as flags of the command would say it."""

    values: Manifest
    certificates: Own | Given | CertManager
    more: Manifest = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    mutate: bool = False


OWN = Own(Authority(b"", b""))
WISHES = {
    "as it comes": Wish({}, OWN),
    "cert-manager": Wish({"certificates": {"source": "cert-manager"}}, CertManager()),
    "a secret": Wish(
        {"certificates": {"source": "secret", "secret": "tls", "ca": CA.decode()}},
        Given("tls", CA),
        {"replicas": 3, "api_server": ("10.0.0.1/32",)},
        Terms("Fail", 3, (*SYSTEM_NAMESPACES, "legacy")),
    ),
    "objects completed": Wish({"mutate": True}, OWN, mutate=True),
    "a configuration": Wish(
        {"configuration": 'admission:\n  mode: "deny"\n', "serve": ["--engine", "both"]},
        OWN,
        {"configuration": 'admission:\n  mode: "deny"\n', "serve": ("--engine", "both")},
    ),
}
ALSO = {
    "a secret": {
        "replicas": 3,
        "apiServer": ["10.0.0.1/32"],
        "failurePolicy": "Fail",
        "timeoutSeconds": 3,
        "exempt": ["legacy"],
    }
}


def key(each: Manifest) -> tuple[str, str]:
    return each["kind"], each["metadata"]["name"]


@pytest.mark.parametrize("name", WISHES)
def test_the_chart_says_what_the_command_says(name: str) -> None:
    """Object by object and field by field, but for the CA that each of them makes."""
    wish = WISHES[name]
    values = {"image": IMAGE, "createNamespace": True, **wish.values, **ALSO.get(name, {})}
    chart = {key(each): each for each in rendered(values)}
    certificates = wish.certificates
    if isinstance(certificates, Own):
        data = chart["Secret", "auditor-webhook"]["data"]
        made = {name: b64decode(pem) for name, pem in data.items()}
        certificates = Own(Authority(made["ca.crt"], made["ca.key"]))
    installation = Installation(IMAGE, certificates, namespace="guard", **wish.more)
    bundle = None if isinstance(certificates, CertManager) else certificates.bundle
    service = "guard/auditor-webhook"
    registrations = [registered(bundle, wish.terms, service=service)]
    registrations += [mutating(bundle, service=service)] if wish.mutate else []
    command = {key(each): each for each in [*objects(installation), *registrations]}
    assert chart == command


def test_the_ca_that_helm_makes_is_one_that_the_webhook_can_sign_with(tmp_path: Path) -> None:
    """On an elliptic curve, for ten years, and trusted by the registration beside it."""
    from auditor.webhook.authority import Issuer
    from auditor.webhook.certificates import Certificates, Pair
    from auditor.webhook.registered import trusts

    made = {key(each): each for each in rendered({"image": IMAGE})}
    data = made["Secret", "auditor-webhook"]["data"]
    pair = Pair(tmp_path / "ca.crt", tmp_path / "ca.key")
    pair.certificate.write_bytes(b64decode(data["ca.crt"]))
    pair.key.write_bytes(b64decode(data["ca.key"]))
    trusted = tuple(trusts(made["ValidatingWebhookConfiguration", "auditor"]))
    issuer = Issuer(pair, ("auditor-webhook.guard.svc",))
    certificates = Certificates(issuer, lambda: trusted)
    certificates.refresh()
    assert certificates.problem == ""
    assert days_left(pair.certificate.read_bytes()) > 3600
    assert x509.load_pem_x509_certificate(pair.certificate.read_bytes()).subject


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "image"),
        ({"image": IMAGE, "failurePolicy": "Perhaps"}, "failurePolicy"),
        ({"image": IMAGE, "certificates": {"source": "secret"}}, "secret"),
        ({"image": IMAGE, "imagee": "typo"}, "imagee"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: Manifest, why: str) -> None:
    """With the name of the value."""
    done = helm(values)
    assert done.returncode != 0
    assert why in done.stderr
