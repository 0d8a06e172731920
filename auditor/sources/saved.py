"""A cluster in a file: written by `auditor snapshot`, read again as if it were the cluster.

The file is gzip of lines of JSON (UTF-8). The first line says what it is (`Header`); each line
after it is one object, ``{"uri": …, "manifest": …}`` with what else is known of its origin; so many
as the header says, that a file which lost its end is known. There is no credential in it: none is
left in what is read from a cluster (`auditor.credentials`), and Secrets are not read at all.

Nothing in the file is believed: it is unpacked within `MOST_BYTES`, and every type is looked at.
"""

from __future__ import annotations

import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, get_type_hints

import orjson

from auditor import __version__
from auditor.credentials import Cleaning
from auditor.errors import SnapshotError, WriteError
from auditor.manifests import mapping
from auditor.memory import collector_paused
from auditor.model import Gap, Origin, Ref, Resource, Server, Snapshot
from auditor.sources.rendered import Rendered
from auditor.values import dataclass

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT = "auditor-snapshot/1"
MOST_BYTES = 1 << 30
"""How much a file may hold once it is unpacked: a hundred thousand pods, and no bomb."""
LONGEST_LINE = 1 << 26
_GZIP = b"\x1f\x8b"
_BEGINNING = re.compile(rb'\s*\{\s*"format"\s*:\s*"auditor-snapshot/')
_OF_OUR_OWN = frozenset(("uri", "lines", "prefix", "live"))
"""What the file need not tell of an origin, or tells in its own way."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a file."""

    format: str
    auditor: str
    """The version that wrote it."""
    server: Server
    gaps: tuple[Gap, ...]
    objects: int
    """How many lines follow."""


def is_saved(path: Path) -> bool:
    """Whether the file begins as a snapshot does, packed or not, whatever its name."""
    try:
        with path.open("rb") as file:
            if file.read(2) == _GZIP:
                file.seek(0)
                with gzip.GzipFile(fileobj=file) as unpacked:
                    return bool(_BEGINNING.match(unpacked.read(80)))
            file.seek(0)
            return bool(_BEGINNING.match(file.read(80)))
    except (OSError, EOFError, zlib.error):
        return False


def save(snapshot: Snapshot, path: Path) -> None:
    """Write the snapshot of a cluster: whole, or not at all; for its owner alone to read.

    Raises:
        WriteError: it cannot be written there.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file, gzip.GzipFile("", "wb", 6, file, 0) as packed:
                packed.writelines(_lines(snapshot))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise WriteError(f"{path}: {error.strerror or error}") from error


def _lines(snapshot: Snapshot) -> Iterator[bytes]:
    assert snapshot.server is not None
    count = len(snapshot.resources)
    header = Header(FORMAT, __version__, snapshot.server, snapshot.gaps, count)
    yield orjson.dumps(header, default=_listed, option=orjson.OPT_APPEND_NEWLINE)
    for resource in snapshot.resources:
        origin = resource.origin
        more = {name: getattr(origin, name) for name in _further()}
        line = {"uri": origin.uri, "manifest": resource.manifest, "origin": more}
        options = orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
        yield orjson.dumps(line, default=_listed, option=options)


def _listed(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(type(value).__name__)


def load(path: Path) -> Snapshot:
    """The snapshot that was saved.

    Raises:
        SnapshotError: the file is none, of another version, cut off, too large or wrong in itself.
    """
    try:
        with path.open("rb") as file, collector_paused():
            packed = file.read(2) == _GZIP
            file.seek(0)
            if not packed:
                return _read(file)
            with gzip.GzipFile(fileobj=file) as unpacked:
                return _read(unpacked)
    except _WrongError as error:
        raise SnapshotError(f"{path}: {error}") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SnapshotError(f"{path}: it is cut off or damaged: {error}") from error
    except OSError as error:
        raise SnapshotError(f"{path}: it cannot be read: {error.strerror or error}") from error


class _WrongError(Exception):
    """What is wrong with the file."""


def _read(file: IO[bytes] | gzip.GzipFile) -> Snapshot:
    numbered = enumerate(_bounded(file), 1)
    header = _header(next(numbered, (1, b""))[1])
    cleaning = Cleaning()
    resources = [_resource(number, line, cleaning) for number, line in numbered]
    if len(resources) != header.objects:
        why = f"it says that it has {header.objects} objects, and has {len(resources)}"
        raise _WrongError(f"it is cut off or damaged: {why}")
    return Snapshot(tuple(resources), header.gaps, header.server)


def _bounded(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    left = MOST_BYTES
    while line := file.readline(LONGEST_LINE + 1):
        left -= len(line)
        if left < 0 or len(line) > LONGEST_LINE:
            raise _WrongError(f"unpacked it is larger than {MOST_BYTES >> 20} MB, or one line is")
        yield line


def _header(line: bytes) -> Header:
    found = _parsed(1, line)
    form = found.get("format")
    if form != FORMAT:
        raise _WrongError(f"its format is '{str(form)[:60]}', and this version reads '{FORMAT}'")
    header: Header = _typed("line 1", Header, found)
    return header


def _parsed(number: int, line: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _WrongError(f"line {number} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise _WrongError(f"line {number} is no mapping")
    return found


def _resource(number: int, line: bytes, cleaning: Cleaning) -> Resource:
    found = _parsed(number, line)
    uri, manifest = found.get("uri"), found.get("manifest")
    if not isinstance(uri, str) or not uri.startswith("cluster/"):
        raise _WrongError(f"line {number}: uri is no path of a live object")
    if not isinstance(manifest, dict):
        raise _WrongError(f"line {number}: manifest is no mapping")
    clean = cleaning.of(manifest)
    ref = _ref(number, clean, namespaced=not uri.startswith("cluster/_cluster/"))
    given = mapping(found.get("origin"))
    more = {
        name: _typed(f"line {number}: origin.{name}", kind, given[name])
        for name, kind in _further().items()
        if name in given
    }
    return Resource(ref, clean, Origin(uri, Rendered(uri, clean), live=True, **more))


def _ref(number: int, manifest: Mapping[str, Any], *, namespaced: bool) -> Ref:
    metadata = mapping(manifest.get("metadata"))
    given = (manifest.get("apiVersion"), manifest.get("kind"), metadata.get("name", ""))
    namespace = metadata.get("namespace", "") if namespaced else ""
    api_version, kind, name = given
    if not all(isinstance(text, str) for text in (*given, namespace)) or not (api_version and kind):
        raise _WrongError(f"line {number}: it has no apiVersion, kind, name and namespace of texts")
    return Ref(str(api_version), str(kind), str(namespace), str(name))


@cache
def _further() -> Mapping[str, Any]:
    """What else an origin says: each field with its type."""
    hints = get_type_hints(Origin)
    return {f.name: hints[f.name] for f in fields(Origin) if f.name not in _OF_OUR_OWN}


def _typed(where: str, kind: Any, value: Any) -> Any:
    """The value as one of that type, strictly.

    Raises:
        _WrongError: it is none.
    """
    from pydantic import ValidationError

    try:
        return _validated(kind, orjson.dumps(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise _WrongError(f"{where}: {f'{field}: ' if field else ''}{first['msg']}") from error


@lru_cache(maxsize=1024)
def _validated(kind: Any, text: bytes) -> Any:
    """The same for what stands there in JSON. Most objects say the same of their origin."""
    return _adapter(kind).validate_json(text, strict=True)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)
