"""What every form says of a binding: what it gives, to whom, and where that stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.credentials import told as without_credentials
from auditor.facts.access.authorizer import ASSUMED, Bound
from auditor.facts.access.subjects import Subject
from auditor.facts.escalation import Chain, Right, Step
from auditor.model import Path, Resource


def place_of(resource: Resource, path: Path = ("roleRef",)) -> str:
    """``file:line``; of a live object its name; of what was read nowhere, that it is assumed."""
    if resource.origin.uri == ASSUMED:
        return "assumed"
    if resource.origin.live:
        return str(resource.ref)
    spot = resource.origin.spot(path)
    return f"{spot.uri}:{spot.span.line}"


def binding(one: Resource, role: Resource | None, subject: Subject | None = None) -> dict[str, Any]:
    """A binding for programs."""
    told: dict[str, Any] = {"kind": one.ref.kind, "name": one.ref.name}
    if one.ref.namespace:
        told["namespace"] = one.ref.namespace
    if role is not None:
        told["role"] = f"{role.ref.kind}/{role.ref.name}"
    if subject is not None:
        told["subject"] = f"{subject.kind}/{subject.name}"
    if one.origin.uri == ASSUMED:
        return {**told, "assumed": True}
    if one.origin.live:
        return told
    spot = one.origin.spot(("roleRef",))
    return {**told, "file": spot.uri, "line": spot.span.line}


def bound(one: Bound) -> dict[str, Any]:
    """The same, of a binding with its role."""
    return binding(one.binding, one.role.resource if one.role else None)


def words(one: Bound) -> str:
    """``ClusterRoleBinding web of ClusterRole/edit``."""
    ref = one.binding.ref
    where = f"{ref.namespace}/" if ref.namespace else ""
    of = f" of {one.role.resource.ref.kind}/{one.role.resource.ref.name}" if one.role else ""
    return f"{ref.kind} {where}{ref.name}{of}"


def right(one: Right) -> dict[str, Any]:
    """A right for programs."""
    told: dict[str, Any] = {
        "verbs": list(one.verbs),
        "group": one.group,
        "resource": one.resource,
    }
    return {**told, "binding": bound(one.bound)} if one.bound else told


def step(one: Step) -> dict[str, Any]:
    """A step for programs."""
    target = one.target
    told: dict[str, Any] = {
        "by": one.by,
        "to": {"kind": target.kind, "namespace": target.space, "name": target.name},
        "told": without_credentials(f"{one.told}: {target}"),
        "rights": [right(each) for each in one.rights],
    }
    if one.others:
        told["or"] = [right(each) for each in one.others]
    return {**told, "assumed": True} if one.assumed else told


def chain(one: Chain) -> Mapping[str, Any]:
    """A way for programs."""
    return {
        "from": str(one.start),
        "to": str(one.steps[-1].target),
        "assumed": one.assumed,
        "steps": [step(each) for each in one.steps],
    }
