"""A frozen dataclass of ours is what the standard library would have made of it."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from functools import cached_property
from typing import Any, ClassVar

import pytest

import auditor
from auditor import values


def made_by(decorator: Any, *, slots: bool, eq: bool = True) -> Any:
    """A class with all that ours have, anew."""

    @decorator(frozen=True, slots=slots, eq=eq)
    class Sample:
        """What it is."""

        NONE: ClassVar[int] = 0

        name: str
        size: int = 3
        parts: list[int] = field(default_factory=list)
        seen: str = field(default="", compare=False, repr=False)
        length: int = field(init=False, default=0)
        late: int = field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "late", self.size + 1)

        def upper(self) -> str:
            return self.name.upper()

    return Sample


BOTH = [
    (made_by(values.dataclass, slots=s), made_by(dataclasses.dataclass, slots=s))
    for s in (True, False)
]


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
def test_values_are_alike(ours: Any, theirs: Any) -> None:
    """What is given, what is not, what stands for it, and what is shown."""
    for given in (("a",), ("a", 4), ("a", 4, [1]), ("a", 4, [1], "x")):
        one, other = ours(*given), theirs(*given)
        assert repr(one) == repr(other)
        assert [getattr(one, f.name) for f in dataclasses.fields(one)] == [
            getattr(other, f.name) for f in dataclasses.fields(other)
        ]
        assert one == ours(*given[:3])
        assert one != ours("b")
        assert one != other
        assert dataclasses.replace(one, size=9).late == 10
        assert dataclasses.asdict(one) == dataclasses.asdict(other)
    assert ours("a").parts is not ours("a").parts
    assert ours(name="a", size=1).upper() == "A"
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__doc__ == theirs.__doc__


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
def test_what_is_wrong_is_refused_alike(ours: Any, theirs: Any) -> None:
    """Setting, deleting, too few and too many values, hashing what cannot be."""
    one = ours("a")
    acts: tuple[Callable[[Any, str], None], ...] = (lambda v, n: setattr(v, n, 1), delattr)
    for act in acts:
        with pytest.raises(FrozenInstanceError) as said:
            act(one, "size")
        with pytest.raises(FrozenInstanceError) as wanted:
            act(theirs("a"), "size")
        assert str(said.value) == str(wanted.value)
        with pytest.raises(FrozenInstanceError):  # theirs, with slots, trips over itself
            act(one, "other")
    wrong: tuple[tuple[Any, ...], ...] = ((), ("a", 1, [], "", 0, 0))
    for given in wrong:
        with pytest.raises(TypeError) as said_of_it:
            ours(*given)
        with pytest.raises(TypeError) as wanted_of_it:
            theirs(*given)
        assert str(said_of_it.value) == str(wanted_of_it.value)
    with pytest.raises(TypeError):
        hash(one)


@values.dataclass(frozen=True, slots=True)
class Point:
    """Can be found by its name, as pickle needs it."""

    x: int
    y: tuple[int, ...] = ()

    def __repr__(self) -> str:
        return "a point"


@values.dataclass(frozen=True)
class Line(Point):
    """With a mapping, beside the slots of what it is a kind of."""

    end: Point | None = None

    @cached_property
    def length(self) -> int:
        """Is kept, though nothing can be set."""
        return len(self.y)


def test_copies_and_keys() -> None:
    """As they go to other processes and into mappings."""
    point, line = Point(1, (2,)), Line(1, (2,), Point(3))
    assert pickle.loads(pickle.dumps(point)) == point  # noqa: S301 - our own
    assert copy.deepcopy(line) == line
    assert {point: 1, line: 2}[Line(1, (2,), Point(3))] == 2
    assert (repr(point), line.length, line.length) == ("a point", 1, 1)
    with pytest.raises(FrozenInstanceError):
        line.end = None  # type: ignore[misc]


def test_every_class_of_ours_takes_what_it_says() -> None:
    """The signature of each is that of its fields, as `dataclasses` would have it."""
    seen = 0
    for module in pkgutil.walk_packages(auditor.__path__, "auditor."):
        if module.name.endswith("__main__"):
            continue
        for one in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(one, type)
                and one.__module__ == module.name
                and dataclasses.is_dataclass(one)
            ):
                given = [f.name for f in dataclasses.fields(one) if f.init]
                assert list(inspect.signature(one).parameters) == given
                seen += 1
    assert seen > 500
