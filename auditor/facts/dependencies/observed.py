"""Edges from flows that somebody observed: names of pods, Services and addresses → workloads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from ipaddress import ip_address
from typing import TYPE_CHECKING

from auditor.declared import Flow, Flows
from auditor.facts.dependencies.edges import CONFIDENCE, Edge, Evidence, Outsider
from auditor.facts.network import PortSet
from auditor.facts.network.points import addresses_of
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.workloads import Workload, is_port
from auditor.manifests import at, sequence
from auditor.model import Gap, Key, Resource, Unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def observed(facts: Facts) -> Iterator[Edge]:
    """An edge for each observed flow to a workload; what names nothing here is a gap."""
    if not facts.settings.flows:
        return
    names = _Names(facts)
    for each in facts.settings.flows:
        lost = 0
        for flow in each.flows:
            found = tuple(_edges(flow, each, names))
            lost += not found
            yield from found
        _note(facts, each, lost)


def counts(facts: Facts) -> Mapping[tuple[Key, Key], int]:
    """How many requests or connections of one workload to another were counted, by the identities
    of the two; none of what was seen and not counted.
    """
    found: dict[tuple[Key, Key], int] = {}
    names = _Names(facts) if facts.settings.flows else None
    for flow in (flow for each in facts.settings.flows for flow in each.flows if flow.count):
        for source in names.workloads(flow.source) if names else ():
            for target, _ in names.targets(flow) if names else ():
                key = (source.ref.key, target.ref.key)
                found[key] = found.get(key, 0) + flow.count
    return found


def strays(facts: Facts, source: Workload) -> Iterator[Flow]:
    """The observed flows of `source` to what is nothing here."""
    if not facts.settings.flows:
        return
    names = _Names(facts)
    for each in facts.settings.flows:
        for flow in each.flows:
            ours = any(one.ref == source.ref for one in names.workloads(flow.source))
            if ours and not any(names.targets(flow)):
                yield flow


def _note(facts: Facts, flows: Flows, lost: int) -> None:
    if lost:
        why = f"{lost} of {len(flows.flows)} observed flows lead to nothing that is here"
        facts.unknown(Gap(f"observed flows in {flows.origin}", why, Unseen.UNKNOWN))
    if flows.unread:
        why = f"{flows.unread} entries could not be read"
        facts.unknown(Gap(f"observed flows in {flows.origin}", why, Unseen.UNKNOWN))


def _edges(flow: Flow, flows: Flows, names: _Names) -> Iterator[Edge]:
    sources: tuple[Workload | Outsider, ...] = names.workloads(flow.source)
    for target, ports in names.targets(flow):
        for source in sources or (Outsider(flow.source),):
            if isinstance(source, Workload) and source.ref == target.ref:
                continue
            sure = CONFIDENCE[Evidence.FLOW]
            yield Edge(
                source, target, ports, Evidence.FLOW, sure, f"was seen to ask it{_when(flows)}"
            )


def _when(flows: Flows) -> str:
    if flows.since and flows.until:
        return f", from {flows.since} to {flows.until} ({flows.origin})"
    return f" ({flows.origin})"


@dataclass(slots=True)
class _Names:
    """The workloads by all that a record of a flow may call them. Not frozen: it is filled once."""

    facts: Facts
    _full: dict[str, list[Workload]] = field(default_factory=dict)
    _short: dict[str, list[Workload]] = field(default_factory=dict)
    _address: dict[str, list[Workload]] = field(default_factory=dict)
    _services: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Namespace and name of the Services by name alone and by address."""

    def __post_init__(self) -> None:
        for workload in self.facts.workloads:
            self._full.setdefault(workload.name, []).append(workload)
            self._short.setdefault(workload.ref.name, []).append(workload)
            # The address of a pod on the network of its node is that of all there, and the node's.
            if workload.pod.get("hostNetwork") is not True:
                for address in self._addresses(workload):
                    self._address.setdefault(address, []).append(workload)
        for service in self.facts.snapshot.of_kind("Service"):
            for name in dict.fromkeys((service.ref.name, *_cluster_addresses(service))):
                called = (service.ref.namespace, service.ref.name)
                self._services.setdefault(name, []).append(called)

    def _addresses(self, workload: Workload) -> dict[str, None]:
        """Of all families, those of its pods that have not ended."""
        live = self.facts.standing.live.get(workload.ref.key, ())
        return {str(address): None for pod in live for address in addresses_of(pod)}

    def workloads(self, name: str) -> tuple[Workload, ...]:
        """Those that are called so: by namespace and name, also of a pod; by an address; by the
        name alone, where no two have it.
        """
        address = _spelled(name)
        if address in self._address:
            return tuple(self._address[address])
        space, slash, short = name.rpartition("/")
        for each in (short, *_makers(short)):
            found = self._full.get(f"{space}/{each}", []) if slash else self._short.get(each, [])
            if found and (slash or len(found) == 1):
                return tuple(found)
        return ()

    def targets(self, flow: Flow) -> Iterator[tuple[Workload, PortSet]]:
        """The workloads that were asked, each with the port of its pods."""
        protocol = flow.protocol if flow.protocol in PROTOCOLS else ""
        known = is_port(flow.port) and protocol
        ports = PortSet.of(protocol, flow.port) if known and flow.port else PortSet.NONE
        found = self.workloads(flow.target)
        if found:
            yield from ((workload, ports) for workload in found)
            return
        for service in self._meant(flow.target):
            yield from self.facts.directory.behind_name(*service, flow.port)

    def _meant(self, name: str) -> Iterator[tuple[str, str]]:
        """The Services that may be called so; by the name alone, where no two have it."""
        space, slash, short = name.rpartition("/")
        found = self._services.get(_spelled(name), [])
        yield from found if len(found) == 1 else ()
        host, *rest = name.split(".")
        if slash or rest:
            yield (space, short) if slash else (rest[0], host)


def _cluster_addresses(service: Resource) -> Iterator[str]:
    listed = sequence(at(service.manifest, ("spec", "clusterIPs")))
    for address in (at(service.manifest, ("spec", "clusterIP")), *listed):
        if isinstance(address, str) and address not in ("", "None"):
            yield _spelled(address)


def _spelled(name: str) -> str:
    """An address in one spelling; anything else as it is."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name


def _makers(pod: str) -> Iterator[str]:
    """What may have made a pod of that name, the shortest name last."""
    match = re.fullmatch(r"(.+)-(?:[a-z0-9]{5}|\d+)", pod)
    if match:
        yield match[1]
        inner = re.fullmatch(r"(.+)-[a-z0-9]{5,10}", match[1])
        if inner:
            yield inner[1]
