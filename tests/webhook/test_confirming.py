"""What any process admitted is confirmed by all of them, and a race is told once."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

import orjson
import pytest

from auditor.declared import Admission, Mode
from auditor.model import Ref
from auditor.serving.logs import Lines
from auditor.webhook import confirm
from auditor.webhook.admissions import admitted_in
from auditor.webhook.evaluator import Evaluator
from auditor.webhook.evaluators import Staff
from auditor.webhook.live import Admitted, News
from auditor.webhook.plan import Plan
from auditor.webhook.process import Outcome
from tests.bench import SETTINGS

from .conftest import Running, Starter, pids, until
from .world import BENCH, Kept, guard, holding_data, live, review

ISOLATED = "data/personal_data_not_isolated"
GUARD = Ref("networking.k8s.io/v1", "NetworkPolicy", "shop", "guard")
STORE = Ref("v1", "Pod", "shop", "customers")
COUNTED = f'auditor_webhook_races_total{{policy="{ISOLATED}"}} 1\n'


def _metrics(running: Running) -> str:
    return running.ask(method="GET", path="/metrics").body.decode()


def test_a_race_with_another_replica_is_told_once(
    start: Starter, caplog: pytest.LogCaptureFixture
) -> None:
    """One admits the store, since it is isolated; another lets the policy go, since there is no
    store. Nobody asks anything after that.
    """
    caplog.set_level(logging.WARNING)
    state = Kept(live(guard()))
    running = start(state, staff=Staff(workers=2, standing_by=1))
    assert until(lambda: len(pids(running)) == 3)
    answer = orjson.loads(running.ask(review(holding_data())).body)
    assert answer["response"]["allowed"]
    state.forget(GUARD)
    assert until(lambda: COUNTED in _metrics(running))
    time.sleep(1.0)  # by then the others have confirmed it as well
    assert COUNTED in _metrics(running)
    (told,) = (each for each in caplog.records if each.message == "admitted in race")
    assert orjson.loads(Lines().format(told))["admitted"] == ["shop/customers[Pod]"]


def _evaluator(state: Kept, mode: Mode) -> Evaluator:
    made = Evaluator(Plan(BENCH, SETTINGS, Admission(mode)))
    assert made.apply(News(state.feed(-1)))["broken"] == ""
    return made


def test_a_fault_that_another_process_told_of_is_no_race(monkeypatch: pytest.MonkeyPatch) -> None:
    """In mode warn it is let in, and everybody knows; also who did not judge it."""
    monkeypatch.setattr(confirm, "CONFIRM_SECONDS", 0.0)
    state = Kept(live())
    one, other = _evaluator(state, Mode.WARN), _evaluator(state, Mode.WARN)
    head, body = one.answer(review(holding_data()), one.judged)
    found = admitted_in(Outcome(200, body, orjson.loads(head)))
    assert found is not None
    admitted, _ = found
    assert admitted.added
    state.remember(live(holding_data()).resources[0])
    assert _races(other, News(state.feed(0), (admitted,), frozenset())) == []
    third = _evaluator(Kept(live()), Mode.WARN)
    untold = replace(admitted, added=frozenset())
    assert _races(third, News(state.feed(0), (untold,), frozenset())) == [ISOLATED]


def test_what_the_server_has_not_told_of_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever waits says so, in order to be asked again."""
    monkeypatch.setattr(confirm, "CONFIRM_SECONDS", 0.0)
    state = Kept(live(guard()))
    judge = _evaluator(state, Mode.DENY)
    state.remember(live(holding_data()).resources[0])
    state.forget(GUARD)
    believed = News(state.feed(0), (Admitted(STORE, frozenset()),), frozenset({STORE.key}))
    assert judge.apply(believed) == {"broken": "", "races": [], "waiting": True}
    said = judge.apply(News(state.feed(2), (), frozenset()))
    assert [each["policy"] for each in said["races"]] == [ISOLATED]
    assert said["waiting"] is False


def _races(judge: Evaluator, news: News) -> list[str]:
    return [each["policy"] for each in judge.apply(news)["races"]]
