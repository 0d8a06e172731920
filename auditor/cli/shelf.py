"""Where answers are kept: one file each, in a folder that nobody else may look into."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from auditor.values import dataclass

FORM = 2
DIGITS = 40
"""Of the digest before each entry."""
MOST_BYTES = 128 * 1024 * 1024
"""How much is kept at most; what was not used for the longest time goes first."""
MOST_ENTRIES = 256
PIECE = 1 << 20
"""Bytes that are unpacked at a time."""
_SUFFIX = ".json"
_MADE = ".auditor-"
_OURS = re.compile(rf"[0-9a-f]{{64}}\{_SUFFIX}|\{_MADE}.*")
"""Entries, and what was left of one that could not be written: nothing else is ours to remove."""


class Packer:
    """Packs bytes piece by piece: of a large report there is never more than one piece. Not
    frozen: it holds what has come so far.
    """

    def __init__(self) -> None:
        self._packing = zlib.compressobj(1)
        self._done = bytearray()

    def take(self, data: bytes) -> None:
        """One piece more."""
        self._done += self._packing.compress(data)

    def packed(self) -> bytes:
        """All of them, for `unpacked`. Nothing is taken after that."""
        return bytes(self._done + self._packing.flush())


def unpacked(data: bytes) -> Iterator[bytes]:
    """What was packed, in pieces.

    Raises:
        zlib.error: it was not packed by `Packer`.
    """
    packing = zlib.decompressobj()
    while data and not packing.eof:
        yield packing.decompress(data, PIECE)
        data = packing.unconsumed_tail
    if not packing.eof:
        raise zlib.error("it ends too early")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The folder. A failure to write is no failure of the run; whatever cannot be read as an entry
    of ours is none. Bytes of an entry are packed.
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
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return entry

    def put(self, key: str, entry: dict[str, Any]) -> None:
        """Keep it, in the place of what was there."""
        data = _encoded(entry)
        if len(data) > MOST_BYTES // 4:
            return
        with contextlib.suppress(OSError):
            descriptor, made = tempfile.mkstemp(dir=self.folder, prefix=_MADE)
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
                if _OURS.fullmatch(entry.name):
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
    body = json.dumps({"form": FORM, **_mapped(entry)}).encode()
    return _digest(body) + body


def _digest(body: bytes) -> bytes:
    """Of what was written as a whole, and has not changed since."""
    return hashlib.blake2b(body, digest_size=20).hexdigest().encode()


def _decoded(data: bytes) -> dict[str, Any]:
    digest, body = data[:DIGITS], data[DIGITS:]
    if _digest(body) != digest:
        raise ValueError
    told = json.loads(body)
    if told.pop("form") != FORM:
        raise ValueError
    return {
        **told,
        "out": base64.b64decode(told["out"]),
        "err": base64.b64decode(told["err"]),
        "written": {path: base64.b64decode(text) for path, text in told["written"].items()},
    }


def _mapped(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mapped(inside) for key, inside in value.items()}
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
