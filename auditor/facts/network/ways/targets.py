"""What a proxy makes of the target and the host of a request before it chooses a route.

Rules: RFC 3986 section 6.2.2, as Envoy applies them with ``normalize_path`` (the default of Istio's
gateways) and as its ``Utility::QueryParamsMulti`` reads a query. Slashes that follow each other
stay, as do ``%2F`` and ``%5C``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from auditor.values import dataclass

_UNRESERVED = frozenset(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")
_PORT = re.compile(r":[0-9]*\Z")


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a request, taken apart."""

    path: str
    """Normalised, without query and fragment."""
    query: tuple[tuple[str, str], ...]
    """Names and values in order, as written: nothing is decoded."""
    host: str | None
    """The one of a target in absolute form, which stands before the Host header."""


def read_target(text: str) -> Target | None:
    """None where the proxy answers 400 itself: the path does not begin with a slash."""
    found = _AUTHORITY.match(text)
    rest = text[found.end() :] if found else text
    if found and not rest.startswith("/"):
        rest = f"/{rest}"
    before, _, _ = rest.partition("#")
    path, _, query = before.partition("?")
    if not path.startswith("/"):
        return None
    return Target(normalised(path), tuple(_pairs(query)), found[1] if found else None)


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        yield name, value


def normalised(path: str) -> str:
    """The path with escapes of unreserved characters undone, backslashes turned, and ``.`` and
    ``..`` resolved; going above the root stays at the root.
    """
    plain = _ESCAPE.sub(_unescaped, path).replace("\\", "/")
    *folders, last = plain.split("/")[1:]
    kept: list[str] = []
    for step in folders:
        _enter(kept, step)
    if _bare(last) in (".", ".."):
        _enter(kept, last)
        last = ""
    return "/" + "/".join([*kept, last])


def _enter(kept: list[str], step: str) -> None:
    if _bare(step) == "..":
        del kept[-1:]
    elif _bare(step) != ".":
        kept.append(step)


def _bare(step: str) -> str:
    """A dotted segment without its parameters: since the fix of CVE-2026-73551, Envoy takes
    ``..;x`` for ``..``.
    """
    dots, semicolon, _ = step.partition(";")
    return dots if semicolon and dots == ".." else step


def _unescaped(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0]


def host_of(authority: str) -> str:
    """The host of an authority, in lower case and without its port. A dot at the end stays."""
    return _PORT.sub("", authority).lower()
