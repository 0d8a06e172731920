"""Reads roles, and makes aggregated ClusterRoles of those that they select.

``pkg/controller/clusterroleaggregation`` of Kubernetes 1.36: an aggregate holds what its selectors
find instead of its own rules; where they find nothing, its own rules stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from auditor.facts.access.rules import Rule, faults, rules_of
from auditor.facts.selectors import matches
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Resource
from auditor.values import dataclass

KINDS = ("Role", "ClusterRole")


@dataclass(frozen=True, slots=True)
class Role:
    """A Role or ClusterRole."""

    resource: Resource
    rules: tuple[Rule, ...]
    selectors: tuple[Mapping[str, Any], ...] = ()
    """One of which has to take a ClusterRole for it to be aggregated here."""

    @property
    def labels(self) -> Mapping[str, str]:
        """By which aggregates select it."""
        return texts(at(self.resource.manifest, ("metadata", "labels")))


RoleKey = tuple[str, str, str]
"""Kind, namespace, name."""


def roles_of(resources: Iterable[Resource]) -> Mapping[RoleKey, Role]:
    """The roles among them that the API server accepts, aggregates settled."""
    found = {_key(each): _role(each) for each in resources if not fault(each)}
    cluster = {key: role for key, role in found.items() if key[0] == "ClusterRole"}
    return {**found, **_settled(cluster)}


def fault(role: Resource) -> str:
    """Why the API server refuses a role; empty where it does not."""
    namespaced = role.ref.kind == "Role"
    return next(faults(role.manifest.get("rules"), namespaced=namespaced), "")


def _key(resource: Resource) -> RoleKey:
    namespace = (resource.ref.namespace or "default") if resource.ref.kind == "Role" else ""
    return resource.ref.kind, namespace, resource.ref.name


def _role(resource: Resource) -> Role:
    selectors = sequence(at(resource.manifest, ("aggregationRule", "clusterRoleSelectors")))
    aggregates = resource.ref.kind == "ClusterRole"
    return Role(
        resource,
        rules_of(resource.manifest.get("rules")),
        tuple(map(mapping, selectors)) if aggregates else (),
    )


def _settled(roles: Mapping[RoleKey, Role]) -> Mapping[RoleKey, Role]:
    """Aggregates can select aggregates: they are made anew until none changes. That takes no more
    rounds than there are, but for those that select each other: the controller hands their rules
    around without end, and whoever may hold a rule is taken to hold it.
    """
    chosen = {key: _chosen(key, roles) for key, role in roles.items() if role.selectors}
    for turn in count():
        own = turn > len(chosen)
        made = {k: _united(roles[k], (*c, *[k] * own), roles) for k, c in chosen.items() if c}
        if all(made[key].rules == roles[key].rules for key in made):
            break
        roles = {**roles, **made}
    return roles


def _chosen(key: RoleKey, roles: Mapping[RoleKey, Role]) -> tuple[RoleKey, ...]:
    selectors = roles[key].selectors
    return tuple(
        other
        for other, role in sorted(roles.items())
        if other != key and any(matches(selector, role.labels) for selector in selectors)
    )


def _united(role: Role, chosen: Iterable[RoleKey], roles: Mapping[RoleKey, Role]) -> Role:
    rules = dict.fromkeys(rule for key in chosen for rule in roles[key].rules)
    return replace(role, rules=tuple(sorted(rules, key=_order)))


def _order(rule: Rule) -> list[list[str]]:
    parts = (rule.verbs, rule.groups, rule.resources, rule.names, rule.paths)
    return [sorted(part) for part in parts]
