"""Whether a NetworkPolicy has any effect where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.network.policies import GROUP
from auditor.model import Evidence, Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def effect(facts: Facts, resource: Resource) -> dict[str, Any] | None:
    """The fact `enforcement` for policies, about one NetworkPolicy of Kubernetes that nothing
    enforces; None where that is not known to be so. A cluster has thousands that hold.
    """
    kind, group = resource.ref.kind, resource.ref.group
    if kind != "NetworkPolicy" or group != GROUP:
        return None
    told = facts.enforcement
    if told.gap:
        facts.unknown(told.gap)
    if not told.nothing:
        return None
    found = told.found
    return {
        "enforced": False,
        "profile": told.profile.name,
        "how": told.how,
        "product": found.product if found else "",
        "evidence": [_evidence(one) for one in found.evidence] if found else [],
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "object": as_object(one.ref) if one.ref else None,
        "path": one.path,
        "message": one.message,
    }
