"""Writes a file whole, or leaves the one that was there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: Iterable[bytes]) -> None:
    """Put the content in the place of the file, which keeps its permissions; a symbolic link stays
    one. What is no regular file (a pipe, a terminal), what is mounted by itself, and what stands in
    a folder that takes no new file is written as it is.

    Raises:
        OSError: it cannot be written. A file that can be replaced is then as it was.
    """
    target = path.resolve()
    special = target.exists() and not target.is_file()
    if special or os.path.ismount(target) or not os.access(target.parent, os.W_OK):
        with path.open("wb") as file:
            file.writelines(content)
        return
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(content)
        new.chmod(_mode(target))
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """That of the file, or of any new one."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
