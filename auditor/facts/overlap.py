"""Whose pods a controller takes for its own that another one makes.

A label selector is all that an autoscaler, a status and an adoption go by: where it meets pods of
another controller, averages are taken over both, and orphans of the one become pods of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.kinds import SELECTING
from auditor.facts.selectors import Labels, RefusedError, Selector, Truth, parse_selector
from auditor.facts.workloads import Workload
from auditor.manifests import at

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def overlap(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `overlap` of a controller with a selector: whether it means its own pods, and the
    other controllers whose pods it means as well. None where there is nothing to tell.
    """
    if workload.ref.kind not in SELECTING or workload.ref.group != "apps":
        return None
    selector = _selector(workload)
    if selector is None or not selector.requirements:
        return None
    misses = selector.truth(Labels(workload.labels)) is Truth.NO
    others = [] if misses else [*_others(facts, workload, selector)]
    if not misses and not others:
        return None
    scaler = facts.scalers.get(workload.ref.key)
    return {
        "misses": misses,
        "others": others,
        "scaler": f"{scaler.ref.kind} {scaler.ref.name}" if scaler else "",
    }


def _selector(workload: Workload) -> Selector | None:
    try:
        return parse_selector(at(workload.resource.manifest, ("spec", "selector")), ())
    except RefusedError:
        return None


def _others(facts: Facts, workload: Workload, selector: Selector) -> list[dict[str, Any]]:
    found = []
    for other, labels in facts.by_label.candidates(workload.ref.namespace, selector):
        makes = other.ref.kind in SELECTING and other.ref.group == "apps"
        if makes and other.ref != workload.ref and selector.truth(labels) is Truth.YES:
            name = f"{other.ref.kind} {other.ref.name}"
            found.append({"name": name, "object": as_object(other.ref)})
    return found


def scaled_by(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `autoscaler`: who changes the replicas of a workload; None where nobody does."""
    scaler = facts.scalers.get(workload.ref.key)
    if scaler is None:
        return None
    return {
        "name": f"{scaler.ref.kind} {scaler.ref.name}",
        "least": scaler.least,
        "most": scaler.most,
        "object": as_object(scaler.ref),
    }
