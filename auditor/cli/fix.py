"""`auditor fix`: the proven fixes as a diff, or written into the files."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.joint import together
from auditor.cli.left import (
    is_proven,
    is_proven_live,
    say_assumed,
    say_end,
    say_left,
    say_nothing,
)
from auditor.cli.options import (
    Access,
    PolicyOptions,
    chart_values,
    choice_of_policies,
    cluster_access,
    cluster_reading,
    count,
    read_variants,
    waivers_of_manifests,
)
from auditor.cli.progress import progress
from auditor.cli.scope import ScopeOptions, check_scope, choice_of_scope, chosen_for
from auditor.cli.screen import say
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.answer import Answers
    from auditor.cli.options import Chosen
    from auditor.model import Audit, Finding, TextEdit
    from auditor.sources.building import Rendering


ROUNDS = 5
"""How often what a fix uncovers is looked for: a second fault behind the first, seldom a third."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which fixes are wanted, and what is to be written about them."""

    unsafe: bool
    certificates: Path | None

    def takes(self, finding: Finding) -> bool:
        """Whether the fix of a finding is one of these."""
        from auditor.model import Safety

        fix = finding.fix
        return self.unsafe or (fix is not None and fix.safety is Safety.SAFE)

    def certify(self, answer: Audit, wanted: list[Finding], chosen: Chosen) -> None:
        """Write what was shown of fixes that decide where pods run, if that is wanted."""
        from auditor.cli.certified import write_certificates

        if self.certificates:
            write_certificates(self.certificates, answer, wanted, chosen)


@click.command(short_help="Show proven fixes as a diff, or write them.")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("--cluster", is_flag=True, help="Print the commands that mend the live cluster.")
@cluster_access
@cluster_reading
@waivers_of_manifests
@choice_of_policies
@chart_values
@choice_of_scope
@click.option(
    "--write", is_flag=True, help="Write the fixes into the files, and those of what they uncover."
)
@click.option("--unsafe", is_flag=True, help="Also the fixes that may change behaviour.")
@click.option(
    "--server-dry-run", is_flag=True, help="With --cluster: ask the API server about each of them."
)
@click.option(
    "--certificates",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write what was shown of each fix that decides where pods run, for placement verify.",
)
def fix(
    paths: tuple[str, ...],
    cluster: bool,
    kubeconfig: str | None,
    context: str | None,
    cached: bool,
    patience: float,
    write: bool,
    unsafe: bool,
    server_dry_run: bool,
    certificates: Path | None,
    policies: PolicyOptions,
    asked: Rendering,
    scope: ScopeOptions,
) -> int:
    """Show, for every finding under PATH that has one, the fix that was proven and is safe. With
    --cluster, as commands of kubectl: nothing is applied to a cluster.

    Fixes are proven one by one, and then together as they are shown or written; one that does not
    go together with the others is left alone. Ends as `audit`
    does: with 1 while a finding of severity high or worse is left, with 4 where something could
    not be seen.
    """
    from auditor.cli.audit import exit_code

    if "-" in paths and write:
        raise click.UsageError("standard input cannot be written to")
    if write and cluster:
        raise click.UsageError("a cluster is not written to: run the commands that are shown")
    if server_dry_run and not cluster:
        raise click.UsageError("--server-dry-run needs --cluster")
    chosen = chosen_for(paths, policies, scope, asked)
    wish = Wish(unsafe, certificates)
    if cluster:
        access = Access(kubeconfig, context, cached, patience, chosen.namespaces)
        return _live(paths, chosen, access, wish, confirm=server_dry_run)
    if write:
        answer, clashing = _written(paths, chosen, wish)
        code = exit_code(answer, "high", strict=False)
        say_end(answer, code, is_proven, clashing)
        return code
    answers, wanted, fitting = _offered(paths, chosen, wish)
    answer, joint = answers.merged(), together(answers, wanted, fitting)
    _show(answer, joint.edits, joint.taken)
    say_assumed(joint.taken)
    say_left(answer, joint.taken, is_proven, joint.left)
    return exit_code(answer, "high", strict=False)


def _live(
    paths: tuple[str, ...], chosen: Chosen, access: Access, wish: Wish, *, confirm: bool
) -> int:
    """The commands that mend the cluster; 4 where the API server would not take one."""
    from auditor.cli import fix_live
    from auditor.cli.audit import exit_code
    from auditor.cli.judged import judged
    from auditor.fixes.offer import with_fixes
    from auditor.reporters.discreet import discreet
    from auditor.reporters.words import counted

    with progress("reading the cluster") as now:
        found = read_variants(paths, cluster=True, access=access)
        check_scope(found, chosen)
        now(f"judging {counted(count(found), 'object')}, and proving fixes")
        done = judged(found, chosen)
        chosen = done.chosen
        answer = with_fixes(done.answers.merged(), chosen.bench, chosen.settings)
    answer = discreet(answer)  # what stands for a credential must not be written over it
    wanted = [f for f in answer.open if is_proven_live(f) and wish.takes(f)]
    wish.certify(answer, wanted, chosen)
    most = fix_live.together(answer, wanted, chosen)
    taken = fix_live.show(answer, most, access, confirm=confirm)
    say_left(answer, most.taken, is_proven_live, most.left)
    return exit_code(answer, "high", strict=False) if taken else 4


def _offered(
    paths: tuple[str, ...], chosen: Chosen, wish: Wish
) -> tuple[Answers, list[Finding], Chosen]:
    """The audits, the findings of all whose fix is proven and wanted, and the choice that they
    were judged and proven by.
    """
    from auditor.cli.judged import judged
    from auditor.reporters.words import counted

    with progress("reading manifests") as now:
        found = read_variants(paths, chosen.building)
        check_scope(found, chosen)
        now(f"judging {counted(count(found), 'object')}, and proving fixes")
        done = judged(found, chosen)
        answers = done.answers.fixed(done.chosen.bench, done.chosen.settings)
    answer = answers.merged()
    wanted = [f for f in answer.open if is_proven(f) and wish.takes(f)]
    wish.certify(answer, wanted, done.chosen)
    return answers, wanted, done.chosen


def _written(paths: tuple[str, ...], chosen: Chosen, wish: Wish) -> tuple[Audit, Mapping[int, str]]:
    """Write what is wanted, and then what that uncovers, until nothing more is; the audit of what
    is there then, and what does not go together with the rest.
    """
    from auditor.cli.rewrite import rewrite

    files: dict[str, None] = {}
    answers, wanted, fitting = _offered(paths, chosen, wish)
    joint = together(answers, wanted, fitting)
    for _ in range(ROUNDS):
        if not joint.taken:
            break
        rewrite(joint.texts)
        say_assumed(joint.taken)
        for uri in joint.texts:
            if uri not in files:  # told at once: the next round may fail
                say(f"wrote {uri}")
        files |= dict.fromkeys(joint.texts)
        answers, wanted, fitting = _offered(paths, chosen, wish)
        joint = together(answers, wanted, fitting)
    answer = answers.merged()
    say_left(answer, joint.taken, is_proven, joint.left)
    return answer, joint.left


def _show(answer: Audit, edits: tuple[TextEdit, ...], wanted: list[Finding]) -> None:
    """The diff: byte for byte where a program reads it, and harmless where a person does."""
    from auditor.cli.fix_source import files_of, say_rendered
    from auditor.cli.headers import base_of, headed
    from auditor.reporters.hunks import discreet_diff
    from auditor.sources.yaml import Document
    from auditor.text import escaped

    written = [r for r in answer.snapshot.resources if isinstance(r.origin.lines, Document)]
    written += files_of(wanted)
    uris = sorted({edit.uri for edit in edits})
    base = base_of(uris)
    for uri in uris:
        inside = [r for r in written if r.origin.uri == uri]
        mine = [edit for edit in edits if edit.uri == uri]
        diff = discreet_diff(headed(uri, base), inside, mine)
        shown = diff.text
        if sys.stdout.isatty():
            shown = "\n".join(map(escaped, shown.split("\n")))
        click.echo(shown, nl=False)
        if not diff.applies:
            why = "lines with credentials are not shown, so that the diff may not apply"
            say(f"{uri}: {why}; --write edits the file", err=True)
    if base != Path.cwd():
        say(f"the paths of the diff begin at {base}: apply it there", err=True)
    say_rendered(wanted)
    if not edits:
        say_nothing(answer, is_proven)
