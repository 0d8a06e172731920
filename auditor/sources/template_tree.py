"""Reads a Helm template as far as its text tells where the fields of its objects are written.

A template is no YAML. Its lines are taken for a tree by their indentation; what an action
(``{{ … }}``) writes is not known, and a branch that may be left out is marked. Only
`auditor.sources.templates` may know it. The language: https://pkg.go.dev/text/template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import Any

from auditor.values import dataclass

_ACTION = re.compile(
    r"""\{\{-?\s*(/\*.*?\*/|(?:"(?:\\.|[^"\\])*"|`[^`]*`|[^"`])*?)\s*-?\}\}""", re.DOTALL
)
HOLE = "\x01"
"""Stands for each character of an action."""
_KEY = re.compile(r"(\"[^\"\x01]+\"|'[^'\x01]+'|[\w./$-]+)[ \t]*:(?=[ \t\x01]|$)")
_DASH = re.compile(r"-(?:[ \t]+|(?=\x01)|$)")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*$")
_NINDENT = re.compile(r"\b(n?)indent\s+(\d+)")
_SILENT = re.compile(r"/\*|\$\w*\s*:?=|(?:end|else|define|block|if|with|range|break|continue)\b")


@dataclass(frozen=True, slots=True)
class Block:
    """One branch of a control structure."""

    number: int
    kind: str
    """if, with, range, define or block."""
    branch: int
    """0 for the first, counted on by each `else`."""
    said: str
    """What it asks, for the first branch."""


Blocks = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Emission:
    """An action on a line of its own."""

    said: str
    blocks: Blocks
    instead: Line | None = None
    """The key whose list it writes, if not more keys beside that key."""


@dataclass(frozen=True, slots=True)
class Action:
    """What stands between two pairs of braces."""

    start: int
    end: int
    said: str


@dataclass(eq=False, slots=True)
class Line:
    """A key, an item of a list, or the top of a document, as the template has it."""

    indent: int
    key: str | None
    """None for an item and for the top."""
    start: int
    """Where it begins in the file."""
    value: tuple[int, int]
    """Where its value stands on its line; empty where none does."""
    text: str
    """The value, with a HOLE for every character of an action."""
    blocks: Blocks
    actions: tuple[str, ...] = ()
    """The actions in its value."""
    below: list[Line] = field(default_factory=list)
    emitted: list[Emission] = field(default_factory=list)
    """The actions on lines of their own that may write what is directly below."""

    def is_open(self, value: Any) -> bool:
        """Whether something in `value`, which the line became, may be written by an action."""
        return bool(self.actions) or any(not _is_list(one.instead, value) for one in self.emitted)

    def may_be_missing(self, under: Line) -> bool:
        """Whether it is written under `under` only sometimes, or more than once."""
        return len(self.blocks) > len(under.blocks)

    def is_repeated(self, under: Line) -> bool:
        """Whether a loop writes it."""
        return any(block.kind == "range" for block in self.blocks[len(under.blocks) :])


def _is_list(key: Line | None, around: Any) -> bool:
    """Whether a key became a list that is not written line by line."""
    inside = around.get(key.key) if key and isinstance(around, dict) else None
    return bool(key and not key.below and inside and isinstance(inside, list))


def template_tree(text: str) -> list[Line]:
    """The documents of a template, each with its lines below it."""
    return _Reader(text).documents()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._actions = [Action(m.start(), m.end(), m[1]) for m in _ACTION.finditer(text)]
        shown = list(text)
        for action in self._actions:
            for at in range(action.start, action.end):
                shown[at] = HOLE if shown[at] not in "\r\n" else shown[at]
        self._shown = "".join(shown)
        self._next = 0
        self._blocks: list[Block] = []
        self._count = 0
        self._open: list[Line] = []

    def documents(self) -> list[Line]:
        tops = [self._top(0)]
        for start, line in self._lines():
            if line.startswith("---") and not line[3:].strip(f" \t\r{HOLE}"):
                self._until(start)
                tops.append(self._top(start))
            else:
                self._line(start, line.rstrip("\r"))
        return [top for top in tops if top.below or top.emitted]

    def _top(self, start: int) -> Line:
        top = Line(-1, None, start, (start, start), "", tuple(self._blocks))
        self._open = [top]
        return top

    def _lines(self) -> Iterator[tuple[int, str]]:
        start = 0
        for line in self._shown.split("\n"):
            yield start, line
            start += len(line) + 1

    def _line(self, start: int, line: str) -> None:
        stripped = line.strip(f" \t{HOLE}")
        if not stripped or stripped.startswith("#"):
            for action in self._until(start + len(line)):
                self._emit(action)
            return
        at = len(line) - len(line.lstrip(f" \t{HOLE}"))
        if HOLE in line[:at]:
            self._opaque(start, line)
            return
        self._until(start + at)
        if not self._in_definition():
            self._written(start, at, line)
        self._until(start + len(line))

    def _in_definition(self) -> bool:
        return any(block.kind == "define" for block in self._blocks)

    def _opaque(self, start: int, line: str) -> None:
        """A line that begins with what an action writes: a key that nobody knows, anywhere."""
        self._until(start + len(line))
        if not self._in_definition():
            self._give("", self._open[::-1])

    def _written(self, start: int, at: int, line: str) -> None:
        item: Line | None = None
        while dash := _DASH.match(line, at):
            item = Line(at, None, start + at, *self._value(start, dash.end(), line))
            self._add(item, is_item=True)
            at = dash.end()
        key = _KEY.match(line, at)
        if key:
            if item:
                item.text, item.actions = "", ()
            value = self._value(start, key.end(), line)
            self._add(Line(at, key[1].strip("\"'"), start + at, *value))
        elif HOLE in line[at:] and item is None:
            self._give("", self._owners(at))

    def _value(
        self, start: int, at: int, line: str
    ) -> tuple[tuple[int, int], str, Blocks, tuple[str, ...]]:
        raw = _COMMENT.sub("", line[at:])
        text = raw.strip()
        first = start + at + len(raw) - len(raw.lstrip())
        region = (first, first + len(text))
        inside = (a for a in self._actions if region[0] <= a.start < region[1])
        actions = tuple(action.said for action in inside)
        return region, text, tuple(self._blocks), actions

    def _add(self, line: Line, *, is_item: bool = False) -> None:
        self._owners(line.indent, is_item=is_item)[0].below.append(line)
        self._open.append(line)

    def _owners(self, indent: int, *, is_item: bool = False) -> list[Line]:
        """What is open above a column, the nearest first. An item may stand at the column of the
        key that it belongs to.
        """
        while len(self._open) > 1:
            last = self._open[-1]
            if last.indent < indent or (
                is_item and last.indent == indent and last.key is not None and not last.text
            ):
                break
            self._open.pop()
        return self._open[::-1]

    def _emit(self, action: Action) -> None:
        if _SILENT.match(action.said) or self._in_definition():
            return
        fits = _NINDENT.search(action.said)
        if not fits:
            self._give(action.said, self._open[::-1])
            return
        indent = int(fits[2])
        above = [one for one in self._open[::-1] if one.indent < indent]
        beside = [one for one in self._open if one.indent == indent and one.key and not one.text][
            -1:
        ]
        self._give(action.said, beside)
        self._give(action.said, above[:1], *beside)

    def _give(self, said: str, owners: list[Line], instead: Line | None = None) -> None:
        for owner in owners:
            owner.emitted.append(Emission(said, tuple(self._blocks), instead))

    def _until(self, end: int) -> list[Action]:
        """The actions up to an offset; those that control what is written take effect."""
        passed = []
        while self._next < len(self._actions) and self._actions[self._next].start < end:
            action = self._actions[self._next]
            self._next += 1
            self._control(action.said)
            passed.append(action)
        return passed

    def _control(self, said: str) -> None:
        word, _, rest = said.partition(" ")
        if word in ("if", "with", "range", "define", "block"):
            self._count += 1
            self._blocks.append(Block(self._count, word, 0, rest.strip()))
        elif word == "else" and self._blocks:
            old = self._blocks[-1]
            kind, _, asked = rest.strip().partition(" ")
            self._blocks[-1] = Block(old.number, kind or old.kind, old.branch + 1, asked)
        elif word == "end" and self._blocks:
            self._blocks.pop()
