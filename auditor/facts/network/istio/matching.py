"""How Istio and Envoy compare texts, paths and addresses.

Sources: istio pilot/pkg/security/authz/matcher (what a value means), Envoy
source/extensions/path/uri_template_lib (templates), Envoy source/common/http/path_utility.cc with
the canonicalisation of Google's URL library (normalisation of paths).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from auditor.facts.selectors import Truth
from auditor.values import dataclass

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network


class UnloadableError(Exception):
    """Envoy cannot load a filter with this value. Never leaves the package."""


class Kind(Enum):
    """How a pattern compares."""

    EXACT = "is"
    PREFIX = "begins with"
    SUFFIX = "ends with"
    SOME = "is not empty"
    TEMPLATE = "has the form"


@dataclass(frozen=True, slots=True)
class Glob:
    """A part of a template: one segment or, where it `spans` them, any number."""

    spans: bool = False


@dataclass(frozen=True, slots=True)
class Repeated:
    """A character that stands before a star in a literal: Envoy reads the two as a regular
    expression does, the character any number of times.
    """

    char: str


Part = str | Glob | Repeated

TEMPLATE_CHARS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;:@="
)
"""What an operator of a template takes, besides the slash, and what its literals may hold."""

_ONE, _ANY = "{*}", "{**}"


@dataclass(frozen=True, slots=True)
class Pattern:
    """A value of a policy, as Envoy compares it."""

    kind: Kind
    text: str = ""
    """What the text is, begins or ends with; of a template what is written."""
    parts: tuple[Part, ...] = ()
    """Of a template."""

    def matches(self, text: str) -> bool:
        """Whether `text` is meant. Cost: linear in its length."""
        kind = self.kind
        if kind is Kind.EXACT:
            return text == self.text
        if kind is Kind.PREFIX:
            return text.startswith(self.text)
        if kind is Kind.SUFFIX:
            return text.endswith(self.text)
        if kind is Kind.SOME:
            return bool(text)
        return _expression(self.parts).fullmatch(text) is not None


@lru_cache(1 << 12)
def _expression(parts: tuple[Part, ...]) -> re.Pattern[str]:
    return re.compile("".join(map(_part_expression, parts)))


def _part_expression(part: Part) -> str:
    if isinstance(part, str):
        return re.escape(part)
    if isinstance(part, Repeated):
        return f"{re.escape(part.char)}*"
    chars = "".join(re.escape(char) for char in sorted(TEMPLATE_CHARS))
    return f"[/{chars}]*" if part.spans else f"[{chars}]+"


def string_pattern(value: str) -> Pattern:
    """How a value of most fields compares: a star at one end stands for anything."""
    if value == "*":
        return Pattern(Kind.SOME)
    if value.startswith("*"):
        return Pattern(Kind.SUFFIX, value[1:])
    if value.endswith("*"):
        return Pattern(Kind.PREFIX, value[:-1])
    return Pattern(Kind.EXACT, value)


def path_pattern(value: str) -> Pattern:
    """How a value of `paths` compares.

    Raises:
        UnloadableError: it is a template that Envoy does not take.
    """
    if is_template(value):
        return Pattern(Kind.TEMPLATE, value, _template(value))
    return string_pattern(value)


def is_template(value: str) -> bool:
    """Whether Istio takes it for a template."""
    return _ONE in value or _ANY in value


def _template(value: str) -> tuple[Part, ...]:
    # Braces go, and what is left is Envoy's own syntax: a star that was written counts as well.
    text = value.replace(_ONE, "*").replace(_ANY, "**")
    if not re.fullmatch(r"/[!-~]*", text):
        raise UnloadableError(f"the template '{value}' does not begin with a slash")
    segments = text[1:].split("/")
    ending: list[Part] = ["/"] if segments[-1] == "" and len(segments) > 1 else []
    segments = segments[:-1] if ending else segments
    parts: list[Part] = []
    spanned = False
    for index, segment in enumerate(segments):
        parts.append("/")
        found = _segment(segment, value, last=index == len(segments) - 1 and not ending)
        globs = [part for part in found if isinstance(part, Glob)]
        if globs and spanned:
            raise UnloadableError(f"the template '{value}' has an operator behind {_ANY}")
        spanned = spanned or any(glob.spans for glob in globs)
        parts += found
    return (*parts, *ending)


def _segment(segment: str, value: str, *, last: bool) -> list[Part]:
    """An operator, a literal, or, in the last one, an operator with a literal behind it."""
    found: list[Part] = []
    rest = segment
    if segment.startswith("*"):
        stars = 2 if segment.startswith("**") else 1
        found, rest = [Glob(spans=stars == 2)], segment[stars:]
        if not rest:
            return found
        if not last:
            raise UnloadableError(f"in the template '{value}' text follows an operator")
    if not rest and value == "/":
        return found
    if not rest or not TEMPLATE_CHARS.issuperset(rest):
        raise UnloadableError(f"'{rest}' in the template '{value}' is no literal of one")
    return [*found, *_literal(rest, value)]


def _literal(text: str, value: str) -> Iterator[Part]:
    before, *repeated = text.split("*")
    for after in repeated:
        if not before:
            raise UnloadableError(f"the template '{value}' has a star behind nothing")
        if before[:-1]:
            yield before[:-1]
        yield Repeated(before[-1])
        before = after
    if before:
        yield before


@lru_cache(1 << 12)
def namespace_matches(value: str, identity: str) -> bool:
    """Whether `namespaces` with `value` means a SPIFFE identity: stars stand for anything, also for
    slashes, anywhere.
    """
    return _glob(f"*/ns/{value}/*", identity)


def _glob(pattern: str, text: str) -> bool:
    """Whether `text` is `pattern` with anything for each star. Cost: linear, without recursion."""
    first, *rest = pattern.split("*")
    if not rest:
        return text == first
    *middle, last = rest
    if not text.startswith(first) or len(text) < len(first) + len(last):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return text.endswith(last)


@lru_cache(1 << 12)
def trust_domain_matches(value: str, identity: str) -> bool:
    """Whether `trustDomains` with `value` means a SPIFFE identity: a star stands for anything
    within the trust domain, wherever it is.
    """
    prefix = "spiffe://"
    if "*" not in value:
        return identity.startswith(f"{prefix}{value}/")
    domain, slash, _ = identity.removeprefix(prefix).partition("/")
    return identity.startswith(prefix) and bool(slash) and _glob(value, domain)


@lru_cache(1 << 12)
def network(value: str) -> IPNetwork | None:
    """The addresses that a value means, host bits left aside; None where Istio finds none in it."""
    address, slash, length = value.partition("/")
    if "%" in value or (slash and not re.fullmatch(r"0|[1-9]\d{0,2}", length)):
        return None
    try:
        return ip_network(value, strict=False) if slash else ip_network(ip_address(address))
    except ValueError:
        return None


def within(net: IPNetwork, addresses: tuple[IPAddress, ...] | None) -> Truth:
    """Whether one that has one of these addresses is inside; None: nothing is known of it."""
    if addresses is None:
        return Truth.YES if net == _ALL_IPV4 else Truth.MAYBE
    inside = [address in net for address in addresses]
    if all(inside) and inside:
        return Truth.YES
    return Truth.MAYBE if any(inside) else Truth.NO


_ALL_IPV4 = ip_network("0.0.0.0/0")


class Normalization(Enum):
    """What becomes of a path before it is compared (`pathNormalization` of the mesh)."""

    NONE = "NONE"
    BASE = "BASE"
    MERGE_SLASHES = "MERGE_SLASHES"
    DECODE_AND_MERGE_SLASHES = "DECODE_AND_MERGE_SLASHES"


UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
ESCAPED = frozenset(' "#<>?\\^`{|}\x7f')
"""What is written as a percent escape where it stands plain in a path."""

_ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
_SLASHES = re.compile(r"%(?:2[fF]|5[cC])")
_PARAMETERS = re.compile(r"(?:\.|%2[eE]){1,2};.*")
"""A segment of dots with parameters behind it."""
_DOTS = re.compile(r"(?:\.|%2[eE]){1,2}")


@lru_cache(1 << 12)
def normalized(sent: str, how: Normalization) -> tuple[str | None, ...]:
    """What a path that is sent, with its query, may become: one text, or several where versions of
    Envoy differ. None: Envoy refuses the request.

    A segment ``..;`` is read as ``..`` by Envoy 1.36.10, 1.37.6, 1.38.4, 1.39.1 and later
    (CVE-2026-73551), which is taken for granted; what else a semicolon after dots does is not known
    and gives both readings.
    """
    sent = sent.partition("#")[0]
    path, mark, query = sent.partition("?")
    if how is Normalization.NONE:
        return (sent,)
    if how is Normalization.DECODE_AND_MERGE_SLASHES:
        path = _SLASHES.sub(lambda found: chr(int(found[0][1:], 16)), path)
    readings = []
    for clean in _readings(path):
        found = _canonical(clean)
        if found is not None and how is not Normalization.BASE:
            found = re.sub("/+", "/", found)
        readings.append(None if found is None else f"{found}{mark}{query}")
    return tuple(dict.fromkeys(readings))


def _readings(path: str) -> tuple[str, ...]:
    segments = path.replace("\\", "/").split("/")
    if not any(_PARAMETERS.fullmatch(segment) for segment in segments):
        return (path,)
    known = [".." if re.fullmatch(r"(?:\.|%2[eE]){2};", part) else part for part in segments]
    if not any(_PARAMETERS.fullmatch(segment) for segment in known):
        return ("/".join(known),)
    bare = [part.partition(";")[0] if _PARAMETERS.fullmatch(part) else part for part in known]
    return ("/".join(known), "/".join(bare))


def _canonical(path: str) -> str | None:
    """Without dot segments and with needless escapes undone; None where it holds a NUL."""
    if "\x00" in path or "%00" in path:
        return None
    out: list[str] = []
    segments = path.replace("\\", "/").split("/")[1:]
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if not _DOTS.fullmatch(segment):
            out.append(_segment_text(segment))
            continue
        if out and len(segment.lower().replace("%2e", ".")) == 2:
            out.pop()
        if last:
            out.append("")
    return "/" + "/".join(out)


def _segment_text(segment: str) -> str:
    """A segment with its needless escapes undone and the needed ones made. What undoing them would
    make an escape itself is kept from being one.
    """
    if "%" not in segment and ESCAPED.isdisjoint(segment):
        return segment
    out, index, bare = "", 0, -3
    while index < len(segment):
        char, escape = segment[index], _ESCAPE.match(segment, index)
        if escape is None:
            bare = len(out) if char == "%" else bare
            out += f"%{ord(char):02X}" if char in ESCAPED else char
            index += 1
            continue
        index += 3
        plain = chr(int(escape[1], 16))
        out += plain if plain in UNRESERVED else escape[0]
        if plain in UNRESERVED and bare >= len(out) - 3:
            out = _kept_apart(out, bare, segment[index : index + 1])
    return out


def _kept_apart(out: str, bare: int, after: str) -> str:
    """`out`, whose percent sign at `bare` began no escape: it must begin none with what follows."""
    follows = out[bare:] + (after if bare == len(out) - 2 else "")
    return f"{out[:bare]}%25{out[bare + 1 :]}" if _ESCAPE.fullmatch(follows) else out
