"""Writes fixes as a JSON Patch (RFC 6902) that adds what an object does not have, and nothing else.

A patch that the API server can read and not apply rejects the request, whatever the failurePolicy
says. So each one is applied here first, and by its text: as the API server will.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.fixes.operations import once
from auditor.manifests import copied
from auditor.model import Manifest, Operation
from auditor.reporters.patches import Step, json_patch


class NotAnAdditionError(Exception):
    """A step would change what is there, or does not fit the object. The text says which."""


def is_addition(document: Any, operation: Operation) -> bool:
    """Whether the operation adds a member that is not there to a mapping that is, or is to be made.
    Null is a value that somebody set.
    """
    if operation.op != "add" or not operation.path:
        return False
    for key in operation.path:
        if isinstance(document, list) and isinstance(key, int) and 0 <= key < len(document):
            document = document[key]
        elif isinstance(document, dict) and isinstance(key, str):
            if key not in document:
                return True
            document = document[key]
        else:
            return False
    return False


def additions(document: Manifest, operations: Iterable[Operation]) -> tuple[Step, ...]:
    """The steps that make of `document`, as it was sent, what the operations want of it. What two
    of them have in common is added once.

    Raises:
        NotAnAdditionError: it takes more than members that are not there.
    """
    wanted = once(operations)
    if not all(is_addition(document, each) for each in wanted):
        raise NotAnAdditionError("a fix has to change what is there")
    steps = tuple(json_patch(document, wanted))
    grown(document, steps)
    return steps


def grown(document: Manifest, steps: Iterable[Step]) -> dict[str, Any]:
    """`document` after the steps, as a value of its own: all that was there, and what was added.

    Raises:
        NotAnAdditionError: one of them is no ``add`` of a member that a mapping does not have.
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
