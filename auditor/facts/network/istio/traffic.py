"""A request as the proxy of its target sees it, or why that proxy refuses it itself.

What Envoy's codec and connection manager do before any filter, with the settings that Istio gives
to a sidecar's inbound listener: HTTP/1.1, `use_remote_address` false, no trusted hops.

Source: Envoy source/common/http/http1/codec_impl.cc and conn_manager_utility.cc.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from ipaddress import ip_address

from auditor.facts.network.istio.conditions import Seen
from auditor.facts.network.istio.matching import IPAddress, Normalization, normalized
from auditor.facts.network.requests import Request
from auditor.values import dataclass

METHODS = (
    "GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "TRACE", "ACL", "BIND", "CHECKOUT",
    "COPY", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL", "MOVE", "M-SEARCH",
    "NOTIFY", "PROPFIND", "PROPPATCH", "PURGE", "REBIND", "REPORT", "SEARCH", "SOURCE",
    "SUBSCRIBE", "UNBIND", "UNLINK", "UNLOCK", "UNSUBSCRIBE",
)  # fmt: skip
"""What the codec takes for HTTP/1.1, the common ones first; CONNECT is not routed."""

FORWARDED = "x-forwarded-for"

_ADDED = ("x-envoy-", "x-b3-", "x-request-id", "x-forwarded-proto", "x-forwarded-client-cert")
"""Beginnings of the names of headers that sidecars of both ends write."""

_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_UNSENDABLE = re.compile(r"[^!-~]")


@dataclass(frozen=True, slots=True)
class Refused:
    """The proxy answers itself, whatever policies say."""

    why: str


def is_http(request: Request) -> bool:
    """Whether what is sent is HTTP."""
    return (
        request.method is not None
        or request.path is not None
        or (request.app_protocol or "").startswith(("http", "grpc"))
    )


def views(request: Request, base: Seen, how: Normalization) -> tuple[Seen | Refused, ...]:
    """What the proxy makes of an HTTP request on the connection `base`; several where versions of
    Envoy differ.
    """
    method, target = request.method or "GET", request.path if request.path is not None else "/"
    refusal = _refusal(method, target)
    if refusal:
        return (Refused(refusal),)
    headers = lines(request)
    host = request.host if request.host is not None else headers.get("host", (None,))[-1]
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute:
        host, rest = absolute[1], absolute[2]
        target = rest if rest.startswith("/") else f"/{rest}"
    if host is None:
        return (Refused("HTTP/1.1 without a Host header is answered with 400"),)
    remote = _remote(headers, base.peer)
    return tuple(
        Refused("a path that cannot be normalised is answered with 400")
        if full is None
        else replace(
            base, method=method, host=host, headers=headers, added=_added, remote=remote,
            path=full.partition("?")[0], full_path=full,
        )
        for full in normalized(target, how)
    )  # fmt: skip


def _refusal(method: str, target: str) -> str:
    if method not in METHODS:
        return f"the proxy does not know the method {method}"
    if target == "*":
        return "the proxy has no route for *"
    if not target.startswith("/") and not _ABSOLUTE.fullmatch(target):
        return "a path that does not begin with a slash is answered with 400"
    if _UNSENDABLE.search(target):
        return "a path with anything but visible ASCII is answered with 400"
    return ""


def lines(request: Request) -> Mapping[str, tuple[str, ...]]:
    """The header lines by lower-case name, without space around their values."""
    found: dict[str, tuple[str, ...]] = {}
    for name, value in request.headers:
        key = name.lower()
        found[key] = (*found.get(key, ()), value.strip(" \t"))
    return found


def _added(name: str) -> bool:
    return name.startswith(_ADDED)


def _remote(
    headers: Mapping[str, tuple[str, ...]], peer: tuple[IPAddress, ...] | None
) -> tuple[IPAddress, ...] | None:
    """Who the request says that it was forwarded for last; else who sends it."""
    found = forwarded_for(headers)
    return (found,) if found else peer


def forwarded_for(headers: Mapping[str, tuple[str, ...]]) -> IPAddress | None:
    """The last address of X-Forwarded-For; None where there is none."""
    if FORWARDED not in headers:
        return None
    last = headers[FORWARDED][-1].rpartition(",")[2].strip()
    try:
        return ip_address(last)
    except ValueError:
        return None
