"""The rights that are worth asking about, by what their holder does with them.

https://kubernetes.io/docs/concepts/security/rbac-good-practices/ names most of them. A right to
objects of certain names alone is none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from auditor.facts.access.rules import ALL, Rule, names_resource
from auditor.values import dataclass

RBAC = "rbac.authorization.k8s.io"
ADMISSION = "admissionregistration.k8s.io"
WRITE = ("create", "update", "patch")
CHANGE = ("update", "patch")
DELETE = ("delete", "deletecollection")
READ = ("get", "list", "watch")
Told = dict[str, Any]
BY_GET = "enters-pods-by-get"
"""Before 1.35 a WebSocket that runs commands was asked for `get` alone."""
Part = tuple[tuple[str, ...], str, str]
"""Verbs of which any one is enough, the API group, the resource."""
Given = tuple[int, tuple[str, ...], bool]
"""The number of the rule that gives a part, which of its verbs, and whether by a star alone."""


@dataclass(frozen=True, slots=True)
class Power:
    """A right, or several together, by what its holder does with it."""

    name: str
    ways: tuple[tuple[Part, ...], ...]
    """Each of them is enough; all parts of one are needed."""
    everywhere: bool = False
    """Whether it counts only where the whole cluster is bound: its objects are in no namespace."""


def _any(verbs: tuple[str, ...], *resources: tuple[str, str]) -> tuple[tuple[Part, ...], ...]:
    return tuple(((verbs, group, resource),) for group, resource in resources)


_MAKERS = (
    *(("apps", one) for one in ("deployments", "statefulsets", "daemonsets", "replicasets")),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
    ("", "replicationcontrollers"),
)
"""What makes pods."""

POWERS = (
    Power("reads-secrets", _any(READ, ("", "secrets"))),
    Power(
        "starts-pods",
        (*_any(("create",), ("", "pods")), *_any(WRITE, *_MAKERS)),
    ),
    Power(
        "enters-pods",
        (
            *_any(("create",), ("", "pods/exec"), ("", "pods/attach")),
            *_any(CHANGE, ("", "pods/ephemeralcontainers")),
        ),
    ),
    Power(BY_GET, _any(("get",), ("", "pods/exec"), ("", "pods/attach"))),
    Power("forwards-ports", _any(("create",), ("", "pods/portforward"))),
    Power("impersonates-accounts", _any(("impersonate",), ("", "serviceaccounts"))),
    Power("impersonates-users", _any(("impersonate",), ("", "users")), everywhere=True),
    Power("impersonates-groups", _any(("impersonate",), ("", "groups")), everywhere=True),
    Power(
        "raises-rights",
        (
            ((("bind",), RBAC, "clusterroles"), (WRITE, RBAC, "rolebindings")),
            ((("bind",), RBAC, "clusterroles"), (WRITE, RBAC, "clusterrolebindings")),
            ((("escalate",), RBAC, "roles"), (WRITE, RBAC, "roles")),
            ((("escalate",), RBAC, "clusterroles"), (WRITE, RBAC, "clusterroles")),
        ),
    ),
    Power(
        "rewrites-requests",
        _any(WRITE, (ADMISSION, "mutatingwebhookconfigurations")),
        everywhere=True,
    ),
    Power(
        "sees-requests",
        _any((*WRITE, *DELETE), (ADMISSION, "validatingwebhookconfigurations")),
        everywhere=True,
    ),
    Power(
        "approves-certificates",
        (
            (
                (CHANGE, "certificates.k8s.io", "certificatesigningrequests/approval"),
                (("approve",), "certificates.k8s.io", "signers"),
            ),
        ),
        everywhere=True,
    ),
    Power(
        "enters-nodes",
        _any(("get", *WRITE, "delete"), ("", "nodes/proxy")),
        everywhere=True,
    ),
    Power("makes-volumes", _any(("create",), ("", "persistentvolumes")), everywhere=True),
    Power("makes-tokens", _any(("create",), ("", "serviceaccounts/token"))),
    Power("deletes-workloads", _any(DELETE, ("", "pods"), *_MAKERS)),
    Power("deletes-events", _any(DELETE, ("", "events"), ("events.k8s.io", "events"))),
    Power("writes-config-maps", _any((*WRITE, *DELETE), ("", "configmaps"))),
    Power(
        "opens-network",
        _any((*WRITE, *DELETE), ("networking.k8s.io", "networkpolicies")),
    ),
    Power(
        "edits-endpoints",
        _any(WRITE, ("", "endpoints"), ("discovery.k8s.io", "endpointslices")),
    ),
    Power("edits-service-status", _any(CHANGE, ("", "services/status"))),
)


def powers_of(rules: Sequence[Rule], *, everywhere: bool) -> Iterator[tuple[str, Told]]:
    """The powers that unnamed rules give, each with the first rule that does."""
    plain = [(number, rule) for number, rule in enumerate(rules) if not rule.names]
    for power in POWERS:
        if power.everywhere and not everywhere:
            continue
        for way in power.ways:
            found = [one for part in way if (one := _giving(plain, part))]
            if len(found) == len(way):
                yield power.name, _told(found, way)
                break


def _told(found: Sequence[Given], way: Sequence[Part]) -> Told:
    rights = (_words(verbs, part) for (_, verbs, _), part in zip(found, way, strict=True))
    return {
        "rule": found[0][0],
        "rights": " and ".join(rights),
        "by_wildcard": any(by_star for *_, by_star in found),
    }


def _giving(rules: Sequence[tuple[int, Rule]], part: Part) -> Given | None:
    """The first rule that gives one of the verbs, which ones, and whether by a star alone."""
    verbs, group, resource = part
    for number, rule in rules:
        if not names_resource(rule, group, resource):
            continue
        held = tuple(verb for verb in verbs if verb in rule.verbs or ALL in rule.verbs)
        if held:
            return number, held, resource not in rule.resources
    return None


def _words(verbs: tuple[str, ...], part: Part) -> str:
    return f"{'/'.join(verbs)} {part[2]}"


USUAL = frozenset(("get", "list", "watch", "create", "update", "patch", "delete"))
"""The verbs that every object has. Whoever holds them on every resource holds the others soon."""


def gives_all(rule: Rule) -> bool:
    """Whether a rule gives every verb, or all of the usual ones, on every resource."""
    verbs = ALL in rule.verbs or rule.verbs >= USUAL
    return verbs and not rule.names and ALL in rule.groups and ALL in rule.resources
