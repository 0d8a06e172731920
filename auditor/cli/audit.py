"""`auditor audit`: what is wrong, in the form that was asked for, and an exit code that says so."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import (
    SEVERITIES,
    PolicyOptions,
    choice_of_policies,
    choose,
    cluster_access,
    read,
    waivers_of_manifests,
)
from auditor.cli.scope import ScopeOptions, check_scope, choice_of_scope, scoped

if TYPE_CHECKING:
    from auditor.model import Audit

FORMATS = ("text", "json", "sarif")


@click.command(short_help="Find what is wrong in manifests or a cluster.")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--cluster", is_flag=True, help="Audit the live cluster instead of files.")
@cluster_access
@waivers_of_manifests
@choice_of_policies
@choice_of_scope
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "new", "never"]),
    default="high",
    show_default=True,
    help="Exit with 1 from this severity on; 'new': on anything that is not in the baseline.",
)
@click.option("--strict", is_flag=True, help="Let gaps of severity 'unknown' count as well.")
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A saved JSON report: what it knows is not new.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--no-fixes", is_flag=True, help="Do not look for fixes and prove them.")
def audit(
    paths: tuple[str, ...],
    cluster: bool,
    kubeconfig: str | None,
    context: str | None,
    fail_on: str,
    strict: bool,
    baseline: Path | None,
    form: str,
    output: Path | None,
    no_fixes: bool,
    policies: PolicyOptions,
    scope: ScopeOptions,
) -> int:
    """Audit the manifests under PATH (files, folders, '-' for standard input), or a cluster."""
    from auditor.audit import audit as judge_all
    from auditor.cli.baseline import known, marked
    from auditor.cli.progress import progress
    from auditor.errors import UsageError
    from auditor.fixes.offer import with_fixes

    if fail_on == "new" and baseline is None:
        raise UsageError("--fail-on new needs --baseline FILE to know what is not new")
    chosen = scoped(
        choose(policies, start_folder(paths), whole=all(map(os.path.isdir, paths))), scope
    )
    old = known(baseline, policies.config_from) if baseline else None
    with progress("reading the cluster" if cluster else "reading manifests") as now:
        snapshot = read(
            paths,
            cluster=cluster,
            kubeconfig=kubeconfig,
            context=context,
            namespaces=chosen.namespaces,
        )
        check_scope(snapshot, chosen)
        now(f"judging {len(snapshot.resources)} objects")
        settings = chosen.judging(snapshot)
        answer = judge_all(snapshot, chosen.bench, settings)
        if old is not None:
            answer = marked(answer, old)
        if not no_fixes:
            now(f"proving the fixes of {len(answer.open)} findings")
            answer = with_fixes(answer, chosen.bench, settings)
    _write(answer, form, output, paths)
    return exit_code(answer, fail_on, strict=strict)


def start_folder(paths: tuple[str, ...]) -> Path:
    """Where to look for the configuration: the first path, else here."""
    first = Path(paths[0]) if paths and paths[0] != "-" else Path()
    return first if first.is_dir() else first.parent


def _write(answer: Audit, form: str, output: Path | None, paths: tuple[str, ...]) -> None:
    from auditor.errors import WriteError
    from auditor.reporters import render

    if output is not None:
        text = render(form, answer, paths=paths, terminal=None)
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise WriteError(f"{output}: {error.strerror}") from error
        return
    _print(render(form, answer, paths=paths, terminal=sys.stdout), binary=form != "text")


def _print(text: str, *, binary: bool) -> None:
    """Write the report and nothing else: as UTF-8 for programs; for people, as their terminal can
    show it. `click.echo` would take the colours away that FORCE_COLOR asks for.
    """
    if binary:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    sys.stdout.write(text)


def exit_code(answer: Audit, fail_on: str, *, strict: bool) -> int:
    """0, 1 or 4, as the epilog of --help says."""
    from auditor.model import Severity, Unseen

    if fail_on == "new":
        failing = bool(answer.open)
    elif fail_on == "never":
        failing = False
    else:
        failing = any(f.severity.at_least(Severity(fail_on)) for f in answer.open)
    if failing:
        return 1
    counted = {Unseen.INCOMPLETE, Unseen.UNKNOWN} if strict else {Unseen.INCOMPLETE}
    return 4 if any(gap.severity in counted and not gap.acknowledged for gap in answer.gaps) else 0
