"""Writes values as YAML or JSON text, in the manner of the file that they go into."""

from __future__ import annotations

import json
import re
from typing import Any

from auditor.sources.scalars import NotInJsonError, plain
from auditor.values import dataclass

_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./@%+-]|:(?=[A-Za-z0-9_./@%+-]))*")
_PLAIN_PHRASE = re.compile(rf"{_PLAIN.pattern}(?: {_PLAIN.pattern})*")
_QUANTITY = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:m|k|[KMGTPE]i|[MGTPE]|%|s|h)")
_TO_ESCAPE = re.compile("[\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]")
_PRINTABLE = re.compile(
    "[^\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\ufeff\ufffe\uffff]*"
)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a document is written."""

    newline: str = "\n"
    is_json: bool = False
    step: str = "  "
    """One level of indentation."""
    dash: int = 0
    """How far a list is indented under its key."""
    tight: bool = False
    """JSON without spaces after commas and colons."""
    may_end_in_text: bool = True
    """Whether what follows cannot be taken for more lines of a block scalar."""


def is_branch(value: Any) -> bool:
    """Whether a value is a mapping or list that holds something."""
    return isinstance(value, dict | list) and bool(value)


def inline(value: Any, manner: Manner) -> str:
    """The value on one line: in flow style, or as JSON."""
    comma, colon = (",", ":") if manner.tight else (", ", ": ")
    if isinstance(value, dict):
        inside = comma.join(f"{key(k, manner)}{colon}{inline(v, manner)}" for k, v in value.items())
        return f"{{{inside}}}"
    if isinstance(value, list):
        return f"[{comma.join(inline(item, manner) for item in value)}]"
    return quoted(value) if manner.is_json else scalar(value, in_flow=True)


def spread(value: Any, manner: Manner, pad: str) -> str:
    """The value as JSON over several lines, all but the first after `pad`."""
    text = json.dumps(value, ensure_ascii=False, indent=manner.step)
    return _escaped(text).replace("\n", manner.newline + pad)


def block(value: Any, manner: Manner, column: int) -> str:
    """A mapping or list that holds something, in block style, its first line without indentation.

    Args:
        value: what to write.
        manner: how.
        column: how far its lines are indented, from 0.
    """
    line = manner.newline + " " * column
    if isinstance(value, dict):
        return line.join(
            f"{key(k, manner)}:{_after_colon(v, manner, column)}" for k, v in value.items()
        )
    return line.join(f"- {_after_dash(item, manner, column)}" for item in value)


def _after_colon(value: Any, manner: Manner, column: int) -> str:
    if not is_branch(value):
        return f" {leaf(value, manner, column + len(manner.step))}"
    inner = column + (manner.dash if isinstance(value, list) else len(manner.step))
    return manner.newline + " " * inner + block(value, manner, inner)


def _after_dash(value: Any, manner: Manner, column: int) -> str:
    if is_branch(value):
        return block(value, manner, column + 2)
    return leaf(value, manner, column + 2)


def leaf(value: Any, manner: Manner, column: int, style: str = "") -> str:
    """A scalar or an empty collection in block context; text of several lines as a block.

    Args:
        value: what to write.
        manner: how.
        column: how far further lines are indented.
        style: the quotes that stood there before, if any.
    """
    if isinstance(value, str) and manner.may_end_in_text and _fits_block(value):
        line = manner.newline + " " * column
        lines = value.removesuffix("\n").split("\n")
        body = "".join(line + text if text else manner.newline for text in lines)
        return ("|" if value.endswith("\n") else "|-") + body
    if isinstance(value, dict | list):
        return inline(value, manner)
    return scalar(value, style)


def _fits_block(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and text[0] not in " \t\n"
        and bool(lines[-1])
        and bool(_PRINTABLE.fullmatch(text))
        and all(line.strip() or not line for line in lines)
    )


def scalar(value: Any, style: str = "", *, in_flow: bool = False) -> str:
    """A scalar on one line, which any reader of YAML takes for what it is."""
    if not isinstance(value, str):
        return quoted(value)
    if style == "'" and _PRINTABLE.fullmatch(value) and "\n" not in value and "\t" not in value:
        return "'" + value.replace("'", "''") + "'"
    pattern = _PLAIN if in_flow else _PLAIN_PHRASE
    if (
        style != '"'
        and (pattern.fullmatch(value) or _QUANTITY.fullmatch(value))
        and _is_text(value)
    ):
        return value
    return quoted(value)


def _is_text(value: str) -> bool:
    try:
        return plain(value) == value
    except NotInJsonError:
        return False


def key(name: str, manner: Manner) -> str:
    """The key of a mapping."""
    return quoted(name) if manner.is_json else scalar(name, in_flow=True)


def quoted(value: Any) -> str:
    """A scalar as JSON writes it, which is YAML too."""
    return _escaped(json.dumps(value, ensure_ascii=False))


def _escaped(text: str) -> str:
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
