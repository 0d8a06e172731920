"""Where answers are kept: one file each, in a folder that nobody else may look into."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORM = 1
MOST_BYTES = 128 * 1024 * 1024
"""How much is kept at most; what was not used for the longest time goes first."""
MOST_ENTRIES = 256
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder. A failure to write is no failure of the run; whatever cannot be read as an entry
    of ours is none.
    """

    folder: Path

    def get(self, key: str) -> dict[str, Any] | None:
        """What was put there under this key."""
        file = self.folder / (key + _SUFFIX)
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as stream:
                if not _is_mine(os.fstat(stream.fileno()), stat.S_ISREG):
                    return None
                entry = _decoded(stream.read())
            os.utime(file)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, zlib.error):
            return None
        return entry

    def put(self, key: str, entry: dict[str, Any]) -> None:
        """Keep it, in the place of what was there."""
        data = _encoded(entry)
        if len(data) > MOST_BYTES // 4:
            return
        with contextlib.suppress(OSError):
            descriptor, made = tempfile.mkstemp(dir=self.folder, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as stream:
                    stream.write(data)
                Path(made).replace(self.folder / (key + _SUFFIX))
            except BaseException:
                Path(made).unlink(missing_ok=True)
                raise
            self._make_room()

    def _make_room(self) -> None:
        used = 0
        for number, (_, size, path) in enumerate(sorted(self._entries(), reverse=True)):
            used += size
            if used > MOST_BYTES or number >= MOST_ENTRIES:
                with contextlib.suppress(OSError):
                    Path(path).unlink()

    def _entries(self) -> Iterator[tuple[int, int, str]]:
        with os.scandir(self.folder) as found:
            for entry in found:
                status = entry.stat(follow_symlinks=False)
                yield status.st_mtime_ns, status.st_size, entry.path


def shelf() -> Shelf | None:
    """The folder, made where it is missing; None where it cannot be used, or is not ours alone."""
    try:
        folder = _place()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except (OSError, RuntimeError):  # a RuntimeError is a home that nobody knows
        return None
    private = not status.st_mode & 0o077
    return Shelf(folder) if private and _is_mine(status, stat.S_ISDIR) else None


def _place() -> Path:
    if named := os.environ.get("AUDITOR_CACHE_DIR"):
        return Path(named)
    if sys.platform == "darwin":
        return Path("~/Library/Caches/auditor").expanduser()
    around = os.environ.get("XDG_CACHE_HOME", "")
    return Path(around if Path(around).is_absolute() else "~/.cache").expanduser() / "auditor"


def _is_mine(status: os.stat_result, kind: Any) -> bool:
    return bool(kind(status.st_mode)) and status.st_uid == os.geteuid()


def _encoded(entry: dict[str, Any]) -> bytes:
    return json.dumps({"form": FORM, **_mapped(entry, _packed)}).encode()


def _decoded(data: bytes) -> dict[str, Any]:
    told = json.loads(data)
    if told.pop("form") != FORM:
        raise ValueError
    return {
        **told,
        "out": _unpacked(told["out"]),
        "err": _unpacked(told["err"]),
        "written": {path: _unpacked(text) for path, text in told["written"].items()},
    }


def _mapped(value: Any, made: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(inside, made) for key, inside in value.items()}
    return made(value) if isinstance(value, bytes) else value


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 1)).decode()


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
