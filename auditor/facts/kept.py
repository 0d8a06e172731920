"""What of a live object has to be kept in memory so that every answer stays the same.

Policies may read all that people write. Of what the cluster writes (the status), only little is
read, and that is listed here: a status is half of a pod, and changes all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from auditor.manifests import mapping, sequence
from auditor.model import Manifest, Resource

STATES = ("containerStatuses", "initContainerStatuses")
STATUS: Mapping[str, tuple[str, ...]] = {
    "DaemonSet": ("desiredNumberScheduled", "numberReady"),
    "Deployment": ("conditions",),
    "HorizontalPodAutoscaler": ("conditions", "currentReplicas", "desiredReplicas"),
    "Job": ("conditions",),
    "Node": ("addresses", "allocatable", "capacity", "images", "nodeInfo"),
    "PodDisruptionBudget": (
        "conditions",
        "currentHealthy",
        "desiredHealthy",
        "disruptionsAllowed",
    ),
    "Pod": ("phase", "startTime", "podIP", "podIPs", "conditions", *STATES),
    "ReplicaSet": ("replicas",),
    "Service": ("loadBalancer",),
    "StatefulSet": ("updateRevision",),
}
"""The fields of the status that are read, of each kind of which any is."""


class Keep:
    """Leaves out of live objects what is never read.

    Args:
        whole: the kinds that are kept as they are, because policies that we do not know read them;
            ("*",) for all.
    """

    def __init__(self, whole: Iterable[str] = ()) -> None:
        self._whole = frozenset(whole)

    def __call__(self, resource: Resource) -> Resource:
        """The object without what nobody reads. The same value where there is nothing of that;
        done twice, it changes nothing more.
        """
        manifest, kind = resource.manifest, resource.ref.kind
        if "status" not in manifest or not self._whole.isdisjoint(("*", kind)):
            return resource
        status = mapping(manifest["status"])
        kept = {name: status[name] for name in STATUS.get(kind, ()) if name in status}
        for name in _INSIDE.get(kind, {}):
            if name in kept and not (within := _INSIDE[kind][name](kept[name])):
                del kept[name]
            elif name in kept:
                kept[name] = within
        if kept == manifest["status"]:
            return resource
        rest = {key: value for key, value in manifest.items() if key != "status"}
        return replace(resource, manifest={**rest, "status": kept} if kept else rest)


def _conditions_of_pods(conditions: Any) -> Any:
    found = (mapping(each) for each in sequence(conditions))
    return [_only(each, *names) for each in found if (names := _READ.get(str(each.get("type"))))]


_READ = {
    "PodResizePending": ("type", "reason"),
    "PodScheduled": ("type", "status", "reason"),
    "Ready": ("type", "status"),
}


def _states(states: Any) -> Any:
    """What containers were granted and use (see `auditor.facts.placement.requests`), and why they
    wait.
    """
    found = []
    for state in map(mapping, sequence(states)):
        requests = mapping(state.get("resources")).get("requests")
        why = mapping(mapping(state.get("state")).get("waiting")).get("reason")
        if state.get("allocatedResources") or requests or why:
            used = {"resources": {"requests": requests}} if requests is not None else {}
            waits = {"state": {"waiting": {"reason": why}}} if why else {}
            found.append({**_only(state, "name", "allocatedResources"), **used, **waits})
    return found


def _version(info: Any) -> Any:
    return _only(mapping(info), "kubeletVersion")


def _only(manifest: Manifest, *names: str) -> dict[str, Any]:
    return {name: manifest[name] for name in names if name in manifest}


_INSIDE: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "Node": {"nodeInfo": _version},
    "Pod": {"conditions": _conditions_of_pods, **dict.fromkeys(STATES, _states)},
}
"""What of a field is read, where that is not all of it."""
