"""While the glass is broken everything is let in, and told; and not for longer than was said."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from auditor.webhook.break_glass import BreakGlass, broken, let_in, moment
from auditor.webhook.breaking import ending, opening
from auditor.webhook.review import Decision, encode

BODY = orjson.dumps(
    {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {"uid": "u-1"}}
)


def glass(left: float, reason: str = "drill") -> BreakGlass:
    """One that holds for so many seconds."""
    now = time.time()
    return BreakGlass(moment(now), moment(now + left), reason)


def answered(answer: bytes | None, why: str = "", reason: str = "drill") -> dict[str, Any]:
    """The response in the place of `answer`."""
    made = let_in(BODY, answer, glass(600, reason), why)
    assert made is not None
    document: dict[str, Any] = orjson.loads(made)
    assert document["apiVersion"] == "admission.k8s.io/v1"
    response: dict[str, Any] = document["response"]
    assert response["uid"] == "u-1"
    assert response["allowed"] is True
    return response


def test_a_denial_becomes_a_warning_and_a_note() -> None:
    """The person reads why it would have been denied; the audit log keeps the whole of it."""
    decision = Decision(allowed=False, message="runs\nprivileged", annotations=(("a", "b"),))
    response = answered(encode("u-1", "admission.k8s.io/v1", decision))
    assert "status" not in response
    [warning] = response["warnings"]
    assert warning.startswith("let in by break-glass until ")
    assert "privileged" in warning
    assert warning.isprintable()
    notes = response["auditAnnotations"]
    assert notes["a"] == "b"
    assert notes["break-glass"].endswith(": drill")
    assert notes["break-glass-denied"] == "runs\\nprivileged"


def test_what_would_have_been_let_in_has_a_note_alone() -> None:
    """Its own warnings stay."""
    decision = Decision(allowed=True, warnings=("mind the gap",))
    response = answered(encode("u-1", "admission.k8s.io/v1", decision))
    assert response["warnings"] == ["mind the gap"]
    assert set(response["auditAnnotations"]) == {"break-glass"}


def test_what_could_not_be_judged_is_let_in_as_well() -> None:
    """That may be the very reason to break the glass."""
    response = answered(None, "the cluster cannot be judged")
    assert "not judged: the cluster cannot be judged" in response["warnings"][0]


def test_a_reason_of_others_cannot_break_the_answer() -> None:
    """Nor act on a terminal."""
    response = answered(None, "x", "\u202e" * 200 + "\n")
    assert len(response["warnings"][0]) <= 200
    assert response["warnings"][0].isprintable()
    assert response["auditAnnotations"]["break-glass"].isprintable()


@pytest.mark.parametrize(("seconds", "holds"), [(600.0, True), (-1.0, False), (25 * 3600.0, False)])
def test_it_holds_no_longer_than_was_said(seconds: float, holds: bool) -> None:
    """And for no more than a day, whatever was written."""
    assert BreakGlass("", moment(time.time() + seconds), "drill").holds is holds


def test_what_is_no_moment_holds_not_at_all() -> None:
    assert not BreakGlass("", "for ever", "drill").holds


def _applied(live: dict[str, Any], steps: list[Any]) -> dict[str, Any]:
    """What becomes of `live`: the two kinds of steps that are made."""
    webhooks = [dict(each) for each in live["webhooks"]]
    metadata = dict(live["metadata"])
    for step in steps:
        if step["path"] == "/metadata/annotations":
            metadata["annotations"] = step["value"]
        else:
            _, _, at, field = step["path"].split("/")
            webhooks[int(at)][field] = step["value"]
    return {**live, "metadata": metadata, "webhooks": webhooks}


def test_mending_gives_back_what_was() -> None:
    """Also when the glass was broken twice."""
    live: dict[str, Any] = {
        "metadata": {"name": "auditor", "annotations": {"a": "b"}},
        "webhooks": [
            {"name": "v", "failurePolicy": "Fail"},
            {"name": "w", "failurePolicy": "Ignore"},
        ],
    }
    once = _applied(live, opening(live, glass(60)))
    assert [each["failurePolicy"] for each in once["webhooks"]] == ["Ignore", "Ignore"]
    found = broken(once)
    assert found is not None
    assert found.reason == "drill"
    twice = _applied(once, opening(once, glass(600, "still")))
    assert _applied(twice, ending(twice)) == live
    assert broken(live) is None
