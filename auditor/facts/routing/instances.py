"""The instances of a Service: as its EndpointSlices tell of a live cluster, else as the controller
would list the pods that stand, or would stand, on nodes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.facts.controllers.endpoints import hinted_zones
from auditor.facts.network.ways.services import SERVICE_NAME
from auditor.facts.placement import Topology
from auditor.facts.routing.endpoints import Endpoint, Endpoints
from auditor.facts.routing.load import zone_of
from auditor.facts.routing.traffic import SAME_NODE, Traffic, traffic_of
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Key, Manifest, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Served:
    """A Service with its instances and its clients."""

    service: Resource
    traffic: Traffic
    endpoints: tuple[Endpoint, ...]
    clients: Mapping[str, float]
    """Node → how many pods there ask it."""
    askers: tuple[Workload, ...]
    behind: tuple[Workload, ...]

    def routed(self, **changes: object) -> Endpoints:
        """Who reaches whom; with `changes`, if the Service said that of its traffic instead."""
        traffic = replace(self.traffic, **changes)  # type: ignore[arg-type]
        return Endpoints(self.endpoints, traffic)


def served_by(facts: Facts, service: Resource) -> Served:
    """Where the instances and the known clients of `service` are."""
    edges = facts.asked_through.get(service.ref.key, ())
    askers = tuple({edge.client.ref.key: edge.client for edge in edges}.values())
    traffic = traffic_of(service, facts.settings.kubernetes)
    behind = tuple(facts.directory.workloads_behind(service))
    listed = tuple(_listed(facts, service, facts.topology))
    return Served(
        service,
        traffic,
        listed or modelled(facts, behind, traffic, service),
        clients_of(facts, askers),
        askers,
        behind,
    )


def clients_of(facts: Facts, askers: Iterable[Workload]) -> Mapping[str, float]:
    """The nodes of the pods of these workloads, each with how many."""
    nodes = (pod.node for asker in askers for pod in facts.standing.pods(asker) if pod.node)
    return {node: float(count) for node, count in Counter(nodes).items()}


def modelled(
    facts: Facts, behind: Sequence[Workload], traffic: Traffic, service: Resource
) -> tuple[Endpoint, ...]:
    """The pods of `behind` where they stand, with the hints that the controller would write."""
    publish = at(service.manifest, ("spec", "publishNotReadyAddresses")) is True
    found = tuple(
        Endpoint(
            name=pod.id,
            node=pod.node,
            zone=zone_of(facts.topology, pod.node),
            ready=publish or (pod.is_ready and not pod.terminating),
            serving=pod.is_ready,
            terminating=pod.terminating,
        )
        for workload in behind
        for pod in facts.standing.pods(workload)
        if pod.node
    )
    nodes = facts.snapshot.of_kind("Node") if traffic.shared_out else ()
    return hinted(found, traffic, [node.manifest for node in nodes])


def hinted(
    endpoints: Sequence[Endpoint], traffic: Traffic, nodes: Sequence[Manifest] = ()
) -> tuple[Endpoint, ...]:
    """The same, which have no hints yet, with those that the controller writes for this traffic.
    Only what is ready gets any; whoever is of no known zone gets none for zones.
    """
    if traffic.shared_out:
        ready = {each.name: each.zone for each in endpoints if each.ready}
        zones = hinted_zones(ready, nodes)
        return tuple(_with(each, (zones.get(each.name, ""),), ()) for each in endpoints)
    if not traffic.distribution:
        return tuple(endpoints)
    same_node = traffic.distribution == SAME_NODE
    return tuple(
        _with(
            each,
            (each.zone,) if each.ready else (),
            (each.node,) if same_node and each.ready else (),
        )
        for each in endpoints
    )


def _with(endpoint: Endpoint, zones: Iterable[str], nodes: Iterable[str]) -> Endpoint:
    return replace(
        endpoint, zones=frozenset(filter(None, zones)), nodes=frozenset(filter(None, nodes))
    )


def _listed(facts: Facts, service: Resource, topology: Topology) -> Iterator[Endpoint]:
    """What the EndpointSlices of a Service with live pods say, each instance once."""
    seen: set[str] = set()
    for each in facts.slices.get(service.ref.key, ()):
        for entry in map(mapping, sequence(each.manifest.get("endpoints"))):
            found = _read(entry, topology)
            if found.name not in seen:
                seen.add(found.name)
                yield found


def slices_by_service(found: Iterable[Resource]) -> Mapping[Key, Sequence[Resource]]:
    """The EndpointSlices of each Service, by its identity."""
    known: dict[Key, list[Resource]] = {}
    for each in found:
        name = texts(at(each.manifest, ("metadata", "labels"))).get(SERVICE_NAME)
        if name:
            known.setdefault(("", "Service", each.ref.namespace, name), []).append(each)
    return known


def _read(entry: Manifest, topology: Topology) -> Endpoint:
    """A condition that is not written counts as ready and serving (discovery/v1 types.go)."""
    told = mapping(entry.get("conditions"))
    node = entry.get("nodeName")
    name = at(entry, ("targetRef", "name"))
    space = at(entry, ("targetRef", "namespace"))
    where = node if isinstance(node, str) else ""
    hints = mapping(entry.get("hints"))
    ready = told.get("ready") is not False
    called = f"{space}/{name}" if isinstance(name, str) else str(sequence(entry.get("addresses")))
    return Endpoint(
        name=called,
        node=where,
        zone=zone_of(topology, where) or str(entry.get("zone") or ""),
        ready=ready,
        serving=told.get("serving", ready) is not False,
        terminating=told.get("terminating") is True,
        zones=_names(hints.get("forZones")),
        nodes=_names(hints.get("forNodes")),
    )


def _names(hints: object) -> frozenset[str]:
    found = (mapping(each).get("name") for each in sequence(hints))
    return frozenset(name for name in found if isinstance(name, str) and name)
