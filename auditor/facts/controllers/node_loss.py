"""What becomes of the pods of nodes that are lost, tainted or deleted.

The node lifecycle controller (``pkg/controller/nodelifecycle``), taint based eviction
(``pkg/controller/tainteviction``) and the pod garbage collector of Kubernetes 1.36, at the end of
a minute: evictions within `PATIENCE_SECONDS` have happened, those of the default 300 s have not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.facts.controllers.case import Case, CaseError, Course
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest

PATIENCE_SECONDS = 60.0
NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
MAINTENANCE = "maintenance"
DEFAULT_SECONDS = 300
"""What the admission plugin DefaultTolerationSeconds gives a pod that says nothing itself."""

TAINTS: Mapping[str, str] = {
    "lease": UNREACHABLE,
    "lease+oos": OUT_OF_SERVICE,
    "notready": NOT_READY,
    "taint": OUT_OF_SERVICE,
    "noexecute": MAINTENANCE,
}
"""What is done to a node → the taint NoExecute by which its pods are judged."""
UNTOUCHED = ("noschedule",)
"""What is done to a node and touches no pod that runs there."""
BY_LEASE = ("lease", "lease+oos")
"""Only where the controller itself finds the node silent does it mark its pods not ready."""


def answer(course: Course) -> Mapping[str, Any]:
    """``podsOfLostNodes``: the fate of each pod that was there, by ``name@node``."""
    case = course.first
    how, nodes = str(case.action.get("how", "")), sequence(case.action.get("nodes"))
    if how not in {*TAINTS, *UNTOUCHED, "delete"}:
        raise CaseError(f"action.how: nothing is known of {how!r}")
    found: dict[str, list[str]] = {}
    for pod in map(mapping, sequence(case.more.get("initialPods"))):
        if pod.get("node") in nodes:
            name = str(pod.get("pod") or pod.get("name"))
            found.setdefault(f"{name}@{pod.get('node')}", []).append(_fate(case, how, name))
    return {"podsOfLostNodes": {name: sorted(fates) for name, fates in found.items()}}


def _fate(case: Case, how: str, pod: str) -> str:
    if how == "delete":
        return "gone"
    kept = "kept-not-ready" if how in BY_LEASE and not _all_lost(case) else "kept-ready"
    if how in UNTOUCHED or (_all_lost(case) and TAINTS[how] in (NOT_READY, UNREACHABLE)):
        return "kept-not-ready" if how in BY_LEASE else "kept-ready"
    if seconds(_tolerations(case, pod), TAINTS[how]) > PATIENCE_SECONDS:
        return kept
    # A node that is out of service and not ready gives its pods up without waiting for a kubelet.
    return "gone" if how == "lease+oos" else "terminating"


def _all_lost(case: Case) -> bool:
    """Then the controller takes itself for the one that is cut off, and evicts nobody."""
    nodes = {str(at(node, ("metadata", "name"))) for node in case.of_kind("Node")}
    lost = set(sequence(case.action.get("nodes")))
    return case.more.get("otherReadyNodesInCluster") is False and nodes <= lost


def seconds(tolerations: Sequence[Manifest], key: str) -> float:
    """How long a pod stays under a taint NoExecute of that key; infinite where for ever."""
    mine = [each for each in tolerations if _covers(each, key)]
    if not mine:
        return 0.0
    limits = [each["tolerationSeconds"] for each in mine if "tolerationSeconds" in each]
    return float(max(min(limits), 0)) if limits else float("inf")


def _covers(toleration: Manifest, key: str) -> bool:
    """Whether it tolerates a taint NoExecute of that key, which has no value."""
    any_value = toleration.get("operator") == "Exists" or not toleration.get("value")
    return (
        any_value
        and (toleration.get("key") or key) == key
        and (toleration.get("effect") or "NoExecute") == "NoExecute"
    )


def _tolerations(case: Case, pod: str) -> Sequence[Manifest]:
    """Those of the pod, with what admission and its controller add."""
    for each in (*case.of_kind("Pod"), *_workloads(case)):
        if not _makes(each, pod):
            continue
        template = each if each.get("kind") == "Pod" else mapping(at(each, ("spec", "template")))
        said = [mapping(t) for t in sequence(at(template, ("spec", "tolerations")))]
        return completed(said, forever=each.get("kind") == "DaemonSet")
    raise CaseError(f"initialPods: nothing makes a pod {pod!r}")


def completed(said: Sequence[Manifest], *, forever: bool) -> Sequence[Manifest]:
    """The tolerations of a template with those that its pods get; `forever`: of a DaemonSet."""
    return [*said, *_added(said, forever=forever)]


def _added(said: Sequence[Manifest], *, forever: bool) -> list[Manifest]:
    """What the DaemonSet controller or, where nothing is said, admission adds."""
    found: list[Manifest] = []
    for key in (NOT_READY, UNREACHABLE):
        toleration: Manifest = {"key": key, "operator": "Exists", "effect": "NoExecute"}
        if forever:
            found.append(toleration)
        elif not any(_covers(each, key) for each in said):
            found.append({**toleration, "tolerationSeconds": DEFAULT_SECONDS})
    return found


def _workloads(case: Case) -> tuple[Manifest, ...]:
    return case.of_kind("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


def _makes(owner: Manifest, pod: str) -> bool:
    """Whether a pod so called is it, or one that it makes."""
    name = str(at(owner, ("metadata", "name")))
    return pod == name if owner.get("kind") == "Pod" else pod.startswith(f"{name}-")
