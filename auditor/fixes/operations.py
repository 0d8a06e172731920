"""Applies the steps of a remedy to a manifest in memory."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from auditor.model import Change, Manifest, Operation, Path, Resource


class CannotApplyError(Exception):
    """A step does not fit the object. The text says which, and why."""


def applied(manifest: Manifest, operations: Sequence[Operation]) -> dict[str, Any]:
    """`manifest` after all steps, as a new value that shares with it whatever no step touches.
    Missing parents of an added key are made; what is replaced or removed must be there.

    Raises:
        CannotApplyError: a step does not fit.
    """
    result: Any = manifest
    for operation in operations:
        result = _applied(result, operation, 0)
    if not isinstance(result, dict):
        raise CannotApplyError("the result is no object")
    return result


def _applied(value: Any, operation: Operation, depth: int) -> Any:
    """What stands `depth` steps down the path of an operation, after it."""
    path = operation.path
    if depth == len(path):
        return operation.value
    if depth == len(path) - 1:
        parent = copy.copy(value)
        _apply(parent, operation)
        return parent
    step = path[depth]
    makes = isinstance(value, dict) and isinstance(step, str) and operation.op == "add"
    if makes and value.get(step) is None:
        return {**value, step: _applied({}, operation, depth + 1)}
    if not _is_there(value, step):
        raise CannotApplyError(f"nothing at {_told(path)}")
    changed = copy.copy(value)
    changed[step] = _applied(value[step], operation, depth + 1)
    return changed


def _apply(parent: Any, operation: Operation) -> None:
    last, value = operation.path[-1], operation.value
    if operation.op == "add" and isinstance(parent, list):
        parent.insert(_index(parent, operation), value)
    elif operation.op == "remove" and _is_there(parent, last):
        del parent[last]
    elif _can_set(parent, operation):
        parent[last] = value
    else:
        raise CannotApplyError(f"cannot {operation.op} {_told(operation.path)}")


def _index(parent: list[Any], operation: Operation) -> int:
    last = operation.path[-1]
    if last == "-":
        return len(parent)
    if isinstance(last, int) and 0 <= last <= len(parent):
        return last
    raise CannotApplyError(f"cannot add {_told(operation.path)}: there are {len(parent)} items")


def _can_set(parent: Any, operation: Operation) -> bool:
    if operation.op == "replace":
        return _is_there(parent, operation.path[-1])
    adds = operation.op == "add" and isinstance(operation.path[-1], str)
    return adds and isinstance(parent, dict)


def _is_there(parent: Any, step: str | int) -> bool:
    if isinstance(parent, dict):
        return isinstance(step, str) and step in parent
    return isinstance(parent, list) and isinstance(step, int) and 0 <= step < len(parent)


def _told(path: Path) -> str:
    return ".".join(map(str, path))


def patched(resource: Resource, *operations: Operation) -> Change:
    """The change of an object that is there. All steps speak of the object as it was, so that those
    of several fixes go together; the change has them in the order in which they are carried out.

    Raises:
        CannotApplyError: see `applied`.
    """
    steps = in_order(operations)
    return Change(replace(resource, manifest=applied(resource.manifest, steps)), steps)


def in_order(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Each step once, as all are carried out: items are taken out of lists last, and from the back,
    so that none moves before its turn. Items are added at the end of lists alone (decision 0043).
    """
    steps = once(operations)
    items = sorted(filter(_takes_item, steps), key=_place, reverse=True)
    return (*(step for step in steps if not _takes_item(step)), *items)


def once(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The steps in their order, each only the first time. A text of the value tells apart what
    Python takes for equal, as True and 1 are.
    """
    found = {(each.op, each.path, repr(each.value)): each for each in reversed([*operations])}
    return tuple(reversed(found.values()))


def settled(operations: Sequence[Operation]) -> Iterator[Operation]:
    """The steps that can be carried out again once all have been, each with the path at which its
    field stands by then: items after one that was taken out have moved up.
    """
    taken = [step.path for step in operations if _takes_item(step)]
    for step in operations:
        path = None if _takes_item(step) else _moved_up(step.path, taken)
        if path is not None:
            yield replace(step, path=path)


def _takes_item(step: Operation) -> bool:
    return step.op == "remove" and bool(step.path) and isinstance(step.path[-1], int)


def _place(step: Operation) -> list[tuple[int, str]]:
    """A path to sort by: numbers by their value."""
    return [(part, "") if isinstance(part, int) else (-1, part) for part in step.path]


def _moved_up(path: Path, taken: Iterable[Path]) -> Path | None:
    """None where it was taken away as a whole."""
    found = list(path)
    for away in taken:
        depth, number = len(away) - 1, away[-1]
        here = path[depth] if len(path) > depth and path[:depth] == away[:-1] else None
        if here == number:
            return None
        if isinstance(here, int) and isinstance(number, int) and here > number:
            found[depth] = int(found[depth]) - 1
    return tuple(found)


def created(resource: Resource, beside: Resource) -> Change:
    """A new object, to be written just before `beside`; after it, where that is a Namespace."""
    return Change(resource, (Operation("add", (), resource.manifest),), beside.ref)
