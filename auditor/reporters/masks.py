"""Hides what may be a credential before a line of a manifest is shown. Known to excerpts and diffs.

A report is read in more places than the manifest: in the log of a pipeline, in a ticket. So the
value of a variable, an argument or the data of a Secret is never shown, and stands as an ellipsis.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from auditor.credentials import hidden, may_hold_secret, parts
from auditor.manifests import leaves
from auditor.model import Path, Resource

HIDDEN = "\0"
"""Stands for each hidden character, so that columns stay: no manifest can hold it."""

Hides = Callable[[Path, Any], bool]
"""Whether the value at a path is to be hidden."""


def masked(
    resource: Resource, lines: list[str], first: int, also: Hides | None = None
) -> list[str]:
    """Some lines of the text that `resource` was read from, with HIDDEN in the place of every
    character of its values that may be credentials, and of what looks like one in a comment.
    `first` is how many lines stand before them; `also` tells what else to hide.
    """
    return [masked_line(line) for line in with_values_masked(resource, lines, first, also)]


def with_values_masked(
    resource: Resource, lines: list[str], first: int, also: Hides | None = None
) -> list[str]:
    """The same, of its values alone."""
    shown = list(lines)
    for path, value in leaves(resource.manifest):
        if value in (None, ""):
            continue
        if may_hold_secret(path) or is_credential(path, value) or (also and also(path, value)):
            _hide(resource, path, shown, first)
    return shown


def masked_line(line: str) -> str:
    """A line with HIDDEN in the place of every character that by itself looks like a credential."""
    for start, end, _ in parts(line):
        if HIDDEN not in line[start:end]:
            line = line[:start] + HIDDEN * (end - start) + line[end:]
    return line


def is_credential(path: Path, value: Any) -> bool:
    """Whether the value at `path` holds a credential by its name or its form."""
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    return isinstance(value, str) and hidden(value, key.rpartition("/")[2]) != value


def _hide(resource: Resource, path: Path, shown: list[str], first: int) -> None:
    span = resource.origin.span(path)
    if span == resource.origin.span(path[:-1]):
        return  # it came through an alias and is written elsewhere; this is its parent
    top, bottom = span.line - 1 - first, span.end_line - 1 - first
    for number in range(max(top, 0), min(bottom + 1, len(shown))):
        line = shown[number]
        start = span.column - 1 if number == top else 0
        end = span.end_column - 1 if number == bottom else len(line)
        shown[number] = line[:start] + HIDDEN * (end - start) + line[end:]


def unmasked(text: str) -> str:
    """The text with an ellipsis for everything hidden."""
    return re.sub(f"{HIDDEN}+", "…", text) if HIDDEN in text else text
