"""`auditor network diff`: which flows a change opens and closes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.network.enforcers import choice_of_enforcer
from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, Reading, reading_of, say_unseen, unseen
from auditor.cli.options import SEVERITIES
from auditor.cli.outputs import SARIF_PROFILES, warn
from auditor.cli.scope import ScopeOptions, choice_of_scope

if TYPE_CHECKING:
    from auditor.facts.connections import End
    from auditor.model import Key
    from auditor.reporters.network.changes import Compared


@click.command(short_help="Say which flows a change opens and closes.")
@click.argument("base")
@click.argument("head")
@choice_of_enforcer
@choice_of_scope
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Configuration file [default: the nearest .auditor.yaml].",
)
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "never"]),
    default="high",
    show_default=True,
    help="Exit with 1 where a flow of this severity or above opens; to personal data is high.",
)
@click.option(
    "--sarif-profile",
    type=click.Choice(SARIF_PROFILES),
    default="full",
    show_default=True,
    help="Who reads SARIF.",
)
@network_outputs("text", "md", "json", "sarif")
def diff(
    base: str,
    head: str,
    enforcers: tuple[str, ...],
    scope: ScopeOptions,
    config: Path | None,
    fail_on: str,
    sarif_profile: str,
    outputs: Forms,
) -> int:
    """Say which flows are open in HEAD and were not in BASE, and which are closed: those to
    personal data first.

    Each is a file or folder, a snapshot, or a revision of Git: git:REV, git:REV:PATH, or without
    git: where no such path exists. Severities: critical from the internet to personal data, high
    from anybody else who is no declared client, medium for the internet elsewhere and for personal
    data that may leave, low for the rest, info for declared clients.
    """
    from auditor.cli.progress import progress

    read = Read(paths=(head,), scope=scope, config=config, enforcers=enforcers)
    with progress(f"reading {base}", quiet=outputs.quiet) as now:
        before, after = _sides(base, head, read)
        now("comparing")
        compared = _compared(before, after, (base, head), quiet=outputs.quiet)
        _say_unseen(before, after, quiet=outputs.quiet)
        how = (outputs, sarif_profile)
        outputs.write(lambda form: _rendered(form, compared, after, how))
    return _exit_code(compared, after, fail_on)


def _sides(base: str, head: str, read: Read) -> tuple[Reading, Reading]:
    from auditor.cli.config import load
    from auditor.cli.network.reading import building_of
    from auditor.cli.options import together
    from auditor.cli.scope import limited
    from auditor.cli.sides import read_side
    from auditor.errors import NothingToAuditError
    from auditor.facts.custom import opened
    from auditor.scope.territory import check

    path = Path(head)
    start = path if path.is_dir() else path.parent if path.exists() else Path()
    declared = load(read.config, start)
    scope = limited(declared.config.scope.value, read.scope)
    building = building_of(declared, read)
    before, after = (read_side(name, building, head) for name in (base, head))
    if not any(one.snapshot.resources or one.snapshot.gaps for one in (*before, *after)):
        raise NothingToAuditError(f"no Kubernetes object in {base} and {head}")
    check(opened(together((*before, *after)), declared.openings), scope)
    one, other = (
        reading_of(found, declared, scope, read, anything=False) for found in (before, after)
    )
    return one, other


def _compared(before: Reading, after: Reading, names: tuple[str, str], *, quiet: bool) -> Compared:
    from auditor.facts.connection_changes import Comparison
    from auditor.reporters.network.changes import Compared
    from auditor.reporters.network.told import Folder, Places

    territories = [state.territory for state in (*before.states, *after.states)]
    comparison = Comparison(
        [state.connections for state in before.states],
        [state.connections for state in after.states],
        lambda end: _clients(after, end),
        lambda end: bool(
            end.workload and any(one.holds(end.workload.resource) for one in territories)
        ),
    )
    known = {(gap.what, gap.why) for gap in before.gaps}
    gaps = [gap for gap in after.gaps if (gap.what, gap.why) not in known]
    first, *rest = (state.snapshot for state in after.states)
    return Compared(
        base=names[0],
        head=names[1],
        changes=comparison.changes(),
        folder=Folder.of(end for end in comparison.ends if end.kind != "internet"),
        places=Places(first, tuple(rest)),
        new_gaps=tuple(unseen(gaps)),
        quiet=quiet,
    )


def _clients(after: Reading, end: End) -> frozenset[Key] | None:
    """The declared clients of a target in HEAD: nobody else is known."""
    found: set[Key] = set()
    for state in after.states:
        workload = end.workload and state.facts.by_key.get(end.workload.ref.key)
        named = state.facts.data.clients_of(workload) if workload else None
        found |= {client.ref.key for some in (named or {}).values() for client in some}
    return frozenset(found)


def _say_unseen(before: Reading, after: Reading, *, quiet: bool) -> None:
    """What HEAD hides, then what BASE alone hides: it may have been open there already."""
    from auditor.cli.screen import say

    say_unseen(after, quiet=quiet)
    known = {(gap.what, gap.why) for gap in after.gaps}
    for line in unseen(gap for gap in before.gaps if (gap.what, gap.why) not in known):
        say(f"before the change: {line}", err=True)


def _exit_code(compared: Compared, after: Reading, fail_on: str) -> int:
    """1 where something of that severity opens, 4 for what can no longer be seen."""
    from auditor.cli.ends import ends_with
    from auditor.model import Severity

    opened = compared.changes.opened
    failing = fail_on != "never" and any(c.severity.at_least(Severity(fail_on)) for c in opened)
    return ends_with(failing, compared.new_gaps and after.code)


def _rendered(
    form: str,
    compared: Compared,
    after: Reading,
    asked: tuple[Forms, str],
) -> str:
    from auditor.cli.network.outputs import rejection_documents
    from auditor.reporters import render
    from auditor.reporters.encoded import encoded
    from auditor.reporters.gaps import gap_documents
    from auditor.reporters.network import changes as report

    outputs, profile = asked
    if form == "json":
        rejected, gaps = rejection_documents(after), gap_documents(after.gaps)
        return encoded(report.document(compared, rejected, gaps, after.cni))
    if form == "md":
        return "\n".join(report.markdown_comment(compared)) + "\n"
    if form == "sarif":
        found = replace(report.findings(compared, after.states[0].snapshot), gaps=after.gaps)
        paths = (compared.head,)
        return render("sarif", found, paths=paths, terminal=None, sarif=profile, say=warn)
    screen = outputs.terminal
    return str(screen.shown("\n".join(report.text(compared, screen)) + "\n"))
