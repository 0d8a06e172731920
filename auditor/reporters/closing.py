"""How a report for people ends: what counts everything, how far the answer goes, what is next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from auditor import credentials
from auditor.model import Audit, Fix, Safety, Status
from auditor.reporters.assessed import assessed, date, digest
from auditor.reporters.places import worst_first
from auditor.reporters.view import View
from auditor.reporters.words import by_status, counted, kubernetes_version, percent
from auditor.text import escaped


def summary(audit: Audit) -> str:
    """What was found, what was not seen, and what was looked at, each in numbers."""
    count = by_status(audit)
    open_now = count[Status.OPEN]
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
        if (number := sum(count[status].values()))
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


def unclassified(audit: Audit) -> Iterator[str]:
    """Of how many workloads nobody said whether they hold personal data: policies on such data say
    nothing about them.
    """
    if audit.unclassified:
        total = counted(len(audit.workloads), "workload")
        yield f"unclassified: {len(audit.unclassified)} of {total}; see auditor classify"
    elif audit.workloads:
        yield f"unclassified: none of {counted(len(audit.workloads), 'workload')}"


def evidence(audit: Audit, paths: tuple[str, ...]) -> str:
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


def next_steps(audit: Audit, view: View) -> Iterator[str]:
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
