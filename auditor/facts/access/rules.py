"""Whether a rule of a role speaks of a request.

``pkg/registry/rbac/validation/policy_comparator.go`` and ``pkg/apis/rbac/v1/evaluation_helpers.go``
of Kubernetes 1.36: nothing is trimmed, and a star means something only where it stands alone, as
``*/subresource``, or at the end of a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.facts.access.requests import Request
from auditor.manifests import mapping, sequence

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
            return any(_covers(path, request.path) for path in self.paths)
        return self._speaks_of(request)

    def _speaks_of(self, request: Request) -> bool:
        if request.group not in self.groups and ALL not in self.groups:
            return False
        if not self.resources.intersection(_names_of(request)):
            return False
        return not self.names or request.name in self.names


def _names_of(request: Request) -> Iterator[str]:
    """Every way in which a rule may name the resource."""
    yield ALL
    yield request.combined
    if request.subresource:
        yield f"*/{request.subresource}"


def _covers(rule: str, path: str) -> bool:
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
