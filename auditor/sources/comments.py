"""Finds the comments of a YAML document, and what each is about.

A ``#`` is a comment only where libyaml's scanner sees no token: not in a quoted text, not in a
block scalar, not within a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeGuard

import yaml
from yaml.tokens import ScalarToken, Token

from auditor.model import Lines, Resource
from auditor.values import dataclass

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a YAML file."""

    text: str
    """From its ``#`` to the end of its line."""
    line: int
    about: int
    """The line of what it stands beside, or else above."""


class Commented(Protocol):
    """Lines of an object (`auditor.model.Lines`) that know the comments between them."""

    def comments(self, *words: str) -> Iterable[Comment]:
        """The comments of the document, if it has one of `words` at all."""


class Derived(Protocol):
    """Lines of an object that a program made out of one that is written."""

    @property
    def written(self) -> Resource:
        """The object as the file has it."""


def is_commented(lines: Lines) -> TypeGuard[Commented]:
    """Whether they know comments. Asked of every object: `isinstance` would gather each time anew
    what a Protocol asks for.
    """
    return hasattr(lines, "comments")


def is_derived(lines: Lines) -> TypeGuard[Derived]:
    """Whether a program made their object."""
    return hasattr(lines, "written")


def comments_in(text: str, first: int) -> Iterator[Comment]:
    """Every comment of the document `text`, whose first line is the line `first` of its file.

    Nothing where it is no YAML: whoever reads the document says so.
    """
    try:
        spots = list(_spots(text))
    except yaml.YAMLError:
        return
    lines = text.split("\n")
    for number, column in spots:
        line = lines[number]
        beside = line[:column].strip() not in ("", "---")
        about = number if beside else _next_content(lines, number)
        yield Comment(line[column:].rstrip(), number + first, about + first)


def _spots(text: str) -> Iterator[tuple[int, int]]:
    """Line and column of each comment, counted from 0."""
    end = 0
    for token in yaml.scan(text, Loader=Loader):
        yield from _between(text, end, token.start_mark.index)
        yield from _in_header(text, token)
        end = max(end, token.end_mark.index)
    yield from _between(text, end, len(text))


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Comments in a region without tokens: each line of it holds one at most."""
    while start < end:
        stop = text.find("\n", start, end)
        stop = end if stop < 0 else stop
        sign = text.find("#", start, stop)
        if sign >= 0:
            yield _place(text, sign)
        start = stop + 1


def _in_header(text: str, token: Token) -> Iterator[tuple[int, int]]:
    """The comment behind the sign of a block scalar, which the scanner counts to the scalar."""
    if isinstance(token, ScalarToken) and token.style in ("|", ">"):
        start = token.start_mark.index
        stop = text.find("\n", start)
        yield from _between(text, start, len(text) if stop < 0 else stop)


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset), offset - (text.rfind("\n", 0, offset) + 1)


def _next_content(lines: list[str], number: int) -> int:
    """The next line that is neither empty nor a comment; the last one where there is none."""
    for later in range(number + 1, len(lines)):
        line = lines[later].strip()
        if line and not line.startswith("#") and line != "---":
            return later
    return len(lines) - 1
