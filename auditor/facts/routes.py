"""What becomes of the rules of an HTTPRoute at a gateway of Istio, which sorts them otherwise than
they are written.

Rules: https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (precedence), and of Istio that
a regular expression stands behind every prefix (pilot/pkg/config/kube/gateway, sorting of routes)
and that the most specific hostname is chosen first, for good (virtual hosts of Envoy).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Path, Resource, Snapshot
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

GROUP = "gateway.networking.k8s.io"
CONTROLLER = "istio.io/gateway-controller"
_SPECIAL = "\\.[]{}()*+?^$|"


@dataclass(frozen=True, slots=True)
class Match:
    """One match of a rule of a route."""

    route: Resource
    path: Path
    kind: str
    """Exact, PathPrefix or RegularExpression."""
    value: str
    conditional: bool
    """Whether it asks for more than the path."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is asked of a route, read once for all others that ask."""

    route: Resource
    parents: frozenset[tuple[str, str, str]]
    hostnames: tuple[str, ...]
    matches: tuple[Match, ...]
    prefixes: tuple[Match, ...]
    """Those of the matches that are a prefix and nothing more."""
    takes_all: bool
    """Whether one of these is ``/``."""

    @property
    def name(self) -> str:
        """Its name in its namespace."""
        return self.route.ref.name


def routes(facts: Facts, route: Resource) -> dict[str, Any] | None:
    """Of an HTTPRoute at gateways of Istio alone: ``{"unreached": [{"path", "value", "prefix",
    "by"}], "cut": [{"index", "hostname", "by"}]}``, the matches that another one always takes
    before, and the hostnames whose other requests no longer reach a less specific route. None of
    any other object.
    """
    if route.ref.group != GROUP or not _is_at_istio(facts.snapshot, route):
        return None
    known = facts.http_routes
    written = known.get(route.ref.key)
    if written is None or written.route is not route:  # one of several of its name
        written = written_in(route)
    beside = [other for other in known.values() if _share_a_parent(written, other)]
    return {
        "unreached": list(_unreached(written, beside)),
        "cut": list(_cut(written, beside)),
    }


def written_in(route: Resource) -> Written:
    """What an HTTPRoute says."""
    matches = tuple(_matches(route))
    plain = tuple(match for match in matches if _is_plain_prefix(match))
    return Written(
        route,
        frozenset(_parents(route)),
        _hostnames(route),
        matches,
        plain,
        any(match.value == "/" for match in plain),
    )


def _is_at_istio(snapshot: Snapshot, route: Resource) -> bool:
    """Whether all gateways that it names are here, and Istio's."""
    found = [_gateway(snapshot, namespace, name) for namespace, name, _ in _parents(route)]
    return bool(found) and all(each and _is_istios(snapshot, each) for each in found)


def _gateway(snapshot: Snapshot, namespace: str, name: str) -> Resource | None:
    for gateway in snapshot.of_kind("Gateway"):
        if gateway.ref.group == GROUP and (gateway.ref.namespace, gateway.ref.name) == (
            namespace,
            name,
        ):
            return gateway
    return None


def _is_istios(snapshot: Snapshot, gateway: Resource) -> bool:
    name = at(gateway.manifest, ("spec", "gatewayClassName"))
    for found in snapshot.of_kind("GatewayClass"):
        if found.ref.group == GROUP and found.ref.name == name:
            return bool(at(found.manifest, ("spec", "controllerName")) == CONTROLLER)
    return bool(name == "istio")


def _parents(route: Resource) -> Iterator[tuple[str, str, str]]:
    """Namespace, name and section of each gateway that it names."""
    for ref in map(mapping, sequence(at(route.manifest, ("spec", "parentRefs")))):
        if ref.get("kind", "Gateway") == "Gateway":
            namespace = ref.get("namespace") or route.ref.namespace
            yield str(namespace), str(ref.get("name")), str(ref.get("sectionName") or "")


def _share_a_parent(route: Written, other: Written) -> bool:
    """Whether the other one is wherever the route is."""
    return all(
        (namespace, name, section) in other.parents or (namespace, name, "") in other.parents
        for namespace, name, section in route.parents
    )


def _hostnames(route: Resource) -> tuple[str, ...]:
    """As written; one that is empty stands for all."""
    names = sequence(at(route.manifest, ("spec", "hostnames")))
    return tuple(name for name in names if isinstance(name, str)) or ("",)


def _matches(route: Resource) -> Iterator[Match]:
    """Every match of every rule; a rule without any has one of everything."""
    for index, rule in enumerate(map(mapping, sequence(at(route.manifest, ("spec", "rules"))))):
        path: Path = ("spec", "rules", index)
        written = sequence(rule.get("matches"))
        if not written:
            yield Match(route, path, "PathPrefix", "/", conditional=False)
        for number, match in enumerate(map(mapping, written)):
            yield _match(route, (*path, "matches", number), match)


def _match(route: Resource, path: Path, match: Manifest) -> Match:
    asked = mapping(match.get("path"))
    more = any(match.get(key) for key in ("headers", "method", "queryParams"))
    kind, value = asked.get("type", "PathPrefix"), asked.get("value", "/")
    return Match(route, path, str(kind), str(value), conditional=more)


def _unreached(route: Written, beside: list[Written]) -> Iterator[dict[str, Any]]:
    """Regular expressions that a prefix always stands before, under each hostname."""
    for match in route.matches:
        if match.kind != "RegularExpression":
            continue
        first = [_first_under(host, match, beside) for host in route.hostnames]
        if first[0] and all(first):
            yield {
                "path": [*match.path, "path"],
                "value": match.value,
                "prefix": first[0].value,
                "by": first[0].route.ref.name,
            }


def _first_under(host: str, match: Match, beside: list[Written]) -> Match | None:
    """The first prefix under a hostname that takes all that the match could."""
    there = (prefix for other in beside if host in other.hostnames for prefix in other.prefixes)
    return next((prefix for prefix in there if _begins_with(match.value, prefix.value)), None)


def _is_plain_prefix(match: Match) -> bool:
    return match.kind == "PathPrefix" and not match.conditional


def _begins_with(expression: str, prefix: str) -> bool:
    """Whether all paths that a regular expression may match are below a prefix."""
    if prefix == "/":
        return True
    head = _head(expression)
    stem = prefix.rstrip("/")
    return head.startswith(f"{stem}/") or (head == stem == expression)


def _head(expression: str) -> str:
    """The plain text with which every text of the expression begins."""
    if "|" in expression:
        return ""
    expression = expression.removeprefix("^")
    end = next((i for i, sign in enumerate(expression) if sign in _SPECIAL), len(expression))
    # What may be there any number of times may be missing.
    return (
        expression[: end - 1] if expression[end : end + 1] in ("*", "?", "{") else expression[:end]
    )


def _cut(route: Written, beside: list[Written]) -> Iterator[dict[str, Any]]:
    """Hostnames without a rule for every path, while a less specific route has one."""
    whole = [other for other in beside if other.takes_all]
    for index, host in enumerate(route.hostnames):
        if not host or any(host in other.hostnames for other in whole):
            continue
        for other in whole:
            if any(_is_wider(each, host) for each in other.hostnames):
                yield {"index": index, "hostname": host, "by": other.name}
                break


def _is_wider(pattern: str, host: str) -> bool:
    """Whether a hostname holds another, and is not the same."""
    if not pattern:
        return bool(host)
    return pattern.startswith("*.") and host != pattern and host.endswith(pattern[1:])
