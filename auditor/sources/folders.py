"""Finds the files that a path means: a file, a folder with all below it, or a pattern."""

from __future__ import annotations

import difflib
import glob
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import field
from functools import lru_cache
from pathlib import Path

from auditor.errors import UsageError
from auditor.model import Gap, Unseen
from auditor.sources.hidden import may_hold_manifests, unaudited
from auditor.values import dataclass

STDIN = "-"
SUFFIXES = (".yaml", ".yml", ".json")
_SKIPPED = frozenset(("node_modules", "__pycache__"))
_PATTERN = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class File:
    """A file to read."""

    path: str
    named: bool
    """The user named it, and not a folder above it."""

    @property
    def uri(self) -> str:
        """The path as the user named it, with forward slashes; what is no text is escaped."""
        if self.path == STDIN:
            return "<stdin>"
        return shown(self.path)


def files_of(paths: tuple[str, ...]) -> Iterator[File | Gap]:
    """Every file that the paths mean, once each, in their order; folders are sorted. A gap for
    what cannot be read, and for each hidden folder with manifests that no path means.

    Raises:
        UsageError: a path does not exist.
    """
    walk = _Walk()
    for path in paths:
        for one in matches(path):
            yield from walk.named(one)
    yield from walk.left_out()


def real_paths(paths: Iterable[str]) -> Iterator[str]:
    """The real path of each, as `os.path.realpath` tells it; each folder is looked up once."""
    known: dict[str, str] = {}
    for path in paths:
        folder, name = os.path.split(path)
        if name in {"", ".", ".."} or os.path.islink(path):  # noqa: PTH114 - 10 times as fast
            yield os.path.realpath(path)
            continue
        if folder not in known:
            known[folder] = os.path.realpath(folder)
        yield os.path.join(known[folder], name)  # noqa: PTH118 - 10 times as fast


def matches(path: str) -> list[str]:
    """The path itself, or what it means as a pattern that the shell left alone."""
    if path == STDIN or os.path.lexists(path):
        return [path]
    if not _PATTERN & set(path):
        raise UsageError(f"'{path}' does not exist{_meant(path)}")
    found = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute one
    if not found:
        raise UsageError(f"nothing matches '{path}'")
    return found


def _meant(path: str) -> str:
    folder, name = os.path.split(path)
    try:
        names = [entry.name for entry in Path(folder).iterdir()]
    except OSError:
        return ""
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean '{Path(folder, close[0]).as_posix()}'?" if close else ""


@dataclass(slots=True)
class _Walk:
    """What was seen so far, so that nothing is read twice and no loop is followed."""

    files: set[tuple[int, int]] = field(default_factory=set)
    folders: set[tuple[int, int]] = field(default_factory=set)
    hidden: list[str] = field(default_factory=list)

    def named(self, path: str) -> Iterator[File | Gap]:
        if path == STDIN:
            yield File(path, named=True)
            return
        try:
            status = Path(path).stat()
        except OSError as error:
            yield _unread(path, error)
            return
        if stat.S_ISDIR(status.st_mode):
            yield from self._below(path)
        elif _first(self.files, status):
            yield File(path, named=True)

    def left_out(self) -> Iterator[Gap]:
        """The hidden folders that were not walked in the end, as far as they hold manifests."""
        for path in self.hidden:
            try:
                is_new = _first(self.folders, Path(path).stat())
            except OSError as error:
                yield _unread(path, error)
                continue
            gap = unaudited(path, shown(path), SUFFIXES) if is_new else None
            if gap:
                yield gap

    def _below(self, root: str) -> Iterator[File | Gap]:
        """A whole folder. Links come after all else: most lead to what is there anyway."""
        inside = os.path.realpath(root)
        links: list[str] = []
        yield from self._folder(root, links)
        while links:
            yield from self._link(links.pop(0), inside, links)

    def _folder(self, path: str, links: list[str]) -> Iterator[File | Gap]:
        try:
            if not _first(self.folders, Path(path).stat()):
                return
            with os.scandir(path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            yield _unread(path, error)
            return
        for entry in entries:
            yield from self._entry(entry, links)

    def _entry(self, entry: os.DirEntry[str], links: list[str]) -> Iterator[File | Gap]:
        if entry.is_symlink():
            if _is_manifest(entry.name) or not entry.name.startswith("."):
                links.append(entry.path)
        elif entry.is_dir():
            if not entry.name.startswith(".") and entry.name not in _SKIPPED:
                yield from self._folder(entry.path, links)
            elif may_hold_manifests(entry.name):
                self.hidden.append(entry.path)
        elif _is_manifest(entry.name):
            yield from self._file(entry.path)

    def _file(self, path: str) -> Iterator[File | Gap]:
        try:
            status = os.stat(path)  # noqa: PTH116 - a third of the time
        except OSError as error:
            yield _unread(path, error)
            return
        if not stat.S_ISREG(status.st_mode):
            yield Gap(shown(path), "it is no regular file", Unseen.INCOMPLETE, ("*",))
        elif _first(self.files, status):
            yield File(path, named=False)

    def _link(self, path: str, inside: str, links: list[str]) -> Iterator[File | Gap]:
        target = os.path.realpath(path)
        is_folder = Path(target).is_dir()
        if not is_folder and not _is_manifest(path):
            return
        if not Path(target).exists():
            why = "a symbolic link that leads nowhere"
        elif os.path.commonpath((inside, target)) != inside:
            why = f"a symbolic link that leaves the folder, to {target}: name it to audit it"
        else:
            yield from self._folder(path, links) if is_folder else self._file(path)
            return
        yield Gap(shown(path), why, Unseen.INCOMPLETE, ("*",))


def _is_manifest(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) or name == "Kustomization"


def _first(seen: set[tuple[int, int]], status: os.stat_result) -> bool:
    """Whether this file was not seen before."""
    identity = (status.st_dev, status.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def shown(path: str) -> str:
    """A path with forward slashes; what is no text is escaped. Each folder is looked at once."""
    folder, name = os.path.split(path)
    if not folder or name in {"", ".", ".."}:
        return _shown(path)
    above = _shown(folder)
    start = "" if above == "." else above if above.endswith("/") else f"{above}/"
    return f"{start}{_as_text(name)}"


@lru_cache(maxsize=256)
def _shown(path: str) -> str:
    return _as_text(Path(path).as_posix())


def _as_text(name: str) -> str:
    return name if name.isascii() else name.encode("utf-8", "backslashreplace").decode()


def _unread(path: str, error: OSError) -> Gap:
    why = f"it could not be read: {error.strerror or error}"
    return Gap(shown(path), why, Unseen.INCOMPLETE, ("*",))
