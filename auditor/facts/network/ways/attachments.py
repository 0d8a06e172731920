"""Which routes hold at which listeners, and which backends they may name.

Rules: https://gateway-api.sigs.k8s.io/reference/spec/ (ParentReference, AllowedRoutes,
ReferenceGrant) and GEP-709 for references into other namespaces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from functools import cached_property

from auditor.facts.kinds import ROUTES
from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.network.points import namespace_labels
from auditor.facts.network.ways.gateway import (
    GROUP,
    KINDS,
    Backend,
    Gateway,
    Grant,
    Listener,
    Parent,
    Route,
    read_gateway,
    read_grant,
    read_route,
)
from auditor.facts.network.ways.refused import refusal
from auditor.facts.selectors import METADATA_NAME, Labels, Truth
from auditor.manifests import mapping
from auditor.model import Key, Ref, Resource, Snapshot
from auditor.values import dataclass

ISTIO = ("istio.io/gateway-controller", "istio.io/unmanaged-gateway")
"""Names of Istio's controller, as GatewayClasses write them."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A route that holds at a listener, for these hosts."""

    gateway: Gateway
    listener: Listener
    route: Route
    hosts: tuple[str, ...]
    """Patterns in lower case: ``a.example``, ``*.example``, or empty for any; never none."""
    sure: bool = True
    """Whether it surely holds: the labels of the namespace may not be known."""


@dataclass(frozen=True, slots=True)
class Loose:
    """A parent at which a route does not hold."""

    route: Route
    parent: Parent
    why: str
    seen: bool = True
    """Whether the Gateway is there."""


@dataclass
class Gateways:
    """The Gateways, routes and grants of a snapshot. Computed when asked for, and then kept."""

    snapshot: Snapshot
    _ungranted: dict[Ref, tuple[tuple[Backend, str], ...]] = field(default_factory=dict)

    @cached_property
    def gateways(self) -> Mapping[tuple[str, str], Gateway]:
        """By namespace and name."""
        found = map(read_gateway, self._each("Gateway"))
        return {(g.resource.ref.namespace, g.resource.ref.name): g for g in found}

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """Of every kind, in the order read."""
        return tuple(map(read_route, self._each(*ROUTES)))

    @cached_property
    def route_of(self) -> Mapping[Key, Route]:
        """The same, by the identity of their object."""
        return {route.resource.ref.key: route for route in self.routes}

    @cached_property
    def grants(self) -> Mapping[str, tuple[Grant, ...]]:
        """By their namespace, those that the API server takes."""
        found: dict[str, list[Grant]] = {}
        refused = {each.ref for each in self.invalid}
        for resource in self._each("ReferenceGrant"):
            if resource.ref not in refused:
                found.setdefault(resource.ref.namespace, []).append(read_grant(resource))
        return {namespace: tuple(grants) for namespace, grants in found.items()}

    @cached_property
    def invalid(self) -> tuple[InvalidPolicy, ...]:
        """What the API server would refuse."""
        found = (refusal(resource) for resource in self._each(*KINDS))
        return tuple(each for each in found if each)

    @cached_property
    def attached(self) -> tuple[Attached, ...]:
        """Every route at every listener at which it holds, or may."""
        return tuple(each for each in self._attachments if isinstance(each, Attached))

    @cached_property
    def loose(self) -> Mapping[Key, tuple[Loose, ...]]:
        """By the route: its parents at which it does not hold."""
        found: dict[Key, list[Loose]] = {}
        for each in self._attachments:
            if isinstance(each, Loose):
                found.setdefault(each.route.resource.ref.key, []).append(each)
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def _attachments(self) -> tuple[Attached | Loose, ...]:
        return tuple(
            each
            for route in self.routes
            for parent in route.parents
            if (parent.group, parent.kind) == (GROUP, "Gateway")
            for each in self._at_parent(route, parent)
        )

    def _at_parent(self, route: Route, parent: Parent) -> Iterator[Attached | Loose]:
        gateway = self.gateways.get((parent.namespace, parent.name))
        if gateway is None:
            told = f"there is no Gateway {parent.namespace}/{parent.name}"
            yield Loose(route, parent, told, seen=False)
            return
        tried = [self._at_listener(route, parent, gateway, each) for each in gateway.listeners]
        held = [each for each in tried if isinstance(each, Attached)]
        if held:
            yield from held
            return
        none = (0, f"Gateway {parent.namespace}/{parent.name} has no listener")
        # The reason of the first listener among those that came nearest says most.
        reasons = [each for each in tried if isinstance(each, tuple)]
        yield Loose(route, parent, max(reasons, key=lambda each: each[0], default=none)[1])

    def _at_listener(
        self, route: Route, parent: Parent, gateway: Gateway, listener: Listener
    ) -> Attached | tuple[int, str]:
        """The attachment, or how far it came and why no further."""
        ref, home = route.resource.ref, gateway.resource.ref.namespace
        named = f"listener '{listener.name}' of Gateway {home}/{gateway.resource.ref.name}"
        if parent.section not in ("", listener.name) or parent.port not in (None, listener.port):
            gateway_name = f"Gateway {parent.namespace}/{parent.name}"
            return 0, f"{gateway_name} has no listener{_wanted(parent)}"
        if ref.kind not in listener.kinds:
            return 1, f"{named} takes no {ref.kind}"
        truth = listener.takes_from(home, ref.namespace, self._labels(ref.namespace))
        if truth is Truth.NO:
            return 2, f"{named} takes no routes from namespace {ref.namespace}"
        hosts = common_hosts(listener.hostname, route.hostnames)
        if not hosts:
            return 3, f"{named} is for {listener.hostname}, which is none of the route's hostnames"
        return Attached(gateway, listener, route, hosts, truth is Truth.YES)

    def _labels(self, namespace: str) -> Labels:
        return self._homes.get(namespace) or Labels({METADATA_NAME: namespace}, open=True)

    @cached_property
    def _homes(self) -> Mapping[str, Labels]:
        return namespace_labels(self.snapshot)

    def granted(self, route: Route, backend: Backend) -> bool:
        """Whether the route may name the backend: it is in its own namespace, or a ReferenceGrant
        there says so.
        """
        ref = route.resource.ref
        if backend.namespace == ref.namespace:
            return True
        source = (ref.group, ref.kind, ref.namespace)
        target = (backend.group, backend.kind, backend.name)
        return any(grant.covers(source, target) for grant in self.grants.get(backend.namespace, ()))

    def controller(self, gateway: Gateway) -> str:
        """The name of the controller of its class; empty where the class is not seen. Istio makes
        the class ``istio`` itself.
        """
        for each in self._each("GatewayClass"):
            if each.ref.name == gateway.class_name:
                name = mapping(each.manifest.get("spec")).get("controllerName")
                return name if isinstance(name, str) else ""
        return ISTIO[0] if gateway.class_name == "istio" else ""

    def _each(self, *kinds: str) -> Iterator[Resource]:
        """Each object of these kinds of the Gateway API once."""
        for resource in self.snapshot.of_kind(*kinds):
            if resource.ref.group == GROUP and self.snapshot.find(resource.ref) is resource:
                yield resource


def _wanted(parent: Parent) -> str:
    name = f" '{parent.section}'" if parent.section else ""
    return name + (f" on port {parent.port}" if parent.port else "")


def common_hosts(listener: str, route: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts that a listener's hostname and those of a route have in common; empty stands for
    any. None where there are none.
    """
    if not listener:
        return tuple(dict.fromkeys(route)) or ("",)
    found = (_common(listener, host) for host in route or ("",))
    return tuple(dict.fromkeys(each for each in found if each is not None))


def _common(one: str, other: str) -> str | None:
    if not other or host_matches(other, one):
        return one
    return other if host_matches(one, other) else None


def host_matches(pattern: str, host: str) -> bool:
    """Whether a hostname of a listener or a route means `host`, which may be a pattern too: ``*.x``
    means every name that ends in ``.x``.
    """
    if not pattern or pattern == host:
        return True
    ending = pattern.removeprefix("*")
    return pattern.startswith("*.") and host.endswith(ending) and len(host) > len(ending)
