"""Where a field of a built object stands in the files that it was built from.

`auditor.fixes.patch` knows it too: what is built cannot be edited in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from auditor.model import Manifest, Origin, Path, Resource, Span
from auditor.sources.yaml import Document


@dataclass(frozen=True, eq=False)
class Built:
    """An object that a program made out of one that is written (`auditor.model.Lines`)."""

    by: str
    """What made it, and from what: ``kustomize from shop/overlay``."""
    manifest: Manifest
    """As it was made."""
    written: Resource
    """As the file has it that it was made from."""

    def span(self, path: Path) -> Span:
        """The region of the field where the file says what was built; else the whole object's."""
        path = _there(self.manifest, path)
        return self.written.origin.span(path if self._is_kept(path) else ())

    @cached_property
    def text(self) -> str:
        """The file, with an ellipsis for every character of a value that the build changed: it is
        not what was judged, and what hides credentials does not know of it.
        """
        document = self.written.origin.lines
        if not isinstance(document, Document):
            return ""
        shown = list(document.text)
        for path in _leaves(self.written.manifest, ()):
            if not self._is_kept(path):
                _blot(document, self.written.origin.span(path), shown)
        return "".join(shown)

    def _is_kept(self, path: Path) -> bool:
        return _is_same(self.manifest, self.written.manifest, path)


@dataclass(frozen=True, slots=True)
class Made:
    """An object that no single written one became (`auditor.model.Lines`)."""

    by: str
    """What made it, and from what."""

    def span(self, _path: Path) -> Span:
        """The start of the file that made it."""
        return Span(1, 1, 1, 1)


def built(by: str, resource: Resource, uri: str, written: Resource | None = None) -> Resource:
    """The object with its place: where it is written, or else the start of the file `uri`."""
    if written is None:
        return Resource(resource.ref, resource.manifest, Origin(uri, Made(by)))
    lines = Built(by, resource.manifest, written)
    return Resource(resource.ref, resource.manifest, Origin(written.origin.uri, lines))


def _there(value: Any, path: Path) -> Path:
    """The path, or that of the nearest ancestor that the value has."""
    for length, step in enumerate(path):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return path[:length]
    return path


def _is_same(one: Any, other: Any, path: Path) -> bool:
    """Whether both have the same at `path`; of two mappings or lists, whether they are meant to be
    the same one: on the way, items of lists have the same name.
    """
    for step in path:
        try:
            one, other = one[step], other[step]
        except (KeyError, IndexError, TypeError):
            return False
        if isinstance(step, int) and not _is_same_item(one, other):
            return False
    if isinstance(one, dict | list):
        return isinstance(other, type(one))
    return type(one) is type(other) and bool(one == other)


def _is_same_item(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict) and "name" in one:
        return bool(one["name"] == other.get("name"))
    return bool(one == other)


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _leaves(inside, (*path, key))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from _leaves(inside, (*path, index))
    else:
        yield path


def _blot(document: Document, span: Span, shown: list[str]) -> None:
    start = document.source.offset(span.line, span.column)
    for at in range(start, document.source.offset(span.end_line, span.end_column)):
        if shown[at] not in "\r\n":
            shown[at] = "…"
