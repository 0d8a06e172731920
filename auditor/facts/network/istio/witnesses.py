"""One request for each set of them that policies do not tell apart.

Who judges all of them at a port judges every request to it. What tells requests apart is asked of
the policies: methods, paths, hosts, headers, the name in the handshake, and the address that the
request says it comes from. Each is an axis with one value for each outcome; the requests are their
product, which has a bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from itertools import islice, product
from math import prod

from auditor.facts.network.istio import conditions
from auditor.facts.network.istio.automata import Vector, paths, texts, vector
from auditor.facts.network.istio.matching import (
    IPAddress,
    IPNetwork,
    Kind,
    Normalization,
    Pattern,
    UnloadableError,
    network,
    normalized,
    path_pattern,
    string_pattern,
)
from auditor.facts.network.istio.policies import AuthorizationPolicy, Clause
from auditor.facts.network.istio.traffic import FORWARDED, METHODS, forwarded_for, is_http, lines
from auditor.facts.network.requests import Request
from auditor.values import dataclass

REQUESTS = 4096
"""How many requests there are at most."""
VALUES = 256
"""How many values one axis has at most."""

OTHER_PATH = "/export"
OTHER_HOST = "example.org"

Axis = tuple[tuple[object, ...], bool]
"""Its values, and whether they are all."""


@dataclass(frozen=True, slots=True)
class Witnesses:
    """One request for each set."""

    requests: tuple[Request, ...]
    complete: bool
    """False: there are more sets than are looked at."""


@dataclass(frozen=True, slots=True)
class Questions:
    """What policies ask of requests."""

    methods: tuple[Pattern, ...] = ()
    paths: tuple[Pattern, ...] = ()
    """Without the query."""
    full_paths: tuple[Pattern, ...] = ()
    hosts: tuple[Pattern, ...] = ()
    """In lower case: it does not count."""
    authorities: tuple[Pattern, ...] = ()
    """Where it counts."""
    headers: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)
    names: tuple[Pattern, ...] = ()
    """Of the server, in the TLS handshake, in lower case."""
    blocks: tuple[IPNetwork, ...] = ()
    """Of addresses that headers name."""

    @classmethod
    def of(
        cls,
        policies: Iterable[AuthorizationPolicy],
        paths: Iterable[str] = (),
        methods: Iterable[str] = (),
    ) -> Questions:
        """The questions of all rules of these policies, and further ones about paths and methods.
        What Istio cannot read asks nothing.
        """
        asked: dict[tuple[str, str], dict[Pattern | IPNetwork, None]] = {}
        for policy in policies:
            for rule in policy.rules:
                for clause in rule.clauses:
                    for axis, question in _questions(clause):
                        asked.setdefault(axis, {})[question] = None
        for name, values in (("paths", paths), ("methods", methods)):
            for axis, pattern in (found for value in values for found in _simple(name, value)):
                asked.setdefault(axis, {})[pattern] = None
        plain = {name: _patterns(found) for (name, _), found in asked.items()}
        headers = {
            name: _patterns(found) for (axis, name), found in asked.items() if axis == "headers"
        }
        blocks = tuple(
            block for block in asked.get(("blocks", ""), {}) if not isinstance(block, Pattern)
        )
        plain.pop("headers", None)
        plain.pop("blocks", None)
        return cls(**plain, headers=headers, blocks=blocks)

    def signature(self, request: Request, how: Normalization) -> tuple[Vector, ...] | None:
        """What policies learn of a request; None where the proxy refuses it, or where it cannot be
        told. Two with one signature have one ruling.
        """
        if not is_http(request):
            return (vector(self.names, (request.sni or "").lower()),)
        seen = normalized(request.path or "/", how)
        if len(seen) != 1 or seen[0] is None:
            return None
        host, headers = request.host or "", lines(request)
        last = forwarded_for(headers)
        return (
            vector(self.methods, request.method or "GET"),
            vector(self.paths, seen[0].partition("?")[0]),
            vector(self.full_paths, seen[0]),
            (*vector(self.hosts, host.lower()), *vector(self.authorities, host)),
            vector(self.names, (request.sni or "").lower()),
            self._named(last),
            *(
                (name in headers, *(any(map(p.matches, headers.get(name, ()))) for p in found))
                for name, found in self.headers.items()
            ),
        )

    def _named(self, address: IPAddress | None) -> Vector:
        if not self.blocks:
            return ()
        return (address is not None, *(address is not None and address in b for b in self.blocks))


def _patterns(found: Iterable[Pattern | IPNetwork]) -> tuple[Pattern, ...]:
    return tuple(question for question in found if isinstance(question, Pattern))


_ANY = Pattern(Kind.PREFIX, "")
"""What is there at all."""

_SIMPLE = {"methods": "methods", "hosts": "hosts", "connection.sni": "names", "paths": "paths"}
_PSEUDO = {":method": "methods", ":path": "full_paths", ":authority": "authorities"}


def _questions(clause: Clause) -> Iterator[tuple[tuple[str, str], Pattern | IPNetwork]]:
    base = conditions.base_field(clause)
    for value in (*clause.values, *clause.unwanted):
        if base in _SIMPLE:
            yield from _simple(_SIMPLE[base], value)
        elif base == "remoteIpBlocks" and (block := network(value)):
            yield ("blocks", ""), block
        elif base == conditions.HEADERS:
            yield from _of_header(clause.field, value)


def _simple(axis: str, value: str) -> Iterator[tuple[tuple[str, str], Pattern]]:
    try:
        pattern = path_pattern(value) if axis == "paths" else string_pattern(value)
    except UnloadableError:
        return
    if axis in ("hosts", "names"):
        pattern = Pattern(pattern.kind, pattern.text.lower())
    yield (axis, ""), pattern


def _of_header(key: str, value: str) -> Iterator[tuple[tuple[str, str], Pattern]]:
    name = conditions.plain_header_name(key)
    pattern = string_pattern(value)
    if not name or name == ":scheme":
        return
    if name in _PSEUDO:
        yield (_PSEUDO[name], ""), pattern
    else:
        yield ("headers", name), _ANY if pattern.kind is Kind.SOME else pattern


def witnesses(
    asked: Questions, port: int, how: Normalization, speaks: frozenset[str], host: str = OTHER_HOST
) -> Witnesses:
    """A request to `port` for each set of those that the questions do not tell apart. Where the
    port may take what is no HTTP, that too. `host` is whom requests name where it matters not.
    """
    names = _names(asked)
    found: list[Request] = []
    complete = names[1]
    if speaks & {"http", "auto"}:
        axes = (
            _methods(asked),
            _paths(asked.paths, asked.full_paths, how),
            _hosts(asked, host),
            _headers(asked),
            names,
        )
        size = prod(len(values) for values, _ in axes)
        found += [_request(port, *values) for values in islice(_product(axes), REQUESTS)]
        complete = complete and size <= REQUESTS and all(whole for _, whole in axes)
    if speaks & {"tcp", "auto"}:
        found += [Request(port, sni=_text(name)) for name in names[0]]
    return Witnesses(tuple(found), complete)


def _product(axes: Sequence[Axis]) -> Iterator[tuple[object, ...]]:
    return product(*(values for values, _ in axes))


def _request(port: int, *values: object) -> Request:
    method, path, host, headers, name = values
    return Request(
        port=port,
        method=str(method),
        path=str(path),
        host=str(host),
        headers=headers if isinstance(headers, tuple) else (),
        sni=_text(name),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _methods(asked: Questions) -> Axis:
    found: dict[Vector, object] = {}
    for method in METHODS:
        found.setdefault(vector(asked.methods, method), method)
    return tuple(found.values()), True


@lru_cache(1 << 10)
def _paths(wanted: tuple[Pattern, ...], full: tuple[Pattern, ...], how: Normalization) -> Axis:
    natural = dict.fromkeys(_natural_paths((*wanted, *full)))
    stable = [text for text in natural if _is_stable(text, how)]
    found = paths(wanted, full, stable, how, limit=VALUES)
    return tuple(found.found.values()), found.complete


def _is_stable(path: str, how: Normalization) -> bool:
    printable = all("!" <= char <= "~" for char in path)
    return path.startswith("/") and printable and normalized(path, how) == (path,)


def _natural_paths(patterns: Iterable[Pattern]) -> Iterator[str]:
    """What people and attackers would send."""
    exact = [text for pattern in patterns if (text := _natural(pattern)) is not None]
    yield from exact
    yield OTHER_PATH
    yield "/"
    for text in exact:
        for ending in ("/", "x", "/x", "%2F..%2Fexport", ";x"):
            yield text + ending
        yield f"/{text}"
        yield text.upper()
        yield f"/x{text}"


def _natural(pattern: Pattern) -> str | None:
    if pattern.kind is Kind.TEMPLATE:
        parts = (part if isinstance(part, str) else "x" for part in pattern.parts)
        return "".join(parts)
    if pattern.kind is Kind.SUFFIX and not pattern.text.startswith("/"):
        return f"/x{pattern.text}"
    return pattern.text if pattern.kind is not Kind.SOME else None


def _hosts(asked: Questions, host: str) -> Axis:
    if not asked.hosts and not asked.authorities:
        return (host,), True
    told = [p.text for p in (*asked.hosts, *asked.authorities) if p.kind is not Kind.SOME]
    plain = [f"{text}8080" if text.endswith(":") else text for text in told]
    natural = [host, *plain]
    for text in plain:
        natural += [f"{text}:8080", f"{text}.", f"x{text}", f"{text}x"]
    found = texts(asked.authorities, asked.hosts, natural, _in_host, limit=VALUES)
    return tuple(found.found.values()), found.complete


def _in_host(char: str) -> bool:
    return "!" <= char <= "~" and char not in '/?#"<>\\^`{|}'


def _names(asked: Questions) -> Axis:
    """None where nobody asks."""
    if not asked.names:
        return (None,), True
    plain = [p.text for p in asked.names if p.kind is not Kind.SOME]
    natural = [*plain, *(f"x{text}" for text in plain), *(f"{text}x" for text in plain)]
    found = texts((), asked.names, natural, _in_name, limit=VALUES)
    return tuple(found.found.values()), found.complete


def _in_name(char: str) -> bool:
    return char.isascii() and (char.isalnum() or char in "-._")


def _headers(asked: Questions) -> Axis:
    """Sets of header lines: one of each header's outcomes, and an address that a header names."""
    axes = [_lines(name, patterns) for name, patterns in asked.headers.items()]
    if asked.blocks and FORWARDED not in asked.headers:
        axes.append(_forwarded(asked.blocks))
    whole = all(found for _, found in axes) and not (asked.blocks and FORWARDED in asked.headers)
    sets = list(islice(_product(axes), REQUESTS + 1))
    together = [
        tuple(line for lines in each if isinstance(lines, tuple) for line in lines) for each in sets
    ]
    return tuple(together), whole and len(sets) <= REQUESTS


def _lines(name: str, patterns: Sequence[Pattern]) -> Axis:
    """The header absent, each outcome of one line, and those that several lines have together."""
    plain = [p.text for p in patterns]
    natural = [*plain, "x", *(f"{t}x" for t in plain), *(f"x{t}" for t in plain), ""]
    single = texts(patterns, (), natural, _in_value, limit=VALUES)
    found: dict[Vector, tuple[str, ...]] = {v: (text,) for v, text in single.found.items()}
    added = list(found.items())
    while added and len(found) < VALUES:
        vectors, values = added.pop()
        for other, text in single.found.items():
            either = tuple(map(max, vectors, other))
            if either not in found:
                found[either] = (*values, text)
                added.append((either, found[either]))
    values_of = [tuple((name, value) for value in values) for values in found.values()]
    return ((), *values_of), single.complete and not added


def _in_value(char: str) -> bool:
    return " " <= char <= "~"


def _forwarded(blocks: Sequence[IPNetwork]) -> Axis:
    """No such header, and an address for each set of those that the blocks do not tell apart."""
    found: dict[Vector, tuple[tuple[str, str], ...]] = {}
    for kind, bits in ((IPv4Address, 32), (IPv6Address, 128)):
        own = [block for block in blocks if block.max_prefixlen == bits]
        ends = {int(b.network_address) for b in own} | {int(b.broadcast_address) + 1 for b in own}
        for number in sorted((ends | {1}) - {1 << bits}):
            address = kind(number)
            told = tuple(address in block for block in blocks)
            found.setdefault(told, ((FORWARDED, str(address)),))
    return ((), *found.values()), True
