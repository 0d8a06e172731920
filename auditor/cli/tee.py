"""Keeps what goes to a stream, which gets it as before."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from auditor.cli.shelf import Packer


class Tee(io.BufferedIOBase):
    """The binary side of a stream, with a copy of all that is written: packed, since a large report
    takes much less room then.
    """

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__()
        self._inner = inner
        self._packer = Packer()

    def write(self, data: Any, /) -> int:
        """Write, and keep."""
        self._packer.take(data)
        return self._inner.write(data)

    def packed(self) -> bytes:
        """The copy, as `auditor.cli.shelf.unpacked` takes it. Nothing is written after that."""
        return self._packer.packed()

    def flush(self) -> None:
        """As the stream does."""
        self._inner.flush()

    def isatty(self) -> bool:
        """As the stream does."""
        return self._inner.isatty()

    def fileno(self) -> int:
        """As the stream does."""
        return self._inner.fileno()

    def writable(self) -> bool:
        """It is."""
        return True


@contextmanager
def copied(name: str) -> Iterator[Tee]:
    """``sys.stdout`` or ``sys.stderr`` by its name, with a copy of what the block writes."""
    old = getattr(sys, name)
    old.flush()
    tee = Tee(old.buffer)
    new = io.TextIOWrapper(
        tee,  # type: ignore[type-var]
        encoding=old.encoding,
        errors=old.errors,
        newline="",
        line_buffering=old.line_buffering,
        write_through=True,
    )
    setattr(sys, name, new)
    try:
        yield tee
    finally:
        setattr(sys, name, old)
        new.flush()
        new.detach()
