"""What is asked of all policies of a snapshot at once, worked out when first asked for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from auditor.facts.configuration import Text
from auditor.facts.neighbours import owners_of_nodes
from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.network.points import addresses_of, labels_of
from auditor.facts.network.policies import Block, NetPolicy, Pods
from auditor.facts.network.ports import PortSet
from auditor.facts.upkeep.calls import Calls
from auditor.facts.upkeep.cast import Cast
from auditor.facts.upkeep.others import Other, others
from auditor.facts.upkeep.shadows import Shadows
from auditor.facts.workloads import FINISHED, Workload, container_ports
from auditor.manifests import at
from auditor.model import Gap, Key, Path, Ref
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


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


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a peer or a selector means."""

    anybody: bool
    complete: bool
    """Whether no other pod can be meant, as far as is told."""
    served: Served
    """On what they listen, all of them together."""


class Keeper:
    """The policies and workloads of one snapshot. Remembers what it has worked out."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._served: dict[Key, Served] = {}
        self._equal: dict[Served, Served] = {}
        self._meant: dict[object, Meant] = {}

    @cached_property
    def policies(self) -> Mapping[Key, NetPolicy]:
        """The NetworkPolicies that the API server takes."""
        return {policy.ref.key: policy for policy in self._facts.network.policies}

    @cached_property
    def refused(self) -> Mapping[Ref, InvalidPolicy]:
        """The policies that the API server refuses, of every kind that is read."""
        return {refused.ref: refused for refused in self._facts.network.invalid}

    def gaps_about(self, ref: Ref) -> Sequence[Gap]:
        """What the engine says that it cannot tell because of one policy."""
        return self._gaps.get(ref, ())

    @cached_property
    def _gaps(self) -> Mapping[Ref, Sequence[Gap]]:
        found: dict[Ref, list[Gap]] = {}
        for gap in self._facts.network.gaps:
            if gap.ref:
                found.setdefault(gap.ref, []).append(gap)
        return found

    def policies_in(self, namespace: str) -> Sequence[NetPolicy]:
        """Those of one namespace."""
        return self._policies_in.get(namespace, ())

    @cached_property
    def _policies_in(self) -> Mapping[str, Sequence[NetPolicy]]:
        found: dict[str, list[NetPolicy]] = {}
        for policy in self.policies.values():
            found.setdefault(policy.ref.namespace, []).append(policy)
        return found

    @cached_property
    def cast(self) -> Cast:
        """The workloads by their labels."""
        return Cast(self._facts.snapshot, self._facts.workloads)

    @cached_property
    def shadows(self) -> Shadows:
        """The rules by whom they admit."""
        return Shadows(tuple(self.policies.values()))

    def pod_within(self, block: Block) -> str:
        """A pod whose address is in the block; empty where none is. Pods on the network of their
        node have its address, and are not asked.
        """
        first, after = int(block.cidr.network_address), int(block.cidr.broadcast_address) + 1
        addresses = self._addresses[block.cidr.version]
        for number, name in addresses[bisect_left(addresses, (first, "")) :]:
            if number >= after:
                break
            if block.holds(IPv4Address(number) if block.cidr.version == 4 else IPv6Address(number)):
                return name
        return ""

    @cached_property
    def _addresses(self) -> Mapping[int, Sequence[tuple[int, str]]]:
        """By version: the addresses as numbers, ascending, of the pods that have not ended, and
        whose they are.
        """
        found: dict[int, list[tuple[int, str]]] = {4: [], 6: []}
        for pod in self._facts.snapshot.of_kind("Pod"):
            over = at(pod.manifest, ("status", "phase")) in FINISHED
            if not over and at(pod.manifest, ("spec", "hostNetwork")) is not True:
                for address in addresses_of(pod):
                    told = (int(address), f"{pod.ref.namespace}/{pod.ref.name}")
                    found[address.version].append(told)
        return {version: sorted(each) for version, each in found.items()}

    @cached_property
    def calls(self) -> Calls:
        """Whom the API server calls."""
        return Calls(self._facts.snapshot)

    def told(self, workload: Workload) -> Sequence[Text]:
        """What the containers of a workload are told."""
        return self._told.get(workload.ref.key, ())

    @cached_property
    def _told(self) -> Mapping[Key, Sequence[Text]]:
        return {told.workload.ref.key: told.texts for told in self._facts.told}

    @cached_property
    def owners(self) -> Sequence[tuple[Workload, str, Path]]:
        """The workloads that own their node, why, and where that is said."""
        return tuple(owners_of_nodes(self._facts))

    @cached_property
    def exposed(self) -> Sequence[tuple[Workload, str]]:
        """The workloads that somebody breaks into first, and why: those that the internet is led
        to, then those that own their node.
        """
        found = []
        for workload in self._facts.workloads:
            ways = self._facts.network.entrances(workload)
            if ways and ways[0].public:
                way = ways[0].ref
                why = f"the internet reaches it through {way.kind} {way.namespace}/{way.name}"
                found.append((workload, why))
        return (*found, *((one, f"it owns its node: {why}") for one, why, _ in self.owners))

    def other_holds(self, workload: Workload) -> bool:
        """Whether a network policy of another make than Kubernetes' own may hold for its pods."""
        namespace, labels = workload.ref.namespace, labels_of(workload)
        return any(other.may_hold(namespace, labels) for other in self._others)

    def others_in(self, namespace: str) -> bool:
        """Whether one is of a namespace, or may hold for whatever pod comes to it."""
        return any(other.is_meant_for(namespace) for other in self._others)

    @cached_property
    def _others(self) -> tuple[Other, ...]:
        return tuple(others(self._facts.snapshot.resources))

    def served(self, workload: Workload) -> Served:
        """On what its pods listen. Costs one look at the Services of its namespace, once."""
        found = self._served.get(workload.ref.key)
        if found is None:
            made = self._serve(workload)
            found = self._served[workload.ref.key] = self._equal.setdefault(made, made)
        return found

    def meant(self, home: str, peer: Pods) -> Meant:
        """Whom a peer of a policy in namespace `home` means. Costs, once, what those cost who are
        meant.
        """
        key = (home if peer.namespaces is None else None, peer)
        found = self._meant.get(key)
        if found is None:
            chosen, complete = self.cast.peers(home, peer)
            served = self._together([workload for workload, _ in chosen])
            found = self._meant[key] = Meant(bool(chosen), complete, served)
        return found

    def _together(self, workloads: Sequence[Workload]) -> Served:
        each = list(dict.fromkeys(self.served(workload) for workload in workloads))
        return union(each)

    def _serve(self, workload: Workload) -> Served:
        ports = PortSet.NONE
        for each in self._facts.network.listening(workload):
            ports |= PortSet.of(each.protocol, each.port)
        names = {(protocol, name) for _, protocol, name, _ in container_ports(workload) if name}
        return Served(ports, frozenset(names), tuple(self._leads(workload)))

    def _leads(self, workload: Workload) -> Iterator[Lead]:
        for lead in self._facts.network.ways.services.leads(workload):
            number, name = lead.entry.get("port"), lead.entry.get("name")
            if isinstance(number, int):
                called = name if isinstance(name, str) else ""
                yield Lead(
                    number, called, lead.protocol, lead.number, lead.service.ref, lead.path
                )  # fmt: skip


def union(each: Sequence[Served]) -> Served:
    """What all of them serve."""
    if each and all(one is each[0] for one in each):
        return each[0]
    ports = PortSet.NONE
    for one in each:
        ports |= one.ports
    names = frozenset(name for one in each for name in one.names)
    return Served(ports, names, tuple(dict.fromkeys(lead for one in each for lead in one.leads)))


def names_of(workloads: Sequence[Workload]) -> str:
    """The first of them, and how many more there are."""
    more = f" and {len(workloads) - 1} more" if len(workloads) > 1 else ""
    return workloads[0].name + more if workloads else ""
