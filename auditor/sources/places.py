"""Where the parts of a text stand: offsets, lines and the tree of a document's nodes."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from auditor.model import Path, Span
from auditor.values import dataclass


@dataclass(frozen=True)
class SourceText:
    """One file as it was read. Offsets into it count code points from 0."""

    uri: str
    text: str
    rewritable: bool = True
    """Whether `text`, encoded as UTF-8, is the file byte for byte."""

    @cached_property
    def _line_starts(self) -> array[int]:
        return array("q", (0, *(match.end() for match in re.finditer("\n", self.text))))

    def line(self, offset: int) -> int:
        """The line of an offset, counted from 1."""
        return bisect_right(self._line_starts, offset)

    def span(self, start: int, end: int) -> Span:
        """The region between two offsets."""
        first, last = self.line(start), self.line(end)
        starts = self._line_starts
        return Span(first, start - starts[first - 1] + 1, last, end - starts[last - 1] + 1)

    def offset(self, line: int, column: int) -> int:
        """The offset of a place, both numbers counted from 1."""
        return self._line_starts[line - 1] + column - 1


@dataclass(frozen=True, slots=True)
class Node:
    """One value as it is written. Offsets count from the start of the file."""

    kind: str
    """scalar, mapping, sequence or alias."""
    start: int
    """Where it begins, with its anchor and tag."""
    inner: int
    """Where its content begins."""
    end: int
    """Where it ends, without comments and blank lines after it."""
    style: str
    """``flow`` or ``block`` for a collection; for a scalar its sign: ``"``, ``'``, ``|``, ``>``
    or none.
    """
    anchor: str = ""
    """The name it can be referred to by; for an alias, the name that it refers to."""
    entries: tuple[Entry, ...] = ()
    """What a mapping holds, in the order written; a key may stand twice."""
    items: tuple[Node, ...] = ()
    """What a sequence holds."""

    @property
    def is_flow(self) -> bool:
        """Written in brackets or braces."""
        return self.style == "flow"

    def entry(self, key: str | int) -> Entry | None:
        """The entry of a mapping that counts: the last one with this key."""
        return next((entry for entry in reversed(self.entries) if entry.name == key), None)

    def descendants(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for entry in self.entries:
            yield from entry.key.descendants()
            yield from entry.value.descendants()
        for item in self.items:
            yield from item.descendants()


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value."""

    name: str
    """The key as text, as JSON would have it."""
    key: Node
    value: Node


@dataclass(frozen=True, slots=True)
class Found:
    """The way down a path as far as it is written."""

    node: Node
    key: Node | None
    """The key that `node` is the value of, if it is one."""
    complete: bool
    """Whether `node` is what the path names, and not an ancestor of it."""


def find(root: Node, path: Path) -> Found:
    """The node at `path`, or its nearest ancestor that is written. Aliases are not followed."""
    node, key = root, None
    for step in path:
        if node.kind == "mapping":
            entry = node.entry(step)
            if entry is None:
                return Found(node, key, complete=False)
            node, key = entry.value, entry.key
        elif node.kind == "sequence" and isinstance(step, int) and step < len(node.items):
            node, key = node.items[step], None
        else:
            return Found(node, key, complete=False)
    return Found(node, key, complete=True)


def region(found: Found) -> tuple[int, int]:
    """The offsets that a reader should look at: a scalar itself; a block with its key."""
    node, key = found.node, found.key
    with_key = key is not None and (node.style == "block" or node.start == node.end)
    return (key.start if with_key and key else node.start, node.end)
