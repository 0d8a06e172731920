"""Whether an object surely has the form of its type: quick, since most of thousands have it.
Whoever is told that one may not have it looks closer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from auditor.values import dataclass

Check = Callable[[Any], bool]
"""Whether a value surely has a form."""

ANY = "any"
"""The kind of what may be anything."""

_SCALARS: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a type by their kinds, or the kind of which it is another name."""

    kinds: Mapping[str, str] | None = None
    required: tuple[str, ...] = ()
    stands_for: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """Makes the checks of the types that `fields` tells, each once. A kind is written as in
    `Types`: ``#name`` for a type, ``[kind`` for a list, ``{kind`` for a mapping, else scalar.
    """

    fields: Callable[[str], Fields]
    _made: dict[str, Check] = field(default_factory=dict)

    def check(self, kind: str) -> Check:
        """The check of a kind. null is a field that is not there, and fits."""
        found = self._made.get(kind)
        if found is None:
            found = self._made[kind] = self._make(kind)
        return found

    def _make(self, kind: str) -> Check:
        if kind == ANY:
            return _anything
        if kind[0] == "#":
            return self._type(self.fields(kind[1:]))
        if kind[0] == "[":
            return self._list(kind[1:])
        if kind[0] == "{":
            return self._map(kind[1:])
        allowed = {_SCALARS.get(part) for part in kind.split("|")}
        return lambda value: value is None or type(value) in allowed

    def _type(self, shape: Fields) -> Check:
        kinds = shape.kinds
        if kinds is None:
            return self.check(shape.stands_for)
        plain = {key: found for key, kind in kinds.items() if (found := _SCALARS.get(kind))}
        checks: dict[str, Check] = {}  # made when first asked for: types may hold themselves

        def fits(value: Any) -> bool:
            if type(value) is not dict:
                return value is None
            for key, inside in value.items():
                if plain.get(key) is type(inside):
                    continue
                check = checks.get(key)
                if check is None:
                    if key not in kinds:
                        return False
                    check = checks[key] = self.check(kinds[key])
                if not check(inside):
                    return False
            return all(value.get(key) is not None for key in shape.required)

        return fits

    def _list(self, kind: str) -> Check:
        check = self.check(kind)

        def fits(value: Any) -> bool:
            return value is None or (type(value) is list and all(map(check, value)))

        return fits

    def _map(self, kind: str) -> Check:
        check = self.check(kind)

        def fits(value: Any) -> bool:
            return value is None or (type(value) is dict and all(map(check, value.values())))

        return fits


def _anything(_: Any) -> bool:
    return True
