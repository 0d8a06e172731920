"""Audits of the live cluster, kept from one request to the next.

A request changes one object; what it changes is all that should have to be judged.
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.model import Audit, Ref, Snapshot

Judge = Callable[[Snapshot], Audit]
"""The audit of a snapshot."""
Rejudge = Callable[[Audit, Snapshot, tuple[Ref, ...]], Audit]
"""The audit of a snapshot that differs in these objects from the one that was audited."""


class Court:
    """Who judges. Belongs to one thread."""

    def __init__(self, judge: Judge, rejudge: Rejudge | None = None) -> None:
        self._judge = judge
        self._rejudge = rejudge
        self._live: Audit | None = None

    def live(self, snapshot: Snapshot) -> Audit:
        """The audit of the live cluster: asked once for each state of it, and where we can,
        only about what changed since the last one.
        """
        if self._live is None:
            self._live = self._judge(snapshot)
        elif self._live.snapshot is not snapshot:
            changed = changes(self._live.snapshot, snapshot)
            anew = snapshot.gaps != self._live.snapshot.gaps
            self._live = self._judge(snapshot) if anew else self._again(snapshot, changed)
        return self._live

    def supposing(self, before: Audit, after: Snapshot, *changed: Ref) -> Audit:
        """The audit of a cluster that differs from the one audited in `before` in these objects."""
        return self._rejudge(before, after, changed) if self._rejudge else self._judge(after)

    def _again(self, snapshot: Snapshot, changed: tuple[Ref, ...]) -> Audit:
        assert self._live is not None
        if self._rejudge is None:
            return self._judge(snapshot)
        return self._rejudge(self._live, snapshot, changed)


def changes(before: Snapshot, after: Snapshot) -> tuple[Ref, ...]:
    """The objects that were added, replaced or removed between two snapshots of one watcher,
    which keeps the very same value of whatever did not change.
    """
    old, new = before.by_key, after.by_key
    removed = [resource.ref for key, resource in old.items() if key not in new]
    return (*(r.ref for key, r in new.items() if old.get(key) is not r), *removed)
