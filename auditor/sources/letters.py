"""`y` and `n` where only text can be meant: namespace `y`, label `ready: n`.

kubectl takes them for true and false, as YAML 1.1 has it, and the API server refuses the object.
What was meant is plain, and other readers of YAML take it so: it is judged as meant, and told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from auditor.model import Gap, Path, Unseen
from auditor.sources.places import find, region
from auditor.sources.yaml import Document

_LETTER = re.compile(r"[:,\[-][ \t]*[yYnN][ \t]*(?=[,}\]\r\n#]|\Z)")
_NAMES = frozenset(("name", "namespace"))
_TEXTS = frozenset(("labels", "matchLabels", "annotations", "nodeSelector", "values"))
"""Fields of which every value is text."""


def as_text(document: Document) -> tuple[Document, tuple[Gap, ...]]:
    """The document with such letters as text, and a gap for each. Costs one look at its text where
    there is none.
    """
    if document.is_json or not _LETTER.search(document.text, document.start, document.end):
        return document, ()
    found = {
        path: written
        for path, value in _truths(document.value, ())
        if (written := _written(document, path)) in tuple("yYnN")
    }
    if not found:
        return document, ()
    gaps = tuple(_gap(document, path, letter) for path, letter in found.items())
    return replace(document, value=_with(document.value, found, ())), gaps


def _truths(value: Any, path: Path) -> Iterator[tuple[Path, bool]]:
    """True and false in fields that hold text."""
    if isinstance(value, bool):
        if path and (path[-1] in _NAMES or not _TEXTS.isdisjoint(path[-2:-1])):
            yield path, value
        return
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _truths(each, (*path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _truths(each, (*path, index))


def _written(document: Document, path: Path) -> str:
    part = document.part(path)
    start, end = region(find(part.node, path[len(part.prefix) :]))
    return document.text[start:end]


def _with(value: Any, found: dict[Path, str], path: Path) -> Any:
    if path in found:
        return found[path]
    if isinstance(value, dict):
        return {key: _with(each, found, (*path, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_with(each, found, (*path, i)) for i, each in enumerate(value)]
    return value


def _gap(document: Document, path: Path, letter: str) -> Gap:
    what = f"{document.uri}:{document.span(path).line}"
    why = (
        f"'{letter}' without quotes is true or false to kubectl, and an API server refuses that"
        " here: it was taken as text"
    )
    return Gap(what, why, Unseen.INCOMPLETE)
