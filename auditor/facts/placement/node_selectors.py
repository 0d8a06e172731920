"""Node selectors: which nodes a pod, a preference or a volume asks for.

Rules: k8s.io/component-helpers scheduling/corev1/nodeaffinity. Terms are alternatives, the
expressions of a term all count, and a term without any matches no node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from auditor.facts.selectors import RefusedError
from auditor.facts.wording import said
from auditor.model import Path
from auditor.values import dataclass

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_INT64 = 2**63


@dataclass(frozen=True, slots=True)
class Expression:
    """One condition on one label of a node, or on its name."""

    key: str
    operator: str
    values: frozenset[str]

    def admits(self, value: str | None) -> bool:
        """Whether a label with `value` meets it; None stands for a label that is absent."""
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        if self.operator in ("Exists", "DoesNotExist"):
            return (value is not None) == (self.operator == "Exists")
        number, (bound,) = _integer(value), self.values
        limit = _integer(bound)
        if number is None or limit is None:
            return False
        return number > limit if self.operator == "Gt" else number < limit


@dataclass(frozen=True, slots=True)
class NodeTerm:
    """One alternative: all of its expressions."""

    labels: tuple[Expression, ...]
    fields: tuple[Expression, ...]
    weight: int = 0
    """What it is worth as a preference."""

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a node of that name and these labels meets it."""
        if not self.labels and not self.fields:
            return False
        return all(e.admits(labels.get(e.key)) for e in self.labels) and all(
            e.key == "metadata.name" and e.admits(name) for e in self.fields
        )


def _integer(text: str | None) -> int | None:
    if text is None or not _INTEGER.fullmatch(text):
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None


def read_terms(value: Any, path: Path) -> tuple[NodeTerm, ...]:
    """The list of node selector terms `value`, which stands at `path`.

    Raises:
        RefusedError: it is not what the API server accepts.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        raise RefusedError(path, "is no list of node selector terms")
    return tuple(read_term(term, (*path, index)) for index, term in enumerate(value))


def read_term(value: Any, path: Path, weight: int = 0) -> NodeTerm:
    """One node selector term.

    Raises:
        RefusedError: it is not what the API server accepts.
    """
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no node selector term")
    labels = _expressions(value.get("matchExpressions"), (*path, "matchExpressions"))
    fields = _expressions(value.get("matchFields"), (*path, "matchFields"))
    for index, field in enumerate(fields):
        if field.operator not in ("In", "NotIn") or len(field.values) != 1:
            raise RefusedError((*path, "matchFields", index), "is no condition on metadata.name")
    return NodeTerm(labels, fields, weight)


def _expressions(value: Any, path: Path) -> tuple[Expression, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise RefusedError(path, "is no list of expressions")
    return tuple(_expression(item, (*path, index)) for index, item in enumerate(value))


def _expression(value: Any, path: Path) -> Expression:
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no expression")
    key, operator, values = value.get("key"), value.get("operator"), value.get("values") or []
    if not isinstance(key, str) or operator not in _OPERATORS:
        raise RefusedError(path, f"{said(operator)} on {said(key)} is no condition on a node")
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise RefusedError((*path, "values"), "is no list of texts")
    if not _right_number(operator, values):
        raise RefusedError((*path, "values"), f"{operator} does not take {len(values)} values")
    return Expression(key, operator, frozenset(values))


def _right_number(operator: str, values: list[str]) -> bool:
    if operator in ("Gt", "Lt"):
        return len(values) == 1 and _integer(values[0]) is not None
    return bool(values) == (operator in ("In", "NotIn"))
