"""Objects that stand in no file: what the API server makes for itself, or a case tells of."""

from __future__ import annotations

from auditor.model import Manifest, Origin, Path, Ref, Resource, Span


class _NoLines:
    """Nobody is shown where they stand."""

    def span(self, path: Path) -> Span:  # noqa: ARG002 - the same for every field
        return Span(1, 1, 1, 1)


def unwritten(ref: Ref, manifest: Manifest, source: str = "", *, live: bool = False) -> Resource:
    """The object; `source` is what stands in the place of a file, `live`: it is of a cluster."""
    return Resource(ref, manifest, Origin(source, _NoLines(), live=live))
