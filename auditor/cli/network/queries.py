"""Reads the questions of `auditor network check`: one JSON object a line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from auditor.facts.network.requests import Request, Transport
from auditor.values import dataclass

ENTITIES = (
    "world",
    "world-ipv4",
    "world-ipv6",
    "host",
    "remote-node",
    "kube-apiserver",
    "health",
    "ingress",
    "init",
    "unmanaged",
    "cluster",
    "all",
)
"""What an end may be that is neither a pod nor an address; who is known decides `asking`."""
TRANSPORTS: tuple[Transport, ...] = ("mtls", "plaintext", "hbone")
LAST = 65535
FIELDS = (
    "src", "dst", "protocol", "port", "method", "path", "host", "headers", "sni", "transport",
    "appProtocol",
)  # fmt: skip
END_FIELDS = ("namespace", "pod", "ip", "entity", "serviceAccount", "trustDomain")
PORTLESS = ("ICMP", "ICMPV6", "ICMPv6")


class QueryError(Exception):
    """A line that is no question: which field of it, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Asked:
    """One end of a question, as it was written."""

    namespace: str = ""
    pod: str = ""
    ip: str = ""
    entity: str = ""
    account: str = ""
    trust_domain: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """One question."""

    src: Asked
    dst: Asked
    request: Request


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line that is none."""

    field: str
    """``src.pod``; empty for the whole line."""
    why: str


def queries(lines: Iterable[bytes]) -> Iterator[tuple[int, Query | Wrong]]:
    """Each line that is not blank with its number, from 1."""
    import orjson

    for number, whole in enumerate(lines, 1):
        line = whole.removeprefix(b"\xef\xbb\xbf") if number == 1 else whole
        if not line.strip():
            continue
        try:
            yield number, query(orjson.loads(line))
        except orjson.JSONDecodeError as error:
            yield number, Wrong("", f"is no JSON: {error.msg} at character {error.colno}")
        except QueryError as error:
            yield number, Wrong(error.field, error.why)


def query(value: Any) -> Query:
    """The question that a JSON value is.

    Raises:
        QueryError: it is none.
    """
    if not isinstance(value, dict):
        raise QueryError("", "is no JSON object")
    _check_names(value, FIELDS, "")
    return Query(_end(value, "src"), _end(value, "dst"), _request(value))


def _check_names(value: Mapping[str, Any], known: Iterable[str], where: str) -> None:
    """A mistyped field would let another question be answered. Others belong to whoever asks.

    Raises:
        QueryError: a field looks like one of those that are known, and is none.
    """
    for key in value:
        if key not in known and (close := difflib.get_close_matches(key, known, 1, 0.8)):
            raise QueryError(f"{where}{key}", f"is no field; did you mean '{close[0]}'?")


def _end(query: Mapping[str, Any], name: str) -> Asked:
    end = query.get(name)
    if not isinstance(end, dict):
        raise QueryError(name, "is missing" if end is None else "is no JSON object")
    _check_names(end, END_FIELDS, f"{name}.")
    texts = {key: _text(end, key, f"{name}.{key}") for key in END_FIELDS}
    found = Asked(
        texts["namespace"] or "",
        texts["pod"] or "",
        _ip(texts["ip"], f"{name}.ip"),
        texts["entity"] or "",
        texts["serviceAccount"] or "",
        texts["trustDomain"] or "",
    )
    _check_form(found, name)
    return found


def _check_form(end: Asked, name: str) -> None:
    """Whether it is one of the four forms."""
    if end.entity:
        if end.entity not in ENTITIES:
            raise QueryError(f"{name}.entity", f"'{end.entity}' is none of {', '.join(ENTITIES)}")
        return
    if end.pod and end.account:
        raise QueryError(f"{name}.serviceAccount", "a pod has its own: leave one of the two out")
    if (end.pod or end.account) and not end.namespace:
        raise QueryError(f"{name}.namespace", "is missing")
    if not (end.pod or end.account or end.ip):
        forms = "namespace and pod, ip, entity, or namespace and serviceAccount"
        raise QueryError(name, f"names nobody: it needs {forms}")


def _text(value: Mapping[str, Any], key: str, field: str) -> str | None:
    found = value.get(key)
    if found is None or isinstance(found, str):
        return found
    raise QueryError(field, "is no text")


def _ip(text: str | None, field: str) -> str:
    if not text:
        return ""
    try:
        return str(ip_address(text))
    except ValueError:
        raise QueryError(field, f"'{text[:80]}' is no IP address") from None


def _request(value: Mapping[str, Any]) -> Request:
    protocol = _text(value, "protocol", "protocol") or "TCP"
    return Request(
        port=_port(value.get("port"), protocol),
        protocol=protocol.upper(),
        method=_text(value, "method", "method"),
        path=_text(value, "path", "path"),
        host=_text(value, "host", "host"),
        headers=tuple(_headers(value.get("headers"))),
        sni=_text(value, "sni", "sni"),
        transport=_transport(_text(value, "transport", "transport")),
        app_protocol=_text(value, "appProtocol", "appProtocol"),
    )


def _transport(text: str | None) -> Transport | None:
    for known in TRANSPORTS:
        if text == known:
            return known
    if text is None:
        return None
    raise QueryError("transport", f"'{text[:80]}' is none of {', '.join(TRANSPORTS)}")


def _port(value: Any, protocol: str) -> int:
    if value is None and protocol in PORTLESS:
        return 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise QueryError("port", "is missing" if value is None else "is no number")
    if not 1 <= value <= LAST:
        raise QueryError("port", f"is not between 1 and {LAST}")
    return value


def _headers(value: Any) -> Iterator[tuple[str, str]]:
    """A mapping of names to one line or to several; or a list of pairs."""
    if value is None:
        return
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list):
        raise QueryError("headers", "is neither an object nor a list of pairs")
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str):
            raise QueryError("headers", "has an entry that is no pair of a name and a text")
        name, lines = pair
        for line in lines if isinstance(lines, list) else [lines]:
            if not isinstance(line, str):
                raise QueryError(f"headers.{name[:80]}", "is neither a text nor a list of texts")
            yield name, line
