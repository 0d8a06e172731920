"""`auditor policies diff`: what another set of policies would say of the same manifests."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.errors import PolicyError, UsageError
from auditor.terms import PROFILE, PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.model import Audit, Finding, Policy, Snapshot

MARKS = {"appears": "+", "goes": "-", "changes": "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """A finding that only one of the sets has, or that they judge differently."""

    what: str
    """appears, goes or changes."""
    finding: Finding
    """As the new set has it; one that goes, as the old one had it."""
    severity_before: str = ""


@click.command("diff")
@click.argument("old")
@click.argument("new")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    default=PROFILE,
    show_default=True,
    help="How many policies of each to ask.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def diff(old: str, new: str, paths: tuple[str, ...], profile: str, form: str) -> int:
    """What changes for PATH when the policies OLD are replaced by NEW.

    OLD and NEW are numbers of policy sets, folders of policies, or git revisions as REV:FOLDER.
    Waivers and baselines are left aside.
    """
    from auditor.cli.options import read

    snapshot = read(paths)
    before, after = (_answer(side, profile, snapshot) for side in (old, new))
    changes = list(changed(before, after))
    click.echo(_json(changes) if form == "json" else _text(changes, before, after))
    return 0


def _answer(side: str, profile: str, snapshot: Snapshot) -> Audit:
    from auditor.audit import Bench, audit
    from auditor.model import Settings
    from auditor.policies.engine import compile_policies
    from auditor.policies.loader import chosen

    known, library = _policies(side)
    asked = chosen(known, profile, (), frozenset())
    modules = {policy.file: policy.module for policy in asked} | dict(library)
    return audit(snapshot, Bench(asked, compile_policies("regorus", modules)), Settings())


def _policies(side: str) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """The policies that one of the arguments names.

    Raises:
        UsageError: it names none. PolicyError, ConfigError: they cannot be read.
    """
    from auditor.policies.loader import load

    if side.isdecimal():
        known, library = load()
        newest = max(policy.since for policy in known)
        if not 1 <= int(side) <= newest:
            raise UsageError(f"there is no policy set {side}: the newest is {newest}")
        return tuple(policy for policy in known if policy.since <= int(side)), library
    if Path(side).is_dir():
        return load(Path(side))
    revision, colon, folder = side.partition(":")
    if not colon:
        raise UsageError(f"'{side}' is no number of a set and no folder; of a revision: REV:FOLDER")
    return load_revision(revision, Path(folder))


def load_revision(name: str, folder: Path) -> tuple[tuple[Policy, ...], Mapping[str, str]]:
    """The policies that a folder held in a git revision.

    Raises:
        PolicyError, ConfigError: they cannot be read.
    """
    from auditor.cli.revision import Revision
    from auditor.policies.loader import load

    start = next(up for up in (folder.absolute(), *folder.absolute().parents) if up.is_dir())
    revision = Revision.of(name, start)
    with tempfile.TemporaryDirectory() as made:
        revision.write(folder, Path(made), ends=(".rego",))
        try:
            return load(Path(made))
        except PolicyError as error:
            raise PolicyError(str(error).replace(made, f"{name}:{folder}")) from error


def changed(before: Audit, after: Audit) -> Iterator[Change]:
    """What differs, the worst first: what appears, what goes, what another severity has."""
    from auditor.reporters.places import worst_first

    old = {finding.fingerprint: finding for finding in before.findings}
    new = {finding.fingerprint: finding for finding in after.findings}
    for finding in worst_first(after.findings):
        known = old.get(finding.fingerprint)
        if known is None:
            yield Change("appears", finding)
        elif known.severity is not finding.severity:
            yield Change("changes", finding, known.severity.value)
    for finding in worst_first(before.findings):
        if finding.fingerprint not in new:
            yield Change("goes", finding)


def _text(changes: list[Change], before: Audit, after: Audit) -> str:
    from auditor.reporters.words import counted
    from auditor.text import escaped

    lines = []
    for change in changes:
        finding = change.finding
        severity = finding.severity.value
        if change.severity_before:
            severity = f"{change.severity_before} → {severity}"
        said = f"{severity} {finding.policy.id} {finding.ref}: {finding.message}"
        lines.append(f"{MARKS[change.what]} {escaped(said)}")
    counts = {what: sum(change.what == what for change in changes) for what in MARKS}
    sides = f"{counted(len(before.policies), 'policy')} before, {len(after.policies)} after"
    lines.append(
        f"{counts['appears']} appear, {counts['goes']} go, {counts['changes']} change severity; "
        f"{sides}"
    )
    lines += [escaped(f"could not be seen: {gap.what}: {gap.why}") for gap in after.gaps]
    return "\n".join(lines)


def _json(changes: list[Change]) -> str:
    import orjson

    rows = [_row(change) for change in changes]
    return orjson.dumps({"changes": rows}, option=orjson.OPT_INDENT_2).decode()


def _row(change: Change) -> dict[str, Any]:
    from auditor.facts.forms import as_object

    finding = change.finding
    return {
        "change": change.what,
        "policy": finding.policy.id,
        "severity": finding.severity.value,
        "severityBefore": change.severity_before or None,
        "object": as_object(finding.ref),
        "message": finding.message,
        "fingerprint": finding.fingerprint,
    }
