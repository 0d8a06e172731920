"""When it is time to audit again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from auditor.continuous.rhythm import SETTLED_SECONDS, Rhythm

INTERVAL = 30.0
LONG = 3 * INTERVAL


def test_at_once_where_nothing_was_audited_yet() -> None:
    assert Rhythm[int](INTERVAL).due(1, 0.0)


def test_never_where_nothing_has_changed() -> None:
    rhythm = _audited(1)
    assert not rhythm.due(1, 10_000.0)
    assert rhythm.unaudited_since is None


def test_soon_after_a_change_that_nothing_follows() -> None:
    rhythm = _audited(1)
    assert not rhythm.due(2, LONG)
    assert not rhythm.due(2, LONG + SETTLED_SECONDS - 0.1)
    assert rhythm.due(2, LONG + SETTLED_SECONDS)
    assert rhythm.unaudited_since == LONG


def test_not_while_it_goes_on_changing_but_not_later_than_the_interval() -> None:
    """A rollout that never ends is audited all the same."""
    rhythm = _audited(1)
    due = [second for second in range(100) if rhythm.due(2 + second, LONG + second)]
    assert due[0] == INTERVAL


def test_not_again_within_the_interval() -> None:
    rhythm = _audited(1)
    assert not rhythm.due(2, 5.0)
    assert not rhythm.due(2, INTERVAL - 0.1)
    assert rhythm.due(2, INTERVAL)


@given(st.lists(st.tuples(st.floats(0.1, 20), st.booleans()), max_size=80))
def test_audits_are_an_interval_apart_and_no_change_waits_for_ever(
    turns: list[tuple[float, bool]],
) -> None:
    """Whatever comes when."""
    rhythm, now, state, audits = _audited(0), 0.0, 0, [0.0]
    waits = 0.0
    for pause, changes in turns:
        now += pause
        state += changes
        if rhythm.due(state, now):
            assert now - audits[-1] >= INTERVAL
            rhythm.audited(state, now)
            audits.append(now)
        since = rhythm.unaudited_since
        waits = max(waits, 0.0 if since is None else now - since)
    assert waits <= 2 * INTERVAL + max((pause for pause, _ in turns), default=0)


def _audited(state: int) -> Rhythm[int]:
    rhythm = Rhythm[int](INTERVAL)
    assert rhythm.due(state, 0.0)
    rhythm.audited(state, 0.0)
    return rhythm
