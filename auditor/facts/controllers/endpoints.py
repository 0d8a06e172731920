"""The EndpointSlices of a Service, and the hints in them by which traffic stays near.

``endpointslice/{reconciler,utils,trafficdist,topologycache}`` of Kubernetes 1.36. A Service has
few enough pods for one slice for each set of ports.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.facts.controllers.budgets import is_ready, labels_of
from auditor.facts.controllers.case import Case, CaseError, Course, name_of
from auditor.facts.controllers.validation import refusal
from auditor.facts.placement.quantities import MILLI, parse
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest
from auditor.values import dataclass

ZONE = "topology.kubernetes.io/zone"
MODES = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")
MANAGER = "endpointslice-controller.k8s.io"
OVERLOAD = 0.2
"""How much more than its share a zone may get before there are no hints at all."""


@dataclass(frozen=True, slots=True)
class _Endpoint:
    pod: Manifest
    name: str
    node: str
    zone: str
    ready: bool
    serving: bool
    terminating: bool
    hints: Mapping[str, Any] | None = None

    def written(self) -> Mapping[str, Any]:
        """As the API shows it, with the pod's name."""
        told: dict[str, Any] = {
            "addresses": [str(at(self.pod, ("status", "podIP")))],
            "conditions": {
                "ready": self.ready,
                "serving": self.serving,
                "terminating": self.terminating,
            },
            "nodeName": self.node,
            "pod": self.name,
            "zone": self.zone,
            "hints": self.hints,
            "hostname": self._hostname,
        }
        return {key: value for key, value in told.items() if value not in ("", None)}

    @property
    def _hostname(self) -> str:
        spec = mapping(self.pod.get("spec"))
        return str(spec.get("hostname") or "") if spec.get("subdomain") else ""


def answer(course: Course) -> Mapping[str, Any]:
    """``slices``, as they are after the action."""
    case = _changed(course.first)
    services = case.of_kind("Service")
    if not services:
        raise CaseError("objects: there is no Service")
    service = services[0]
    return refusal(service) or {"accepted": True, "slices": _slices(case, service)}


def _changed(case: Case) -> Case:
    """The case after the action: pods that became ready, unready or terminating."""
    if case.type != "change":
        return case
    pods = mapping(case.action.get("pods"))
    named = [each for each in case.objects if each.get("kind") == "Pod"]
    changes = {id(pod): mapping(pods.get(str(number))) for number, pod in enumerate(named)}
    objects = [_with(each, changes.get(id(each), {})) for each in case.objects]
    service = mapping(case.action.get("service"))
    objects = [
        {**o, "spec": {**mapping(o.get("spec")), **service}} if o.get("kind") == "Service" else o
        for o in objects
    ]
    return replace(case, objects=tuple(objects))


def _with(pod: Manifest, change: Manifest) -> Manifest:
    if not change:
        return pod
    status = mapping(pod.get("status"))
    if "ready" in change:
        ready = {"type": "Ready", "status": str(change["ready"] is True)}
        status = {**status, "conditions": [ready]}
    gone = pod.get("deletedBefore") or change.get("term") is True
    return {**pod, "status": status, "deletedBefore": gone}


def _slices(case: Case, service: Manifest) -> list[Mapping[str, Any]]:
    spec = mapping(service.get("spec"))
    if spec.get("type") == "ExternalName":
        return []
    groups: dict[str, tuple[list[Mapping[str, Any]], list[_Endpoint]]] = {}
    for endpoint in _hinted(_endpoints(case, spec), service, case):
        ports = _ports(spec, endpoint.pod)
        groups.setdefault(repr(ports), (ports, []))[1].append(endpoint)
    found = list(groups.values()) or [([], [])]
    ordered = sorted(found, key=lambda group: [each.name for each in group[1]])
    return [
        {
            "addressType": "IPv4",
            "endpoints": [each.written() for each in sorted(group, key=lambda e: e.name)],
            "headless": spec.get("clusterIP") == "None",
            "managedBy": MANAGER,
            "ports": ports,
        }
        for ports, group in ordered
    ]


def _endpoints(case: Case, spec: Manifest) -> list[_Endpoint]:
    wanted, publish = texts(spec.get("selector")), spec.get("publishNotReadyAddresses") is True
    zones = {name_of(n): texts(at(n, ("metadata", "labels"))) for n in case.of_kind("Node")}
    found = []
    for pod in case.of_kind("Pod"):
        labels = labels_of(pod)
        if any(labels.get(key) != value for key, value in wanted.items()) or not _counts(pod):
            continue
        node = str(at(pod, ("spec", "nodeName")) or "")
        ready, leaving = is_ready(pod), bool(pod.get("deletedBefore"))
        zone = zones.get(node, {}).get(ZONE, "")
        shown = publish or (ready and not leaving)
        found.append(_Endpoint(pod, name_of(pod), node, zone, shown, ready, leaving))
    return found


def _counts(pod: Manifest) -> bool:
    """Whether it is listed at all: it has an address and has not ended."""
    ended = at(pod, ("status", "phase")) in ("Succeeded", "Failed")
    return bool(at(pod, ("status", "podIP"))) and not ended


def _ports(spec: Manifest, pod: Manifest) -> list[Mapping[str, Any]]:
    """The Service's ports on this pod; those that it does not name are left out."""
    found: list[Mapping[str, Any]] = []
    for port in map(mapping, sequence(spec.get("ports"))):
        protocol = port.get("protocol") or "TCP"
        number = _number(port.get("targetPort") or port.get("port"), str(protocol), pod)
        if number is not None:
            told = {"name": port.get("name"), "port": number, "protocol": protocol}
            found.append({key: value for key, value in told.items() if value is not None})
    return found


def _number(target: Any, protocol: str, pod: Manifest) -> int | None:
    if isinstance(target, int):
        return target
    for container in map(mapping, sequence(at(pod, ("spec", "containers")))):
        for port in map(mapping, sequence(container.get("ports"))):
            if port.get("name") == target and (port.get("protocol") or "TCP") == protocol:
                number = port.get("containerPort")
                return number if isinstance(number, int) else None
    return None


def _hinted(endpoints: list[_Endpoint], service: Manifest, case: Case) -> list[_Endpoint]:
    notes = texts(at(service, ("metadata", "annotations")))
    if any(notes.get(mode) in ("Auto", "auto") for mode in MODES):
        # It comes before the field: `canUseTrafficDistribution` of the reconciler.
        return _shared_out(endpoints, case.of_kind("Node"))
    preference = at(service, ("spec", "trafficDistribution"))
    if preference:
        return [_preferring(each, str(preference)) for each in endpoints]
    return endpoints


def _preferring(endpoint: _Endpoint, preference: str) -> _Endpoint:
    """Only what is ready gets a hint; where the zone is not known, none for it."""
    if not endpoint.ready:
        return endpoint
    hints: dict[str, Any] = {}
    if preference == "PreferSameNode" and endpoint.node:
        hints["forNodes"] = [{"name": endpoint.node}]
    if endpoint.zone:
        hints["forZones"] = [{"name": endpoint.zone}]
    return replace(endpoint, hints=hints or None)


def _shared_out(endpoints: list[_Endpoint], nodes: Sequence[Manifest]) -> list[_Endpoint]:
    """Hints by the CPU of the zones; none where they cannot be shared fairly."""
    zones = hinted_zones({each.name: each.zone for each in endpoints if each.ready}, nodes)
    if not zones:
        return endpoints
    return [
        replace(each, hints={"forZones": [{"name": zones[each.name]}]}) if each.ready else each
        for each in endpoints
    ]


def hinted_zones(ready: Mapping[str, str], nodes: Sequence[Manifest]) -> Mapping[str, str]:
    """The zone that each ready endpoint is lent to, by the CPU of the zones; `ready` has their own
    zones. None where the controller writes no hints: fewer than two zones, fewer endpoints than
    zones, a node or an endpoint whose zone is not known, or a zone that would get too much.
    """
    shares = _shares(nodes)
    if len(shares) < 2 or len(ready) < len(shares) or not all(ready.values()):
        return {}
    least = {zone: _least(share * len(ready)) for zone, share in shares.items()}
    return _lent(ready, shares, least)


def _least(share: float) -> int:
    return max(math.ceil(share / (1 + OVERLOAD)), 1)


def _lent(
    ready: Mapping[str, str], shares: Mapping[str, float], least: Mapping[str, int]
) -> Mapping[str, str]:
    """The zone for each endpoint: its own, unless another has fewer than it needs. Which endpoint
    is lent is chance in the controller; here it is the last.
    """
    zones = dict(sorted(ready.items()))
    have = Counter(zones.values())
    for poor in shares:
        while have[poor] < least[poor]:
            lenders = [zone for zone in have if have[zone] > least.get(zone, 0) and zone != poor]
            if not lenders:
                return {}
            rich = max(lenders, key=lambda zone: have[zone])
            name = max(name for name, zone in zones.items() if zone == rich)
            zones[name] = poor
            have[rich] -= 1
            have[poor] += 1
    return zones


def _shares(nodes: Sequence[Manifest]) -> Mapping[str, float]:
    """The part of the CPU that each zone has; none where a node does not tell."""
    cpu: Counter[str] = Counter()
    for node in nodes:
        zone = texts(at(node, ("metadata", "labels"))).get(ZONE, "")
        amount = parse(at(node, ("status", "allocatable", "cpu"))) // MILLI
        if not zone or not amount:
            return {}
        cpu[zone] += amount
    return {zone: amount / cpu.total() for zone, amount in cpu.items()}
