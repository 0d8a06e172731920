"""Writes fixes as a JSON Patch (RFC 6902) that adds what an object does not have, and nothing else.

A patch that the API server can read and not apply rejects the request, whatever the failurePolicy
says. So each one is applied here first, and by its text: as the API server will.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from auditor.manifests import copied
from auditor.model import Manifest, Operation
from auditor.reporters.patches import Step, json_patch


class NotAnAdditionError(Exception):
    """A step would change what is there, or does not fit the object. The text says which."""


def additions(document: Manifest, operations: Sequence[Operation]) -> tuple[Step, ...]:
    """The steps that make of `document`, as it was sent, what the operations want of it. What two
    operations have in common is added once.

    Raises:
        NotAnAdditionError: it takes more than members that are not there.
    """
    for operation in operations:
        if operation.op != "add" or not operation.path or operation.path[-1] == "-":
            raise NotAnAdditionError(f"a fix has to {operation.op} more than a new field")
    steps = tuple(json_patch(document, tuple(_once(operations))))
    grown(document, steps)
    return steps


def _once(operations: Iterable[Operation]) -> list[Operation]:
    found: list[Operation] = []
    for operation in operations:
        if operation not in found:
            found.append(operation)
    return found


def grown(document: Manifest, steps: Iterable[Step]) -> dict[str, Any]:
    """`document` after the steps, as a value of its own: all that was there, and what was added.

    Raises:
        NotAnAdditionError: one of them is no ``add`` of a member that a mapping does not have. Null
            is a value that somebody set.
    """
    result: dict[str, Any] = copied(document)
    for step in steps:
        *way, last = keys(step["path"])
        parent: Any = result
        for key in way:
            parent = _inside(parent, key, step["path"])
        if step["op"] != "add" or not isinstance(parent, dict) or last in parent:
            raise NotAnAdditionError(f"{step['path']} is set already, or has no place")
        parent[last] = copied(step["value"])
    return result


def keys(pointer: str) -> list[str]:
    """The keys of a JSON Pointer (RFC 6901) other than the empty one."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def _inside(parent: Any, key: str, pointer: str) -> Any:
    if isinstance(parent, dict) and key in parent:
        return parent[key]
    if isinstance(parent, list) and key.isdecimal() and int(key) < len(parent):
        return parent[int(key)]
    raise NotAnAdditionError(f"nothing is there on the way to {pointer}")
