"""JSON Patch as RFC 6902 has it, apart from the product: what an API server does with ours."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any


def apply(document: Any, patch: Iterable[Mapping[str, Any]]) -> Any:
    """The document after the patch; any operation but ``add`` fails, and so does one that the
    server could not carry out.
    """
    result = copy.deepcopy(document)
    for step in patch:
        assert set(step) == {"op", "path", "value"}
        assert step["op"] == "add"
        tokens = step["path"].split("/")
        assert tokens[0] == ""
        parent = result
        for token in tokens[1:-1]:
            parent = parent[_index(token) if isinstance(parent, list) else _unescaped(token)]
        last = tokens[-1]
        if isinstance(parent, list):
            parent.insert(len(parent) if last == "-" else _index(last), step["value"])
        else:
            assert isinstance(parent, dict)
            parent[_unescaped(last)] = copy.deepcopy(step["value"])
    return result


def _index(token: str) -> int:
    assert token == "0" or (token.isascii() and token.isdigit() and token[0] != "0")
    return int(token)


def _unescaped(token: str) -> str:
    """Section 4 of RFC 6901: first ~1, then ~0, so that ~01 is ~1 and not a slash."""
    return token.replace("~1", "/").replace("~0", "~")
