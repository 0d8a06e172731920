"""Finds the items of a large List, so that the place of one is known without a tree of them all.

`kubectl get -o yaml` writes a whole cluster as one document. A tree of 100 MB takes gigabytes.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable
from typing import Any

from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from auditor.sources.values import events_of
from auditor.values import dataclass

LARGE = 200_000
"""From how many characters on the items of a document are looked at one by one."""

_OPENING = (MappingStartEvent, SequenceStartEvent)
_CLOSING = (MappingEndEvent, SequenceEndEvent)
_BETWEEN = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Regions:
    """Where the items of a List stand, as offsets into the text of its document."""

    starts: array[int]
    ends: array[int]


class _SharedError(Exception):
    """An anchor or an alias: the items cannot be read one by one."""


def yaml_regions(chunk: str) -> Regions | None:
    """The block items under `items` of a block mapping; None if there are none that can be read
    on their own.
    """
    following = events_of(chunk)
    following()
    following()
    top = following()
    if type(top) is not MappingStartEvent or top.flow_style:
        return None
    try:
        while type(key := following()) is not MappingEndEvent:
            value = following()
            is_items = type(key) is ScalarEvent and key.value == "items"
            if is_items and type(value) is SequenceStartEvent and not value.flow_style:
                return _block_items(chunk, following)
            _skip(following, value)
    except _SharedError:
        pass
    return None


def _block_items(chunk: str, following: Callable[[], Any]) -> Regions:
    starts, ends = array("q"), array("q")
    while type(event := following()) is not SequenceEndEvent:
        item: Any = event
        starts.append(item.start_mark.index)
        end = _skip(following, item)
        if chunk[end - 1 : end] != "\n":
            line_end = chunk.find("\n", end)
            end = line_end + 1 if line_end >= 0 else len(chunk)
        ends.append(min(end, len(chunk)))
    return Regions(starts, ends)


def _skip(following: Callable[[], Any], event: Any) -> int:
    """Past a whole value; where the last thing in it ends."""
    depth = 0
    while True:
        kind = type(event)
        if kind is AliasEvent or getattr(event, "anchor", None) is not None:
            raise _SharedError
        depth += (kind in _OPENING) - (kind in _CLOSING)
        if kind is ScalarEvent or event.end_mark.index > event.start_mark.index:
            end = int(event.end_mark.index)
        if depth == 0:
            return end
        event = following()


def json_regions(chunk: str, start: int) -> Regions | None:
    """The objects of the list under `items` of a JSON object that begins at `start`."""
    decode = json.JSONDecoder().raw_decode
    at = _past(chunk, start + 1)
    while chunk[at] == '"':
        key, at = decode(chunk, at)
        at = _past(chunk, _past(chunk, at) + 1)
        if key == "items" and chunk[at] == "[":
            return _json_items(chunk, _past(chunk, at + 1))
        _, at = decode(chunk, at)
        at = _past(chunk, _past(chunk, at) + 1)
    return None


def _json_items(chunk: str, at: int) -> Regions | None:
    decode = json.JSONDecoder().raw_decode
    starts, ends = array("q"), array("q")
    while chunk[at] == "{":
        starts.append(at)
        _, at = decode(chunk, at)
        ends.append(at)
        at = _past(chunk, at)
        at = _past(chunk, at + 1) if chunk[at] == "," else at
    return Regions(starts, ends) if chunk[at] == "]" else None


def _past(chunk: str, at: int) -> int:
    found = _BETWEEN.match(chunk, at)
    return found.end() if found else at
