"""Shows the line that a finding is about, with carets under the field."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.credentials import may_hold_secret
from auditor.model import Span
from auditor.reporters.masks import HIDDEN, masked, masked_line, unmasked
from auditor.reporters.places import Place, lines_of, text_of
from auditor.reporters.terminal import Terminal, cells
from auditor.text import escaped

_FLOW = frozenset("{}[],")


def excerpt(place: Place, terminal: Terminal) -> Iterator[str]:
    """The first line of the field and its carets, framed; nothing where the text is not at hand.

    A field of several lines shows its first alone. Of a live object, whose text is in no file, the
    line has no number.
    """
    lines = lines_of(text_of(place.resource.origin.lines))
    if not 0 < place.span.line <= len(lines):
        return
    live = place.resource.origin.live
    before, field, after = _cut(_shown(place, lines), place.span)
    number = "" if live else str(place.span.line)
    gutter = " " * max(len(number), 2)
    room = terminal.width - len(gutter) - 3
    before, field, after = _fitted(before.lstrip() if live else before, field, after, room)
    frame = terminal.paint("frame", "|")
    yield f"{gutter} {frame}"
    yield f"{terminal.paint('frame', number.rjust(2))} {frame} {before}{field}{after}"
    carets = terminal.paint("bad", "^" * max(cells(field), 1))
    yield f"{gutter} {frame} {' ' * cells(before)}{carets}"


def _shown(place: Place, lines: list[str]) -> str:
    """The line, without what may be a credential. Where the field stands alone on it, as in most
    manifests, its own path tells; else all values of the object are asked after.
    """
    number = place.span.line - 1
    line = lines[number]
    if may_hold_secret(place.path) or not _FLOW.isdisjoint(line):
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
