"""Compares two values: whether they are the same, and which items of two lists belong together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

Pair = tuple[int | None, int | None]
"""An index of the old list and one of the new: both, or one of them where an item has gone or
come.
"""


def same(old: Any, new: Any) -> bool:
    """Whether two values are equal as JSON, where `true` is not 1 and `1.5` is not "1.5"."""
    if old is new:
        return True
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(same, old, new))
    return type(old) is type(new) and bool(old == new)


def pairs(old: Sequence[Any], new: Sequence[Any]) -> Iterator[Pair]:
    """The items of both lists in order, each with its counterpart.

    Equal items belong together, then those of one name, then those at the same place between them;
    all of them by their places where fewer items change that way.
    """
    before, after = [_whole(v) for v in old], [_whole(v) for v in new]
    steps = _steps(before, after)
    moved = sum(i2 - i1 + j2 - j1 for tag, i1, i2, j1, j2 in steps if tag != "equal")
    changed = sum(one != other for one, other in zip(before, after, strict=False))
    if len(before) == len(after) and changed <= moved:
        steps = [("replace", 0, len(old), 0, len(new))]
    for tag, i1, i2, j1, j2 in steps:
        if tag == "equal" or i2 - i1 == j2 - j1:
            yield from zip(range(i1, i2), range(j1, j2), strict=True)
        else:
            yield from _by_name(old, new, (i1, i2), (j1, j2))


def _by_name(
    old: Sequence[Any], new: Sequence[Any], left: tuple[int, int], right: tuple[int, int]
) -> Iterator[Pair]:
    names = [_name(v) for v in old[slice(*left)]], [_name(v) for v in new[slice(*right)]]
    for _, i1, i2, j1, j2 in _steps(*names):
        both = min(i2 - i1, j2 - j1)
        for step in range(both):
            yield left[0] + i1 + step, right[0] + j1 + step
        yield from ((left[0] + index, None) for index in range(i1 + both, i2))
        yield from ((None, right[0] + index) for index in range(j1 + both, j2))


def _steps(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


def _whole(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _name(value: Any) -> str:
    return str(value["name"]) if isinstance(value, dict) and "name" in value else _whole(value)
