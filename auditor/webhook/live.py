"""The cluster as the webhook knows it: kept by the process that watches, mirrored by those that
judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from auditor.model import Key, Ref, Resource, Snapshot
from auditor.sources.watch.feed import Feed, Stale
from auditor.sources.watch.shared import Shared
from auditor.values import dataclass


class Live(Protocol):
    """The cluster as it is: `auditor.sources.watch.Watcher`, or anything that keeps a snapshot."""

    @property
    def ready(self) -> bool:
        """Whether everything was seen once."""

    @property
    def unread(self) -> tuple[str, ...]:
        """The lists that are still to be read for it."""

    @property
    def unready(self) -> str:
        """Why nobody should be sent here; empty where there is no reason."""

    @property
    def believed(self) -> frozenset[Key]:
        """What was admitted and the API server has not told of yet."""

    @property
    def ages(self) -> Mapping[str, float]:
        """By the kind, seconds since the API server was last heard of; those that were seen."""

    def feed(self, since: int) -> Feed:
        """What changed after the revision `since`, or all that there is where that is not known."""

    def remember(self, resource: Resource) -> None:
        """Note that an object was admitted."""

    def forget(self, ref: Ref) -> None:
        """Note that the deletion of an object was admitted."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that was let in, by whomever of those that judge."""

    ref: Ref
    added: frozenset[str]
    """The fingerprints of the faults that it was told to add."""


@dataclass(frozen=True, slots=True)
class News:
    """What one that judges is told between two reviews."""

    feed: Feed
    admitted: tuple[Admitted, ...] = ()
    """What was let in since the last news; the feed may show it already."""
    believed: frozenset[Key] | None = None
    """What the API server has not told of; None where nothing is to be confirmed now."""


class Mirror:
    """A copy of a `Live` in another process."""

    def __init__(self) -> None:
        self._objects: dict[Key, Resource] = {}
        self._shared = Shared()
        self.snapshot = Snapshot(())
        """The cluster as it was last told of: the same value until it changes."""
        self.stale: tuple[Stale, ...] = ()
        """The kinds of which nothing was heard for longer than some policy bears."""

    def apply(self, feed: Feed) -> None:
        """Take over what is told."""
        self.stale = feed.stale
        if feed.whole:  # equal parts of it are one value already: it comes from one that shares
            self._objects = {each.ref.key: each for each in feed.resources}
        else:
            self._objects.update(
                (each.ref.key, self._shared.resource(each)) for each in feed.resources
            )
        for ref in feed.removed:
            self._objects.pop(ref.key, None)
        if feed.whole or feed.resources or feed.removed:
            self.snapshot = self._now(feed)
        elif (feed.gaps, feed.server) != (self.snapshot.gaps, self.snapshot.server):
            self.snapshot = replace(self.snapshot, gaps=feed.gaps, server=feed.server)

    def _now(self, feed: Feed) -> Snapshot:
        snapshot = Snapshot(tuple(self._objects.values()), feed.gaps, feed.server)
        vars(snapshot)["by_key"] = dict(self._objects)  # which it would make one by one
        return snapshot
