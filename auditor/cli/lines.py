"""Files of questions, one a line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path


def lines_of(file: Path) -> Iterator[bytes]:
    """The lines of a file, or of standard input where that is ``-``; one in memory at a time."""
    if str(file) == "-":
        yield from sys.stdin.buffer
        return
    with file.open("rb") as lines:
        yield from lines
