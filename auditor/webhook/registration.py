"""What to tell the API server so that it asks the webhook: made from the kinds that we judge."""

from __future__ import annotations

import re
import ssl
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.errors import UsageError
from auditor.facts.workloads import TEMPLATES
from auditor.sources.kinds import KINDS, Kind
from auditor.terms import Opening
from auditor.values import dataclass
from auditor.webhook.endpoints import SUBRESOURCES as OTHERS
from auditor.webhook.endpoints import Form, endpoints

NAME = "auditor"
WEBHOOK = "validate.auditor.local"
MUTATING_WEBHOOK = "mutate.auditor.local"
TIMEOUT_SECONDS = 5
"""Of an answer: half of what a leader has to renew its lease, should that ever wait for us."""
SUBRESOURCES = tuple(one.path for one in OTHERS if one.form is Form.OBJECT)
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


UNTOUCHED_NAMESPACES = ("kube-system", "kube-public", "kube-node-lease")
"""Where nothing is added: what runs there is upgraded with the cluster, and starts unaided."""
FIXED_TEMPLATES = ("Pod", "Job")
"""Kinds whose pod specification cannot be changed once they are there."""
MUTATING_SECONDS = 2
"""Webhooks that mutate are asked one after the other, and perhaps twice: time adds up."""
UNKEPT = (
    "!has(object.metadata.ownerReferences) || "
    "!object.metadata.ownerReferences.exists(owner, has(owner.controller) && owner.controller)"
)
"""CEL: no controller keeps the object. Most pods are kept, and need not be sent."""

ALIKE: Mapping[str, Any] = {
    "admissionReviewVersions": ["v1", "v1beta1"],
    "sideEffects": "None",
    "matchPolicy": "Equivalent",
}
"""What is said of both webhooks."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How the API server is to ask."""

    failure_policy: str = "Ignore"
    timeout_seconds: int = TIMEOUT_SECONDS
    unasked: tuple[str, ...] = SYSTEM_NAMESPACES
    """Namespaces that it does not ask about."""
    openings: tuple[Opening, ...] = ()
    """The custom kinds that the configuration declares."""


def registered(
    ca: bytes | None,
    terms: Terms,
    *,
    url: str | None = None,
    service: str | None = None,
) -> dict[str, Any]:
    """The ValidatingWebhookConfiguration: every kind that the audit reads, on every change, and
    the custom kinds that are declared. Without `ca`, cert-manager writes there whom to trust.

    Raises:
        UsageError: the URL is no https URL, the Service is not named as NAMESPACE/NAME, or `ca`
            is not certificates and nothing else.
    """
    address = _address(url, service, "/validate")
    return _configuration(
        "ValidatingWebhookConfiguration",
        ca,
        address,
        {
            "name": WEBHOOK,
            **ALIKE,
            "timeoutSeconds": terms.timeout_seconds,
            "failurePolicy": terms.failure_policy,
            "namespaceSelector": _everywhere_but((*terms.unasked, *_own(address))),
            "matchConditions": _conditions(CONDITIONS),
            "rules": _rules(terms.openings),
        },
    )


def mutating(
    ca: bytes | None, *, url: str | None = None, service: str | None = None
) -> dict[str, Any]:
    """The MutatingWebhookConfiguration: workloads that nobody else keeps. Whatever fails is passed
    over, since the validating webhook asks for what had to be added. After another webhook has
    changed the object (a mesh injects a container), the server asks again; our own result gets
    nothing more.

    Raises:
        UsageError: as `registered`.
    """
    address = _address(url, service, "/mutate")
    return _configuration(
        "MutatingWebhookConfiguration",
        ca,
        address,
        {
            "name": MUTATING_WEBHOOK,
            **ALIKE,
            "timeoutSeconds": MUTATING_SECONDS,
            "failurePolicy": "Ignore",
            "reinvocationPolicy": "IfNeeded",
            "namespaceSelector": _everywhere_but((*UNTOUCHED_NAMESPACES, *_own(address))),
            "matchConditions": _conditions({"kept-by-no-controller": UNKEPT}),
            "rules": _mutating_rules(),
        },
    )


def _configuration(
    kind: str, ca: bytes | None, address: dict[str, Any], webhook: dict[str, Any]
) -> dict[str, Any]:
    trust = {"caBundle": b64encode(certificates(ca)).decode("ascii")} if ca is not None else {}
    metadata: dict[str, Any] = {"name": NAME}
    if ca is None:
        issued = f"{_own(address)[0]}/{address['service']['name']}"
        metadata["annotations"] = {ISSUER_ANNOTATION: issued}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": metadata,
        "webhooks": [{**webhook, "clientConfig": {**address, **trust}}],
    }


def _own(address: dict[str, Any]) -> tuple[str, ...]:
    """The namespace of the webhook itself, where it is a Service."""
    return (address["service"]["namespace"],) if "service" in address else ()


def _conditions(expressions: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "expression": text} for name, text in expressions.items()]


def _mutating_rules() -> list[dict[str, Any]]:
    """One for what may be completed only when it is created, and one for what may be later, too."""
    found: dict[tuple[str, ...], list[Kind]] = {("CREATE",): [], ("CREATE", "UPDATE"): []}
    for kind in KINDS:
        if (kind.group, kind.kind) in TEMPLATES:
            fixed = kind.kind in FIXED_TEMPLATES
            found["CREATE",] += [kind] if fixed else []
            found["CREATE", "UPDATE"] += [] if fixed else [kind]
    return [
        {
            "apiGroups": sorted({kind.group for kind in kinds}),
            "apiVersions": ["*"],
            "operations": list(operations),
            "resources": [kind.plural for kind in kinds],
            "scope": "Namespaced",
        }
        for operations, kinds in found.items()
    ]


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


def _address(url: str | None, service: str | None, path: str) -> dict[str, Any]:
    if url is not None:
        if not url.startswith("https://"):
            raise UsageError(f"--url {url}: the API server calls webhooks over https alone")
        return {"url": url.rstrip("/") + path}
    namespace, slash, name = (service or "").partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise UsageError(f"--service {service}: expected NAMESPACE/NAME")
    return {"service": {"namespace": namespace, "name": name, "path": path, "port": 443}}


def _everywhere_but(namespaces: tuple[str, ...]) -> dict[str, Any]:
    key = "kubernetes.io/metadata.name"
    named = list(dict.fromkeys(namespaces))
    return {"matchExpressions": [{"key": key, "operator": "NotIn", "values": named}]}


def _rules(openings: Iterable[Opening]) -> list[dict[str, Any]]:
    """One rule for each API group and set of operations. Any version of it: with matchPolicy
    Equivalent the server converts what it is sent.
    """
    paths: dict[tuple[str, tuple[str, ...]], dict[str, None]] = {}
    for one in endpoints(openings):
        paths.setdefault((one.group, one.operations), {})[one.path] = None
    return [
        {
            "apiGroups": [group],
            "apiVersions": ["*"],
            "operations": list(operations),
            "resources": list(resources),
            "scope": "*",
        }
        for (group, operations), resources in paths.items()
    ]
