"""What `auditor diff` compares: each side as a report, whatever it was read from."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import ConfigError, NothingToAuditError, UsageError
from auditor.terms import REPORT

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.model import Audit, Gap, Snapshot

GIT = "git:"
_HEAD = 512


@dataclass(frozen=True, slots=True)
class Side:
    """One of two states."""

    name: str
    """As it was asked for."""
    report: dict[str, Any]
    """As `auditor audit --format json` writes it."""
    audit: Audit | None = None
    """None where it is a saved report."""


def side(name: str, chosen: Chosen) -> Side:
    """The state of that name: a file or a folder that `auditor audit` takes, a saved report, or a
    revision of Git (``git:REV[:PATH]``; without ``git:`` where no such path exists).

    Raises:
        UsageError: it is none of them. ConfigError: a saved report cannot be read.
    """
    saved = _saved(name)
    if saved is not None:
        return Side(name, saved)
    from auditor.audit import audit
    from auditor.reporters.discreet import discreet
    from auditor.reporters.json import document

    snapshot = _snapshot(name)
    found = discreet(audit(snapshot, chosen.bench, chosen.judging(snapshot)))
    return Side(name, document(found, (name,)), found)


def _saved(name: str) -> dict[str, Any] | None:
    """The report, where the file is one."""
    import orjson

    file = Path(name)
    if name.startswith(GIT) or not file.is_file():
        return None
    try:
        with file.open("rb") as text:
            if file.suffix != ".json" and b'"auditor/' not in text.read(_HEAD):
                return None
        report = orjson.loads(file.read_bytes())
    except (OSError, ValueError):
        return None  # whoever audits it tells what is wrong with it
    if not isinstance(report, dict) or not str(report.get("format", "")).startswith("auditor/"):
        return None
    if report["format"] != REPORT:
        raise ConfigError(f"{name}: format is '{report['format']}', expected '{REPORT}'")
    return report


def _snapshot(name: str) -> Snapshot:
    if not name.startswith(GIT) and os.path.lexists(name):
        return _of_path(name)
    from auditor.sources.revisions import extract, revision

    found = revision(name.removeprefix(GIT))
    if found is None:
        what = "no revision of the repository here"
        raise UsageError(
            f"'{name}' is {what}" if name.startswith(GIT) else f"'{name}' is no path and {what}"
        )
    with tempfile.TemporaryDirectory(prefix="auditor-") as scratch:
        gaps = extract(found, Path(scratch))
        with contextlib.chdir(scratch):
            return _with_gaps(_read(found.path or "."), gaps)


def _of_path(name: str) -> Snapshot:
    """Named from here where it is below this folder, else from itself."""
    path = Path(name).absolute()
    here = Path.cwd()
    if path.is_relative_to(here):
        return _read(str(path.relative_to(here)))
    folder, inside = (path, ".") if path.is_dir() else (path.parent, path.name)
    with contextlib.chdir(folder):
        return _read(inside)


def _read(path: str) -> Snapshot:
    """The snapshot; an empty one where there is nothing: then all of the other side is new."""
    from auditor.cli.options import read
    from auditor.model import Snapshot

    try:
        return read((path,))
    except NothingToAuditError:
        return Snapshot(())


def _with_gaps(snapshot: Snapshot, gaps: tuple[Gap, ...]) -> Snapshot:
    return replace(snapshot, gaps=(*gaps, *snapshot.gaps))
