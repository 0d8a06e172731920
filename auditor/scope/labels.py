"""Label selectors as kubectl takes them with -l.

The grammar is that of k8s.io/apimachinery pkg/labels (Parse): ``key``, ``!key``, ``key=v``,
``key==v``, ``key!=v``, ``key in (a,b)``, ``key notin (a,b)``, ``key>1``, ``key<1``, with commas
between, all of which must be met.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor.errors import UsageError
from auditor.facts.selectors import RefusedError, Requirement, check_key, check_value
from auditor.values import dataclass

_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_SIGNS = frozenset(("=", "==", "!=", "!", "(", ")", ",", "<", ">"))
_END = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """``key>number`` or ``key<number``."""

    key: str
    above: bool
    number: int

    def admits(self, value: str | None) -> bool:
        """Whether a label with `value` meets it; one that is absent or no integer does not."""
        if value is None or not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
            return False
        return int(value) > self.number if self.above else int(value) < self.number


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All of its conditions must be met; one without any fits everything."""

    conditions: tuple[Requirement | Bound, ...] = ()

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(each.admits(labels.get(each.key)) for each in self.conditions)


def parse(text: str) -> LabelSelector:
    """The selector that is written so.

    Raises:
        UsageError: kubectl would refuse it; the text says where and why.
    """
    try:
        return LabelSelector(tuple(_Parser(text).conditions()))
    except RefusedError as refused:
        raise UsageError(f"the label selector '{text}': {refused.why}") from refused


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._next = 0

    def conditions(self) -> list[Requirement | Bound]:
        found: list[Requirement | Bound] = []
        if self._peek() == _END:
            return found
        while True:
            found.append(self._condition())
            if self._peek() == _END:
                return found
            self._expect(",", "a comma or the end")

    def _condition(self) -> Requirement | Bound:
        absent = self._peek() == "!"
        self._next += absent
        key = self._word("a label key")
        check_key(key, ())
        if absent:
            return Requirement(key, "DoesNotExist")
        if self._peek() in {_END, ","}:
            return Requirement(key, "Exists")
        return self._compared(key, self._take())

    def _compared(self, key: str, operator: str) -> Requirement | Bound:
        if operator in {"in", "notin"}:
            return Requirement(key, "In" if operator == "in" else "NotIn", self._values(operator))
        if operator not in {"=", "==", "!=", "<", ">"}:
            raise RefusedError((), f"'{operator}' is no operator: {key} takes = == != in notin < >")
        value = "" if self._peek() in {_END, ","} else self._word("a value")
        if operator in {"<", ">"}:
            if not re.fullmatch(r"[+-]?\d+", value, re.ASCII):
                raise RefusedError((), f"{key}{operator} needs a whole number, not '{value}'")
            return Bound(key, operator == ">", int(value))
        check_value(value, ())
        return Requirement(key, "NotIn" if operator == "!=" else "In", frozenset((value,)))

    def _values(self, operator: str) -> frozenset[str]:
        self._expect("(", f"'(' after {operator}")
        values = [self._value()]
        while self._peek() == ",":
            self._next += 1
            values.append(self._value())
        self._expect(")", "')'")
        for value in values:
            check_value(value, ())
        return frozenset(values)

    def _value(self) -> str:
        """A value may be empty, also between two commas, and ``()`` is one that is."""
        return "" if self._peek() in {",", ")"} else self._word("a value")

    def _word(self, wanted: str) -> str:
        token = self._take()
        if token == _END or token in _SIGNS:
            raise RefusedError((), f"{_named(token)} where {wanted} should be")
        return token

    def _expect(self, sign: str, wanted: str) -> None:
        token = self._take()
        if token != sign:
            raise RefusedError((), f"{_named(token)} where {wanted} should be")

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else _END

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token


def _named(token: str) -> str:
    return f"'{token}'" if token else "the end"
