"""Says why a cluster is not yet at rest: objects of the API server in, words out."""

from collections.abc import Iterable, Iterator, Set
from typing import Any

Manifest = dict[str, Any]

# What the controllers have to have made before "every pod is bound" means anything.
WATCHED = (
    "deployments", "replicasets", "statefulsets", "daemonsets", "jobs", "pods",
    "endpointslices.discovery.k8s.io",
)  # fmt: skip
NOT_READY = {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}


def unsettled(objects: Iterable[Manifest]) -> list[str]:
    """One line for each object that is not there yet; none when every pod has its node and runs.

    A workload is there when its controller has seen its newest version and made all its pods; the
    endpoint of a pod, when it is as ready as the pod.
    """
    objects = list(objects)
    ready = {_place(each) for each in objects if each["kind"] == "Pod" and _is_ready(each)}
    return [
        f"{name(each)}: {why}" for each in objects for why in (*_why(each), *_behind(each, ready))
    ]


def _behind(manifest: Manifest, ready: Set[tuple[str, str]]) -> Iterator[str]:
    """What an EndpointSlice has not heard yet."""
    for each in manifest.get("endpoints") or () if manifest["kind"] == "EndpointSlice" else ():
        target = each.get("targetRef", {})
        place = (target.get("namespace", ""), target.get("name", ""))
        if place in ready and not each.get("conditions", {}).get("ready"):
            yield f"does not know yet that {'/'.join(place)} is ready"


def _place(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"].get("namespace", ""), manifest["metadata"]["name"]


def _is_ready(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def name(manifest: Manifest) -> str:
    """The object in words: Pod shop/web-0."""
    metadata = manifest.get("metadata", {})
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{manifest.get('kind')} {place}{metadata.get('name')}"


def _why(manifest: Manifest) -> Iterator[str]:
    status = manifest.get("status", {})
    if manifest["kind"] == "EndpointSlice":
        return
    if manifest["kind"] == "Pod":
        yield from _why_pod(manifest, status)
    elif manifest["kind"] == "Node":
        yield from _why_node(manifest)
    elif manifest["kind"] == "Job":
        if not manifest["spec"].get("suspend") and not _started(status):
            yield "its controller has made no pod yet"
    elif status.get("observedGeneration", 0) < manifest["metadata"].get("generation", 0):
        yield "its controller has not seen it yet"
    else:
        yield from _why_set(manifest, status)


def _why_node(manifest: Manifest) -> Iterator[str]:
    """Its condition first; its controller takes the taint away a little later."""
    if not _is_ready(manifest):
        yield "is not Ready"
    taints = {each["key"] for each in manifest.get("spec", {}).get("taints", ())}
    yield from (f"has the taint {key} still" for key in sorted(taints & NOT_READY))


def _started(status: Manifest) -> bool:
    return any(status.get(count) for count in ("active", "succeeded", "failed"))


def _why_set(manifest: Manifest, status: Manifest) -> Iterator[str]:
    """A set of pods: how many it wants, how many its controller has made."""
    if manifest["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        made = status.get("updatedNumberScheduled", 0)
    else:
        wanted = manifest["spec"].get("replicas", 1)
        made = status.get("replicas", 0)
    if made < wanted:
        words = [
            c["message"] for c in status.get("conditions", ()) if c["type"] == "ReplicaFailure"
        ]
        yield "; ".join([f"{made} of {wanted} pods made", *words])


def _why_pod(manifest: Manifest, status: Manifest) -> Iterator[str]:
    if not manifest["spec"].get("nodeName"):
        words = [
            c.get("message", "") for c in status.get("conditions", ()) if c["status"] == "False"
        ]
        yield "; ".join(["has no node", *words])
    elif status.get("phase") not in {"Running", "Succeeded"}:
        yield f"is {status.get('phase', 'without a phase')} on {manifest['spec']['nodeName']}"
