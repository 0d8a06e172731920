"""Frozen dataclasses, as the standard library makes them, in a fifth of the time.

A command needs some five hundred of them before it does anything. `dataclasses` writes and compiles
six functions for each, of which five only go through the fields; here these are shared, and what
makes a value is compiled alone. Type checkers see `dataclasses.dataclass`; a test holds that nobody
else can tell either.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from enum import StrEnum
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any


class Word(StrEnum):
    """Words to choose from. In sets and mappings each is the text that it equals, which is told in
    a third of the time.
    """

    __hash__ = str.__hash__


_Method = Callable[..., Any]
_PLAIN = {"frozen", "slots", "eq"}
"""What can be asked of a class that is made here."""

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - it is given on
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """As `dataclasses.dataclass`, which makes whatever is not frozen."""
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        if not options.get("frozen") or options.keys() - _PLAIN:
            return dataclasses.dataclass(cls, **options)
        return _frozen(cls, slots=options.get("slots", False), eq=options.get("eq", True))


def _frozen(cls: type[Any], *, slots: bool, eq: bool) -> type[Any]:
    own = vars(cls)
    told = {name for name in ("__repr__", "__eq__") if name in own}
    if own.get("__hash__") is not None:
        told.add("__hash__")
    if not cls.__doc__:  # else it would be made of the signature, which takes its time
        cls.__doc__ = cls.__name__
    made: type[Any] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    methods = {"__init__": _maker(made), **_guards(made), **_told(made)}
    methods |= _compared(made) if eq else {}
    for name, method in methods.items():
        if name not in told:
            method.__name__, method.__qualname__ = name, f"{made.__qualname__}.{name}"
            setattr(made, name, method)
    if slots:
        for name, method in _KEPT.items():
            setattr(made, name, method)
    return made


def _maker(made: type[Any]) -> _Method:
    """``__init__``, which sets each field in its slot or in the mapping of the object."""
    known: dict[str, Any] = {"_MISSING": MISSING}
    given, lines = [], []
    for field in fields(made):
        name = field.name
        default = _default(field, known)
        if field.init:
            given.append(f"{name}={default}" if default else name)
        elif not default:
            continue  # whoever comes after it sets it
        value = _made_anew(field, name if field.init else default)
        if slot := getattr(getattr(made, name, None), "__set__", None):
            known[f"_set_{name}"] = slot
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"self.__dict__[{name!r}] = {value}")
    lines += ["self.__post_init__()"] if hasattr(made, "__post_init__") else []
    body = "\n ".join(lines) or "pass"
    exec(f"def __init__({', '.join(['self', *given])}):\n {body}", known)  # noqa: S102 - our fields
    method: _Method = known["__init__"]
    method.__annotations__ = {f.name: f.type for f in fields(made) if f.init} | {"return": None}
    return method


def _default(field: Field[Any], known: dict[str, Any]) -> str:
    """The name of what stands for a value that is not given; empty where there is none."""
    if field.default_factory is not MISSING:
        known[f"_new_{field.name}"] = field.default_factory
        return "_MISSING"
    if field.default is not MISSING:
        known[f"_default_{field.name}"] = field.default
        return f"_default_{field.name}"
    return ""


def _made_anew(field: Field[Any], value: str) -> str:
    if field.default_factory is MISSING:
        return value
    new = f"_new_{field.name}()"
    return new if value == "_MISSING" else f"{new} if {value} is _MISSING else {value}"


def _told(made: type[Any]) -> dict[str, _Method]:
    shown = [f.name for f in fields(made) if f.repr]

    @recursive_repr()
    def told(self: Any) -> str:
        values = ", ".join([f"{name}={getattr(self, name)!r}" for name in shown])
        return f"{type(self).__qualname__}({values})"

    return {"__repr__": told}


def _compared(made: type[Any]) -> dict[str, _Method]:
    compared = [f.name for f in fields(made) if f.compare]
    hashed = [f.name for f in fields(made) if (f.compare if f.hash is None else f.hash)]
    values, hashable = _values(compared), _values(hashed)

    def equal(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    def number(self: Any) -> int:
        return hash(hashable(self))

    return {"__eq__": equal, "__hash__": number}


def _values(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda _: ()


def _guards(made: type[Any]) -> dict[str, _Method]:
    """What refuses to change a value. A class below it that is none may have more of its own."""
    names = frozenset(f.name for f in fields(made))

    def refuse_setting(self: Any, name: str, value: Any) -> None:
        if type(self) is made or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, self).__setattr__(name, value)

    def refuse_deleting(self: Any, name: str) -> None:
        if type(self) is made or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, self).__delattr__(name)

    return {"__setattr__": refuse_setting, "__delattr__": refuse_deleting}


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in fields(self)]


def _restore(self: Any, kept: list[Any]) -> None:
    for field, value in zip(fields(self), kept, strict=True):
        object.__setattr__(self, field.name, value)


_KEPT: dict[str, _Method] = {"__getstate__": _state, "__setstate__": _restore}
"""How a value with slots is copied and pickled, though nothing of it can be set."""
