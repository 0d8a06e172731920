"""Reads documents that are written in JSON, and finds the place of their fields.

JSON is mostly YAML, but YAML refuses what JSON allows: tabs, and characters written as two
surrogate escapes.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from math import isfinite
from typing import Any

from auditor.sources.places import Entry, Node
from auditor.sources.scalars import as_json
from auditor.sources.values import MAX_DEPTH, Problem
from auditor.values import dataclass

_START = re.compile(r"(?:---[ \t]*(?:#[^\n]*)?(?:\r?\n|(?=[ \t])))?[ \t\r\n\ufeff]*(?=\{)")
_SPACE = re.compile(r"[ \t\r\n]*")
_ATOM = re.compile(r"[-+.0-9a-zA-Z]+")
_LONE = re.compile("[\ud800-\udfff]")
_STRICT = json.JSONDecoder()
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class JsonObject:
    """One JSON object and where its text stands in the file."""

    value: Any
    start: int
    end: int
    """Where the next one begins."""
    problems: tuple[Problem, ...]


def json_objects(chunk: str, offset: int) -> tuple[JsonObject, ...]:
    """The JSON objects that `chunk` begins with, one after the other; none if it is no JSON.

    Args:
        chunk: the text of a document.
        offset: where in its file it begins.
    """
    opening = _START.match(chunk)
    found: list[JsonObject] = []
    at = opening.end() if opening else len(chunk)
    start = 0
    while at < len(chunk):
        twice: list[str] = []
        try:
            value, end = _decoder(twice).raw_decode(chunk, at)
        except (ValueError, RecursionError):
            break
        if not isinstance(value, dict) or _too_deep(
            chunk.count("{", at, end) + chunk.count("[", at, end), value
        ):
            break
        problems = tuple(Problem(offset + at, _twice(key)) for key in twice)
        if chunk.find("\\ud", at, end) >= 0 or chunk.find("\\uD", at, end) >= 0:
            value = _mended(value)
        at = _skip(chunk, end)
        found.append(JsonObject(value, offset + start, offset + at, problems))
        start = at
    return tuple(found)


def _decoder(twice: list[str]) -> json.JSONDecoder:
    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(pairs)
        if len(values) < len(pairs):
            names = Counter(name for name, _ in pairs)
            twice.extend(name for name, times in names.items() if times > 1)
        return values

    return json.JSONDecoder(
        object_pairs_hook=mapping,
        parse_constant=_no_constant,
        parse_int=_whole_number,
        parse_float=_number,
    )


def _twice(key: str) -> str:
    return f"the key '{key}' stands twice: the last one counts"


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _number(digits: str) -> int | float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError(digits)
    return as_json(number)


def _whole_number(digits: str) -> int | float:
    return int(digits) if len(digits) <= 20 and int(digits) in _INT64 else _number(digits)


def _too_deep(brackets: int, value: Any) -> bool:
    if brackets <= MAX_DEPTH:
        return False
    level, depth = [value], 0
    while level:
        level = [inner for outer in level for inner in _inside(outer)]
        depth += 1
        if depth > MAX_DEPTH:
            return True
    return False


def _inside(value: Any) -> Iterator[Any]:
    children = value.values() if isinstance(value, dict) else value
    return (child for child in children if isinstance(child, dict | list))


def _mended(value: Any) -> Any:
    """The value with each half of a character that stands alone replaced, as Go does."""
    if isinstance(value, str):
        return _LONE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_mended(key): _mended(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mended(inner) for inner in value]
    return value


def json_tree(chunk: str, offset: int) -> Node:
    """The tree of the first object of `chunk`, which `json_objects` could read."""
    start = _START.match(chunk)
    return _Tree(chunk, offset).node(start.end() if start else 0)


class _Tree:
    """One JSON text while its tree is built."""

    def __init__(self, chunk: str, offset: int) -> None:
        self._chunk = chunk
        self._offset = offset

    def node(self, at: int) -> Node:
        opening = self._chunk[at]
        if opening == "{":
            return self._mapping(at)
        if opening == "[":
            return self._sequence(at)
        end = self._scalar_end(at)
        style = '"' if opening == '"' else ""
        return self._placed("scalar", at, end, style)

    def _placed(self, kind: str, start: int, end: int, style: str) -> Node:
        shifted = self._offset + start
        return Node(kind, shifted, shifted, self._offset + end, style)

    def _scalar_end(self, at: int) -> int:
        if self._chunk[at] == '"':
            return self._text(at)[1]
        found = _ATOM.match(self._chunk, at)
        return found.end() if found else at

    def _text(self, at: int) -> tuple[str, int]:
        """A string and where it ends."""
        text, end = _STRICT.raw_decode(self._chunk, at)
        return str(text), end

    def _mapping(self, start: int) -> Node:
        entries: list[Entry] = []
        at = _skip(self._chunk, start + 1)
        while self._chunk[at] != "}":
            entry = self._entry(at)
            entries.append(entry)
            at = self._after(entry.value)
        end = self._offset + at + 1
        first = self._offset + start
        return Node("mapping", first, first, end, "flow", entries=tuple(entries))

    def _entry(self, at: int) -> Entry:
        name, end = self._text(at)
        colon = _skip(self._chunk, end)
        value = self.node(_skip(self._chunk, colon + 1))
        return Entry(_LONE.sub("\ufffd", name), self._placed("scalar", at, end, '"'), value)

    def _sequence(self, start: int) -> Node:
        items: list[Node] = []
        at = _skip(self._chunk, start + 1)
        while self._chunk[at] != "]":
            items.append(self.node(at))
            at = self._after(items[-1])
        first, end = self._offset + start, self._offset + at + 1
        return Node("sequence", first, first, end, "flow", items=tuple(items))

    def _after(self, node: Node) -> int:
        """The start of the next member, or the closing bracket."""
        at = _skip(self._chunk, node.end - self._offset)
        return _skip(self._chunk, at + 1) if self._chunk[at] == "," else at


def _skip(chunk: str, at: int) -> int:
    found = _SPACE.match(chunk, at)
    return found.end() if found else at
