"""The bounds that fixes write for a namespace, before a real API server: pods get what a LimitRange
was to give them and no others, and a quota refuses none of a rollout.

The fixtures hold what the fixes write; that they do is tested with the policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .cluster import TestCluster
from .cluster_kubectl import documents

pytestmark = pytest.mark.e2e

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies" / "resources"
AMOUNTS = {"cpu": "8", "memory": "16Gi", "pods": "110"}
NODE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {
        "name": "room",
        "labels": {"kubernetes.io/hostname": "room"},
        "annotations": {"kwok.x-k8s.io/node": "fake"},
    },
    "status": {"allocatable": AMOUNTS, "capacity": AMOUNTS},
}


def _asked(cluster: TestCluster) -> Iterator[tuple[str, Any]]:
    for pod in cluster.objects("pods", "shop"):
        for key in ("containers", "initContainers"):
            for container in pod["spec"].get(key, ()):
                yield container["name"], container["resources"].get("requests")


def test_containers_are_given_what_they_do_not_say(fresh_cluster: TestCluster) -> None:
    """Neither those that ask, nor those whose limit is the request; all of them find their node."""
    file = FIXTURES / "no_limit_range" / "fixed-requests.yaml"
    # Who asked for a namespace's bounds before there were any is told for half a minute of none.
    bounds = [one for one in documents(file.read_text("utf-8")) if one["kind"] == "LimitRange"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    fresh_cluster.apply(NODE, space, *bounds)
    fresh_cluster.apply(file)
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.kubectl(
        "create", "job", "now", "--from=cronjob/nightly", "-n", "shop", check=True
    )
    fresh_cluster.wait_until_bound("shop")
    given = {"cpu": "100m", "memory": "128Mi"}
    found = {name: asked for name, asked in _asked(fresh_cluster) if name != "main"}
    assert found == {
        "migrate": {"cpu": "10m", "memory": "1Mi"},
        "proxy": {"cpu": "50m", "memory": "64Mi"},
        "web": {"cpu": "100m", "memory": "128Mi"},
        "silent": given,
    }
    mains = [asked for name, asked in _asked(fresh_cluster) if name == "main"]
    assert {"cpu": "300m", "memory": "0"} in mains
    assert {"cpu": "250m", "memory": "256Mi"} in mains


def test_all_workloads_are_rolled_out_at_their_largest(fresh_cluster: TestCluster) -> None:
    """Under the quota, which refuses what is far beyond."""
    fresh_cluster.apply(NODE, FIXTURES / "no_resource_quota" / "fixed-measured.yaml")
    fresh_cluster.wait_until_nodes_ready()
    here = ("-n", "shop")
    # The autoscaler has no metrics here, and would only be in the way.
    fresh_cluster.kubectl("delete", "hpa", "web", *here, check=True)
    fresh_cluster.kubectl("scale", "deployment/web", "--replicas=6", *here, check=True)
    fresh_cluster.kubectl("create", "job", "now", "--from=cronjob/nightly", *here, check=True)
    fresh_cluster.wait_until_bound()
    for what in ("deployment/web", "statefulset/db"):
        fresh_cluster.kubectl("rollout", "restart", what, *here, check=True)
    fresh_cluster.kubectl("rollout", "restart", "deployment/gate", "-n", "front", check=True)
    for what in ("deployment/web", "statefulset/db"):
        fresh_cluster.kubectl("rollout", "status", what, "--timeout=90s", *here, check=True)
    where = ("--timeout=90s", "-n", "front")
    fresh_cluster.kubectl("rollout", "status", "deployment/gate", *where, check=True)
    assert not _refused(fresh_cluster)
    fresh_cluster.kubectl("scale", "deployment/web", "--replicas=40", *here, check=True)
    fresh_cluster.wait_until(
        "the quota refuses", lambda: "" if _refused(fresh_cluster) else "it refused none"
    )


def _refused(cluster: TestCluster) -> list[str]:
    events = cluster.objects("events", "shop") + cluster.objects("events", "front")
    return [each["message"] for each in events if "exceeded quota" in each.get("message", "")]
