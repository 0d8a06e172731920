"""Keeps what a cluster holds current in memory, so that an admission request need not ask.

One thread for each kind lists once and then follows the server's events; the answers of the core
stay synchronous. What this module knows of the cluster, it asks `auditor.sources.cluster`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

from auditor.manifests import mapping
from auditor.memory import collector_paused
from auditor.model import Gap, Key, Manifest, Ref, Resource, Server, Snapshot
from auditor.sources.cluster import (
    Connection,
    Listing,
    RefusedError,
    Watch,
    gap_of,
    live_resource,
)
from auditor.sources.kinds import KINDS, Kind

WATCH_SECONDS = 60
"""How long one watch lasts. Its end and its renewal are a sign of life where nothing happens."""
STALE_SECONDS = 3 * WATCH_SECONDS
"""After so long without a word from the server, what we know of a kind is no longer believed."""
REMEMBER_SECONDS = 10.0
"""How long an admitted object is believed in before the server has told of it."""
STOP_SECONDS = 2.0
"""How long to wait for all threads together: one that reads a list ends with the process."""
_PAUSES = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class _Shelf:
    """What is known of one kind."""

    kind: Kind
    objects: dict[Key, Resource] = field(default_factory=dict)
    gap: Gap | None = None
    listed: bool = False
    heard: float = float("-inf")
    """When the server was last heard of (monotonic)."""
    watch: Watch | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    """An object that was admitted, or None for one whose deletion was, until the server tells."""

    resource: Resource | None
    until: float


class _BrokenError(RefusedError):
    """What broke is ours. Only its kind is told: the values in it may be secret."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"following it broke down ({type(error).__name__})")


class Watcher:
    """The live cluster, kept current by watches. Every method may be called from any thread.

    Kinds are followed each for itself, as any Kubernetes controller does: a snapshot shows each
    kind as it was at one moment, but not all at the same one.
    """

    def __init__(
        self,
        connection: Connection,
        kinds: tuple[Kind, ...] = KINDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._shelves = {kind: _Shelf(kind) for kind in kinds}
        self._memories: dict[Key, _Memory] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._revision = 0
        self._snapshot: Snapshot | None = None
        self._server = Server(0, frozenset(kind.kind for kind in kinds))

    def start(self) -> None:
        """Begin to list and to watch, in threads that end with the process."""
        for shelf in self._shelves.values():
            name = f"watch-{shelf.kind.plural}"
            thread = threading.Thread(target=self._follow, args=(shelf,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End all watches; what was seen can still be asked for."""
        self._stopping.set()
        with self._lock:
            watches = [shelf.watch for shelf in self._shelves.values() if shelf.watch]
        for watch in watches:
            watch.stop()
        end = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 0))

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def ready(self) -> bool:
        """Whether every list was read to its end, or is known to be a gap."""
        return not self.unread

    @property
    def unread(self) -> tuple[str, ...]:
        """The lists that are still to be read for that."""
        with self._lock:
            return tuple(s.kind.what for s in self._shelves.values() if not (s.listed or s.gap))

    @property
    def revision(self) -> int:
        """A number that grows with each change of what `snapshot` shows."""
        with self._lock:
            self._expire()
            return self._revision

    def age(self, kind: str) -> float:
        """Seconds since the server was last heard of about `kind`; infinite before the first list.

        Raises:
            KeyError: no such kind is watched.
        """
        with self._lock:
            shelf = next((s for s in self._shelves.values() if s.kind.kind == kind), None)
            if shelf is None:
                raise KeyError(kind)
            return self._clock() - shelf.heard

    def snapshot(self) -> Snapshot:
        """The cluster as far as it was heard of: the same object until something changes."""
        with self._lock:
            self._expire()
            if self._snapshot is None:
                self._snapshot = Snapshot(tuple(self._resources()), self._gaps(), self._server)
            return self._snapshot

    def remember(self, resource: Resource) -> None:
        """Believe in an object that was just admitted, until the server tells of it or for ten
        seconds: two requests that come together must not each overlook the other.
        """
        self._recall(resource.ref, resource)

    def forget(self, ref: Ref) -> None:
        """Believe that an object is gone whose deletion was just admitted; as `remember`."""
        self._recall(ref, None)

    def _recall(self, ref: Ref, resource: Resource | None) -> None:
        with self._lock:
            self._memories[ref.key] = _Memory(resource, self._clock() + REMEMBER_SECONDS)
            self._touch()

    def _resources(self) -> list[Resource]:
        known: dict[Key, Resource] = {}
        for shelf in self._shelves.values():
            known.update(shelf.objects)
        for key, memory in self._memories.items():
            if memory.resource is not None:
                known[key] = memory.resource
            else:
                known.pop(key, None)
        return list(known.values())

    def _gaps(self) -> tuple[Gap, ...]:
        return tuple(shelf.gap for shelf in self._shelves.values() if shelf.gap)

    def _expire(self) -> None:
        """Believe no longer in what was admitted long ago, nor in a kind that nobody tells of."""
        now = self._clock()
        for key in [key for key, memory in self._memories.items() if memory.until <= now]:
            del self._memories[key]
            self._touch()
        for shelf in self._shelves.values():
            if shelf.listed and not shelf.gap and self._is_stale(shelf):
                silent = RefusedError(f"nothing was heard of it for {STALE_SECONDS} seconds")
                self._miss(shelf, gap_of(shelf.kind, silent))

    def _touch(self) -> None:
        self._revision += 1
        self._snapshot = None

    def _follow(self, shelf: _Shelf) -> None:
        """List, then watch, then watch again; list anew wherever the thread was lost."""
        failures, version = 0, ""
        while not self._stopping.is_set():
            try:
                version = self._watched(shelf, version) if version else self._listed(shelf)
                failures = 0
            except Exception as error:  # noqa: BLE001 - without its thread, a kind never changes
                version = ""  # the server that comes back may have another past: list anew
                refused = error if isinstance(error, RefusedError) else _BrokenError(error)
                if refused.status != 410:
                    self._failed(shelf, refused)
                pause = _PAUSES[min(failures, len(_PAUSES) - 1)]
                failures += 1
                self._stopping.wait(max(pause, refused.retry_after or 0))

    def _listed(self, shelf: _Shelf) -> str:
        try:
            with collector_paused():
                listing = self._connection.list(shelf.kind)
        except RefusedError as refused:
            if not self._connection.lacks(shelf.kind, refused):
                raise
            listing = Listing((), "")
        found = {resource.ref.key: resource for resource in listing.resources}
        with self._lock:
            same = shelf.listed and _equal(shelf.objects, found)
            shelf.objects, shelf.listed, shelf.heard = found, True, self._clock()
            if not same or shelf.gap:
                shelf.gap = None
                self._touch()
        if not listing.version:  # an extension that is not there may be installed later
            self._stopping.wait(WATCH_SECONDS)
        return listing.version

    def _watched(self, shelf: _Shelf, version: str) -> str:
        """Follow the events of one watch; the resourceVersion to go on from."""
        watch = self._connection.watch(shelf.kind, version, WATCH_SECONDS)
        with self._lock:
            shelf.watch = watch
        if self._stopping.is_set():
            watch.stop()
        self._heard(shelf)
        for event in watch:
            item = mapping(event.get("object"))
            if event.get("type") == "ERROR":
                raise RefusedError(str(item.get("message")), _status(item))
            version = str(mapping(item.get("metadata")).get("resourceVersion") or version)
            if event.get("type") != "BOOKMARK":
                self._apply(shelf, live_resource(shelf.kind, item), str(event.get("type")))
            self._heard(shelf)
        self._heard(shelf)
        return version

    def _heard(self, shelf: _Shelf) -> None:
        with self._lock:
            shelf.heard = self._clock()
            if shelf.gap:
                shelf.gap = None
                self._touch()

    def _failed(self, shelf: _Shelf, refused: RefusedError) -> None:
        """Say what cannot be seen. A kind that was seen before stays believed for a while."""
        with self._lock:
            lasting = refused.status in {401, 403, 404} or isinstance(refused, _BrokenError)
            if shelf.listed and not lasting and not self._is_stale(shelf):
                return
            self._miss(shelf, gap_of(shelf.kind, refused))

    def _is_stale(self, shelf: _Shelf) -> bool:
        return self._clock() - shelf.heard >= STALE_SECONDS

    def _miss(self, shelf: _Shelf, gap: Gap) -> None:
        if gap != shelf.gap:
            shelf.gap = gap
            self._touch()

    def _apply(self, shelf: _Shelf, resource: Resource, event: str) -> None:
        key = resource.ref.key
        with self._lock:
            old = shelf.objects.get(key)
            remembered = self._memories.get(key)
            superseded = bool(remembered and _supersedes(resource, event, remembered))
            if superseded:
                del self._memories[key]
            if event == "DELETED":
                shelf.objects.pop(key, None)
            elif old is None or not same_manifest(old.manifest, resource.manifest):
                shelf.objects[key] = resource
            elif not superseded:
                return
            self._touch()


def same_manifest(one: Manifest, other: Manifest) -> bool:
    """Whether two states of an object differ in nothing but the resourceVersion."""
    return _unversioned(one) == _unversioned(other)


def _unversioned(manifest: Manifest) -> Manifest:
    metadata = mapping(manifest.get("metadata"))
    kept = {key: value for key, value in metadata.items() if key != "resourceVersion"}
    return {**manifest, "metadata": kept}


def _equal(one: Mapping[Key, Resource], other: Mapping[Key, Resource]) -> bool:
    return one.keys() == other.keys() and all(
        same_manifest(one[key].manifest, other[key].manifest) for key in one
    )


def _supersedes(resource: Resource, event: str, memory: _Memory) -> bool:
    """Whether an event tells of a state at least as new as the one that was admitted.

    An event may have been under way already when the request came.
    """
    if memory.resource is None:
        return event in {"DELETED", "ADDED"}
    told, believed = (mapping(r.manifest.get("metadata")) for r in (resource, memory.resource))
    if told.get("uid") != believed.get("uid"):
        return event != "DELETED"  # another object of that name is there, so this one is not
    return event == "DELETED" or _generation(told) >= _generation(believed)


def _generation(metadata: Manifest) -> int:
    generation = metadata.get("generation")
    return generation if isinstance(generation, int) else 0


def _status(item: Manifest) -> int:
    code = item.get("code")
    return code if isinstance(code, int) else 0
