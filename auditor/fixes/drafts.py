"""What is to become of the files that something is built from: documents and lines of templates.

Several fixes draft into the same files; what two of them have in common is drafted once.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any

from auditor.fixes.compare import same
from auditor.fixes.differences import is_done
from auditor.fixes.operations import CannotApplyError, applied
from auditor.fixes.page import CannotEditError
from auditor.fixes.patch import apply, rewritten
from auditor.model import Operation, Path, TextEdit
from auditor.sources.places import SourceText
from auditor.sources.yaml import Document, documents
from auditor.values import dataclass

Place = tuple[str, int]
"""A file and the offset at which a document of it begins."""


@dataclass(slots=True)
class _Draft:
    document: Document
    value: Any
    """What it is to say."""


@dataclass(slots=True)
class Drafts:
    """The new state of some files."""

    documents: dict[Place, _Draft] = field(default_factory=dict)
    sources: dict[str, SourceText] = field(default_factory=dict)
    """The text of every file that is touched."""
    lines: dict[TextEdit, None] = field(default_factory=dict)
    """Edits of lines of templates."""

    def value(self, document: Document) -> Any:
        """What a document is to say, so far."""
        return self._draft(document).value

    def step(self, document: Document, step: Operation) -> None:
        """Draft one step on a document.

        Raises:
            CannotEditError: it does not fit.
        """
        draft = self._draft(document)
        if is_done(draft.value, step):
            return
        moved = replace(step, path=("", *step.path))
        try:
            draft.value = applied({"": draft.value}, [moved])[""]
        except CannotApplyError as error:
            raise CannotEditError(f"{document.uri}: {error}") from error

    def put(self, source: SourceText, start: int, end: int, text: str) -> None:
        """Draft new text for a region of a template."""
        self.sources[source.uri] = source
        self.lines[TextEdit(source.uri, source.span(start, end), text)] = None

    def _draft(self, document: Document) -> _Draft:
        place = (document.uri, document.start)
        if place not in self.documents:
            self.documents[place] = _Draft(document, document.value)
        return self.documents[place]

    def edits(self) -> tuple[TextEdit, ...]:
        """All drafts as edits of the files.

        Raises:
            CannotEditError: something else would change with them.
        """
        found = dict(self.lines)
        for draft in self._changed():
            try:
                found |= dict.fromkeys(rewritten(draft.document, draft.value))
            except CannotEditError as error:
                raise CannotEditError(f"{draft.document.uri} cannot be edited: {error}") from error
        return tuple(found)

    def _changed(self) -> Iterator[_Draft]:
        for draft in self.documents.values():
            if not same(draft.document.value, draft.value):
                yield draft

    def texts(self) -> dict[str, tuple[str, str]]:
        """File, as the user names it → its text before and after; read again, and found right.

        Raises:
            CannotEditError: two edits overlap, or the new text says something else.
        """
        by_file: dict[str, list[TextEdit]] = {}
        for edit in self.edits():
            by_file.setdefault(edit.uri, []).append(edit)
        read = {draft.document.uri: draft.document.text for draft in self.documents.values()}
        read |= {uri: source.text for uri, source in self.sources.items()}
        texts = {uri: (read[uri], apply(read[uri], mine)) for uri, mine in by_file.items()}
        for uri, (before, after) in texts.items():
            if uri not in self.sources:
                self._check(uri, before, after)
        return texts

    def _check(self, uri: str, before: str, after: str) -> None:
        wanted = [
            self.documents[uri, one.start].value
            if (uri, one.start) in self.documents
            else one.value
            for one in documents(uri, before)
            if isinstance(one, Document)
        ]
        found = [one.value for one in documents(uri, after) if isinstance(one, Document)]
        if not same(wanted, found):
            raise CannotEditError(f"{uri}: the edited text says something else than it should")


def real(uri: str) -> str:
    """The real path of a file, as the user names it from the current folder."""
    return os.path.realpath(uri)


def nested(path: Path, value: Any) -> Any:
    """The value below keys that are not there yet."""
    for key in reversed(path):
        value = {key: value}
    return value
