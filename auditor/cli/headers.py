"""The names of files in a diff, such that `git apply` and `patch` find them from one folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path


def base_of(uris: Sequence[str]) -> Path:
    """The folder where the diff of these files is applied: the current one; where a path leads out
    of it with `..`, the top of the repository, or else the nearest folder that all are in.
    """
    here = Path.cwd()
    files = [_whole(uri) for uri in uris if not Path(uri).is_absolute()]
    outside = [file for file in files if not file.is_relative_to(here)]
    if not outside:
        return here
    common = Path(os.path.commonpath([here, *(file.parent for file in outside)]))
    return next(_tops(common), common)


def headed(uri: str, base: Path) -> str:
    """How the header of a diff for `base` names the file; one elsewhere keeps its name."""
    file = _whole(uri)
    return file.relative_to(base).as_posix() if file.is_relative_to(base) else uri


def _whole(uri: str) -> Path:
    return Path(os.path.normpath(Path.cwd() / uri))


def _tops(folder: Path) -> Iterator[Path]:
    """The top of the repository around a folder."""
    yield from (one for one in (folder, *folder.parents) if (one / ".git").exists())
