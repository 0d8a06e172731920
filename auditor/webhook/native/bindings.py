"""In which namespaces the faults of a policy are denied, warned about or written down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.declared import Admission, AdmissionRule, Mode
from auditor.model import Policy
from auditor.values import dataclass

ACTIONS: Mapping[Mode, str] = {Mode.DENY: "Deny", Mode.WARN: "Warn", Mode.AUDIT: "Audit"}
"""What a binding calls it."""
NAMESPACE_LABEL = "kubernetes.io/metadata.name"
"""The API server itself gives it to every namespace, and lets nobody change it."""


class PatternError(Exception):
    """A rule names namespaces by a pattern, and a binding selects whole names."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One mode, and where it holds."""

    mode: Mode
    operator: str
    """In or NotIn."""
    namespaces: tuple[str, ...]

    @property
    def spec(self) -> dict[str, Any]:
        """As a ValidatingAdmissionPolicyBinding says it, but for the name of the policy."""
        said: dict[str, Any] = {"validationActions": [ACTIONS[self.mode]]}
        if self.namespaces:
            chosen = selector(self.operator, self.namespaces)
            said["matchResources"] = {"namespaceSelector": chosen}
        return said


def selector(operator: str, namespaces: tuple[str, ...]) -> dict[str, Any]:
    """The namespaces of these names, or all others."""
    values = list(namespaces)
    wanted = {"key": NAMESPACE_LABEL, "operator": operator, "values": values}
    return {"matchExpressions": [wanted]}


def bindings(policy: Policy, terms: Admission) -> tuple[Binding, ...]:
    """What becomes of the faults of a policy; none where they count nowhere.

    Raises:
        PatternError: see there.
    """
    named: dict[str, Mode | None] = {}
    elsewhere: Mode | None = None
    for mode, namespaces in _in_turn(policy, terms):
        if not namespaces:
            elsewhere = mode
            break
        for namespace in namespaces:
            if "*" in namespace or "?" in namespace:
                why = "a binding selects namespaces by their whole names, and not by"
                raise PatternError(f"{why} '{namespace}'")
            named.setdefault(namespace, mode)
    others = {name: mode for name, mode in named.items() if mode is not elsewhere}
    found = [
        Binding(mode, "In", names)
        for mode in Mode
        if (names := tuple(sorted(name for name, own in others.items() if own is mode)))
    ]
    if elsewhere is not None:
        found.append(Binding(elsewhere, "NotIn", tuple(sorted(others))))
    return tuple(found)


def _in_turn(policy: Policy, terms: Admission) -> Iterator[tuple[Mode | None, tuple[str, ...]]]:
    """The rules that are about the policy, as `Admission.mode_of` takes them; then the rest."""
    for rule in terms.rules:
        if _counts(rule, policy, terms):
            yield rule.mode, rule.namespaces
    yield (terms.mode if policy.severity.at_least(terms.fail_on) else None), ()


def _counts(rule: AdmissionRule, policy: Policy, terms: Admission) -> bool:
    return rule.is_of(policy.names) and policy.severity.at_least(rule.severity or terms.fail_on)
