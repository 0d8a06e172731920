"""What to tell the API server so that it asks the webhook: made from the kinds that we judge."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from auditor.errors import UsageError
from auditor.sources.kinds import ADMISSION, KINDS

NAME = "auditor"
WEBHOOK = "validate.auditor.local"
TIMEOUT_SECONDS = 5
"""Of an answer: half of what a leader has to renew its lease, should that ever wait for us."""
SUBRESOURCES = ("pods/ephemeralcontainers", "pods/resize")
"""Those by which a pod changes."""
SYSTEM_NAMESPACES = ("kube-system", "kube-node-lease")
"""Where a webhook that is down must not keep the cluster from coming up again."""
ISSUER_ANNOTATION = "cert-manager.io/inject-ca-from"

CONDITIONS = {
    # The API server itself, when it starts: its roles, its priority classes, its own Service.
    "not-the-api-server": "request.userInfo.username != 'system:apiserver'",
    # What keeps nodes and leaders alive. No rule asks for it; should one ever do.
    "no-leases": "request.resource.group != 'coordination.k8s.io'",
    "no-events": "request.resource.resource != 'events'",
    # Who runs the cluster registers nodes, lifts their taints and binds volumes. Namespaces cannot
    # except objects that are in none, and whoever holds these identities holds the cluster.
    "not-who-runs-the-cluster": (
        "has(request.namespace) && request.namespace != '' || "
        "!(request.userInfo.username in "
        "['system:kube-controller-manager', 'system:kube-scheduler'] || "
        "has(request.userInfo.groups) && request.userInfo.groups.exists(group, "
        "group in ['system:nodes', 'system:serviceaccounts:kube-system']))"
    ),
}
"""What is never asked about, so that a cluster with failurePolicy Fail starts without us."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the API server is to ask."""

    failure_policy: str = "Ignore"
    timeout_seconds: int = TIMEOUT_SECONDS
    unasked: tuple[str, ...] = SYSTEM_NAMESPACES
    """Namespaces that it does not ask about."""


def registered(
    ca: bytes | None, terms: Terms, *, url: str | None = None, service: str | None = None
) -> dict[str, Any]:
    """The ValidatingWebhookConfiguration: every kind that the audit reads, on every change. Without
    `ca`, cert-manager writes there whom to trust.

    Raises:
        UsageError: the URL is no https URL, the Service is not named as NAMESPACE/NAME, or `ca`
            is not certificates and nothing else.
    """
    address = _address(url, service)
    own = address.get("service", {}).get("namespace")
    trust = {"caBundle": b64encode(certificates(ca)).decode("ascii")} if ca is not None else {}
    metadata: dict[str, Any] = {"name": NAME}
    if ca is None:
        metadata["annotations"] = {ISSUER_ANNOTATION: f"{own}/{address['service']['name']}"}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": metadata,
        "webhooks": [
            {
                "name": WEBHOOK,
                "admissionReviewVersions": ["v1", "v1beta1"],
                "sideEffects": "None",
                "matchPolicy": "Equivalent",
                "timeoutSeconds": terms.timeout_seconds,
                "failurePolicy": terms.failure_policy,
                "clientConfig": {**address, **trust},
                "namespaceSelector": _everywhere_but((*terms.unasked, *filter(None, (own,)))),
                "matchConditions": [
                    {"name": name, "expression": text} for name, text in CONDITIONS.items()
                ],
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
    named = list(dict.fromkeys(namespaces))
    return {"matchExpressions": [{"key": key, "operator": "NotIn", "values": named}]}


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
