"""The steps that lead from one value to another, as few and as deep down as possible."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.fixes.compare import same
from auditor.model import Operation, Path


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Operation]:
    """The steps on `old`, in their order. A list changes item by item where it only grows, or where
    its items keep their places; else as a whole.
    """
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from (Operation("remove", (*path, key)) for key in old if key not in new)
        for key, value in new.items():
            if key in old:
                yield from differences(old[key], value, (*path, key))
            else:
                yield Operation("add", (*path, key), value)
    elif isinstance(old, list) and isinstance(new, list) and _keep_places(old, new):
        for index, item in enumerate(old):
            yield from differences(item, new[index], (*path, index))
        yield from (Operation("add", (*path, "-"), item) for item in new[len(old) :])
    else:
        yield Operation("replace", path, new)


def _keep_places(old: list[Any], new: list[Any]) -> bool:
    """Whether each item of the old list is still at its place in the new one."""
    return len(old) <= len(new) and all(
        same(one, new[at]) or (_name(one) is not None and _name(one) == _name(new[at]))
        for at, one in enumerate(old)
    )


def _name(item: Any) -> Any:
    return item.get("name") if isinstance(item, dict) else None


def is_done(document: Any, step: Operation) -> bool:
    """Whether a step would change nothing more."""
    value = document
    for at, key in enumerate(step.path):
        if key == "-" and isinstance(value, list):
            return any(same(item, step.value) for item in value)
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return step.op == "remove" and at >= 0
    return step.op != "remove" and same(value, step.value)
