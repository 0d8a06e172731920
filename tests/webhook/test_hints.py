"""What a warning says of the way out."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from auditor.declared import Admission, Mode
from auditor.grades import Severity
from auditor.model import Operation
from auditor.webhook.court import Court
from auditor.webhook.decide import decide
from auditor.webhook.hints import steps_told
from auditor.webhook.review import Decision, decode
from tests.bench import SETTINGS, bench

from .mending import NOTHING, of_rules, wanting
from .world import live, pod, review

ESCALATION = "workload/privilege_escalation"
CONTEXT = "securityContext.allowPrivilegeEscalation"


def _decided(
    manifest: dict[str, Any], *args: Any, mode: Mode = Mode.WARN, by: Any = None
) -> Decision:
    terms = Admission(mode, Severity.INFO)
    court = Court(by or bench(ESCALATION), SETTINGS)
    return decide(decode(review(manifest, *args)), NOTHING, court, terms)


def _with(*names: str) -> dict[str, Any]:
    manifest = pod()
    manifest["spec"]["containers"] = [
        {"name": name, "image": "example.org/app:1.0"} for name in names
    ]
    return manifest


def test_a_class_of_findings_has_one_line() -> None:
    """It names the containers, and that the fix is to be tried."""
    *findings, fix = _decided(_with("app", "log")).warnings
    assert len(findings) == 2
    assert fix == f"fix (may change behaviour): set spec.containers[app, log].{CONTEXT}: false"


def test_many_containers_are_counted() -> None:
    """A line stays a line."""
    *_, fix = _decided(_with(*"abcdefgh")).warnings
    assert fix.endswith(f"set spec.containers[a, b, c and 5 more].{CONTEXT}: false")
    *_, fix = _decided(_with(*(f"{n}{'x' * 60}" for n in range(3)))).warnings
    assert fix == "fix (may change behaviour): let no process gain privileges"


def test_a_denial_says_it_beside() -> None:
    """The API server passes warnings on with a denial."""
    decision = _decided(_with("app"), mode=Mode.DENY)
    assert not decision.allowed
    assert decision.warnings == (
        f"fix (may change behaviour): set spec.containers[app].{CONTEXT}: false",
    )


def test_whoever_only_audits_says_nothing() -> None:
    """Nor for what was wrong before."""
    assert _decided(_with("app"), mode=Mode.AUDIT).warnings == ()
    old = _with("app")
    new = copy.deepcopy(old)
    new["metadata"]["labels"] = {"x": "y"}
    terms = Admission(Mode.WARN, Severity.INFO)
    court = Court(bench(ESCALATION), SETTINGS)
    assert decide(decode(review(new, "UPDATE", old)), live(old), court, terms).warnings == ()


def test_a_safe_fix_is_said_without_doubt_and_one_that_fails_not_at_all() -> None:
    """A hint that does not hold is worse than none."""
    path = ["metadata", "annotations", "x"]
    there = "input.object.metadata.annotations.x"
    *_, fix = _decided(pod(), by=of_rules(wanting(0, path, '"y"', there))).warnings
    assert fix == 'fix: set metadata.annotations.x: "y"'
    (only,) = _decided(pod(), by=of_rules(wanting(0, path, '"y"', "input.object.never"))).warnings
    assert not only.startswith("fix")


def test_fixes_that_exclude_each_other_are_each_said() -> None:
    """Whoever reads them has to choose; proven apart, each holds."""
    field = "terminationGracePeriodSeconds"
    rules = [wanting(i, ["spec", field], str(i), f"input.object.spec.{field}") for i in (0, 1)]
    *_, one, other = _decided(pod(), by=of_rules(*rules)).warnings
    assert (one, other) == (f"fix: set spec.{field}: 0", f"fix: set spec.{field}: 1")


def test_text_of_others_cannot_break_a_line() -> None:
    """A warning with a control character is dropped without a word."""
    *_, fix = _decided(_with("a\n\x1b[31m")).warnings
    assert fix.isprintable()
    assert "a\\n\\x1b[31m" in fix


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (Operation("remove", ("spec", "hostPID")), "remove spec.hostPID"),
        (
            Operation("add", ("spec", "volumes", "-"), {"name": "v"}),
            'append to spec.volumes: {"name":"v"}',
        ),
        (Operation("replace", ("spec", "containers", 0), None), "set spec.containers[app]: null"),
        (Operation("replace", ("spec", "containers", 7, "x"), 1), "set spec.containers[7].x: 1"),
        (
            Operation("add", ("metadata", "labels", "a.b/c"), "d"),
            "set metadata.labels['a.b/c']: \"d\"",
        ),
    ],
)
def test_each_step_in_words(operation: Operation, said: str) -> None:
    """As `kubectl explain` writes paths, items by their names."""
    assert steps_told(pod(), [operation]) == said
