"""What the fields of an AuthorizationPolicy ask of a connection or a request.

A rule is compiled twice: for HTTP, and for a connection of which the proxy reads no HTTP. What is
no HTTP has no fields of HTTP: an ALLOW rule that asks for one is dropped as a whole, in the rules
of every other action the field alone is left out, which makes them wider. The same becomes of
values that Istio cannot read.

Source: istio pilot/pkg/security/authz/model (Model.Generate, checkError).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from functools import partial

from auditor.facts.network.istio.matching import (
    IPAddress,
    Kind,
    Pattern,
    UnloadableError,
    namespace_matches,
    network,
    path_pattern,
    string_pattern,
    trust_domain_matches,
    within,
)
from auditor.facts.network.istio.policies import (
    Action,
    AuthorizationPolicy,
    AuthorizationRule,
    Clause,
)
from auditor.facts.selectors import Truth
from auditor.model import Path
from auditor.values import dataclass

SPIFFE = "spiffe://"
NOBODY = "?"
"""A name that no object and no sane policy has."""
SOMEBODY = "\0"
"""The account in an identity of which only the namespace is known."""
LOCAL = "cluster.local"
"""In the principals of policies, any trust domain of the mesh."""

HEADERS = "request.headers"
CLAIMS = "request.auth.claims"
METADATA = "experimental.envoy.filters."

_CLAIM = re.compile(r"(?:\[[^][]*\])*")
"""What Istio takes behind CLAIMS; without a name it is a claim that no token has."""

KEYS: Mapping[str, str] = {
    "source.ip": "ipBlocks",
    "remote.ip": "remoteIpBlocks",
    "source.namespace": "namespaces",
    "source.serviceAccount": "serviceAccounts",
    "source.principal": "principals",
    "source.trustDomain": "trustDomains",
    "request.auth.principal": "requestPrincipals",
    "request.auth.audiences": "request.auth",
    "request.auth.presenter": "request.auth",
    "destination.ip": "destination.ip",
    "destination.port": "ports",
    "connection.sni": "connection.sni",
}
"""Keys of `when`, each with the field that asks the same."""

HTTP_FIELDS = frozenset(
    ("hosts", "methods", "paths", "requestPrincipals", "request.auth", HEADERS, CLAIMS)
)
"""What only HTTP has."""


@dataclass(frozen=True, slots=True)
class Domains:
    """The trust domains of the mesh: its own, then those that it takes for its own."""

    names: tuple[str, ...] = (LOCAL,)


@dataclass(frozen=True, slots=True)
class Seen:
    """A connection, and what of a request, as the proxy of the target sees it."""

    port: int
    identity: str | None
    """``spiffe://…``, with the account SOMEBODY where only the namespace is known; empty without
    one; None where nothing is known of it.
    """
    peer: tuple[IPAddress, ...] | None
    """The addresses that the caller may have; None where nothing is known of them."""
    remote: tuple[IPAddress, ...] | None
    """The same of who the headers say that the caller is."""
    local: tuple[IPAddress, ...] | None
    sni: str | None = ""
    method: str = ""
    path: str = ""
    """Without the query."""
    full_path: str = ""
    host: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Lower-case name → its lines."""
    added: Callable[[str], bool] = lambda _: False
    """Whether proxies on the way may have set the header of this name."""
    token: bool = False
    """Whether it may hold a token that says who calls."""


Test = Callable[[Seen], Truth]


class _ValueError(Exception):
    """Istio cannot read a value, or HTTP is asked of what is none."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule as the proxy judges it."""

    path: Path
    sources: tuple[tuple[Test, ...], ...]
    operations: tuple[tuple[Test, ...], ...]

    def truth(self, seen: Seen) -> Truth:
        """Whether the rule means `seen`."""
        found = _any(self.operations, seen)
        return found if found is Truth.NO else min(found, _any(self.sources, seen))


@dataclass(frozen=True, slots=True)
class Dropped:
    """A rule that has no part in what the proxy judges."""

    path: Path
    why: str


def compiled(
    rule: AuthorizationRule, action: Action, home: str, domains: Domains, *, http: bool
) -> Compiled | Dropped:
    """What becomes of a rule of a policy of namespace `home`.

    Raises:
        UnloadableError: Envoy cannot load it.
    """
    for clause in rule.conditions:
        if not is_attribute(clause.field):
            return Dropped(rule.path, f"it asks for '{clause.field}', which is no attribute")
    compiler = _Compiler(home, domains, http=http, strict=action == "ALLOW")
    try:
        common = tuple(compiler.clause(clause) for clause in rule.conditions)
        sources = [(*map(compiler.clause, clauses), *common) for clauses in rule.sources]
        operations = [tuple(map(compiler.clause, clauses)) for clauses in rule.operations]
    except _ValueError as stop:
        return Dropped(rule.path, str(stop))
    return Compiled(rule.path, tuple(sources) or (common,), tuple(operations) or ((),))


def is_attribute(key: str) -> bool:
    """Whether a condition may ask for it."""
    return key in KEYS or key.startswith((HEADERS, CLAIMS, METADATA))


def base_field(clause: Clause) -> str:
    """The field that a clause asks for, whether by that name or as the key of a condition."""
    for prefix in (HEADERS, CLAIMS, METADATA):
        if clause.field.startswith(prefix):
            return prefix
    return KEYS.get(clause.field, clause.field)


def identity_test(field: str, value: str, home: str, domains: Domains) -> Test:
    """Whether one value of a field about identities means who calls."""
    compiler = _Compiler(home, domains, http=True, strict=False)
    return compiler.clause(Clause(field, (), (value,)))


def unloadable(policy: AuthorizationPolicy) -> Iterator[tuple[Path, str]]:
    """What of a policy Envoy cannot load, each with the path of its rule."""
    if policy.unreadable:
        return
    for rule in policy.rules:
        try:
            compiled(rule, policy.action, policy.ref.namespace, Domains(), http=True)
        except UnloadableError as stop:
            yield rule.path, str(stop)


def _any(alternatives: tuple[tuple[Test, ...], ...], seen: Seen) -> Truth:
    best = Truth.NO
    for tests in alternatives:
        worst = Truth.YES
        for test in tests:
            worst = min(worst, test(seen))
            if worst is Truth.NO:
                break
        best = max(best, worst)
        if best is Truth.YES:
            break
    return best


@dataclass(frozen=True, slots=True)
class _Compiler:
    """Makes tests of clauses."""

    home: str
    domains: Domains
    http: bool
    strict: bool
    """Whether one value that cannot be read drops the rule."""

    def clause(self, clause: Clause) -> Test:
        """One test for all values of a clause.

        Raises:
            _ValueError: the rule is dropped.
        """
        wanted = tuple(self._values(clause, clause.values))
        unwanted = tuple(self._values(clause, clause.unwanted))
        return lambda seen: min(
            max(test(seen) for test in wanted) if wanted else Truth.YES,
            _not(max(test(seen) for test in unwanted)) if unwanted else Truth.YES,
        )

    def _values(self, clause: Clause, values: tuple[str, ...]) -> Iterator[Test]:
        base = base_field(clause)
        for value in values:
            try:
                if base in HTTP_FIELDS and not self.http:
                    raise _ValueError(f"it asks for {clause.field}, which only HTTP has")
                yield from self._tests(base, clause.field, value)
            except _ValueError:
                if self.strict:
                    raise

    def _tests(self, base: str, key: str, value: str) -> Iterator[Test]:
        if base == "principals":
            for principal in migrated(value, self.domains):
                yield _identity(_principal(principal), principal)
        elif base == "trustDomains":
            yield from self._trust_domain(value)
        elif base == "serviceAccounts":
            yield _identity(self._account(value), value)
        elif base == HEADERS:
            yield _header(key, value)
        elif base == CLAIMS and not _CLAIM.fullmatch(key.removeprefix(CLAIMS)):
            raise _ValueError(f"'{key}' names no claim")
        elif base == METADATA and "[" not in key:
            raise _ValueError(f"'{key}' names no metadata")
        else:
            yield _PLAIN[base](value)

    def _account(self, value: str) -> Callable[[str], bool]:
        namespace, slash, account = value.partition("/")
        wanted = f"/ns/{namespace}/sa/{account}" if slash else f"/ns/{self.home}/sa/{value}"
        return lambda identity: identity.endswith(wanted)

    def _trust_domain(self, value: str) -> Iterator[Test]:
        names = self.domains.names
        if "*" not in value and value == LOCAL and value not in names:
            # Whether it stands for the mesh's own, as in principals, was not seen.
            yield lambda seen: Truth.NO if seen.identity == "" else Truth.MAYBE
            return
        for name in names if value in names else (value,):
            yield _identity(partial(trust_domain_matches, name), "")


def _not(truth: Truth) -> Truth:
    return Truth(Truth.YES - truth)


def _sure(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


def _identity(meant: Callable[[str], bool], value: str) -> Test:
    """Whether `meant`, made of `value`, holds of the identity of who calls."""
    name = value.rpartition("/")[2].strip("*")
    # Somebody may have this name, part of it, or quite another one.
    names = (NOBODY, name, f"{name}{NOBODY}", f"{NOBODY}{name}")

    def test(seen: Seen) -> Truth:
        identity = seen.identity
        if identity is None:
            return Truth.MAYBE
        if not identity.endswith(SOMEBODY):
            return _sure(bool(identity) and meant(identity))
        known = identity.removesuffix(SOMEBODY)
        found = {meant(known + account) for account in names}
        return _sure(found.pop()) if len(found) == 1 else Truth.MAYBE

    return test


def _principal(value: str) -> Callable[[str], bool]:
    if value == "*":
        return bool
    if value.startswith("*"):
        ending = value[1:]
        return lambda identity: (
            identity.startswith(SPIFFE)
            and len(identity) >= len(SPIFFE) + len(ending)
            and identity.endswith(ending)
        )
    if value.endswith("*"):
        return lambda identity: identity.startswith(SPIFFE + value[:-1])
    return lambda identity: identity == SPIFFE + value


def migrated(principal: str, domains: Domains) -> tuple[str, ...]:
    """A principal with every trust domain of the mesh, where it is written with one of them.

    Source: istio pilot/pkg/trustbundle (ReplaceTrustDomainAliases).
    """
    written, *rest = principal.split("/")
    if len(rest) != 4 or written == "*":
        return (principal,)
    if written != LOCAL and not any(_means(written, name) for name in domains.names):
        return (principal,)
    kept = written.startswith("*")
    return tuple(
        dict.fromkeys(
            principal if kept and name.endswith(written[1:]) else "/".join((name, *rest))
            for name in domains.names
        )
    )


def _means(written: str, name: str) -> bool:
    return string_pattern(written).matches(name)


def port(value: str) -> int | None:
    """The number of a port as Istio reads it; None where it is none."""
    digits = value.lstrip("0") or value[:1]
    if not value.isascii() or not value.isdecimal() or len(digits) > 5:
        return None
    return int(digits) if int(digits) <= 65535 else None


def _port(value: str) -> Test:
    number = port(value)
    if number is None:
        raise _ValueError(f"'{value}' is no port number")
    return lambda seen: _sure(seen.port == number)


def _address(value: str, of: Callable[[Seen], tuple[IPAddress, ...] | None]) -> Test:
    net = network(value)
    if net is None:
        raise _ValueError(f"'{value}' is neither an IP address nor a CIDR")
    return lambda seen: within(net, of(seen))


def _text(pattern: Pattern, of: Callable[[Seen], str]) -> Test:
    return lambda seen: _sure(pattern.matches(of(seen)))


def _host(value: str) -> Test:
    if value == "*":
        return lambda _: Truth.YES
    return _text(string_pattern(value.lower()), lambda seen: seen.host.lower())


def _method(value: str) -> Test:
    return _text(string_pattern(value), lambda seen: seen.method)


def _sni(value: str) -> Test:
    pattern = string_pattern(value)
    return lambda seen: (
        Truth.MAYBE if seen.sni is None else _sure(pattern.matches(seen.sni.lower()))
    )


def _token(_value: str) -> Test:
    return lambda seen: Truth.MAYBE if seen.token else Truth.NO


def header_name(key: str) -> str:
    """The header that a key ``request.headers[name]`` asks for, in lower case.

    Raises:
        UnloadableError: it has no name.
    """
    name = key.removeprefix(HEADERS)
    if not name.startswith("[") or not name.endswith("]") or len(name) < 2:
        raise _ValueError(f"'{key}' names no header")
    if not name[1:-1]:
        raise UnloadableError(f"'{key}' has no name of a header")
    found = name[1:-1].lower()
    return ":authority" if found == "host" else found


def plain_header_name(key: str) -> str:
    """The header that `key` asks for; empty where there is none."""
    try:
        return header_name(key)
    except (_ValueError, UnloadableError):
        return ""


def _header(key: str, value: str) -> Test:
    name = header_name(key)
    pattern = string_pattern(value)
    own: Mapping[str, Callable[[Seen], str]] = {
        ":method": lambda seen: seen.method,
        ":path": lambda seen: seen.full_path,
        ":authority": lambda seen: seen.host,
        ":scheme": lambda _: "http",
    }
    present = pattern.kind is Kind.SOME
    if name in own:
        return (lambda _: Truth.YES) if present else _text(pattern, own[name])

    def test(seen: Seen) -> Truth:
        lines = seen.headers.get(name)
        if lines is None:
            return Truth.MAYBE if seen.added(name) else Truth.NO
        return _sure(present or any(map(pattern.matches, lines)))

    return test


_PLAIN: Mapping[str, Callable[[str], Test]] = {
    "namespaces": lambda value: _identity(partial(namespace_matches, value), ""),
    "ipBlocks": lambda value: _address(value, lambda seen: seen.peer),
    "remoteIpBlocks": lambda value: _address(value, lambda seen: seen.remote),
    "destination.ip": lambda value: _address(value, lambda seen: seen.local),
    "ports": _port,
    "hosts": _host,
    "methods": _method,
    "paths": lambda value: _text(path_pattern(value), lambda seen: seen.path),
    "connection.sni": _sni,
    "requestPrincipals": _token,
    "request.auth": _token,
    CLAIMS: _token,
    METADATA: lambda _: lambda _: Truth.MAYBE,
}
