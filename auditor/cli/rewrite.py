"""Writes edited files: all of them, or none; where one cannot be put back, that is told."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from auditor.errors import WriteError


def rewrite(edited: Mapping[str, tuple[str, str]]) -> None:
    """Put the new text of each file in its place, with the permissions that the file had.

    Every file is written beside its place first, and only then do all of them move there; a
    symbolic link stays one, and the file it leads to changes.

    Raises:
        WriteError: a file cannot be written, or is no longer what was audited.
    """
    with ExitStack() as stack:
        ready = {
            target: _beside(target, before, after, stack)
            for target, before, after in (
                (Path(uri).resolve(), before, after) for uri, (before, after) in edited.items()
            )
        }
        texts = {Path(uri).resolve(): text for uri, text in edited.items()}
        done: list[Path] = []
        for target, new in ready.items():
            try:
                new.replace(target)
            except OSError as error:
                left = [path for path in done if not _put_back(path, *texts[path])]
                what = f"changed all the same: {', '.join(map(str, left))}"
                why = what if left else "no file was changed"
                raise WriteError(f"{_unwritable(target, error)}; {why}") from error
            done.append(target)


def _put_back(target: Path, before: str, after: str) -> bool:
    """Whether the file has its old text again."""
    try:
        with ExitStack() as stack:
            _beside(target, after, before, stack).replace(target)
    except (OSError, WriteError):
        return False
    return True


def _beside(target: Path, before: str, after: str, stack: ExitStack) -> Path:
    """A complete file beside `target`, that goes away again unless it moves there."""
    try:
        if target.read_bytes() != before.encode():
            raise WriteError(f"{target} has changed since it was audited: run the command again")
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        new = Path(name)
        stack.callback(new.unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(after.encode())
        new.chmod(target.stat().st_mode & 0o7777)
    except OSError as error:
        raise _unwritable(target, error) from error
    return new


def _unwritable(target: Path, error: OSError) -> WriteError:
    return WriteError(f"{target}: {error.strerror or error}")
