"""Writes a document as JSON, whatever an object or a file name brought into it."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encoded(document: Any) -> str:
    r"""The document as indented JSON with a line break at its end.

    Bytes of a file name that are no UTF-8 are written as ``\udcNN``; integers may have any size.
    """
    try:
        options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
        return orjson.dumps(document, option=options).decode()
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        return json.dumps(_clean(document), indent=2, ensure_ascii=False, default=str) + "\n"


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inside) for inside in value]
    return value
