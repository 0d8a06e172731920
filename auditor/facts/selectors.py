"""Label selectors, as apimachinery reads them, over labels of which some may not be known.

Rules: k8s.io/apimachinery pkg/labels (Requirement.Matches) and
pkg/apis/meta/v1/validation (ValidateLabelSelector).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from functools import lru_cache
from typing import Any

from auditor.facts.wording import said
from auditor.model import Path
from auditor.values import dataclass

METADATA_NAME = "kubernetes.io/metadata.name"
"""The label with its name that the API server writes on every namespace."""

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_KEY = re.compile(rf"(?:(?P<prefix>{_DNS}(?:\.{_DNS})*)/)?{_NAME}")
_VALUE = re.compile(rf"(?:{_NAME})?")
_WITH_VALUES = ("In", "NotIn")
_WITHOUT_VALUES = ("Exists", "DoesNotExist")


class Truth(IntEnum):
    """What can be told. `min` is "and", `max` is "or"."""

    NO = 0
    MAYBE = 1
    YES = 2


class RefusedError(Exception):
    """The API server would refuse this part of an object. Never leaves the package."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path
        self.why = why


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is known of the value of a label that a controller writes at run time."""

    prefix: str = ""
    """How the value begins."""
    always: bool = True
    """Whether the label is surely there."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a pod or a namespace, as far as they are known."""

    known: Mapping[str, str]
    hidden: Mapping[str, Hidden] = field(default_factory=dict)
    """Labels whose value is not known; they count before `known`."""
    open: bool = False
    """Whether there may be labels that neither of the two names."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()
    _hash: int = field(init=False, repr=False, compare=False)
    """Kept: whom a condition means is looked up for every rule."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.key, self.operator, self.values)))

    def __hash__(self) -> int:
        return self._hash

    def admits(self, value: str | None) -> bool:
        """Whether a label with `value` meets it; None stands for a label that is absent."""
        if self.operator == "In":
            return value in self.values
        if self.operator == "NotIn":
            return value not in self.values
        return (value is not None) == (self.operator == "Exists")

    def truth(self, labels: Labels) -> Truth:
        """Whether `labels` meet it."""
        if labels.hidden and (hidden := labels.hidden.get(self.key)):
            return self._guess(hidden)
        value = labels.known.get(self.key)
        if value is None and labels.open:
            return Truth.MAYBE
        return Truth.YES if self.admits(value) else Truth.NO

    def _guess(self, hidden: Hidden) -> Truth:
        if self.operator in _WITHOUT_VALUES:
            if not hidden.always:
                return Truth.MAYBE
            return Truth.YES if self.operator == "Exists" else Truth.NO
        if any(value.startswith(hidden.prefix) for value in self.values):
            return Truth.MAYBE
        return Truth.YES if self.operator == "NotIn" else Truth.NO


@dataclass(frozen=True, slots=True)
class Selector:
    """All of its requirements must be met; one without any matches everything."""

    requirements: tuple[Requirement, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False)
    """Kept, as that of a requirement."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self.requirements))

    def __hash__(self) -> int:
        return self._hash

    def truth(self, labels: Labels) -> Truth:
        """Whether `labels` meet every requirement. Cost: one look-up per requirement."""
        worst = Truth.YES
        for requirement in self.requirements:
            truth = requirement.truth(labels)
            if truth is Truth.NO:
                return truth
            if truth is Truth.MAYBE:
                worst = truth
        return worst

    def undecided(self, labels: Labels) -> tuple[str, ...]:
        """The keys for which `labels` do not tell."""
        keys = (r.key for r in self.requirements if r.truth(labels) is Truth.MAYBE)
        return tuple(dict.fromkeys(keys))


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector as written matches `labels`. One that is invalid matches nothing."""
    try:
        return parse_selector(selector, ()).truth(Labels(labels)) is Truth.YES
    except RefusedError:
        return False


def parse_selector(value: Any, path: Path) -> Selector:
    """The label selector `value`, which stands at `path`; None is the empty one.

    Raises:
        RefusedError: it is not what the API server accepts.
    """
    if value is None:
        return Selector()
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no label selector")
    if len(value) == 1 and (found := _plain(value.get("matchLabels"))):
        return found
    exact = _from_labels(value.get("matchLabels"), (*path, "matchLabels"))
    other = _from_expressions(value.get("matchExpressions"), (*path, "matchExpressions"))
    return Selector((*exact, *other))


def _from_labels(value: Any, path: Path) -> Iterator[Requirement]:
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no mapping of labels")
    for key, wanted in value.items():
        check_key(key, (*path, key))
        check_value(wanted, (*path, key))
        yield _exactly(key, wanted)


def _from_expressions(value: Any, path: Path) -> Iterator[Requirement]:
    if value is None:
        return
    if not isinstance(value, list):
        raise RefusedError(path, "is no list of expressions")
    for index, expression in enumerate(value):
        yield _requirement(expression, (*path, index))


def _requirement(value: Any, path: Path) -> Requirement:
    if not isinstance(value, Mapping):
        raise RefusedError(path, "is no expression")
    key, operator, values = value.get("key"), value.get("operator"), value.get("values")
    check_key(key, (*path, "key"))
    if operator not in _WITH_VALUES + _WITHOUT_VALUES:
        raise RefusedError(
            (*path, "operator"), f"{said(operator)} is no operator of label selectors"
        )
    if values is not None and not isinstance(values, list):
        raise RefusedError((*path, "values"), "is no list of values")
    if bool(values) != (operator in _WITH_VALUES):
        needs = "needs" if operator in _WITH_VALUES else "takes no"
        raise RefusedError((*path, "values"), f"{operator} {needs} values")
    for index, wanted in enumerate(values or ()):
        check_value(wanted, (*path, "values", index))
    return Requirement(str(key), operator, frozenset(values or ()))


def check_key(key: Any, path: Path) -> None:
    """Raises:
    RefusedError: it is no key of a label.
    """
    if not isinstance(key, str) or not _is_key(key):
        raise RefusedError(path, f"{said(key)} is no label key")


def check_value(value: Any, path: Path) -> None:
    """Raises:
    RefusedError: it is no value of a label.
    """
    if not isinstance(value, str) or not _is_value(value):
        raise RefusedError(path, f"{said(value)} is no label value")


def _plain(labels: Any) -> Selector | None:
    """The selector of some labels; None where anything of them may be wrong."""
    if type(labels) is not dict or not all(type(v) is str for v in labels.values()):
        return None
    return _labelled(tuple(labels.items()))


# Thousands of policies ask for the same few labels.
@lru_cache(1 << 14)
def _labelled(labels: tuple[tuple[Any, str], ...]) -> Selector | None:
    if not all(type(key) is str and _is_key(key) and _is_value(value) for key, value in labels):
        return None
    return Selector(tuple(_exactly(key, value) for key, value in labels))


@lru_cache(1 << 14)
def _exactly(key: str, value: str) -> Requirement:
    return Requirement(key, "In", frozenset((value,)))


@lru_cache(1 << 12)
def _is_key(key: str) -> bool:
    found = _KEY.fullmatch(key)
    return found is not None and len(found["prefix"] or "") <= 253


@lru_cache(1 << 14)
def _is_value(value: str) -> bool:
    return _VALUE.fullmatch(value) is not None
