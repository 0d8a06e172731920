"""Why a running pod differs from its template, by what differs.

Field managers tell who changed a pod that was running (its subresources `ephemeralcontainers` and
`resize`). What admission changed carries the name of whoever made the pod, so that only the
difference itself tells: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/
"""

from __future__ import annotations

from collections.abc import Mapping

from auditor.facts.workloads import CONTAINER_LISTS, Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Path, Resource, Snapshot
from auditor.terms import ACCESS_VOLUME, Authorship
from auditor.values import dataclass

LIMIT_RANGER = "kubernetes.io/limit-ranger"
"""The annotation in which the LimitRanger says what it set."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What changed a pod, and where to change that."""

    words: str
    by: str = ""
    mend: str = ""

    @property
    def authorship(self) -> Authorship:
        """The same as who keeps the fault."""
        return Authorship("admission", self.by or "what changes pods on admission", True, self.mend)


INJECTORS: Mapping[str, tuple[str, str]] = {
    # Annotation that the injector leaves → its name, and where it is told what to inject.
    "sidecar.istio.io/status": (
        "Istio's sidecar injector",
        "the injection template of Istio, or the label istio-injection",
    ),
    "linkerd.io/proxy-version": (
        "Linkerd's proxy injector",
        "the values of Linkerd, or the annotations config.linkerd.io/*",
    ),
    "vault.hashicorp.com/agent-inject-status": (
        "the Vault agent injector",
        "the annotations vault.hashicorp.com/*, or the values of the injector",
    ),
    "consul.hashicorp.com/connect-inject-status": (
        "Consul's connect injector",
        "the values of Consul",
    ),
}

_OWN: Mapping[str, tuple[str, ...]] = {
    "sidecar.istio.io/status": ("istio-",),
    "linkerd.io/proxy-version": ("linkerd-",),
    "vault.hashicorp.com/agent-inject-status": ("vault-agent",),
    "consul.hashicorp.com/connect-inject-status": ("consul-", "envoy-sidecar"),
}
"""How the names of the containers begin that each adds."""


@dataclass(frozen=True, slots=True)
class Running:
    """A running pod, and the workload that it is of."""

    pod: Resource
    top: Workload
    snapshot: Snapshot


def cause_of(path: Path, running: Running) -> Cause:
    """What made the field at `path` of a running pod other than the template has it."""
    pod, top = running.pod, running.top
    inside = path[1:] if path[:1] == ("spec",) else path
    field = str(inside[0]) if inside else ""
    index = inside[1] if len(inside) > 1 else None
    if field in CONTAINER_LISTS and isinstance(index, int):
        container = mapping(at(pod.manifest, ("spec", field, index)))
        return _of_container(field, str(container.get("name", "")), inside[2:], running)
    if field == "volumes" and isinstance(index, int):
        return _of_volume(mapping(at(pod.manifest, ("spec", "volumes", index))), top)
    known = {
        "nodeSelector": ("the PodNodeSelector admission", "the annotations of the namespace"),
        "tolerations": ("the PodTolerationRestriction admission", "those of the namespace"),
        "priority": ("the Priority admission", "the PriorityClass"),
        "runtimeClassName": ("the RuntimeClass admission", "the RuntimeClass"),
    }
    if field in known:
        by, mend = known[field]
        return Cause(f"{field} was set by {by}", by, mend)
    return _changed(field or "it")


def _changed(what: str) -> Cause:
    by = "a mutating admission webhook or policy"
    return Cause(f"{what} was changed by {by}", by, f"{by} that changes it")


def _of_container(field: str, name: str, rest: Path, running: Running) -> Cause:
    pod = running.pod
    if field == "ephemeralContainers":
        who = _writers(pod, "ephemeralcontainers") or "kubectl debug"
        words = f"ephemeral container '{name}' was added to the running pod by {who}"
        return Cause(words, who, "the pod: delete it, and its controller makes a clean one")
    if not any(container.name == name for container in running.top.containers):
        return _injected(name, pod)
    if rest[:1] == ("resources",):
        return _of_resources(name, pod, running.snapshot)
    return _changed(f"container '{name}'")


def _injected(name: str, pod: Resource) -> Cause:
    notes = texts(at(pod.manifest, ("metadata", "annotations")))
    for note, (by, mend) in INJECTORS.items():
        if note in notes and name.startswith(_OWN[note]):
            return Cause(f"container '{name}' was added by {by}", by, mend)
    by = "a mutating admission webhook or policy"
    return Cause(f"container '{name}' was added by {by}", by, f"{by} that adds it")


def _of_resources(name: str, pod: Resource, snapshot: Snapshot) -> Cause:
    resized = _writers(pod, "resize")
    if resized:
        return Cause(f"container '{name}' was resized by {resized}", resized, "the template")
    namespace = pod.ref.namespace
    ranges = [r.ref for r in snapshot.of_kind("LimitRange") if r.ref.namespace == namespace]
    notes = texts(at(pod.manifest, ("metadata", "annotations")))
    if ranges or LIMIT_RANGER in notes:
        by = str(ranges[0]) if ranges else f"a LimitRange of {namespace}"
        return Cause(f"the resources of container '{name}' were set by {by}", by, by)
    return _changed(f"the resources of container '{name}'")


def _of_volume(volume: Mapping[str, object], top: Workload) -> Cause:
    name = str(volume.get("name", ""))
    written = {mapping(each).get("name") for each in sequence(top.pod.get("volumes"))}
    if name in written:
        return _changed(f"volume '{name}'")
    if name.startswith(ACCESS_VOLUME):
        by = "the ServiceAccount admission"
        mend = "automountServiceAccountToken of the template or of its ServiceAccount"
        return Cause(f"volume '{name}' was added by {by}", by, mend)
    by = "a mutating admission webhook or policy"
    return Cause(f"volume '{name}' was added by {by}", by, f"{by} that adds it")


def _writers(pod: Resource, subresource: str) -> str:
    writers = pod.origin.authorship.writers
    return ", ".join(dict.fromkeys(w.name for w in writers if w.subresource == subresource))
