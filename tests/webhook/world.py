"""A small cluster, a small judge and the reviews that ask about them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from auditor.model import Audit, Finding, Policy, Ref, Resource, Severity, Snapshot
from auditor.sources.cluster import KINDS, live_resource

ROOT = Path(__file__).parents[2]
CONFORMANCE = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
CAPTURES = CONFORMANCE.parent / "captures" / "admission-1.36"

_BY_KIND = {kind.kind: kind for kind in KINDS}


def captures() -> list[Path]:
    """The recorded reviews; without them the test is skipped, or fails where CI=true."""
    found = sorted(CAPTURES.glob("*.json"))
    if not found:
        why = f"no recorded AdmissionReviews at {CAPTURES} (see AUDITOR_CONFORMANCE)"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return found


def _policy(name: str, severity: Severity) -> Policy:
    return Policy(
        id=name,
        title=name,
        description="",
        severity=severity,
        profile="essential",
        fix="none",
        kinds=("Pod", "Deployment"),
        facts=(),
        controls=(),
        equivalents=(),
        aliases=(),
        links=(),
        file=f"{name}.rego",
        module="",
    )


PRIVILEGED = _policy("workload/privileged_container", Severity.HIGH)
LATEST = _policy("image/latest", Severity.LOW)
OPEN = _policy("network/open_data", Severity.CRITICAL)


def judge(snapshot: Snapshot) -> Audit:
    """Privileged containers and images called latest; and pods with data that nothing guards."""
    findings = [finding for resource in snapshot.resources for finding in _of(resource, snapshot)]
    return Audit(snapshot, tuple(findings), snapshot.gaps, policies=(PRIVILEGED, LATEST, OPEN))


def _of(resource: Resource, snapshot: Snapshot) -> Iterator[Finding]:
    if resource.ref.kind not in {"Pod", "Deployment"}:
        return
    spec = resource.manifest["spec"]
    template = resource.manifest if resource.ref.kind == "Pod" else spec["template"]
    for key in ("containers", "initContainers", "ephemeralContainers"):
        for container in template["spec"].get(key) or ():
            name = container["name"]
            if (container.get("securityContext") or {}).get("privileged"):
                message = f"container '{name}' runs privileged"
                yield Finding(PRIVILEGED, resource.ref, ("spec",), name, message)
            if container.get("image", "").endswith(":latest"):
                message = f"container '{name}' runs whatever is latest"
                yield Finding(LATEST, resource.ref, ("spec",), name, message)
    if template["metadata"].get("labels", {}).get("data") == "pii" and not any(
        policy.ref.namespace == resource.ref.namespace
        for policy in snapshot.of_kind("NetworkPolicy")
    ):
        yield Finding(OPEN, resource.ref, ("metadata",), "", "anyone reaches these personal data")


def pod(name: str = "web", **changes: Any) -> dict[str, Any]:
    """The smallest Pod, in namespace shop, with changes to its only container."""
    container = {"name": "app", "image": "example.org/app:1.0", **changes}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-{name}"},
        "spec": {"containers": [container]},
    }


def privileged(name: str = "web") -> dict[str, Any]:
    """A Pod that runs privileged."""
    return pod(name, securityContext={"privileged": True})


def holding_data(name: str = "customers") -> dict[str, Any]:
    """A Pod that holds personal data."""
    manifest = pod(name)
    manifest["metadata"]["labels"] = {"data": "pii"}
    return manifest


def guard(name: str = "guard") -> dict[str, Any]:
    """A NetworkPolicy in namespace shop."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"podSelector": {}},
    }


def live(*manifests: dict[str, Any]) -> Snapshot:
    """A cluster that holds these."""
    return Snapshot(tuple(live_resource(_BY_KIND[m["kind"]], m) for m in manifests))


class Kept:
    """A cluster in memory that changes only by what was admitted."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.ready = True
        self._snapshot = snapshot

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def remember(self, resource: Resource) -> None:
        self._snapshot = self._snapshot.replacing(resource)

    def forget(self, ref: Ref) -> None:
        self._snapshot = self._snapshot.replacing(removing=[ref])


def request(
    manifest: Any, operation: str = "CREATE", old: Any = None, **changes: Any
) -> dict[str, Any]:
    """The `request` of an AdmissionReview about `manifest`, a Pod if it does not say."""
    shown = manifest if isinstance(manifest, dict) else old if isinstance(old, dict) else {}
    kind = _BY_KIND.get(shown.get("kind", "Pod"), _BY_KIND["Pod"])
    version = kind.api_version.rpartition("/")[2]
    metadata = shown.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": kind.group, "version": version, "kind": kind.kind},
        "resource": {"group": kind.group, "version": version, "resource": kind.plural},
        "name": metadata.get("name", ""),
        "namespace": "shop",
        "operation": operation,
        "userInfo": {"username": "alice"},
        "object": None if operation == "DELETE" else manifest,
        "oldObject": manifest if operation == "DELETE" else old,
        "dryRun": False,
        **changes,
    }


def review(*args: Any, version: str = "v1", **kwargs: Any) -> bytes:
    """A whole AdmissionReview as the API server sends it."""
    asked = request(*args, **kwargs)
    api_version = f"admission.k8s.io/{version}"
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": api_version, "request": asked})
