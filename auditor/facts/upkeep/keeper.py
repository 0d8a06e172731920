"""What is asked of all policies of a snapshot at once, worked out when first asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from auditor.facts.network.entries import Services
from auditor.facts.network.points import _addresses as addresses_of
from auditor.facts.network.policies import KIND, Block, NetPolicy, parse_policy
from auditor.facts.network.ports import PortSet
from auditor.facts.upkeep.cast import Cast
from auditor.facts.upkeep.shadows import Shadows
from auditor.facts.workloads import Workload, container_ports
from auditor.manifests import at
from auditor.model import Key, Path, Ref, Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


_ADDRESSES = {4: IPv4Address, 6: IPv6Address}


@dataclass(frozen=True, slots=True)
class Lead:
    """A port of a Service, and where it leads."""

    number: int
    """Of the Service."""
    name: str
    """Of the port of the Service; empty where it has none."""
    protocol: str
    pod_port: int
    ref: Ref
    path: Path


@dataclass(frozen=True, slots=True)
class Served:
    """On what the pods of a workload listen, as containers and Services say."""

    ports: PortSet
    names: frozenset[tuple[str, str]]
    """Protocol and name of the ports of its containers."""
    leads: tuple[Lead, ...]


class Keeper:
    """The policies and workloads of one snapshot. Remembers what it has worked out."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._served: dict[Key, Served] = {}

    @cached_property
    def policies(self) -> Mapping[Key, NetPolicy]:
        """The NetworkPolicies that the API server takes."""
        snapshot = self._facts.snapshot
        parsed = (parse_policy(r) for r in snapshot.of_kind(KIND) if snapshot.find(r.ref) is r)
        return {policy.ref.key: policy for policy in parsed if isinstance(policy, NetPolicy)}

    @cached_property
    def cast(self) -> Cast:
        """The workloads by their labels."""
        return Cast(self._facts.snapshot, self._facts.workloads)

    @cached_property
    def shadows(self) -> Shadows:
        """The rules by whom they admit."""
        return Shadows(tuple(self.policies.values()))

    @cached_property
    def _services(self) -> Services:
        return Services(self._facts.snapshot)

    def pod_within(self, block: Block) -> str:
        """A pod whose address is in the block; empty where none is. Pods on the network of their
        node have its address, and are not asked."""
        first, after = int(block.cidr.network_address), int(block.cidr.broadcast_address) + 1
        addresses = self._addresses[block.cidr.version]
        for number, name in addresses[bisect_left(addresses, (first, "")) :]:
            if number >= after:
                break
            if block.holds(_ADDRESSES[block.cidr.version](number)):
                return name
        return ""

    @cached_property
    def _addresses(self) -> Mapping[int, Sequence[tuple[int, str]]]:
        """By version: the addresses of the pods as numbers, ascending, and whose they are."""
        found: dict[int, list[tuple[int, str]]] = {4: [], 6: []}
        for pod in self._facts.snapshot.of_kind("Pod"):
            if at(pod.manifest, ("spec", "hostNetwork")) is not True:
                for address in addresses_of(pod):
                    told = (int(address), f"{pod.ref.namespace}/{pod.ref.name}")
                    found[address.version].append(told)
        return {version: sorted(each) for version, each in found.items()}

    def served(self, workload: Workload) -> Served:
        """On what its pods listen. Costs one look at the Services of its namespace, once."""
        found = self._served.get(workload.ref.key)
        if found is None:
            found = self._served[workload.ref.key] = self._serve(workload)
        return found

    def _serve(self, workload: Workload) -> Served:
        ports = PortSet.NONE
        for each in self._facts.network.listening(workload):
            ports |= PortSet.of(each.protocol, each.port)
        names = {(protocol, name) for _, protocol, name, _ in container_ports(workload) if name}
        return Served(ports, frozenset(names), tuple(self._leads(workload)))

    def _leads(self, workload: Workload) -> Iterator[Lead]:
        for lead in self._services.leads(workload):
            number, name = lead.entry.get("port"), lead.entry.get("name")
            if isinstance(number, int):
                called = name if isinstance(name, str) else ""
                yield Lead(
                    number, called, lead.protocol, lead.number, lead.service.ref, lead.path
                )  # fmt: skip


def as_said(policy: NetPolicy | Resource) -> str:
    """As a person would name it: ``NetworkPolicy shop/orders``."""
    return f"{KIND} {policy.ref.namespace}/{policy.ref.name}"


def names_of(workloads: Sequence[Workload]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(workloads) - 1} more" if len(workloads) > 1 else ""
    return workloads[0].name + more if workloads else ""
