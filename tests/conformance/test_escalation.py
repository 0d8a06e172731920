"""Attempts to gain rights at a real API server 1.36: 344 recorded, half of them here.

What was refused for want of rights is no path of ours; what was done and reaches rights that the
objects of the case did not give is one that we name. `escalation.yaml` says of each case which it
is, and why.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts import Facts
from auditor.facts.access.subjects import Subject
from auditor.facts.escalation import Escalation, Step
from auditor.model import Settings, Snapshot
from tests.conformance.attempts import Attempt, Recorded, attempt, identity
from tests.conformance.test_access import DATA, resource

pytestmark = pytest.mark.conformance
LABELS: dict[str, dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("escalation.yaml").read_text("utf-8")
)
NONE = "none"
UNSTABLE = "unstable"


@pytest.fixture(scope="module")
def cases() -> list[Recorded]:
    """All recorded attempts."""
    file = DATA / "escalation.jsonl"
    if not file.exists():
        why = f"no recorded attempts in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    found = [json.loads(line) for line in file.read_text().splitlines()]
    return [case for case in found if UNSTABLE not in case["tags"]]


def named(case: Recorded) -> str:
    """The technique by which we say that the attempt leads to what it tries; ``none``."""
    escalation = Escalation(Facts(Snapshot(tuple(map(resource, case["objects"]))), Settings()))
    groups = case["subject"].get("groups", [])
    start = escalation.holders.of(Subject("User", case["subject"]["user"]), groups)
    who, as_groups, places = identity(case)
    steps = escalation.direct(start)
    if places:
        wanted = "create" if "selfsubjectreviews" in case["request"]["path"] else None
        if not all(
            any(_impersonates(step, wanted) and step.target.covers(place) for step in steps)
            for place in places
        ):
            return NONE
        if wanted:
            return "impersonate"
        steps = escalation.direct(escalation.holders.of(who, [*as_groups]))
    tried = attempt(case)
    if tried is None or not _leads(steps, tried):
        return NONE
    return f"impersonate, {tried.by}" if places else tried.by


def _impersonates(step: Step, wanted: str | None) -> bool:
    """Whether a step impersonates in every request, or at least in such ones."""
    if step.by != "impersonate" or not step.limited:
        return step.by == "impersonate"
    return any(
        right.verbs[0] in ("*", wanted) and right.resource in ("*", "selfsubjectreviews")
        for right in (*step.rights[1:], *step.others)
    )


def _leads(steps: tuple[Step, ...], tried: Attempt) -> bool:
    return all(
        any(
            step.by == tried.by and step.target.covers(place) and tried.verbs <= _asked(step, tried)
            for step in steps
        )
        for place in tried.places
    )


def _asked(step: Step, tried: Attempt) -> set[str]:
    return {
        verb
        for right in (*step.rights, *step.others)
        if right.resource == tried.resource
        for verb in right.verbs
    }


def test_no_refusal_is_a_path_of_ours(cases: list[Recorded]) -> None:
    """Whether or not anybody has said yet what to expect: recordings with other seeds count."""
    refused = [case for case in cases if case["outcome"] == "refused"]
    assert len(refused) > 50
    assert [(case["id"], named(case)) for case in refused if named(case) != NONE] == []


def test_what_reaches_more_than_was_given_is_a_path_that_we_name(
    cases: list[Recorded], capsys: pytest.CaptureFixture[str]
) -> None:
    told: Counter[str] = Counter()
    wrong: list[tuple[str, str, str]] = []
    for case in cases:
        if case["id"] in LABELS:
            expected, ours = LABELS[case["id"]]["path"], named(case)
            told[expected] += 1
            if ours != expected:
                wrong.append((case["id"], expected, ours))
    with capsys.disabled():
        total = told.total()
        print(f"\nescalation: {total - len(wrong)} of {total} as labelled", end="")  # noqa: T201 the score
    assert wrong == []
    assert len(told) > 10, "techniques"
    assert told[NONE] > 50


def test_every_recorded_attempt_is_labelled(cases: list[Recorded]) -> None:
    """With a reason; and no refusal for want of rights is labelled a path."""
    mine = {case["id"] for case in cases}
    if not mine & set(LABELS):
        pytest.skip("a recording of another seed")
    assert mine <= set(LABELS)
    assert all(len(label["why"]) > 15 for label in LABELS.values())
    for case in cases:
        if not case["allowed"]:
            assert LABELS[case["id"]]["path"] == NONE, case["id"]
