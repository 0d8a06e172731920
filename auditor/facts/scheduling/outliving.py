"""The fact `losses`: which workloads do not come back after the loss of a domain, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.scheduling.demand import REPLICATED
from auditor.facts.scheduling.losing import Stuck, worst
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

CAUSES = ("volume", "choice", "capacity")
"""The causes that are no matter of one constraint; those are told by `spreading`."""


def outliving(facts: Facts, workload: Workload) -> dict[str, list[dict[str, Any]]] | None:
    """By cause (``volume``, ``choice``, ``capacity``), the worst loss of a domain."""
    if workload.ref.kind not in REPLICATED:
        return None
    found = facts.scheduling.losses.get(workload.ref.key, ())
    told = {
        cause: [told_of(facts, workload, stuck)]
        for cause in CAUSES
        if (stuck := worst(found, cause)) is not None
    }
    return told or None


def told_of(facts: Facts, workload: Workload, stuck: Stuck) -> dict[str, Any]:
    """What a policy needs of one loss."""
    served = facts.scheduling.services(workload)
    left = stuck.replicas - stuck.stuck
    return {
        "path": workload.pod_path,
        "anchor": stuck.domain.level,
        "severity": "medium" if served and not left else "low",
        "domain": str(stuck.domain),
        "moved": stuck.moved,
        "stuck": stuck.stuck,
        "replicas": stuck.replicas,
        "left": left,
        "why": stuck.why,
        "evidence": [
            {
                "message": f"Service {s.ref.namespace}/{s.ref.name} leads to them",
                "object": as_object(s.ref),
                "path": [],
            }
            for s in served[:10]
        ],
    }
