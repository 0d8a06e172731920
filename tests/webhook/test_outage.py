"""What came in while nobody judged is found by whoever comes back."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from auditor.declared import Admission, Mode
from auditor.serving.logs import Lines
from auditor.webhook.outage import OUTAGE_SECONDS, outage, tell, unjudged

from .world import court, guard, holding_data, live, privileged

GONE = datetime(2026, 11, 1, 10, 0, 0, tzinfo=UTC)
TERMS = Admission(Mode.DENY)
PRIVILEGED, ISOLATED = "workload/privileged_container", "data/personal_data_not_isolated"


def _written(manifest: dict[str, Any], *entries: tuple[str, str]) -> dict[str, Any]:
    """The object with what the server notes: who wrote which part when."""
    fields = [
        {"manager": "kubectl", "operation": "Update", "time": time, "subresource": part}
        if part
        else {"manager": "kubectl", "operation": "Update", "time": time}
        for part, time in entries
    ]
    return {**manifest, "metadata": {**manifest["metadata"], "managedFields": fields}}


def _found(*manifests: dict[str, Any], terms: Admission = TERMS) -> list[tuple[str, str]]:
    found = unjudged(court().live(live(*manifests)), GONE, terms)
    return [(each.finding.policy.id, each.finding.ref.name) for each in found]


def test_faults_on_what_was_written_since_are_told() -> None:
    """And not those that were there before, whatever the kubelet has written about them."""
    old = ("", "2026-11-01T09:00:00Z")
    assert _found(
        _written(privileged("old"), old),
        _written(privileged("busy"), old, ("status", "2026-11-01T10:30:00Z")),
        _written(privileged("new"), ("", "2026-11-01T10:05:00Z")),
        _written(privileged("edited"), old, ("", "2026-11-01T10:05:00Z")),
        _written(privileged("scaled"), old, ("scale", "2026-11-01T10:05:00Z")),
    ) == [(PRIVILEGED, "edited"), (PRIVILEGED, "new"), (PRIVILEGED, "scaled")]


def test_clocks_differ() -> None:
    """What was written just before the last heartbeat may have been written after it."""
    assert _found(_written(privileged(), ("", "2026-11-01T09:59:40Z"))) == [(PRIVILEGED, "web")]


def test_an_object_that_does_not_tell_is_told() -> None:
    """Who writes an object can have the server forget who wrote it."""
    assert _found(privileged("wiped")) == [(PRIVILEGED, "wiped")]


def test_only_what_counts_is_told() -> None:
    """By the terms of admission."""
    new = _written(privileged(), ("", "2026-11-01T10:05:00Z"))
    assert _found(new, terms=Admission(Mode.DENY, fail_on=TERMS.fail_on.CRITICAL)) == []


def test_each_is_logged_with_names_alone(caplog: pytest.LogCaptureFixture) -> None:
    """For whoever collects logs and figures."""
    new = _written(holding_data(), ("", "2026-11-01T10:05:00Z"))
    counted: list[str] = []
    with caplog.at_level(logging.WARNING):
        found = unjudged(court().live(live(new)), GONE, TERMS)
        tell(found, GONE, counted.append)
    (line,) = (orjson.loads(Lines().format(record)) for record in caplog.records)
    assert {key: line[key] for key in line.keys() - {"time", "level", "logger"}} == {
        "message": "came in unjudged",
        "since": "2026-11-01T10:00:00+00:00",
        "policy": ISOLATED,
        "object": "shop/customers[Pod]",
        "fingerprint": found[0].finding.fingerprint,
        "mode": "deny",
        "written": ["shop/customers[Pod]"],
    }
    assert counted == [ISOLATED]
    assert _found(new, guard()) == []


@pytest.mark.parametrize(
    ("silence", "gone"), [(None, False), (0, False), (OUTAGE_SECONDS - 1, False), (600, True)]
)
def test_an_outage_is_when_nobody_gave_a_sign(silence: float | None, gone: bool) -> None:
    """While one replica starts, others answer; and whoever starts first missed nothing."""
    last = None if silence is None else GONE
    now = GONE + timedelta(seconds=silence or 0)
    assert outage(last, now) == (GONE if gone else None)
