"""Text of others, made fit to be shown. Knows nothing of what it says."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Text on one line that cannot act on a terminal: control characters, marks that turn the
    reading direction, odd spaces and broken code points are written as escapes.
    """
    if text.isprintable():
        return text
    return "".join(ch if ch.isprintable() else _escape(ch) for ch in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()
