"""`auditor diff`: which findings are new between two states, which are gone, and which stay."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from auditor.cli.options import (
    SEVERITIES,
    PolicyOptions,
    choice_of_policies,
    choose,
    waivers_of_manifests,
)
from auditor.cli.outputs import Ordered, Outputs, deliver, output_options, warn
from auditor.cli.scope import ScopeOptions, scoped

if TYPE_CHECKING:
    from auditor.cli.compare import Comparison, Row
    from auditor.cli.sides import Side
    from auditor.model import Finding
    from auditor.reporters.blocks import Page


@click.command(cls=Ordered, short_help="Say which findings are new between two states.")
@click.argument("base")
@click.argument("head")
@waivers_of_manifests
@choice_of_policies
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "never"]),
    default="high",
    show_default=True,
    help="Exit with 1 where something new, or worse, is of this severity or above.",
)
@output_options
def diff(base: str, head: str, fail_on: str, outputs: Outputs, policies: PolicyOptions) -> int:
    """Say what is new, worse, resolved and still there from BASE to HEAD.

    Each is a file or folder that `auditor audit` takes, a report saved with --format json, or a
    revision of Git: git:REV, git:REV:PATH, or without git: where no such path exists. Both are
    judged by the same policies and configuration: those of HEAD, or where it is a revision, those
    of the current folder; --config-from REV takes others. SARIF has the new findings alone.
    """
    from auditor.cli.compare import compare
    from auditor.cli.progress import progress
    from auditor.cli.sides import knowing, side
    from auditor.errors import NothingToAuditError

    chosen = scoped(choose(policies, _start(head), whole=not Path(head).is_file()), ScopeOptions())
    with progress(f"auditing {base}", quiet=outputs.quiet) as now:
        before = side(base, chosen, head)
        now(f"auditing {head}")
        after = side(head, knowing(before, chosen), head)
    if before.nothing and after.nothing:
        raise NothingToAuditError("; ".join(dict.fromkeys((before.nothing, after.nothing))))
    if after.nothing:
        # Most likely what makes the manifests failed.
        warn(f"{after.nothing}: all that {before.name} had counts as resolved")
    found = compare(before, after)
    _check_sarif(outputs, after)
    deliver(outputs, lambda form, terminal: _FORMS[form](found, (before, after), outputs, terminal))
    return _exit_code(found, fail_on)


def _start(head: str) -> Path:
    path = Path(head)
    return path if path.is_dir() else path.parent if path.exists() else Path()


def _check_sarif(outputs: Outputs, head: Side) -> None:
    from auditor.errors import UsageError

    if head.audit is None and any(report.form == "sarif" for report in outputs.reports):
        raise UsageError(
            f"--format sarif points into files, and {head.name} is a saved report: "
            "name the files, or a revision"
        )


def _exit_code(found: Comparison, fail_on: str) -> int:
    """1 for something new, 4 for what can no longer be seen."""
    from auditor.cli.compare import INCOMPLETE
    from auditor.cli.ends import ends_with
    from auditor.model import Severity

    failing = fail_on != "never" and any(
        r.severity.at_least(Severity(fail_on)) for r in found.added
    )
    unseen = [gap for gap in found.new_gaps if "acknowledged" not in gap]
    return ends_with(failing, any(gap["severity"] == INCOMPLETE for gap in unseen))


Sides = tuple["Side", "Side"]


def _json(found: Comparison, sides: Sides, _outputs: Outputs, _terminal: TextIO | None) -> str:
    from auditor import __version__
    from auditor.reporters.assessed import date
    from auditor.reporters.encoded import encoded

    base, head = (
        {
            "name": one.name,
            "findings": len(one.report["findings"]),
            "gaps": len(one.report["gaps"]),
            "networkPolicies": _enforced(one),
        }
        for one in sides
    )
    resolved = [
        _told(row) | {"doubtful": row.fingerprint in found.doubtful} for row in found.resolved
    ]
    return encoded(
        {
            "format": "auditor-diff/1",
            "auditor": __version__,
            "date": date(),
            "base": base,
            "head": head,
            "new": list(map(_told, found.new)),
            "worse": list(map(_told, found.worse)),
            "resolved": resolved,
            "remaining": list(map(_told, found.remaining)),
            "newGaps": [dict(gap) for gap in found.new_gaps],
            "closedGaps": [dict(gap) for gap in found.closed_gaps],
        }
    )


def _told(row: Row) -> dict[str, Any]:
    return {
        "policy": row.policy,
        "severity": row.severity.value,
        "object": dict(row.ref),
        "message": row.message,
        "file": row.file,
        "line": row.line,
        "column": row.column,
        "fingerprint": row.fingerprint,
        "status": row.status.value,
    }


def _sarif(found: Comparison, sides: Sides, outputs: Outputs, _terminal: TextIO | None) -> str:
    from auditor.reporters import render

    head = sides[1]
    assert head.audit
    added = _findings(head, found.added)
    return render(
        "sarif",
        replace(head.audit, findings=added),
        paths=(head.name,),
        terminal=None,
        sarif=outputs.sarif_profile,
        say=warn,
    )


def _findings(head: Side, wanted: tuple[Row, ...]) -> tuple[Finding, ...]:
    """The findings of the audit that these rows tell of."""
    prints = {row.fingerprint for row in wanted}
    found = head.audit.findings if head.audit else ()
    return tuple(finding for finding in found if finding.fingerprint in prints)


def _text(found: Comparison, sides: Sides, outputs: Outputs, terminal: TextIO | None) -> str:
    from auditor.reporters.terminal import terminal_of

    screen = terminal_of(terminal)
    lines = [*_lines(found, sides, outputs, screen)]
    return screen.shown("\n".join(lines) + "\n")


def _lines(found: Comparison, sides: Sides, outputs: Outputs, terminal: Any) -> Iterator[str]:
    from auditor.model import Audit, Snapshot, Status
    from auditor.reporters.blocks import Page
    from auditor.text import escaped

    head = sides[1]
    page = Page(head.audit or Audit(Snapshot(()), (), ()), terminal)
    blocks = head.audit is not None and not outputs.quiet
    for title, rows in (("new", found.new), ("worse than before", found.worse)):
        if rows:
            yield _title(title, len(rows), page)
            framed = tuple(row for row in rows if blocks and row.status is Status.OPEN)
            yield from _blocks(head, framed, page)
            yield from (_row(row) for row in rows if row not in framed)
            yield ""
    for title, rows in (("resolved", found.resolved), ("still there", found.remaining)):
        if rows:
            yield _title(title, len(rows), page)
            for row in rows:
                doubt = row.fingerprint in found.doubtful
                yield _row(row) + ("  (may only be out of sight)" if doubt else "")
            yield ""
    yield from _gaps("can no longer be seen", found.new_gaps, page)
    yield from _gaps("could not be seen before", found.closed_gaps, page)
    yield terminal.wrapped(_summary(found, sides), 2, 0)
    # Both sides were judged alike, unless one is a saved report.
    for words in dict.fromkeys(filter(None, map(_enforced, sides))):
        yield terminal.wrapped(escaped(words), 2, 0)


def _enforced(side: Side) -> str | None:
    """What enforces network policies, in one line; None of a report that does not say."""
    told = side.report.get("networkPolicies")
    words = told.get("words") if isinstance(told, dict) else None
    return words if isinstance(words, str) else None


def _title(title: str, number: int, page: Page) -> str:
    return f"{page.terminal.paint('bold', title)} ({number}):"


def _blocks(head: Side, rows: tuple[Row, ...], page: Page) -> Iterator[str]:
    from auditor.reporters.blocks import shown
    from auditor.reporters.groups import blocks

    for number, block in enumerate(blocks(page.audit, _findings(head, rows))):
        if number:
            yield ""
        yield from shown(block, page)


def _row(row: Row) -> str:
    from auditor.model import Ref, Status
    from auditor.text import escaped

    ref = Ref(*(row.ref[key] for key in ("apiVersion", "kind", "namespace", "name")))
    where = f"{row.file}:{row.line}:{row.column}: " if row.file and row.line else ""
    state = "" if row.status is Status.OPEN else f" [{row.status.value}]"
    said = f"{where}{row.severity.value}[{row.policy}]: {row.message} ({ref}){state}"
    return f"  {escaped(said)}"


def _gaps(title: str, gaps: tuple[Mapping[str, str], ...], page: Page) -> Iterator[str]:
    from auditor.text import escaped

    if gaps:
        yield _title(title, len(gaps), page)
        for gap in gaps:
            yield "  " + page.terminal.wrapped(escaped(f"{gap['what']}: {gap['why']}"), 4, 2)
        yield ""


def _summary(found: Comparison, sides: Sides) -> str:
    from auditor.model import Status
    from auditor.reporters.assessed import date
    from auditor.reporters.words import counted
    from auditor.text import escaped

    waived = sum(row.status is Status.WAIVED for row in (*found.new, *found.worse))
    parts = [
        f"{len(found.new)} new",
        *([f"{len(found.worse)} worse"] if found.worse else []),
        *([f"{waived} of them waived"] if waived else []),
        f"{len(found.resolved)} resolved",
        f"{len(found.remaining)} still there",
        f"{counted(len(found.new_gaps), 'new gap')}",
    ]
    base, head = (escaped(one.name) for one in sides)
    told = [f"{'; '.join(parts)}; from {base} to {head} on {date()[:10]}"]
    if found.doubtful:
        told.append(f"{len(found.doubtful)} of the resolved may only be out of sight")
    if any(gap["severity"] == "incomplete" for gap in found.closed_gaps) and found.new:
        told.append(f"what is new may have been there unseen in {base}")
    return "; ".join(told)


_FORMS = {"text": _text, "json": _json, "sarif": _sarif}
