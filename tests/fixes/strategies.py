"""YAML as people write it: any style, comments in odd places, several documents."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from auditor.model import Operation
from auditor.model import Path as Place

_WORD = st.sampled_from(
    ["app", "web", "a b", "1.5", "yes", "#x", "a: b", "x #y", "", "é😀", "- z", "*a"]
)
_LINES = st.sampled_from(["one\ntwo\n", "one\n\n  two", "#!/bin/sh\n\necho\n\n", "\n x", "a\n"])
SCALARS = st.none() | st.booleans() | st.integers(-9, 70000) | st.just(0.5) | _WORD | _LINES
KEYS = st.sampled_from(
    ["a", "b", "name", "image", "x/y", "on", "1", "key with: signs", "#k", "日本"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(KEYS, inside, max_size=4),
    max_leaves=12,
)
MANIFESTS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


class Writer:
    """Writes a value in a style that chance decides at every step."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._step = chance.choice((2, 2, 4))
        self._dash = chance.choice((0, 2))
        self.comments = 0

    def document(self, value: dict[str, Any]) -> str:
        """One document, without a marker."""
        return "".join(self._block(value, 0)) or "{}\n"

    def _likely(self, part: float) -> bool:
        return self._chance.random() < part

    def _comment(self, space: str = "  ") -> str:
        if not self._likely(0.3):
            return ""
        self.comments += 1
        return f"{space}# comment {self.comments}: 'odd' - {{x"

    def _own_line(self, column: int) -> str:
        if self._likely(0.1):
            return "\n"
        comment = self._comment("")
        return " " * self._chance.choice((column, column, 0)) + comment + "\n" if comment else ""

    def _block(self, value: Any, column: int) -> Iterator[str]:
        """Lines of a mapping or list that holds something."""
        is_map = isinstance(value, dict)
        for key, inner in value.items() if is_map else enumerate(value):
            yield self._own_line(column)
            head = " " * column + (f"{self._key(key)}:" if is_map else "-")
            yield from self._member(head, inner, column, is_map=is_map)

    def _member(self, head: str, value: Any, column: int, *, is_map: bool) -> Iterator[str]:
        if not isinstance(value, dict | list) or not value or self._likely(0.2):
            yield self._leaf(head, value, column)
            return
        inner = column + (self._dash if is_map and isinstance(value, list) else self._step)
        if not is_map and self._likely(0.7):
            lines = "".join(self._block(value, column + 2)).split("\n")
            while not lines[0].strip() or lines[0].lstrip().startswith("#"):
                lines.pop(0)
            yield "\n".join((f"{head} {lines[0][column + 2 :]}", *lines[1:]))
            return
        yield head + self._comment() + "\n"
        yield from self._block(value, max(inner, column + 1) if not is_map else inner)

    def _leaf(self, head: str, value: Any, column: int) -> str:
        if value is None and self._likely(0.5):
            return head + self._comment() + "\n"
        if isinstance(value, str) and _fits_literal(value) and self._likely(0.8):
            return self._literal(head, value, column)
        if isinstance(value, dict | list) and value and self._likely(0.4):
            return f"{head} {self._spread(value, column + 3)}{self._comment()}\n"
        return f"{head} {self._flow(value)}{self._comment()}\n"

    def _literal(self, head: str, value: str, column: int) -> str:
        pad = " " * (column + self._chance.choice((1, 2, 4)))
        sign = "" if value.endswith("\n") else "-"
        lines = value.removesuffix("\n").split("\n")
        body = "".join(f"{pad}{line}\n" if line else "\n" for line in lines)
        return f"{head} |{sign}\n{body}"

    def _flow(self, value: Any) -> str:
        if isinstance(value, dict):
            inside = ", ".join(f"{self._key(k)}: {self._flow(v)}" for k, v in value.items())
            return f"{{{inside}}}"
        if isinstance(value, list):
            return f"[{', '.join(map(self._flow, value))}]"
        return self._scalar(value)

    def _spread(self, value: Any, column: int) -> str:
        """Flow style over several lines."""
        pad = " " * column
        is_map = isinstance(value, dict)
        texts = [
            (f"{self._key(k)}: " if is_map else "") + self._flow(v)
            for k, v in (value.items() if is_map else enumerate(value))
        ]
        last = "," if self._likely(0.3) else ""
        lines = [
            f"{pad}{t}{',' if i + 1 < len(texts) else last}{self._comment(' ')}\n"
            for i, t in enumerate(texts)
        ]
        opening, closing = "{}" if is_map else "[]"
        return f"{opening}\n{''.join(lines)}{pad}{closing}"

    def _key(self, name: Any) -> str:
        key = str(name)
        return key if key.isalpha() and key != "on" and self._likely(0.9) else json.dumps(key)

    def _scalar(self, value: Any) -> str:
        if isinstance(value, str) and value in ("app", "web", "a b", "é😀") and self._likely(0.6):
            return value
        if isinstance(value, str) and "\n" not in value and self._likely(0.5):
            return f"'{value}'"
        return json.dumps(value, ensure_ascii=False)


def _fits_literal(value: str) -> bool:
    """Without blank lines at the end: those that follow would belong to the text as well."""
    return len(value) > 1 and value[0] not in " \n" and not value.endswith("\n\n")


def places(value: Any, prefix: Place = ()) -> Iterator[Place]:
    """Every path of a value."""
    yield prefix
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*prefix, key))


def at(value: Any, path: Place) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


@st.composite
def steps(draw: st.DrawFn, value: dict[str, Any]) -> Operation:
    """One step that fits a value."""
    path = draw(st.sampled_from(list(places(value))))
    here = at(value, path)
    kind = draw(st.sampled_from(["add", "replace", "remove"]))
    if kind == "add" and isinstance(here, dict):
        return Operation("add", (*path, draw(KEYS)), draw(VALUES))
    if kind == "add" and isinstance(here, list):
        index = draw(st.integers(0, len(here)))
        return Operation("add", (*path, "-" if index == len(here) else index), draw(VALUES))
    if kind == "remove" and len(path) > 0:
        return Operation("remove", path)
    return (
        Operation("replace", path, draw(VALUES)) if path else Operation("add", ("z",), draw(VALUES))
    )
