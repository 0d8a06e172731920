"""Writes a change into the user's file as edits of its text, which leave every other byte alone.

A round trip through a YAML library would re-indent lists and move comments; see "Fixes edit text
spans" in ARCHITECTURE.md.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.fixes.compare import same
from auditor.fixes.cuts import Place, cuts
from auditor.fixes.operations import CannotApplyError, applied
from auditor.fixes.page import CannotEditError, Cut, Page, page_of
from auditor.fixes.writing import block
from auditor.model import Manifest, Operation, Path, Resource, TextEdit
from auditor.sources.built import Built, Made
from auditor.sources.places import SourceText, find
from auditor.sources.templates import Templated
from auditor.sources.yaml import Document, Part, documents

__all__ = [
    "CannotEditError",
    "apply",
    "edits",
    "edits_to",
    "insert_document",
    "rewritten",
    "unified_diff",
    "verify",
    "verify_inserted",
]


def edits(resource: Resource, operations: Sequence[Operation]) -> tuple[TextEdit, ...]:
    """The steps on an object as edits of the file that it was read from.

    Raises:
        CannotEditError: the steps do not fit, or something else would change with them.
    """
    try:
        wanted = applied(resource.manifest, operations)
    except CannotApplyError as error:
        raise CannotEditError(str(error)) from error
    return edits_to(resource, wanted)


def edits_to(resource: Resource, wanted: Manifest) -> tuple[TextEdit, ...]:
    """What leads from an object to `wanted` as edits of the file that it was read from.

    Raises:
        CannotEditError: something else would change with them.
    """
    page = page_of(_document(resource), resource.origin.prefix)
    return _edits(page, _written(page, resource.origin.prefix, resource.manifest, wanted))


def rewritten(document: Document, wanted: Any) -> tuple[TextEdit, ...]:
    """A whole document as edits of its file that make it say `wanted`.

    Raises:
        CannotEditError: something else would change with it.
    """
    page = page_of(document)
    return _edits(page, _written(page, (), document.value, wanted))


def _document(resource: Resource) -> Document:
    document = resource.origin.lines
    if isinstance(document, Built | Made | Templated):
        raise CannotEditError(f"it is built by {document.by}")
    if not isinstance(document, Document):
        raise CannotEditError("it was not read from a file")
    return document


def _written(page: Page, prefix: Path, old: Any, new: Any) -> Iterator[Cut]:
    root, path = page.part.node, prefix[len(page.part.prefix) :]
    for length in range(len(path)):
        outer = find(root, path[:length]).node
        if outer.anchor in page.referred:
            raise CannotEditError(f"it is inside of '&{outer.anchor}', which other places use")
    found = find(root, path)
    if not found.complete:
        raise CannotEditError("the object is not written where it was found")
    in_flow = page.document.is_json or (bool(path) and find(root, path[:-1]).node.is_flow)
    place = Place(found.node, in_flow=in_flow, column=page.column(found.node.inner))
    return cuts(page, place, old, new)


def _edits(page: Page, found: Iterable[Cut]) -> tuple[TextEdit, ...]:
    """The cuts as edits; insertions at one place are one edit, as `apply` takes the same edit
    twice for one that two fixes have in common.
    """
    texts: dict[tuple[int, int], str] = {}
    for cut in found:
        texts[cut.start, cut.end] = texts.get((cut.start, cut.end), "") + cut.text
    source = page.document.source
    return tuple(
        TextEdit(source.uri, source.span(start, end), text)
        for (start, end), text in texts.items()
        if text or start < end
    )


def insert_document(beside: Resource, manifest: Manifest) -> TextEdit:
    """A new object, written just before the document of `beside`; an item before it in a List. What
    is beside its own Namespace comes after that, or nobody could apply the file.

    Raises:
        CannotEditError: the file cannot hold another document.
    """
    page = page_of(_document(beside))
    after = beside.ref.kind == "Namespace"
    if beside.origin.prefix:
        *where, index = beside.origin.prefix
        return _inserted_item(page, (*where, int(index) + after), manifest)
    if page.document.is_json:
        raise CannotEditError("a JSON file holds one object")
    text = block(dict(manifest), page.manner, 0) + page.manner.newline
    at, text = _appended(page, text) if after else _separated(page, text)
    source = page.document.source
    return TextEdit(source.uri, source.span(at, at), text)


def _inserted_item(page: Page, prefix: Path, manifest: Manifest) -> TextEdit:
    where, index = prefix[:-1], int(prefix[-1])
    old: Any = page.document.value
    for step in where:
        old = old[step]
    new = [*old[:index], dict(manifest), *old[index:]]
    found = _edits(page, _written(page, where, old, new))
    if len(found) != 1:
        raise CannotEditError("the List is written in an unusual way")
    return found[0]


def _separated(page: Page, text: str) -> tuple[int, str]:
    """Where a new document goes, and its text with what separates it from the next one."""
    start, newline = page.document.start, page.manner.newline
    if page.text.startswith("---", start):
        return start, f"---{newline}{text}"
    if page.text.startswith("%", start):
        return start, f"---{newline}{text}...{newline}"
    after_end_marker = start > 0 and page.text[start - 1] not in "\n\ufeff"
    return page.next_line(start) if after_end_marker else start, f"{text}---{newline}"


def _appended(page: Page, text: str) -> tuple[int, str]:
    """Where a new document goes that follows this one, and its text with what separates the two."""
    at, newline = page.document.end, page.manner.newline
    ended = page.text[:at].endswith("\n")
    return at, f"{'' if ended else newline}---{newline}{text}"


def verify(resource: Resource, edits: Sequence[TextEdit], manifest: Manifest) -> None:
    """Read the edited file again: the object is `manifest`, and all else is as it was.

    Raises:
        CannotEditError: it is not.
    """
    document = _document(resource)
    prefix = resource.origin.prefix
    part = document.part(prefix)
    chunk = " " * part.column + _edited(document, part, edits)
    after = list(documents(document.uri, chunk))
    if len(after) != 1 or not isinstance(after[0], Document):
        raise CannotEditError("the edited text could not be read again")
    before: Any = document.value
    for step in part.prefix:
        before = before[step]
    wanted = _replaced(before, prefix[len(part.prefix) :], resource.manifest, manifest)
    if not same(after[0].value, wanted):
        raise CannotEditError("the edited text says something else than it should")


def verify_inserted(beside: Resource, edit: TextEdit, manifest: Manifest) -> None:
    """Read again the document of `beside` with a new one that `insert_document` wrote next to it:
    the two say what they should. The others of the file are parted from these by markers.

    Raises:
        CannotEditError: they do not.
    """
    document = _document(beside)
    chunk = _edited(document, document.part(()), (edit,))
    after = list(documents(document.uri, chunk))
    values = [one.value for one in after if isinstance(one, Document)]
    new_first = beside.ref.kind != "Namespace"
    wanted = (manifest, document.value) if new_first else (document.value, manifest)
    if len(after) != len(wanted) or not same(values, list(wanted)):
        raise CannotEditError("the edited text says something else than it should")


def _edited(document: Document, part: Part, edits: Sequence[TextEdit]) -> str:
    """The text of one document, or of an item, after the edits.

    Markers at the start of a line part documents whatever they hold, and indentation parts items,
    so that no edit inside of one changes another.
    """
    source = document.source
    found = [_cut(source, edit) for edit in edits]
    if any(cut.start < part.start or cut.end > part.end for cut in found):
        raise CannotEditError("an edit is outside of the object's document")
    moved = [Cut(c.start - part.start, c.end - part.start, c.text) for c in found]
    chunk = _spliced(source.text[part.start : part.end], moved)
    is_followed = part.end < len(source.text) and not document.is_json
    if is_followed and not chunk.endswith("\n"):
        raise CannotEditError("the edits would join two documents")
    return chunk


def _cut(source: SourceText, edit: TextEdit) -> Cut:
    span = edit.span
    start = source.offset(span.line, span.column)
    return Cut(start, source.offset(span.end_line, span.end_column), edit.text)


def _replaced(value: Any, prefix: Path, old: Manifest, new: Manifest) -> Any:
    """The value of a document with one object in it replaced."""
    if prefix:
        inner = _replaced(value[prefix[0]], prefix[1:], old, new)
        if isinstance(value, dict):
            return {**value, prefix[0]: inner}
        return [inner if index == prefix[0] else item for index, item in enumerate(value)]
    filled = old.keys() - value.keys()
    return {key: inner for key, inner in new.items() if key not in filled}


def apply(text: str, edits: Sequence[TextEdit]) -> str:
    """The text after the edits, which all refer to it as it is. The same edit twice counts once;
    insertions at one place keep their order.

    Raises:
        CannotEditError: two edits overlap.
    """
    source = SourceText("", text)
    return _spliced(text, [_cut(source, edit) for edit in dict.fromkeys(edits)])


def _spliced(text: str, found: Sequence[Cut]) -> str:
    parts: list[str] = []
    at = 0
    for cut in sorted(found, key=lambda cut: (cut.start, cut.end)):
        if cut.start < at:
            raise CannotEditError("two edits overlap")
        parts += (text[at : cut.start], cut.text)
        at = cut.end
    return "".join((*parts, text[at:]))


def unified_diff(uri: str, before: str, after: str) -> str:
    """What changes in a file, as `git diff` shows it and `git apply` takes it."""
    old, new = _diff_names(uri)
    lines = difflib.unified_diff(diff_lines(before), diff_lines(after), old, new)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def diff_header(uri: str) -> str:
    """The two lines that begin the diff of a file."""
    old, new = _diff_names(uri)
    return f"--- {old}\n+++ {new}\n"


def _diff_names(uri: str) -> tuple[str, str]:
    old, new = (_diff_name(f"{side}/{uri.lstrip('/')}") for side in "ab")
    return old, new


def diff_lines(text: str) -> list[str]:
    """Lines as git counts them: only a line feed ends one."""
    *whole, rest = text.split("\n")
    return [f"{line}\n" for line in whole] + ([rest] if rest else [])


def _diff_name(name: str) -> str:
    """A name as git writes it: quoted if it holds control characters, ended by a tab if spaces."""
    if re.search(r'[\x00-\x1f"\\\x7f]', name):
        return json.dumps(name, ensure_ascii=False)
    return f"{name}\t" if " " in name else name
