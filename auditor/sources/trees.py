"""Builds the tree of nodes of one YAML document, with the place of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
)

from auditor.sources.places import Entry, Node
from auditor.sources.values import events_of, is_merge, key_name

_KEEPS = re.compile(r"[|>][0-9]?\+")


def yaml_tree(chunk: str, offset: int) -> Node:
    """The tree of a document that `read_value` could read.

    Args:
        chunk: the text of the document.
        offset: where in its file it begins.
    """
    return _Tree(chunk, offset).document()


class _Tree:
    """The events of one document while its tree is built."""

    def __init__(self, chunk: str, offset: int) -> None:
        self._chunk = chunk
        self._offset = offset
        self._next: Callable[[], Any] = events_of(chunk)
        self._texts: dict[str, str] = {}
        """The texts that aliases may refer to; a key may be one."""
        self._end = 0
        """Where the collection that was read last is closed."""

    def document(self) -> Node:
        self._next()
        self._next()
        return self._node(self._next())

    def _node(self, event: Any) -> Node:
        kind = type(event)
        start = self._offset + event.start_mark.index
        if kind is AliasEvent:
            end = self._offset + event.end_mark.index
            return Node("alias", start, start, end, "", event.anchor)
        if kind is ScalarEvent:
            return self._scalar(event, start)
        if kind is MappingStartEvent:
            return self._mapping(event, start)
        return self._sequence(event, start)

    def _scalar(self, event: Any, start: int) -> Node:
        style = event.style if event.style in ("'", '"', "|", ">") else ""
        end = event.end_mark.index
        if event.anchor:
            self._texts[event.anchor] = event.value
        if style in ("|", ">"):
            end = self._block_end(event.start_mark.index, end)
        return Node("scalar", start, start, self._offset + end, style, event.anchor or "")

    def _block_end(self, start: int, end: int) -> int:
        """Without blank lines at the end, unless the scalar keeps them as part of its text."""
        raw = self._chunk[start:end]
        if _KEEPS.search(raw.partition("\n")[0]):
            return start + len(raw.removesuffix("\n").removesuffix("\r"))
        line_end = raw.find("\n", len(raw.rstrip(" \t\r\n")))
        return start + len(raw[:line_end].removesuffix("\r") if line_end >= 0 else raw)

    def _until(self, closing: type) -> Iterator[Any]:
        while type(event := self._next()) is not closing:
            yield event
        closed: Any = event
        self._end = self._offset + int(closed.end_mark.index)

    def _mapping(self, event: Any, start: int) -> Node:
        entries = tuple(self._entry(key) for key in self._until(MappingEndEvent))
        style, end = _closed(event, entries[-1].value.end if entries else self._end, self._end)
        inner = entries[0].key.start if entries and style == "block" else self._inner(event)
        return Node("mapping", start, inner, end, style, event.anchor or "", entries)

    def _entry(self, event: Any) -> Entry:
        key = self._node(event)
        return Entry(self._name(event), key, self._node(self._next()))

    def _name(self, event: Any) -> str:
        if type(event) is AliasEvent:
            return self._texts.get(str(event.anchor), "")
        return "<<" if is_merge(event) else key_name(event)

    def _sequence(self, event: Any, start: int) -> Node:
        items = tuple(self._node(item) for item in self._until(SequenceEndEvent))
        style, end = _closed(event, items[-1].end if items else self._end, self._end)
        return Node(
            "sequence", start, self._inner(event), end, style, event.anchor or "", (), items
        )

    def _inner(self, event: Any) -> int:
        """After an anchor and a tag; the opening event ends there, or behind the bracket."""
        if event.anchor is None and event.tag is None:
            return self._offset + int(event.start_mark.index)
        at = event.end_mark.index
        return self._offset + int(at - 1 if event.flow_style else at)


def _closed(event: Any, last: int, end: int) -> tuple[str, int]:
    """Style and end: a bracket's place, or the end of the last thing inside."""
    return ("flow", end) if event.flow_style else ("block", last)
