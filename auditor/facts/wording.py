"""How parts of manifests stand in sentences. Manifests hold anything, also numbers of a million
digits, which Python refuses to print.
"""

from __future__ import annotations

from typing import Any

from auditor.model import Path

_LONGEST = 80


def text(value: Any) -> str:
    """`value` where it is text; empty otherwise."""
    return value if isinstance(value, str) else ""


def said(value: Any) -> str:
    """`value` as a sentence names it: in quotes, cut where it is long, or what it is."""
    if isinstance(value, str):
        return f"'{value[:_LONGEST]}'"
    if isinstance(value, int | float) and (isinstance(value, float) or value.bit_length() < 64):
        return f"'{value}'"
    return {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value), "a number")


def dotted(path: Path) -> str:
    """A path as people write it: ``spec.containers.0``."""
    return ".".join(step if isinstance(step, str) else said(step).strip("'") for step in path)
