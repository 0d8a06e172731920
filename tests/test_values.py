"""A frozen dataclass of ours is what the standard library would have made of it."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, FrozenInstanceError, field
from functools import cached_property
from typing import Any

import pytest

import auditor
from auditor.values import Word, dataclass


def frozen() -> Iterator[type[Any]]:
    """Every frozen dataclass of ours."""
    for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
        if module.name.endswith("__main__"):
            continue
        for one in vars(importlib.import_module(module.name)).values():
            if not isinstance(one, type) or one.__module__ != module.name:
                continue
            if dataclasses.is_dataclass(one) and params(one).frozen and not params(one).order:
                yield one


def params(one: type[Any]) -> Any:
    """What the decorator was told."""
    return one.__dataclass_params__


OURS = list(frozen())


def twin(one: type[Any]) -> type[Any]:
    """The same fields, as the standard library makes a class of them."""
    said = [(f.name, f.type, again(f)) for f in dataclasses.fields(one)]
    eq = params(one).eq
    return dataclasses.make_dataclass(one.__qualname__, said, frozen=True, eq=eq)


def again(one: Field[Any]) -> Any:
    """A field that says the same."""
    said = {key: getattr(one, key) for key in ("init", "repr", "hash", "compare")}
    if one.default_factory is not MISSING:
        return field(default_factory=one.default_factory, **said)
    return field(**said) if one.default is MISSING else field(default=one.default, **said)


def by_hand(one: type[Any], method: str) -> bool:
    """Whether the class writes the method itself."""
    code = getattr(getattr(one, method), "__code__", None)
    return getattr(code, "co_filename", "") == sys.modules[one.__module__].__file__


def names(one: type[Any]) -> str:
    """As the test is called."""
    return f"{one.__module__.removeprefix('auditor.')}.{one.__qualname__}"


@pytest.mark.parametrize("one", OURS, ids=names)
def test_each_class_takes_and_shows_what_the_standard_library_would_have_it(
    one: type[Any],
) -> None:
    """And is known for the same."""
    other = twin(one)
    assert repr(params(one)) == repr(params(other))
    assert str(inspect.signature(one.__init__)) == str(inspect.signature(other.__init__))
    assert (one.__init__.__module__, one.__match_args__) == (one.__module__, other.__match_args__)
    if hasattr(one, "__post_init__"):  # which looks at what it is given
        return
    given = [f.name for f in dataclasses.fields(one) if f.init]
    made = one(*given)
    if not by_hand(one, "__repr__"):
        assert repr(made) == repr(other(*given))
    for f in dataclasses.fields(one):
        with pytest.raises(FrozenInstanceError):
            setattr(made, f.name, "another")


@pytest.mark.parametrize("one", [each for each in OURS if params(each).eq], ids=names)
def test_each_class_compares_and_hashes_what_the_standard_library_would(one: type[Any]) -> None:
    """Whichever field is another one; and no class is another class with the same in it."""
    if hasattr(one, "__post_init__") or by_hand(one, "__eq__") or by_hand(one, "__hash__"):
        return
    other = twin(one)
    given = [f.name for f in dataclasses.fields(one) if f.init]
    made, same = one(*given), other(*given)
    assert (made == one(*given), hash(made)) == (True, hash(same))
    assert made != type("Below", (one,), {})(*given)
    for number in range(len(given)):
        changed = [*given[:number], "another", *given[number + 1 :]]
        assert (made == one(*changed)) is (same == other(*changed))
        assert (hash(made) == hash(one(*changed))) is (hash(same) == hash(other(*changed)))


def test_there_are_as_many_as_a_command_needs() -> None:
    """So that the tests above look at some."""
    assert len(OURS) > 500


@dataclass(frozen=True, slots=True)
class Point:
    """Can be found by its name, as pickle needs it."""

    x: int
    y: list[int] = field(default_factory=list, hash=False)

    def __repr__(self) -> str:
        return "a point"


@dataclass(frozen=True)
class Line(Point):
    """With a mapping, beside the slots of what it is a kind of."""

    end: Point | None = None

    @cached_property
    def length(self) -> int:
        """Is kept, though nothing can be set."""
        return len(self.y)


@dataclass(frozen=True, slots=True, eq=False)
class Alone:
    """Is itself and nobody else."""

    name: str
    size: int = field(init=False, default=1)


def test_copies_and_keys() -> None:
    """As they go to other processes and into mappings."""
    point, line = Point(1, [2]), Line(1, [2], Point(3))
    assert pickle.loads(pickle.dumps(point)) == point  # noqa: S301 - our own
    assert copy.deepcopy(line) == line
    assert dataclasses.replace(point, x=2) == Point(2, [2])
    assert {point: 1, line: 2}[Line(1, [2], Point(3))] == 2
    assert (hash(point), Point(1).y is Point(1).y) == (hash(Point(1)), False)
    assert (repr(point), line.length, line.length) == ("a point", 1, 1)
    assert (Alone("a") == Alone("a"), len({Alone("a"), Alone("a")})) == (False, 2)
    assert Alone("a").size == 1
    with pytest.raises(FrozenInstanceError):
        line.end = None  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x


def test_what_the_class_writes_itself_stays() -> None:
    """Also that it has no hash."""

    @dataclass(frozen=True)
    class Equal:  # noqa: PLW1641 - it is given one
        a: int

        def __eq__(self, other: object) -> bool:
            return True

    @dataclass(frozen=True)
    class Unhashed:
        a: int
        __hash__ = None  # type: ignore[assignment]

    assert Equal(1) == Equal(2)
    with pytest.raises(TypeError):
        hash(Unhashed(1))


def test_what_cannot_be_is_refused() -> None:
    """Rather than made otherwise than it was meant."""
    with pytest.raises(TypeError, match="by name alone"):

        @dataclass(frozen=True)
        class _Named:
            a: int = field(kw_only=True)

    with pytest.raises(TypeError, match="of its own"):

        @dataclass(frozen=True)
        class _Guarded:
            a: int

            def __setattr__(self, name: str, value: object) -> None: ...

    with pytest.raises(TypeError, match="non-frozen dataclass from a frozen"):

        @dataclass
        class _Mutable(Point):  # type: ignore[misc]
            b: int = 0


def test_a_word_is_its_text() -> None:
    """In sets and mappings, and beside others of its kind."""

    class Fruit(Word):
        APPLE = "apple"

    assert {"apple": 1}[Fruit.APPLE] == 1
    words: set[str] = {Fruit.APPLE}
    assert "apple" in words
    assert pickle.loads(pickle.dumps(WORDS[0])) is WORDS[0]  # noqa: S301 - our own


WORDS = list(importlib.import_module("auditor.grades").Severity)
