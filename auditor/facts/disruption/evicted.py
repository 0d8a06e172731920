"""Whether what takes the place of an evicted pod finds a node.

While its node is drained it is closed. What may be there once in a whole zone is not judged: that
the old pod goes makes room elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.disruption.owners import Scale, scale_of
from auditor.facts.placement import Pod
from auditor.facts.placement.needed import needed
from auditor.facts.spare_room import next_pod
from auditor.facts.workloads import Workload
from auditor.terms import HOSTNAME

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def evicted(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `evicted`: how many pods have no other node to go to, and why; None where all have,
    where something adds nodes, or where that cannot be told.
    """
    if scale_of(facts, workload) is not Scale.HAS or not facts.topology.nodes or facts.room.grows:
        return None
    held = facts.standing.placed().get(workload.ref.key, ())
    pod = next_pod(workload)
    if not held or pod is None or not _is_about_nodes(pod):
        return None
    found = facts.room.asked(pod)
    if found is None or len(found.nodes) > 1:
        return None
    bound = [one for one in held if not set(found.nodes) - {one.node}]
    if not bound:
        return None
    count = needed(facts, workload)
    return {
        "pods": len(held),
        "bound": len(bound),
        "nodes": sorted({one.node for one in bound})[:3],
        "why": found.why if not found.nodes else f"only {found.nodes[0]} has room for it",
        "left": len(held) - 1,
        "needed": count.count,
        "needed_why": count.why,
        "path": workload.pod_path,
    }


def _is_about_nodes(pod: Pod) -> bool:
    """Whether what decides where it may run is about single nodes alone."""
    shape = pod.shape
    keys = [term.key for term in (*shape.affinity.away, *shape.affinity.near)]
    keys += [spread.key for spread in shape.spreads if spread.hard]
    return not pod.claims and all(key == HOSTNAME for key in keys)
