"""Shows the line that a finding is about, with carets under the field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.credentials import may_hold_secret
from auditor.model import Span
from auditor.reporters.masks import HIDDEN, masked, masked_line, unmasked
from auditor.reporters.places import Place, lines_of
from auditor.reporters.terminal import Terminal, cells
from auditor.text import escaped
from auditor.values import dataclass

_FLOW = frozenset("{}[],")
_ACTION = re.compile(r"\{\{.*?\}\}")
"""What Helm fills in: its braces are no YAML."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A place to point at, and what to write beside the carets."""

    place: Place
    label: str = ""


def excerpt(marks: Sequence[Mark], terminal: Terminal) -> Iterator[str]:
    """Each line of the marked fields once, with carets below them, framed; nothing where the text
    is not at hand. All marks are of one object, and in one file.

    A field of several lines shows its first alone. Of a live object, whose text is in no file, the
    lines have no numbers.
    """
    if not marks:
        return
    resource = marks[0].place.resource
    lines = lines_of(marks[0].place.text)
    known = [mark for mark in marks if _may_be_shown(mark.place, marks[0].place.file, lines)]
    by_line: dict[int, list[Mark]] = {}
    for mark in sorted(known, key=lambda mark: mark.place.span.line):
        by_line.setdefault(mark.place.span.line, []).append(mark)
    live = resource.origin.live
    width = max([2, *(0 if live else len(str(line)) for line in by_line)])
    frame = terminal.paint("frame", "|")
    if by_line:
        yield f"{' ' * width} {frame}"
    before = 0
    for line, marked in by_line.items():
        if before and line > before + 1:
            yield f"{' ' * (width - 1)}…"
        before = line
        number = "" if live else str(line)
        yield from _line(lines, marked, (number, width), terminal)


def _may_be_shown(place: Place, file: str, lines: list[str]) -> bool:
    """Whether the place is in these lines, and what may be a credential can be hidden there."""
    if place.file != file or not 0 < place.span.line <= len(lines):
        return False
    return place.is_whole or not _may_hold_secret(place, lines[place.span.line - 1])


def _may_hold_secret(place: Place, line: str) -> bool:
    line = line if place.is_whole else _ACTION.sub("", line)
    return may_hold_secret(place.path) or not _FLOW.isdisjoint(line)


def _line(
    lines: list[str], marks: list[Mark], numbered: tuple[str, int], terminal: Terminal
) -> Iterator[str]:
    """One line of the file, and below it a line of carets for each field that is marked."""
    number, width = numbered
    frame = terminal.paint("frame", "|")
    spans: dict[Span, list[Mark]] = {}
    for mark in marks:
        spans.setdefault(mark.place.span, []).append(mark)
    shown = ""
    for marked in spans.values():
        place = marked[0].place
        parts = _cut(_shown(place, lines), place.span)
        if place.resource.origin.live:
            parts = (parts[0].lstrip(), *parts[1:])
        before, field, after = _fitted(*parts, terminal.width - width - 3)
        text = f"{before}{field}{after}"
        if text != shown:
            yield f"{terminal.paint('frame', number.rjust(width))} {frame} {text}"
            shown = text
        carets = terminal.paint("bad", "^" * max(cells(field), 1))
        labels = " ".join(dict.fromkeys(mark.label for mark in marked if mark.label))
        yield f"{' ' * width} {frame} {' ' * cells(before)}{carets} {labels}".rstrip()


def _shown(place: Place, lines: list[str]) -> str:
    """The line, without what may be a credential. Where the field stands alone on it, as in most
    manifests, its own path tells; else all values of the object are asked after.
    """
    number = place.span.line - 1
    line = lines[number]
    if place.is_whole and _may_hold_secret(place, line):
        [line] = masked(place.resource, [line], number)
    return masked_line(line).rstrip().replace("\t", " ")


def _cut(line: str, span: Span) -> tuple[str, str, str]:
    """The line before, in and after the field, safe to show."""
    start = span.column - 1
    end = span.end_column - 1 if span.end_line == span.line else len(line)
    field, after = line[start:end], line[end:]
    if HIDDEN in field:
        after += "  (value not shown)"
    before, field, after = (escaped(unmasked(part)) for part in (line[:start], field, after))
    return before, field, after


def _fitted(before: str, field: str, after: str, room: int) -> tuple[str, str, str]:
    """The three parts in `room` columns, the field first; what is cut away leaves an ellipsis."""
    if cells(before) + cells(field) + cells(after) <= room:
        return before, field, after
    if cells(before) > room // 2:
        before = "…" + before[-(room // 4) :]
    field = short(field, room - cells(before))
    return before, field, short(after, room - cells(before) - cells(field))


def short(text: str, room: int) -> str:
    """The beginning of the text that fits into `room` columns, with an ellipsis where it is cut."""
    if cells(text) <= room:
        return text
    text = text[: max(room - 1, 0)]
    while cells(text) > room - 1 and text:
        text = text[:-1]
    return text + "…" if room > 0 else ""
