"""What `.auditor.yaml` says of admission: what becomes of a request that adds a fault."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from auditor.declared import Admission, AdmissionRule, Mode, Mutating, Staleness
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


class StalenessEntry(_Strict):
    """How old what is known of the cluster may be for some policies."""

    seconds: Annotated[int, Field(ge=10, le=180)]
    policies: Patterns | None = None

    def value(self, origin: str) -> Staleness:
        """The entry as the core knows it."""
        return Staleness(self.seconds, tuple(self.policies or ()), origin)


class MutateEntry(_Strict):
    """What is mended: faults of these policies, in these namespaces."""

    policies: Patterns | None = None
    namespaces: Patterns | None = None


def _chosen(value: Any) -> Any:
    """``true`` for all that there is to mend, ``false`` for nothing."""
    if not isinstance(value, bool | dict):
        raise ValueError("write true or false, or which policies and namespaces")  # noqa: TRY004 - pydantic tells of no other
    return ({} if value else None) if isinstance(value, bool) else value


def _or_all(schema: dict[str, Any]) -> None:
    entry, _ = schema["anyOf"]
    schema.update(anyOf=[{"type": "boolean"}, entry], default=False)


class AdmissionEntry(_Strict):
    """The whole section."""

    mode: ModeName = "audit"
    fail_on: SeverityName = "high"
    rules: list[AdmissionRuleEntry] = []
    mutate: Annotated[
        MutateEntry | None, BeforeValidator(_chosen), Field(json_schema_extra=_or_all)
    ] = None
    max_staleness: list[StalenessEntry] = []
    controllers: list[Annotated[str, Field(pattern=r"^\S+$")]] = []

    def terms(self, places: Mapping[tuple[int | str, ...], str]) -> Admission:
        """The section as the core knows it. `places`: where each entry is written."""
        rules = tuple(
            rule.value(places.get(("admission", "rules", index), ""))
            for index, rule in enumerate(self.rules)
        )
        staleness = tuple(
            each.value(places.get(("admission", "maxStaleness", index), ""))
            for index, each in enumerate(self.max_staleness)
        )
        controllers = tuple(self.controllers)
        mutate = self._mutating(places.get(("admission", "mutate"), ""))
        terms = Admission(Mode(self.mode), Severity(self.fail_on), rules, mutate, staleness)
        return replace(terms, controllers=controllers)

    def _mutating(self, origin: str) -> Mutating | None:
        if self.mutate is None:
            return None
        policies, namespaces = self.mutate.policies, self.mutate.namespaces
        return Mutating(tuple(policies or ()), tuple(namespaces or ()), origin)


def checked(admission: Admission, policies: Sequence[Policy]) -> Admission:
    """The same, after a look whether each pattern fits some policy.

    Raises:
        ConfigError: one fits none, and the rule would say nothing.
    """
    for index, rule in enumerate(admission.rules):
        _check(rule.policies, f"{rule.origin}: admission.rules.{index}.policies", policies)
    for index, each in enumerate(admission.staleness):
        _check(each.policies, f"{each.origin}: admission.maxStaleness.{index}.policies", policies)
    if mutating := admission.mutate:
        _check(mutating.policies, f"{mutating.origin}: admission.mutate.policies", policies)
    return admission


def _check(patterns: Sequence[str], place: str, policies: Sequence[Policy]) -> None:
    for pattern in patterns:
        alone = Mutating((pattern,))
        if not any(alone.is_of(policy.names) for policy in policies):
            raise ConfigError(f"{place}: no policy fits '{pattern}'{_hint(pattern, policies)}")


def _hint(pattern: str, policies: Sequence[Policy]) -> str:
    ids = [policy.id for policy in policies]
    folders = sorted({one.partition("/")[0] for one in ids})
    close = difflib.get_close_matches(pattern, [*ids, *folders], n=1)
    return f"; did you mean '{close[0]}'?" if close else " ('auditor policies list' shows them)"
