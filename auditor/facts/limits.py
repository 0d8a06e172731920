"""What the LimitRanges and ResourceQuotas of a namespace give its containers and keep from them.

Rules: the admission plugin LimitRanger, and SetDefaults_LimitRangeItem of pkg/apis/core/v1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Resource, Snapshot

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

HOLDING = ("Container", "Pod")
"""The types of limits that are about what runs: others are about storage."""


def resource_defaults(facts: Facts, workload: Workload) -> dict[str, Any]:
    """What the API server gives the containers of a workload that say nothing of a resource:
    ``{"requests": {resource: quantity}, "limits": {resource: quantity}}``, both often empty.
    """
    given: dict[str, Any] = {"requests": {}, "limits": {}}
    for limits in _within(facts.snapshot, "LimitRange", workload.ref.namespace):
        for key, amounts in defaults_of(limits).items():
            given[key] |= amounts
    return given


def defaults_of(limits: Manifest) -> dict[str, dict[str, Any]]:
    """What one LimitRange gives, as above: the most that it allows is the limit of whoever has
    none, and the least the request.
    """
    requests: dict[str, Any] = {}
    bounds: dict[str, Any] = {}
    for item in _items(limits):
        if item.get("type") == "Container":
            most = {**mapping(item.get("max")), **mapping(item.get("default"))}
            bounds |= most
            requests |= {**mapping(item.get("min")), **most, **mapping(item.get("defaultRequest"))}
    return {"requests": requests, "limits": bounds}


def limit_ranges(facts: Facts, namespace: Resource) -> dict[str, int]:
    """How many limits there are for the pods and containers of a namespace: ``{"count": 2}``."""
    ranges = _within(facts.snapshot, "LimitRange", namespace.ref.name)
    return {"count": sum(i.get("type") in HOLDING for limits in ranges for i in _items(limits))}


def resource_quotas(facts: Facts, namespace: Resource) -> dict[str, int]:
    """How many ResourceQuotas of a namespace bound anything: ``{"count": 1}``."""
    quotas = _within(facts.snapshot, "ResourceQuota", namespace.ref.name)
    return {"count": sum(bool(mapping(at(quota, ("spec", "hard")))) for quota in quotas)}


def _items(limits: Manifest) -> Iterator[Manifest]:
    yield from map(mapping, sequence(at(limits, ("spec", "limits"))))


def _within(snapshot: Snapshot, kind: str, namespace: str) -> Iterator[Manifest]:
    for resource in snapshot.of_kind(kind):
        if resource.ref.namespace == namespace:
            yield resource.manifest
