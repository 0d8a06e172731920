"""Who gets at personal data through the API server, whatever policies of the network say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.paths.positions import Means
from auditor.facts.workloads import Workload

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]


def api_access(facts: Facts, holder: Workload) -> Told | None:
    """The fact `api_access` for policies, about a workload that holds personal data: ``bindings``
    that give somebody power over it or its data, each with its subjects, what it gives, and whether
    that is to control the workload.

    What the API server binds for itself is none of them. None where there is no such binding. Costs
    a look at each right of each binding that has any power.
    """
    data = facts.data.of(holder)
    if data is None:
        return None
    bindings = [_told(means) for means in facts.api.steps([holder]) if _leads_to_data(means)]
    if not bindings:
        return None
    return {
        "data": [name.upper() for name in data.names],
        "declared": {"object": as_object(data.declared.ref), "path": data.declared.path},
        "own": data.declared.ref == holder.ref,
        "bindings": sorted(bindings, key=lambda one: (not one["controls"], one["how"])),
    }


def _leads_to_data(means: Means) -> bool:
    return not means.approach and any(target.kind != "subject" for target in means.targets)


def _told(means: Means) -> Told:
    target = next(one for one in means.targets if one.kind != "subject")
    why = means.whys[target]
    return {
        "subjects": [source.name for source in means.sources],
        "object": as_object(why.ref) if why.ref else None,
        "path": why.path,
        "how": why.text,
        "controls": target.kind == "workload",
    }
