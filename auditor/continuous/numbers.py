"""What a continuous audit tells Prometheus: the numbers of the last audit, as `--format prometheus`
has them, and how fresh they are. No label is the name of an object.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from auditor.model import Audit
from auditor.reporters.prometheus import render
from auditor.reporters.view import View
from auditor.serving.metrics import Counter, Gauge, Labels
from auditor.values import dataclass

NAME = "auditor_watch"
PATIENCE_SECONDS = 600.0
"""An audit that lasts longer hangs, or the cluster is too large for the machine."""


class Followed(Protocol):
    """What is known of how fresh the cluster in memory is."""

    @property
    def unready(self) -> str:
        """Why it is not to be relied on; empty where there is no reason."""

    @property
    def ages(self) -> Mapping[str, float]:
        """By the kind, seconds since the API server was last heard of."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last audit that came to an end."""

    text: str
    """Its numbers, as Prometheus reads them."""
    at: float
    """When it ended, in seconds since the epoch."""
    seconds: float
    """How long it took."""


class Numbers:
    """Written by the one who audits, read by those who ask: what is read is replaced, never
    changed. What grows with time is kept as a moment of `time.monotonic`, and told as of the moment
    at which it is asked for: the one who audits may hang.

    Args:
        patience: for how many seconds a change may wait for the end of an audit before nobody
            should rely on the numbers.
    """

    def __init__(self, live: Followed, patience: float = PATIENCE_SECONDS) -> None:
        self._live = live
        self._patience = patience
        self._last: Last | None = None
        self._unaudited_since: float | None = None
        self._refused = 0
        self.running_since: float | None = None
        """When the audit began that goes on; None where none does."""
        self.broken = ""
        """Why the last audit came to no end; empty where it did."""
        self.leaving = False
        """Whether we are about to end."""
        self.audits = Counter(f"{NAME}_audits_total", "Audits that came to an end.")
        self.failures = Counter(f"{NAME}_audit_failures_total", "Audits that broke down.")
        self.written = Counter(f"{NAME}_reports_written_total", "PolicyReports written or deleted.")
        self.lost_logs = Counter(
            f"{NAME}_log_lines_lost_total", "Log lines that nobody took in time."
        )
        self.closed = Counter(
            f"{NAME}_connections_closed_total", "Connections that we closed, by why."
        )
        self._gauges = tuple(self._shown())

    def audited(self, audit: Audit, at: float, seconds: float) -> None:
        """An audit has come to its end."""
        self._last = Last(render(audit, View()), at, seconds)
        self.broken = ""
        self.audits.add()

    def failed(self, why: str) -> None:
        """An audit broke down: what was told before is no longer of the cluster as it is."""
        self.broken = why
        self.failures.add()

    def note(self, unaudited_since: float | None, refused: int) -> None:
        """When the oldest change came that is not audited, and how many reports the server
        refuses.
        """
        self._unaudited_since, self._refused = unaudited_since, refused

    @property
    def unready(self) -> str:
        """Why nobody should rely on the numbers; empty where there is no reason."""
        if self.leaving:
            return "shutting down"
        if self._last is None:
            return self._stale or "the cluster is not audited yet"
        return self._stale

    @property
    def _stale(self) -> str:
        """Why the numbers are not of the cluster as it is."""
        if why := self._live.unready or self.broken:
            return why
        waiting, running = _since(self._unaudited_since), _since(self.running_since)
        if waiting <= self._patience:
            return ""
        going_on = f", and the audit has been running for {running:.0f}" if running else ""
        return f"a change has been waiting to be audited for {waiting:.0f} seconds{going_on}"

    def text(self) -> str:
        """All of it, as Prometheus reads it."""
        counters = (self.audits, self.failures, self.written, self.lost_logs, self.closed)
        told: tuple[Counter | Gauge, ...] = (*counters, *self._gauges)
        own = "".join(f"{line}\n" for each in told for line in each.lines())
        return f"{self._last.text if self._last else ''}{own}"

    def _shown(self) -> tuple[Gauge, ...]:
        def last(of: str) -> Mapping[Labels, float]:
            return {(): getattr(self._last, of)} if self._last else {}

        def ages() -> Mapping[Labels, float]:
            return {(("kind", kind),): round(age, 1) for kind, age in self._live.ages.items()}

        return (
            Gauge(f"{NAME}_ready", "1 where the numbers can be relied on.", self._ready),
            Gauge(
                f"{NAME}_last_audit_timestamp_seconds",
                "When the last audit ended, in seconds since the epoch.",
                lambda: last("at"),
            ),
            Gauge(
                f"{NAME}_last_audit_seconds",
                "How long the last audit took.",
                lambda: last("seconds"),
            ),
            Gauge(
                f"{NAME}_unaudited_seconds",
                "For how long a change has been waiting to be audited.",
                lambda: {(): round(_since(self._unaudited_since), 1)},
            ),
            Gauge(
                f"{NAME}_audit_running_seconds",
                "For how long the audit that goes on has been running; 0 where none does.",
                lambda: {(): round(_since(self.running_since), 1)},
            ),
            Gauge(
                f"{NAME}_reports_refused",
                "PolicyReports that the API server does not take.",
                lambda: {(): self._refused},
            ),
            Gauge(
                f"{NAME}_unheard_seconds",
                "Since the API server was last heard of, by kind.",
                ages,
            ),
        )

    def _ready(self) -> Mapping[Labels, float]:
        return {(): not self.unready}


def _since(moment: float | None) -> float:
    """Seconds that have passed; 0 where nothing has begun."""
    return 0.0 if moment is None else time.monotonic() - moment
