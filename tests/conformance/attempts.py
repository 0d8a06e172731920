"""What a recorded request tries to come to hold, read from the request alone.

Nothing here knows the rights of whoever asks: our answer has to say whether they lead there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from auditor.facts.access.subjects import Subject
from auditor.facts.escalation import Place

Recorded = Mapping[str, Any]
ACCOUNT = "system:serviceaccount:"
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
NODE = ("hostPath", "nodeName", "privileged", "hostPID", "hostNetwork", "hostIPC")


@dataclass(frozen=True)
class Attempt:
    """One technique, the verbs that the request is asked for, and all that it is to reach."""

    by: str
    resource: str
    verbs: frozenset[str]
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Asked:
    """A request, taken apart."""

    verbs: frozenset[str]
    group: str
    space: str | None
    resource: str
    name: str
    body: Any


def asked(case: Recorded) -> Asked | None:
    """The request for a resource; None where it is for a path."""
    request = case["request"]
    url = urlsplit(request["path"])
    parts = [part for part in url.path.split("/") if part]
    if not parts or parts[0] not in ("api", "apis") or len(parts) < 3:
        return None
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    space = None
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        space, rest = rest[1], rest[2:]
    resource, name = "/".join((rest[0], *rest[2:3])), rest[1] if len(rest) > 1 else ""
    query = parse_qs(url.query)
    chosen = query.get("fieldSelector", [""])[0]
    name = name or chosen.removeprefix("metadata.name=") if "metadata.name=" in chosen else name
    verb = VERBS.get(request["method"]) or (
        "watch" if "watch" in query else "get" if len(rest) > 1 else "list"
    )
    there = any(_is(one, name, space) for one in case["objects"])
    made = verb in ("update", "patch") and not there and "/" not in resource and resource in MADE
    connects = verb == "get" and resource in ("pods/exec", "pods/attach")
    more = {"create"} if made or connects else set()
    return Asked(frozenset({verb, *more}), group, space, resource, name, request.get("body"))


MADE = ("roles", "rolebindings", "clusterroles", "clusterrolebindings")
"""Of which a request may mean one that is not there yet. Defaults are not among the objects."""


def _is(one: Recorded, name: str, space: str | None) -> bool:
    metadata = one["metadata"]
    return bool(metadata["name"] == name and metadata.get("namespace") == space)


def identity(case: Recorded) -> tuple[Subject, list[str], list[Place]]:
    """Who the request is made as, and which identities of others that takes."""
    headers = case["request"].get("headers") or {}
    user, groups = case["subject"]["user"], list(case["subject"].get("groups", ()))
    if "Impersonate-User" not in headers:
        return Subject("User", user), groups, []
    as_user, as_groups = headers["Impersonate-User"], list(headers.get("Impersonate-Group", ()))
    places = [_identity(as_user), *(Place("group", name=group) for group in as_groups)]
    # An id or something extra is asked for besides: that we say nothing of.
    known = ("Impersonate-User", "Impersonate-Group")
    places += [
        Place("user", of=name)
        for name in headers
        if name.startswith("Impersonate-") and name not in known
    ]
    return Subject("User", as_user), [*as_groups, "system:authenticated"], places


def _identity(user: str) -> Place:
    if user.startswith(ACCOUNT):
        space, _, name = user.removeprefix(ACCOUNT).partition(":")
        return Place("account", space, name)
    return Place("user", name=user)


def attempt(case: Recorded) -> Attempt | None:
    """What is tried; None where the request takes nothing but what it reads or deletes."""
    it = asked(case)
    if it is None or "delete" in it.verbs:
        return None
    found = next(_tried(it, case), None)
    if found is None:
        return None
    by, places = found
    return Attempt(by, it.resource, it.verbs, tuple(places))


def _tried(it: Asked, case: Recorded) -> Iterator[tuple[str, list[Place]]]:
    if it.resource in ("rolebindings", "clusterrolebindings"):
        yield "bind", [_bound(it, case)]
    elif it.resource in ("roles", "clusterroles"):
        kind = "Role" if it.resource == "roles" else "ClusterRole"
        name = it.name or it.body["metadata"]["name"]
        yield "escalate", [Place("role", it.space, f"{kind}/{name}")]
    elif it.resource in ("pods", "deployments", "daemonsets", "jobs") and it.verbs == {"create"}:
        yield "start-pods", list(_of_pod(it))
    elif it.resource in TAKING and it.group == "":
        by, kind = TAKING[it.resource]
        yield by, [Place(kind, it.space, it.name)]  # type: ignore[arg-type]
    elif it.resource == "secrets" and it.verbs & {"get", "list", "watch"}:
        yield "secrets", [Place("secrets", it.space, it.name)]
    elif it.resource in CERTIFIED:
        yield CERTIFIED[it.resource], [Place("certificates", name=it.body["spec"]["signerName"])]
    elif it.resource in WEBHOOKS:
        yield "webhook", [Place(WEBHOOKS[it.resource])]  # type: ignore[arg-type]
    elif it.resource == "apiservices":
        yield "api-service", [Place("seen-requests")]
    elif it.resource.startswith("namespaces") and "pod-security" in str(it.body):
        yield "pod-security", [Place("pod-security", it.name)]


TAKING = {
    "pods": ("change-pods", "pods"),
    "pods/exec": ("exec", "pods"),
    "pods/attach": ("exec", "pods"),
    "pods/ephemeralcontainers": ("debug", "pods"),
    "nodes/proxy": ("node-proxy", "node"),
    "serviceaccounts/token": ("token", "account"),
}
CERTIFIED = {
    "certificatesigningrequests/approval": "approve",
    "certificatesigningrequests/status": "sign",
}
WEBHOOKS = {
    "mutatingwebhookconfigurations": "requests",
    "validatingwebhookconfigurations": "seen-requests",
}


def _bound(it: Asked, case: Recorded) -> Place:
    body = it.body if isinstance(it.body, Mapping) and "roleRef" in it.body else None
    if body is None:
        body = next(one for one in case["objects"] if _is(one, it.name, it.space))
    return Place("role", it.space, f"{body['roleRef']['kind']}/{body['roleRef']['name']}")


def _of_pod(it: Asked) -> Iterator[Place]:
    spec = it.body["spec"]
    spec = spec.get("template", {}).get("spec") or spec
    yield Place("account", it.space, spec.get("serviceAccountName", "default"))
    if any(f"'{field}':" in str(spec) for field in NODE):
        yield Place("node", name=spec.get("nodeName", ""))
