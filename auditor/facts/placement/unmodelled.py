"""What a pod asks of a scheduler that the simulation does not model: then nothing is proven."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.limits import defaults_of, said_of
from auditor.facts.placement.pods import Pod
from auditor.facts.wording import said, text
from auditor.manifests import at, mapping, sequence
from auditor.model import Resource, Snapshot

_GROUP_LABELS = ("scheduling.x-k8s.io/pod-group", "pod-group.scheduling.sigs.k8s.io/name")
_GROUP_FIELDS = ("workloadRef", "schedulingGroup")
_EXCLUSIVE_DISKS = {"awsElasticBlockStore", "gcePersistentDisk", "iscsi", "rbd"}
"""Volumes that one node or pod at a time may use."""


def unmodelled(pod: Pod, snapshot: Snapshot) -> Iterator[str]:
    """Sentences, one for each thing of `pod` that is not modelled."""
    spec = pod.spec
    scheduler = spec.get("schedulerName") or "default-scheduler"
    if scheduler != "default-scheduler":
        yield f"pod {pod.id} is placed by {said(scheduler)}, which is not modelled"
    if _claims_devices(pod):
        yield f"pod {pod.id} claims devices (resource.k8s.io), which are not modelled"
    if any(map(spec.get, _GROUP_FIELDS)) or not pod.labels.keys().isdisjoint(_GROUP_LABELS):
        yield f"pod {pod.id} is placed as part of a group of pods, which is not modelled"
    for volume in map(mapping, sequence(spec.get("volumes"))):
        for kind in _EXCLUSIVE_DISKS & volume.keys():
            yield f"pod {pod.id} mounts a disk ({kind}) itself, which is not modelled"
    if any(t.operator in ("Lt", "Gt") for t in pod.shape.tolerations):
        yield f"pod {pod.id} tolerates taints by number, which is not modelled"
    if not pod.live:
        yield from _on_admission(pod, snapshot)


def _claims_devices(pod: Pod) -> bool:
    containers = (*sequence(pod.spec.get("containers")), *sequence(pod.spec.get("initContainers")))
    return bool(pod.spec.get("resourceClaims")) or any(
        at(container, ("resources", "claims")) for container in containers
    )


def _on_admission(pod: Pod, snapshot: Snapshot) -> Iterator[str]:
    """What the API server would still change of a pod that does not exist yet."""
    name = pod.spec.get("runtimeClassName")
    if name and pod.spec.get("overhead") is None:
        found = [r for r in snapshot.of_kind("RuntimeClass") if r.ref.name == name]
        if not found:
            yield f"pod {pod.id} runs under RuntimeClass {said(name)}, which is not given"
        elif found[0].manifest.get("overhead") or found[0].manifest.get("scheduling"):
            yield f"what RuntimeClass {said(name)} adds to pod {pod.id} is not modelled"
    for limits in snapshot.of_kind("LimitRange"):
        if limits.ref.namespace == pod.namespace and _adds_requests(limits, pod):
            where = f"{limits.ref.namespace}/{limits.ref.name}"
            yield f"the defaults of LimitRange {where} are not modelled"


def _adds_requests(limits: Resource, pod: Pod) -> bool:
    """Whether a container of the pod says nothing of a resource for which there is a default."""
    given = defaults_of(limits.manifest)["requests"]
    containers = (*sequence(pod.spec.get("containers")), *sequence(pod.spec.get("initContainers")))
    return any(not given.keys() <= said_of(container) for container in containers)


def priority_of(pod: Pod, snapshot: Snapshot) -> int | None:
    """The priority of `pod`; None where it names a class that is not given."""
    own = pod.spec.get("priority")
    if isinstance(own, int) and not isinstance(own, bool):
        return own
    name = pod.spec.get("priorityClassName")
    classes = {r.ref.name: mapping(r.manifest) for r in snapshot.of_kind("PriorityClass")}
    if name:
        value = mapping(classes.get(text(name))).get("value", _BUILT_IN.get(text(name)))
        return value if isinstance(value, int) else None
    general = [c.get("value") for c in classes.values() if c.get("globalDefault") is True]
    return next((value for value in general if isinstance(value, int)), 0)


_BUILT_IN = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}


def gates(pod: Pod) -> tuple[str, ...]:
    """The scheduling gates of `pod`: while it has one it is not placed at all."""
    found = map(mapping, sequence(pod.spec.get("schedulingGates")))
    return tuple(text(gate.get("name")) for gate in found)
