"""The copy of the cluster in a process that judges."""

from __future__ import annotations

import pickle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Snapshot
from auditor.sources.watch.feed import Feed
from auditor.webhook.live import Mirror

from .world import SERVER, Kept, guard, live, pod

NAMES = ("a", "b", "c", "d")
CHANGES = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("v1", "v2", None))))


def _told(feed: Feed) -> Feed:
    """As it comes out of a pipe: nothing in it is the value that went in."""
    found: Feed = pickle.loads(pickle.dumps(feed))  # noqa: S301 - our own
    return found


def _pod(name: str, image: str) -> dict[str, Any]:
    return pod(name, image=f"example.org/app:{image}", env=[{"name": "MODE", "value": "plain"}])


@given(CHANGES, st.integers(1, 3))
def test_a_copy_is_what_it_copies(changes: list[tuple[str, str | None]], every: int) -> None:
    """Whatever is written or taken away, told one by one or some at once."""
    state, mirror, revision = Kept(live(guard())), Mirror(), -1
    for number, (name, image) in enumerate(changes):
        resource = live(_pod(name, image or "")).resources[0]
        if image is None:
            state.forget(resource.ref)
        else:
            state.remember(resource)
        if number % every == 0:
            feed = _told(state.feed(revision))
            mirror.apply(feed)
            revision = feed.revision
    mirror.apply(_told(state.feed(revision)))
    assert _shown(mirror.snapshot) == _shown(state.snapshot())
    fresh = Snapshot(mirror.snapshot.resources)
    assert mirror.snapshot.by_key == fresh.by_key


def _shown(snapshot: Snapshot) -> dict[Any, Any]:
    return {key: each.manifest for key, each in snapshot.by_key.items()}


def test_a_snapshot_stays_as_it_was() -> None:
    """Who judges still holds the old one."""
    mirror = Mirror()
    mirror.apply(Feed(0, True, live(_pod("a", "v1")).resources, (), (), SERVER))
    first = mirror.snapshot
    mirror.apply(Feed(1, False, live(_pod("b", "v1")).resources, (), (), SERVER))
    assert [len(each.by_key) for each in (first, mirror.snapshot)] == [1, 2]
    second = mirror.snapshot
    mirror.apply(Feed(1, False, (), (), (), SERVER))
    assert mirror.snapshot is second


def test_what_comes_bit_by_bit_shares_its_equal_parts() -> None:
    """Replicas differ in their names: a thousand of them take no thousand times the memory."""
    mirror = Mirror()
    mirror.apply(Feed(0, True, (), (), (), SERVER))
    for number, name in enumerate(NAMES):
        mirror.apply(
            _told(Feed(number + 1, False, live(_pod(name, "v1")).resources, (), (), SERVER))
        )
    specs = {id(each.manifest["spec"]) for each in mirror.snapshot.resources}
    assert len(mirror.snapshot.resources) == 4
    assert len(specs) == 1
