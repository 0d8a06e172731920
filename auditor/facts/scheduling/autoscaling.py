"""What an autoscaler cannot do: HorizontalPodAutoscalers without a target, without requests to
measure by, without room, or against another autoscaler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.limits import resource_defaults
from auditor.facts.placement.autoscaled import DEFAULT_TARGET
from auditor.facts.scheduling.ceilings import ceiling_of
from auditor.facts.scheduling.demand import bounds_of, is_inverted, target_of
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Path, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]


def autoscaling(facts: Facts, resource: Resource) -> dict[str, list[Told]] | None:
    """The fact `autoscaling` for policies, about one HorizontalPodAutoscaler: by fault, what it
    lacks, a target, requests, room or a range, and who else scales the same.
    """
    if (resource.ref.group, resource.ref.kind) != ("autoscaling", "HorizontalPodAutoscaler"):
        return None
    found: dict[str, list[Told]] = {}
    for name, case in _faults(facts, resource):
        found.setdefault(name, []).append(case)
    return found or None


def _faults(facts: Facts, scaler: Resource) -> Iterator[tuple[str, Told]]:
    workload = facts.by_key.get(target_of(scaler))
    target = mapping(at(scaler.manifest, ("spec", "scaleTargetRef")))
    least, most = bounds_of(scaler)
    if least == most:
        inverted = is_inverted(scaler)
        said = {"path": ("spec", "maxReplicas"), "anchor": "", "replicas": least}
        yield "fixed", {**said, "inverted": inverted}
    if workload is None:
        far = _elsewhere(facts, scaler)
        if far or _is_missing(facts, scaler):
            name = f"{target.get('kind')} {scaler.ref.namespace}/{target.get('name')}"
            seen = [_seen(each.resource, "has this name in another namespace") for each in far]
            told = {"path": ("spec", "scaleTargetRef"), "anchor": "", "target": name}
            yield "no_target", {**told, "evidence": seen}
        return
    yield from _by_requests(facts, scaler, workload)
    yield from _against_another(facts, scaler, workload)
    if (case := _without_room(facts, workload, most)) is not None:
        yield "no_room", case
    if least == 1 and facts.scheduling.services(workload):
        yield "one_at_least", _one(facts, workload, scaler)


def _is_missing(facts: Facts, scaler: Resource) -> bool:
    """Whether its target would have been read if it were there."""
    group, kind, namespace, _ = target_of(scaler)
    known = (group, kind) in (
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("apps", "ReplicaSet"),
    )
    here = any(w.ref.namespace == namespace for w in facts.workloads)
    return known and (here or facts.snapshot.server is not None)


def _elsewhere(facts: Facts, scaler: Resource) -> list[Workload]:
    """What has the name of its target in another namespace, where both say in which they are."""
    if at(scaler.manifest, ("metadata", "namespace")) is None:
        return []
    group, kind, _, name = target_of(scaler)
    return [
        workload
        for workload in facts.workloads
        if (workload.ref.group, workload.ref.kind, workload.ref.name) == (group, kind, name)
        and at(workload.resource.manifest, ("metadata", "namespace")) is not None
    ]


@dataclass(frozen=True, slots=True)
class _Metric:
    """A metric that is a share of what is requested."""

    resource: str
    container: str
    """Empty for the whole pod."""
    path: Path
    percent: object
    """As it is written."""

    @property
    def share(self) -> str:
        """In words."""
        return f"{self.percent}%" if isinstance(self.percent, int) else "a share"


def _metrics(scaler: Resource) -> Iterator[_Metric]:
    """Each metric that is a share of what is requested."""
    spec = mapping(scaler.manifest.get("spec"))
    if (percent := spec.get("targetCPUUtilizationPercentage")) is not None:
        yield _Metric("cpu", "", ("spec", "targetCPUUtilizationPercentage"), percent)
    if not spec.get("metrics") and "targetCPUUtilizationPercentage" not in spec:
        yield _Metric("cpu", "", ("spec",), DEFAULT_TARGET)
    for index, metric in enumerate(map(mapping, sequence(spec.get("metrics")))):
        for kind, field in (("Resource", "resource"), ("ContainerResource", "containerResource")):
            inner = mapping(metric.get(field))
            target = mapping(inner.get("target"))
            share = metric.get("type") == kind and target.get("type") == "Utilization"
            if share and isinstance(inner.get("name"), str):
                container = str(inner.get("container") or "")
                percent = target.get("averageUtilization")
                yield _Metric(inner["name"], container, ("spec", "metrics", index), percent)


def _by_requests(facts: Facts, scaler: Resource, workload: Workload) -> Iterator[tuple[str, Told]]:
    """Shares of a request that some container does not make: the autoscaler then does nothing."""
    given = resource_defaults(facts, workload)["requests"]
    for metric in _metrics(scaler):
        name = metric.resource
        silent = [
            c.name
            for c in workload.containers
            if _runs(c.list, c.spec) and metric.container in ("", c.name)
            if name not in given and not _asks(c.spec, name)
        ]
        if silent and not _asks(workload.pod, name):
            yield "no_request", {
                "path": metric.path, "anchor": name, "resource": name, "container": silent[0],
                "share": metric.share, "silent": len(silent), "target": workload.name,
                "evidence": [_seen(workload.resource, f"container '{silent[0]}' asks for none")],
            }  # fmt: skip


def _runs(listed: str, container: Mapping[str, Any]) -> bool:
    return listed == "containers" or container.get("restartPolicy") == "Always"


def _asks(owner: Mapping[str, Any], name: str) -> bool:
    resources = mapping(owner.get("resources"))
    return any(mapping(resources.get(key)).get(name) is not None for key in ("requests", "limits"))


def _against_another(
    facts: Facts, scaler: Resource, workload: Workload
) -> Iterator[tuple[str, Told]]:
    """Another autoscaler of the same workload: a second one, or one of the size of its pods."""
    own = {metric.resource: metric for metric in _metrics(scaler)}
    for other in facts.snapshot.of_kind("HorizontalPodAutoscaler"):
        if other.ref != scaler.ref and target_of(other) == workload.ref.key:
            yield "two", _clash(other, workload, "")
    for other in facts.snapshot.of_kind("VerticalPodAutoscaler"):
        spec = mapping(other.manifest.get("spec"))
        target = mapping(spec.get("targetRef"))
        same = (target.get("kind"), target.get("name"), other.ref.namespace) == (
            workload.ref.kind, workload.ref.name, workload.ref.namespace,
        )  # fmt: skip
        mode = mapping(spec.get("updatePolicy")).get("updateMode", "Auto")
        both = sorted(own.keys() & _sized(spec))
        if same and mode != "Off" and both:
            share = own[both[0]].share
            yield "both_ways", {**_clash(other, workload, both[0]), "share": share}


def _sized(spec: Mapping[str, Any]) -> set[str]:
    """The resources that a VerticalPodAutoscaler sets: both, unless it says less."""
    policies = sequence(mapping(spec.get("resourcePolicy")).get("containerPolicies"))
    said = [mapping(policy).get("controlledResources") for policy in policies]
    if not said or any(each is None for each in said):
        return {"cpu", "memory"}
    return {str(name) for each in said for name in sequence(each)}


def _clash(other: Resource, workload: Workload, resource: str) -> Told:
    return {
        "path": ("spec", "scaleTargetRef"),
        "anchor": other.ref.name,
        "other": other.ref.name,
        "target": workload.name,
        "resource": resource,
        "evidence": [_seen(other, "sets its size as well" if resource else "scales it as well")],
    }


def _without_room(facts: Facts, workload: Workload, most: int) -> Told | None:
    """The most pods that it may ask for do not all find nodes."""
    if facts.scheduling.grows or most <= facts.scheduling.demand(workload).least:
        return None
    found = ceiling_of(facts, workload, most)
    if found is None:
        return None
    return {
        "path": ("spec", "maxReplicas"),
        "anchor": "",
        "most": most,
        "placed": found.placed,
        "target": workload.name,
        "evidence": [_seen(workload.resource, "is what it scales")],
    }


def _one(facts: Facts, workload: Workload, scaler: Resource) -> Told:
    written = at(scaler.manifest, ("spec", "minReplicas")) is not None
    return {
        "path": ("spec", "minReplicas") if written else ("spec",),
        "anchor": "",
        "target": workload.name,
        "severity": "medium" if facts.scheduling.enters(workload) else "low",
    }


def to_nothing(facts: Facts, resource: Resource) -> list[Told] | None:
    """The fact `scaled_to_nothing`, about a ScaledObject of KEDA: it may leave no pod of what
    others ask and wait for.
    """
    spec = mapping(resource.manifest.get("spec"))
    target = mapping(spec.get("scaleTargetRef"))
    kind, name = target.get("kind") or "Deployment", target.get("name")
    least = spec.get("minReplicaCount", 0)
    found = [
        workload
        for workload in facts.workloads
        if (workload.ref.kind, workload.ref.name) == (kind, name)
        and workload.ref.namespace == resource.ref.namespace
    ]
    if least != 0 or not found or spec.get("fallback"):
        return None
    clients = {edge.client.ref.key: edge for edge in facts.needed_by.get(found[0].ref.key, ())}
    if not clients:
        return None
    return [
        {
            "path": ("spec",),
            "anchor": "",
            "target": found[0].name,
            "clients": len(clients),
            "client": next(iter(clients.values())).client.name,
            "evidence": [_seen(e.client.resource, "asks it") for e in list(clients.values())[:10]],
        }
    ]


def _seen(resource: Resource, message: str) -> Told:
    return {"message": message, "object": as_object(resource.ref), "path": []}
