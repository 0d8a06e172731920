"""Edges from the API server: webhooks and extension servers behind a Service.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ (service
reference, port 443 where none is given), …/extend-kubernetes/api-extension/apiserver-aggregation/
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.dependencies.edges import CONFIDENCE, Edge, Evidence, Outsider
from auditor.facts.dependencies.told import Directory
from auditor.manifests import at, sequence
from auditor.model import Path, Resource, Snapshot

API_SERVER = Outsider("the API server")
HOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
HTTPS = 443


def hooks(snapshot: Snapshot, directory: Directory) -> Iterator[Edge]:
    """An edge for each Service that the API server asks."""
    for resource, path in _references(snapshot):
        service = at(resource.manifest, path)
        space, name = at(service, ("namespace",)), at(service, ("name",))
        port = at(service, ("port",))
        if not isinstance(space, str) or not isinstance(name, str):
            continue
        for target, ports in directory.behind_name(space, name, port or HTTPS):
            told = f"asks Service {space}/{name}"
            sure = CONFIDENCE[Evidence.WEBHOOK]
            yield Edge(API_SERVER, target, ports, Evidence.WEBHOOK, sure, told, resource.ref, path)


def _references(snapshot: Snapshot) -> Iterator[tuple[Resource, Path]]:
    for kind in HOOKS:
        for resource in snapshot.of_kind(kind):
            for index in range(len(sequence(resource.manifest.get("webhooks")))):
                yield resource, ("webhooks", index, "clientConfig", "service")
    for resource in snapshot.of_kind("APIService"):
        yield resource, ("spec", "service")
    for resource in snapshot.of_kind("CustomResourceDefinition"):
        yield resource, ("spec", "conversion", "webhook", "clientConfig", "service")
