"""`auditor fix`: the proven fixes as a diff, or written into the files."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

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

if TYPE_CHECKING:
    from auditor.cli.answer import Answers
    from auditor.cli.fix_source import Share
    from auditor.cli.options import Chosen
    from auditor.fixes.together import Texts
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
@click.option("--write", is_flag=True, help="Write the fixes into the files.")
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

    Fixes are proven one by one, and then together as they are shown or written. Ends as `audit`
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
        answer = _written(paths, chosen, wish)
        code = exit_code(answer, "high", strict=False)
        say_end(answer, code, is_proven)
        return code
    answers, wanted, fitting = _offered(paths, chosen, wish)
    answer = answers.merged()
    _show(answer, _together(answers, wanted, fitting)[1], wanted)
    say_assumed(wanted)
    say_left(answer, wanted, is_proven)
    return exit_code(answer, "high", strict=False)


def _live(
    paths: tuple[str, ...], chosen: Chosen, access: Access, wish: Wish, *, confirm: bool
) -> int:
    """The commands that mend the cluster; 4 where the API server would not take one."""
    from auditor.cli.audit import exit_code
    from auditor.cli.fix_live import show
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
    taken = show(answer, wanted, chosen, access, confirm=confirm)
    say_left(answer, wanted, is_proven_live)
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


def _written(paths: tuple[str, ...], chosen: Chosen, wish: Wish) -> Audit:
    """Write what is wanted, and then what that uncovers, until nothing more is; the audit of what
    is there then.
    """
    from auditor.cli.rewrite import rewrite

    files: dict[str, None] = {}
    answers, wanted, fitting = _offered(paths, chosen, wish)
    for _ in range(ROUNDS):
        if not wanted:
            break
        edited, _ = _together(answers, wanted, fitting)
        rewrite(edited)
        say_assumed(wanted)
        for uri in edited:
            if uri not in files:  # told at once: the next round may fail
                say(f"wrote {uri}")
        files |= dict.fromkeys(edited)
        answers, wanted, fitting = _offered(paths, chosen, wish)
    answer = answers.merged()
    say_left(answer, wanted, is_proven)
    return answer


def _together(
    answers: Answers, wanted: list[Finding], chosen: Chosen
) -> tuple[Texts, tuple[TextEdit, ...]]:
    """What all fixes at once make of the files, and their edits: proven as one in every variant,
    and read again.

    Raises:
        WriteError: together they do not hold, or cannot be written.
    """
    from auditor.cli.fix_source import AtSource, is_at_source
    from auditor.errors import WriteError

    sourced = AtSource.of(answers, wanted, chosen)
    found: dict[str, tuple[str, str]] = dict(sourced.texts)
    edits: dict[TextEdit, None] = dict.fromkeys(sourced.edits)
    for at, (name, answer) in enumerate(answers.each):
        here = [one for one in wanted if not is_at_source(one) and _is_in(one, answer)]
        edited, own = _together_in(answer, here, chosen, sourced.share(at, answer, wanted))
        edits |= dict.fromkeys(own)
        for uri, text in edited.items():
            if found.setdefault(uri, text) != text:
                raise WriteError(f"{uri}: {name} needs another change of it than other variants do")
    return found, tuple(edits)


def _is_in(finding: Finding, answer: Audit) -> bool:
    """Whether a variant has all that the fix of a finding changes."""
    changes = finding.fix.changes if finding.fix else ()
    objects = [(change.beside or change.resource.ref, change.resource.origin) for change in changes]
    there = [(answer.snapshot.find(ref), origin) for ref, origin in objects]
    return all(one is not None and one.origin.lines is origin.lines for one, origin in there)


def _together_in(
    answer: Audit, wanted: list[Finding], chosen: Chosen, share: Share
) -> tuple[Texts, tuple[TextEdit, ...]]:
    """The same in one variant, where that is built with its share of the fixes at the source."""
    from auditor.cli.as_one import prove_as_one
    from auditor.errors import WriteError
    from auditor.fixes.patch import CannotEditError
    from auditor.fixes.together import ClashError, check, merged, texts, written

    if not wanted and not share.changes:
        return {}, ()
    try:
        changes = merged(answer.snapshot, [f.fix for f in wanted if f.fix])
        edits = written(answer.snapshot, changes)
        edited = texts(answer.snapshot, edits)
        check(answer.snapshot, changes, edited)
    except (ClashError, CannotEditError) as error:
        raise WriteError(f"{error}; choose some of the fixes with --select") from error
    gone, changes = [*wanted, *share.findings], (*changes, *share.changes)
    prove_as_one(answer, gone, changes, chosen, edits, share.measure)
    return edited, edits


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
