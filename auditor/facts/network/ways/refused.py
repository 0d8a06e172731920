"""What the API server would refuse of an Ingress or of an object of the Gateway API.

Rules: kubernetes pkg/apis/networking/validation (ValidateIngressCreate) for networking.k8s.io/v1,
and the schemas and CEL rules of the CRDs of gateway.networking.k8s.io (v1, standard channel). Told
is what is surely refused; what an older server or another channel takes is not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from auditor.facts.addresses import is_ip
from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.selectors import RefusedError, parse_selector
from auditor.facts.wording import dotted, said
from auditor.facts.workloads import LAST_PORT, is_port
from auditor.manifests import mapping, sequence
from auditor.model import Gap, Manifest, Path, Resource, Unseen

_NAME = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_HOST = re.compile(rf"(?:\*\.)?{_NAME}(?:\.{_NAME})*")
_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]+")
_AMBIGUOUS = ("//", "/./", "/../", "%2f", "%2F")
_PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
_MATCHES = ("Exact", "PathPrefix", "RegularExpression")
_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH")
_HEAVIEST = 1_000_000


def refusal(resource: Resource) -> InvalidPolicy | None:
    """The first fault for which the API server would refuse the object; None where it takes it."""
    check = _CHECKS.get((resource.ref.api_version, resource.ref.kind))
    if check is None:
        return None
    try:
        check(_object(resource.manifest.get("spec"), ("spec",)))
    except RefusedError as refused:
        return InvalidPolicy(resource.ref, refused.path, refused.why)
    return None


def gap_of(resource: Resource, refused: InvalidPolicy) -> Gap:
    """What is told of an object that is refused."""
    line = resource.origin.span(refused.path).line
    what = f"{dotted(refused.path)} of {refused.ref} ({resource.origin.uri}:{line})"
    effect = _EFFECTS.get(refused.ref.kind, "leads nowhere until that is mended")
    why = f"{refused.why}: the API server refuses this {refused.ref.kind}, so that it {effect}"
    return Gap(what, why, Unseen.INCOMPLETE, ref=refused.ref)


_EFFECTS = {"ReferenceGrant": "permits nothing"}


def _ingress(spec: Manifest) -> None:
    rules = _list(spec.get("rules"), ("spec", "rules"))
    if spec.get("defaultBackend") is not None:
        _ingress_backend(spec["defaultBackend"], ("spec", "defaultBackend"))
    elif not rules:
        raise RefusedError(("spec",), "has neither defaultBackend nor rules")
    for index, value in enumerate(rules):
        _ingress_rule(_object(value, ("spec", "rules", index)), ("spec", "rules", index))


def _ingress_rule(rule: Manifest, path: Path) -> None:
    if rule.get("host"):
        _host(rule["host"], (*path, "host"))
    http = rule.get("http")
    if http is None:
        return
    paths = _list(_object(http, (*path, "http")).get("paths"), (*path, "http", "paths"))
    if not paths:
        raise RefusedError((*path, "http", "paths"), "is empty")
    for index, value in enumerate(paths):
        place: Path = (*path, "http", "paths", index)
        _ingress_path(_object(value, place), place)


def _ingress_path(entry: Manifest, path: Path) -> None:
    kind, text = entry.get("pathType"), entry.get("path")
    _one_of(kind, _PATH_TYPES, (*path, "pathType"))
    if kind != "ImplementationSpecific" or text:
        _route_path(text, (*path, "path"), strict=kind != "ImplementationSpecific")
    _ingress_backend(entry.get("backend"), (*path, "backend"))


def _ingress_backend(value: Any, path: Path) -> None:
    backend = _object(value, path)
    service, other = backend.get("service"), backend.get("resource")
    if (service is None) == (other is None):
        raise RefusedError(path, "needs either a service or a resource")
    if service is None:
        return
    place = (*path, "service")
    _text(_object(service, place).get("name"), (*place, "name"))
    port = _object(service.get("port"), (*place, "port"))
    number, name = port.get("number") or None, port.get("name") or None
    if (number is None) == (name is None):
        raise RefusedError((*place, "port"), "needs either a number or a name")
    if number is not None:
        _port(number, (*place, "port", "number"))


def _gateway(spec: Manifest) -> None:
    _text(spec.get("gatewayClassName"), ("spec", "gatewayClassName"))
    path: Path = ("spec", "listeners")
    listeners = _list(spec.get("listeners"), path, least=1, most=64)
    names = Counter(str(mapping(each).get("name")) for each in listeners)
    for index, value in enumerate(listeners):
        place = (*path, index)
        entry = _object(value, place)
        _text(entry.get("name"), (*place, "name"))
        if names[str(entry.get("name"))] > 1:
            raise RefusedError((*place, "name"), f"{said(entry.get('name'))} is there twice")
        _listener(entry, place)


def _listener(entry: Manifest, path: Path) -> None:
    _port(entry.get("port"), (*path, "port"))
    protocol = _text(entry.get("protocol"), (*path, "protocol"))
    tls, host = entry.get("tls"), entry.get("hostname")
    if tls is not None and protocol in ("HTTP", "TCP", "UDP"):
        raise RefusedError((*path, "tls"), f"must not be set for protocol {protocol}")
    if host and protocol in ("TCP", "UDP"):
        raise RefusedError((*path, "hostname"), f"must not be set for protocol {protocol}")
    if protocol == "HTTPS" and mapping(tls).get("mode") not in (None, "", "Terminate"):
        raise RefusedError((*path, "tls", "mode"), "must be Terminate for protocol HTTPS")
    if host:
        _host(host, (*path, "hostname"))
    _allowed(_object(entry.get("allowedRoutes"), (*path, "allowedRoutes")), path)


def _allowed(allowed: Manifest, path: Path) -> None:
    place = (*path, "allowedRoutes", "namespaces")
    namespaces = _object(allowed.get("namespaces"), place)
    if namespaces.get("from") is not None:
        _one_of(namespaces["from"], ("All", "Selector", "Same", "None"), (*place, "from"))
    parse_selector(namespaces.get("selector"), (*place, "selector"))


def _route(spec: Manifest, match: Callable[[Manifest, Path], None] | None) -> None:
    for index, value in enumerate(_list(spec.get("parentRefs"), ("spec", "parentRefs"), most=32)):
        place: Path = ("spec", "parentRefs", index)
        _text(_object(value, place).get("name"), (*place, "name"))
    for index, host in enumerate(_list(spec.get("hostnames"), ("spec", "hostnames"), most=16)):
        _host(host, ("spec", "hostnames", index))
    for index, value in enumerate(_list(spec.get("rules"), ("spec", "rules"), most=16)):
        _route_rule(_object(value, ("spec", "rules", index)), ("spec", "rules", index), match)


def _route_rule(rule: Manifest, path: Path, match: Callable[[Manifest, Path], None] | None) -> None:
    for index, value in enumerate(_list(rule.get("matches"), (*path, "matches"), most=64)):
        if match:
            match(_object(value, (*path, "matches", index)), (*path, "matches", index))
    backends = _list(rule.get("backendRefs"), (*path, "backendRefs"), most=16)
    for index, value in enumerate(backends):
        _backend(_object(value, (*path, "backendRefs", index)), (*path, "backendRefs", index))
    filters = _list(rule.get("filters"), (*path, "filters"), most=16)
    for index, value in enumerate(filters):
        kind = _text(_object(value, (*path, "filters", index)).get("type"), (*path, "filters"))
        if kind == "RequestRedirect" and backends:
            raise RefusedError((*path, "filters", index), "redirects, and there are backendRefs")


def _backend(entry: Manifest, path: Path) -> None:
    _text(entry.get("name"), (*path, "name"))
    group, kind = entry.get("group") or "", entry.get("kind") or "Service"
    if entry.get("port") is not None:
        _port(entry["port"], (*path, "port"))
    elif (group, kind) == ("", "Service"):
        raise RefusedError(path, "names a Service without its port")
    weight = entry.get("weight", 1)
    if not _is_number(weight) or not 0 <= weight <= _HEAVIEST:
        raise RefusedError((*path, "weight"), f"{said(weight)} is no weight from 0 to {_HEAVIEST}")


def _http_match(match: Manifest, path: Path) -> None:
    wanted = _object(match.get("path"), (*path, "path"))
    kind, value = wanted.get("type", "PathPrefix"), wanted.get("value", "/")
    _one_of(kind, _MATCHES, (*path, "path", "type"))
    if kind != "RegularExpression":
        _route_path(value, (*path, "path", "value"), strict=True, whole=True)
    if match.get("method") is not None:
        _one_of(match["method"], _METHODS, (*path, "method"))
    _conditions(match.get("headers"), (*path, "headers"))
    _conditions(match.get("queryParams"), (*path, "queryParams"))


def _grpc_match(match: Manifest, path: Path) -> None:
    if match.get("method") is not None:
        method = _object(match["method"], (*path, "method"))
        if not (method.get("service") or method.get("method")):
            raise RefusedError((*path, "method"), "names neither a service nor a method")
    _conditions(match.get("headers"), (*path, "headers"))


def _conditions(value: Any, path: Path) -> None:
    seen: set[str] = set()
    for index, entry in enumerate(_list(value, path, most=16)):
        condition = _object(entry, (*path, index))
        name = _text(condition.get("name"), (*path, index, "name"))
        _text(condition.get("value"), (*path, index, "value"))
        if not _HEADER.fullmatch(name):
            raise RefusedError((*path, index, "name"), f"{said(name)} is no name of a header")
        if name in seen:
            raise RefusedError((*path, index, "name"), f"{said(name)} is there twice")
        seen.add(name)
        if condition.get("type") is not None:
            _one_of(condition["type"], ("Exact", "RegularExpression"), (*path, index, "type"))


def _grant(spec: Manifest) -> None:
    for field, last in (("from", "namespace"), ("to", "")):
        for index, value in enumerate(_list(spec.get(field), ("spec", field), least=1, most=16)):
            place: Path = ("spec", field, index)
            entry = _object(value, place)
            if not isinstance(entry.get("group"), str):
                raise RefusedError((*place, "group"), "is not given")
            _text(entry.get("kind"), (*place, "kind"))
            if last:
                _text(entry.get(last), (*place, last))


def _route_path(value: Any, path: Path, *, strict: bool, whole: bool = False) -> None:
    """A path to match; `whole` asks for its characters as the Gateway API does."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise RefusedError(path, f"{said(value)} does not begin with a slash")
    faulty = [each for each in _AMBIGUOUS if each in value]
    faulty += [each for each in ("/.", "/..") if value.endswith(each)]
    if strict and faulty:
        raise RefusedError(path, f"{said(value)} must not hold '{faulty[0]}'")
    if whole and not _PATH.fullmatch(value):
        raise RefusedError(path, f"{said(value)} is no path")


def _host(value: Any, path: Path) -> None:
    text = _text(value, path)
    if not _HOST.fullmatch(text) or len(text) > 253 or is_ip(text):
        raise RefusedError(path, f"{said(text)} is no hostname")


def _port(value: Any, path: Path) -> None:
    if not is_port(value):
        raise RefusedError(path, f"{said(value)} is no port from 1 to {LAST_PORT}")


def _one_of(value: Any, known: tuple[str, ...], path: Path) -> None:
    if value not in known:
        what = "it is missing, and has to be one" if value is None else f"{said(value)} is none"
        raise RefusedError(path, f"{what} of {', '.join(known)}")


def _text(value: Any, path: Path) -> str:
    if not isinstance(value, str) or not value:
        raise RefusedError(path, f"{said(value)} where a text is needed")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(value: Any, path: Path) -> Manifest:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no mapping")
    return value


def _list(value: Any, path: Path, *, least: int = 0, most: int | None = None) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise RefusedError(path, "is no list")
    found = sequence(value)
    if len(found) < least:
        raise RefusedError(path, "is empty")
    if most is not None and len(found) > most:
        raise RefusedError(path, f"has more than {most} entries")
    return found


def _http_route(spec: Manifest) -> None:
    _route(spec, _http_match)


def _grpc_route(spec: Manifest) -> None:
    _route(spec, _grpc_match)


def _other_route(spec: Manifest) -> None:
    _route(spec, None)


_API = "gateway.networking.k8s.io"
_CHECKS: Mapping[tuple[str, str], Callable[[Manifest], None]] = {
    ("networking.k8s.io/v1", "Ingress"): _ingress,
    **{(f"{_API}/{v}", "Gateway"): _gateway for v in ("v1", "v1beta1")},
    **{(f"{_API}/{v}", "HTTPRoute"): _http_route for v in ("v1", "v1beta1")},
    (f"{_API}/v1", "GRPCRoute"): _grpc_route,
    **{(f"{_API}/{v}", "ReferenceGrant"): _grant for v in ("v1", "v1beta1")},
    **{
        (f"{_API}/{v}", kind): _other_route
        for v in ("v1", "v1alpha2", "v1alpha3")
        for kind in ("TLSRoute", "TCPRoute", "UDPRoute")
    },
}
"""API version and kind → what raises RefusedError for a specification that is refused."""
