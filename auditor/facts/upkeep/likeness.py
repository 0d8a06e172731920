"""Which word somebody meant who wrote another one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

MANY = 1000
"""Of more words than this none is looked for: each costs some microseconds."""
CLOSE = 0.85
"""How alike two words have to be, as difflib counts: one wrong letter in seven."""
SHORT = 4
"""Parts of names of fewer letters are told apart on purpose: team-a and team-b, eu and us."""

_PARTS = re.compile(r"[-._/]")


def meant(written: str, known: Iterable[str]) -> str:
    """The one of `known` words that `written` is a slip of; empty where none is."""
    words = [word for word in dict.fromkeys(known) if word != written]
    if len(words) > MANY:
        return ""
    close = difflib.get_close_matches(written, words, n=3, cutoff=CLOSE)
    return next((word for word in close if _is_slip(written, word)), "")


def _is_slip(one: str, other: str) -> bool:
    """Whether the words differ as a slip makes them differ, and not as names that are told apart:
    by a number, or by a short part of the name.
    """
    ours, theirs = _PARTS.split(one), _PARTS.split(other)
    if len(ours) != len(theirs):
        return _letters(one) == _letters(other)
    differing = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    return bool(differing) and all(_is_slip_of_part(*pair) for pair in differing)


def _is_slip_of_part(one: str, other: str) -> bool:
    if min(len(one), len(other)) < SHORT:
        return False
    return re.sub(r"\d", "", one) != re.sub(r"\d", "", other)


def _letters(word: str) -> str:
    """The word without what stands between its parts: ``frontend`` is ``front-end``."""
    return _PARTS.sub("", word).lower()
