"""Services, and the ways into the cluster: which pods they lead to, and on which port.

Rules: https://kubernetes.io/docs/concepts/services-networking/service/ and …/ingress/.
A Service port leads to its `targetPort`: a number, or a name that each pod resolves for itself;
the port itself where there is none. An Ingress names the port of the Service, never of the pod.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from auditor.facts.network.answers import Entrance, Listening
from auditor.facts.network.outside import IPNetwork, is_private
from auditor.facts.network.points import labels_of
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.selectors import Requirement, Selector, Truth
from auditor.facts.workloads import Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Path, Ref, Resource, Snapshot

INTERNAL: dict[str, tuple[str, ...]] = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": ("true", "0.0.0.0/0"),
    "service.beta.kubernetes.io/aws-load-balancer-scheme": ("internal",),
    "service.beta.kubernetes.io/azure-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/oci-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": ("true",),
    "networking.gke.io/load-balancer-type": ("internal",),
    "cloud.google.com/load-balancer-type": ("internal",),
    "alb.ingress.kubernetes.io/scheme": ("internal",),
    "kubernetes.io/ingress.class": ("gce-internal",),
}
"""Annotations, and their values in lower case, by which a load balancer gets no public address."""

_ORDER = ("Ingress", "LoadBalancer", "ExternalIP", "NodePort", "HostPort", "HostNetwork")


@dataclass(frozen=True, slots=True)
class Leads:
    """A port of a Service, and the port of a pod behind it."""

    service: Resource
    path: Path
    entry: Manifest
    number: int
    protocol: str


@dataclass(slots=True)
class Services:
    """The Services of a snapshot by namespace. Not frozen: it is filled once, when made."""

    snapshot: Snapshot
    _here: dict[str, list[tuple[Resource, Selector]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in self.snapshot.of_kind("Service"):
            selector = _selector(service)
            if selector:
                self._here.setdefault(service.ref.namespace, []).append((service, selector))

    def of(self, target: Workload) -> tuple[Resource, ...]:
        """Those whose selector matches the labels of the workload's pods, or may match those that
        its controller adds. An ExternalName has no pods, whatever it selects.
        """
        labels = labels_of(target)
        here = self._here.get(target.ref.namespace, ())
        return tuple(service for service, selector in here if selector.truth(labels) > Truth.NO)

    def leads(self, target: Workload) -> Iterator[Leads]:
        """Every port of every Service that arrives at a port of `target`."""
        for service in self.of(target):
            ports = sequence(at(service.manifest, ("spec", "ports")))
            for index, entry in enumerate(map(mapping, ports)):
                protocol = entry.get("protocol") or "TCP"
                number = _target_port(entry, protocol, target)
                if protocol in PROTOCOLS and number is not None:
                    yield Leads(service, ("spec", "ports", index), entry, number, protocol)


def _selector(service: Resource) -> Selector | None:
    """What it selects; None where it has no pods of its own."""
    spec = mapping(service.manifest.get("spec"))
    written = mapping(spec.get("selector"))
    known = texts(written)
    if not known or len(known) < len(written) or spec.get("type") == "ExternalName":
        return None
    return Selector(tuple(Requirement(k, "In", frozenset((v,))) for k, v in known.items()))


def _target_port(entry: Manifest, protocol: str, target: Workload) -> int | None:
    wanted = entry.get("targetPort")
    # 0 and "" are what the API server reads as "not given".
    wanted = wanted or entry.get("port")
    if is_port(wanted):
        return wanted
    named = (
        n for n, proto, name, _ in container_ports(target) if (proto, name) == (protocol, wanted)
    )
    return next(named, None)


def listening(services: Services, target: Workload) -> tuple[Listening, ...]:
    """The ports that containers declare, then those that only Services lead to."""
    found: dict[tuple[int, str], Listening] = {}
    for number, protocol, name, path in container_ports(target):
        declared = Listening(number, protocol, name, target.ref, path)
        found.setdefault((number, protocol), declared)
    for lead in services.leads(target):
        called = lead.entry.get("name")
        text = called if isinstance(called, str) else ""
        served = Listening(lead.number, lead.protocol, text, lead.service.ref, lead.path)
        found.setdefault((lead.number, lead.protocol), served)
    return tuple(found.values())


def entrances(snapshot: Snapshot, services: Services, target: Workload) -> tuple[Entrance, ...]:
    """Every way in, public ones first; each object with each port once."""
    leads = tuple(services.leads(target))
    once: dict[tuple[Ref, str, int | None, str], Entrance] = {}
    for way in (*_ingresses(snapshot, leads), *_by_service(leads), *_by_host(target)):
        once.setdefault((way.ref, way.kind, way.port, way.protocol), way)
    return tuple(sorted(once.values(), key=lambda w: (not w.public, _ORDER.index(w.kind))))


def _ingresses(snapshot: Snapshot, leads: tuple[Leads, ...]) -> Iterator[Entrance]:
    if not leads:
        return
    home = leads[0].service.ref.namespace
    for ingress in snapshot.of_kind("Ingress"):
        if ingress.ref.namespace != home:
            continue
        public = not is_internal(ingress)
        for path, name, port in _ingress_backends(ingress):
            for lead in leads:
                if lead.service.ref.name == name and _is_port_of(lead.entry, port):
                    yield Entrance(ingress.ref, "Ingress", lead.number, path, public)


def _ingress_backends(ingress: Resource) -> Iterator[tuple[Path, Any, Any]]:
    """Where each backend stands, the name of its Service, and the number or name of the port."""
    for path, backend in _backend_places(ingress.manifest):
        service = mapping(backend.get("service"))
        port = mapping(service.get("port"))
        # serviceName and servicePort are how it was written before networking.k8s.io/v1.
        name = service.get("name", backend.get("serviceName"))
        yield path, name, port.get("number", port.get("name", backend.get("servicePort")))


def _backend_places(manifest: Manifest) -> Iterator[tuple[Path, Manifest]]:
    for name in ("defaultBackend", "backend"):
        yield ("spec", name), mapping(at(manifest, ("spec", name)))
    for i, rule in enumerate(sequence(at(manifest, ("spec", "rules")))):
        for j, path in enumerate(sequence(at(rule, ("http", "paths")))):
            place: Path = ("spec", "rules", i, "http", "paths", j, "backend")
            yield place, mapping(mapping(path).get("backend"))


def _is_port_of(entry: Manifest, port: Any) -> bool:
    return port is not None and port in (entry.get("port"), entry.get("name"))


def _by_service(leads: tuple[Leads, ...]) -> Iterator[Entrance]:
    for lead in leads:
        ref, number, protocol = lead.service.ref, lead.number, lead.protocol
        spec = mapping(lead.service.manifest.get("spec"))
        if spec.get("type") == "LoadBalancer":
            public = not is_internal(lead.service) and _admits_the_internet(spec)
            yield Entrance(ref, "LoadBalancer", number, ("spec", "type"), public, protocol)
        if spec.get("type") == "NodePort":
            yield Entrance(ref, "NodePort", number, ("spec", "type"), False, protocol)
        if sequence(spec.get("externalIPs")):
            public = any(not is_private(found) for found in _networks(spec.get("externalIPs")))
            yield Entrance(ref, "ExternalIP", number, ("spec", "externalIPs"), public, protocol)


def _admits_the_internet(spec: Manifest) -> bool:
    """Whether the load balancer takes traffic from public addresses. Ranges that cannot be read
    restrict nothing.
    """
    ranges = tuple(_networks(spec.get("loadBalancerSourceRanges")))
    return not ranges or any(not is_private(network) for network in ranges)


def _networks(value: Any) -> Iterator[IPNetwork]:
    """The addresses or ranges of a list that can be read."""
    for text in sequence(value):
        if isinstance(text, str):
            with suppress(ValueError):
                yield ip_network(text.strip(), strict=False)


def _by_host(target: Workload) -> Iterator[Entrance]:
    if target.pod.get("hostNetwork") is True:
        path = (*target.pod_path, "hostNetwork")
        found = tuple((number, protocol) for number, protocol, _, _ in container_ports(target))
        for number, protocol in found or ((None, "TCP"),):
            yield Entrance(target.ref, "HostNetwork", number, path, False, protocol)
        return
    for number, protocol, _, path in container_ports(target):
        if is_port(at(target.resource.manifest, (*path, "hostPort"))):
            yield Entrance(target.ref, "HostPort", number, (*path, "hostPort"), False, protocol)


def is_internal(resource: Resource) -> bool:
    """Whether its annotations ask for a load balancer without a public address."""
    annotations = texts(at(resource.manifest, ("metadata", "annotations")))
    return any(annotations.get(key, "").lower() in values for key, values in INTERNAL.items())
