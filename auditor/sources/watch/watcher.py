"""Keeps what a cluster holds current in memory, so that an admission request need not ask.

One thread for each kind lists once and then follows the server's events; the answers of the core
stay synchronous. What this module knows of the cluster, it asks `auditor.sources.cluster`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from types import TracebackType

from auditor.manifests import mapping
from auditor.memory import collector_paused
from auditor.model import Gap, Key, Manifest, Ref, Resource, Server, Snapshot
from auditor.sources.cluster import (
    Connection,
    Keep,
    Listing,
    RefusedError,
    gap_of,
    live_resource,
)
from auditor.sources.kinds import KINDS, Kind
from auditor.sources.watch.feed import Feed, Log, Stale
from auditor.sources.watch.ledger import Ledger
from auditor.sources.watch.shared import Shared
from auditor.sources.watch.shelf import WATCH_SECONDS, Shelf

STALE_SECONDS = 3 * WATCH_SECONDS
"""After so long without a word from the server, what we know of a kind is no longer believed."""
STOP_SECONDS = 2.0
"""How long to wait for all threads together: one that reads a list ends with the process."""
LONGEST_PAUSE = 60.0
"""Seconds; whoever asks for more is asked again all the same, well before anything is stale."""
_PAUSES = (0.2, 1.0, 2.0, 5.0, 10.0, 30.0)


class _BrokenError(RefusedError):
    """What broke is ours. Only its kind is told: the values in it may be secret."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"following it broke down ({type(error).__name__})")


class Watcher:
    """The live cluster, kept current by watches. Every method may be called from any thread.

    Kinds are followed each for itself, as any Kubernetes controller does: a snapshot shows each
    kind as it was at one moment, but not all at the same one.

    Args:
        keep: what of each object is held; all of it where nobody says.
        bounds: by the kind, after how many seconds without a word from the server what is known of
            it is too old for somebody.
    """

    def __init__(
        self,
        connection: Connection,
        kinds: tuple[Kind, ...] = KINDS,
        clock: Callable[[], float] = time.monotonic,
        *,
        keep: Keep | None = None,
        bounds: Mapping[str, Collection[int]] | None = None,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._keep = keep
        self._shared = Shared()
        self._shelves = {k: Shelf.of(k, (bounds or {}).get(k.kind, ())) for k in kinds}
        self._by_group_kind = {(s.kind.group, s.kind.kind): s for s in self._shelves.values()}
        self._ledger = Ledger()
        self._log = Log()
        self._stale: tuple[Stale, ...] = ()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
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
            return self._log.revision

    def age(self, kind: str) -> float:
        """Seconds since the server was last heard of about `kind`; infinite before the first list.

        Raises:
            KeyError: no such kind is watched.
        """
        with self._lock:
            heard = [s.heard for s in self._shelves.values() if s.kind.kind == kind]
            if not heard:
                raise KeyError(kind)
            return self._clock() - min(heard)

    @property
    def ages(self) -> dict[str, float]:
        """By the kind, seconds since the server was last heard of; of the kinds that it told of."""
        with self._lock:
            seen = {shelf.kind.kind for shelf in self._shelves.values() if shelf.listed}
            return {kind: self.age(kind) for kind in sorted(seen)}

    @property
    def stale(self) -> tuple[Stale, ...]:
        """The kinds of which nothing was heard for longer than somebody bears."""
        with self._lock:
            self._expire()
            return self._stale

    @property
    def unready(self) -> str:
        """Why nobody should be sent here; empty where there is no reason."""
        if unread := self.unread:
            return f"the cluster is not read yet: no {', '.join(unread)}"
        return "; ".join(each.why for each in self.stale)

    def snapshot(self) -> Snapshot:
        """The cluster as far as it was heard of: the same object until something changes."""
        with self._lock:
            self._expire()
            if self._snapshot is None:
                self._snapshot = Snapshot(tuple(self._resources()), self._gaps(), self._server)
            return self._snapshot

    def feed(self, since: int) -> Feed:
        """What changed after the revision `since`, at the cost of what changed; or everything,
        where that is too long ago or this watcher never had such a revision.
        """
        with self._lock:
            self._expire()
            changed = self._log.since(since)
            if changed is None:
                told = tuple(self._resources()), tuple[Ref, ...]()
            else:
                told = self._states(changed.values())
            return Feed(
                self._log.revision,
                changed is None,
                *told,
                self._gaps(),
                self._server,
                self._stale,
            )

    def remember(self, resource: Resource) -> None:
        """Believe in an object that was just admitted, until the server tells of it or for ten
        seconds: two requests that come together must not each overlook the other.
        """
        self._note(resource.ref, self._kept(resource))

    def forget(self, ref: Ref) -> None:
        """Believe that an object is gone whose deletion was just admitted; as `remember`."""
        self._note(ref, None)

    def _note(self, ref: Ref, resource: Resource | None) -> None:
        with self._lock:
            old = self._ledger.note(ref, resource, self._clock())
            self._touch(ref, *old)

    @property
    def believed(self) -> frozenset[Key]:
        """The objects of which we only know that they were admitted: the server did not tell."""
        with self._lock:
            self._expire()
            return frozenset(entry.ref.key for entry in self._ledger.entries())

    def _kept(self, resource: Resource) -> Resource:
        """What is held of an object, in memory that others like it share."""
        return self._shared.resource(self._keep(resource) if self._keep else resource)

    def _resources(self) -> list[Resource]:
        known: dict[Key, Resource] = {}
        for shelf in self._shelves.values():
            known.update(shelf.objects)
        for entry in self._ledger.entries():
            if entry.resource is not None:
                known[entry.ref.key] = entry.resource
            else:
                known.pop(entry.ref.key, None)
        return list(known.values())

    def _states(self, refs: Iterable[Ref]) -> tuple[tuple[Resource, ...], tuple[Ref, ...]]:
        """Those that are there now, and those that are not."""
        found = {ref: self._believed(ref) for ref in refs}
        there = tuple(resource for resource in found.values() if resource)
        return there, tuple(ref for ref, resource in found.items() if resource is None)

    def _believed(self, ref: Ref) -> Resource | None:
        entry = self._ledger.find(ref.key)
        if entry is not None:
            return entry.resource
        shelf = self._by_group_kind.get((ref.group, ref.kind))
        return shelf.objects.get(ref.key) if shelf else None

    def _gaps(self) -> tuple[Gap, ...]:
        return tuple(shelf.gap for shelf in self._shelves.values() if shelf.gap)

    def _expire(self) -> None:
        """Believe no longer in what was admitted long ago, nor in a kind that nobody tells of."""
        now = self._clock()
        if old := self._ledger.expire(now):
            self._touch(*old)
        late = ((s.kind.kind, s.exceeded(now)) for s in self._shelves.values())
        stale = tuple(Stale(kind, seconds) for kind, seconds in late if seconds)
        if stale != self._stale:
            self._stale = stale
            self._touch()
        for shelf in self._shelves.values():
            if shelf.listed and not shelf.gap and self._is_stale(shelf):
                silent = RefusedError(f"nothing was heard of it for {STALE_SECONDS} seconds")
                self._miss(shelf, gap_of(shelf.kind, silent))

    def _touch(self, *changed: Ref) -> None:
        """Everybody may see a change: of these objects, or of the gaps."""
        self._snapshot = None
        self._log.note(changed)

    def _follow(self, shelf: Shelf) -> None:
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
                asked = min(refused.retry_after or 0, LONGEST_PAUSE)
                self._stopping.wait(max(pause, asked))

    def _listed(self, shelf: Shelf) -> str:
        try:
            with collector_paused():
                listing = self._connection.list(shelf.kind, keep=self._kept)
        except RefusedError as refused:
            if not self._connection.lacks(shelf.kind, refused):
                raise
            listing = Listing((), "")
        self._take(shelf, listing.resources)
        if not listing.version:  # an extension that is not there may be installed later
            self._stopping.wait(shelf.watch_seconds)
        return listing.version

    def _take(self, shelf: Shelf, resources: Iterable[Resource]) -> None:
        """Take in a list: all that there is of a kind."""
        found = {resource.ref.key: resource for resource in resources}
        with self._lock:
            changed = shelf.replace(found)
            told = [r.ref for r in found.values() if self._ledger.heard(r, "MODIFIED")]
            if changed or told or not shelf.listed:
                self._touch(*changed, *told)
            shelf.listed = True
            self._heard(shelf)

    def _watched(self, shelf: Shelf, version: str) -> str:
        """Follow the events of one watch; the resourceVersion to go on from."""
        watch = self._connection.watch(shelf.kind, version, shelf.watch_seconds)
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
                resource = self._kept(live_resource(shelf.kind, item))
                self._apply(shelf, resource, str(event.get("type")))
            self._heard(shelf)
        self._heard(shelf)
        return version

    def _heard(self, shelf: Shelf) -> None:
        with self._lock:
            shelf.heard, shelf.refused = self._clock(), False
            if shelf.gap:
                shelf.gap = None
                self._touch()

    def _failed(self, shelf: Shelf, refused: RefusedError) -> None:
        """Say what cannot be seen. A kind that was seen before stays believed for a while."""
        with self._lock:
            lasting = refused.status in {401, 403, 404} or isinstance(refused, _BrokenError)
            if shelf.listed and not lasting and not self._is_stale(shelf):
                return
            shelf.refused = lasting
            self._miss(shelf, gap_of(shelf.kind, refused))

    def _is_stale(self, shelf: Shelf) -> bool:
        return self._clock() - shelf.heard >= STALE_SECONDS

    def _miss(self, shelf: Shelf, gap: Gap) -> None:
        if gap != shelf.gap:
            shelf.gap = gap
            self._touch()

    def _apply(self, shelf: Shelf, resource: Resource, event: str) -> None:
        with self._lock:
            told = self._ledger.heard(resource, event)
            if event == "DELETED":
                shelf.objects.pop(resource.ref.key, None)
                changed = True
            else:
                changed = shelf.put(resource)
            if changed or told:
                self._touch(resource.ref)


def _status(item: Manifest) -> int:
    code = item.get("code")
    return code if isinstance(code, int) else 0
