"""`auditor fix`: the proven fixes as a diff, or written into the files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import choice_of_policies, choose, read

if TYPE_CHECKING:
    from auditor.cli.options import Chosen
    from auditor.fixes.together import Texts
    from auditor.model import Audit, Change, Finding, Snapshot


@click.command(short_help="Show proven fixes as a diff, or write them.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@choice_of_policies
@click.option("--write", is_flag=True, help="Write the safe fixes into the files.")
@click.option("--unsafe", is_flag=True, help="With --write: also those that may change behaviour.")
def fix(paths: tuple[str, ...], write: bool, unsafe: bool, **policies: Any) -> int:
    """Show, for every finding under PATH that has one, the fix that was proven.

    Fixes are proven one by one and together: what is written is audited again first, and nothing
    is written unless every finding that it is for is gone.
    """
    from auditor.cli.audit import start_folder

    chosen = choose(start=start_folder(paths), **policies)
    if "-" in paths and write:
        raise click.UsageError("standard input cannot be written to")
    snapshot = read(paths, cluster=False, kubeconfig=None, context=None)
    return _offer(snapshot, chosen, write=write, unsafe=unsafe)


def _offer(snapshot: Snapshot, chosen: Chosen, *, write: bool, unsafe: bool) -> int:
    from auditor.audit import audit
    from auditor.fixes.offer import with_fixes

    bench, settings = chosen.bench, chosen.settings
    answer = with_fixes(audit(snapshot, bench, settings), bench, settings)
    offered = [f for f in answer.open if f.fix and f.fix.proof.holds and f.fix.edits]
    wanted = [f for f in offered if not write or unsafe or _is_safe(f)]
    edited = _together(answer, wanted, chosen)
    _say_left(answer, offered, wanted)
    if not write:
        _show(answer, edited)
        return 0
    for uri, (_, after) in edited.items():
        _replace_file(Path(uri), after)
        click.echo(f"wrote {uri}")
    return 0


def _is_safe(finding: Finding) -> bool:
    from auditor.model import Safety

    return bool(finding.fix and finding.fix.safety is Safety.SAFE)


def _together(answer: Audit, wanted: list[Finding], chosen: Chosen) -> Texts:
    """What all fixes at once make of the files, audited as a whole and read again.

    Raises:
        AuditorError: together they leave a finding, bring a new one, or cannot be written.
    """
    from auditor.errors import AuditorError
    from auditor.fixes.patch import CannotEditError
    from auditor.fixes.together import ClashError, check, merged, texts, written

    try:
        changes = merged(answer.snapshot, [f.fix for f in wanted if f.fix])
        edited = texts(answer.snapshot, written(answer.snapshot, changes))
        check(answer.snapshot, changes, edited)
    except (ClashError, CannotEditError) as error:
        raise AuditorError(f"{error}; choose some of the fixes with --select") from error
    _check_together(answer, wanted, changes, chosen)
    return edited


def _show(answer: Audit, edited: Texts) -> None:
    from auditor.fixes.patch import unified_diff

    for uri, (before, after) in sorted(edited.items()):
        click.echo(unified_diff(uri, before, after), nl=False)
    if not edited:
        click.echo(f"nothing to fix: {len(answer.open)} findings, none with a proven fix", err=True)


def _say_left(answer: Audit, offered: list[Finding], wanted: list[Finding]) -> None:
    """What is not written or shown, and why, to standard error."""
    for finding in answer.open:
        name = f"{finding.policy.id} {finding.ref}"
        if finding in wanted:
            continue
        if finding in offered:
            click.echo(f"left alone: {name}: its fix may change behaviour (--unsafe)", err=True)
        elif finding.fix:
            why = "; ".join(finding.fix.proof.unproven) or "its fix could not be proven"
            click.echo(f"left alone: {name}: {why}", err=True)
        else:
            click.echo(f"left alone: {name}: no fix is known", err=True)


def _check_together(
    answer: Audit, wanted: list[Finding], changes: tuple[Change, ...], chosen: Chosen
) -> None:
    from auditor.audit import audit
    from auditor.errors import AuditorError

    after = answer.snapshot.replacing(*(change.resource for change in changes))
    left = {f.fingerprint for f in audit(after, chosen.bench, chosen.settings).findings}
    known = {f.fingerprint for f in answer.findings}
    if left & {f.fingerprint for f in wanted} or left - known:
        raise AuditorError("the fixes do not go together; choose some of them with --select")


def _replace_file(path: Path, text: str) -> None:
    """Write the whole file or nothing of it, with the permissions that it had."""
    data = text.encode()
    folder = path.parent
    handle, name = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(name).chmod(path.stat().st_mode & 0o7777)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
