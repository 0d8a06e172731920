"""Reads NetworkPolicy v1. The only module that knows how one is written.

What the API server would refuse makes the whole policy an `InvalidPolicy`: it cannot exist, so it
has no effect. Rules: k8s.io/api networking/v1 types.go (meaning, defaults) and
kubernetes pkg/apis/networking/validation (ValidateNetworkPolicySpec).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any

from auditor.facts.network.answers import Direction, InvalidPolicy
from auditor.facts.network.ports import LAST, PROTOCOLS, PortSet
from auditor.facts.selectors import RefusedError, Selector, parse_selector
from auditor.facts.wording import said
from auditor.model import Manifest, Path, Ref, Resource
from auditor.values import dataclass

GROUP = "networking.k8s.io"
KIND = "NetworkPolicy"

FIELDS: dict[Direction, tuple[str, str]] = {
    "Ingress": ("ingress", "from"),
    "Egress": ("egress", "to"),
}
"""Direction → the field with its rules, and the field of a rule with its peers."""

_CIDR = re.compile(r"[0-9a-fA-F:.]+/\d{1,3}")
_LEADING_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_PORT_NAME = re.compile(r"(?=.{1,15}$)(?=.*[a-z])(?!.*--)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Block:
    """A range of addresses less some ranges inside it."""

    cidr: IPv4Network | IPv6Network
    excluded: tuple[IPv4Network | IPv6Network, ...] = ()

    def holds(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether the address is inside, and in nothing excluded."""
        return address in self.cidr and not any(address in net for net in self.excluded)

    @property
    def whole(self) -> bool:
        """Whether it holds every address of its family."""
        return self.cidr.prefixlen == 0 and not self.excluded

    def __str__(self) -> str:
        holes = ", ".join(map(str, self.excluded))
        return f"{self.cidr} less {holes}" if holes else str(self.cidr)


@dataclass(frozen=True, slots=True)
class Pods:
    """A peer that is chosen by labels."""

    namespaces: Selector | None
    """None: the namespace of the policy."""
    pods: Selector | None
    """None: all of them."""
    _hash: int = field(init=False, repr=False, compare=False)
    """Kept: whom a peer means is looked up for every rule."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.namespaces, self.pods)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True, slots=True, eq=False)
class PolicyRule:
    """Peers and ports of one entry of `ingress` or `egress`. Two are equal where they are one."""

    path: Path
    peers: tuple[Pods | Block, ...]
    """Empty: everyone."""
    ports: PortSet
    """What is written in numbers; every port where there is no `ports`."""
    named: tuple[tuple[str, str], ...] = ()
    """Protocol and name of the ports that each pod resolves for itself."""
    whole: bool = False
    """Whether there is no `ports`."""
    plain: PortSet = PortSet.NONE
    """`ports` as an enforcer reads them that knows no `endPort`."""


@dataclass(frozen=True, slots=True, eq=False)
class NetPolicy:
    """A NetworkPolicy that the API server accepts."""

    resource: Resource
    selector: Selector
    rules: dict[Direction, tuple[PolicyRule, ...]]
    """The directions that it isolates, with what it admits there."""

    @property
    def ref(self) -> Ref:
        """The object's identity."""
        return self.resource.ref


def parse_policy(resource: Resource) -> NetPolicy | InvalidPolicy:
    """The policy that a NetworkPolicy object means, whatever is written in it."""
    try:
        return _policy(resource)
    except RefusedError as refused:
        return InvalidPolicy(resource.ref, refused.path, refused.why)


def _policy(resource: Resource) -> NetPolicy:
    spec = as_object(resource.manifest.get("spec"), ("spec",))
    selector = parse_selector(spec.get("podSelector"), ("spec", "podSelector"))
    # Every rule is read, also those of a direction that policyTypes leaves out: they have no
    # effect, but a fault in them makes the API server refuse the policy all the same.
    rules = {direction: tuple(_rules(spec, direction)) for direction in FIELDS}
    types = _types(spec, has_egress=bool(rules["Egress"]))
    return NetPolicy(resource, selector, {d: found for d, found in rules.items() if d in types})


def _types(spec: Manifest, *, has_egress: bool) -> tuple[str, ...]:
    path: Path = ("spec", "policyTypes")
    types = as_list(spec.get("policyTypes"), path)
    if not types:
        return ("Ingress", "Egress") if has_egress else ("Ingress",)
    if len(types) > 2:
        raise RefusedError(path, "has more than two entries")
    for index, name in enumerate(types):
        if name not in ("Ingress", "Egress"):
            raise RefusedError((*path, index), f"{said(name)} is neither Ingress nor Egress")
    return tuple(types)


def _rules(spec: Manifest, direction: Direction) -> Iterator[PolicyRule]:
    field, peers_field = FIELDS[direction]
    for index, value in enumerate(as_list(spec.get(field), ("spec", field))):
        path: Path = ("spec", field, index)
        rule = as_object(value, path)
        peers = as_list(rule.get(peers_field), (*path, peers_field))
        ports = as_list(rule.get("ports"), (*path, "ports"))
        read = [_port(port, (*path, "ports", i)) for i, port in enumerate(ports)]
        numbers = [port for port in read if isinstance(port, PortSet)]
        yield PolicyRule(
            path=path,
            peers=tuple(_peer(peer, (*path, peers_field, i)) for i, peer in enumerate(peers)),
            ports=PortSet.union_of(numbers) if ports else PortSet.ALL,
            named=tuple(port for port in read if isinstance(port, tuple)),
            whole=not ports,
            plain=PortSet.union_of(_without_end(ports, read)) if ports else PortSet.ALL,
        )


def _without_end(ports: list[Any], read: list[PortSet | tuple[str, str]]) -> Iterator[PortSet]:
    for entry, port in zip(ports, read, strict=True):
        if entry and entry.get("endPort") is not None:
            yield PortSet.of(entry.get("protocol") or "TCP", entry["port"])
        elif isinstance(port, PortSet):
            yield port


def _peer(value: Any, path: Path) -> Pods | Block:
    peer = as_object(value, path)
    given = [f for f in ("podSelector", "namespaceSelector", "ipBlock") if peer.get(f) is not None]
    if not given:
        raise RefusedError(
            path, "names no peer: neither podSelector, namespaceSelector nor ipBlock"
        )
    if "ipBlock" in given:
        if len(given) > 1:
            raise RefusedError((*path, "ipBlock"), f"must not stand beside {given[0]}")
        return _block(peer["ipBlock"], (*path, "ipBlock"))
    return _pods(
        _selector(peer.get("namespaceSelector"), (*path, "namespaceSelector")),
        _selector(peer.get("podSelector"), (*path, "podSelector")),
    )


@lru_cache(1 << 14)
def _pods(namespaces: Selector | None, pods: Selector | None) -> Pods:
    """The one object for equal peers, which are found by it at once."""
    return Pods(namespaces, pods)


def _selector(value: Any, path: Path) -> Selector | None:
    return None if value is None else parse_selector(value, path)


def _block(value: Any, path: Path) -> Block:
    block = as_object(value, path)
    cidr = parse_cidr(block.get("cidr"), (*path, "cidr"))
    excluded = []
    for index, text in enumerate(as_list(block.get("except"), (*path, "except"))):
        inner = parse_cidr(text, (*path, "except", index))
        # Networks of two families cannot be compared; the prefix lengths alone would mislead.
        if inner.version != cidr.version or not _strictly_inside(inner, cidr):
            raise RefusedError((*path, "except", index), f"{text} is not strictly inside {cidr}")
        excluded.append(inner)
    return Block(cidr, tuple(excluded))


def _strictly_inside(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return inner.prefixlen > outer.prefixlen and inner.network_address in outer


def parse_cidr(value: Any, path: Path) -> IPv4Network | IPv6Network:
    """The range of addresses; bits beyond the prefix are dropped.

    Raises:
        RefusedError: it is none that the API server reads.
    """
    if isinstance(value, str) and _CIDR.fullmatch(value):
        # The API server reads IPv4 numbers with leading zeros as decimal.
        plain = value if ":" in value else _LEADING_ZEROS.sub("", value)
        try:
            return ip_network(plain, strict=False)
        except ValueError:
            pass
    raise RefusedError(path, f"{said(value)} is no CIDR")


def _port(value: Any, path: Path) -> PortSet | tuple[str, str]:
    entry = as_object(value, path)
    protocol, port, end = (entry.get(field) for field in ("protocol", "port", "endPort"))
    protocol = "TCP" if protocol is None else protocol
    if protocol not in PROTOCOLS:
        raise RefusedError(
            (*path, "protocol"), f"{said(protocol)} is none of {', '.join(PROTOCOLS)}"
        )
    if end is not None and not is_number(port):
        raise RefusedError((*path, "endPort"), "needs a port given by number")
    if port is None:
        return PortSet.span(protocol)
    if is_number(port):
        return PortSet.span(protocol, port, _end(port, end, path))
    if not isinstance(port, str) or not _PORT_NAME.fullmatch(port):
        raise RefusedError(
            (*path, "port"), f"{said(port)} is neither a port number nor a port name"
        )
    return protocol, port


def _end(port: int, end: Any, path: Path) -> int:
    if not 1 <= port <= LAST:
        raise RefusedError((*path, "port"), f"{said(port)} is not between 1 and {LAST}")
    if end is None:
        return port
    if not is_number(end) or not port <= end <= LAST:
        raise RefusedError((*path, "endPort"), f"{said(end)} is not between {port} and {LAST}")
    return int(end)


def is_number(value: Any) -> bool:
    """Whether it is a whole number, and no truth value."""
    return isinstance(value, int) and not isinstance(value, bool)


def as_object(value: Any, path: Path) -> Manifest:
    """A mapping; null reads as an empty one, also as an entry of a list.

    Raises:
        RefusedError: it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no mapping")
    return value


def as_list(value: Any, path: Path) -> list[Any]:
    """A list; null reads as an empty one.

    Raises:
        RefusedError: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise RefusedError(path, "is no list")
    return value
