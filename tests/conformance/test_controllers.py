"""The models of the controllers against recordings of the real ones (Kubernetes 1.36.3)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.controllers import course_of, what_if
from auditor.facts.controllers.validation import faults

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "controllers"

pytestmark = pytest.mark.conformance

Recorded = Mapping[str, Any]


def cases(name: str) -> list[Recorded]:
    """The recorded cases of one file."""
    file = DATA / f"{name}.jsonl"
    if not file.exists():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [json.loads(line) for line in file.read_text().splitlines()]


def compared(
    name: str,
    differences: Callable[[Recorded, Mapping[str, Any]], Iterator[str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ask about every case; the score is said, and every difference fails."""
    wrong: dict[str, list[str]] = {}
    recorded = cases(name)
    for case in recorded:
        if found := list(differences(case, what_if(course_of(case)))):
            wrong[case["id"]] = found
    with capsys.disabled():
        print(f"\n{name}: {len(recorded) - len(wrong)} of {len(recorded)} cases agree", end="")  # noqa: T201 the score
    assert not wrong


def refusals(expected: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
    """How the API server's answer and ours differ, where it refused."""
    if ours.get("accepted") is not False or ours.get("code") != expected["code"]:
        yield f"{ours}, recorded as refused with {expected['code']}"


def test_refusals(capsys: pytest.CaptureFixture[str]) -> None:
    """What the API server refuses to create we refuse, and nothing else."""
    names = ("rollouts", "scaledown", "statefulsets", "daemonsets", "evictions", "endpoints")
    asked = 0
    for case in (case for name in names for case in cases(name)):
        if case.get("action", {}).get("type") == "create":
            asked += 1
            assert not list(refusals(case["expected"], what_if(course_of(case)))), case["id"]
    with capsys.disabled():
        print(f"\nrefusals: {asked} of {asked} cases agree", end="")  # noqa: T201 the score
    assert asked > 20


def test_nothing_else_is_refused() -> None:
    """Whatever the API server took, as it was before an action or as the action sent it."""
    names = ("rollouts", "scaledown", "statefulsets", "daemonsets", "evictions", "endpoints")
    for case in (case for name in names for case in cases(name)):
        steps = case.get("steps", [case])
        sent = [s["action"].get("object") for s in steps if s["expected"].get("accepted", True)]
        for manifest in (*case["objects"], *filter(None, sent)):
            assert not list(faults(manifest)), (case["id"], manifest)


def test_scale_down(capsys: pytest.CaptureFixture[str]) -> None:
    """Who is deleted, wherever the recording says that it was not chance."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        if case["expected"].get("accepted") is False:
            yield from refusals(case["expected"], ours)
            return
        steps = zip(case["expected"]["steps"], ours["steps"], strict=True)
        certain = True  # a step after one that was chance begins from what chance left
        for expected, told in steps:
            certain = certain and expected["deterministic"]
            if certain and told.get("deleted") != sorted(expected["deleted"]):
                yield f"to {expected['replicas']}: {told}, recorded {expected['deleted']}"
            if not set(expected["deleted"]) <= set(told.get("deleted") or told["undetermined"]):
                yield f"to {expected['replicas']}: {expected['deleted']} is not among {told}"

    compared("scaledown", differences, capsys)


def test_evictions(capsys: pytest.CaptureFixture[str]) -> None:
    """The budgets' status before, and the answer to each eviction; in a burst too."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        expected = case["expected"]
        if expected.get("accepted") is False:
            yield from refusals(expected, ours)
            return
        if ours["initial"] != expected["initial"]:
            yield f"initial {ours['initial']}, recorded {expected['initial']}"
        codes = [step["answer"]["code"] for step in ours["steps"]]
        recorded = [step["answer"]["code"] for step in expected["steps"]]
        if codes != recorded:
            yield f"{codes}, recorded {recorded}"

    compared("evictions", differences, capsys)


RECORDERS = frozenset(("interrupted", "paused", "waiting-for-retry"))
"""Ends that are those of the recording, not of the rollout."""


def steps_of(case: Recorded, answer: Mapping[str, Any]) -> Iterator[tuple[Recorded, Recorded]]:
    """What was recorded, with what we say, of each step."""
    if "steps" in case:
        yield from zip((s["expected"] for s in case["steps"]), answer["steps"], strict=True)
    else:
        yield case["expected"], answer


def test_rollouts(capsys: pytest.CaptureFixture[str]) -> None:
    """The recorded end is one of ours, and our fewest available pods are no more than recorded,
    nor fewer than promised where nothing fails after it was available.
    """
    certain = 0

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        nonlocal certain
        for expected, told in steps_of(case, ours):
            if expected.get("accepted") is False:
                yield from refusals(expected, told)
                continue
            if expected["end"] not in {*told["ends"], *RECORDERS}:
                yield f"{told['ends']}, recorded {expected['end']}"
            if told["minAvailable"] > expected["minAvailable"]:
                yield f"fewest {told['minAvailable']}, recorded {expected['minAvailable']}"
            full = expected["initialAvailable"] == expected["replicas"]
            promised = (case.get("promised") or {}).get("minAvailable", 0)
            if full and "new-flap" not in case["tags"] and told["minAvailable"] < promised:
                yield f"fewest {told['minAvailable']}, promised {promised}"
            if len(told["ends"]) == 1:
                certain += 1
                if "end" in case["differsBetweenRuns"]:
                    yield "one end, where the runs differ"

    compared("rollouts", differences, capsys)
    with capsys.disabled():
        print(f"\nrollouts: one end alone in {certain} steps", end="")  # noqa: T201 the score


def test_node_loss(capsys: pytest.CaptureFixture[str]) -> None:
    """The fate of each pod of the nodes that are lost."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        if ours["podsOfLostNodes"] != case["expected"]["podsOfLostNodes"]:
            yield f"{ours['podsOfLostNodes']}, recorded {case['expected']['podsOfLostNodes']}"

    compared("nodeloss", differences, capsys)


def test_drains(capsys: pytest.CaptureFixture[str]) -> None:
    """How each drain ends, and which pods it is still blocked on."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        open_ = set(case["differsBetweenRuns"])
        steps = zip(case["expected"]["steps"], ours["steps"], strict=True)
        for number, (expected, told) in enumerate(steps):
            for key in ("result", "stillBlockedOn"):
                if f"steps[{number}].{key}" not in open_ and told[key] != expected[key]:
                    yield f"step {number}: {key} {told[key]}, recorded {expected[key]}"

    compared("drains", differences, capsys)


def test_endpoints(capsys: pytest.CaptureFixture[str]) -> None:
    """The slices, hints included, wherever they were the same in both runs."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        expected = case["expected"]
        if expected.get("accepted") is False:
            yield from refusals(expected, ours)
        elif "expected" not in case["differsBetweenRuns"] and ours["slices"] != expected["slices"]:
            yield f"{ours['slices']}, recorded {expected['slices']}"

    compared("endpoints", differences, capsys)


def test_stateful_sets(capsys: pytest.CaptureFixture[str]) -> None:
    """How an update ends, and which ordinals are then not available or not there."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        unsure = {field.rpartition(".")[2] for field in case["differsBetweenRuns"]}
        for expected, told in steps_of(case, ours):
            if expected.get("accepted") is False:
                yield from refusals(expected, told)
                continue
            if told["ends"] != [expected["end"]]:
                yield f"{told['ends']}, recorded {expected['end']}"
            for key in {"notAvailableOrdinals", "missingOrdinals"} - unsure:
                if told[key] != expected[key]:
                    yield f"{key} {told[key]}, recorded {expected[key]}"
            if told["minAvailable"] > expected["minAvailable"]:
                yield f"fewest {told['minAvailable']}, recorded {expected['minAvailable']}"

    compared("statefulsets", differences, capsys)


def test_daemon_sets(capsys: pytest.CaptureFixture[str]) -> None:
    """How an update ends, and how few pods are available in it."""

    def differences(case: Recorded, ours: Mapping[str, Any]) -> Iterator[str]:
        for expected, told in steps_of(case, ours):
            if expected.get("accepted") is False:
                yield from refusals(expected, told)
                continue
            if told["ends"] != [expected["end"]]:
                yield f"{told['ends']}, recorded {expected['end']}"
            if told["desired"] != expected["desired"]:
                yield f"desired {told['desired']}, recorded {expected['desired']}"
            if told["minAvailable"] > expected["minAvailable"]:
                yield f"fewest {told['minAvailable']}, recorded {expected['minAvailable']}"

    compared("daemonsets", differences, capsys)
