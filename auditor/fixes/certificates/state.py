"""What of a cluster a certificate holds: what the scheduler and the controllers read, and nothing
that could be a credential.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from auditor.facts.unwritten import unwritten
from auditor.facts.workloads import WORKLOAD_KINDS
from auditor.manifests import mapping
from auditor.model import Manifest, Ref, Resource, Snapshot
from auditor.values import dataclass

KINDS = frozenset(
    (
        *WORKLOAD_KINDS, "CSINode", "HorizontalPodAutoscaler", "LimitRange", "Namespace", "Node",
        "PersistentVolume", "PersistentVolumeClaim", "PodDisruptionBudget", "PriorityClass",
        "ResourceQuota", "RuntimeClass", "Service", "StorageClass",
    )
)  # fmt: skip
_METADATA = ("name", "namespace", "labels", "uid", "ownerReferences", "deletionTimestamp")
_OURS = "auditor/"
_UNREAD = frozenset(("env", "envFrom", "command", "args"))
"""What programs read of a container, and no scheduler."""


@dataclass(frozen=True, slots=True)
class State:
    """Objects as a certificate holds them."""

    objects: tuple[Manifest, ...]
    live: frozenset[int] = frozenset()
    """The places of those that were read from a cluster."""

    @classmethod
    def of(cls, snapshot: Snapshot) -> State:
        """What counts of a snapshot."""
        found = [resource for resource in snapshot.resources if resource.ref.kind in KINDS]
        live = frozenset(place for place, each in enumerate(found) if each.origin.live)
        return cls(tuple(reduced(each.manifest) for each in found), live)

    @property
    def digest(self) -> str:
        """``sha256:`` and the digest of the objects, whatever the order of their fields."""
        text = orjson.dumps(self.objects, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
        return f"sha256:{hashlib.sha256(text).hexdigest()}"

    def snapshot(self) -> Snapshot:
        """The objects as a snapshot."""
        resources = (
            resource_of(each, live=place in self.live) for place, each in enumerate(self.objects)
        )
        return Snapshot(tuple(resources))


def as_it_becomes(before: Snapshot, manifest: Manifest) -> Resource:
    """A changed object, live where the one before it is."""
    now = resource_of(manifest)
    old = before.find(now.ref)
    return resource_of(manifest, live=old is not None and old.origin.live)


def resource_of(manifest: Manifest, *, live: bool = False) -> Resource:
    """The object as a resource that stands in no file."""
    metadata = mapping(manifest.get("metadata"))
    names = (manifest.get("apiVersion"), manifest.get("kind"))
    version, kind = (name if isinstance(name, str) else "" for name in names)
    space, name = metadata.get("namespace") or "", metadata.get("name") or ""
    return unwritten(Ref(version, kind, str(space), str(name)), manifest, live=live)


def reduced(manifest: Manifest) -> Manifest:
    """The object without what neither scheduler nor controllers read."""
    metadata = mapping(manifest.get("metadata"))
    notes = mapping(metadata.get("annotations"))
    kept: dict[str, Any] = {key: metadata[key] for key in _METADATA if key in metadata}
    if ours := {key: value for key, value in notes.items() if str(key).startswith(_OURS)}:
        kept["annotations"] = ours
    return {**{key: _without(value) for key, value in manifest.items()}, "metadata": kept}


def _without(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(inside) for key, inside in value.items() if key not in _UNREAD}
    if isinstance(value, list):
        return [_without(inside) for inside in value]
    return value
