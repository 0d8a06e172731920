"""What the webhook is told when it starts: who judges, by what, and what becomes of faults."""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass
from typing import Any

import orjson

from auditor import __version__
from auditor.audit import Bench
from auditor.declared import Admission
from auditor.errors import ConfigError
from auditor.model import Settings
from auditor.values import dataclass

DIGITS = 16
"""Hexadecimal digits of a digest: for people who compare two replicas, not against forgery."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an evaluator needs besides the cluster; the same for each. It can be pickled."""

    bench: Bench
    settings: Settings
    terms: Admission

    def checked(self) -> Plan:
        """Itself.

        Raises:
            ConfigError: it asks no policy. Such a webhook would let everything pass in silence.
        """
        if not self.bench.policies:
            raise ConfigError("no policy is chosen: a webhook without any would allow everything")
        return self

    @property
    def digest(self) -> str:
        """Of whatever decides about an answer besides the cluster: policies in their words,
        settings, terms and the program itself. Equal on all replicas that would answer alike.
        """
        policies = sorted((p.id, p.module) for p in self.bench.policies)
        told = [__version__, self.bench.engine.name, policies, _plain(self.settings)]
        told.append(_plain(self.terms))
        return hashlib.sha256(orjson.dumps(told)).hexdigest()[:DIGITS]


def _plain(value: Any) -> Any:
    """A frozen value as JSON can carry it, sets and mappings in a fixed order."""
    if is_dataclass(value) and not isinstance(value, type):
        return [_plain(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, dict):
        return sorted((str(key), _plain(each)) for key, each in value.items())
    if isinstance(value, (set, frozenset)):
        return sorted(map(_plain, value), key=orjson.dumps)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
