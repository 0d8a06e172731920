"""Writes the files of a Git revision into a folder, so that they can be audited like any others.

The blobs are read as they are stored: nothing is checked out, so that no hook, no filter and no
attribute of the repository has a say (an ``export-ignore`` would hide a manifest), nothing is
fetched, and the repository stays as it is.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from auditor.errors import UsageError
from auditor.model import Gap, Unseen
from auditor.sources.git import command, environment, git
from auditor.values import dataclass

MOST_BYTES = 1024 * 1024 * 1024
"""How large all files of a revision may be together."""
_LINK, _MODULE = "120000", "160000"


@dataclass(frozen=True, slots=True)
class Revision:
    """A folder or a file as a commit has it."""

    commit: str
    """Its hash."""
    path: str
    """From the root of the repository, with forward slashes; empty for all of it."""


def revision(text: str) -> Revision | None:
    """What ``REV`` or ``REV:PATH`` means in the repository of the current folder, read as Git does:
    from its root, unless PATH begins with ``./``. None where there is no such revision.
    """
    name, colon, path = text.partition(":")
    if not name or name.startswith("-"):
        return None
    told = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if told is None:
        return None
    if colon and (path == "." or path.startswith(("./", "../"))):
        prefix = (_git("rev-parse", "--show-prefix") or b"").decode(errors="surrogateescape")
        path = os.path.normpath(prefix.strip("\n") + path)
    return Revision(told.decode().strip(), path.strip("/").removeprefix("."))


def extract(revision: Revision, folder: Path) -> tuple[Gap, ...]:
    """Write its files below `folder`, and tell what could not be had.

    Raises:
        UsageError: the commit has no such path, or its files are too large.
    """
    entries = list(_entries(revision))
    if not entries:
        raise UsageError(f"commit {revision.commit[:12]} has no '{revision.path}'")
    if sum(entry.size for entry in entries) > MOST_BYTES:
        raise UsageError(f"commit {revision.commit[:12]}: more than {MOST_BYTES} bytes of files")
    gaps = [_gap(entry.path, "it is a submodule") for entry in entries if entry.mode == _MODULE]
    blobs = [entry for entry in entries if entry.mode != _MODULE]
    # Links come last: no file can be written through one. Another link could: `_written` looks.
    ordered = sorted(blobs, key=lambda entry: entry.mode == _LINK)
    for entry, data in zip(ordered, _contents(ordered), strict=True):
        if data is None:
            gaps.append(_gap(entry.path, "the repository does not hold it"))
        elif not _written(folder, entry, data):
            gaps.append(_gap(entry.path, "no file can have this name here"))
    return tuple(gaps)


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    blob: str
    size: int
    path: str


def _entries(revision: Revision) -> Iterator[_Entry]:
    wanted = ["--", revision.path] if revision.path else []
    listed = _git("ls-tree", "-r", "-l", "-z", "--full-tree", revision.commit, *wanted)
    for line in (listed or b"").split(b"\0"):
        about, _, path = line.partition(b"\t")
        if path:
            mode, _, blob, size = about.decode().split()
            number = int(size) if size.isdecimal() else 0
            yield _Entry(mode, blob, number, os.fsdecode(path))


def _contents(entries: Sequence[_Entry]) -> Iterator[bytes | None]:
    """The blobs, one after the other, by one process."""
    if not entries:
        return
    with subprocess.Popen(  # noqa: S603 - a list, to a program that we chose
        command("cat-file", "--batch"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        env=environment(),
    ) as process:  # fmt: skip
        assert process.stdin
        assert process.stdout
        for entry in entries:
            process.stdin.write(f"{entry.blob}\n".encode())
            process.stdin.flush()
            head = process.stdout.readline().split()
            if len(head) == 3 and head[1] == b"blob":
                yield process.stdout.read(int(head[2]) + 1)[:-1]
            else:
                yield None


def _written(folder: Path, entry: _Entry, data: bytes) -> bool:
    """Whether the file could be written below the folder, and nowhere else."""
    path = PurePosixPath(entry.path)
    if path.is_absolute() or not {"..", ".git", ""}.isdisjoint(path.parts):
        return False
    target = folder / path
    above = target.parents[: len(path.parts) - 1]
    if any(parent.is_symlink() for parent in above):
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode == _LINK:
            target.symlink_to(os.fsdecode(data))
        else:
            with target.open("xb") as file:
                file.write(data)
    except (OSError, ValueError):
        return False
    return True


def _gap(path: str, why: str) -> Gap:
    return Gap(path, f"it could not be read from Git: {why}", Unseen.INCOMPLETE, ("*",))


def _git(*arguments: str) -> bytes | None:
    """What the command writes; None where it fails."""
    done = git(*arguments)
    return done.stdout if done.returncode == 0 else None
