"""What `auditor placement` says of a live cluster is what the cluster then does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from .cluster import TestCluster
from .product import PEAPODS, auditor

pytestmark = pytest.mark.e2e

PLAIN = "rack1-node1"
"""A node with a pod of a search that needs all three nodes of its rack."""


@pytest.fixture(scope="module")
def peapods(cluster: TestCluster) -> TestCluster:
    """The example company, running."""
    cluster.apply(PEAPODS)
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    return cluster


def asked(cluster: TestCluster, *verb: str) -> Mapping[str, Any]:
    """What a verb of `auditor placement` says of the cluster."""
    access = ("--cluster", "--kubeconfig", cluster.kubeconfig)
    report: Mapping[str, Any] = auditor("placement", *verb, *access, "--format", "json").report
    return report


def nodes_of_pods(cluster: TestCluster) -> dict[str, str]:
    return {
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": pod["spec"].get("nodeName", "")
        for pod in cluster.objects("pods")
        if "deletionTimestamp" not in pod["metadata"]
    }


def drained(cluster: TestCluster, node: str) -> bool:
    """Whether `kubectl drain` gets through, with the flags that it asks for."""
    flags = ("--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=15s")
    return cluster.kubectl("drain", node, *flags).returncode == 0


def waiting(cluster: TestCluster) -> Counter[str]:
    """How many pods of each app have no node."""
    pods = cluster.objects("pods")
    lost = (p for p in pods if not p["spec"].get("nodeName"))
    return Counter(pod["metadata"]["labels"]["app"] for pod in lost)


def test_the_map_shows_pods_where_they_are(peapods: TestCluster) -> None:
    report = asked(peapods, "show")
    placed = {
        each["pod"]: each["node"] for group in report["workloads"] for each in group["placed"]
    }
    assert report["pods"] == "read"
    assert report["notProvable"] == []
    assert placed == {name: node for name, node in nodes_of_pods(peapods).items() if node}


def test_a_drain_that_is_said_to_be_blocked_is(peapods: TestCluster) -> None:
    """The database is on one node of its rack; a budget lets it nowhere."""
    (node,) = (n for p, n in nodes_of_pods(peapods).items() if p == "shop/orders-db-0")
    report = asked(peapods, "drain", node)
    assert report["result"] == "blocked"
    assert not drained(peapods, node)
    peapods.kubectl("uncordon", node, check=True)


def test_what_is_said_to_find_no_node_finds_none(peapods: TestCluster) -> None:
    peapods.wait_until_bound()
    report = asked(peapods, "drain", PLAIN)
    said = Counter(
        {
            each["object"]["name"]: sum(p["pods"] for p in each["pending"])
            for each in report["workloads"]
        }
    )
    assert report["result"] == "completed"
    assert drained(peapods, PLAIN)
    try:
        peapods.wait_until(
            "the pods that were predicted are left",
            lambda: "" if waiting(peapods) == +said else f"{waiting(peapods)}, said were {+said}",
        )
        assert +said == {"search": 1}
    finally:
        peapods.kubectl("uncordon", PLAIN, check=True)


def test_an_update_that_is_said_to_get_stuck_does_and_loses_no_pod(peapods: TestCluster) -> None:
    peapods.wait_until_bound()
    report = asked(peapods, "rollout", "shop/search")
    assert (report["ends"], report["workloads"][0]["lowestAvailable"]) == (["stuck"], 3)
    image = "search=registry.example/peapods/search:0.0.1"
    peapods.kubectl("set", "image", "-n", "shop", "deployment/search", image, check=True)
    peapods.wait_until(
        "the new pod waits", lambda: "" if waiting(peapods)["search"] == 1 else "none waits"
    )
    status = peapods.get("deployment", "shop", "search")["status"]
    assert status["availableReplicas"] == 3
    assert status["updatedReplicas"] == 1
