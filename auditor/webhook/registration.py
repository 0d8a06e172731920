"""What to tell the API server so that it asks the webhook: made from the kinds that we judge."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from typing import Any

from auditor.errors import UsageError
from auditor.sources.kinds import ADMISSION, KINDS

NAME = "auditor"
TIMEOUT_SECONDS = 10
SUBRESOURCES = ("pods/ephemeralcontainers", "pods/resize")
"""Those by which a pod changes."""
UNASKED_NAMESPACES = ("kube-system",)
"""Where a webhook that is down must not keep the cluster from coming up again."""


def registered(
    ca: bytes, failure_policy: str, *, url: str | None = None, service: str | None = None
) -> dict[str, Any]:
    """The ValidatingWebhookConfiguration: every kind that the audit reads, on every change.

    Raises:
        UsageError: the URL is no https URL, the Service is not named as NAMESPACE/NAME, or `ca`
            is not certificates and nothing else.
    """
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [
            {
                "name": "validate.auditor.local",
                "admissionReviewVersions": ["v1", "v1beta1"],
                "sideEffects": "None",
                "matchPolicy": "Equivalent",
                "timeoutSeconds": TIMEOUT_SECONDS,
                "failurePolicy": failure_policy,
                "clientConfig": {
                    **_address(url, service),
                    "caBundle": b64encode(certificates(ca)).decode("ascii"),
                },
                "namespaceSelector": _everywhere_but(UNASKED_NAMESPACES),
                "rules": _rules(),
            }
        ],
    }


def certificates(pem: bytes) -> bytes:
    """The certificates in a PEM file, without the text around them.

    Raises:
        UsageError: there is none, one of them cannot be read, or there is a private key: whoever
            may read the registration could read it too.
    """
    if b"PRIVATE KEY" in pem:
        raise UsageError("--ca: the file holds a private key; name the CA's certificate alone")
    block = rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----"
    found = re.findall(block, pem, re.DOTALL)
    text = b"".join(each + b"\n" for each in found)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise UsageError(f"--ca: no PEM certificates in the file ({error})") from error
    return text


def _address(url: str | None, service: str | None) -> dict[str, Any]:
    if url is not None:
        if not url.startswith("https://"):
            raise UsageError(f"--url {url}: the API server calls webhooks over https alone")
        return {"url": url.rstrip("/") + "/validate"}
    namespace, slash, name = (service or "").partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise UsageError(f"--service {service}: expected NAMESPACE/NAME")
    return {"service": {"namespace": namespace, "name": name, "path": "/validate", "port": 443}}


def _everywhere_but(namespaces: tuple[str, ...]) -> dict[str, Any]:
    key = "kubernetes.io/metadata.name"
    return {"matchExpressions": [{"key": key, "operator": "NotIn", "values": list(namespaces)}]}


def _rules() -> list[dict[str, Any]]:
    """One rule for each API group. Any version of it: with matchPolicy Equivalent the server
    converts what it is sent. None for the configurations of webhooks, about which the server asks
    no webhook.
    """
    groups: dict[str, list[str]] = {}
    for kind in KINDS:
        if kind in ADMISSION:
            continue
        groups.setdefault(kind.group, []).append(kind.plural)
    groups[""] += SUBRESOURCES
    return [
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": ["CREATE", "UPDATE", "DELETE"],
            "resources": resources,
            "scope": "*",
        }
        for group, resources in groups.items()
    ]
