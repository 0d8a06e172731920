"""Writes a document as JSON, whatever an object or a file name brought into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

import orjson

BATCH = 256
"""So many items of a list are held as values at a time."""
BETWEEN = ",\n"
_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS


class Shared(dict[str, Any]):
    """Members that many items of a list have alike: they are written once, as they are when they
    are first asked for.
    """

    @cached_property
    def text(self) -> str:
        """See `_members`."""
        return _members(self)


Item = Iterable[Mapping[str, Any]]
"""A mapping in parts, none of which is empty: its members, in their order."""


def whole(item: Item) -> dict[str, Any]:
    """The mapping that consists of these parts."""
    return {name: value for part in item for name, value in part.items()}


def encoded(document: Any) -> str:
    r"""The document as indented JSON with a line break at its end.

    Bytes of a file name that are no UTF-8 are written as ``\udcNN``; integers may have any size.
    """
    try:
        return _quickly(document)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        return json.dumps(_clean(document), indent=2, ensure_ascii=False, default=str) + "\n"


def in_pieces(
    document: Mapping[str, Any],
    key: str,
    items: Callable[[], Iterator[Item]],
    texts: Callable[[], Iterator[str]] | None = None,
) -> list[str]:
    """The pieces of `encoded` of the document with the items under its key `key`, where an empty
    list stands. What the items are made of takes little room, as only some are there at a time.

    `texts` are the same items as `members` writes them, each part after the other, with what
    stands `BETWEEN` two; for whoever writes a hundred thousand in less time.
    """
    try:
        before, empty, after = _quickly(document).partition(f'\n  "{key}": []')
        batches = list(_batches(texts() if texts else map(_text, items())))
    except TypeError:
        return [encoded({**document, key: [whole(item) for item in items()]})]
    if not batches:
        return [before, empty, after]
    commas = ["", *[","] * (len(batches) - 1)]
    inside = [piece for pair in zip(commas, batches, strict=True) for piece in pair]
    return [before, empty[:-1], *inside, "\n  ]", after]


def _batches(texts: Iterator[str]) -> Iterator[str]:
    """The items, as they stand in a list that a mapping holds: without its brackets.

    Raises:
        TypeError: one holds what orjson cannot write.
    """
    while batch := list(islice(texts, BATCH)):
        yield "\n    {\n" + "\n    },\n    {\n".join(batch) + "\n    }"


def _text(item: Item) -> str:
    return BETWEEN.join(map(members, item))


def members(part: Mapping[str, Any]) -> str:
    """The members, as they stand in an item of such a list: without its braces.

    Raises:
        TypeError: one holds what orjson cannot write.
    """
    return part.text if type(part) is Shared else _members(part)


def _members(part: Mapping[str, Any]) -> str:
    text = orjson.dumps([[part]], option=_OPTIONS)
    return text[len(b"[\n  [\n    {\n") : -len(b"\n    }\n  ]\n]")].decode()


def _quickly(document: Any) -> str:
    return orjson.dumps(document, option=_OPTIONS | orjson.OPT_APPEND_NEWLINE).decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(inside) for inside in value]
    return value
