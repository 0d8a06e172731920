"""Answers as the RBAC authorizer of the API server does (``plugin/pkg/auth/authorizer/rbac``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cache
from importlib import resources
from typing import Any

import orjson

from auditor.facts.access import roles as reading_roles
from auditor.facts.access import subjects as reading_subjects
from auditor.facts.access.requests import Request
from auditor.facts.access.roles import Role, RoleKey, roles_of
from auditor.facts.access.rules import Rule
from auditor.facts.access.subjects import MASTERS, Subject, subjects_of
from auditor.facts.unwritten import unwritten
from auditor.manifests import mapping
from auditor.model import Ref, Resource, Snapshot
from auditor.values import dataclass

BINDINGS = ("ClusterRoleBinding", "RoleBinding")
KINDS = ("ClusterRole", "Role", *BINDINGS)
ASSUMED = "defaults of Kubernetes"
"""The file that is named for what an API server makes for itself."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A binding that allows a request."""

    binding: Resource
    subject: Subject
    role: Resource

    @property
    def assumed(self) -> bool:
        """Whether the binding is one that the API server makes, and was not read anywhere."""
        return self.binding.origin.uri == ASSUMED


@dataclass(frozen=True, slots=True)
class Answer:
    """What the authorizer says."""

    allowed: bool
    grants: tuple[Grant, ...] = ()
    """All bindings that allow it; () also where the group system:masters does."""
    dangling: tuple[Resource, ...] = ()
    """Bindings of the subject whose role is not there."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding with its role."""

    binding: Resource
    subjects: tuple[Subject, ...]
    role: Role | None
    """None where it is not there."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What it grants."""
        return self.role.rules if self.role else ()

    @property
    def space(self) -> str | None:
        """The namespace that it holds in; None for the whole cluster."""
        if self.binding.ref.kind == "ClusterRoleBinding":
            return None
        return self.binding.ref.namespace or "default"


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The roles and bindings of a cluster."""

    bound: tuple[Bound, ...]
    roles: Mapping[RoleKey, Role]
    refused: Mapping[Ref, str] = field(default_factory=dict)
    """What the API server would not have accepted, and why: it counts for nothing."""

    @classmethod
    def of(cls, snapshot: Snapshot, *, assume_defaults: bool) -> Authorizer:
        """That of the objects of `snapshot`.

        With `assume_defaults` also those that an API server makes for itself, where the snapshot
        has none of that name: manifests do not hold them.
        """
        found = {each.ref.key: each for kind in KINDS for each in snapshot.of_kind(kind)}
        assumed = {each.ref.key: each for each in defaults()} if assume_defaults else {}
        objects = {**assumed, **found}.values()
        refused = {each.ref: why for each in objects if (why := _fault(each))}
        accepted = [each for each in objects if each.ref not in refused]
        roles = roles_of(each for each in accepted if each.ref.kind in reading_roles.KINDS)
        bindings = (each for each in accepted if each.ref.kind in BINDINGS)
        return cls(tuple(_bound(each, roles) for each in bindings), roles, refused)

    def answer(self, request: Request) -> Answer:
        """Whether the request is allowed, and by what. Costs a look at each binding."""
        if MASTERS in request.groups:
            return Answer(allowed=True)
        mine = list(self._bindings(request))
        grants = [
            Grant(each.binding, subject, each.role.resource)
            for each, subject in mine
            if each.role is not None and any(rule.allows(request) for rule in each.role.rules)
        ]
        dangling = [each.binding for each, _ in mine if each.role is None]
        return Answer(bool(grants), tuple(grants), tuple(dangling))

    def _bindings(self, request: Request) -> Iterator[tuple[Bound, Subject]]:
        """The bindings that are about the subject and hold where it asks."""
        for each in self.bound:
            inside = each.binding.ref.kind == "RoleBinding"
            if inside and (request.path is not None or not request.namespace):
                continue
            if inside and (each.binding.ref.namespace or "default") != request.namespace:
                continue
            subject = next((s for s in each.subjects if s.is_in(request)), None)
            if subject is not None:
                yield each, subject


def _fault(resource: Resource) -> str:
    if resource.ref.kind in BINDINGS:
        return reading_subjects.fault(resource)
    return reading_roles.fault(resource)


def _bound(binding: Resource, roles: Mapping[RoleKey, Role]) -> Bound:
    reference = mapping(binding.manifest.get("roleRef"))
    kind, name = str(reference.get("kind")), str(reference.get("name"))
    namespace = (binding.ref.namespace or "default") if kind == "Role" else ""
    return Bound(binding, subjects_of(binding), roles.get((kind, namespace, name)))


@cache
def defaults() -> tuple[Resource, ...]:
    """The roles and bindings that an API server 1.36 makes for itself."""
    text = resources.files(__package__).joinpath("defaults.json").read_bytes()
    items: Iterable[Mapping[str, Any]] = orjson.loads(text)["items"]
    return tuple(_resource(item) for item in items)


def _resource(item: Mapping[str, Any]) -> Resource:
    metadata = item["metadata"]
    ref = Ref(item["apiVersion"], item["kind"], metadata.get("namespace", ""), metadata["name"])
    return unwritten(ref, item, ASSUMED)
