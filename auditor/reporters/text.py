"""The report for people, in the form of a good compiler's. Knows of terminals what `Terminal` says.

Open findings come worst first, each with its line, its reasons and its fix; then what could not be
seen; then one line that counts everything, and what to do next. It never says that something is
compliant: it says what was looked at.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TextIO

from auditor.model import Audit, Evidence, Finding, Fix, Safety, Snapshot, Status, Unseen
from auditor.reporters.answered import answered_for
from auditor.reporters.boundaries import (
    keeper_line,
    mending_line,
    platform_lines,
    scope_lines,
)
from auditor.reporters.diff import changes_of
from auditor.reporters.excerpt import excerpt
from auditor.reporters.places import (
    Place,
    dotted,
    place_of_evidence,
    place_of_finding,
    worst_first,
)
from auditor.reporters.terminal import Terminal, terminal_of
from auditor.reporters.words import (
    EFFECT,
    by_severity,
    counted,
    kubernetes_version,
    listed,
    objections,
    shown_by,
)
from auditor.text import escaped

REASONS = 5
"""How many reasons of one finding are shown."""


def render(audit: Audit, paths: tuple[str, ...], terminal: TextIO | None) -> str:
    """The audit for people to read, on a screen or in a file."""
    screen = terminal_of(terminal)
    return screen.shown("\n".join(_lines(audit, paths, screen)) + "\n")


def _lines(audit: Audit, paths: tuple[str, ...], terminal: Terminal) -> Iterator[str]:
    for finding in worst_first(audit.open):
        yield from _finding(audit.snapshot, finding, terminal)
        yield from _fix(audit.snapshot, finding, terminal)
        yield ""
    yield from answered_for(audit, terminal)
    folded = [terminal.wrapped(escaped(line), 2, 0) for line in platform_lines(audit)]
    yield from (*folded, "") if folded else ()
    yield from _gaps(audit, terminal)
    yield terminal.wrapped(_summary(audit), 2, 0)
    yield from (terminal.wrapped(escaped(line), 2, 0) for line in scope_lines(audit))
    yield from (f"next: {step}" for step in _next(audit, paths))


def _finding(snapshot: Snapshot, finding: Finding, terminal: Terminal) -> Iterator[str]:
    head = f"{finding.severity.value}[{escaped(finding.policy.id)}]"
    message = terminal.wrapped(escaped(finding.message), 4, len(head) + 2)
    yield f"{terminal.paint(finding.severity, head)}: {terminal.paint('bold', message)}"
    place = place_of_finding(snapshot, finding)
    yield f"  {terminal.paint('frame', '-->')} {_where(finding, place)}"
    if place:
        yield from excerpt(place, terminal)
    for evidence in finding.evidence[:REASONS]:
        yield _note("why", _reason(snapshot, finding, evidence), terminal)
    if len(finding.evidence) > REASONS:
        yield _note("why", f"and {len(finding.evidence) - REASONS} more", terminal)
    if keeper := keeper_line(finding):
        yield _note("managed by", escaped(keeper), terminal)


def _where(finding: Finding, place: Place | None) -> str:
    name = escaped(str(finding.ref))
    if place is None:
        return name
    if place.resource.origin.live:
        return f"{name} {escaped(dotted(place.path))}".rstrip()
    return f"{_spot(place)}  {name}"


def _spot(place: Place) -> str:
    return f"{escaped(place.file)}:{place.span.line}:{place.span.column}"


def _reason(snapshot: Snapshot, finding: Finding, evidence: Evidence) -> str:
    place = place_of_evidence(snapshot, finding, evidence)
    if place is None:
        return escaped(evidence.message)
    where = str(place.resource.ref) if place.resource.origin.live else _spot(place)
    return f"{escaped(evidence.message)} ({escaped(where)})"


def _note(title: str, text: str, terminal: Terminal) -> str:
    body = terminal.wrapped(text, 7 + len(title), 7 + len(title))
    return f"   {terminal.paint('frame', '=')} {terminal.paint('bold', title)}: {body}"


def _fix(snapshot: Snapshot, finding: Finding, terminal: Terminal) -> Iterator[str]:
    if finding.fix is None:
        yield _note("fix", escaped(_untried(finding)), terminal)
    else:
        yield from _tried(snapshot, finding.fix, terminal)
    if where := mending_line(finding):
        yield _note("mend it in", escaped(where), terminal)


def _untried(finding: Finding) -> str:
    if finding.remedy:
        return f"{finding.remedy.title} (not tried)"
    return "needs your decision" if finding.policy.fix == "manual" else "none is known"


def _tried(snapshot: Snapshot, fix: Fix, terminal: Terminal) -> Iterator[str]:
    yield _note("fix", f"{escaped(fix.title)} ({EFFECT[fix.safety]})", terminal)
    against = objections(fix)
    if against:
        yield _note("not proven", escaped("; ".join(against)), terminal)
        return
    yield _note("proven", " · ".join(shown_by(fix.proof)), terminal)
    for title, items in (
        ("keeps", fix.proof.kept),
        ("closes", fix.proof.closed),
        ("schedules", fix.proof.scheduled),
    ):
        if items:
            yield _note(title, escaped(listed(items)), terminal)
    yield from changes_of(snapshot, fix, terminal)


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


def _next(audit: Audit, paths: tuple[str, ...]) -> Iterator[str]:
    """The commands that lead on from here, as one would type them."""
    proven = [f.fix for f in audit.open if f.fix and f.fix.proof.holds]
    written = [fix for fix in proven if fix.edits]
    if written and paths and "-" not in paths:
        yield from _fixing(written, escaped(shlex.join(paths)))
    elif proven and not paths:
        yield "auditor audit --cluster --format json  # each fix as a JSON Patch"
    elif audit.open:
        yield f"auditor policies explain {worst_first(audit.open)[0].policy.id}"


def _fixing(written: list[Fix], named: str) -> Iterator[str]:
    """How to see and how to write the fixes: the safe ones first, where there are any."""
    safe = sum(fix.safety is Safety.SAFE for fix in written)
    which = "" if safe else " --unsafe"
    shown = counted(len(written), "proven fix")
    if 0 < safe < len(written):
        shown = f"{safe} safe ones of {shown}, with --unsafe all"
    elif not safe:
        shown += ", which may change behaviour"
    yield f"auditor fix{which} {named}  # shows {shown}"
    yield f"auditor fix{which} --write {named}  # writes {'it' if len(written) == 1 else 'them'}"
