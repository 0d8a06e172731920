"""Whoever answers says so; whoever comes back knows since when nobody did."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from auditor.sources.cluster import RefusedError
from auditor.webhook.attendance import Attendance
from auditor.webhook.outage import BEAT_SECONDS, OUTAGE_SECONDS

BEGAN = datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC)


class Lease:
    """What all replicas see."""

    def __init__(self, renewed: datetime | None = None) -> None:
        self.renewed = renewed
        self.holder = ""
        self.why = ""

    def last(self) -> datetime | None:
        if self.why:
            raise RefusedError(self.why, 403)
        return self.renewed

    def beat(self, now: datetime, holder: str) -> None:
        if self.why:
            raise RefusedError(self.why, 403)
        self.renewed, self.holder = now, holder


class Replica:
    """One replica, its clock and what it was told to judge."""

    def __init__(self, lease: Lease, name: str = "a") -> None:
        self.now = BEGAN
        self.ready = True
        self.judged: list[datetime] = []
        self.attendance = Attendance(
            lease, name, lambda: self.ready, self.judged.append, lambda: self.now
        )

    def tick(self, after: float = BEAT_SECONDS) -> None:
        """So many seconds later."""
        self.now += timedelta(seconds=after)
        self.attendance.tick()


def test_the_first_one_ever_missed_nothing() -> None:
    """There was nothing to miss."""
    lease = Lease()
    replica = Replica(lease)
    replica.tick(0)
    assert (replica.judged, lease.renewed, lease.holder) == ([], BEGAN, "a")


def test_after_an_outage_what_came_in_is_judged_once() -> None:
    """Not before this replica answers, or what comes in until then would be overlooked."""
    gone = BEGAN - timedelta(hours=1)
    lease = Lease(gone)
    replica = Replica(lease)
    replica.ready = False
    replica.tick()
    assert (replica.judged, lease.renewed) == ([], gone)
    replica.ready = True
    replica.tick()
    replica.tick()
    assert replica.judged == [gone]
    assert lease.renewed == replica.now


def test_while_others_answer_there_is_no_outage() -> None:
    """A rollout replaces one after the other."""
    lease = Lease()
    old, new = Replica(lease, "old"), Replica(lease, "new")
    old.tick()
    new.now = old.now
    new.tick()
    assert (new.judged, lease.holder) == ([], "new")


def test_a_replica_that_did_not_answer_for_a_while_asks_who_did() -> None:
    """Its watches were dead, say: if all were, that was an outage too."""
    lease = Lease()
    one, other = Replica(lease, "one"), Replica(lease, "other")
    one.tick(0)
    for replica in (one, other):
        replica.ready = False
        replica.tick(OUTAGE_SECONDS + 1)
        replica.ready = True
    one.tick()
    other.tick()
    assert (one.judged, other.judged) == ([BEGAN], [])


def test_what_may_not_be_written_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Until it may; serving goes on."""
    lease = Lease()
    lease.why = "forbidden: leases"
    replica = Replica(lease)
    with caplog.at_level(logging.WARNING):
        replica.tick()
        replica.tick()
        assert [r.message for r in caplog.records] == [
            "no sign of life can be given: forbidden: leases"
        ]
    lease.why = ""
    replica.tick()
    assert lease.renewed == replica.now


def test_the_thread_outlives_a_judgement_that_breaks(caplog: pytest.LogCaptureFixture) -> None:
    """And its message holds no value of any object."""
    lease, judged = Lease(datetime.now(UTC) - timedelta(hours=1)), threading.Event()

    def broken(_: datetime) -> None:
        judged.set()
        raise ValueError("hunter2")

    with (
        caplog.at_level(logging.WARNING),
        Attendance(lease, "a", lambda: True, broken) as attendance,
    ):
        assert judged.wait(10)
        for _ in range(1000):
            if "broke down" in caplog.text:
                break
            time.sleep(0.01)
        assert attendance._thread.is_alive()
    assert "hunter2" not in caplog.text
    assert "judging what came in broke down (ValueError)" in caplog.text
