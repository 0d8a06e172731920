"""The report for people, in the form of a good compiler's. Knows of terminals what `Terminal` says.

Open findings come grouped by cause and worst first, each with its line, its reasons and its fix;
then what could not be seen; then what counts everything, how far the answer goes, and what to do
next. It gives no verdict on the whole: it says what was looked at.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditor import credentials
from auditor.model import Audit, Fix, Safety, Status, Unseen
from auditor.reporters.answered import answered_for
from auditor.reporters.assessed import assessed, date, digest
from auditor.reporters.blocks import Page, brief, shown
from auditor.reporters.boundaries import platform_lines, scope_lines
from auditor.reporters.groups import blocks
from auditor.reporters.places import worst_first
from auditor.reporters.terminal import Terminal, terminal_of
from auditor.reporters.view import View
from auditor.reporters.words import by_severity, counted, kubernetes_version, percent
from auditor.text import escaped


def render(audit: Audit, view: View) -> str:
    """The audit for people to read, on a screen or in a file."""
    screen = terminal_of(view.terminal)
    return screen.shown("\n".join(_lines(audit, view, screen)) + "\n")


def _lines(audit: Audit, view: View, terminal: Terminal) -> Iterator[str]:
    page = Page(audit, terminal)
    if view.brief:
        yield from (brief(finding, page) for finding in worst_first(audit.open))
    else:
        for block in blocks(audit, audit.open):
            yield from shown(block, page)
            yield ""
    yield from answered_for(audit, terminal)
    folded = [terminal.wrapped(escaped(line), 2, 0) for line in platform_lines(audit)]
    yield from (*folded, "") if folded else ()
    yield from _gaps(audit, terminal)
    yield terminal.wrapped(_summary(audit), 2, 0)
    yield from (terminal.wrapped(escaped(line), 2, 0) for line in scope_lines(audit))
    if audit.enforcer:
        yield terminal.wrapped(escaped(audit.enforcer.words), 2, 0)
    yield from (terminal.wrapped(line, 2, 0) for line in _unclassified(audit))
    yield terminal.wrapped(_evidence(audit, view.paths), 2, 0)
    yield from (view.ends,) if view.ends else ()
    yield from (f"next: {step}" for step in _next(audit, view))


def _gaps(audit: Audit, terminal: Terminal) -> Iterator[str]:
    for unseen, title in (
        (Unseen.INCOMPLETE, "could not be seen"),
        (Unseen.UNKNOWN, "cannot be told from what was read"),
    ):
        gaps = [g for g in audit.gaps if g.severity is unseen and not g.acknowledged]
        if gaps:
            yield f"{terminal.paint('bold', title)} ({counted(len(gaps), 'gap')}):"
            for gap in gaps:
                yield "  " + terminal.wrapped(escaped(f"{gap.what}: {gap.why}"), 4, 2)
            yield ""


def _summary(audit: Audit) -> str:
    """What was found, what was not seen, and what was looked at, each in numbers."""
    open_now = by_severity(audit, Status.OPEN)
    found = ", ".join(f"{number} {name}" for name, number in open_now.items() if number)
    total = counted(sum(open_now.values()), "finding")
    others = [
        f"{number} {word}"
        for status, word in (
            (Status.WAIVED, "waived"),
            (Status.BASELINE, "in the baseline"),
            (Status.UPCOMING, "upcoming"),
            (Status.PLATFORM, "of the platform"),
        )
        if (number := sum(by_severity(audit, status).values()))
    ]
    proven = sum(bool(f.fix and f.fix.proof.holds) for f in audit.open)
    others[:0] = [f"{proven} with a proven fix"] if proven else []
    gaps = counted(len(audit.gaps), "gap")
    known = sum(bool(gap.acknowledged) for gap in audit.gaps)
    gaps += f" ({known} acknowledged)" if known else ""
    parts = [f"{total}: {found}" if found else total, *others, gaps]
    return "; ".join([*parts, _looked_at(audit)])


def _looked_at(audit: Audit) -> str:
    total = len(audit.snapshot.resources)
    judged = counted(audit.judged, "object")
    if audit.judged < total:
        judged = f"{audit.judged} of {counted(total, 'object')}"
    asked = counted(len(audit.policies), "policy")
    version = kubernetes_version(audit.kubernetes)
    return f"{judged} judged by {asked} for Kubernetes {version} with {' '.join(audit.engine)}"


def _unclassified(audit: Audit) -> Iterator[str]:
    """Of how many workloads nobody said whether they hold personal data: policies on such data say
    nothing about them.
    """
    if audit.unclassified:
        total = counted(len(audit.workloads), "workload")
        yield f"unclassified: {len(audit.unclassified)} of {total}; see auditor classify"
    elif audit.workloads:
        yield f"unclassified: none of {counted(len(audit.workloads), 'workload')}"


def _evidence(audit: Audit, paths: tuple[str, ...]) -> str:
    """How far the answer goes: what was looked at, when, by which policies, what has no answer."""
    told = assessed(audit)
    looked = escaped(shlex.join(paths)) if paths else "a cluster"
    looked = "standard input" if paths == ("-",) else looked
    asked = f"policies sha256:{digest(audit.policies)[:12]}"
    share = f"not assessed: {told.unanswered:,} of {counted(told.questions, 'question')}"
    if not told.questions:
        share = "no question was asked"
    if told.unanswered:
        share += f" ({percent(told.unanswered, told.questions)})"
    hidden = f", and what {counted(told.unread, 'gap')} may hide" if told.unread else ""
    return f"evidence: {looked} on {date()[:10]}, {asked}; {share}{hidden}"


def _next(audit: Audit, view: View) -> Iterator[str]:
    """The commands that lead on from here, as one would type them: with every flag that decided
    what was asked and told.
    """
    proven = [f.fix for f in audit.open if f.fix and f.fix.proof.holds]
    written = [fix for fix in proven if fix.edits]
    if written and view.paths and "-" not in view.paths:
        yield from _fixing(written, _typed(*view.flags.get("fix", ()), *view.paths))
    elif proven and not view.paths:
        named = _typed("--cluster", *view.flags.get("fix", ()))
        yield from _fixing(proven, named, live=True)
    elif audit.open:
        first = worst_first(audit.open)[0].policy.id
        yield f"auditor explain {_typed(*view.flags.get('explain', ()), first)}"


def _typed(*words: str) -> str:
    """The words for a shell; harmless on a screen, and without a credential."""
    return escaped(shlex.join(map(credentials.told, words)))


def _fixing(written: list[Fix], named: str, *, live: bool = False) -> Iterator[str]:
    """How to see and how to write the fixes: the safe ones first, where there are any. In a
    cluster nothing is written.
    """
    safe = sum(fix.safety is Safety.SAFE for fix in written)
    which = "" if safe else " --unsafe"
    shown = counted(len(written), "proven fix")
    if 0 < safe < len(written):
        shown = f"the {safe} of {shown} that are safe; --unsafe shows all"
    elif not safe:
        shown += ", which may change behaviour"
    yield f"auditor fix{which} {named}  # shows {shown}"
    if live:
        return
    yield f"auditor fix{which} --write {named}  # writes {'it' if len(written) == 1 else 'them'}"
