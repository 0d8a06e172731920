"""Builds the value of one YAML document from the events of libyaml."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from auditor.sources.scalars import NotInJsonError, Scalar, key_text, plain
from auditor.values import dataclass

MAX_DEPTH = 200
"""How deep a document may be nested. The deepest CustomResourceDefinitions stay below 60."""
MAX_COPIES = 200_000
"""How many values the aliases of one document may stand for altogether."""

_BINARY = "tag:yaml.org,2002:binary"
_RESOLVED = {f"tag:yaml.org,2002:{name}": name for name in ("int", "float", "bool", "null")}
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and the offset in the file where."""

    offset: int
    why: str


class RefusedError(Exception):
    """A document cannot be read."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.why)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Anchored:
    """A value that aliases may refer to."""

    value: Any
    size: int
    """How many values it is made of."""
    depth: int
    """How deep it is nested."""


def read_value(chunk: str, offset: int) -> tuple[Any, tuple[Problem, ...]]:
    """The value of the only document in `chunk`, None if there is none, and what is odd about it.

    Args:
        chunk: the text of the document.
        offset: where in its file it begins.

    Raises:
        RefusedError: it is no YAML, is nested too deep, or its aliases stand for too much.
    """
    return Events(chunk, offset).document()


class Events:
    """The events of one document while its value is built."""

    def __init__(self, chunk: str, offset: int) -> None:
        self._chunk = chunk
        self._offset = offset
        self._anchors: dict[str, _Anchored | None] = {}
        self._problems: list[Problem] = []
        self._size = 0
        self._copies = 0
        self._depth = 0

    def document(self) -> tuple[Any, tuple[Problem, ...]]:
        """See `read_value`."""
        try:
            self._next: Callable[[], Any] = events_of(self._chunk)
            self._next()
            start = self._next()
            if isinstance(start, yaml.StreamEndEvent):
                return None, ()
            value = self._value(self._next())
            self._next()
            self._next()
        except yaml.YAMLError as error:
            raise RefusedError(syntax_problem(error, self._chunk, self._offset)) from error
        return value, tuple(self._problems)

    def _refuse(self, event: Any, why: str) -> RefusedError:
        return RefusedError(Problem(self._offset + event.start_mark.index, why))

    def _value(self, event: Any) -> Any:
        self._size += 1
        kind = type(event)
        if kind is AliasEvent:
            return self._alias(event)
        if event.anchor is None:
            return self._content(event, kind)
        size = self._size
        self._anchors[event.anchor] = None
        value = self._content(event, kind)
        self._anchors[event.anchor] = _Anchored(value, self._size - size + 1, _depth(value))
        return value

    def _content(self, event: Any, kind: type) -> Any:
        if kind is ScalarEvent:
            return self._scalar(event)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._refuse(event, f"it is nested more than {MAX_DEPTH} deep")
        value = self._sequence() if kind is SequenceStartEvent else self._mapping()
        self._depth -= 1
        return value

    def _alias(self, event: AliasEvent) -> Any:
        """A copy of what the alias stands for: nothing is shared, so that each can be changed."""
        name = event.anchor
        if name not in self._anchors:
            raise self._refuse(event, f"nothing is called '{name}' before its alias")
        anchored = self._anchors[name]
        if anchored is None:
            raise self._refuse(event, f"'{name}' contains itself")
        if self._depth + anchored.depth > MAX_DEPTH:
            raise self._refuse(event, f"it is nested more than {MAX_DEPTH} deep")
        self._size += anchored.size
        self._copies += anchored.size
        if self._copies > MAX_COPIES:
            raise self._refuse(event, f"its aliases stand for more than {MAX_COPIES:,} values")
        return _copy(anchored.value)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        try:
            return scalar(event)
        except NotInJsonError as error:
            raise self._refuse(event, str(error)) from error

    def _sequence(self) -> list[Any]:
        values: list[Any] = []
        while type(event := self._next()) is not SequenceEndEvent:
            values.append(self._value(event))
        return values

    def _mapping(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        written: set[str] = set()
        while type(event := self._next()) is not MappingEndEvent:
            if is_merge(event):
                self._merge(values, written)
                continue
            key = self._key(event)
            if key in written:
                self._odd(event, f"the key '{key}' stands twice: the last one counts")
            written.add(key)
            values[key] = self._value(self._next())
        return values

    def _odd(self, event: Any, why: str) -> None:
        self._problems.append(Problem(self._offset + event.start_mark.index, why))

    def _key(self, event: Any) -> str:
        if type(event) is AliasEvent:
            value = self._alias(event)
            if isinstance(value, str):
                return value
        if type(event) is not ScalarEvent:
            raise self._refuse(event, "a key is no text")
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchored(self._scalar(event), 1, 0)
        try:
            return key_name(event)
        except NotInJsonError as error:
            raise self._refuse(event, str(error)) from error

    def _merge(self, values: dict[str, Any], written: set[str]) -> None:
        """`<<`: what it brings replaces what stands before it, as in kubectl."""
        event = self._next()
        brought = self._value(event)
        sources = brought if isinstance(brought, list) else [brought]
        if not all(isinstance(source, dict) for source in sources):
            raise self._refuse(event, "'<<' can only bring in mappings")
        for source in reversed(sources):
            for key in written & source.keys():
                self._odd(event, f"'<<' replaces the key '{key}' before it")
            values.update(source)


def events_of(chunk: str) -> Callable[[], Any]:
    """What gives the events of a document, one each time.

    kubectl ends a last line that has no end; it belongs to the text of a block scalar.
    """
    ending = "" if chunk.endswith("\n") else "\n"
    return yaml.CSafeLoader(chunk + ending).get_event


def is_merge(event: Any) -> bool:
    """Whether this key is `<<`, unquoted."""
    return bool(
        type(event) is ScalarEvent
        and event.value == "<<"
        and (event.implicit[0] or event.tag == "tag:yaml.org,2002:merge")
    )


def key_name(event: ScalarEvent) -> str:
    """The text of a key. Raises `NotInJsonError`."""
    is_plain = event.implicit[0] and event.tag is None
    return key_text(event.value, quoted=not is_plain and event.tag not in _RESOLVED)


def scalar(event: ScalarEvent) -> Scalar:
    """The value of a scalar. Raises `NotInJsonError`."""
    text = str(event.value)
    if event.implicit[0] and event.tag is None:
        return plain(text)
    if event.tag in _RESOLVED:
        return _typed(text, _RESOLVED[event.tag])
    if event.tag == _BINARY:
        return _decoded(text)
    return text


def _typed(text: str, name: str) -> Scalar:
    value = plain(text)
    if not isinstance(value, _TYPES[name]):
        raise NotInJsonError(f"'{text}' is tagged as {name}, and is none")
    return value


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode(
            "utf-8", "replace"
        )
    except binascii.Error as error:
        raise NotInJsonError(f"it is tagged as binary, and is no base64: {error}") from error


def _depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    inside = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inside), default=0)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_copy(inner) for inner in value]
    return value


def syntax_problem(error: yaml.YAMLError, chunk: str, offset: int) -> Problem:
    """What libyaml did not like, in one line, and where."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        why = str(getattr(error, "problem", "") or getattr(error, "context", ""))
        return Problem(offset + min(mark.index, len(chunk)), why)
    position = int(getattr(error, "position", 0) or 0)
    before = chunk.encode("utf-8", "surrogatepass")[:position].decode("utf-8", "ignore")
    return Problem(offset + len(before), str(getattr(error, "reason", error)))
