"""What `auditor diff` compares: each side as a report, whatever it was read from."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.errors import ConfigError, NothingToAuditError, UsageError
from auditor.terms import REPORT
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.model import Audit
    from auditor.sources.building import Building
    from auditor.sources.revisions import Revision
    from auditor.sources.variants import Variant

Found = tuple["Variant", ...]

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
    nothing: str = ""
    """Why there is nothing in it to be judged, where there is not."""


def side(name: str, chosen: Chosen, head: str) -> Side:
    """The state of that name: a file or a folder that `auditor audit` takes, a saved report, or a
    revision of Git (``git:REV[:PATH]``; without ``git:`` where no such path exists). What `chosen`
    declares of the charts of `head` holds for those in the same place here.

    Raises:
        UsageError: it is none of them. ConfigError: a saved report cannot be read.
    """
    saved = _saved(name)
    if saved is not None:
        return Side(name, saved)
    from auditor.cli.judged import judged
    from auditor.cli.scope import check_scope
    from auditor.reporters.discreet import discreet
    from auditor.reporters.json import document

    found = read_side(name, chosen.building, head)
    nothing = ""
    if not any(one.snapshot.resources or one.snapshot.gaps for one in found):
        nothing = f"no Kubernetes object in {name}"
    else:
        try:
            check_scope(found, chosen)
        except NothingToAuditError as error:
            nothing = f"{name}: {error}"
    answer = discreet(judged(found, chosen).answers.merged())
    return Side(name, document(answer, (name,)), answer, nothing)


def read_side(name: str, building: Building, head: str) -> Found:
    """The states of that name, unjudged; an empty one where there is nothing. `building` is
    declared of `head`.

    Raises:
        UsageError: it is neither a path nor a revision.
    """
    return _variants(name, _like(building, head, name))


def knowing(before: Side, chosen: Chosen) -> Chosen:
    """What HEAD is judged with: it knows what held personal data before. A saved report does not
    tell that.
    """
    from auditor.facts import facts_of
    from auditor.facts.holdings import held

    if before.audit is None:
        return chosen
    known = held(facts_of(before.audit.snapshot, chosen.settings))
    return replace(chosen, settings=replace(chosen.settings, held=known))


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


def _like(building: Building, head: str, name: str) -> Building:
    """The declarations, which are those of HEAD: where both are folders, for this one."""
    from auditor.cli.declared import moved

    if name == head or not (Path(head).is_dir() and Path(name).is_dir()):
        return building
    old, new = Path(head).resolve(), Path(name).resolve()
    while old.name == new.name and old != new:  # what is declared may stand further up
        old, new = old.parent, new.parent
    return moved(building, str(old), str(new))


def _variants(name: str, building: Building) -> Found:
    if not name.startswith(GIT) and os.path.lexists(name):
        return _of_path(name, building)
    from auditor.sources.revisions import revision

    found = revision(name.removeprefix(GIT))
    if found is None:
        what = "no revision of the repository here"
        raise UsageError(
            f"'{name}' is {what}" if name.startswith(GIT) else f"'{name}' is no path and {what}"
        )
    return _of_revision(found, building)


def _of_revision(found: Revision, building: Building) -> Found:
    """As its own files have it, those that charts are declared to be rendered with among them."""
    from auditor.cli.declared import moved
    from auditor.sources.charts import repository
    from auditor.sources.revisions import extract

    top = os.path.realpath(repository(str(Path.cwd())) or Path.cwd())
    with tempfile.TemporaryDirectory(prefix="auditor-") as scratch:
        gaps = extract(found, Path(scratch))
        building = moved(building, top, os.path.realpath(scratch))
        with contextlib.chdir(scratch):
            read = _read(found.path or ".", building)
    return tuple(
        replace(one, snapshot=replace(one.snapshot, gaps=(*gaps, *one.snapshot.gaps)))
        for one in read
    )


def _of_path(name: str, building: Building) -> Found:
    """Named from here where it is below this folder, else from itself."""
    path = Path(name).absolute()
    here = Path.cwd()
    if path.is_relative_to(here):
        return _read(str(path.relative_to(here)), building)
    folder, inside = (path, ".") if path.is_dir() else (path.parent, path.name)
    with contextlib.chdir(folder):
        return _read(inside, building)


def _read(path: str, building: Building) -> Found:
    """The variants; an empty one where there is nothing: then all of the other side is new."""
    from auditor.cli.options import read_variants
    from auditor.model import Snapshot
    from auditor.sources.variants import Variant

    try:
        return read_variants((path,), building)
    except NothingToAuditError:
        return (Variant("", Snapshot(())),)
