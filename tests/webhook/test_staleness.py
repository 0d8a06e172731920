"""What was seen too long ago is no ground for an answer; what needs none of it is judged on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from auditor.declared import Admission, Mode, Staleness
from auditor.sources.watch import STALE_SECONDS, Stale
from auditor.webhook.decide import CannotJudgeError, decide
from auditor.webhook.review import Decision, decode
from auditor.webhook.staleness import bound_of, bounds_of

from .conftest import Running
from .world import BENCH, Kept, court, holding_data, live, pod, privileged, review

ISOLATED = "data/personal_data_not_isolated"
TERMS = Admission(Mode.DENY, staleness=(Staleness(30, (ISOLATED,)), Staleness(60, ("data",))))
LATE = (Stale("NetworkPolicy", 30),)


def _answer(
    stale: tuple[Stale, ...], terms: Admission = TERMS, manifest: object = None
) -> Decision:
    asked = review(manifest or holding_data("web"))
    return decide(decode(asked), live(), court(), terms, stale)


def test_what_is_known_in_time_is_judged() -> None:
    """Below its own bound of 30 seconds, the policy answers."""
    assert ISOLATED in _answer(()).message
    assert ISOLATED in _answer((Stale("StorageClass", 180),)).message  # nothing that it needs


def test_what_may_deny_is_left_to_the_failure_policy() -> None:
    """Neither allowed nor denied: the operator has said what then."""
    with pytest.raises(CannotJudgeError, match="nothing was heard of any NetworkPolicy for 30"):
        _answer(LATE)


@pytest.mark.parametrize("mode", [Mode.WARN, Mode.AUDIT])
def test_what_may_not_deny_is_told_in_the_audit_log(mode: Mode) -> None:
    """The request passes, and nothing is said of it that nobody knows."""
    answer = _answer(LATE, replace(TERMS, mode=mode))
    assert answer.allowed
    assert answer.warnings == ()
    assert f"policy {ISOLATED}: not assessed" in dict(answer.annotations)["not-assessed"]
    assert "findings" not in dict(answer.annotations)


def test_policies_on_the_object_alone_go_on() -> None:
    """Of the object, the request tells."""
    answer = _answer(LATE, replace(TERMS, mode=Mode.WARN), privileged())
    assert any("workload/privileged_container" in each for each in answer.warnings)


def test_each_policy_has_its_own_patience() -> None:
    """The first entry that fits counts; no entry, three minutes."""
    bounds = {policy.id: bound_of(policy, TERMS) for policy in BENCH.policies}
    assert bounds[ISOLATED] == 30
    assert bounds["network/monitor_beyond_health"] == STALE_SECONDS
    by_kind = bounds_of(BENCH.policies, TERMS)
    assert by_kind["NetworkPolicy"] == {30, STALE_SECONDS}
    assert "ResourceQuota" not in by_kind


def test_who_knows_too_little_is_not_sent_anything(start: Callable[..., Running]) -> None:
    """The Service leaves out a replica whose watches are dead; it still answers what comes."""
    state = Kept(live())
    running = start(state)
    assert running.ask(method="GET", path="/readyz").status == 200
    state.stale = LATE
    answer = running.ask(method="GET", path="/readyz")
    assert (answer.status, b"NetworkPolicy for 30 seconds" in answer.body) == (503, True)
    assert running.ask(method="GET", path="/healthz").status == 200
    assert running.ask(review(pod())).status == 200
    state.stale = ()
    assert running.ask(method="GET", path="/readyz").status == 200


def test_a_policy_that_lacks_much_is_told_once() -> None:
    """For the first reason."""
    late = (Stale("NetworkPolicy", STALE_SECONDS), Stale("Namespace", STALE_SECONDS))
    answer = _answer(late, replace(TERMS, mode=Mode.AUDIT))
    assert dict(answer.annotations)["not-assessed"].count(ISOLATED) == 1
