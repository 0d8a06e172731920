"""The sign of life of the webhook, where the real API server keeps it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from auditor.sources.cluster import Connection, RefusedError
from auditor.sources.heartbeat import Heartbeat

from .cluster import TestCluster

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
