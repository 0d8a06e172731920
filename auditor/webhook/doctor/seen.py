"""What the doctor looks at: files, or a live cluster and the servers that its webhooks call."""

from __future__ import annotations

import os
import socket
import ssl
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from auditor.manifests import mapping, sequence
from auditor.model import Snapshot
from auditor.sources.cluster import Connection, RefusedError
from auditor.sources.kinds import ADMISSION
from auditor.values import dataclass
from auditor.webhook.doctor.hooks import Around, Hook, Manifest, hooks_of, labels_of

Counted = Counter[tuple[str, str]]
"""By namespace and name of a Service."""
CALL_SECONDS = 3.0
PAGE = "500"
NAMESPACES = "/api/v1/namespaces"
SERVICES = "/api/v1/services"
SLICES = "/apis/discovery.k8s.io/v1/endpointslices"
SERVICE_LABEL = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Seen:
    """Webhooks and what is around them."""

    hooks: tuple[Hook, ...]
    around: Around
    unseen: tuple[str, ...] = ()
    """What could not be looked at, and why."""
    uncalled: tuple[str, ...] = ()
    """Servers that cannot be called from here: the API server may well reach them."""


def in_files(snapshot: Snapshot) -> Seen:
    """What manifests say. A Service or a namespace that is not there may be elsewhere."""
    kinds = [kind.kind for kind in ADMISSION]
    configurations = [each.manifest for each in snapshot.of_kind(*kinds)]
    around = Around(
        {each.ref.name: labels_of(each.manifest) for each in snapshot.of_kind("Namespace")},
        {(s.ref.namespace, s.ref.name): s.manifest for s in snapshot.of_kind("Service")},
    )
    unseen = tuple(
        f"{gap.what}: {gap.why}" for gap in snapshot.gaps if gap.severity == "incomplete"
    )
    return Seen(tuple(hooks_of(configurations)), around, unseen)


def in_cluster(connection: Connection) -> Seen:
    """What a cluster holds.

    The lists of webhooks must be readable; of the others, each that is not takes its checks away.
    """
    unseen: list[str] = []
    configurations = [
        {**each, "kind": kind.kind}
        for kind in ADMISSION
        for each in _listed(connection, kind.path, unseen)
    ]
    hooks = tuple(hooks_of(configurations))
    known = len(unseen)
    namespaces = {_name(each): labels_of(each) for each in _listed(connection, NAMESPACES, unseen)}
    services = {_key(each): each for each in _listed(connection, SERVICES, unseen)}
    whole = len(unseen) == known
    known = len(unseen)
    slices = _listed(connection, SLICES, unseen)
    ready, coming = _endpoints(slices)
    served, uncalled = called(hooks)
    listed = ready if len(unseen) == known else None
    around = Around(namespaces, services, listed, coming, whole, served)
    return Seen(hooks, around, tuple(unseen), uncalled)


def _listed(connection: Connection, path: str, unseen: list[str]) -> list[Manifest]:
    found: list[Manifest] = []
    query: dict[str, str] = {"limit": PAGE}
    try:
        while True:
            answer = connection.read(path, query)
            found.extend(mapping(each) for each in sequence(answer.get("items")))
            more = mapping(answer.get("metadata")).get("continue")
            if not more:
                return found
            query = {"limit": PAGE, "continue": str(more)}
    except RefusedError as refused:
        unseen.append(f"list of {path.rpartition('/')[2]}: {refused}")
        return []


def _name(manifest: Manifest) -> str:
    return str(mapping(manifest.get("metadata")).get("name"))


def _key(manifest: Manifest) -> tuple[str, str]:
    return str(mapping(manifest.get("metadata")).get("namespace")), _name(manifest)


def _endpoints(slices: Iterable[Manifest]) -> tuple[Counted, Counted]:
    """How many endpoints are ready, and how many are not; one that does not say is, as for
    kube-proxy.
    """
    ready, coming = Counted(), Counted()
    for each in slices:
        namespace = str(mapping(each.get("metadata")).get("namespace"))
        endpoints = [mapping(one) for one in sequence(each.get("endpoints"))]
        some = sum(mapping(one.get("conditions")).get("ready") is not False for one in endpoints)
        key = namespace, labels_of(each).get(SERVICE_LABEL, "")
        ready[key] += some
        coming[key] += len(endpoints) - some
    return ready, coming


def called(
    hooks: Sequence[Hook],
) -> tuple[dict[tuple[str, str, str], str], tuple[str, ...]]:
    """Why what the servers show is not believed, by the key of the webhook and empty where it is;
    and those that cannot be called.
    """
    inside = "KUBERNETES_SERVICE_HOST" in os.environ
    told: dict[tuple[str, str, str], str] = {}
    uncalled: dict[str, None] = {}
    for hook in hooks:
        if hook.trust is None or not hook.host:
            continue
        try:
            if hook.service and not inside:
                raise OSError("a Service is called from inside the cluster alone")
            told[hook.key] = _believed(hook)
        except (OSError, ValueError) as error:  # a ValueError of a name that can be no host
            uncalled[f"{hook.host}: {error}"] = None
    return told, tuple(uncalled)


def _believed(hook: Hook) -> str:
    """Why the certificate that the server shows is not believed, empty where it is.

    Raises:
        OSError: the server cannot be reached.
    """
    assert hook.trust is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=hook.trust.bundle.decode("ascii"))
    except (ssl.SSLError, ValueError):
        return ""  # said already, of the bundle itself
    where = (hook.host, _port(hook))
    with socket.create_connection(where, timeout=CALL_SECONDS) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=hook.host):
                return ""
        except ssl.SSLCertVerificationError as error:
            return str(error.verify_message)


def _port(hook: Hook) -> int:
    from urllib.parse import urlsplit

    said: Any
    if hook.service:
        said = hook.service.get("port", 443)
        return said if isinstance(said, int) else 443
    try:
        return urlsplit(str(hook.client.get("url"))).port or 443
    except ValueError:
        return 443
