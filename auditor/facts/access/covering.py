"""Whether rights that somebody holds cover those of a role: what the API server asks before it lets
them bind or write that role.

``pkg/registry/rbac/validation/policy_comparator.go`` of Kubernetes 1.36: every right of the role is
looked for by itself, and has to be in one single rule; rules are compared, not what they allow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from auditor.facts.access.rules import ALL, Rule, covers_path, names_resource


def covered(wanted: Iterable[Rule], held: Sequence[Rule]) -> bool:
    """Whether each right of the `wanted` rules is in one of those that are `held`."""
    return all(
        any(_covers(rule, right) for rule in held) for each in wanted for right in _rights(each)
    )


def _rights(rule: Rule) -> Iterator[Rule]:
    """The rule in parts of one verb, one group, one resource and one name each."""
    for verb, path in product(rule.verbs, rule.paths):
        yield Rule(frozenset((verb,)), paths=frozenset((path,)))
    for verb, group, resource in product(rule.verbs, rule.groups, rule.resources):
        for name in rule.names or (None,):
            names = frozenset(() if name is None else (name,))
            yield Rule(
                frozenset((verb,)), frozenset((group,)), frozenset((resource,)), names
            )  # fmt: skip


def _covers(held: Rule, right: Rule) -> bool:
    if not (ALL in held.verbs or right.verbs <= held.verbs):
        return False
    if right.paths:
        return all(any(covers_path(one, path) for one in held.paths) for path in right.paths)
    if not all(names_resource(held, *one) for one in product(right.groups, right.resources)):
        return False
    return not held.names or (bool(right.names) and right.names <= held.names)
