"""How a fix of the files that something is built from changes what is built, in words."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from auditor.credentials import may_hold_secret
from auditor.fixes.sourced import Rendered, SourceFix
from auditor.model import Operation
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
    if may_hold_secret(step.path):
        return "otherwise"
    return f"= {orjson.dumps(step.value, option=orjson.OPT_NON_STR_KEYS).decode()}"
