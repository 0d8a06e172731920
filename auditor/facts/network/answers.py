"""The questions and answers of the network engine, as values."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Literal

from auditor.facts.network.ports import PortSet
from auditor.facts.workloads import Workload
from auditor.model import Path, Ref, Resource
from auditor.values import dataclass

Direction = Literal["Ingress", "Egress"]


@dataclass(frozen=True, slots=True)
class Stranger:
    """A pod that is not in the snapshot."""

    namespace: str
    """Empty for a namespace that nobody has made: without labels but its name, and that name is
    one that no policy mentions."""
    labels: Mapping[str, str]
    known: bool = True
    """Whether these are all its labels; else it may have any others."""


@dataclass(frozen=True, slots=True)
class World:
    """An address outside the cluster, IPv4 or IPv6."""

    address: str = "203.0.113.1"


@dataclass(frozen=True, slots=True)
class Machine:
    """A node of the cluster itself, whichever it is: no pod, and at an address that is not told."""

    own: bool
    """Whether the pods at the other end run on it; else none of them does."""


Peer = Workload | Stranger | World | Machine


@dataclass(frozen=True, slots=True)
class Reason:
    """What admits or stops a connection."""

    ref: Ref | None
    """The policy; None where no policy has a say."""
    path: Path
    """The rule, or what makes the policy apply, in the manifest of the policy."""
    text: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What one peer may send to another."""

    ports: PortSet
    """What is surely allowed, by the source's egress and by the target's ingress."""
    possible: PortSet
    """What may be allowed; it holds all of `ports`, and equals them where nothing is unknown."""
    reasons: tuple[Reason, ...] = ()
    """Ingress first, then egress: the rules that admit something of `possible`; where nothing is
    admitted, what isolates. The egress of a source that no policy selects is not mentioned."""
    unknown: tuple[str, ...] = ()
    """What could not be told, a sentence each, without full stop."""
    assumed: PortSet = PortSet.NONE
    """What of `ports` rests on an assumption about what the specification leaves open: policies
    are taken not to hold for pods on the network of their node, and would stop it there."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An ingress rule that admits a source."""

    policy: Resource
    path: Path
    """Of the rule, in the manifest of the policy: ``("spec", "ingress", 0)``."""
    ports: PortSet
    """What it admits to this target; where `sure` is false, what it may admit."""
    whole: bool
    """Whether it has no `ports`, and so admits to every port."""
    sure: bool = True
    """Whether it surely admits the source."""


@dataclass(frozen=True, slots=True)
class InvalidPolicy:
    """A policy that the API server would refuse; it has no effect."""

    ref: Ref
    path: Path
    """The field that is refused."""
    why: str


@dataclass(frozen=True, slots=True)
class Listening:
    """A port on which the pods of a workload are said to listen."""

    port: int
    protocol: str
    name: str
    """Empty where it has none."""
    ref: Ref
    """The object that says so: the workload, or a Service that leads there."""
    path: Path
    """Where it says so."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """A way for traffic from outside the cluster to the pods of a workload."""

    ref: Ref
    """The object that opens it: an Ingress, a route of the Gateway API, a Service, or the workload
    itself."""
    kind: str
    """Ingress, Gateway, LoadBalancer, ExternalIP, NodePort, HostPort or HostNetwork."""
    port: int | None
    """The port of the pod that it leads to; None where that is not declared."""
    path: Path
    """Where the object says so."""
    public: bool
    """Whether it is meant for the internet, and not only for who reaches the nodes or a private
    network."""
    protocol: str = "TCP"
    hosts: tuple[str, ...] = ()
    """The hosts that a client may ask for, as patterns (``*.example``); empty: any, or not told."""
    paths: tuple[str, ...] = ()
    """The paths that it leads: ``/x`` alone, ``/x/**`` with all below it, ``~x`` as a regular
    expression; empty: any, or not told."""
    sources: tuple[str, ...] = ()
    """The address ranges that it takes traffic from; empty: all."""
    address_kept: bool = True
    """Whether the pod surely sees the address of the client, and not one of a node or a proxy."""
    through: Ref | None = None
    """The Gateway that a route is attached to."""
    rewritten: bool = False
    """Whether the pod may see another path or host than the client asked for."""

    def lets_in(self, address: str) -> bool:
        """Whether it takes traffic from this address.

        Raises:
            ValueError: it is no address.
        """
        asked = ip_address(address)
        return not self.sources or any(asked in ip_network(each) for each in self.sources)

    @property
    def by_node(self) -> bool:
        """Whether the pods may see the address of a node in place of the client's."""
        return not self.address_kept and self.kind in ("LoadBalancer", "ExternalIP", "NodePort")
