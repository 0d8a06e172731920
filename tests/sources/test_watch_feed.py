"""What a copy of the watched cluster is told, bit by bit."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from auditor.model import Gap, Key, Ref, Resource
from auditor.sources.cluster import Connection, RefusedError, live_resource
from auditor.sources.kinds import KINDS
from auditor.sources.watch import REMEMBER_SECONDS, Feed, Watcher
from auditor.sources.watch.feed import Log

from .test_cluster import CONFIG

PODS = next(kind for kind in KINDS if kind.kind == "Pod")
NODES = next(kind for kind in KINDS if kind.kind == "Node")


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Copy:
    """The cluster as another process knows it: by feeds alone."""

    def __init__(self) -> None:
        self.revision = -1
        self.objects: dict[Key, Resource] = {}
        self.gaps: tuple[Gap, ...] = ()
        self.wholes = 0

    def take(self, feed: Feed) -> None:
        """Become what the feed says."""
        if feed.whole:
            self.objects.clear()
            self.wholes += 1
        for ref in feed.removed:
            self.objects.pop(ref.key, None)
        self.objects.update({r.ref.key: r for r in feed.resources})
        self.revision, self.gaps = feed.revision, feed.gaps


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Connection:
    """One that nobody asks anything."""
    path = tmp_path_factory.mktemp("feed") / "config"
    path.write_text(yaml.safe_dump(CONFIG))
    return Connection(str(path))


@pytest.fixture
def watcher(connection: Connection) -> Watcher:
    """A watcher that was not started: events are handed to it."""
    return Watcher(connection, (PODS, NODES), Clock())


def _pod(name: str = "web", **metadata: Any) -> Resource:
    return live_resource(PODS, {"metadata": {"name": name, "namespace": "shop", **metadata}})


def _tell(watcher: Watcher, event: str, resource: Resource) -> None:
    watcher._apply(watcher._shelves[PODS], resource, event)


def _same(copy: Copy, watcher: Watcher) -> bool:
    snapshot = watcher.snapshot()
    return copy.gaps == snapshot.gaps and copy.objects == dict(snapshot.by_key)


def test_who_has_nothing_is_told_everything(watcher: Watcher) -> None:
    """A revision of another life, or none, is no place to go on from."""
    _tell(watcher, "ADDED", _pod())
    for since in (-1, 17):
        feed = watcher.feed(since)
        assert (feed.whole, feed.resources) == (True, watcher.snapshot().resources)
    assert watcher.feed(0).whole is False
    assert "Node" in watcher.feed(-1).server.kinds


def test_who_is_current_is_told_nothing(watcher: Watcher) -> None:
    """But that it is."""
    _tell(watcher, "ADDED", _pod())
    feed = watcher.feed(watcher.revision)
    assert (feed.whole, feed.resources, feed.removed) == (False, (), ())


def test_only_the_last_state_of_what_changed_is_told(watcher: Watcher) -> None:
    """However often it changed; what came and went is gone."""
    _tell(watcher, "ADDED", _pod("kept"))
    since = watcher.revision
    for state in ("a", "b"):
        _tell(watcher, "MODIFIED", _pod(labels={"state": state}))
    _tell(watcher, "ADDED", _pod("brief"))
    _tell(watcher, "DELETED", _pod("brief"))
    feed = watcher.feed(since)
    assert [r.manifest["metadata"]["labels"] for r in feed.resources] == [{"state": "b"}]
    assert [str(ref) for ref in feed.removed] == ["shop/brief[Pod]"]


def test_admissions_are_told_and_so_is_their_end(connection: Connection) -> None:
    """What nobody confirms goes back to what the server said last."""
    clock = Clock()
    watcher, copy = Watcher(connection, (PODS,), clock), Copy()
    _tell(watcher, "ADDED", _pod(labels={"state": "old"}))
    copy.take(watcher.feed(-1))
    watcher.remember(_pod("new"))
    watcher.forget(_pod().ref)
    copy.take(watcher.feed(copy.revision))
    assert [key[3] for key in copy.objects] == ["new"]
    clock.now += REMEMBER_SECONDS
    copy.take(watcher.feed(copy.revision))
    assert [key[3] for key in copy.objects] == ["web"]
    assert copy.wholes == 1


def test_a_gap_is_told_without_any_object(watcher: Watcher) -> None:
    """The revision grows, since the answer of an audit may be another one now."""
    _tell(watcher, "ADDED", _pod())
    since = watcher.revision
    watcher._failed(watcher._shelves[NODES], RefusedError("forbidden", 403))
    feed = watcher.feed(since)
    assert feed.revision > since
    assert (feed.resources, [gap.what for gap in feed.gaps]) == ((), ["list of nodes"])


def test_a_log_that_is_too_short_says_so() -> None:
    """Half of the changes would be worse than all objects."""
    log, refs = Log(length=3), [_pod(str(n)).ref for n in range(5)]
    for ref in refs[:3]:
        log.note([ref])
    assert [ref.name for ref in (log.since(0) or {}).values()] == ["2", "1", "0"]
    log.note([refs[3]])
    assert log.since(0) is None
    assert [ref.name for ref in (log.since(1) or {}).values()] == ["3", "2", "1"]
    log.note(refs)  # more at once than it holds
    assert log.since(4) is None
    assert log.since(5) == {}


_NAMES = st.sampled_from("abc")
_STEPS = st.one_of(
    st.tuples(st.sampled_from(("ADDED", "MODIFIED", "DELETED")), _NAMES, st.integers(0, 2)),
    st.tuples(st.sampled_from(("remember", "forget")), _NAMES, st.integers(0, 2)),
    st.tuples(st.just("list"), st.lists(_NAMES, unique=True), st.integers(0, 2)),
    st.tuples(st.just("sleep"), st.none(), st.integers(1, 12)),
    st.tuples(st.just("fail"), st.none(), st.sampled_from((403, 404))),
    st.tuples(st.just("heard"), st.none(), st.none()),
    st.tuples(st.just("ask"), st.none(), st.none()),
)


def _do(watcher: Watcher, step: tuple[Any, Any, Any], clock: Clock, copy: Copy) -> None:
    what, name, number = step
    shelf = watcher._shelves[PODS]
    if what == "ask":
        copy.take(watcher.feed(copy.revision))
        assert _same(copy, watcher)
    elif what == "sleep":
        clock.now += number
    elif what == "fail":
        watcher._failed(shelf, RefusedError("no", number))
    elif what == "heard":
        watcher._heard(shelf)
    elif what == "forget":
        watcher.forget(_pod(name).ref)
    elif what == "remember":
        watcher.remember(_pod(name, generation=number))
    elif what == "list":
        watcher._take(shelf, [_pod(each, generation=number) for each in name])
    else:
        _tell(watcher, what, _pod(name, generation=number))


@given(st.lists(_STEPS, max_size=30), st.integers(0, 6))
def test_a_copy_is_the_cluster(
    connection: Connection, steps: list[tuple[Any, Any, Any]], length: int
) -> None:
    """Whatever happens between two questions, and however little the log holds."""
    clock, copy = Clock(), Copy()
    watcher = Watcher(connection, (PODS,), clock)
    watcher._log = Log(length)
    for step in (*steps, ("ask", None, None)):
        _do(watcher, step, clock, copy)


def test_refs_are_told_once(watcher: Watcher) -> None:
    """Whatever their API version is."""
    log = Log()
    log.note([Ref("apps/v1", "Deployment", "a", "b")])
    log.note([Ref("apps/v1beta1", "Deployment", "a", "b")])
    assert len(log.since(0) or ()) == 1
