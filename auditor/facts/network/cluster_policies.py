"""Reads the cluster-wide policies: ClusterNetworkPolicy, and AdminNetworkPolicy and
BaselineAdminNetworkPolicy, which came before it. The only module that knows how one is written.

What the API server would refuse, by the schema or by a CEL rule of the resource definition, makes
the whole policy an `InvalidPolicy`. Rules: kubernetes-sigs/network-policy-api
apis/v1alpha2/clusternetworkpolicy_types.go and apis/v1alpha1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, Literal

from auditor.facts.network.answers import Direction, InvalidPolicy
from auditor.facts.network.policies import (
    FIELDS,
    Block,
    Pods,
    as_list,
    as_object,
    is_number,
    parse_cidr,
)
from auditor.facts.network.ports import LAST, PROTOCOLS, PortSet
from auditor.facts.selectors import RefusedError, Selector, parse_selector
from auditor.facts.wording import said
from auditor.model import Manifest, Path, Ref, Resource
from auditor.values import dataclass

GROUP = "policy.networking.k8s.io"

Tier = Literal["Admin", "Baseline"]
Action = Literal["Accept", "Deny", "Pass"]

_DOMAIN = re.compile(
    r"(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+"
    r"[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?"
)
_ZEROS = re.compile(r"(?<![0-9a-fA-F:])0[0-9]")
_IN_CLUSTER = ("namespaces", "pods")
_BOTH = ("namespaceSelector", "podSelector")
_BEYOND = ("nodes", "networks", "domainNames")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one of the three kinds is written."""

    kind: str
    versions: tuple[str, ...]
    tier: Tier | None
    """None: the policy says it."""
    actions: Mapping[str, Action]
    longest: int
    """The most rules in a direction."""
    most: int
    """The most peers or ports in a rule."""
    ports: str
    """The field of a rule with its ports."""
    selectors: tuple[str, ...]
    """What must stand in `pods`."""
    beyond: tuple[str, ...] = _BEYOND
    """The peers of egress rules that are no pods."""
    peers: tuple[str, ...] = _IN_CLUSTER
    """The peers of the rules of one direction."""


CLUSTER = Dialect(
    "ClusterNetworkPolicy", ("v1alpha2", "v1beta1"), None,
    {"Accept": "Accept", "Deny": "Deny", "Pass": "Pass"}, 25, 25, "protocols", ("podSelector",),
)  # fmt: skip
ADMIN = Dialect(
    "AdminNetworkPolicy", ("v1alpha1",), "Admin",
    {"Allow": "Accept", "Deny": "Deny", "Pass": "Pass"}, 100, 100, "ports", _BOTH,
)  # fmt: skip
BASELINE = Dialect(
    "BaselineAdminNetworkPolicy", ("v1alpha1",), "Baseline",
    {"Allow": "Accept", "Deny": "Deny"}, 100, 100, "ports", _BOTH, ("nodes", "networks"),
)  # fmt: skip

DIALECTS: Mapping[str, Dialect] = {d.kind: d for d in (CLUSTER, ADMIN, BASELINE)}
"""Kind → how it is written."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """A peer: the nodes with these labels, by their addresses."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class Domains:
    """A peer: whatever addresses these names have."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A peer of a type that is newer than what is known here: the rule fails closed."""

    fields: tuple[str, ...]


ClusterPeer = Pods | Block | Nodes | Domains | Unknown


@dataclass(frozen=True, slots=True)
class TierRule:
    """One entry of `ingress` or `egress`."""

    path: Path
    action: Action
    peers: tuple[ClusterPeer, ...]
    ports: PortSet
    """What is written in numbers; every port where nothing is written."""
    named: tuple[tuple[str, str], ...] = ()
    """Protocol, empty for any, and name of the ports that each pod resolves for itself."""
    whole: bool = False
    """Whether it says nothing of ports."""

    @property
    def plain(self) -> PortSet:
        """The ports again: here a range always counts as a range."""
        return self.ports


@dataclass(frozen=True, slots=True, eq=False)
class ClusterPolicy:
    """A cluster-wide policy that the API server accepts."""

    resource: Resource
    tier: Tier
    priority: int | None
    """Lower goes first; None for the one policy of a kind that has no priorities."""
    namespaces: Selector
    selector: Selector
    """Of pods."""
    rules: Mapping[Direction, tuple[TierRule, ...]]
    """In order: the first that matches counts. Only directions with rules."""

    @property
    def ref(self) -> Ref:
        """The object's identity."""
        return self.resource.ref


def is_cluster_policy(ref: Ref) -> bool:
    """Whether this module reads objects of this kind and version."""
    dialect = DIALECTS.get(ref.kind)
    versions = dialect.versions if dialect else ()
    return ref.api_version in {f"{GROUP}/{version}" for version in versions}


def parse_cluster_policy(
    resource: Resource, *, strict: bool = True
) -> ClusterPolicy | InvalidPolicy:
    """The policy that an object of one of the three kinds means, whatever is written in it.
    Without `strict` a selector may be missing, and ports by name may stand beside networks.
    """
    dialect = DIALECTS[resource.ref.kind]
    try:
        return _policy(resource, dialect if strict else replace(dialect, selectors=()))
    except RefusedError as refused:
        return InvalidPolicy(resource.ref, refused.path, refused.why)


def _policy(resource: Resource, dialect: Dialect) -> ClusterPolicy:
    if dialect.kind == BASELINE.kind and resource.ref.name != "default":
        raise RefusedError(("metadata", "name"), "only the name 'default' is allowed")
    spec = as_object(resource.manifest.get("spec"), ("spec",))
    namespaces, pods = _subject(spec.get("subject"), ("spec", "subject"), dialect)
    rules: dict[Direction, tuple[TierRule, ...]] = {
        direction: tuple(_rules(spec, direction, dialect)) for direction in FIELDS
    }
    return ClusterPolicy(
        resource=resource,
        tier=dialect.tier or _tier(spec.get("tier")),
        priority=None if dialect.kind == BASELINE.kind else _priority(spec.get("priority")),
        namespaces=namespaces,
        selector=pods,
        rules={direction: found for direction, found in rules.items() if found},
    )


def _tier(value: Any) -> Tier:
    if value == "Admin":
        return "Admin"
    if value == "Baseline":
        return "Baseline"
    raise RefusedError(("spec", "tier"), f"{said(value)} is neither Admin nor Baseline")


def _priority(value: Any) -> int:
    if not is_number(value) or not 0 <= value <= 1000:
        raise RefusedError(("spec", "priority"), f"{said(value)} is not between 0 and 1000")
    return int(value)


def _one_of(value: Any, path: Path, fields: tuple[str, ...]) -> tuple[str, Any]:
    """The one field that is set, and its value."""
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no mapping")
    given = [(name, value[name]) for name in fields if value.get(name) is not None]
    if len(given) != 1:
        raise RefusedError(path, f"needs exactly one of {', '.join(fields)}")
    return given[0]


def _subject(value: Any, path: Path, dialect: Dialect) -> tuple[Selector, Selector]:
    field, inside = _one_of(value, path, _IN_CLUSTER)
    return _pods(field, inside, (*path, field), dialect)


def _pods(field: str, value: Any, path: Path, dialect: Dialect) -> tuple[Selector, Selector]:
    """The selectors of namespaces and of pods. An empty one means all."""
    if field == "namespaces":
        return parse_selector(value, path), Selector()
    both = as_object(value, path)
    for name in dialect.selectors:
        if name not in both:
            raise RefusedError((*path, name), "is missing")
    return (
        parse_selector(both.get("namespaceSelector"), (*path, "namespaceSelector")),
        parse_selector(both.get("podSelector"), (*path, "podSelector")),
    )


def _rules(spec: Manifest, direction: Direction, dialect: Dialect) -> Iterator[TierRule]:
    field, peers_field = FIELDS[direction]
    written = as_list(spec.get(field), ("spec", field))
    if len(written) > dialect.longest:
        raise RefusedError(("spec", field), f"has more than {dialect.longest} rules")
    for index, value in enumerate(written):
        path: Path = ("spec", field, index)
        rule = as_object(value, path)
        peers = _listed(rule.get(peers_field), (*path, peers_field), dialect)
        fields = _IN_CLUSTER + (dialect.beyond if direction == "Egress" else ())
        known = replace(dialect, peers=fields)
        read = [_peer(peer, (*path, peers_field, i), known) for i, peer in enumerate(peers)]
        yield _rule(rule, path, tuple(chain.from_iterable(read)), dialect)


def _listed(value: Any, path: Path, dialect: Dialect) -> list[Any]:
    entries = as_list(value, path)
    if not 1 <= len(entries) <= dialect.most:
        raise RefusedError(path, f"needs 1 to {dialect.most} entries")
    return entries


def _rule(rule: Manifest, path: Path, peers: tuple[ClusterPeer, ...], dialect: Dialect) -> TierRule:
    name = rule.get("name")
    if name is not None and (not isinstance(name, str) or len(name) > 100):
        raise RefusedError((*path, "name"), "is no text of at most 100 characters")
    written = rule.get("action")
    action = dialect.actions.get(written) if isinstance(written, str) else None
    if action is None:
        allowed = ", ".join(dialect.actions)
        raise RefusedError((*path, "action"), f"{said(written)} is none of {allowed}")
    if action != "Accept" and any(isinstance(peer, Domains) for peer in peers):
        raise RefusedError(path, "domainNames may only be accepted, neither denied nor passed")
    numbers, named = _ports(rule.get(dialect.ports), (*path, dialect.ports), dialect)
    beyond = any(isinstance(peer, Nodes | Block | Domains) for peer in peers)
    if named and beyond and dialect.selectors:
        raise RefusedError((*path, dialect.ports), "nodes, networks and domains name no ports")
    whole = rule.get(dialect.ports) is None
    return TierRule(path, action, peers, PortSet.ALL if whole else numbers, named, whole)


def _peer(value: Any, path: Path, dialect: Dialect) -> Iterator[ClusterPeer]:
    """The peers of one entry: several networks are several blocks."""
    fields = dialect.peers
    if isinstance(value, Mapping) and value and not any(name in value for name in fields):
        # A field that this version does not have. An API server that has it stores it, and
        # whoever does not know it must fail closed.
        yield Unknown(tuple(sorted(map(str, value))))
        return
    field, inside = _one_of(value, path, fields)
    path = (*path, field)
    if field == "nodes":
        yield Nodes(parse_selector(inside, path))
    elif field == "networks":
        for index, network in enumerate(_few(inside, path)):
            yield _network(network, (*path, index))
    elif field == "domainNames":
        names = enumerate(_few(inside, path))
        yield Domains(tuple(_domain(name, (*path, index)) for index, name in names))
    else:
        yield Pods(*_pods(field, inside, path, dialect))


def _few(value: Any, path: Path) -> list[Any]:
    entries = as_list(value, path)
    if not 1 <= len(entries) <= 25:
        raise RefusedError(path, "needs 1 to 25 entries")
    if any(entry in entries[:index] for index, entry in enumerate(entries)):
        raise RefusedError(path, "has an entry twice")
    return entries


def _network(value: Any, path: Path) -> Block:
    if isinstance(value, str) and (_ZEROS.search(value) or (":" in value) == ("." in value)):
        raise RefusedError(path, f"{said(value)} is no CIDR")
    return Block(parse_cidr(value, path))


def _domain(value: Any, path: Path) -> str:
    if not isinstance(value, str) or not _DOMAIN.fullmatch(value):
        raise RefusedError(path, f"{said(value)} is no domain name")
    return value


def _ports(value: Any, path: Path, dialect: Dialect) -> tuple[PortSet, tuple[tuple[str, str], ...]]:
    """The ports in numbers, and those by name. Both empty where nothing is written."""
    if value is None:
        return PortSet.NONE, ()
    read = _port if dialect.kind == CLUSTER.kind else _old_port
    entries = enumerate(_listed(value, path, dialect))
    found = [read(entry, (*path, index)) for index, entry in entries]
    numbers = PortSet.union_of(port for port in found if isinstance(port, PortSet))
    return numbers, tuple(("", name) for name in found if isinstance(name, str))


def _port(value: Any, path: Path) -> PortSet | str:
    """An entry of `protocols`."""
    field, inside = _one_of(value, path, ("tcp", "udp", "sctp", "destinationNamedPort"))
    path = (*path, field)
    if field == "destinationNamedPort":
        return _name(inside, path)
    _, port = _one_of(inside, path, ("destinationPort",))
    path = (*path, "destinationPort")
    given, number = _one_of(port, path, ("number", "range"))
    if given == "number":
        return PortSet.of(field.upper(), _number(number, (*path, given)))
    return _span(field.upper(), number, (*path, given), least=1)


def _old_port(value: Any, path: Path) -> PortSet | str:
    """An entry of `ports`, as v1alpha1 has it."""
    field, inside = _one_of(value, path, ("portNumber", "namedPort", "portRange"))
    path = (*path, field)
    if field == "namedPort":
        return _name(inside, path)
    port = as_object(inside, path)
    protocol = port.get("protocol", "TCP")
    if protocol not in PROTOCOLS:
        raise RefusedError(
            (*path, "protocol"), f"{said(protocol)} is none of {', '.join(PROTOCOLS)}"
        )
    if field == "portNumber":
        return PortSet.of(protocol, _number(port.get("port"), (*path, "port")))
    return _span(protocol, port, path, least=0)


def _span(protocol: str, value: Any, path: Path, *, least: int) -> PortSet:
    """A range whose end is at least so much more than its start."""
    span = as_object(value, path)
    start, end = (_number(span.get(name), (*path, name)) for name in ("start", "end"))
    if end < start + least:
        raise RefusedError((*path, "end"), f"{said(end)} does not come after {start}")
    return PortSet.span(protocol, start, end)


def _number(value: Any, path: Path) -> int:
    if not is_number(value) or not 1 <= value <= LAST:
        raise RefusedError(path, f"{said(value)} is not between 1 and {LAST}")
    return int(value)


def _name(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise RefusedError(path, f"{said(value)} is no name of a port")
    return value
