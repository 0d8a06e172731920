"""A diff that a program can apply, and that shows no credential of the file.

Lines of context that hold one are left out, which makes a hunk shorter or two of one: `git apply`
and `patch` take it all the same. A changed line that holds one is shown with an ellipsis in its
place; such a diff is for people alone, and says so.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from auditor.fixes.patch import apply, diff_header, diff_lines
from auditor.model import Resource, TextEdit
from auditor.reporters.masks import HIDDEN, masked_line, unmasked, with_values_masked
from auditor.reporters.masks_of_sources import (
    is_template,
    masked_template_line,
    may_be_handed_on,
)
from auditor.reporters.places import text_of
from auditor.values import dataclass

AROUND = 3
"""How many lines of context a hunk has."""

Row = tuple[str, str, int, int]
"""A line of a hunk: its sign, its text, and how many lines of both files stand before it."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What is shown of one file."""

    text: str
    applies: bool
    """Whether `git apply` makes of the file what the edits do."""


def discreet_diff(name: str, resources: Sequence[Resource], edits: Sequence[TextEdit]) -> Diff:
    """The diff of a file, in which stand those `resources`, when `edits` are made; under `name`.

    Costs a look at every value of the objects whose lines are near an edit.
    """
    before = _masked(resources, edits)
    after = apply(before, edits)
    old, new = diff_lines(before), diff_lines(after)
    hunks = list(_hunks(old, new))
    shown = "".join(_written(hunk) for hunk in hunks)
    applies = HIDDEN not in shown and all(_has_an_end(hunk, len(old)) for hunk in hunks)
    return Diff(diff_header(name) + unmasked(shown) if hunks else "", applies)


def _masked(resources: Sequence[Resource], edits: Sequence[TextEdit]) -> str:
    """The text, with credentials hidden on every line that a hunk may show."""
    lines = text_of(resources[0].origin.lines).split("\n")
    places = [(e.span.line - AROUND - 1, e.span.end_line + AROUND + 1) for e in edits]
    for resource in _near(resources, places):
        also = None if resource.ref.kind else may_be_handed_on
        lines = with_values_masked(resource, lines, 0, also)
    if is_template(resources[0]):
        lines = list(map(masked_template_line, lines))
    for number in {n for top, bottom in places for n in range(max(top, 1), bottom + 1)}:
        if number <= len(lines):
            lines[number - 1] = masked_line(lines[number - 1])
    return "\n".join(lines)


def _near(resources: Iterable[Resource], places: list[tuple[int, int]]) -> Iterator[Resource]:
    """The objects of whose text a hunk may show a line."""
    for resource in resources:
        span = resource.origin.span(())
        if any(span.line <= bottom and top <= span.end_line for top, bottom in places):
            yield resource


def _hunks(old: list[str], new: list[str]) -> Iterator[list[Row]]:
    for group in difflib.SequenceMatcher(None, old, new).get_grouped_opcodes(AROUND):
        rows = [row for opcode in group for row in _rows(opcode, old, new)]
        yield from (_evened(part, len(old)) for part in _parted(rows))


def _rows(opcode: tuple[str, int, int, int, int], old: list[str], new: list[str]) -> Iterator[Row]:
    tag, i1, i2, j1, j2 = opcode
    if tag == "equal":
        yield from ((" ", old[i], i, i - i1 + j1) for i in range(i1, i2))
        return
    yield from (("-", old[i], i, j1) for i in range(i1, i2))
    yield from (("+", new[j], i2, j) for j in range(j1, j2))


def _parted(rows: list[Row]) -> Iterator[list[Row]]:
    """The rows without context that holds a credential: what stands before and after it."""
    part: list[Row] = []
    for row in rows:
        if row[0] == " " and HIDDEN in row[1]:
            yield from _if_changed(part)
            part = []
        else:
            part.append(row)
    yield from _if_changed(part)


def _if_changed(part: list[Row]) -> Iterator[list[Row]]:
    if any(sign != " " for sign, *_ in part):
        yield part


def _evened(hunk: list[Row], length: int) -> list[Row]:
    """With as much context above as below. `patch` takes more on one side for the start or the end
    of the file, which it is not where a credential was left out; git wants a line below.
    """
    changed = [at for at, (sign, *_) in enumerate(hunk) if sign != " "]
    above, below = changed[0], len(hunk) - 1 - changed[-1]
    if below < above and hunk[-1][2] + (hunk[-1][0] != "+") < length:
        return hunk[above - below :]
    if above < below and hunk[0][2] > 0:
        return hunk[: len(hunk) - below + max(above, 1)]
    return hunk


def _has_an_end(hunk: list[Row], length: int) -> bool:
    """Whether git finds its place: without context below, it looks at the end of the file."""
    sign, _, before, _ = hunk[-1]
    return sign == " " or before + (sign == "-") >= length


def _written(hunk: list[Row]) -> str:
    _, _, old, new = hunk[0]
    removed = _range(old, sum(sign != "+" for sign, *_ in hunk))
    added = _range(new, sum(sign != "-" for sign, *_ in hunk))
    return "".join(
        (f"@@ -{removed} +{added} @@\n", *(_line(sign, text) for sign, text, *_ in hunk))
    )


def _range(before: int, length: int) -> str:
    """As diff writes it: the first line and how many; of none, the line before."""
    if length == 1:
        return str(before + 1)
    return f"{before + bool(length)},{length}"


def _line(sign: str, text: str) -> str:
    return (
        f"{sign}{text}" if text.endswith("\n") else f"{sign}{text}\n\\ No newline at end of file\n"
    )
