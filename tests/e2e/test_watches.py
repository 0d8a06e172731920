"""The watched cluster is the cluster, whatever happens to the connection or to the API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts.kept import Keep
from auditor.model import Settings, Snapshot
from auditor.sources.cluster import ClusterSource, Connection, live_resource
from auditor.sources.kinds import KINDS
from auditor.sources.watch import Watcher
from tests.bench import bench

from . import cluster_local
from .cluster import TestCluster
from .product import PEAPODS
from .wire import Wire, wired

pytestmark = pytest.mark.e2e

SPACE = "watched"
FEW = tuple(kind for kind in KINDS if kind.kind in {"ConfigMap", "Namespace"})
CONFIG_MAPS = next(kind for kind in FEW if kind.kind == "ConfigMap")
BOUND = 12
"""Seconds, so that a watch lasts four of them, and a dead one is noticed within fourteen."""


def _namespace() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}


def _map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": SPACE}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


@pytest.fixture(scope="module")
def place(cluster: TestCluster) -> TestCluster:
    """A cluster with a namespace to write to."""
    cluster.apply(_namespace())
    return cluster


@pytest.fixture
def line(place: TestCluster, tmp_path: Path) -> Iterator[tuple[Wire, Watcher]]:
    """A watcher of few kinds at the end of a wire."""
    with wired(place.kubeconfig, tmp_path) as (wire, kubeconfig):
        watcher = Watcher(Connection(str(kubeconfig)), FEW, bounds={"ConfigMap": (BOUND,)})
        with watcher:
            place.wait_until("the lists are read", lambda: ", ".join(watcher.unread))
            yield wire, watcher


def _seen(watcher: Watcher) -> dict[str, Any]:
    """The data of the ConfigMaps that are known."""
    found = watcher.snapshot().of_kind("ConfigMap")
    return {r.ref.name: r.manifest.get("data") for r in found if r.ref.namespace == SPACE}


def _told(cluster: TestCluster, watcher: Watcher, name: str, data: dict[str, str] | None) -> None:
    """Wait until the watcher knows of a ConfigMap what is true."""

    def why_not() -> str:
        seen = _seen(watcher).get(name)
        return "" if seen == data else f"{name} is {seen}"

    cluster.wait_until(f"the watcher knows {name}", why_not)


def test_a_cut_watch_goes_on(place: TestCluster, line: tuple[Wire, Watcher]) -> None:
    """Nothing that happened meanwhile is lost, nothing is told twice, and nothing is a gap."""
    wire, watcher = line
    place.apply(_map("cut", state="before"))
    _told(place, watcher, "cut", {"state": "before"})
    for round_ in ("one", "two", "three"):
        assert wire.cut() >= 1
        place.apply(_map("cut", state=round_), _map(f"cut-{round_}"))
        _told(place, watcher, "cut", {"state": round_})
        assert (watcher.snapshot().gaps, watcher.stale) == ((), ())
    place.kubectl("delete", "configmap", "cut", "-n", SPACE, check=True)
    _told(place, watcher, "cut", None)
    assert _seen(watcher).keys() >= {"cut-one", "cut-two", "cut-three"}


def test_a_watch_that_hangs_is_noticed_in_time(
    place: TestCluster, line: tuple[Wire, Watcher]
) -> None:
    """Whoever only waits for an end of the connection believes for minutes in what is not so any
    more. The bound holds by the clock, whatever the threads do.
    """
    wire, watcher = line
    place.apply(_map("hung", state="before"))
    _told(place, watcher, "hung", {"state": "before"})
    wire.hang()
    place.apply(_map("hung", state="after"))
    place.wait_until("it is noticed", lambda: "" if watcher.stale else "not yet", BOUND + 5)
    assert watcher.unready == f"nothing was heard of any ConfigMap for {BOUND} seconds"
    assert _seen(watcher)["hung"] == {"state": "before"}
    wire.flow()
    _told(place, watcher, "hung", {"state": "after"})
    place.wait_until("it is over", lambda: watcher.unready)


def test_what_is_admitted_twice_at_once_is_seen_by_the_second(
    place: TestCluster, line: tuple[Wire, Watcher]
) -> None:
    """What was admitted is known before the server tells, and then as the server tells it."""
    _, watcher = line
    admitted = live_resource(CONFIG_MAPS, {**_map("raced"), "data": {"by": "request"}})
    watcher.remember(admitted)
    assert _seen(watcher)["raced"] == {"by": "request"}
    assert admitted.ref.key in watcher.believed
    place.apply(_map("raced", by="server"))
    _told(place, watcher, "raced", {"by": "server"})
    assert admitted.ref.key not in watcher.believed


def test_the_watched_cluster_is_judged_as_the_cluster(cluster: TestCluster) -> None:
    """With pods that run, and with all that is left out of them in memory."""
    cluster.apply(PEAPODS)
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    whole = ClusterSource(str(cluster.kubeconfig)).snapshot()
    with Watcher(Connection(str(cluster.kubeconfig)), keep=Keep()) as watcher:
        cluster.wait_until("the lists are read", lambda: ", ".join(watcher.unread))
        kept = watcher.snapshot()
    pods = [r for r in kept.of_kind("Pod") if r.manifest["status"]["phase"] == "Running"]
    assert pods
    assert all(len(pod.manifest["status"]) <= 5 for pod in pods)
    assert _findings(kept) == _findings(whole)


def _findings(found: Snapshot) -> set[tuple[str, str]]:
    told = audit(found, bench(), Settings()).open
    assert told
    return {(finding.fingerprint, finding.message) for finding in told}


def test_an_api_server_that_comes_back_is_followed_on(
    place: TestCluster, line: tuple[Wire, Watcher]
) -> None:
    """No answer in between is wrong: what was known stays, and what is new comes."""
    if not isinstance(place.backing, cluster_local.ControlPlane):
        pytest.skip("only the control plane that we started is ours to restart")
    _, watcher = line
    place.apply(_map("lasting", state="before"))
    _told(place, watcher, "lasting", {"state": "before"})
    place.backing.restart_api_server()
    assert _seen(watcher)["lasting"] == {"state": "before"}
    place.wait_until("it serves", lambda: _unserved(place))
    place.apply(_map("lasting", state="after"))
    _told(place, watcher, "lasting", {"state": "after"})
    place.wait_until("it is heard of", lambda: watcher.unready)
    assert watcher.snapshot().gaps == ()


def _unserved(cluster: TestCluster) -> str:
    asked = cluster.kubectl("get", "--raw", "/readyz")
    return "" if asked.returncode == 0 else asked.stderr


def test_a_server_with_another_past_is_read_anew(
    place: TestCluster, line: tuple[Wire, Watcher]
) -> None:
    """A cluster that was restored from a backup: what is not there any more is not believed in."""
    if not isinstance(place.backing, cluster_local.ControlPlane):
        pytest.skip("only the control plane that we started is ours to empty")
    _, watcher = line
    place.apply(_map("lost"))
    place.wait_until("it is known", lambda: "" if "lost" in _seen(watcher) else "not yet")
    place.reset()
    place.apply(_namespace(), _map("new", state="x"))
    _told(place, watcher, "new", {"state": "x"})
    place.wait_until("it is forgotten", lambda: "lost is there" if "lost" in _seen(watcher) else "")
    place.wait_until("it is heard of", lambda: watcher.unready)
    assert watcher.snapshot().gaps == ()
