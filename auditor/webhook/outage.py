"""Finds what came in while nobody judged: faults on objects that were written in an outage.

While no replica answers, a failurePolicy of Ignore lets everything in. Whoever comes back finds in
the heartbeat since when that was, and judges the cluster as it is. What an object looked like
before, nobody knows any more: told are the faults on what was written since. What was taken away, a
NetworkPolicy say, leaves no trace of its own; the audit tells its consequences, and not when they
came.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from auditor.declared import Admission, Mode
from auditor.model import Audit, Finding, Ref, Snapshot
from auditor.values import dataclass
from auditor.webhook.decide import modes_of

log = logging.getLogger(__name__)

BEAT_SECONDS = 15.0
"""How often each replica says that it answers."""
OUTAGE_SECONDS = 2 * BEAT_SECONDS
"""After so long without a word of any replica, there was an outage."""
MARGIN_SECONDS = 30.0
"""How far our clock and that of the API server may differ, and how long a write may take."""


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A fault on what was written while nobody judged."""

    finding: Finding
    mode: Mode
    """What would have become of the request."""
    written: tuple[Ref, ...]
    """What was written meanwhile, of all that the fault speaks of."""

    def fields(self, since: datetime) -> dict[str, Any]:
        """As it is logged, with names and without contents."""
        return {
            "since": since.astimezone(UTC).isoformat(timespec="seconds"),
            "policy": self.finding.policy.id,
            "object": str(self.finding.ref),
            "fingerprint": self.finding.fingerprint,
            "mode": self.mode.value,
            "written": [str(ref) for ref in self.written[:10]],
        }


def outage(last: datetime | None, now: datetime) -> datetime | None:
    """Since when nobody judged, by the last heartbeat; None where somebody did, or nobody ever
    was to.
    """
    if last is None or now - last < timedelta(seconds=OUTAGE_SECONDS):
        return None
    return last


def unjudged(live: Audit, since: datetime, terms: Admission) -> tuple[Unjudged, ...]:
    """The faults of the cluster on what was written after `since`, as far as they count."""
    limit = (since - timedelta(seconds=MARGIN_SECONDS)).astimezone(UTC)
    after = limit.isoformat(timespec="seconds").replace("+00:00", "Z")
    found = []
    for mode, finding in modes_of(live.open, terms):
        written = tuple(dict.fromkeys(_written(finding, live.snapshot, after)))
        if written:
            found.append(Unjudged(finding, mode, written))
    return tuple(found)


def tell(
    found: tuple[Unjudged, ...], since: datetime, count: Callable[[str], None] = lambda _: None
) -> None:
    """Log each, and count it by the id of its policy."""
    for each in found:
        log.warning("came in unjudged", extra={"fields": each.fields(since)})
        count(each.finding.policy.id)


def _written(finding: Finding, live: Snapshot, after: str) -> Iterator[Ref]:
    """What of all that the finding speaks of was written then. An object that does not tell when
    may have been: its history can be wiped by who writes it.
    """
    for ref in (finding.ref, *(reason.ref for reason in finding.evidence if reason.ref)):
        resource = live.find(ref)
        if resource and (not resource.origin.changed or resource.origin.changed >= after):
            yield ref
