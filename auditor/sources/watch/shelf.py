"""What is known of one kind of objects, and when two states of an object are the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from auditor.manifests import mapping
from auditor.model import Gap, Key, Manifest, Ref, Resource
from auditor.sources.cluster import Watch
from auditor.sources.kinds import Kind


@dataclass(slots=True)
class Shelf:
    """What is known of one kind. Belongs to whoever holds the watcher's lock."""

    kind: Kind
    objects: dict[Key, Resource] = field(default_factory=dict)
    gap: Gap | None = None
    listed: bool = False
    heard: float = float("-inf")
    """When the server was last heard of (monotonic)."""
    watch: Watch | None = None

    def put(self, resource: Resource) -> bool:
        """Take in a state of an object; whether it differs from the one that was there.

        Where it does not, the old value stays: who computed something from it may keep that.
        """
        old = self.objects.get(resource.ref.key)
        if old is not None and same_manifest(old.manifest, resource.manifest):
            return False
        self.objects[resource.ref.key] = resource
        return True

    def replace(self, found: Mapping[Key, Resource]) -> list[Ref]:
        """Take in a whole list; what differs from before."""
        gone = [resource.ref for key, resource in self.objects.items() if key not in found]
        for ref in gone:
            del self.objects[ref.key]
        return [*gone, *(resource.ref for resource in found.values() if self.put(resource))]


def same_manifest(one: Manifest, other: Manifest) -> bool:
    """Whether two states of an object differ in nothing but the resourceVersion."""
    return _unversioned(one) == _unversioned(other)


def _unversioned(manifest: Manifest) -> Manifest:
    metadata = mapping(manifest.get("metadata"))
    kept = {key: value for key, value in metadata.items() if key != "resourceVersion"}
    return {**manifest, "metadata": kept}
