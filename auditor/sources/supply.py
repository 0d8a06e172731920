"""The place in a user's file that says a field of a built object: what a fix would have to edit."""

from __future__ import annotations

from auditor.model import Path, Resource, Span
from auditor.sources.places import find
from auditor.sources.yaml import Document
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Supply:
    """A value in a file."""

    document: Document
    """The document as it is written; its `uri` is the file as the user would name it."""
    path: Path
    """The path of the value in that document."""

    @property
    def uri(self) -> str:
        """The file."""
        return self.document.uri

    @property
    def span(self) -> Span:
        """Where the value stands."""
        return self.document.span(self.path)


def supply_of(resource: Resource, path: Path) -> Supply | None:
    """What says the field at `path` of an object, where that is certain: the object's own file, the
    patch or the transformer of an overlay, the key of a values file. None where nothing is sure, or
    where the field is not written.
    """
    lines = resource.origin.lines
    whole = (*resource.origin.prefix, *path)
    if isinstance(lines, Document):
        return Supply(lines, whole) if find(lines.root, whole).complete else None
    ask = getattr(lines, "supply", None)
    found: Supply | None = ask(path) if ask else None
    return found
