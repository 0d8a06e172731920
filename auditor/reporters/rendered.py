"""How a fix of the files that something is built from changes what is built, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from auditor.credentials import may_hold_secret
from auditor.fixes.sourced import Rendered, SourceFix
from auditor.model import Operation, Path
from auditor.reporters.discreet import holds_credential
from auditor.reporters.places import dotted
from auditor.reporters.words import listed

MOST = 6
"""How many fields of one object are told."""


def rendered_lines(fix: SourceFix) -> Iterator[str]:
    """One line for each object that comes out otherwise: its fields, and in which builds."""
    for one in fix.rendered:
        yield f"{one.ref}: {listed(list(_fields(one)), MOST)} (in {listed(one.builds)})"


def _fields(one: Rendered) -> Iterator[str]:
    for step in one.operations:
        yield f"{dotted(step.path)} {_said(step)}"


def _said(step: Operation) -> str:
    if step.op == "remove":
        return "gone"
    if holds_credential(step) or any(map(may_hold_secret, _paths(step.value, step.path))):
        return "otherwise"
    return f"= {orjson.dumps(step.value, option=orjson.OPT_NON_STR_KEYS).decode()}"


def _paths(value: Any, path: Path) -> Iterator[Path]:
    yield path
    inside = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else inside
    for key, one in items:
        yield from _paths(one, (*path, key))
