"""What a watcher believes between two words from the server. The words: tests/e2e."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest
import yaml
from kubernetes.config import incluster_config

from auditor.errors import ClusterError
from auditor.model import Resource
from auditor.sources.cluster import Connection, Listing, RefusedError, live_resource
from auditor.sources.kinds import KINDS
from auditor.sources.watch import REMEMBER_SECONDS, STALE_SECONDS, Watcher

from .test_cluster import CONFIG

PODS = next(kind for kind in KINDS if kind.kind == "Pod")
NODES = next(kind for kind in KINDS if kind.kind == "Node")


class Clock:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that is turned by hand."""
    return Clock()


@pytest.fixture
def watcher(tmp_path: Path, clock: Clock) -> Watcher:
    """A watcher that was not started: events are handed to it."""
    return Watcher(_connection(tmp_path), (PODS,), clock)


def _connection(folder: Path) -> Connection:
    path = folder / "config"
    path.write_text(yaml.safe_dump(CONFIG))
    return Connection(str(path))


def _pod(version: int = 1, uid: str = "u", **metadata: Any) -> Resource:
    known = {"name": "web", "namespace": "shop", "uid": uid, "resourceVersion": str(version)}
    return live_resource(PODS, {"metadata": {**known, **metadata}})


def _tell(watcher: Watcher, event: str, resource: Resource) -> None:
    watcher._apply(watcher._shelves[PODS], resource, event)


def _names(watcher: Watcher) -> list[str]:
    return [str(resource.ref) for resource in watcher.snapshot().resources]


def test_a_quiet_cluster_gives_the_same_snapshot(watcher: Watcher) -> None:
    """The same value, so that whoever computed something from it may keep it."""
    _tell(watcher, "ADDED", _pod())
    assert _names(watcher) == ["shop/web[Pod]"]
    assert watcher.snapshot() is watcher.snapshot()


def test_an_event_that_changes_nothing_is_no_change(watcher: Watcher) -> None:
    """A new resourceVersion alone is no reason to judge again."""
    _tell(watcher, "ADDED", _pod(1))
    before, revision = watcher.snapshot(), watcher.revision
    _tell(watcher, "MODIFIED", _pod(2))
    assert watcher.snapshot() is before
    assert watcher.revision == revision
    _tell(watcher, "MODIFIED", _pod(3, labels={"a": "b"}))
    assert watcher.revision > revision


def test_snapshots_that_were_taken_stay_as_they_are(watcher: Watcher) -> None:
    """A judgement under way does not see the cluster move."""
    _tell(watcher, "ADDED", _pod())
    before = watcher.snapshot()
    _tell(watcher, "DELETED", _pod(2))
    assert len(before.resources) == 1
    assert _names(watcher) == []


def test_an_admitted_object_is_believed_in_for_ten_seconds(watcher: Watcher, clock: Clock) -> None:
    """Another webhook may still have denied it: then no event ever comes."""
    watcher.remember(_pod())
    assert _names(watcher) == ["shop/web[Pod]"]
    clock.now += REMEMBER_SECONDS - 0.1
    assert _names(watcher) == ["shop/web[Pod]"]
    revision = watcher.revision
    clock.now += 0.1
    assert _names(watcher) == []
    assert watcher.revision > revision


def test_the_word_of_the_server_outweighs_what_was_admitted(watcher: Watcher, clock: Clock) -> None:
    """As soon as the watch tells of the object, that is what it is."""
    watcher.remember(_pod(labels={"from": "review"}))
    _tell(watcher, "ADDED", _pod(2, labels={"from": "server"}))
    (seen,) = watcher.snapshot().resources
    assert seen.manifest["metadata"]["labels"] == {"from": "server"}


def test_an_event_of_an_earlier_state_does_not(watcher: Watcher) -> None:
    """It was under way already when the newer state was admitted."""
    watcher.remember(_pod(generation=2, labels={"state": "new"}))
    _tell(watcher, "MODIFIED", _pod(generation=1, labels={"state": "old"}))
    (seen,) = watcher.snapshot().resources
    assert seen.manifest["metadata"]["labels"] == {"state": "new"}
    _tell(watcher, "MODIFIED", _pod(2, generation=2, labels={"state": "new"}))
    assert watcher._ledger.entries() == ()


def test_the_end_of_a_namesake_says_nothing_of_a_new_object(watcher: Watcher) -> None:
    """Deleted and created again: the late word of the deletion is about the old one."""
    _tell(watcher, "ADDED", _pod(uid="old"))
    watcher.remember(_pod(uid="new"))
    _tell(watcher, "DELETED", _pod(uid="old"))
    (seen,) = watcher.snapshot().resources
    assert seen.manifest["metadata"]["uid"] == "new"


def test_an_admitted_deletion_counts_as_done(watcher: Watcher, clock: Clock) -> None:
    """For ten seconds, or until the server tells; an object that does not go comes back."""
    _tell(watcher, "ADDED", _pod())
    watcher.forget(_pod().ref)
    assert _names(watcher) == []
    _tell(watcher, "MODIFIED", _pod(2, deletionTimestamp="2026-01-01T00:00:00Z"))
    assert _names(watcher) == []
    clock.now += REMEMBER_SECONDS
    assert _names(watcher) == ["shop/web[Pod]"]
    watcher.forget(_pod().ref)
    _tell(watcher, "ADDED", _pod(3, uid="again"))
    assert _names(watcher) == ["shop/web[Pod]"]


def test_a_list_that_is_refused_is_a_gap(watcher: Watcher) -> None:
    """Ready to answer, and honest about what is not seen."""
    before = watcher.ready
    refused = RefusedError("forbidden: you may not", 403)
    watcher._failed(watcher._shelves[PODS], refused)
    assert (before, watcher.ready) == (False, True)
    (gap,) = watcher.snapshot().gaps
    assert (gap.what, gap.why, gap.kinds) == ("list of pods", "forbidden: you may not", ("Pod",))
    watcher._heard(watcher._shelves[PODS])
    assert watcher.snapshot().gaps == ()


def test_a_server_that_falls_silent_is_believed_for_a_while(watcher: Watcher, clock: Clock) -> None:
    """A restart of the API server is no gap; what nobody could confirm for minutes is one."""
    shelf = watcher._shelves[PODS]
    shelf.listed = True
    watcher._heard(shelf)
    clock.now += STALE_SECONDS - 1
    assert watcher.age("Pod") == STALE_SECONDS - 1
    watcher._failed(shelf, RefusedError("no connection: refused"))
    assert watcher.snapshot().gaps == ()
    clock.now += 1
    watcher._failed(shelf, RefusedError("no connection: refused"))
    assert [gap.what for gap in watcher.snapshot().gaps] == ["list of pods"]


def test_what_is_still_to_be_read_is_named(watcher: Watcher) -> None:
    """Until a list is there, or is known to be refused."""
    assert (watcher.ready, watcher.unread) == (False, ("list of pods",))
    watcher._failed(watcher._shelves[PODS], RefusedError("forbidden", 403))
    assert (watcher.ready, watcher.unread) == (True, ())


def test_the_age_of_what_was_never_seen_is_infinite(watcher: Watcher) -> None:
    """And what is not watched has none."""
    assert watcher.age("Pod") == float("inf")
    with pytest.raises(KeyError):
        watcher.age("Secret")


def test_who_says_nothing_at_all_is_not_believed_for_ever(watcher: Watcher, clock: Clock) -> None:
    """Neither a word nor an error: the thread may hang, or be gone."""
    shelf = watcher._shelves[PODS]
    shelf.listed = True
    watcher._heard(shelf)
    _tell(watcher, "ADDED", _pod())
    clock.now += STALE_SECONDS - 1
    before, revision = watcher.snapshot(), watcher.revision
    assert before.gaps == ()
    clock.now += 1
    assert watcher.revision > revision
    (gap,) = watcher.snapshot().gaps
    assert (gap.what, gap.kinds) == ("list of pods", ("Pod",))
    assert f"nothing was heard of it for {STALE_SECONDS} seconds" in gap.why
    assert watcher.snapshot() is watcher.snapshot()
    watcher._heard(shelf)
    assert watcher.snapshot().gaps == ()


def test_a_token_that_cannot_be_read_is_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token of a pod is written anew again and again, and may be empty for a moment."""
    token = _in_a_pod(tmp_path, monkeypatch)
    connection = Connection(patience=0.1)
    token.write_text("", "utf-8")
    with pytest.raises(ClusterError, match="Token file exists but empty"):
        connection.version()
    with Watcher(connection, (PODS,)) as watcher:
        _until(lambda: watcher.ready)
        (gap,) = watcher.snapshot().gaps
        assert gap.why == "no credentials: Token file exists but empty."
        assert watcher._threads[0].is_alive()


def test_whatever_breaks_a_watch_is_a_gap_and_tried_again(watcher: Watcher) -> None:
    """A fault of ours included: it ends neither the thread nor the honesty."""
    seen = threading.Event()
    answers = iter((RuntimeError("hunter2"), Listing((_pod(),), "")))

    def listed(*_: object, **__: object) -> Listing:
        answer = next(answers)
        if isinstance(answer, RuntimeError):
            raise answer
        seen.wait()
        return answer

    watcher._connection.list = listed  # type: ignore[method-assign]
    with watcher:
        _until(lambda: watcher.ready)
        (gap,) = watcher.snapshot().gaps
        assert gap.why == "following it broke down (RuntimeError)"
        seen.set()
        _until(lambda: _names(watcher) == ["shop/web[Pod]"])
        assert watcher.snapshot().gaps == ()


def test_who_asks_for_endless_patience_is_asked_again(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.sources.watch.watcher.LONGEST_PAUSE", 0.01)
    answers = iter((RefusedError("busy", 429, 1e30), Listing((_pod(),), "")))

    def listed(*_: object, **__: object) -> Listing:
        answer = next(answers)
        if isinstance(answer, RefusedError):
            raise answer
        return answer

    watcher._connection.list = listed  # type: ignore[method-assign]
    with watcher:
        _until(lambda: _names(watcher) == ["shop/web[Pod]"])


def _in_a_pod(folder: Path, patch: pytest.MonkeyPatch) -> Path:
    """Where the token is of a pod that we are in from now on; it is read again for each request."""
    init = incluster_config.InClusterConfigLoader.__init__

    def hasty(self: Any, *given: Any, **named: Any) -> None:
        init(self, *given, **named)
        self._token_refresh_period = datetime.timedelta(0)

    token, certificate = folder / "token", folder / "ca.crt"
    token.write_text("t", "utf-8")
    certificate.write_bytes(Path(certifi.where()).read_bytes())
    patch.setenv("HOME", str(folder))
    patch.delenv("KUBECONFIG", raising=False)
    patch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    patch.setenv("KUBERNETES_SERVICE_PORT", "1")
    patch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    patch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(certificate))
    patch.setattr(incluster_config.InClusterConfigLoader, "__init__", hasty)
    return token


def _until(so: Callable[[], bool]) -> None:
    """Wait for the thread of a watcher, which is another one than ours."""
    for _ in range(1000):
        if so():
            return
        time.sleep(0.01)
    raise AssertionError("it never comes")


def test_each_bound_that_is_exceeded_is_told(tmp_path: Path, clock: Clock) -> None:
    """To whoever copies the cluster too: the revision grows, and once more when it is over."""
    watcher = Watcher(_connection(tmp_path), (PODS, NODES), clock, bounds={"Pod": (60, 15)})
    for shelf in watcher._shelves.values():
        watcher._take(shelf, [])
    assert (watcher.stale, watcher.unready) == ((), "")
    told = []
    for age in (14.9, 15, 59, 60, 100):
        clock.now = 1000.0 + age
        told.append([each.seconds for each in watcher.feed(-1).stale])
    assert told == [[], [15], [15], [60], [60]]
    assert watcher.unready == "nothing was heard of any Pod for 60 seconds"
    revision = watcher.revision
    watcher._heard(watcher._shelves[PODS])
    assert (watcher.stale, watcher.unready) == ((), "")
    assert watcher.revision > revision


def test_a_tight_bound_is_watched_closely(tmp_path: Path, clock: Clock) -> None:
    """A quiet kind must have given signs of life within it; others need not be asked as often."""
    bounds = {"Pod": (30, 180), "Node": (180,)}
    watcher = Watcher(_connection(tmp_path), (PODS, NODES), clock, bounds=bounds)
    assert watcher._shelves[PODS].watch_seconds == 10
    assert watcher._shelves[NODES].watch_seconds == 60


def test_what_we_may_not_see_is_no_matter_of_time(tmp_path: Path, clock: Clock) -> None:
    """It is a gap; a replica that waits for a permission would never be ready again."""
    watcher = Watcher(_connection(tmp_path), (PODS,), clock, bounds={"Pod": (30,)})
    watcher._take(watcher._shelves[PODS], [])
    watcher._failed(watcher._shelves[PODS], RefusedError("forbidden", 403))
    clock.now += 1000
    assert (watcher.stale, watcher.unready) == ((), "")
    assert [gap.what for gap in watcher.snapshot().gaps] == ["list of pods"]


@pytest.mark.parametrize("levels", [400, 900])
def test_a_deep_object_hides_no_other(watcher: Watcher, levels: int) -> None:
    """Whoever may write objects that hold anything may write one that is too deep for us."""
    deep: Any = {"x": "hunter2"}
    for _ in range(levels):
        deep = {"a": deep}
    item = {"metadata": {"name": "deep", "namespace": "shop"}, "spec": {"nodeName": "n", "z": deep}}
    seen = watcher._kept(live_resource(PODS, item))
    _tell(watcher, "ADDED", seen)
    _tell(watcher, "ADDED", _pod())
    _tell(watcher, "MODIFIED", watcher._kept(live_resource(PODS, item)))
    assert _names(watcher) == ["shop/deep[Pod]", "shop/web[Pod]"]
    assert seen.manifest["spec"]["nodeName"] == "n"
    assert list(seen.manifest["spec"]["z"]) == ["a"]
