"""What the LimitRanges and ResourceQuotas of a namespace give its containers and keep from them.

Rules: the admission plugin LimitRanger, and SetDefaults_LimitRangeItem of pkg/apis/core/v1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Resource, Snapshot

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

ASKING = ("containers", "initContainers")
"""The lists of containers that may ask for anything."""
HOLDING = ("Container", "Pod")
"""The types of limits that are about what runs: others are about storage."""


def resource_defaults(facts: Facts, workload: Workload) -> dict[str, Any]:
    """What the API server gives the containers of a workload that say nothing of a resource:
    ``{"requests": {resource: quantity}, "limits": {resource: quantity}}``, both often empty.
    """
    return defaults_within(facts.snapshot, workload.ref.namespace)


def defaults_within(snapshot: Snapshot, namespace: str) -> dict[str, Any]:
    """The same, of a namespace."""
    given: dict[str, Any] = {"requests": {}, "limits": {}}
    for limits in _within(snapshot, "LimitRange", namespace):
        for key, amounts in defaults_of(limits).items():
            given[key] |= amounts
    return given


def requests_within(snapshot: Snapshot) -> dict[str, Manifest]:
    """What a pod that is made in a namespace is given to ask for, by namespace. Several LimitRanges
    are taken in no order that is known: where they do not agree, nothing is said.
    """
    found: dict[str, list[Manifest]] = {}
    for limits in snapshot.of_kind("LimitRange"):
        if given := defaults_of(limits.manifest)["requests"]:
            found.setdefault(limits.ref.namespace, []).append(given)
    return {name: each[0] for name, each in found.items() if all(g == each[0] for g in each)}


def admitted(pod: Manifest, given: Manifest) -> Manifest:
    """A pod specification as the API server makes it of one of a template: every container that
    names a resource neither among its requests nor among its limits is given the request. A limit
    counts as the request before any LimitRange is asked (SetDefaults_Pod of pkg/apis/core/v1). The
    very same where nothing is added, or where the pod bounds its containers together.
    """
    if not given or pod.get("resources"):
        return pod
    lists = {key: [_given(c, given) for c in sequence(pod.get(key))] for key in ASKING}
    changed = {key: each for key, each in lists.items() if each != sequence(pod.get(key))}
    return {**pod, **changed} if changed else pod


def _given(container: Any, given: Manifest) -> Any:
    missing = {key: amount for key, amount in given.items() if key not in said_of(container)}
    if not missing or not isinstance(container, Mapping):
        return container
    resources = mapping(container.get("resources"))
    requests = {**mapping(resources.get("requests")), **missing}
    return {**container, "resources": {**resources, "requests": requests}}


def said_of(container: Any) -> set[str]:
    """The resources that a container names among its requests or its limits."""
    amounts = (at(container, ("resources", key)) for key in ("requests", "limits"))
    return {name for found in amounts for name in mapping(found)}


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
