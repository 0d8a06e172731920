"""Which pods have a sidecar, and on which ports it takes their traffic.

Sources: the conditions of injection
(https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/) and the annotations of
traffic capture (istio.io/api annotation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.facts.network.points import labels_of
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Resource
from auditor.values import dataclass

PROXY = "istio-proxy"
INJECT = "sidecar.istio.io/inject"
REVISION = "istio.io/rev"
INJECTION = "istio-injection"
DATAPLANE = "istio.io/dataplane-mode"
TEMPLATES = "inject.istio.io/templates"
GATEWAY = "gateway"

NEVER_INJECTED = ("kube-system", "kube-public", "kube-node-lease", "local-path-storage")

OWN_PORTS: Mapping[int, str] = {
    15020: "metrics and probes of the proxy",
    15021: "the health of the proxy",
    15090: "metrics of the proxy",
}
"""Ports that answer without asking any policy."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What of a workload's traffic goes through a proxy."""

    sidecar: Truth
    ambient: bool = False
    """Whether its traffic goes through the proxy of its node instead."""
    gateway: bool = False
    """Whether its proxy stands for others: a gateway, or a waypoint."""
    why: str = ""
    """What decided it, without full stop."""
    excluded: frozenset[int] = frozenset()
    included: frozenset[int] | None = None
    """None: every port."""

    def bypasses(self, port: int) -> str:
        """Why traffic to a port of the pod reaches it past the sidecar; empty where it does not."""
        if port in OWN_PORTS:
            return f"port {port} is that of {OWN_PORTS[port]}"
        if port in self.excluded:
            return f"port {port} is excluded from the sidecar"
        if self.included is not None and port not in self.included:
            return f"port {port} is not among those that go through the sidecar"
        return ""


def capture(target: Workload, pods: Sequence[Resource], namespace: Resource | None) -> Capture:
    """Who takes the traffic of a workload; `pods` are those of it that are known."""
    annotations = _template_texts(target, "annotations")
    sidecar, why = _sidecar(target, pods, namespace)
    ambient = sidecar is Truth.NO and _ambient(target, namespace)
    prefix = "traffic.sidecar.istio.io/"
    return Capture(
        sidecar=sidecar,
        ambient=ambient,
        gateway=_is_gateway(target, pods),
        why=why,
        excluded=frozenset(_ports(annotations.get(f"{prefix}excludeInboundPorts", ""))),
        included=_included(annotations.get(f"{prefix}includeInboundPorts", "*")),
    )


def _included(text: str) -> frozenset[int] | None:
    return None if "*" in text else frozenset(_ports(text))


def _ports(text: str) -> Iterator[int]:
    for part in text.split(","):
        word = part.strip()
        if word.isascii() and word.isdecimal() and len(word) < 6:
            yield int(word)


def _sidecar(
    target: Workload, pods: Sequence[Resource], namespace: Resource | None
) -> tuple[Truth, str]:
    if _has_proxy(target.pod):
        return Truth.YES, f"it has the container {PROXY}"
    running = [pod for pod in pods if at(pod.manifest, ("status", "phase")) is not None]
    if running:
        proxied = [_has_proxy(mapping(pod.manifest.get("spec"))) for pod in running]
        if all(proxied):
            return Truth.YES, f"its pods have the container {PROXY}"
        if any(proxied):
            return Truth.MAYBE, f"some of its pods have the container {PROXY}, and some have not"
        return Truth.NO, f"its pods run without the container {PROXY}"
    return _injected(target, namespace)


def _is_gateway(target: Workload, pods: Sequence[Resource]) -> bool:
    """Whether the proxy is more than a sidecar: told so (``proxy router``, ``proxy waypoint``), or
    injected by a template for gateways, as Istio's chart of one asks for: its own pods tell then
    what the template of the workload does not
    (https://istio.io/latest/docs/setup/additional-setup/gateway/).
    """
    asked = _template_texts(target, "annotations").get(TEMPLATES, "")
    if GATEWAY in (name.strip() for name in asked.split(",")):
        return True
    specs = (target.pod, *(mapping(pod.manifest.get("spec")) for pod in pods))
    return any(map(_is_for_others, specs))


def _is_for_others(pod: Manifest) -> bool:
    return any(
        role in sequence(proxy.get("args"))
        for proxy in map(mapping, sequence(pod.get("containers")))
        if proxy.get("name") == PROXY
        for role in ("router", "waypoint")
    )


def _has_proxy(pod: Manifest) -> bool:
    return any(
        mapping(container).get("name") == PROXY
        for name in ("containers", "initContainers")
        for container in sequence(pod.get(name))
    )


def _injected(target: Workload, namespace: Resource | None) -> tuple[Truth, str]:
    """Whether the webhook of Istio would add the sidecar to a new pod."""
    forbidden = _forbidden(target)
    if forbidden:
        return Truth.NO, forbidden
    if namespace is None:
        return Truth.MAYBE, f"the labels of namespace {target.ref.namespace} are not known"
    labels = texts(at(namespace.manifest, ("metadata", "labels")))
    if INJECTION in labels:
        if labels[INJECTION] == "enabled":
            return Truth.YES, f"{INJECTION} adds the sidecar to pods of its namespace"
        return Truth.NO, f"{INJECTION} of its namespace is not enabled"
    if REVISION in labels:
        return Truth.YES, f"{REVISION} of its namespace adds the sidecar"
    return _asked_for(target)


def _forbidden(target: Workload) -> str:
    """Why no pod of it gets a sidecar, whatever its namespace says; empty where one may."""
    if target.pod.get("hostNetwork") is True:
        return "pods on the network of their node get no sidecar"
    if target.ref.namespace in NEVER_INJECTED:
        return f"pods of namespace {target.ref.namespace} get no sidecar"
    return f"{INJECT} forbids the sidecar" if _wish(target) is Truth.NO else ""


def _asked_for(target: Workload) -> tuple[Truth, str]:
    """What becomes of pods whose namespace says nothing of sidecars."""
    if _template_texts(target, "labels").get(INJECT) == "true":
        return Truth.YES, f"{INJECT} adds the sidecar"
    if REVISION in _template_texts(target, "labels"):
        return Truth.MAYBE, f"its label {REVISION} may add the sidecar"
    return Truth.NO, "nothing adds a sidecar to its pods"


def _wish(target: Workload) -> Truth:
    """What the pod itself asks for; the label counts before the annotation, which only forbids."""
    label = _template_texts(target, "labels").get(INJECT)
    if label is not None:
        return Truth.YES if label == "true" else Truth.NO if label == "false" else Truth.MAYBE
    forbids = _template_texts(target, "annotations").get(INJECT, "true").lower()
    return Truth.MAYBE if forbids in ("true", "yes", "y", "on") else Truth.NO


def _ambient(target: Workload, namespace: Resource | None) -> bool:
    own = labels_of(target).known.get(DATAPLANE)
    if own is not None:
        return own == "ambient"
    if namespace is None or target.pod.get("hostNetwork") is True:
        return False
    return texts(at(namespace.manifest, ("metadata", "labels"))).get(DATAPLANE) == "ambient"


def _template_texts(target: Workload, name: str) -> Mapping[str, str]:
    if target.bare:
        return {}
    path = (*target.template_path, "metadata", name)
    return texts(at(target.resource.manifest, path))


def service_account(pod: Manifest) -> str:
    """The account that a pod runs as."""
    for key in ("serviceAccountName", "serviceAccount"):
        found: Any = pod.get(key)
        if isinstance(found, str) and found:
            return found
    return "default"
