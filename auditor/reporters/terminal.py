"""What the stream of a text report can show: colours, width, characters.

Plain escape codes instead of rich: they are all that a report needs, cost nothing to import, and
ten thousand findings are written in the time that rich takes for a hundred.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from typing import TextIO

from auditor.model import Severity
from auditor.values import dataclass

UNCUT = 120
"""Columns of an excerpt where no terminal says how wide it is."""

_CODES = {
    "bold": "1",
    "dim": "2",
    "frame": "1;34",
    "good": "32",
    "bad": "31",
    "link": "4",
    Severity.CRITICAL: "1;97;41",
    Severity.HIGH: "1;31",
    Severity.MEDIUM: "1;33",
    Severity.LOW: "1;36",
    Severity.INFO: "1;34",
}


@dataclass(frozen=True, slots=True)
class Terminal:
    """How to write for one stream."""

    colour: bool
    width: int
    wraps: bool
    """Whether long lines are broken at `width`: only on a screen, `grep` wants whole ones."""
    encoding: str = "utf-8"

    def paint(self, look: str, text: str) -> str:
        """The text in one of the looks of the report, or as it is where there are no colours."""
        return f"\x1b[{_CODES[look]}m{text}\x1b[0m" if self.colour and text else text

    def wrapped(self, text: str, indent: int, first: int) -> str:
        """The text broken at spaces; the first line starts at `first`, the others at `indent`."""
        if not self.wraps or first + len(text) <= self.width:
            return text
        return ("\n" + " " * indent).join(_broken(text, self.width, indent, first))

    def shown(self, report: str) -> str:
        """The report with escapes for the characters that the stream cannot encode."""
        return report.encode(self.encoding, "backslashreplace").decode(self.encoding)


def terminal_of(stream: TextIO | None) -> Terminal:
    """What `stream` can show; None is a file: no colours, nothing broken.

    NO_COLOR takes the colours away, FORCE_COLOR gives them to a pipe (https://no-color.org,
    https://force-color.org), COLUMNS sets the width.
    """
    if stream is None:
        return Terminal(colour=False, width=UNCUT, wraps=False)
    screen = stream.isatty()
    willing = bool(os.environ.get("FORCE_COLOR")) or (screen and os.environ.get("TERM") != "dumb")
    colour = willing and not os.environ.get("NO_COLOR")
    encoding = stream.encoding or "utf-8"
    return Terminal(colour, _width(stream) if screen else UNCUT, screen, encoding)


def _width(stream: TextIO) -> int:
    columns = os.environ.get("COLUMNS", "")
    try:
        found = (
            int(columns) if columns.isdecimal() else os.get_terminal_size(stream.fileno()).columns
        )
    except OSError:
        found = UNCUT
    return max(found, 40) if found else UNCUT


def _broken(text: str, width: int, indent: int, first: int) -> Iterator[str]:
    line, used = "", first
    for word in text.split(" "):
        full = used + bool(line) + len(word) > width
        if full and (line or used > indent):
            yield line
            line, used = word, indent + len(word)
        else:
            line, used = (
                (f"{line} {word}", used + 1 + len(word)) if line else (word, used + len(word))
            )
    yield line


def cells(text: str) -> int:
    """How many columns the text takes on a screen."""
    if text.isascii():
        return len(text)
    return sum(_cell(character) for character in text)


def _cell(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
