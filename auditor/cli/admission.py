"""What `.auditor.yaml` says of admission: what becomes of a request that adds a fault."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from auditor.declared import Admission, AdmissionRule, Mode
from auditor.errors import ConfigError
from auditor.grades import Severity
from auditor.model import Policy

ModeName = Literal["deny", "warn", "audit"]
SeverityName = Literal["critical", "high", "medium", "low", "info"]

Patterns = Annotated[list[Annotated[str, Field(pattern=r"^\S+$")]], Field(min_length=1)]
"""``*`` and ``?`` stand for others."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class AdmissionRuleEntry(_Strict):
    """One rule."""

    mode: ModeName
    policies: Patterns | None = None
    namespaces: Patterns | None = None
    severity: SeverityName | None = None

    def value(self, origin: str) -> AdmissionRule:
        """The rule as the core knows it."""
        severity = Severity(self.severity) if self.severity else None
        policies, namespaces = tuple(self.policies or ()), tuple(self.namespaces or ())
        return AdmissionRule(Mode(self.mode), policies, namespaces, severity, origin)


class AdmissionEntry(_Strict):
    """The whole section."""

    mode: ModeName = "audit"
    fail_on: SeverityName = "high"
    rules: list[AdmissionRuleEntry] = []

    def terms(self, places: Mapping[tuple[int | str, ...], str]) -> Admission:
        """The section as the core knows it. `places`: where each entry is written."""
        rules = tuple(
            rule.value(places.get(("admission", "rules", index), ""))
            for index, rule in enumerate(self.rules)
        )
        return Admission(Mode(self.mode), Severity(self.fail_on), rules)


def checked(admission: Admission, policies: Sequence[Policy]) -> Admission:
    """The same, after a look whether each pattern of a rule fits some policy.

    Raises:
        ConfigError: one fits none, and the rule would say nothing.
    """
    for index, rule in enumerate(admission.rules):
        for pattern in rule.policies:
            alone = AdmissionRule(rule.mode, (pattern,))
            if not any(alone.is_of(policy.names) for policy in policies):
                place = f"{rule.origin}: admission.rules.{index}.policies"
                raise ConfigError(f"{place}: no policy fits '{pattern}'{_hint(pattern, policies)}")
    return admission


def _hint(pattern: str, policies: Sequence[Policy]) -> str:
    ids = [policy.id for policy in policies]
    folders = sorted({one.partition("/")[0] for one in ids})
    close = difflib.get_close_matches(pattern, [*ids, *folders], n=1)
    return f"; did you mean '{close[0]}'?" if close else " ('auditor policies list' shows them)"
