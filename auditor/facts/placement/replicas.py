"""The pods that a workload would make now, with the names and labels that its controller gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from auditor.facts.placement.pods import Claim, Pod, Shape, claims_of
from auditor.facts.placement.versions import LATEST, as_of
from auditor.facts.wording import said, text
from auditor.facts.workloads import JOB_NAME_LABELS, REVISION_LABELS, Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest

MOST = 5000
"""As many pods are made of one workload; a cluster of the largest supported size has 150,000."""

EVERY_NODE = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
"""The taints that the DaemonSet controller has its pods tolerate."""


def pods_of(workload: Workload, version: int = LATEST, most: int = MOST) -> tuple[Pod, ...]:
    """The pods that the template of `workload` would make now, none of them bound.

    As many as it has replicas; for a Job, as many as run at once; for a CronJob, one; for a
    DaemonSet, one that stands for a pod on every node that admits it (`Pod.each_node`). None for
    a workload that is suspended or has ended. A Pod is itself; a live one is unbound again, since
    it can only change by being made anew. Fields that a server of `version` (100 × major + minor)
    drops do not count. Of many, only so many as `most`.
    """
    if workload.ref.kind == "Pod":
        return _itself(workload)
    wanted = _wanted(workload)
    if not wanted:
        return ()
    shape = _shape(workload, version)
    if wanted > MOST:
        shape.refused.append(f"of its {said(wanted)} replicas only the first {MOST} are placed")
    owner = _owner(workload, shape)
    return tuple(_pod(workload, shape, owner, n) for n in range(min(wanted, most, MOST)))


def _itself(workload: Workload) -> tuple[Pod, ...]:
    pod = Pod.from_resource(workload.resource)
    if pod.finished:
        return ()
    return (pod.on("") if workload.resource.origin.live else pod,)


def _wanted(workload: Workload) -> int:
    spec = mapping(workload.resource.manifest.get("spec"))
    kind = workload.ref.kind
    if kind == "PodTemplate" or spec.get("suspend") is True:
        return 0
    if kind in ("DaemonSet", "CronJob"):
        return 1
    completions = spec.get("completions")
    if kind == "Job" and isinstance(completions, int):
        return max(0, min(workload.replicas, completions))
    return workload.replicas


def _shape(workload: Workload, version: int) -> Shape:
    labels = {**workload.labels, **_added_labels(workload)}
    spec = as_of(workload.pod, version)
    if workload.ref.kind == "DaemonSet":
        extra = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in EVERY_NODE]
        if spec.get("hostNetwork") is True:
            key = "node.kubernetes.io/network-unavailable"
            extra.append({"key": key, "operator": "Exists", "effect": "NoSchedule"})
        spec = {**spec, "tolerations": [*sequence(spec.get("tolerations")), *extra]}
    return Shape(spec, workload.ref.namespace, labels, {})


def _added_labels(workload: Workload) -> Mapping[str, str]:
    if workload.ref.kind == "Job":
        return dict.fromkeys(JOB_NAME_LABELS, workload.ref.name)
    key = REVISION_LABELS.get(workload.ref.kind)
    return {key: _hash(workload)} if key else {}


def _hash(workload: Workload) -> str:
    """Stands for the value that a controller computes: its own for each workload, and none that a
    live pod of an earlier revision has.
    """
    return hashlib.sha256("\0".join(workload.ref.key).encode()).hexdigest()[:10]


def _pod(workload: Workload, shape: Shape, owner: Manifest | None, number: int) -> Pod:
    node = shape.spec.get("nodeName")
    name = workload.ref.name
    if workload.ref.kind != "DaemonSet":
        name = f"{name}-{number}"
    return Pod(
        namespace=workload.ref.namespace,
        name=name,
        node=node if isinstance(node, str) else "",
        shape=shape,
        claims=(*claims_of(shape.spec, name), *_own_claims(workload, name)),
        owner=owner,
        each_node=workload.ref.kind == "DaemonSet",
    )


def _own_claims(workload: Workload, pod: str) -> Iterator[Claim]:
    """The claims that a StatefulSet makes for each of its pods."""
    templates = at(workload.resource.manifest, ("spec", "volumeClaimTemplates"))
    for template in map(mapping, sequence(templates)):
        name = text(at(template, ("metadata", "name")))
        yield Claim(f"{name}-{pod}", mapping(template.get("spec")))


def _owner(workload: Workload, shape: Shape) -> Manifest | None:
    """The selector by which the scheduler spreads the pods where they do not say."""
    if workload.ref.kind not in (
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "ReplicationController",
    ):
        return None
    selector = mapping(mapping(workload.resource.manifest.get("spec")).get("selector"))
    if workload.ref.kind == "ReplicationController":
        return {"matchLabels": selector}
    if workload.ref.kind == "Deployment":
        own = REVISION_LABELS["Deployment"]
        exact = {**mapping(selector.get("matchLabels")), own: shape.labels[own]}
        return {**selector, "matchLabels": exact}
    return selector
