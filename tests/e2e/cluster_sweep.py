"""Knows what a test may write to a cluster that is not thrown away, and cleans up after it."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .cluster_errors import NoClusterError
from .cluster_kubectl import Kubectl, Manifest

# What the cluster itself makes and removes beside the objects of people.
INCIDENTAL = {
    "APIService",
    "CSINode",
    "ControllerRevision",
    "EndpointSlice",
    "Endpoints",
    "Event",
    "IPAddress",
    "Lease",
}
GIVEN = {("ConfigMap", "kube-root-ca.crt"), ("ServiceAccount", "default")}
# Admission first, or it may forbid the rest; nodes after the pods that kwok ends on them.
FIRST = {
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
}


class Key(NamedTuple):
    """Which object. ``namespace`` is "" for what lives outside of namespaces."""

    api_version: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    def manifest(self) -> Manifest:
        """Enough of the object to delete it by."""
        place = {"namespace": self.namespace} if self.namespace else {}
        metadata = {"name": self.name, **place}
        return {"apiVersion": self.api_version, "kind": self.kind, "metadata": metadata}


def keys(kubectl: Kubectl, manifests: Iterable[Manifest]) -> list[Key]:
    """Which objects these are; a namespaced one without a namespace is in ``default``."""
    global_kinds = set(_global_kinds(kubectl))
    return [_key(each, global_kinds) for each in manifests]


def _key(manifest: Mapping[str, Any], global_kinds: Collection[tuple[str, str]]) -> Key:
    api_version, kind = manifest["apiVersion"], manifest["kind"]
    metadata = manifest["metadata"]
    placed = (_group(api_version), kind) not in global_kinds
    namespace = (metadata.get("namespace") or "default") if placed else ""
    return Key(api_version, kind, namespace, metadata["name"])


def _global_kinds(kubectl: Kubectl) -> Iterator[tuple[str, str]]:
    """Group and kind of everything that lives outside of namespaces."""
    lines = kubectl("api-resources", "--namespaced=false", "--no-headers").stdout.splitlines()
    for line in lines:
        api_version, _, kind = line.split()[-3:]
        yield _group(api_version), kind


def _group(api_version: str) -> str:
    return api_version.partition("/")[0] if "/" in api_version else ""


def admissible(
    kubectl: Kubectl, wanted: Collection[Key], ours: Collection[Key], *, nodes: bool
) -> None:
    """Raise NoClusterError unless a lent cluster may be given these objects.

    They must lie in namespaces of the test's own, must not be there already, and may be nodes only
    with ``nodes``.
    """
    if not nodes and any(each.kind == "Node" for each in wanted):
        raise NoClusterError(
            "the lent cluster may not be given nodes (AUDITOR_E2E_NODES=1 allows it)"
        )
    namespaces = {each.name for each in (*wanted, *ours) if each.kind == "Namespace"}
    for each in wanted:
        if each.namespace and each.namespace not in namespaces:
            raise NoClusterError(f"{each} is in a namespace of the lent cluster's own")
    new = [each.manifest() for each in wanted if not each.namespace and each not in ours]
    if new and (there := kubectl.items("get", "--ignore-not-found", "-f", "-", text=_list(new))):
        names = ", ".join(f"{each['kind']} {each['metadata']['name']}" for each in there)
        raise NoClusterError(f"the lent cluster has its own {names}")


def census(kubectl: Kubectl) -> frozenset[Key]:
    """Every object that somebody made: none that has an owner or that Kubernetes keeps itself."""
    kinds = kubectl("api-resources", "--verbs=list,delete", "-o", "name").stdout.split()
    manifests = [each for each in kubectl.items("get", ",".join(kinds), "-A") if _made(each)]
    return frozenset(keys(kubectl, manifests))


def _made(manifest: Manifest) -> bool:
    metadata, kind = manifest["metadata"], manifest["kind"]
    return not (
        kind in INCIDENTAL
        or (kind, metadata["name"]) in GIVEN
        or metadata.get("ownerReferences")
        or metadata.get("namespace", "").startswith("kube-")
        or metadata["name"].startswith("system:")
    )


def sweep(kubectl: Kubectl, unwanted: Collection[Key]) -> None:
    """Delete these objects and wait until they and all that they own are gone.

    Raises RefusedError when one of them is still there after a minute.
    """
    doomed = {each.name for each in unwanted if each.kind == "Namespace"}
    rest = [each for each in unwanted if each.namespace not in doomed]
    rounds = (
        [each for each in rest if each.kind in FIRST],
        [each for each in rest if each.namespace],
        [each for each in rest if each.kind == "Namespace"],
        [each for each in rest if not each.namespace and each.kind not in FIRST | {"Namespace"}],
    )
    flags = ("--ignore-not-found", "--cascade=foreground", "--timeout=60s")
    for group in filter(None, rounds):
        kubectl("delete", *flags, "-f", "-", text=_list([each.manifest() for each in group]))


def _list(manifests: list[Manifest]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
