"""Hides what may be a credential before a line of a manifest is shown. Known to excerpts and diffs.

A report is read in more places than the manifest: in the log of a pipeline, in a ticket. So the
value of a variable, an argument or the data of a Secret is never shown, and stands as an ellipsis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from auditor.manifests import at
from auditor.model import Path, Resource

HIDDEN = "\0"
"""Stands for each hidden character, so that columns stay: no manifest can hold it."""

_DATA = frozenset(("data", "stringData", "binaryData"))
_ARGUMENTS = frozenset(("args", "command", "kubectl.kubernetes.io/last-applied-configuration"))
Hides = Callable[[Path, Any], bool]
"""Whether the value at a path is to be hidden."""
_LISTS_OF_VALUES = ("env", "httpHeaders")


def may_hold_secret(path: Path) -> bool:
    """Whether people keep credentials in the value at `path` of an object: the value of a variable
    or a header, an argument, the data of a Secret or a ConfigMap.
    """
    return (
        not _DATA.isdisjoint(path[:1])
        or not _ARGUMENTS.isdisjoint(path)
        or any(
            step in _LISTS_OF_VALUES and path[i + 2 : i + 3] == ("value",)
            for i, step in enumerate(path)
        )
    )


def masked(
    resource: Resource, lines: list[str], first: int, also: Hides | None = None
) -> list[str]:
    """Some lines of the text that `resource` was read from, with HIDDEN in the place of every
    character of its values that may be credentials. `first` is how many lines stand before them;
    `also` tells what else to hide.
    """
    shown = list(lines)
    for path in _leaves(resource.manifest, ()):
        if may_hold_secret(path) or (also and also(path, at(resource.manifest, path))):
            _hide(resource, path, shown, first)
    return shown


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield from _leaves(inside, (*path, key))
    elif isinstance(value, list):
        for index, inside in enumerate(value):
            yield from _leaves(inside, (*path, index))
    elif value not in (None, ""):
        yield path


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
