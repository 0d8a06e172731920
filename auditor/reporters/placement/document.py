"""A map for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditor.credentials import told
from auditor.facts.forms import as_object
from auditor.facts.inventory import words as declared
from auditor.facts.scenarios.plan import Call, Place, Plan, Spot
from auditor.model import Gap
from auditor.reporters.gaps import gap_documents

FORMAT = "auditor-placement-map/1"


def document(
    plan: Plan, doubts: Sequence[str], gaps: Iterable[Gap], *, hops: bool
) -> dict[str, Any]:
    """The whole map; `hops`: with who calls whom."""
    cluster = plan.cluster
    return {
        "format": FORMAT,
        "pods": "read" if cluster.live else "simulated",
        "seed": None if cluster.live else cluster.seed,
        "nodes": declared(cluster.facts.snapshot) or "read",
        "places": [_place(plan, place) for place in plan.places],
        "workloads": [_workload(plan, number) for number in range(len(plan.groups))],
        "podsOutsideOfTheScope": plan.outside,
        **({"calls": [_call(plan, call) for call in plan.calls]} if hops else {}),
        "notProvable": list(map(told, doubts)),
        "gaps": gap_documents(gaps),
    }


def _place(plan: Plan, place: Place) -> dict[str, Any]:
    return {
        "level": place.level.value if place.name or place.places else "cluster",
        "name": place.name,
        "places": [_place(plan, inner) for inner in place.places],
        "nodes": [_spot(plan, spot) for spot in place.spots],
    }


def _spot(plan: Plan, spot: Spot) -> dict[str, Any]:
    return {
        "name": spot.node.name,
        "marks": list(spot.marks),
        "room": list(spot.room),
        "workloads": [
            {"name": plan.groups[h.group].name, "pods": h.pods, "ready": h.ready} for h in spot.here
        ],
    }


def _workload(plan: Plan, number: int) -> dict[str, Any]:
    group = plan.groups[number]
    needs = plan.needs.get(number)
    return {
        "object": as_object(group.ref),
        "personalData": list(group.data),
        "placed": [{"pod": each.name, "node": each.node} for each in group.running],
        "unplaced": [{"pod": name, "why": told(why)} for name, why in group.waiting],
        **({"needs": needs} if needs else {}),
    }


def _call(plan: Plan, call: Call) -> dict[str, Any]:
    return {
        "from": plan.groups[call.source].name,
        "to": plan.groups[call.target].name,
        "because": told(call.told),
        "hops": call.hops,
        "least": call.least,
        "most": call.most,
        "farthest": call.level,
        "milliseconds": call.milliseconds,
    }
