"""Writes the steps of a change as a JSON Patch that any other program can apply (RFC 6902)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from auditor.manifests import copied
from auditor.model import Manifest, Operation, Path
from auditor.reporters.discreet import holds_credential
from auditor.reporters.places import pointer

Step = dict[str, Any]
NAMES = ("kind", "namespace", "name")
"""What tells an item of a list from others, where it has them."""


def json_patch(before: Manifest, operations: Sequence[Operation]) -> list[Step]:
    """The operations on `before`, with the steps between that RFC 6902 wants and ours imply: ours
    make the missing parents of an added key, section 4.1 demands that they are there. Before an
    item of a list goes, a ``test`` says which one is meant: where the list has changed meanwhile,
    nothing is done. What is a credential, or stands for one, is not said.
    """
    document = copied(before)
    steps: list[Step] = []
    for operation in operations:
        steps += _steps(document, operation)
    return steps


def _steps(document: Any, operation: Operation) -> Iterator[Step]:
    """The steps of one operation, which is carried out on `document` on the way."""
    if not operation.path:
        yield _step("replace", (), operation.value)
        return
    where = document
    for depth, key in enumerate(operation.path[:-1], 1):
        if operation.op == "add" and isinstance(where, dict) and where.get(key) is None:
            where[key] = {}
            yield _step("add", operation.path[:depth], {})
        where = _inside(where, key)
    yield from _tested(where, operation)
    yield _step(operation.op, operation.path, operation.value)
    _carry_out(where, operation)


def _tested(where: Any, operation: Operation) -> Iterator[Step]:
    """That the item which goes is the one that is meant: by its names where it has some."""
    *above, key = operation.path
    if operation.op != "remove" or not isinstance(where, list) or not isinstance(key, int):
        return
    item = copied(_inside(where, key))
    names = [name for name in NAMES if isinstance(item, dict) and isinstance(item.get(name), str)]
    for name in names:
        yield _step("test", (*above, key, name), item[name])
    if not names and not holds_credential(Operation("test", operation.path, item)):
        yield _step("test", operation.path, item)


def _step(op: str, path: Path, value: Any) -> Step:
    step = {"op": op, "path": pointer(path)}
    return step if op == "remove" else step | {"value": value}


def _inside(where: Any, key: str | int) -> Any:
    try:
        return where[key]
    except (KeyError, IndexError, TypeError):
        return None


def _carry_out(where: Any, operation: Operation) -> None:
    """What later operations may build on; one that does not fit was refused before it came here."""
    key, value = operation.path[-1], copied(operation.value)
    if isinstance(where, dict):
        where.pop(key, None) if operation.op == "remove" else where.update({key: value})
    elif isinstance(where, list) and operation.op == "add":
        where.insert(len(where) if key == "-" else int(key), value)
    elif isinstance(where, list) and isinstance(key, int) and key < len(where):
        where[key : key + 1] = [] if operation.op == "remove" else [value]
