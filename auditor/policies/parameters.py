"""What users declare for single policies: the registries they trust, the most that they allow.

A policy names its parameters in METADATA, each with a default; the configuration gives others.
They reach that policy alone, as `input.parameters`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from auditor.declared import Settings
from auditor.errors import ConfigError
from auditor.model import Parameter, Policy

Declared = Mapping[str, Mapping[str, Any]]
"""Policy → name → value."""


def settled(declared: Declared, policies: Iterable[Policy], file: str) -> Declared:
    """The declared values by the id of the policy, each of the type of its default.

    Raises:
        ConfigError: a policy or a parameter that there is not, or a value of another type. Its text
            names `file`, where they were declared, and the field.
    """
    by_name = {name: p for p in policies if p.parameters for name in (p.id, *p.aliases)}
    found: dict[str, dict[str, Any]] = {}
    for name, values in declared.items():
        place = f"{file}: parameters.{name}"
        if name not in by_name:
            raise ConfigError(f"{place}: {_unknown(name, by_name, 'policy that has parameters')}")
        policy = by_name[name]
        if policy.id in found:
            raise ConfigError(f"{place}: is declared twice, as {policy.id} too")
        found[policy.id] = _values(policy, values, place)
    return found


def given(policy: Policy, settings: Settings) -> dict[str, Any]:
    """What the policy is told: what was declared, else its defaults."""
    if not policy.parameters:
        return {}
    defaults = {parameter.name: parameter.default for parameter in policy.parameters}
    return defaults | dict(settings.parameters.get(policy.id, {}))


def _values(policy: Policy, values: Mapping[str, Any], place: str) -> dict[str, Any]:
    known = {parameter.name: parameter for parameter in policy.parameters}
    found = {}
    for name, value in values.items():
        if name not in known:
            raise ConfigError(f"{place}.{name}: {_unknown(name, known, 'such parameter')}")
        found[name] = _of_its_type(known[name], value, f"{place}.{name}")
    return found


def _of_its_type(parameter: Parameter, value: Any, place: str) -> Any:
    """The value; a number where a text is wanted is read as it would be written."""
    if isinstance(parameter.default, list):
        if isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value):
            return value
        raise ConfigError(f"{place}: must be a list of texts, and none of them empty")
    if isinstance(value, str) and value.strip():
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ConfigError(f"{place}: must be a text or a number")


def _unknown(name: str, known: Iterable[str], what: str) -> str:
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{close[0]}'?" if close else f"there is {', '.join(sorted(names))}"
    return f"there is no {what} of that name; {hint}"
