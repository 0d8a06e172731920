"""Whom the API server calls: webhooks, and the APIs that it passes on.

Rules: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/ and
k8s.io/kube-aggregator (APIService).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Ref, Resource, Snapshot
from auditor.values import dataclass

CALLING = (
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "CustomResourceDefinition",
    "APIService",
)


@dataclass(frozen=True, slots=True)
class Call:
    """That the API server calls a Service, and where that is said."""

    ref: Ref
    path: Path
    what: str
    """``an admission webhook``."""
    port: int


class Calls:
    """Whom the API server calls, by namespace and name of the Service. Filled when first asked."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def unseen(self) -> tuple[str, ...]:
        """The kinds that tell of calls and that the source of the snapshot does not look for."""
        server = self._snapshot.server
        return tuple(kind for kind in CALLING if server and kind not in server.kinds)

    @cached_property
    def by_service(self) -> Mapping[tuple[str, str], Sequence[Call]]:
        """The calls to each Service."""
        found: dict[tuple[str, str], list[Call]] = {}
        for resource in self._snapshot.of_kind(*CALLING):
            for what, path in _calling(resource):
                service = mapping(at(resource.manifest, path))
                port = service.get("port", 443)
                key = (str(service.get("namespace")), str(service.get("name")))
                if isinstance(port, int):
                    found.setdefault(key, []).append(Call(resource.ref, path, what, port))
        return found


def _calling(resource: Resource) -> Iterator[tuple[str, Path]]:
    """What a resource makes the API server call, and where it names the Service."""
    if resource.ref.kind == "APIService":
        yield "an API of its own", ("spec", "service")
    elif resource.ref.kind == "CustomResourceDefinition":
        yield "a conversion webhook", ("spec", "conversion", "webhook", "clientConfig", "service")
    else:
        for index, _ in enumerate(sequence(resource.manifest.get("webhooks"))):
            yield "an admission webhook", ("webhooks", index, "clientConfig", "service")
