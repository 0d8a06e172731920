"""Shows what a fix would change: as a diff of the user's files, or of a live object as steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import orjson

from auditor.fixes.patch import apply, unified_diff
from auditor.fixes.sourced import SourceFix
from auditor.model import Change, Fix, Operation, Resource, Snapshot, Span, TextEdit
from auditor.reporters.excerpt import short
from auditor.reporters.hunks import discreet_diff
from auditor.reporters.masks import masked, unmasked
from auditor.reporters.places import dotted, lines_of, text_of
from auditor.reporters.terminal import Terminal
from auditor.sources.rendered import Rendered
from auditor.text import escaped

LONGEST = 60
"""How many lines of one change are shown; `auditor fix` shows all."""
AROUND = 3
"""How many lines of context a diff has."""

_HUNK = re.compile(r"@@ -(\d+)(.*?) \+(\d+)(.*)")


def changes_of(snapshot: Snapshot, fix: Fix, terminal: Terminal) -> Iterator[str]:
    """The change in a frame, one line each."""
    lines = list(change_lines(snapshot, fix))
    frame = terminal.paint("frame", "|")
    yield f"   {frame}"
    for line in lines[:LONGEST]:
        text = short(line, terminal.width - 5)
        yield f"   {frame} {_painted(text, terminal)}"
    if len(lines) > LONGEST:
        yield f"   {frame} … and {len(lines) - LONGEST} more lines"


def change_lines(snapshot: Snapshot, fix: Fix) -> Iterator[str]:
    """The change as a diff, or as steps, without a credential and harmless on a screen."""
    for line in _diffs(snapshot, fix) if fix.edits else _steps(fix):
        yield escaped(unmasked(line.rstrip()))


def _painted(line: str, terminal: Terminal) -> str:
    if line.startswith(("--- ", "+++ ", "@@")):
        return terminal.paint("dim", line)
    look = {"+": "good", "-": "bad"}.get(line[:1])
    return terminal.paint(look, line) if look else line


def _diffs(snapshot: Snapshot, fix: Fix) -> Iterator[str]:
    if isinstance(fix, SourceFix):
        yield from _source_diffs(fix)
        return
    for uri in dict.fromkeys(edit.uri for edit in fix.edits):
        edits = [edit for edit in fix.edits if edit.uri == uri]
        found = [snapshot.find(change.beside or change.resource.ref) for change in fix.changes]
        touched = [resource for resource in found if resource and resource.origin.uri == uri]
        yield from _diff(uri, edits, touched) if touched else ()


def _source_diffs(fix: SourceFix) -> Iterator[str]:
    """Those of files that something is built from: what may be a credential is not shown."""
    for uri in dict.fromkeys(edit.uri for edit in fix.edits):
        mine = [edit for edit in fix.edits if edit.uri == uri]
        inside = [one for one in fix.files if one.origin.uri == uri]
        yield from discreet_diff(uri, inside, mine).text.rstrip("\n").split("\n")


def _diff(uri: str, edits: list[TextEdit], touched: list[Resource]) -> Iterator[str]:
    """The unified diff of one file, of the lines around the edits alone: in a file of ten thousand
    objects, each finding would else pay for all of them.
    """
    lines = lines_of(text_of(touched[0].origin.lines))
    first, last = _window(edits, touched, len(lines))
    shown = lines[first:last]
    for resource in touched:
        shown = masked(resource, shown, first)
    before = "\n".join(shown) + ("\n" if last < len(lines) else "")
    after = apply(before, [replace(edit, span=_moved(edit.span, -first)) for edit in edits])
    for line in unified_diff(uri, before, after).rstrip("\n").split("\n"):
        yield _HUNK.sub(lambda m: f"@@ -{int(m[1]) + first}{m[2]} +{int(m[3]) + first}{m[4]}", line)


def _window(edits: list[TextEdit], touched: list[Resource], end: int) -> tuple[int, int]:
    """Which lines to show: those of the edits and some around them, as far as the touched objects
    go. What is beyond belongs to an object whose credentials nobody has looked for.
    """
    top = min(edit.span.line for edit in edits) - 1
    bottom = max(edit.span.end_line for edit in edits)
    spans = [resource.origin.span(()) for resource in touched]
    first = max(top - AROUND, min([top, *(span.line - 1 for span in spans)]))
    last = min(bottom + AROUND, max([bottom, *(span.end_line for span in spans)]), end)
    return first, last


def _moved(span: Span, by: int) -> Span:
    return replace(span, line=span.line + by, end_line=span.end_line + by)


def _steps(fix: Fix) -> Iterator[str]:
    for change in fix.changes:
        yield from _created(change) if change.beside else map(_step, change.operations)


def _created(change: Change) -> Iterator[str]:
    text = Rendered(change.resource.origin.uri, change.resource.manifest).text
    for line in text.rstrip("\n").split("\n"):
        yield f"+{line}"


def _step(operation: Operation) -> str:
    where = f"{operation.op} {dotted(operation.path)}"
    if operation.op == "remove":
        return where
    return f"{where}: {orjson.dumps(operation.value, option=orjson.OPT_NON_STR_KEYS).decode()}"
