"""Puts the webhook into a cluster by server-side apply, and keeps its CA from call to call.

The order is what makes it safe. Whom the API server trusts is published before anything signs with
it; and where the webhook is to be indispensable, it is registered once somebody answers.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from auditor.errors import WriteError
from auditor.manifests import mapping, sequence
from auditor.sources.changes import LiveChange
from auditor.sources.cluster import Connection, RefusedError
from auditor.webhook.authority import Authority, check, days_left, new_authority
from auditor.webhook.break_glass import broken
from auditor.webhook.installation import NAME, Manifest, Own

MANAGER = "auditor-install"
READY_SECONDS = 300.0
"""How long to wait for the first replica: an image may have to be pulled."""
LOOK_SECONDS = 1.0
SETTLED = timedelta(hours=1)
"""For so long after a change of the CA the one before it is trusted too. A kubelet brings a changed
Secret to its pods within two minutes."""
RENEW_DAYS = 180
"""A CA that ends sooner is replaced by the next call."""


def own_authority(connection: Connection, namespace: str, *, renew: bool = False) -> Own:
    """The CA in the Secret of this installation; a new one where there is none, where the old one
    ends soon, or where one is wanted. The one before it stays trusted until all have the new one.

    Raises:
        WriteError: the Secret could not be read, or holds something else.
    """
    data = _secret(connection, namespace)
    if not data:
        return Own(new_authority())
    current = Authority(data.get("ca.crt", b""), data.get("ca.key", b""))
    if renew:
        return Own(new_authority(), _readable(current.certificate))
    if _days_left(current, f"Secret {namespace}/{NAME}") < RENEW_DAYS:
        return Own(new_authority(), current.certificate)
    young = _age(current.certificate) < SETTLED
    return Own(current, data.get("previous.crt", b"") if young else b"")


def _readable(certificate: bytes) -> bytes:
    """The certificate, if it is one: the API server takes no bundle with anything else in it."""
    try:
        days_left(certificate)
    except ValueError:
        return b""
    return certificate


def _days_left(current: Authority, where: str) -> float:
    try:
        check(current)
        return days_left(current.certificate)
    except ValueError as error:
        raise WriteError(
            f"{where} holds no CA in ca.crt with its key in ca.key ({error}); delete it, or say"
            " --new-ca, to have a new one made"
        ) from error


def put(
    connection: Connection, objects: Sequence[Manifest], registrations: Sequence[Manifest]
) -> Iterator[str]:
    """Apply everything, and tell each step.

    Raises:
        WriteError: the API server refused an object, or no replica came up that could answer.
    """
    for registration in registrations:
        live = _registered(connection, registration)
        if glass := broken(live):
            raise WriteError(
                f"{_name(registration)}: its break-glass ({glass.reason}) was not ended; say"
                " `auditor webhook break-glass --end` first"
            )
        if live and _bundles(registration):
            yield _applied(connection, _trust_alone(live, registration))
    for each in objects:
        yield _applied(connection, each)
    webhooks = [webhook for each in registrations for webhook in each["webhooks"]]
    if any(webhook["failurePolicy"] == "Fail" for webhook in webhooks):
        _wait_for_replica(connection, objects)
    for registration in registrations:
        yield _applied(connection, registration)


def _secret(connection: Connection, namespace: str) -> Mapping[str, bytes]:
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{NAME}"
    try:
        found = connection.read(path)
    except RefusedError as refused:
        if refused.status == 404:
            return {}
        raise WriteError(f"Secret {namespace}/{NAME}: {refused}") from refused
    return {key: b64decode(str(value)) for key, value in mapping(found.get("data")).items()}


def _age(certificate: bytes) -> timedelta:
    from cryptography import x509

    begun = x509.load_pem_x509_certificate(certificate).not_valid_before_utc
    return datetime.now(UTC) - begun


def _registered(connection: Connection, registration: Manifest) -> Mapping[str, Any]:
    try:
        return connection.read(path_of(registration))
    except RefusedError as refused:
        if refused.status == 404:
            return {}
        raise WriteError(f"{_name(registration)}: {refused}") from refused


def _trust_alone(live: Mapping[str, Any], registration: Manifest) -> Manifest:
    """The live registration, with the bundle of the new one: rules, and whether it may fail, change
    only once there is somebody who answers.
    """
    bundles = _bundles(registration)
    webhooks = [
        _with_bundle(mapping(each), bundles.get(str(mapping(each).get("name"))))
        for each in sequence(live.get("webhooks"))
    ]
    return {**registration, "webhooks": webhooks}


def _bundles(registration: Manifest) -> Mapping[str, str]:
    """By webhook; empty where cert-manager writes them."""
    told = {each["name"]: each["clientConfig"].get("caBundle") for each in registration["webhooks"]}
    return {name: bundle for name, bundle in told.items() if bundle}


def _with_bundle(webhook: Mapping[str, Any], bundle: str | None) -> dict[str, Any]:
    if bundle is None:
        return dict(webhook)
    return {**webhook, "clientConfig": {**mapping(webhook.get("clientConfig")), "caBundle": bundle}}


def _applied(connection: Connection, manifest: Manifest) -> str:
    query = {"fieldManager": MANAGER, "force": "true", "fieldValidation": "Strict"}
    body = json.dumps(manifest)
    change = LiveChange("PATCH", path_of(manifest), "application/apply-patch+yaml", body)
    try:
        connection.write(change, query)
    except RefusedError as refused:
        raise WriteError(f"{_name(manifest)}: {refused}") from refused
    return f"applied {_name(manifest)}"


def _wait_for_replica(connection: Connection, objects: Sequence[Manifest]) -> None:
    deployment = next(each for each in objects if each["kind"] == "Deployment")
    deadline = time.monotonic() + READY_SECONDS
    while not _available(connection, deployment):
        if time.monotonic() > deadline:
            raise WriteError(
                f"not registered: no replica of {_name(deployment)} is ready after"
                f" {READY_SECONDS:g} s, and with failurePolicy Fail nothing could be changed in"
                " the cluster; `kubectl describe pods` there says why"
            )
        time.sleep(LOOK_SECONDS)


def _available(connection: Connection, deployment: Manifest) -> bool:
    try:
        live = connection.read(path_of(deployment))
    except RefusedError as refused:
        raise WriteError(f"{_name(deployment)}: {refused}") from refused
    status = mapping(live.get("status"))
    seen = status.get("observedGeneration") == mapping(live.get("metadata")).get("generation")
    return bool(seen and status.get("availableReplicas"))


def path_of(manifest: Manifest) -> str:
    """Where the API server keeps an object. Its kind is one whose plural is regular."""
    version, kind, metadata = manifest["apiVersion"], manifest["kind"], manifest["metadata"]
    word = kind.lower()
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    root = "apis" if "/" in version else "api"
    within = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"/{root}/{version}{within}/{plural}/{quote(metadata['name'], safe='')}"


def _name(manifest: Manifest) -> str:
    metadata = manifest["metadata"]
    return f"{manifest['kind']} " + "/".join(
        filter(None, (metadata.get("namespace"), metadata["name"]))
    )
