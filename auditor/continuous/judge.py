"""Audits one state of a cluster after the other, at the cost of what changed in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from auditor.audit import Bench, Sitting, audit, audit_changed, changes
from auditor.model import Audit, Settings, Snapshot


class Judge:
    """Who audits. Belongs to one thread.

    Args:
        settings: those for a version of the API server.
        version: tells which it is: see `auditor.continuous.version`.
    """

    def __init__(
        self, bench: Bench, settings: Callable[[int], Settings], version: Callable[[], int]
    ) -> None:
        self._bench = replace(bench, sitting=Sitting())
        self._settings = settings
        self._version = version
        self._last: Audit | None = None
        self._seen = Snapshot(())
        """What the last audit is of, as it was given."""

    @property
    def version(self) -> int:
        """The version that an audit would be for now."""
        return self._version()

    def audit(self, live: Snapshot) -> Audit:
        """The audit of the cluster as it is now: the one that `auditor audit` would give. Waivers
        are looked at anew each time, since some end with a day.
        """
        version = self.version
        now, settings = _of_version(live, version), self._settings(version)
        last, self._last = self._last, None  # what breaks down leaves nothing to go on from
        if last is None or (now.gaps, now.server) != (self._seen.gaps, self._seen.server):
            found = audit(now, self._bench, settings)
        else:
            changed = changes(self._seen, now)
            found = audit_changed(last, now, changed, self._bench, settings)
        self._last, self._seen = found, now
        return found


def _of_version(live: Snapshot, version: int) -> Snapshot:
    if live.server is None:
        return live
    return replace(live, server=replace(live.server, version=version))
