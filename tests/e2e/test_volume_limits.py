"""How many volumes a node attaches: what a real kube-scheduler reckons and the simulation says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from auditor.facts.placement import Pod
from tests.facts.placement.world import cluster as simulated
from tests.facts.placement.world import node, pod, resource, thing

from .cluster import TestCluster

pytestmark = pytest.mark.e2e

SPACE = "volumes"
DRIVER = "csi.example.com"
LIMITS = {"full-a": 2, "full-b": 1}
PODS = 5


def _objects() -> list[dict[str, Any]]:
    """Two nodes with a limit each, and as many volumes as pods, each bound to its claim."""
    found = [node(name) for name in LIMITS]
    for name, most in LIMITS.items():
        drivers = [{"name": DRIVER, "nodeID": name, "allocatable": {"count": most}}]
        found.append(thing("CSINode", name, spec={"drivers": drivers}))
    for number in range(PODS):
        found += _volume(number)
    return [dict(each.manifest) for each in found]


def _volume(number: int) -> list[Any]:
    size = {"storage": "1Gi"}
    spec = {
        "capacity": size,
        "accessModes": ["ReadWriteOnce"],
        "csi": {"driver": DRIVER, "volumeHandle": f"handle-{number}"},
        "claimRef": {"namespace": SPACE, "name": f"claim-{number}"},
    }
    asked = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": size},
        "storageClassName": "",
        "volumeName": f"volume-{number}",
    }
    disk = thing("PersistentVolume", f"volume-{number}", spec=spec)
    return [disk, thing("PersistentVolumeClaim", f"claim-{number}", SPACE, spec=asked)]


def _pod(number: int) -> dict[str, Any]:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": f"claim-{number}"}}]
    return dict(pod(f"pod-{number}", namespace=SPACE, volumes=volumes).manifest)


def test_pods_wait_once_no_node_attaches_another_volume(cluster: TestCluster) -> None:
    """Each node gets as many of the pods as it attaches volumes, and the others wait, as told."""
    there, asking = _objects(), [_pod(number) for number in range(PODS)]
    simulation = simulated(*map(resource, there), namespaces={SPACE: {}})
    told = simulation.place([Pod.from_resource(resource(each)) for each in asking], 0)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
    cluster.apply(namespace, *there)
    cluster.wait_until_nodes_ready()
    cluster.wait_until("all claims are bound", lambda: _unbound(cluster))
    cluster.apply(*asking)
    cluster.wait_until("every pod was looked at", lambda: _unasked(cluster))
    nodes = (each["spec"].get("nodeName", "") for each in cluster.objects("pods", SPACE))
    found = Counter(nodes)
    assert found == Counter(told.bound.values()) + Counter({"": len(told.unschedulable)})
    assert found == Counter({**LIMITS, "": PODS - sum(LIMITS.values())})


def _unbound(cluster: TestCluster) -> str:
    claims = cluster.objects("persistentvolumeclaims", SPACE)
    bound = [each for each in claims if each.get("status", {}).get("phase") == "Bound"]
    return "" if len(bound) == PODS else f"{len(bound)} are bound"


def _unasked(cluster: TestCluster) -> str:
    pods = cluster.objects("pods", SPACE)
    asked = [
        each
        for each in pods
        if any(c["type"] == "PodScheduled" for c in each["status"].get("conditions", ()))
    ]
    return "" if len(asked) == PODS else f"{len(asked)} were"
