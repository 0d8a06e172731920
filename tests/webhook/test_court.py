"""What was judged once is not judged again."""

from __future__ import annotations

from dataclasses import replace

from auditor.model import Audit, Gap, Ref, Snapshot, Unseen
from auditor.webhook.court import Court, changes

from .world import judge, live, pod, privileged


class Counting:
    """A judge that counts, and notes what it was asked to judge again."""

    def __init__(self) -> None:
        self.whole = 0
        self.again: list[tuple[Ref, ...]] = []

    def judge(self, snapshot: Snapshot) -> Audit:
        self.whole += 1
        return judge(snapshot)

    def rejudge(self, before: Audit, after: Snapshot, changed: tuple[Ref, ...]) -> Audit:
        self.again.append(changed)
        return judge(after)


def test_the_live_cluster_is_judged_once_for_each_state() -> None:
    """A storm of requests against a quiet cluster costs one audit of it."""
    counting = Counting()
    court = Court(counting.judge)
    snapshot = live(pod())
    assert court.live(snapshot) is court.live(snapshot)
    assert counting.whole == 1


def test_only_what_changed_is_judged_again() -> None:
    """A cluster of which one object changed is judged about that one."""
    counting = Counting()
    court = Court(counting.judge, counting.rejudge)
    snapshot = live(pod("a"), pod("b"), pod("c"))
    court.live(snapshot)
    (changed,) = live(privileged("b")).resources
    after = snapshot.replacing(changed, removing=[snapshot.resources[2].ref])
    assert court.live(after).findings
    assert counting.whole == 1
    assert counting.again == [(changed.ref, snapshot.resources[2].ref)]


def test_what_can_be_seen_changes_everything() -> None:
    """A list that is suddenly forbidden takes policies away: nothing of before may be carried."""
    counting = Counting()
    court = Court(counting.judge, counting.rejudge)
    snapshot = live(pod())
    court.live(snapshot)
    court.live(replace(snapshot, gaps=(Gap("list of pods", "forbidden", Unseen.INCOMPLETE),)))
    assert counting.whole == 2


def test_a_supposed_change_leaves_the_live_audit_as_it_is() -> None:
    """What a request would do is not what is."""
    counting = Counting()
    court = Court(counting.judge, counting.rejudge)
    snapshot = live(pod())
    before = court.live(snapshot)
    (changed,) = live(privileged()).resources
    assert court.supposing(before, snapshot.replacing(changed), changed.ref).findings
    assert court.live(snapshot) is before


def test_nothing_changed_between_equal_snapshots() -> None:
    """A watcher keeps the very same value of what did not change."""
    snapshot = live(pod("a"), pod("b"))
    assert changes(snapshot, Snapshot(snapshot.resources)) == ()
