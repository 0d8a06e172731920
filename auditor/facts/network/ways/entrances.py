"""The ways for traffic from outside the cluster to the pods of a workload.

Rules: https://kubernetes.io/docs/tutorials/services/source-ip/ and k8s.io/api core/v1 types.go.
With `externalTrafficPolicy: Cluster`, the default, kube-proxy writes the address of a node over
that of the client; with Local it stays, unless the load balancer itself is a proxy. `externalIPs`
are taken to lose it (kubernetes#62537). `loadBalancerSourceRanges` are filtered before any policy,
and at the address of the load balancer alone: its node ports are open besides, unless
`allocateLoadBalancerNodePorts` is false. `healthCheckNodePort` leads to kube-proxy, not to a pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property

from auditor.facts.network.answers import Entrance, InvalidPolicy, Listening
from auditor.facts.network.outside import is_private
from auditor.facts.network.policies import Block, PolicyRule
from auditor.facts.network.ports import PortSet
from auditor.facts.network.requests import Request
from auditor.facts.network.ways.attachments import Gateways
from auditor.facts.network.ways.controllers import fronts
from auditor.facts.network.ways.doors import Door, gateway_doors, ingress_doors, is_internal
from auditor.facts.network.ways.ranges import networks
from auditor.facts.network.ways.refused import gap_of, refusal
from auditor.facts.network.ways.routing import Routed, route
from auditor.facts.network.ways.services import Leads, Services, is_port_of, listening
from auditor.facts.workloads import Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Gap, Manifest, Ref, Resource, Snapshot
from auditor.values import dataclass

_ORDER = (
    "Ingress",
    "Gateway",
    "LoadBalancer",
    "ExternalIP",
    "NodePort",
    "HostPort",
    "HostNetwork",
)

RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
"""The annotation that counts where `loadBalancerSourceRanges` is not written."""


@dataclass
class Ways:
    """The ways into a snapshot. Computed when asked for, and then kept."""

    snapshot: Snapshot
    _told: dict[Ref, tuple[Workload, tuple[Entrance, ...]]] = field(default_factory=dict)

    @cached_property
    def services(self) -> Services:
        """The Services, and whom they lead to."""
        return Services(self.snapshot)

    @cached_property
    def gateways(self) -> Gateways:
        """The Gateways and their routes."""
        return Gateways(self.snapshot)

    @cached_property
    def invalid(self) -> tuple[InvalidPolicy, ...]:
        """What of them the API server would refuse. It cannot be there as it is written; what it
        would open is told all the same, as far as that can be read, and what it would permit is
        not.
        """
        found = (refusal(ingress) for ingress in self.snapshot.of_kind("Ingress"))
        return (*(each for each in found if each), *self.gateways.invalid)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """A gap for each of those."""
        return tuple(gap_of(self.snapshot.by_key[each.ref.key], each) for each in self.invalid)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Those of which anything is seen."""
        homes = {each.ref.name for each in self.snapshot.of_kind("Namespace")}
        return frozenset(homes | {each.ref.namespace for each in self.snapshot.resources})

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The addresses of the nodes, as far as any is known."""
        found = [
            mapping(each).get("address")
            for node in self.snapshot.of_kind("Node")
            for each in sequence(at(node.manifest, ("status", "addresses")))
            if mapping(each).get("type") in ("InternalIP", "ExternalIP")
        ]
        return tuple(dict.fromkeys(str(each.network_address) for each in networks(found)))

    @cached_property
    def _doors(self) -> Mapping[tuple[str, str], list[Door]]:
        found: dict[tuple[str, str], list[Door]] = {}
        for door in (*ingress_doors(self.snapshot), *gateway_doors(self.gateways)):
            found.setdefault(door.service, []).append(door)
        return found

    def fronts(self, workloads: Sequence[Workload], way: Entrance) -> tuple[Workload, ...] | None:
        """Those of `workloads` whose pods pass on what comes through an Ingress or a Gateway; none
        where its proxies stand outside of the cluster, None where any pod may be one.
        """
        return fronts(self.snapshot, self.gateways, workloads, way)

    def routed(self, gateway: Ref, request: Request) -> Routed | None:
        """What a Gateway does with a request at one of its listeners' ports; None where there is
        no such Gateway.
        """
        found = self.gateways.gateways.get((gateway.namespace, gateway.name))
        return route(self.gateways, found, request) if found else None

    def listening(self, target: Workload) -> tuple[Listening, ...]:
        """The ports that containers declare, then those that only Services lead to."""
        return listening(self.services, target)

    def entrances(self, target: Workload) -> tuple[Entrance, ...]:
        """Every way in, public ones first; each object with each port once, with all the hosts and
        paths that it leads there.
        """
        told = self._told.get(target.ref)
        # The same object may be asked about as it would be after a change.
        if told is None or told[0] is not target:
            told = self._told[target.ref] = (target, self._entrances(target))
        return told[1]

    def _entrances(self, target: Workload) -> tuple[Entrance, ...]:
        once: dict[tuple[Ref, str, int | None, str], Entrance] = {}
        leads = tuple(self.services.leads(target))
        for way in (*self._through_doors(leads), *_by_service(leads), *_by_host(target)):
            key = (way.ref, way.kind, way.port, way.protocol)
            once[key] = _both(once[key], way) if key in once else way
        return tuple(sorted(once.values(), key=lambda w: (not w.public, _ORDER.index(w.kind))))

    def _through_doors(self, leads: tuple[Leads, ...]) -> Iterator[Entrance]:
        """In the order of the doors, whatever the order of the Services behind them."""
        for lead in leads:
            ref = lead.service.ref
            for door in self._doors.get((ref.namespace, ref.name), ()):
                if is_port_of(lead.entry, door.port):
                    yield Entrance(
                        door.ref,
                        door.kind,
                        lead.number,
                        door.path,
                        door.public,
                        lead.protocol,
                        hosts=door.hosts,
                        paths=door.paths,
                        address_kept=False,
                        through=door.through,
                        rewritten=door.rewritten,
                    )


def _both(one: Entrance, other: Entrance) -> Entrance:
    """One way for what both of them let in."""
    return replace(
        one if one.public or not other.public else other,
        hosts=_all(one.hosts, other.hosts),
        paths=_all(one.paths, other.paths),
        sources=_all(one.sources, other.sources),
        address_kept=one.address_kept and other.address_kept,
        rewritten=one.rewritten or other.rewritten,
    )


def _all(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """What is in either; empty stands for everything."""
    return tuple(dict.fromkeys((*one, *other))) if one and other else ()


def _by_service(leads: tuple[Leads, ...]) -> Iterator[Entrance]:
    for lead in leads:
        ref, number, protocol = lead.service.ref, lead.number, lead.protocol
        spec = mapping(lead.service.manifest.get("spec"))
        kept = spec.get("externalTrafficPolicy") == "Local"
        by_type = ("spec", "type")
        if spec.get("type") == "LoadBalancer":
            yield _load_balancer(lead, kept=kept and not _is_proxied(lead.service))
        if _has_node_ports(spec):
            yield Entrance(ref, "NodePort", number, by_type, False, protocol, address_kept=kept)
        if sequence(spec.get("externalIPs")):
            public = any(not is_private(found) for found in networks(spec.get("externalIPs")))
            place = ("spec", "externalIPs")
            yield Entrance(ref, "ExternalIP", number, place, public, protocol, address_kept=False)


def _has_node_ports(spec: Manifest) -> bool:
    allocated = spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort" or (spec.get("type") == "LoadBalancer" and allocated)


def _load_balancer(lead: Leads, *, kept: bool) -> Entrance:
    ranges = source_ranges(lead.service)
    public = is_public_load_balancer(lead.service)
    path = ("spec", "type")
    ref, number, protocol = lead.service.ref, lead.number, lead.protocol
    return Entrance(
        ref, "LoadBalancer", number, path, public, protocol, sources=ranges, address_kept=kept
    )


def is_public_load_balancer(service: Resource) -> bool:
    """Whether a Service of type LoadBalancer takes traffic from public addresses, at one that is
    not known to be private.
    """
    ranges = list(networks(list(source_ranges(service))))
    admits = not ranges or any(not is_private(network) for network in ranges)
    asked = list(networks([at(service.manifest, ("spec", "loadBalancerIP"))]))
    inside = bool(asked) and all(map(is_private, asked))
    return admits and not inside and not is_internal(service)


def source_ranges(service: Resource) -> tuple[str, ...]:
    """The ranges that its load balancer takes traffic from; none where it takes all. Ranges that
    cannot be read restrict nothing.
    """
    written = at(service.manifest, ("spec", "loadBalancerSourceRanges"))
    if not sequence(written):
        annotations = texts(at(service.manifest, ("metadata", "annotations")))
        written = [each for each in annotations.get(RANGES, "").split(",") if each.strip()]
    return tuple(dict.fromkeys(map(str, networks(written))))


def source_rules(entrances: Iterable[Entrance]) -> list[PolicyRule]:
    """What the ranges of these ways tell apart, as rules."""
    ranges = dict.fromkeys(entrance.sources for entrance in entrances if entrance.sources)
    return [
        PolicyRule((), tuple(Block(network) for network in networks(list(each))), PortSet.ALL)
        for each in ranges
    ]


def _is_proxied(service: Resource) -> bool:
    """Whether its load balancer is known to speak to the pods as itself."""
    status = at(service.manifest, ("status", "loadBalancer", "ingress"))
    return any(mapping(each).get("ipMode") == "Proxy" for each in sequence(status))


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
