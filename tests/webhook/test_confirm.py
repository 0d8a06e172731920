"""Two requests that are right alone may be wrong together; that is found soon after."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import orjson
import pytest

from auditor.declared import Admission, Mode
from auditor.model import Audit, Gap, Ref, Snapshot, Unseen
from auditor.serving.logs import Lines
from auditor.webhook.confirm import CONFIRM_SECONDS, GIVE_UP_SECONDS, Confirmations
from auditor.webhook.decide import decide
from auditor.webhook.judgement import judge
from auditor.webhook.review import decode

from .world import court, guard, holding_data, live, pod, review

ISOLATED = "data/personal_data_not_isolated"
TERMS = Admission(Mode.DENY)
STORE = Ref("v1", "Pod", "shop", "customers")
GUARD = Ref("networking.k8s.io/v1", "NetworkPolicy", "shop", "guard")


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """A cluster, and the confirmations of one replica."""

    def __init__(self, *manifests: dict[str, Any]) -> None:
        self.clock = Clock()
        self.counted: list[str] = []
        self.court = court()
        self.state = live(*manifests)
        self.pending = Confirmations(TERMS, self.clock, self.counted.append)

    def audit(self) -> Audit:
        """What is wrong now."""
        return self.court.live(self.state)

    def become(self, *manifests: dict[str, Any], gaps: tuple[Gap, ...] = ()) -> Audit:
        """The audit of the cluster as the server tells it from now on, some seconds later."""
        self.clock.now += CONFIRM_SECONDS
        self.state = replace(live(*manifests), gaps=gaps)
        return self.audit()


def _allowed(asked: bytes, state: Snapshot) -> bool:
    return decide(decode(asked), state, court(), TERMS).allowed


def test_a_race_is_found_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """One replica admits the store, since it is isolated; another lets the policy go, since there
    is no store.
    """
    world = World(guard())
    assert _allowed(review(holding_data()), world.state)
    assert _allowed(review(guard(), operation="DELETE"), world.state)
    world.pending.admitted(GUARD, world.audit())
    world.pending.admitted(STORE, world.audit())
    assert not world.pending.due()
    with caplog.at_level(logging.WARNING):
        (race,) = world.pending.confirm(world.become(holding_data()))
    assert (race.finding.policy.id, race.mode) == (ISOLATED, Mode.DENY)
    assert race.admitted == (STORE, GUARD)
    assert world.counted == [ISOLATED]
    (record,) = caplog.records
    assert record.message == "admitted in race"
    told = orjson.loads(Lines().format(record))
    assert (told["object"], told["mode"]) == ("shop/customers[Pod]", "deny")
    assert list(world.pending.report) == [race]
    assert world.pending.confirm(world.become(holding_data())) == ()


def test_what_is_right_together_is_no_race() -> None:
    """Nor is what was wrong before."""
    world = World(guard(), pod("x", securityContext={"privileged": True}))
    world.pending.admitted(STORE, world.audit())
    now = world.become(guard(), pod("x", securityContext={"privileged": True}), holding_data())
    assert world.pending.due()
    assert world.pending.confirm(now) == ()
    assert not world.pending.due()


def test_what_a_request_was_told_of_is_no_race() -> None:
    """In warn and audit it is let in, and everybody knows."""
    world = World()
    judged = judge(decode(review(holding_data())), world.state, world.court)
    assert [finding.policy.id for finding in judged.added] == [ISOLATED]
    world.pending.admitted(STORE, world.audit(), [each.fingerprint for each in judged.added])
    assert world.pending.confirm(world.become(holding_data())) == ()


def test_what_came_while_nothing_was_admitted_is_no_race() -> None:
    """Somebody else let it in, or nobody was asked: not the next request that is admitted."""
    world = World()
    world.pending.admitted(GUARD, world.audit())
    world.pending.confirm(world.become())
    world.become(holding_data())
    world.pending.admitted(Ref("v1", "Pod", "shop", "web"), world.audit())
    assert world.pending.confirm(world.become(holding_data(), pod("web"))) == ()


def test_the_server_must_have_told_first() -> None:
    """What is only believed may still come, or never: then it is not waited for for ever."""
    world = World(guard())
    world.pending.admitted(STORE, world.audit())
    now = world.become(holding_data())
    assert not world.pending.due({STORE.key})
    assert world.pending.confirm(now, {STORE.key}) == ()
    world.clock.now += GIVE_UP_SECONDS
    assert world.pending.due({STORE.key})
    assert len(world.pending.confirm(now, {STORE.key})) == 1


def test_a_policy_that_could_not_be_asked_before_proves_no_race() -> None:
    """Its faults may have been there."""
    world = World(holding_data())
    missing = Gap("list of networkpolicies", "forbidden", Unseen.INCOMPLETE, ("NetworkPolicy",))
    before = world.become(holding_data(), gaps=(missing,))
    assert any(gap.what == f"policy {ISOLATED}" for gap in before.gaps)
    world.pending.admitted(Ref("v1", "Pod", "shop", "web"), before)
    assert world.pending.confirm(world.become(holding_data(), pod("web"))) == ()
