"""The live pods of a workload that do not do their work, and why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.controllers.budgets import is_ready
from auditor.facts.forms import as_object
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

STATES = ("initContainerStatuses", "containerStatuses")
FAILING = frozenset(
    (
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    )
)
"""The reasons for which a container waits that do not go away by themselves."""
REVISION = "controller-revision-hash"


def unwell(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `unwell` of a workload with live pods: those that fail, those without a node, and
    those that an OrderedReady StatefulSet waits for in vain. None where there are none.
    """
    pods = facts.standing.live.get(workload.ref.key, ())
    failing = [found for pod in pods if (found := _failing(pod))]
    lost = [_told(pod, "has no node") for pod in pods if _is_lost(pod)]
    blocking = [*_blocking(workload, pods)]
    stalled = _stalled(workload.resource)
    if not (failing or lost or blocking or stalled):
        return None
    return {
        "pods": len(pods),
        "failing": failing,
        "lost": lost,
        "blocking": blocking,
        "stalled": stalled,
        "told": [_evidence(each) for each in (*failing, *lost)],
    }


def _told(pod: Resource, why: str) -> dict[str, Any]:
    message = f"{pod.ref.name} {why}"
    return {"name": pod.ref.name, "why": why, "object": as_object(pod.ref), "message": message}


def _evidence(told: dict[str, Any]) -> dict[str, Any]:
    return {"message": told["message"], "object": told["object"], "path": ("status",)}


def _failing(pod: Resource) -> dict[str, Any] | None:
    if is_ready(pod.manifest) or at(pod.manifest, ("metadata", "deletionTimestamp")):
        return None
    for name in STATES:
        for state in map(mapping, sequence(at(pod.manifest, ("status", name)))):
            why = at(state, ("state", "waiting", "reason"))
            if isinstance(why, str) and why in FAILING:
                return _told(pod, why)
    return None


def _is_lost(pod: Resource) -> bool:
    """Whether the scheduler has tried in vain."""
    conditions = map(mapping, sequence(at(pod.manifest, ("status", "conditions"))))
    return any(
        (c.get("type"), c.get("status"), c.get("reason"))
        == ("PodScheduled", "False", "Unschedulable")
        for c in conditions
    )


def _blocking(workload: Workload, pods: Any) -> Iterator[dict[str, Any]]:
    """Pods of another revision than the wanted one, not ready, in a StatefulSet that replaces no
    pod before all are ready: https://github.com/kubernetes/kubernetes/issues/67250
    """
    manifest = workload.resource.manifest
    spec = mapping(manifest.get("spec"))
    ordered = spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady"
    if workload.ref.kind != "StatefulSet" or not ordered:
        return
    wanted = at(manifest, ("status", "updateRevision"))
    if not isinstance(wanted, str):
        return
    for pod in pods:
        revision = texts(at(pod.manifest, ("metadata", "labels"))).get(REVISION)
        if revision != wanted and not is_ready(pod.manifest) and _failing(pod):
            yield _told(pod, f"is of revision {revision}, and {wanted} is wanted")


def _stalled(resource: Resource) -> str:
    """Why a Deployment says that it does not get on; empty where it does."""
    if resource.ref.kind != "Deployment":
        return ""
    for each in map(mapping, sequence(at(resource.manifest, ("status", "conditions")))):
        reason = each.get("reason")
        if each.get("type") == "Progressing" and each.get("status") == "False":
            return reason if isinstance(reason, str) else "it does not say why"
    return ""
