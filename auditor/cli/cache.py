"""Remembers what `auditor audit` said of files, so that the same question costs next to nothing.

An answer is found in two steps. The first key is of what is known before anything is read: the
parameters, the environment, the day, the program itself. What is found under it names every file
that was read and every folder that was listed, with a digest of each; where all of them are what
they were, the answer is the one that was given. Decision 0007 has the reasons.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from auditor import __version__
from auditor.cli.shelf import PIECE, Packer, Shelf, shelf, unpacked
from auditor.cli.tee import copied
from auditor.cli.trace import Trace, traced
from auditor.declared import TRIVY_PLAIN, TRIVY_STRUCTURED
from auditor.terms import CHART, CONFIGURATION, KUSTOMIZATIONS
from auditor.values import dataclass

SESSION = frozenset(
    ("_", "OLDPWD", "PWD", "SHLVL", "SSH_AGENT_PID", "SSH_AUTH_SOCK", "SSH_CLIENT",
     "SSH_CONNECTION", "SSH_TTY", "STY", "TERM_SESSION_ID", "TMUX", "TMUX_PANE", "WINDOW",
     "WINDOWID", "XDG_SESSION_ID", "XDG_VTNR")
)  # fmt: skip
"""Variables that name a session and change no answer; any other may."""
BUILDS = frozenset((CHART, "Chart.yml", *KUSTOMIZATIONS))
"""Files that have a program build what is audited. What that reads, nobody tells us."""
COARSE = 10_000_000
"""Nanoseconds by which the time of a file may be behind."""


def remembered(command: Callable[..., int]) -> Callable[..., int]:
    """Give the answer of an earlier run where nothing has changed since. Takes the parameter
    `no_cache`; the command has `paths` and `cluster`.
    """

    @functools.wraps(command)
    def asked(*, no_cache: bool, **given: Any) -> int:
        if no_cache or given["cluster"] or not given["paths"] or "-" in given["paths"]:
            return command(**given)
        kept = shelf()
        if kept is None or not all(
            hasattr(stream, "buffer") for stream in (sys.stdout, sys.stderr)
        ):
            return command(**given)
        try:
            key = first_key()
        except OSError:  # the current folder is gone
            return command(**given)
        found = _found(kept, key)
        if found is not None and _given(found):
            return int(found["code"])
        return _kept(kept, key, functools.partial(command, **given), given["paths"])

    return asked


def first_key() -> str:
    """A digest of what is known before a file is read. All parameters of the command count,
    whatever they are called.
    """
    context = click.get_current_context()
    today = (time.strftime("%Y-%m-%d", time.gmtime()), time.strftime("%Y-%m-%d"))
    told = (
        sorted((name, repr(value)) for name, value in context.params.items()),
        sorted((name, repr(value)) for name, value in context.meta.items()),
        sys.argv[1:],
        str(Path.cwd()),
        sorted((name, value) for name, value in os.environ.items() if name not in SESSION),
        today,
        _screen(),
        _program(),
    )
    return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()


def _screen() -> tuple[object, ...]:
    try:
        width = os.get_terminal_size(sys.stdout.fileno()).columns if sys.stdout.isatty() else 0
    except (OSError, ValueError):
        width = 0
    streams = (sys.stdout, sys.stderr)
    return width, [(s.isatty(), s.encoding, s.errors) for s in streams]


def _program() -> list[object]:
    """What runs: our code and policies by name, size and time, and every place that Python takes
    modules from, whose time changes with whatever is installed there.
    """
    here = Path(__file__).parents[1]
    folders = [here, here.parent / "policies"]
    code = [_state(file) for folder in folders for file in sorted(_files(str(folder)))]
    # Of an editable checkout, whatever is not code may change.
    places = [_state(place) for place in sys.path if Path(place) != here.parent]
    return [__version__, sys.version, sys.executable, code, places]


def _files(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    yield from _files(entry.path) if entry.name != "__pycache__" else ()
                else:
                    yield entry.path
    except OSError:
        return


def _state(path: str) -> tuple[object, ...]:
    try:
        status = Path(path).stat()
    except OSError:
        return (path,)
    return path, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, slots=True)
class _Said:
    """What a run wrote, packed, and how it ended."""

    code: int
    out: bytes
    err: bytes


def _kept(kept: Shelf, key: str, command: Callable[[], int], paths: tuple[str, ...]) -> int:
    """Run the command and keep what it says, if it can be told what that depends on."""
    began = time.time_ns() - COARSE
    with traced() as trace, copied("stdout") as out, copied("stderr") as err:
        code = command()
        sys.stdout.flush()
        sys.stderr.flush()
    # A moving sign of progress is not to be shown again.
    told = Packer() if sys.stderr.isatty() else err
    said = _Said(code, out.packed(), told.packed())
    entry = _entry(trace, said, began, paths)
    if entry is not None:
        kept.put(key, entry)
    return code


def _entry(trace: Trace, said: _Said, began: int, paths: tuple[str, ...]) -> dict[str, Any] | None:
    if trace.elsewhere or any(os.path.basename(p) in BUILDS for p in trace.read):  # noqa: PTH119
        return None
    if any(_is_younger(path, began) for path in (*trace.read, *trace.listed)):
        return None
    there = [path for path in trace.written if path != os.devnull and Path(path).exists()]
    if not all(Path(path).is_file() for path in there):
        return None  # a pipe gives nothing back
    written = {path: _contents(path) for path in there}
    if any(text is None for text in written.values()):
        return None
    return {
        "files": {path: file_digest(path) for path in trace.read},
        "folders": {path: folder_digest(path) for path in trace.listed},
        "absent": {path: _is_there(path) for path in _on_the_way(paths)},
        "code": said.code,
        "out": said.out,
        "err": said.err,
        "written": written,
    }


def _is_younger(path: str, began: int) -> bool:
    """Whether the file may have changed after it was read, or is none that can be read twice."""
    try:
        status = Path(path).stat()
    except OSError:
        return False
    usual = stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)
    return not usual or status.st_ctime_ns >= began


def _contents(path: str) -> bytes | None:
    """Packed."""
    packer = Packer()
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            while piece := file.read(PIECE):
                packer.take(piece)
    except OSError:
        return None
    return packer.packed()


def _is_there(path: str) -> bool:
    """Whether something is there; in a folder that may not be looked into, nothing is."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def _on_the_way(paths: tuple[str, ...]) -> Iterator[str]:
    """Where a configuration and the files of Trivy beside it are looked for, or where the search
    ends: they may be there one day.
    """
    for start in {Path.cwd(), *(Path(path).absolute() for path in paths)}:
        resolved = start.resolve()
        for folder in {start, resolved, *start.parents, *resolved.parents}:
            for name in (CONFIGURATION, TRIVY_PLAIN, TRIVY_STRUCTURED, ".git", CHART):
                yield str(folder / name)


def _found(kept: Shelf, key: str) -> dict[str, Any] | None:
    """The entry under the key, if all that it depends on is as it was."""
    entry = kept.get(key)
    if entry is None:
        return None
    try:
        same = (
            all(_is_there(path) is there for path, there in entry["absent"].items())
            and all(folder_digest(path) == told for path, told in entry["folders"].items())
            and all(file_digest(path) == told for path, told in entry["files"].items())
        )
    except (KeyError, TypeError, AttributeError, ValueError):
        return None
    return entry if same else None


def _given(entry: dict[str, Any]) -> bool:
    """Write again what was written; False where a file cannot be, so that the run says why."""
    try:
        for path, packed in entry["written"].items():
            with open(path, "wb") as file:  # noqa: PTH123
                file.writelines(unpacked(packed))
    except OSError:
        return False
    for stream, packed in ((sys.stdout, entry["out"]), (sys.stderr, entry["err"])):
        stream.flush()
        stream.buffer.writelines(unpacked(packed))
        stream.flush()
    return True


def file_digest(path: str) -> str:
    """What is in a file; what it is, where that cannot be read."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            return "no file"
        data = Path(path).read_bytes()
    except OSError as error:
        return f"error {error.errno}"
    # Of two names of one file, the second is not read.
    same = f"{status.st_dev} {status.st_ino} " if status.st_nlink > 1 else ""
    return same + hashlib.blake2b(data, digest_size=20).hexdigest()


def folder_digest(path: str) -> str:
    """What a folder lists, and what its entries are."""
    try:
        with os.scandir(path) as entries:
            rows = sorted(_row(entry) for entry in entries)
    except OSError as error:
        return f"error {error.errno}"
    return hashlib.blake2b(json.dumps(rows).encode(), digest_size=20).hexdigest()


def _row(entry: os.DirEntry[str]) -> tuple[str, bool, bool, str]:
    leads = os.path.realpath(entry.path) if entry.is_symlink() else ""
    return entry.name, entry.is_dir(), entry.is_file(), leads
