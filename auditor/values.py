"""Frozen dataclasses as the standard library makes them, in a third of the time, and words.

A command needs some five hundred classes of values before it does anything. `dataclasses` writes
and compiles six functions for each. Those that show, compare, hash and guard a value only go
through its fields: here all classes share them. What makes a value is compiled as before, and sets
the fields in their slots. Type checkers see `dataclasses.dataclass`; a test makes every class of
ours in both ways.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from enum import StrEnum
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

_Method = Callable[..., Any]
_PLAIN = {"frozen", "slots", "eq"}
"""What can be asked of a class that is made here."""

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - it is given on
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> Any:
        """As `dataclasses.dataclass`, which makes whatever is not frozen, and what is below another
        dataclass.

        Raises:
            TypeError: a frozen class has a field that is given by name alone, or guards itself.
        """
        if cls is None:
            return lambda decorated: dataclass(decorated, **options)
        below = any(map(dataclasses.is_dataclass, cls.__mro__[1:]))
        if below or not options.get("frozen") or options.keys() - _PLAIN:
            return dataclasses.dataclass(cls, **options)
        return _frozen(cls, slots=options.get("slots", False), eq=options.get("eq", True))


class Word(StrEnum):
    """Words to choose from. In sets and mappings each is the text that it equals, which is told in
    a third of the time.
    """

    __hash__ = str.__hash__


def _frozen(cls: type[Any], *, slots: bool, eq: bool) -> type[Any]:
    own = _own(cls)
    if not cls.__doc__:  # else it would be made of the signature, which takes its time
        cls.__doc__ = cls.__name__
    made: type[Any] = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
    params = made.__dataclass_params__
    params.init, params.repr, params.eq, params.frozen = True, True, eq, True
    methods = {"__init__": _maker(made), "__repr__": _shown(made), **_guards(made)}
    methods |= _compared(made) if eq else {}
    for name, method in methods.items():
        if name not in own:
            method.__name__, method.__qualname__ = name, f"{made.__qualname__}.{name}"
            method.__module__ = made.__module__
            setattr(made, name, method)
    if slots:
        for name, method in _KEPT.items():
            setattr(made, name, method)
    return made


def _own(cls: type) -> frozenset[str]:
    """What the class says itself. Whoever compares by hand has no hash, unless that is said too."""
    said = vars(cls)
    if clash := {"__setattr__", "__delattr__"} & said.keys():
        raise TypeError(f"{cls.__name__} is frozen, and has {clash.pop()} of its own")
    hashes = said.get("__hash__") is not None or "__eq__" not in said
    return frozenset(name for name in said if name != "__hash__" or hashes)


class _Factory:
    """In the place of what is made anew for each value."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def _maker(made: type[Any]) -> _Method:
    """``__init__``, which sets each field in its slot, or as whatever has none is set."""
    known: dict[str, Any] = {"_FACTORY": _FACTORY, "_set": object.__setattr__}
    given, lines = ["self"], []
    for field in fields(made):
        name, default = field.name, _default(field, known)
        if field.init:
            given.append(f"{name}={default}" if default else name)
        elif not default:
            continue  # whoever comes after it sets it
        value = _made_anew(field, name if field.init else default)
        if slot := getattr(getattr(made, name, None), "__set__", None):
            known[f"_set_{name}"] = slot
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"_set(self, {name!r}, {value})")
    lines += ["self.__post_init__()"] if hasattr(made, "__post_init__") else []
    body = "\n ".join(lines) or "pass"
    exec(f"def __init__({', '.join(given)}):\n {body}", known)  # noqa: S102 - names of our fields
    method: _Method = known["__init__"]
    method.__annotations__ = {f.name: f.type for f in fields(made) if f.init} | {"return": None}
    return method


def _default(field: Field[Any], known: dict[str, Any]) -> str:
    """The name of what stands for a value that is not given; empty where there is none."""
    if field.kw_only:
        raise TypeError(f"'{field.name}' is given by name alone: dataclasses makes such a class")
    if field.default_factory is not MISSING:
        known[f"_new_{field.name}"] = field.default_factory
        return "_FACTORY"
    if field.default is not MISSING:
        known[f"_default_{field.name}"] = field.default
        return f"_default_{field.name}"
    return ""


def _made_anew(field: Field[Any], value: str) -> str:
    if field.default_factory is MISSING:
        return value
    new = f"_new_{field.name}()"
    return new if value == "_FACTORY" else f"{new} if {value} is _FACTORY else {value}"


def _guards(made: type[Any]) -> dict[str, _Method]:
    """What refuses to change a value. A class below it that is none may have more of its own."""
    names = frozenset(field.name for field in fields(made))

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


def _shown(made: type[Any]) -> _Method:
    names = [f.name for f in fields(made) if f.repr]

    @recursive_repr()
    def show(self: Any) -> str:
        values = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{type(self).__qualname__}({values})"

    return show


def _compared(made: type[Any]) -> dict[str, _Method]:
    values = _values([f.name for f in fields(made) if f.compare])
    kept = _values([f.name for f in fields(made) if (f.compare if f.hash is None else f.hash)])

    def equal(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    def hashed(self: Any) -> int:
        return hash(kept(self))

    return {"__eq__": equal, "__hash__": hashed}


def _values(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """The values of these fields, as a tuple however many they are."""
    if len(names) > 1:
        return attrgetter(*names)
    first = attrgetter(*names) if names else None
    return lambda one: (first(one),) if first else ()
