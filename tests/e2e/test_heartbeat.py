"""The sign of life of the webhook, where the real API server keeps it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.sources.cluster import Connection, RefusedError
from auditor.sources.heartbeat import Heartbeat

from .cluster import TestCluster
from .product import PRIVILEGED
from .test_webhook import serving

pytestmark = pytest.mark.e2e

SPACE = "beating"
RULES = (
    {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": ["auditor"],
        "verbs": ["get", "patch"],
    },
)
"""All that it takes."""


def test_who_comes_after_knows_when_somebody_was_there_last(cluster: TestCluster) -> None:
    """With no right but to that one Lease."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    connection = Connection(str(cluster.kubeconfig_for("beats", RULES)))
    first = Heartbeat(connection, SPACE, "auditor")
    assert first.last() is None
    began = datetime(2026, 11, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    for seconds in (0, 15):
        first.beat(began + timedelta(seconds=seconds), "pod-a")
    after = Heartbeat(connection, SPACE, "auditor")
    assert after.last() == began + timedelta(seconds=15)
    after.beat(began + timedelta(seconds=20), "pod-b")
    lease = cluster.get("lease", SPACE, "auditor")
    assert lease["spec"]["holderIdentity"] == "pod-b"
    with pytest.raises(RefusedError, match="forbidden"):
        Heartbeat(connection, SPACE, "other").last()


def _pod(name: str) -> dict[str, Any]:
    container = {"name": "app", "image": "app:1", "securityContext": {"privileged": True}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {"containers": [container]},
    }


def test_what_came_in_during_an_outage_is_told(cluster: TestCluster, tmp_path: Path) -> None:
    """The command comes back, an hour after the last replica was heard of; and once it was there,
    nobody is told again.
    """
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    beats = Heartbeat(Connection(str(cluster.kubeconfig)), SPACE, "webhook")
    gone = datetime.now(UTC) - timedelta(hours=1)
    beats.beat(gone, "gone")
    cluster.apply(_pod("slipped-in"))
    lines = []
    for run in ("first", "second"):
        folder = tmp_path / run
        folder.mkdir()
        with serving(cluster, folder, "--lease", f"{SPACE}/webhook"):
            cluster.wait_until(
                "it gives a sign of life", lambda: "" if beats.last() != gone else "not yet"
            )
        log = (folder / "webhook.log").read_text("utf-8")
        lines.append([line for line in log.splitlines() if "came in unjudged" in line])
    (told,) = map(json.loads, lines[0])
    assert (told["policy"], told["object"]) == (PRIVILEGED, f"{SPACE}/slipped-in[Pod]")
    assert told["since"] == gone.isoformat(timespec="seconds")
    assert lines[1] == []
