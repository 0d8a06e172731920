"""To which backend a Gateway sends one request.

Rules: https://gateway-api.sigs.k8s.io/reference/spec/ (HTTPRouteRule: the order of matches), and
where the specification leaves it open what Istio does (pilot/pkg/config/kube/gateway), which an
Envoy was asked about: a regular expression ranks below every prefix, and several hosts that fit a
request are decided by the most specific one before any path is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.network.requests import Request
from auditor.facts.network.ways.attachments import ISTIO, Attached, Gateways, host_matches
from auditor.facts.network.ways.expressions import UnreadError, full_match
from auditor.facts.network.ways.gateway import (
    EXACT,
    PREFIX,
    REGEX,
    Backend,
    Condition,
    Gateway,
    Match,
    Route,
    Rule,
)
from auditor.facts.network.ways.targets import Target, host_of, read_target
from auditor.facts.selectors import Truth
from auditor.manifests import at
from auditor.model import Path
from auditor.values import dataclass

HTTP = ("HTTP", "HTTPS")
_RANKS = {EXACT: 0, PREFIX: 1, REGEX: 2}


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a request goes."""

    backends: tuple[Backend, ...]
    """One of these is asked, by their weights; none where the Gateway itself answers."""
    why: str
    """What decides it, a sentence without full stop."""
    route: Route | None = None
    """None where no rule matches."""
    index: int = -1
    """Of the rule that matches, within its route."""
    path: Path = ()
    """Of that rule."""
    unknown: tuple[str, ...] = ()
    """Why another answer is possible."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One match of a rule at a listener."""

    attached: Attached
    host: str
    rule: Rule
    index: int
    match: Match
    number: int

    def rank(self, *, by_name: bool) -> tuple[object, ...]:
        """Lower is asked first. With `by_name`, among equally old routes the name decides before
        the namespace, as Istio does it.
        """
        match, ref = self.match, self.attached.route.resource.ref
        names = (ref.name, ref.namespace) if by_name else (ref.namespace, ref.name)
        return (
            _RANKS.get(match.kind, len(_RANKS)),
            -len(match.value),
            not match.method,
            -len({each.name for each in match.headers}),
            -len({each.name for each in match.query}),
            _created(self.attached.route),
            names,
            self.index,
            self.number,
        )


def route(gateways: Gateways, gateway: Gateway, request: Request) -> Routed:
    """What `gateway` does with `request`, whose port is the one of a listener. The routes are taken
    as they are written, also those that the API server would refuse.
    """
    target = read_target(request.path or "/")
    if target is None or (request.host is None and target.host is None):
        return Routed((), "the Gateway answers 400: the target or the host of the request is none")
    host = host_of(target.host if target.host is not None else request.host or "")
    here = [
        each
        for each in gateways.attached
        if each.gateway is gateway
        and each.listener.protocol in HTTP
        and each.listener.port == request.port
    ]
    if not here:
        return Routed((), f"no route holds at a listener for HTTP on port {request.port}")
    istio = gateways.controller(gateway) in ISTIO
    most, nearest = _by_host(here, host), _by_listener(here, host)
    found = _decide(gateways, most if istio else nearest, request, target, istio=istio)
    if istio or most == nearest:
        return found
    other = _decide(gateways, most, request, target, istio=istio)
    doubt = "a Gateway that does not keep its listeners apart answers otherwise"
    return found if other.backends == found.backends else _doubted(found, doubt)


def _doubted(found: Routed, *doubts: str) -> Routed:
    unknown = (*found.unknown, *doubts)
    return Routed(found.backends, found.why, found.route, found.index, found.path, unknown)


def _by_host(here: Sequence[Attached], host: str) -> list[tuple[Attached, str]]:
    """Those with the most specific pattern that means the host."""
    fitting = [(a, pattern) for a in here for pattern in a.hosts if host_matches(pattern, host)]
    best = min((_vagueness(pattern) for _, pattern in fitting), default=None)
    return [(a, pattern) for a, pattern in fitting if _vagueness(pattern) == best]


def _by_listener(here: Sequence[Attached], host: str) -> list[tuple[Attached, str]]:
    """The same, where only the listener with the most specific hostname is asked at all."""
    names = {each.listener.hostname for each in here}
    listeners = {
        each.hostname for each in here[0].gateway.listeners if each.port == here[0].listener.port
    }
    fitting = [name for name in names | listeners if host_matches(name, host)]
    best = min(fitting, key=_vagueness, default="")
    return _by_host([each for each in here if each.listener.hostname == best], host)


def _vagueness(pattern: str) -> tuple[bool, int]:
    """Lower is more specific: a name, the longest wildcard, any."""
    return pattern.startswith("*") or not pattern, -len(pattern)


def _decide(
    gateways: Gateways,
    here: Sequence[tuple[Attached, str]],
    request: Request,
    target: Target,
    *,
    istio: bool,
) -> Routed:
    if not here:
        return Routed((), "no route is for this host")
    candidates = sorted(_candidates(here), key=lambda each: each.rank(by_name=istio))
    doubts: list[str] = []
    met: list[Candidate] = []
    for each in candidates:
        truth, why = _met(each.match, request, target)
        doubts += [why] if truth is Truth.MAYBE else []
        if truth is Truth.YES:
            met.append(each)
            break
    if not met:
        return Routed((), f"no rule for host '{here[0][1] or '*'}' matches", unknown=tuple(doubts))
    if not istio and any(each.match.kind == REGEX for each in candidates):
        doubts += _rivals(met[0], candidates, request, target)
    if not met[0].attached.sure:
        doubts.append(f"the labels of namespace {met[0].attached.route.resource.ref.namespace}")
    return _doubted(_sent(gateways, met[0]), *doubts)


def _candidates(here: Sequence[tuple[Attached, str]]) -> Iterator[Candidate]:
    for attached, host in here:
        for index, rule in enumerate(attached.route.rules):
            for number, match in enumerate(rule.matches):
                yield Candidate(attached, host, rule, index, match, number)


def _rivals(
    chosen: Candidate, candidates: Sequence[Candidate], request: Request, target: Target
) -> Iterator[str]:
    """The specification does not rank regular expressions, but for that exact paths come first."""
    for each in candidates:
        differs = (each.match.kind == REGEX) != (chosen.match.kind == REGEX)
        rival = differs and EXACT not in (each.match.kind, chosen.match.kind)
        if rival and _met(each.match, request, target)[0] is Truth.YES:
            yield "the rank of regular expressions is up to the controller"
            return


def _sent(gateways: Gateways, chosen: Candidate) -> Routed:
    rule, found = chosen.rule, chosen.attached.route
    name = f"{found.resource.ref.namespace}/{found.resource.ref.name}"
    told = f"rule {chosen.index} of {found.resource.ref.kind} {name}"
    place = (found, chosen.index, rule.path)
    if rule.redirects:
        return Routed((), f"{told} redirects", *place, unknown=rule.unread)
    weighed = [each for each in rule.backends if each.weight and not each.mirror]
    allowed = tuple(each for each in weighed if gateways.granted(found, each))
    if not allowed:
        why = "names a backend without a ReferenceGrant" if weighed else "has no backend"
        return Routed((), f"{told} {why}: the Gateway answers 500", *place, unknown=rule.unread)
    return Routed(allowed, f"{told} matches", *place, unknown=rule.unread)


def _met(match: Match, request: Request, target: Target) -> tuple[Truth, str]:
    """Whether the request meets all of the match; why that cannot be told, where it cannot."""
    try:
        met = (
            (not match.method or match.method == request.method)
            and _path_met(match, target.path)
            and all(_header_met(each, request) for each in _last(match.headers))
            and all(_query_met(each, target) for each in _last(match.query))
        )
    except UnreadError as unread:
        return Truth.MAYBE, f"an expression of a route {unread}, which is not read"
    if match.unread and met:
        return Truth.MAYBE, f"{match.unread} are not read"
    return (Truth.YES if met else Truth.NO), ""


def _path_met(match: Match, path: str) -> bool:
    if match.kind == EXACT:
        return path == match.value
    if match.kind == PREFIX:
        whole = match.value if match.value.endswith("/") else f"{match.value}/"
        return path == match.value or path.startswith(whole)
    return match.kind != REGEX or full_match(match.value, path)


def _last(conditions: Sequence[Condition]) -> Sequence[Condition]:
    """A name that stands twice is refused by the API server; stored all the same, the last one
    counts.
    """
    return tuple({each.name: each for each in conditions}.values())


def _header_met(wanted: Condition, request: Request) -> bool:
    """Any line of that name may do; spaces around a value are not part of it."""
    name = wanted.name.lower()
    lines = (value.strip(" \t") for key, value in request.headers if key.lower() == name)
    return any(_is(wanted, value) for value in lines)


def _query_met(wanted: Condition, target: Target) -> bool:
    """The first parameter of that name counts."""
    found = next((value for name, value in target.query if name == wanted.name), None)
    return found is not None and _is(wanted, found)


def _is(wanted: Condition, value: str) -> bool:
    return full_match(wanted.value, value) if wanted.regex else value == wanted.value


def _created(found: Route) -> str:
    """When it was made, as RFC 3339, which sorts as text. One that is not there yet comes last."""
    written = at(found.resource.manifest, ("metadata", "creationTimestamp"))
    return str(written) if written is not None else "~"
