"""One document as something to edit: its lines, its manner, and what may not be touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from auditor.fixes.writing import Manner
from auditor.model import Path
from auditor.sources.places import Entry, Node
from auditor.sources.yaml import Document, Part
from auditor.values import dataclass

_DEFAULT_STEP = 2


class CannotEditError(Exception):
    """A change cannot be written into the file without touching what it should leave alone. The
    text says why.
    """


@dataclass(frozen=True, slots=True)
class Cut:
    """The replacement of the text between two offsets."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A document and how it is written."""

    document: Document
    part: Part
    """What of it is looked at."""
    manner: Manner
    referred: frozenset[str]
    """The anchors that some alias refers to."""

    @property
    def text(self) -> str:
        """The whole file."""
        return self.document.text

    def line_start(self, offset: int) -> int:
        """Where the line begins; after a byte order mark."""
        start = self.text.rfind("\n", 0, offset) + 1
        return start + 1 if start == 0 and self.text.startswith("\ufeff") else start

    def line_end(self, offset: int) -> int:
        """Where the line ends, before its line break."""
        end = self.text.find("\n", offset)
        if end < 0:
            return len(self.text)
        return end - 1 if self.text[end - 1 : end] == "\r" else end

    def next_line(self, offset: int) -> int:
        """Where the next line begins."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end + 1

    def column(self, offset: int) -> int:
        """How far an offset is from the start of its line."""
        return offset - self.line_start(offset)

    def before(self, offset: int) -> str:
        """What stands before an offset on its line."""
        return self.text[self.line_start(offset) : offset]

    def after(self, offset: int) -> str:
        """What stands after an offset on its line."""
        return self.text[offset : self.line_end(offset)]

    def margin(self, offset: int) -> str:
        """The indentation of a line."""
        start = self.line_start(offset)
        end = start
        while self.text[end : end + 1] in (" ", "\t"):
            end += 1
        return self.text[start:end]

    def is_first(self, offset: int) -> bool:
        """Whether only spaces stand before an offset on its line."""
        return not self.before(offset).strip(" \t")

    def skip_space(self, offset: int) -> int:
        """The next character that is neither space nor line break."""
        while offset < len(self.text) and self.text[offset] in " \t\r\n":
            offset += 1
        return offset

    def manner_above(self, offset: int) -> Manner:
        """The manner of what is written at the end of a line. A comment on the next one would
        belong to a block scalar, if it is as far in.
        """
        is_comment = self.text.startswith("#", self.skip_space(self.line_end(offset)))
        return replace(self.manner, may_end_in_text=not is_comment)

    def colon(self, entry: Entry) -> int:
        """The offset behind the colon of a block mapping's entry.

        Raises:
            CannotEditError: the key is written as `? key`.
        """
        at = self.text.find(":", entry.key.end)
        if at < 0 or self.text[entry.key.end : at].strip(" \t"):
            raise CannotEditError(f"the key '{entry.name}' is written in an unusual way")
        return at + 1


def page_of(document: Document, prefix: Path = ()) -> Page:
    """The document, or the part of it that holds `prefix`, with what an edit has to know.

    Raises:
        CannotEditError: the file cannot be written back as it was read.
    """
    if not document.source.rewritable:
        raise CannotEditError("the file or its name is not UTF-8")
    return _page_of(document, prefix)


@lru_cache(maxsize=16)
def _page_of(document: Document, prefix: Path) -> Page:
    part = document.part(prefix)
    nodes = tuple(part.node.descendants())
    referred = frozenset(node.anchor for node in nodes if node.kind == "alias")
    first_end = document.text.find("\n")
    newline = "\r\n" if document.text[first_end - 1 : first_end] == "\r" else "\n"
    page = Page(document, part, Manner(newline), referred)
    manner = _json_manner(page) if document.is_json else _yaml_manner(page, nodes)
    return replace(page, manner=manner)


def _json_manner(page: Page) -> Manner:
    node, newline = page.part.node, page.manner.newline
    text = page.text[node.start : node.end]
    lines = text.split("\n", 2)
    step = page.margin(node.start + len(lines[0]) + 1) if len(lines) > 1 else ""
    step = step.removeprefix(page.margin(node.start))
    return Manner(newline, is_json=True, step=step or "  ", tight='": ' not in text)


def _yaml_manner(page: Page, nodes: tuple[Node, ...]) -> Manner:
    pairs = [(n, e) for n in nodes if n.kind == "mapping" and not n.is_flow for e in n.entries]
    steps = (s for n, e in pairs if (s := _depth(page, n, e.value, "mapping")) is not None)
    dashes = (s for n, e in pairs if (s := _depth(page, n, e.value, "sequence")) is not None)
    step = next(steps, _DEFAULT_STEP)
    return Manner(page.manner.newline, step=" " * step, dash=next(dashes, 0))


def _depth(page: Page, outer: Node, inner: Node, kind: str) -> int | None:
    """How much further in the inner collection stands, if it is a block of this kind."""
    if inner.kind != kind or inner.is_flow:
        return None
    return page.column(inner.inner) - page.column(outer.inner)


def runs(marked: tuple[bool, ...]) -> Iterator[tuple[int, int]]:
    """The first and last index of each row of marked members."""
    start = None
    for index, mark in enumerate((*marked, False)):
        if mark and start is None:
            start = index
        elif not mark and start is not None:
            yield start, index - 1
            start = None
