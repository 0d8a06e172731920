"""Reads files of a git revision out of the repository: nothing is checked out, no hook, filter or
helper runs, nothing is fetched.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from auditor.errors import ConfigError
from auditor.sources.git import git
from auditor.values import dataclass

_NOTHING_FOUND = 1


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of the repository that holds a folder."""

    root: Path
    """The top of the working tree."""
    commit: str
    name: str
    """As the user named it."""

    @classmethod
    def of(cls, name: str, folder: Path) -> Revision:
        """The revision of that name, in the repository of the folder.

        Raises:
            ConfigError: there is no git, no repository, or no such revision.
        """
        top = git("rev-parse", "--show-toplevel", folder=folder)
        if top.returncode:
            raise ConfigError(f"{folder}: {_said(top)}: {name} is looked for in a git repository")
        root = Path(os.fsdecode(top.stdout.rstrip(b"\n")))
        found = git("rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}", folder=root)
        if found.returncode:
            why = "a shallow clone has the newest commits alone: fetch it first"
            raise ConfigError(f"there is no git revision '{name}' in {root} ({why})")
        return cls(root, found.stdout.decode().strip(), name)

    def named(self, file: Path) -> str:
        """The file as git names it: ``main:k8s/.auditor.yaml``."""
        return f"{self.name}:{self._place(file)}"

    def holds(self, file: Path) -> bool:
        """Whether the file's place is in the repository, whether or not it is there."""
        ways = (_absolute(file), file.parent.resolve() / file.name, file.resolve())
        return any(way.is_relative_to(self.root) for way in ways)

    def content(self, file: Path) -> bytes | None:
        """What was in the file; None where there was none.

        Raises:
            ConfigError: git cannot tell.
        """
        place = self._place(file)
        if next(self._kinds(place), "") != "blob":
            return None
        return self._bytes(place)

    def is_link(self, file: Path) -> bool:
        """Whether the file, or a folder on the way to it, was a symbolic link.

        Raises:
            ConfigError: git cannot tell.
        """
        place = PurePosixPath(self._place(file))
        return any("link" in self._kinds(str(way)) for way in (place, *place.parents))

    def files(self, folder: Path, *, ends: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Every file that was below the folder and whose name ends so, by its path from there.

        Raises:
            ConfigError: git cannot tell.
        """
        below = self._place(folder)
        wanted = [] if below == "." else [f"{below}/"]
        done = self._checked("ls-tree", "-r", "-z", "--name-only", self.commit, "--", *wanted)
        for name in filter(None, os.fsdecode(done).split("\0")):
            if name.endswith(tuple(ends)):
                inside = name if below == "." else name.removeprefix(f"{below}/")
                yield inside, self._bytes(name)

    def write(self, folder: Path, made: Path, *, ends: Sequence[str]) -> None:
        """Write every such file below the folder into `made`.

        Raises:
            ConfigError: git cannot tell.
        """
        for inside, content in self.files(folder, ends=ends):
            if ".." in PurePosixPath(inside).parts:
                raise ConfigError(f"{self.named(folder)}: '{inside}' leads out of its folder")
            file = made / inside
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def mentioning(self, *words: str, ends: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Every file that had one of these words and whose name ends so, by its path from the
        top.

        Raises:
            ConfigError: git cannot tell.
        """
        patterns = [part for word in words for part in ("-e", word)]
        search = ("grep", "-l", "-z", "-I", "-F", "--no-textconv")
        done = git(*search, *patterns, self.commit, folder=self.root)
        if done.returncode > _NOTHING_FOUND:
            raise ConfigError(f"{self.root}: git cannot search {self.name}: {_said(done)}")
        for name in filter(None, os.fsdecode(done.stdout).split("\0")):
            place = name.removeprefix(f"{self.commit}:")
            if place.lower().endswith(tuple(ends)):
                yield place, self._bytes(place)

    def _kinds(self, place: str) -> Iterator[str]:
        """What was at the place: a blob, a tree, or nothing. A symbolic link is none of these."""
        done = self._checked("ls-tree", "-z", self.commit, "--", place)
        for line in filter(None, os.fsdecode(done).split("\0")):
            mode, kind, _ = line.split(" ", 2)
            yield "link" if mode == "120000" else kind

    def _bytes(self, place: str) -> bytes:
        return self._checked("cat-file", "blob", f"{self.commit}:{place}")

    def _checked(self, *arguments: str) -> bytes:
        done = git(*arguments, folder=self.root)
        if done.returncode:
            raise ConfigError(f"{self.root}: git cannot read {self.name}: {_said(done)}")
        return done.stdout

    def _place(self, file: Path) -> str:
        """The path from the top: as it is written, or behind the symbolic links above the root."""
        way = _absolute(file)
        if not way.is_relative_to(self.root):
            way = file.parent.resolve() / file.name
        if not way.is_relative_to(self.root):
            raise ConfigError(f"{file}: is not in the repository {self.root}")
        return str(PurePosixPath(way.relative_to(self.root)))


def _absolute(file: Path) -> Path:
    return Path(os.path.abspath(file))  # noqa: PTH100 - links in it are what git knows


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """What git complained of, in a line."""
    return " ".join(done.stderr.decode("utf-8", "replace").removeprefix("fatal: ").split())
