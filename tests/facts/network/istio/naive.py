"""A second reading of AuthorizationPolicy, straight from the manifests, to compare with: valid
policies alone, callers whose identity and address are known, paths that need no normalisation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request; `http` false: only its port, identity and addresses count."""

    http: bool
    identity: str
    """``cluster.local/ns/a/sa/b``; empty without one."""
    address: str
    remote: str
    port: int
    method: str
    path: str
    host: str
    headers: Mapping[str, tuple[str, ...]]


HTTP = ("methods", "paths", "hosts", "requestPrincipals")


class NotHttpError(Exception):
    """A field of HTTP is asked of what is none."""


def allowed(policies: Sequence[Mapping[str, Any]], call: Call) -> bool:
    """Whether the policies of one workload let it through."""
    if any(_policy(p, call) for p in policies if p.get("action") == "DENY"):
        return False
    allowing = [p for p in policies if p.get("action", "ALLOW") == "ALLOW"]
    return not allowing or any(_policy(p, call) for p in allowing)


def _policy(policy: Mapping[str, Any], call: Call) -> bool:
    return any(_rule(r, call, policy.get("action", "ALLOW")) for r in policy.get("rules") or [])


def _rule(rule: Mapping[str, Any], call: Call, action: str) -> bool:
    sources = [f["source"] for f in rule.get("from") or [{"source": {}}]]
    operations = [t["operation"] for t in rule.get("to") or [{"operation": {}}]]
    conditions = rule.get("when") or []
    try:
        # All of it is read before any of it is judged: one field of HTTP drops the rule.
        a = [_fields(source, call, action) for source in sources]
        b = [_fields(operation, call, action) for operation in operations]
        c = [_condition(condition, call, action) for condition in conditions]
    except NotHttpError:
        return False
    return any(a) and any(b) and all(c)


def _fields(entry: Mapping[str, list[str]], call: Call, action: str) -> bool:
    found = True
    for field, values in entry.items():
        positive = field[3:4].lower() + field[4:] if field.startswith("not") else field
        if positive in HTTP and not call.http:
            if action == "ALLOW":
                raise NotHttpError
            continue
        meant = any(_value(positive, value, call) for value in values)
        found = found and (meant != field.startswith("not"))
    return found


def _condition(condition: Mapping[str, Any], call: Call, action: str) -> bool:
    if not call.http and (condition.get("values") or condition.get("notValues")):
        if action == "ALLOW":
            raise NotHttpError
        return True
    name = condition["key"].removeprefix("request.headers[").removesuffix("]")
    own = {":method": call.method, ":path": call.path, ":authority": call.host}
    lines = (own[name],) if name in own else call.headers.get(name, ())
    wanted, unwanted = condition.get("values"), condition.get("notValues")
    return (not wanted or any(_line(value, lines) for value in wanted)) and not any(
        _line(value, lines) for value in unwanted or []
    )


def _line(value: str, lines: tuple[str, ...]) -> bool:
    return bool(lines) if value == "*" else any(_like(value, line) for line in lines)


def _like(value: str, text: str) -> bool:
    if value == "*":
        return text != ""
    if value.startswith("*"):
        return text.endswith(value[1:])
    return text.startswith(value[:-1]) if value.endswith("*") else text == value


def _value(field: str, value: str, call: Call) -> bool:  # noqa: PLR0911 - a line a field
    path = call.path.partition("?")[0]
    match field:
        case "namespaces":
            glob = re.escape(value).replace(r"\*", ".*")
            return re.fullmatch(f".*/ns/{glob}/.*", call.identity) is not None
        case "principals":
            return call.identity != "" and _like(value, call.identity)
        case "ipBlocks":
            return ip_address(call.address) in ip_network(value, strict=False)
        case "remoteIpBlocks":
            return ip_address(call.remote) in ip_network(value, strict=False)
        case "paths" if "{" in value:
            part = (
                re.escape(value).replace(r"\{\*\*\}", r"[^\[\]]*").replace(r"\{\*\}", r"[^/\[\]]+")
            )
            return re.fullmatch(part, path) is not None
        case "paths":
            return _like(value, path)
        case "methods":
            return _like(value, call.method)
        case "hosts":
            return value == "*" or _like(value.lower(), call.host.lower())
        case "ports":
            return int(value) == call.port
    raise AssertionError(field)
