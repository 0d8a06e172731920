"""Whether a rule of a role speaks of a request.

``pkg/registry/rbac/validation/policy_comparator.go`` and ``pkg/apis/rbac/v1/evaluation_helpers.go``
of Kubernetes 1.36: nothing is trimmed, and a star means something only where it stands alone, as
``*/subresource``, or at the end of a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor.facts.access.requests import Request
from auditor.manifests import mapping, sequence
from auditor.values import dataclass

ALL = "*"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a Role or ClusterRole."""

    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    """Empty: every object, named or not."""
    paths: frozenset[str] = frozenset()

    def allows(self, request: Request) -> bool:
        """Whether it allows the request."""
        if request.verb not in self.verbs and ALL not in self.verbs:
            return False
        if request.path is not None:
            return any(covers_path(path, request.path) for path in self.paths)
        if not names_resource(self, request.group, request.combined, request.subresource):
            return False
        return not self.names or request.name in self.names


def names_resource(rule: Rule, group: str, resource: str, subresource: str | None = None) -> bool:
    """Whether a rule speaks of a resource (``pods/exec``) of a group, be it by a star. Without
    `subresource`, that is what follows the slash.
    """
    if group not in rule.groups and ALL not in rule.groups:
        return False
    if resource in rule.resources or ALL in rule.resources:
        return True
    if subresource is None:
        _, slash, subresource = resource.partition("/")
    else:
        slash = subresource
    return bool(slash) and f"{ALL}/{subresource}" in rule.resources


def covers_path(rule: str, path: str) -> bool:
    """Whether a path of a rule, which may end with a star, covers another."""
    if rule in (ALL, path):
        return True
    return rule.endswith(ALL) and path.startswith(rule.rstrip(ALL))


def rules_of(values: Any) -> tuple[Rule, ...]:
    """The rules of a role, without what is no text."""
    return tuple(_rule(mapping(value)) for value in sequence(values))


def _rule(value: Mapping[str, Any]) -> Rule:
    return Rule(
        verbs=_texts(value.get("verbs")),
        groups=_texts(value.get("apiGroups")),
        resources=_texts(value.get("resources")),
        names=_texts(value.get("resourceNames")),
        paths=_texts(value.get("nonResourceURLs")),
    )


def _texts(values: Any) -> frozenset[str]:
    return frozenset(value for value in sequence(values) if isinstance(value, str))


def faults(values: Any, *, namespaced: bool) -> Iterator[str]:
    """Why the API server refuses such rules (``pkg/apis/rbac/validation``)."""
    for number, value in enumerate(sequence(values)):
        rule, field = mapping(value), f"rules[{number}]"
        if not rule.get("verbs"):
            yield f"{field}.verbs: is missing"
        paths, resources = rule.get("nonResourceURLs"), rule.get("resources")
        if paths:
            yield from _with_paths(rule, field, namespaced=namespaced)
        elif not resources:
            yield f"{field}.resources: is missing"
        elif not rule.get("apiGroups"):
            yield f"{field}.apiGroups: is missing"


def _with_paths(rule: Mapping[str, Any], field: str, *, namespaced: bool) -> Iterable[str]:
    if namespaced:
        yield f"{field}.nonResourceURLs: a Role cannot speak of paths"
    if any(rule.get(key) for key in ("apiGroups", "resources", "resourceNames")):
        yield f"{field}.nonResourceURLs: a rule speaks of paths or of resources"
