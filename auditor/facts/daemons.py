"""What the next update of a DaemonSet passes through.

``pkg/controller/daemon/update.go`` of Kubernetes 1.36: both shares are rounded up, of the nodes
that are to have a pod. A template that fits no node deletes every pod at once, whatever they say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.placement import pods_of
from auditor.facts.placement.needed import rounded
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

CRITICAL = "system-node-critical"


def daemon(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `daemon` of a DaemonSet: how many of the nodes are to have a pod (None without
    nodes), how many pods may be away at once, and what of it cannot be there twice.
    """
    if (workload.ref.group, workload.ref.kind) != ("apps", "DaemonSet"):
        return None
    from auditor.facts.placement.filters import admits

    pods = pods_of(workload)
    if not pods:
        return None
    nodes = facts.topology.nodes
    desired = sum(1 for node in nodes if admits(pods[0], node) is None) if nodes else None
    strategy = mapping(at(workload.resource.manifest, ("spec", "updateStrategy")))
    rolling = mapping(strategy.get("rollingUpdate"))
    surge = rounded(rolling.get("maxSurge", 0), desired or 1, up=True) or 0
    written = rolling.get("maxUnavailable")
    away = rounded(1 if written is None else written, desired or 100, up=True)
    if desired is None and type(written) is int:
        away = None  # of how many nodes, nobody tells
    return {
        "nodes": len(nodes),
        "desired": desired,
        "surge": surge,
        "away": 0 if surge or away is None else min(away, desired or 100),
        "written": written is not None,
        "on_delete": strategy.get("type") == "OnDelete",
        "critical": workload.pod.get("priorityClassName") == CRITICAL,
        "port": pods[0].shape.ports[0].port if pods[0].shape.ports else None,
        "pods": len(facts.standing.live.get(workload.ref.key, ())),
    }
