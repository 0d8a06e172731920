"""`auditor audit`: what is wrong, in the form that was asked for, and an exit code that says so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.cache import remembered
from auditor.cli.options import (
    SEVERITIES,
    Access,
    PolicyOptions,
    chart_values,
    choice_of_policies,
    cluster_access,
    cluster_reading,
    waivers_of_manifests,
)
from auditor.cli.outputs import Ordered, Outputs, output_options, write
from auditor.cli.scope import ScopeOptions, choice_of_scope, chosen_for
from auditor.cli.screen import say

if TYPE_CHECKING:
    from auditor.model import Audit
    from auditor.sources.building import Rendering


@click.command(cls=Ordered, short_help="Find what is wrong in manifests or a cluster.")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--cluster", is_flag=True, help="Audit the live cluster instead of files.")
@cluster_access
@cluster_reading
@waivers_of_manifests
@choice_of_policies
@chart_values
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
@output_options
@click.option("--no-fixes", is_flag=True, help="Do not look for fixes and prove them.")
@click.option("--no-cache", is_flag=True, help="Ask again even where nothing has changed.")
@remembered
def audit(
    paths: tuple[str, ...],
    cluster: bool,
    kubeconfig: str | None,
    context: str | None,
    cached: bool,
    patience: float,
    fail_on: str,
    strict: bool,
    baseline: Path | None,
    no_fixes: bool,
    outputs: Outputs,
    policies: PolicyOptions,
    asked: Rendering,
    scope: ScopeOptions,
) -> int:
    """Audit the manifests under PATH (files, folders, '-' for standard input), or a cluster."""
    from auditor.cli.baseline import known, marked
    from auditor.cli.judged import read_and_judged
    from auditor.cli.progress import is_watched, progress
    from auditor.errors import UsageError
    from auditor.reporters.words import counted, read_in

    if fail_on == "new" and baseline is None:
        raise UsageError("--fail-on new needs --baseline FILE to know what is not new")
    chosen = chosen_for(paths, policies, scope, asked)
    old = known(baseline, policies.config_from) if baseline else None
    what = "reading the cluster" if cluster else "reading manifests"
    with progress(what, quiet=outputs.quiet) as now:
        access = Access(kubeconfig, context, cached, patience, chosen.namespaces)
        done, snapshot = read_and_judged(paths, chosen, cluster=cluster, access=access, now=now)
        answers, bench, settings = done.answers, done.chosen.bench, done.chosen.settings
        if old is not None:
            answers = answers.changed(lambda one: marked(one, old))
        if not no_fixes:
            now(f"proving the fixes of {counted(len(answers.merged().open), 'finding')}")
            answers = answers.fixed(bench, settings)
        answer = answers.merged()
    if is_watched() and not outputs.quiet and snapshot.server and snapshot.server.reading:
        say(read_in(snapshot.server.reading), err=True)
    code = exit_code(answer, fail_on, strict=strict)
    states = answers.states(settings)
    write(answer, outputs, paths, _ends(answer, code, fail_on, strict=strict), states)
    return code


def exit_code(answer: Audit, fail_on: str, *, strict: bool) -> int:
    """0, 1 or 4, as the epilog of --help says."""
    from auditor.cli.ends import ends_with
    from auditor.model import Severity

    if fail_on == "new":
        failing = bool(answer.open)
    elif fail_on == "never":
        failing = False
    else:
        least = Severity(fail_on)
        failing = any(f.severity.at_least(least) for f in answer.open)
    return ends_with(failing, counting(answer, strict=strict))


def counting(answer: Audit, *, strict: bool) -> int:
    """How many gaps make a run end with 4."""
    from auditor.model import Unseen

    counted = {Unseen.INCOMPLETE, Unseen.UNKNOWN} if strict else {Unseen.INCOMPLETE}
    return sum(gap.severity in counted and not gap.acknowledged for gap in answer.gaps)


def _ends(answer: Audit, code: int, fail_on: str, *, strict: bool) -> str:
    """Why it ends so, where findings do not fail a run, or where gaps do."""
    from auditor.reporters.words import counted

    if code == 4:
        return f"exit 4: {counted(counting(answer, strict=strict), 'gap')}"
    if code or not answer.open:
        return ""
    return "exit 0: " + {
        "never": "--fail-on never",
        "critical": "nothing is critical",
    }.get(fail_on, f"nothing is {fail_on} or above")
