"""What is known of one kind of objects, and when two states of an object are the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field

from auditor.manifests import mapping
from auditor.model import Gap, Key, Manifest, Ref, Resource
from auditor.sources.cluster import Watch
from auditor.sources.kinds import Kind
from auditor.values import dataclass

WATCH_SECONDS = 60
"""How long one watch lasts where nobody needs to know sooner that it is alive."""
SIGNS_OF_LIFE = 3
"""So many watches fit within a bound: one that fails is no reason to distrust the others."""


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
    refused: bool = False
    """Whether the server denies it to us: then it is a gap, and no longer a matter of time."""
    bounds: tuple[int, ...] = ()
    """After how many seconds without a word it is too old for somebody, ascending."""
    watch_seconds: int = WATCH_SECONDS
    """How long one watch lasts. Its end and its renewal are a sign of life where nothing happens:
    some fit within the tightest bound.
    """

    @classmethod
    def of(cls, kind: Kind, bounds: Iterable[int]) -> Shelf:
        """An empty one."""
        known = tuple(sorted(bounds))
        tightest = known[0] // SIGNS_OF_LIFE if known else WATCH_SECONDS
        return cls(kind, bounds=known, watch_seconds=max(1, min(WATCH_SECONDS, tightest)))

    def exceeded(self, now: float) -> int:
        """The longest bound that is exceeded; 0 for none."""
        if not self.listed or self.refused:
            return 0
        return max((bound for bound in self.bounds if now - self.heard >= bound), default=0)

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
