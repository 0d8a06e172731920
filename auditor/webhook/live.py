"""The cluster as the webhook knows it: kept by the process that watches, mirrored by those that
judge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from auditor.model import Ref, Resource, Snapshot
from auditor.sources.watch.feed import Feed, Stale


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

    def feed(self, since: int) -> Feed:
        """What changed after the revision `since`, or all that there is where that is not known."""

    def remember(self, resource: Resource) -> None:
        """Note that an object was admitted."""

    def forget(self, ref: Ref) -> None:
        """Note that the deletion of an object was admitted."""


class Mirror:
    """A copy of a `Live` in another process."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(())
        """The cluster as it was last told of: the same value until it changes."""
        self.stale: tuple[Stale, ...] = ()
        """The kinds of which nothing was heard for longer than some policy bears."""

    def apply(self, feed: Feed) -> None:
        """Take over what is told."""
        self.stale = feed.stale
        if feed.whole:
            self.snapshot = Snapshot(feed.resources, feed.gaps, feed.server)
            return
        if feed.resources or feed.removed:
            self.snapshot = self.snapshot.replacing(*feed.resources, removing=feed.removed)
        if (feed.gaps, feed.server) != (self.snapshot.gaps, self.snapshot.server):
            self.snapshot = replace(self.snapshot, gaps=feed.gaps, server=feed.server)
