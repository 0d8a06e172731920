"""Reads the objects of the Gateway API. The only module that knows how they are written.

Meaning and defaults: https://gateway-api.sigs.k8s.io/reference/spec/ (v1; GRPCRoute v1; TLSRoute,
TCPRoute, UDPRoute v1alpha2; ReferenceGrant v1beta1). What is missing is read as the defaults of the
CRDs say: a rule without matches, and a match without a path, has the prefix ``/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from auditor.facts.kinds import ROUTES
from auditor.facts.selectors import Labels, RefusedError, Selector, Truth, parse_selector
from auditor.facts.workloads import is_port
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Path, Resource
from auditor.values import dataclass

GROUP = "gateway.networking.k8s.io"

HTTP_KINDS = ("HTTPRoute", "GRPCRoute")
KINDS = ("Gateway", "GatewayClass", *ROUTES, "ReferenceGrant")

CARRIED: Mapping[str, tuple[str, ...]] = {
    "HTTP": HTTP_KINDS,
    "HTTPS": HTTP_KINDS,
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute",),
    "UDP": ("UDPRoute",),
}
"""Protocol of a listener → the kinds of routes that it takes unless it says which."""

EXACT, PREFIX, REGEX = "Exact", "PathPrefix", "RegularExpression"


@dataclass(frozen=True, slots=True)
class Listener:
    """One listener of a Gateway."""

    path: Path
    name: str
    port: int
    protocol: str
    hostname: str
    """In lower case; empty: any."""
    kinds: tuple[str, ...]
    """Of this API's group, those that it takes."""
    namespaces: str
    """All, Same, Selector or None: from where it takes routes."""
    selector: Selector | None
    """None where one was written that means nothing: then no namespace is chosen."""
    passthrough: bool = False
    """Whether TLS ends at the backend, not here."""

    def takes_from(self, home: str, namespace: str, labels: Labels) -> Truth:
        """Whether routes of `namespace`, which has `labels`, may attach to a Gateway of `home`."""
        if self.namespaces == "Selector":
            return self.selector.truth(labels) if self.selector else Truth.NO
        same = self.namespaces == "Same" and home == namespace
        return Truth.YES if self.namespaces == "All" or same else Truth.NO


@dataclass(frozen=True, slots=True)
class Gateway:
    """A Gateway as far as it can be read."""

    resource: Resource
    class_name: str
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Parent:
    """What a route wants to attach to."""

    path: Path
    group: str
    kind: str
    namespace: str
    name: str
    section: str
    """Empty: any listener."""
    port: int | None
    """None: any port."""

    def __str__(self) -> str:
        section = f"#{self.section}" if self.section else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.namespace}/{self.name}{section}{port}"


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a rule sends requests."""

    path: Path
    group: str
    kind: str
    namespace: str
    name: str
    port: int | None
    weight: int = 1
    mirror: bool = False
    """Whether it gets a copy of each request, and its answers go nowhere."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a header or a query parameter has to be."""

    name: str
    value: str
    regex: bool


@dataclass(frozen=True, slots=True)
class Match:
    """All of it has to be met."""

    kind: str
    """Of the path: Exact, PathPrefix or RegularExpression."""
    value: str
    method: str
    """Empty: any."""
    headers: tuple[Condition, ...]
    query: tuple[Condition, ...]
    unread: str = ""
    """What of it is not known here; such a match may or may not be met."""

    @property
    def pattern(self) -> str:
        """The paths as people write them: ``/x`` alone, ``/x/**`` with all below it, ``~x`` as a
        regular expression.
        """
        if self.kind == PREFIX:
            return f"{self.value.rstrip('/')}/**"
        return self.value if self.kind == EXACT else f"~{self.value}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a route."""

    path: Path
    matches: tuple[Match, ...]
    backends: tuple[Backend, ...]
    redirects: bool = False
    """Whether it answers with a redirection and asks no backend, but for mirrors."""
    rewrites: bool = False
    """Whether the backend sees another path or host than the client asked for."""
    unread: tuple[str, ...] = ()
    """Its filters that are not known here."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route of any kind."""

    resource: Resource
    hostnames: tuple[str, ...]
    """In lower case; none: any."""
    parents: tuple[Parent, ...]
    rules: tuple[Rule, ...] = field(default=(), repr=False)


def read_gateway(resource: Resource) -> Gateway:
    """A Gateway; listeners that cannot be read are left out (``refused`` says so)."""
    spec = mapping(resource.manifest.get("spec"))
    return Gateway(resource, _text(spec.get("gatewayClassName")), tuple(_listeners(spec)))


def _listeners(spec: Manifest) -> Iterator[Listener]:
    for index, entry in enumerate(map(mapping, sequence(spec.get("listeners")))):
        port, protocol = entry.get("port"), _text(entry.get("protocol"))
        if is_port(port):
            allowed = mapping(entry.get("allowedRoutes"))
            namespaces = mapping(allowed.get("namespaces"))
            yield Listener(
                path=("spec", "listeners", index),
                name=_text(entry.get("name")),
                port=port,
                protocol=protocol,
                hostname=_text(entry.get("hostname")).lower(),
                kinds=_kinds(allowed.get("kinds"), protocol),
                namespaces=_text(namespaces.get("from")) or "Same",
                selector=_chosen(namespaces.get("selector")),
                passthrough=at(entry, ("tls", "mode")) == "Passthrough",
            )


def _kinds(value: Any, protocol: str) -> tuple[str, ...]:
    written = [mapping(each) for each in sequence(value)]
    if not written:
        return CARRIED.get(protocol, ())
    ours = (each for each in written if each.get("group", GROUP) == GROUP)
    return tuple(_text(each.get("kind")) for each in ours)


def _chosen(value: Any) -> Selector | None:
    try:
        return parse_selector(value, ()) if isinstance(value, Mapping) else None
    except RefusedError:
        return None


def read_route(resource: Resource) -> Route:
    """A route; what of it cannot be read is left out (``refused`` says so)."""
    spec = mapping(resource.manifest.get("spec"))
    names = [each.lower() for each in sequence(spec.get("hostnames")) if isinstance(each, str)]
    hosted = resource.ref.kind in (*HTTP_KINDS, "TLSRoute")
    return Route(
        resource,
        tuple(names) if hosted else (),
        tuple(_parents(spec, resource.ref.namespace)),
        tuple(_rules(resource, spec)),
    )


def _parents(spec: Manifest, home: str) -> Iterator[Parent]:
    for index, entry in enumerate(map(mapping, sequence(spec.get("parentRefs")))):
        port = entry.get("port")
        yield Parent(
            path=("spec", "parentRefs", index),
            group=_text(entry.get("group", GROUP)),
            kind=_text(entry.get("kind", "Gateway")),
            namespace=_text(entry.get("namespace")) or home,
            name=_text(entry.get("name")),
            section=_text(entry.get("sectionName")),
            port=port if is_port(port) else None,
        )


def _rules(resource: Resource, spec: Manifest) -> Iterator[Rule]:
    home, kind = resource.ref.namespace, resource.ref.kind
    for index, entry in enumerate(map(mapping, sequence(spec.get("rules")))):
        path: Path = ("spec", "rules", index)
        filters = [mapping(each) for each in sequence(entry.get("filters"))]
        types = [_text(each.get("type")) for each in filters]
        mirrors = _mirrors(filters, (*path, "filters"), home)
        yield Rule(
            path,
            tuple(_matches(entry, kind)),
            (*_backends(entry.get("backendRefs"), (*path, "backendRefs"), home), *mirrors),
            redirects="RequestRedirect" in types,
            rewrites="URLRewrite" in types,
            unread=tuple(dict.fromkeys(each for each in types if each not in _FILTERS)),
        )


_FILTERS = (
    "RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "RequestRedirect",
    "URLRewrite", "CORS",
)  # fmt: skip
"""Filters of which it is known that they let the request through, or what they make of it."""


def _mirrors(filters: list[Manifest], path: Path, home: str) -> Iterator[Backend]:
    for index, each in enumerate(filters):
        if each.get("type") == "RequestMirror":
            place = (*path, index, "requestMirror", "backendRef")
            entry = at(each, ("requestMirror", "backendRef"))
            yield _backend(mapping(entry), place, home, mirror=True)


def _backends(value: Any, path: Path, home: str) -> Iterator[Backend]:
    for index, entry in enumerate(map(mapping, sequence(value))):
        yield _backend(entry, (*path, index), home)


def _backend(entry: Manifest, path: Path, home: str, *, mirror: bool = False) -> Backend:
    port, weight = entry.get("port"), entry.get("weight", 1)
    return Backend(
        path=path,
        group=_text(entry.get("group")),
        kind=_text(entry.get("kind")) or "Service",
        namespace=_text(entry.get("namespace")) or home,
        name=_text(entry.get("name")),
        port=port if is_port(port) else None,
        weight=weight if type(weight) is int and weight >= 0 else 1,
        mirror=mirror,
    )


def _matches(entry: Manifest, kind: str) -> Iterator[Match]:
    written = [mapping(each) for each in sequence(entry.get("matches"))] or [{}]
    if kind in HTTP_KINDS:
        read = _http_match if kind == "HTTPRoute" else _grpc_match
        yield from map(read, written)


def _http_match(entry: Manifest) -> Match:
    path = mapping(entry.get("path"))
    kind = _text(path.get("type")) or PREFIX
    value = _text(path.get("value")) or "/"
    if kind == PREFIX and value != "/":
        value = value.removesuffix("/")
    return Match(
        kind=kind,
        value=value,
        method=_text(entry.get("method")),
        headers=tuple(_conditions(entry.get("headers"))),
        query=tuple(_conditions(entry.get("queryParams"))),
        unread="" if kind in (EXACT, PREFIX, REGEX) else f"paths of type {kind}",
    )


def _grpc_match(entry: Manifest) -> Match:
    """A gRPC call is a POST to ``/service/method``."""
    called = mapping(entry.get("method"))
    service, method = _text(called.get("service")), _text(called.get("method"))
    if called.get("type") == REGEX:
        kind, value = REGEX, f"/{service or '[^/]+'}/{method or '[^/]+'}"
    elif service and method:
        kind, value = EXACT, f"/{service}/{method}"
    elif method:
        kind, value = REGEX, f"/[^/]+/{_quoted(method)}"
    else:
        kind, value = PREFIX, f"/{service}" if service else "/"
    headers = tuple(_conditions(entry.get("headers")))
    return Match(kind=kind, value=value, method="", headers=headers, query=())


def _quoted(text: str) -> str:
    return "".join(each if each.isalnum() or each == "_" else f"\\{each}" for each in text)


def _conditions(value: Any) -> Iterator[Condition]:
    for entry in map(mapping, sequence(value)):
        name, wanted = _text(entry.get("name")), _text(entry.get("value"))
        yield Condition(name, wanted, entry.get("type") == REGEX)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Grant:
    """What objects of other namespaces may name in the namespace of a ReferenceGrant."""

    sources: frozenset[tuple[str, str, str]]
    """Group, kind and namespace of who may."""
    targets: frozenset[tuple[str, str, str]]
    """Group, kind and name of what; an empty name stands for all of that kind."""

    def covers(self, source: tuple[str, str, str], target: tuple[str, str, str]) -> bool:
        """Whether `source` (group, kind, namespace) may name `target` (group, kind, name)."""
        named = {target, (*target[:2], "")}
        return source in self.sources and not named.isdisjoint(self.targets)


def read_grant(resource: Resource) -> Grant:
    """A ReferenceGrant. All of its entries of `from` may name all of those of `to`."""
    spec = mapping(resource.manifest.get("spec"))
    sources = [mapping(each) for each in sequence(spec.get("from"))]
    targets = [mapping(each) for each in sequence(spec.get("to"))]
    return Grant(
        frozenset(_three(each, "namespace") for each in sources if _text(each.get("namespace"))),
        frozenset(_three(each, "name") for each in targets),
    )


def _three(entry: Manifest, last: str) -> tuple[str, str, str]:
    return _text(entry.get("group")), _text(entry.get("kind")), _text(entry.get(last))
