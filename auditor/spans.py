"""More of the vocabulary: where something stands in a text. Imports nothing of ours."""

from __future__ import annotations

from typing import Protocol

from auditor.values import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A region of a text. All four numbers count from 1; columns count code points; the end is
    exclusive.
    """

    line: int
    column: int
    end_line: int
    end_column: int


class Lines(Protocol):
    """What knows where each field of one document stands."""

    def span(self, path: Path) -> Span:
        """The region of the field at `path`, or of its nearest ancestor that is written."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A region of one file."""

    uri: str
    """The file as the user named it."""
    span: Span
    lines: Lines
    """What knows that file."""
