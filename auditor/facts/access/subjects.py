"""Whom a binding means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.facts.access.requests import Request
from auditor.manifests import mapping, sequence
from auditor.model import Resource
from auditor.values import dataclass

RBAC = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
"""The group that is allowed everything before any authorizer is asked."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A user or a group; a service account is the user that it acts as."""

    kind: str
    """``User``, ``Group`` or ``ServiceAccount``."""
    name: str
    """As in a request: ``system:serviceaccount:NAMESPACE:NAME`` for a service account."""

    def is_in(self, request: Request) -> bool:
        """Whether the request is made by, or as a member of, it."""
        return self.name in request.groups if self.kind == "Group" else self.name == request.user


ACCOUNT = "system:serviceaccount:"


def account(namespace: str, name: str) -> str:
    """The user name of a service account."""
    return f"{ACCOUNT}{namespace}:{name}"


def account_named(user: str) -> tuple[str, str] | None:
    """Namespace and name of the service account that has this user name; None where it is that of
    somebody else: ``system:serviceaccount:shop`` is a name like any other.
    """
    parts = tuple(user.removeprefix(ACCOUNT).split(":"))
    if not user.startswith(ACCOUNT) or len(parts) != len(("namespace", "name")) or not all(parts):
        return None
    return parts[0], parts[1]


def subjects_of(binding: Resource) -> tuple[Subject, ...]:
    """The subjects of a binding that the API server accepts."""
    return tuple(
        _subject(mapping(value), binding) for value in sequence(binding.manifest.get("subjects"))
    )


def _subject(value: Mapping[str, Any], binding: Resource) -> Subject:
    kind, name = str(value.get("kind")), str(value.get("name"))
    if kind != "ServiceAccount":
        return Subject(kind, name)
    namespace = value.get("namespace") or binding.ref.namespace or "default"
    return Subject(kind, account(str(namespace), name))


def fault(binding: Resource) -> str:
    """Why the API server refuses a binding; empty where it does not."""
    return next(_faults(binding), "")


def _faults(binding: Resource) -> Iterator[str]:
    role = mapping(binding.manifest.get("roleRef"))
    kinds = (
        ("ClusterRole",) if binding.ref.kind == "ClusterRoleBinding" else ("Role", "ClusterRole")
    )
    if role.get("kind") not in kinds:
        yield f"roleRef.kind: {' or '.join(kinds)}"
    if not isinstance(role.get("name"), str) or not role["name"]:
        yield "roleRef.name: is missing"
    if role.get("apiGroup") not in (None, "", RBAC):
        yield f"roleRef.apiGroup: {RBAC}"
    for number, value in enumerate(sequence(binding.manifest.get("subjects"))):
        yield from _subject_faults(mapping(value), f"subjects[{number}]", binding)


def _subject_faults(value: Mapping[str, Any], field: str, binding: Resource) -> Iterator[str]:
    kind, name, group = value.get("kind"), value.get("name"), value.get("apiGroup")
    if not isinstance(name, str) or not name:
        yield f"{field}.name: is missing"
    if kind == "ServiceAccount":
        if group:
            yield f"{field}.apiGroup: a service account has none"
        if isinstance(name, str) and name != name.lower():
            yield f"{field}.name: is no name of a service account"
        if binding.ref.kind == "ClusterRoleBinding" and not value.get("namespace"):
            yield f"{field}.namespace: is missing"
    elif kind not in ("User", "Group"):
        yield f"{field}.kind: User, Group or ServiceAccount"
    elif group not in (None, "", RBAC):
        yield f"{field}.apiGroup: {RBAC}"
