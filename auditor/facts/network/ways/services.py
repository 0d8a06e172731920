"""Services: which pods they lead to, and on which port.

Rules: https://kubernetes.io/docs/concepts/services-networking/service/ and
k8s.io/api core/v1 types.go (ServiceSpec). A Service port leads to its `targetPort`: a number, or a
name that each pod resolves for itself; the port itself where there is none. A headless Service
gives its pods' addresses away, so that clients choose the port of the pod; its ports only name
some. A Service without a selector leads where its EndpointSlices or Endpoints say, be that a pod of
another namespace. `publishNotReadyAddresses` and `internalTrafficPolicy` change when pods are
behind a Service, not which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from auditor.facts.network.answers import Listening
from auditor.facts.network.points import labels_of, pods_by_owner
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.selectors import Labels, Requirement, Selector, Truth
from auditor.facts.workloads import Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Path, Ref, Resource, Snapshot
from auditor.values import dataclass

SERVICE_NAME = "kubernetes.io/service-name"
"""The label of an EndpointSlice with the name of its Service."""


@dataclass(frozen=True, slots=True)
class Leads:
    """A port of a Service, and the port of a pod behind it."""

    service: Resource
    path: Path
    entry: Manifest
    number: int
    protocol: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address behind a port of a Service that has no selector."""

    service: Resource
    ref: Ref
    """The EndpointSlice or the Endpoints that say so."""
    path: Path
    """Where the address stands in it."""
    address: str
    index: int
    """Of the port in the Service."""
    number: int
    protocol: str


@dataclass
class Services:
    """The Services of a snapshot by namespace. Not frozen: it remembers who leads to whom.

    Cost: the first question about a workload evaluates the selectors of the Services of its
    namespace that ask first for a label which its pods have.
    """

    snapshot: Snapshot
    _here: dict[str, list[tuple[Resource, Selector]]] = field(default_factory=dict)
    _asking: dict[tuple[str, str, str | None], list[int]] = field(default_factory=dict)
    """Namespace, and the label that a selector asks for first → the places in `_here`; with None
    whatever its value."""
    _leads: dict[Ref, tuple[Workload, tuple[Leads, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for service in self.snapshot.of_kind("Service"):
            selector = selector_of(service)
            if selector:
                here = self._here.setdefault(service.ref.namespace, [])
                asked = selector.requirements[0]
                for value in (*asked.values, None):
                    where = (service.ref.namespace, asked.key, value)
                    self._asking.setdefault(where, []).append(len(here))
                here.append((service, selector))

    @cached_property
    def by_name(self) -> Mapping[tuple[str, str], Resource]:
        """By namespace and name."""
        found = self.snapshot.of_kind("Service")
        return {(service.ref.namespace, service.ref.name): service for service in found}

    def alike(self, service: Resource) -> Sequence[Resource]:
        """Those of its namespace with the same selector, itself among them; none without one."""
        return self._by_selector.get((service.ref.namespace, selector_of(service)), ())

    @cached_property
    def _by_selector(self) -> Mapping[tuple[str, Selector | None], Sequence[Resource]]:
        found: dict[tuple[str, Selector | None], list[Resource]] = {}
        for namespace, here in self._here.items():
            for service, selector in here:
                found.setdefault((namespace, selector), []).append(service)
        return found

    def of(self, target: Workload) -> tuple[Resource, ...]:
        """Those whose selector matches the labels of the workload's pods, or may match those that
        its controller adds; then those without a selector whose endpoints are its pods. An
        ExternalName has no pods, whatever it selects.
        """
        labels = labels_of(target)
        here = self._here.get(target.ref.namespace, ())
        maybe = [here[place] for place in self._places(target.ref.namespace, labels, len(here))]
        found = [service for service, selector in maybe if selector.truth(labels) > Truth.NO]
        listed = {each.service.ref: each.service for each in self._endpoints_at(target)}
        return (*found, *listed.values())

    def _places(self, namespace: str, labels: Labels, count: int) -> Sequence[int]:
        """Those in `_here` whose selectors may match these labels, in the order read."""
        if labels.open:
            return range(count)
        written = {**labels.known, **dict.fromkeys(labels.hidden)}
        asked = ((namespace, key, value) for key, value in written.items())
        return sorted({place for each in asked for place in self._asking.get(each, ())})

    def leads(self, target: Workload) -> tuple[Leads, ...]:
        """Every port of every Service that arrives at a port of `target`."""
        known = self._leads.get(target.ref)
        # The same object may be asked about as it would be after a change.
        if known is None or known[0] is not target:
            known = self._leads[target.ref] = (target, tuple(self._leading(target)))
        return known[1]

    def _leading(self, target: Workload) -> Iterator[Leads]:
        endpoints = self._endpoints_at(target)
        named = {each.service.ref for each in endpoints}
        for service in self.of(target):
            if service.ref in named:
                continue
            for path, entry in ports_of(service):
                protocol = entry.get("protocol") or "TCP"
                number = target_port(entry, protocol, target)
                if protocol in PROTOCOLS and number is not None:
                    yield Leads(service, path, entry, number, protocol)
        for each in endpoints:
            path = ("spec", "ports", each.index)
            entry = mapping(at(each.service.manifest, path))
            yield Leads(each.service, path, entry, each.number, each.protocol)

    def endpoints(self, service: Resource) -> tuple[Endpoint, ...]:
        """Where a Service without a selector leads, inside or outside of the cluster; none where
        nothing says so.
        """
        return tuple(
            each
            for found in self._by_address.values()
            for each in found
            if each.service.ref == service.ref
        )

    def _endpoints_at(self, target: Workload) -> tuple[Endpoint, ...]:
        """Those at addresses of the target's pods; each port of a Service once."""
        if not self._by_address:
            return ()
        once: dict[tuple[Ref, int, int], Endpoint] = {}
        for pod in self._pods.get(target.ref.key, ()):
            for address in _addresses(pod):
                for each in self._by_address.get(address, ()):
                    once.setdefault((each.service.ref, each.index, each.number), each)
        return tuple(once.values())

    @cached_property
    def _pods(self) -> Mapping[Any, Sequence[Resource]]:
        return pods_by_owner(self.snapshot)

    @cached_property
    def _by_address(self) -> Mapping[str, Sequence[Endpoint]]:
        found: dict[str, list[Endpoint]] = {}
        for listed in self.snapshot.of_kind("EndpointSlice", "Endpoints"):
            for each in self._listed(listed):
                found.setdefault(each.address, []).append(each)
        return found

    def _listed(self, listed: Resource) -> Iterator[Endpoint]:
        sliced = listed.ref.kind == "EndpointSlice"
        name: Any = listed.ref.name
        if sliced:
            name = texts(at(listed.manifest, ("metadata", "labels"))).get(SERVICE_NAME)
        service = self.by_name.get((listed.ref.namespace, name))
        # What a selector finds is told by the selector: for pods that are not there yet as well.
        if service is None or selector_of(service) or external_name(service):
            return
        for addresses, ports in _slice(listed) if sliced else _subsets(listed):
            for index, entry in enumerate(map(mapping, sequence(at(service.manifest, PORTS)))):
                for port in ports:
                    number, protocol = port.get("port"), port.get("protocol") or "TCP"
                    same = (port.get("name") or "") == (entry.get("name") or "")
                    if same and is_port(number) and protocol == (entry.get("protocol") or "TCP"):
                        for path, address in addresses:
                            yield Endpoint(
                                service, listed.ref, path, address, index, number, protocol
                            )


PORTS: Path = ("spec", "ports")

Places = list[tuple[Path, str]]


def _slice(resource: Resource) -> Iterator[tuple[Places, list[Manifest]]]:
    """The addresses and the ports of an EndpointSlice; names of hosts are none."""
    places: Places = []
    for index, entry in enumerate(map(mapping, sequence(resource.manifest.get("endpoints")))):
        for number, text in enumerate(sequence(entry.get("addresses"))):
            places += _place(("endpoints", index, "addresses", number), text)
    yield places, [mapping(each) for each in sequence(resource.manifest.get("ports"))]


def _subsets(resource: Resource) -> Iterator[tuple[Places, list[Manifest]]]:
    """The same of each subset of Endpoints, those included that are not ready."""
    for index, subset in enumerate(map(mapping, sequence(resource.manifest.get("subsets")))):
        places: Places = []
        for field_ in ("addresses", "notReadyAddresses"):
            for number, entry in enumerate(map(mapping, sequence(subset.get(field_)))):
                places += _place(("subsets", index, field_, number, "ip"), entry.get("ip"))
        yield places, [mapping(each) for each in sequence(subset.get("ports"))]


def _place(path: Path, value: Any) -> Places:
    try:
        return [(path, str(ip_address(value)))] if isinstance(value, str) else []
    except ValueError:
        return []


def _addresses(pod: Resource) -> Iterator[str]:
    status = mapping(pod.manifest.get("status"))
    listed = [mapping(entry).get("ip") for entry in sequence(status.get("podIPs"))]
    for value in listed or [status.get("podIP")]:
        yield from (address for _, address in _place((), value))


def selector_of(service: Resource) -> Selector | None:
    """What it selects; None where it has no pods of its own."""
    spec = mapping(service.manifest.get("spec"))
    written = mapping(spec.get("selector"))
    known = texts(written)
    if not known or len(known) < len(written) or spec.get("type") == "ExternalName":
        return None
    return Selector(tuple(Requirement(k, "In", frozenset((v,))) for k, v in sorted(known.items())))


def external_name(service: Resource) -> str:
    """The name outside of the cluster that it stands for, in lower case and without a dot at the
    end; empty for a Service of any other type.
    """
    spec = mapping(service.manifest.get("spec"))
    name = spec.get("externalName")
    if spec.get("type") != "ExternalName" or not isinstance(name, str):
        return ""
    return name.rstrip(".").lower()


def is_headless(service: Resource) -> bool:
    """Whether its name gives the addresses of its pods."""
    return bool(at(service.manifest, ("spec", "clusterIP")) == "None")


def ports_of(service: Resource) -> Iterator[tuple[Path, Manifest]]:
    """The entries of its ports, each with its place."""
    for index, entry in enumerate(sequence(at(service.manifest, PORTS))):
        yield (*PORTS, index), mapping(entry)


def is_port_of(entry: Manifest, port: Any) -> bool:
    """Whether an Ingress or a route that names `port`, by number or name, means this port of a
    Service.
    """
    return port is not None and port in (entry.get("port"), entry.get("name"))


def target_port(entry: Manifest, protocol: str, target: Workload) -> int | None:
    """The port of the pods of `target` that a port of a Service leads to; None where it goes by a
    name that they do not have for this protocol.
    """
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
