"""What somebody asked of an API server, as its audit log and access reviews tell it: events of
``audit.k8s.io``, and the questions of `requests`.

https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.facts.access.holders import ACCOUNTS, AUTHENTICATED
from auditor.facts.access.requests import Request, RequestError, request_of
from auditor.facts.access.rules import ALL
from auditor.facts.access.subjects import account_named
from auditor.manifests import mapping, sequence

AUDIT = "audit.k8s.io"
DECISION = "authorization.k8s.io/decision"
EARLY = "RequestReceived"
"""The stage before anybody is authorized: what comes of the request, a later event tells."""
STREAMS = frozenset(("exec", "attach", "portforward"))
"""Subresources of pods: over websockets, a GET of them has to be allowed as a create as well."""


def items_of(document: Any) -> Iterator[tuple[str, Any]]:
    """What one line of a log holds, each with its place in it: the items of an EventList, else the
    line itself, at ''.
    """
    items = document.get("items") if _is_list(document) else None
    if not isinstance(items, list):
        yield "", document
        return
    yield from ((f"items[{number}]", item) for number, item in enumerate(items))


def _is_list(document: Any) -> bool:
    return (
        isinstance(document, Mapping)
        and document.get("kind") == "EventList"
        and _group_of(document) == AUDIT
    )


def _group_of(document: Mapping[str, Any]) -> str:
    return str(document.get("apiVersion")).partition("/")[0]


def uses_of(document: Any) -> tuple[Request, ...]:
    """The requests that one event or review tells of; none where the server refused it, or had not
    authorized it yet.

    Raises:
        RequestError: it tells of none, or of one that cannot be followed.
    """
    if not isinstance(document, Mapping):
        raise RequestError("has to be a JSON object")
    is_event = _group_of(document) == AUDIT
    found = _event(document) if is_event else (request_of(document),)
    return tuple(map(_checked, found))


def _checked(request: Request) -> Request:
    """The same one. In a rule, a star would stand for more than was asked."""
    for field in ("verb", "group", "resource", "subresource"):
        if ALL in getattr(request, field):
            raise RequestError(f"{field}: '{getattr(request, field)}' is no single one")
    if request.path is not None and ALL in request.path:
        raise RequestError(f"path: '{request.path}' is no single one")
    return request


def _event(event: Mapping[str, Any]) -> Iterator[Request]:
    """What one event tells of: the request, and, where it was made as somebody else, the right to
    be that one.
    """
    if event.get("kind") == "EventList":
        raise RequestError("kind: an EventList holds events, in a list of items")
    if event.get("kind") != "Event":
        raise RequestError(f"kind: '{event.get('kind')}' is no event of an audit log")
    if event.get("stage") == EARLY:
        return
    if mapping(event.get("annotations")).get(DECISION) == "forbid":
        return
    acting = mapping(event.get("user"))
    other = event.get("impersonatedUser")
    asked = _asked(event, mapping(other) if other is not None else acting)
    yield asked
    is_pod = asked.resource == "pods" and not asked.group
    if asked.verb == "get" and is_pod and asked.subresource in STREAMS:
        yield replace(asked, verb="create")
    if other is not None:
        yield from _impersonating(acting, mapping(other))


def _asked(event: Mapping[str, Any], who: Mapping[str, Any]) -> Request:
    about = mapping(event.get("objectRef"))
    document: dict[str, Any] = {
        "user": who.get("username"),
        "groups": who.get("groups"),
        "verb": event.get("verb"),
    }
    if not document["user"]:
        raise RequestError("user.username: is missing")
    if not about.get("resource"):
        if not isinstance(event.get("requestURI"), str):
            raise RequestError("objectRef.resource: is missing, and so is requestURI")
        # No URL: it begins with a path, be that '//'.
        return request_of({**document, "nonResourceURL": event["requestURI"].partition("?")[0]})
    fields = {"namespace": "namespace", "group": "apiGroup", "resource": "resource"}
    fields |= {"subresource": "subresource", "name": "name"}
    given = {key: about[field] for key, field in fields.items() if field in about}
    if event.get("verb") == "create" and not about.get("subresource"):
        given.pop("name", None)  # it is taken from the object; whoever authorizes does not know it
    return request_of({**document, **given})


def _impersonating(acting: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Request]:
    if other.get("uid") or other.get("extra"):
        raise RequestError("impersonatedUser: its uid or extra values are not followed")
    who = {"user": acting.get("username"), "groups": acting.get("groups"), "verb": "impersonate"}
    name = str(other.get("username"))
    if found := account_named(name):
        home, own = found
        yield request_of({**who, "namespace": home, "resource": "serviceaccounts", "name": own})
    else:
        yield request_of({**who, "resource": "users", "name": name})
    for group in sequence(other.get("groups")):
        if group != AUTHENTICATED and not str(group).startswith(ACCOUNTS):
            yield request_of({**who, "resource": "groups", "name": group})
