"""Reads the documents of a YAML or JSON file as kubectl would. What others know of YAML is here.

Values are built from events, without a tree. The tree, which knows the place of every field, is
made when a place is asked for: most objects are never asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from auditor.manifests import copied
from auditor.memory import collector_paused
from auditor.model import Path, Span
from auditor.sources.comments import Comment, comments_in
from auditor.sources.jsons import json_objects, json_tree
from auditor.sources.parts import LARGE, Regions, json_regions, yaml_regions
from auditor.sources.places import Node, SourceText, find, region
from auditor.sources.trees import yaml_tree
from auditor.sources.values import Problem, RefusedError, read_value
from auditor.values import dataclass

_MARKER = re.compile(r"^(?:---|\.\.\.)(?=[ \t\r\n]|\Z)", re.MULTILINE)
_DIRECTIVE = re.compile(r"%[A-Z]+[ \t]")
_NOTHING = re.compile(r"[ \t\r]*(?:#[^\n]*)?\n")
_BEFORE_BOM = re.compile(r"---[ \t]*(?:#[^\n]*)?\r?\n\ufeff")
_BOM = "\ufeff"
SMALL = 4096
"""Up to so many characters a file may be like others, but for its name: then it is read once."""

_LINE = re.compile(r"[^\n]+")
_PREFACE = re.compile(r"\s*(?:---)?\s*(?:#.*)?|%.*|\ufeff", re.DOTALL)
"""What may stand before the content of a document: a marker, comments, directives."""


@dataclass(frozen=True, eq=False)
class Document:
    """One document of a file that could be read (`auditor.model.Lines`)."""

    source: SourceText
    start: int
    """The offset in the file at which it begins, with its directives and its marker."""
    end: int
    """The offset at which the next one begins."""
    value: Any
    """What it says, as JSON would have it. Never shared with another document, never None."""
    problems: tuple[Problem, ...] = ()
    """What is odd about it and does not keep it from being read."""
    is_json: bool = False
    """Whether it is written in JSON."""

    @property
    def uri(self) -> str:
        """The file as the user named it."""
        return self.source.uri

    @property
    def text(self) -> str:
        """The whole file as it was read."""
        return self.source.text

    @property
    def line(self) -> int:
        """The line at which its content begins."""
        return self.source.line(self.root.start)

    @property
    def first_line(self) -> int:
        """The same without building the tree of the document, as far as its text shows."""
        for found in _LINE.finditer(self.text, self.start, self.end):
            if not _PREFACE.fullmatch(found[0]):
                return self.source.line(found.start())
        return self.source.line(self.start)

    @property
    def root(self) -> Node:
        """The tree of what is written, with the place of every field."""
        return _tree(self)

    def comments(self, *words: str) -> Iterator[Comment]:
        """Its comments; none where no word of `words` is written in it (`Commented`)."""
        if self.is_json or not any(self.text.find(w, self.start, self.end) >= 0 for w in words):
            return
        chunk = self.text[self.start : self.end]
        skipped = _skipped(chunk)
        line = self.source.line(self.start + skipped)
        yield from comments_in(chunk[skipped:], line)

    def part(self, path: Path) -> Part:
        """The part that holds what is at `path` and can be read on its own: an item of a large
        List, or the document.
        """
        found = _item(self, int(path[1])) if _may_be_item(self, path) else None
        return found or Part(self.root, (), self.start, self.end, 0)

    def span(self, path: Path) -> Span:
        """The region of the value at `path`, or of its nearest ancestor that is written.

        A block mapping or list, and an empty value, include their key.
        """
        if path not in self._spans:
            part = self.part(path)
            found = find(part.node, path[len(part.prefix) :])
            self._spans[path] = self.source.span(*region(found))
        return self._spans[path]

    @cached_property
    def _spans(self) -> dict[Path, Span]:
        """What was asked for already: the tree may be gone by then. Small files that are alike
        have it together.
        """
        if len(self.text) > SMALL:
            return {}
        return _spans_of(self.text, self.start, self.end, self.is_json)


@dataclass(frozen=True, slots=True)
class Part:
    """A region of a document that says the same when it is read on its own."""

    node: Node
    prefix: Path
    """Where it stands in the document."""
    start: int
    end: int
    column: int
    """How many spaces have to go before its first line."""


@dataclass(frozen=True, eq=False)
class Broken:
    """A document that could not be read (`auditor.model.Lines`)."""

    source: SourceText
    start: int
    end: int
    problem: Problem

    @property
    def text(self) -> str:
        """The whole file as it was read."""
        return self.source.text

    @property
    def line(self) -> int:
        """The line of the problem."""
        return self.source.line(self.problem.offset)

    def span(self, _path: Path) -> Span:
        """The place of the problem, whatever the path."""
        return self.source.span(self.problem.offset, self.problem.offset)


def documents(uri: str, text: str, *, rewritable: bool = True) -> Iterator[Document | Broken]:
    """Every document that says something, in order; empty ones and `null` are left out.

    Args:
        uri: the file as the user named it.
        text: all of it, with its line ends and its byte order mark.
        rewritable: whether `text`, encoded as UTF-8, is the file byte for byte.
    """
    source = SourceText(uri, text, rewritable)
    for start, end in chunks(text):
        yield from _read(source, start, end)


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """The regions of the documents: cut at markers at the start of a line.

    That is safe in any YAML, as such a marker ends even a block scalar (YAML 1.2.2, section 9.1).
    A document has its marker and the directives before it; `...` belongs to none.
    """
    start = 1 if text.startswith(_BOM) else 0
    for marker in _MARKER.finditer(text, start):
        at = marker.start()
        cut = _directives(text, start, at) if text[at] == "-" else at
        if cut > start:
            yield start, cut
        start = cut if text[at] == "-" else marker.end()
    if start < len(text):
        yield start, len(text)


def _directives(text: str, start: int, marker: int) -> int:
    """Where the directives that stand before a marker begin; at the marker if there are none."""
    found = at = marker
    while at > start:
        at = max(text.rfind("\n", start, at - 1) + 1, start)
        if _DIRECTIVE.match(text, at):
            found = at
        elif not _NOTHING.match(text, at):
            break
    return found


def _read(source: SourceText, start: int, end: int) -> Iterator[Document | Broken]:
    chunk = source.text[start:end]
    rest = start
    for found in json_objects(chunk, start):
        rest = found.end
        yield Document(source, found.start, rest, found.value, found.problems, is_json=True)
    if rest == end:
        return
    begin = rest + _skipped(chunk) if rest == start else rest
    try:
        value, problems = _value(source.text[begin:end], begin)
    except RefusedError as error:
        yield Broken(source, rest, end, error.problem)
        return
    if value is not None:
        yield Document(source, rest, end, value, problems)


def _skipped(chunk: str) -> int:
    """How much of a document is not for libyaml: a marker before a byte order mark, which comes
    from files that were joined.
    """
    found = _BEFORE_BOM.match(chunk)
    return found.end() if found else 0


@lru_cache(maxsize=1024)
def _spans_of(_text: str, _start: int, _end: int, _is_json: bool) -> dict[Path, Span]:
    """The regions of one document of this text, filled as they are asked for."""
    return {}


def _value(text: str, offset: int) -> tuple[Any, tuple[Problem, ...]]:
    """See `read_value`. A small text is read once, however many files hold it; but for one with
    aliases, which may stand for very much.
    """
    if len(text) > SMALL or "&" in text:
        return read_value(text, offset)
    once = _read_once(text)
    return read_value(text, offset) if once is None else (copied(once[0]), ())


@lru_cache(maxsize=1024)
def _read_once(text: str) -> tuple[Any] | None:
    """The value; None where there is a problem, which has its place."""
    try:
        value, problems = read_value(text, 0)
    except RefusedError:
        return None
    return None if problems else (value,)


@lru_cache(maxsize=16)
def _tree(document: Document) -> Node:
    chunk = document.text[document.start : document.end]
    skipped = _skipped(chunk)
    with collector_paused():
        if document.is_json:
            return json_tree(chunk, document.start)
        return yaml_tree(chunk[skipped:], document.start + skipped)


def _may_be_item(document: Document, path: Path) -> bool:
    return document.end - document.start >= LARGE and len(path) > 1 and path[0] == "items"


@lru_cache(maxsize=4)
def _regions(document: Document) -> Regions | None:
    chunk = document.text[document.start : document.end]
    if _skipped(chunk):
        return None
    with collector_paused():
        return json_regions(chunk, chunk.find("{")) if document.is_json else yaml_regions(chunk)


@lru_cache(maxsize=64)
def _item(document: Document, index: int) -> Part | None:
    regions = _regions(document)
    if regions is None or not 0 <= index < len(regions.starts):
        return None
    start, end = document.start + regions.starts[index], document.start + regions.ends[index]
    text = document.text[start:end]
    if document.is_json:
        return Part(json_tree(text, start), ("items", index), start, end, 0)
    line = document.text.rfind("\n", 0, start) + 1
    if document.text[line:start].isspace():
        return Part(yaml_tree(document.text[line:end], line), ("items", index), line, end, 0)
    column = start - line
    node = yaml_tree(" " * column + text, start - column)
    return Part(node, ("items", index), start, end, column)
