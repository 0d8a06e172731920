"""The part of the text report about what somebody answers for: waivers, acknowledged gaps, what a
pinned set of policies does not ask yet, and what a change would waive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from auditor.model import Audit, Finding, Status, Waiver
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import counted
from auditor.text import escaped

MOST = 20
"""How many of each sort are shown: the JSON report has all."""


def answered_for(audit: Audit, terminal: Terminal) -> Iterator[str]:
    """Each sort under a title of its own; nothing where there is none."""
    waived = [_waived(f, f.waiver) for f in audit.findings if f.waiver]
    yield from _section("waived", "finding", waived, terminal)
    known = [f"{g.what}: {g.why} (acknowledged: {g.acknowledged})" for g in audit.gaps]
    known = [line for line, gap in zip(known, audit.gaps, strict=True) if gap.acknowledged]
    yield from _section("acknowledged", "gap", known, terminal)
    yield from _section("upcoming", "policy", list(_upcoming(audit)), terminal)
    added = [f"{w.policy} for {w.object}: {w.reason} ({w.origin})" for w in audit.added]
    yield from _section("added by this change, and not counted", "waiver", added, terminal)


def _waived(finding: Finding, waiver: Waiver) -> str:
    said = f"{finding.policy.id} {finding.ref}: {waiver.reason}"
    until = f", until {waiver.until}" if waiver.until else ""
    return f"{said}{until} ({waiver.origin})" if waiver.origin else f"{said}{until}"


def _upcoming(audit: Audit) -> Iterator[str]:
    found = Counter(f.policy.id for f in audit.findings if f.status is Status.UPCOMING)
    since = {f.policy.id: f.policy.since for f in audit.findings}
    for policy, number in sorted(found.items()):
        found_there = counted(number, "finding")
        yield f"{policy}: {found_there}, which fail from policy set {since[policy]} on"


def _section(title: str, thing: str, lines: list[str], terminal: Terminal) -> Iterator[str]:
    if not lines:
        return
    yield f"{terminal.paint('bold', title)} ({counted(len(lines), thing)}):"
    for line in lines[:MOST]:
        yield "  " + terminal.wrapped(escaped(line), 4, 2)
    if len(lines) > MOST:
        yield f"  and {len(lines) - MOST} more"
    yield ""
