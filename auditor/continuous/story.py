"""What is new, and what is over, from one audit to the next: a line for each, and none where
nothing has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from auditor.credentials import told
from auditor.known import Known
from auditor.model import Audit, Finding, Gap, Ref
from auditor.reporters.lines import unassessed
from auditor.reporters.words import counted
from auditor.text import escaped
from auditor.values import dataclass

MOST_LINES = 100
"""Of one sort in one audit; the metrics and the reports have the others."""
NEW, RESOLVED = "new finding", "resolved finding"
NEW_GAP, CLOSED_GAP = "new gap", "closed gap"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    what: str
    fields: dict[str, Any]
    grave: bool = False
    """Whether it asks for somebody."""


class Story:
    """Remembers what was told. The findings of the first audit are counted and not listed: after a
    restart, nothing of it is news.
    """

    def __init__(self) -> None:
        self._open: dict[str, Finding] | None = None
        self._gaps: dict[tuple[str, Ref | None], Gap] = {}
        self.unknown: frozenset[Ref] = frozenset()
        """The objects of which something was found that cannot be looked at now: it is neither
        there nor gone."""

    def tell(self, audit: Audit) -> list[Line]:
        """What `audit` has that the one before had not, and the other way round."""
        before, now = self._open, {finding.fingerprint: finding for finding in audit.open}
        gone = [found for key, found in (before or {}).items() if key not in now]
        held = list(_unseen(gone, audit))
        self.unknown = frozenset(finding.ref for finding in held)
        self._open = now | {finding.fingerprint: finding for finding in held}
        lines = [_counts(audit)] if before is None else []
        if before is not None:
            known = Known.of(before.values())
            lines += _some(NEW, (f for f in audit.open if f not in known), grave=True)
            lines += _some(RESOLVED, (f for f in gone if f.fingerprint not in self._open))
        return lines + self._told_gaps(audit)

    def _told_gaps(self, audit: Audit) -> list[Line]:
        # By what is missing: that the server words its reason anew is no news.
        now = {(gap.what, gap.ref): gap for gap in audit.gaps if not gap.acknowledged}
        before, self._gaps = self._gaps, now
        new = [_gap(NEW_GAP, gap) for key, gap in now.items() if key not in before]
        closed = [_gap(CLOSED_GAP, gap) for key, gap in before.items() if key not in now]
        return [*_bounded(NEW_GAP, new), *_bounded(CLOSED_GAP, closed)]


def _unseen(gone: Iterable[Finding], audit: Audit) -> Iterator[Finding]:
    """Those of which nobody can say whether they are gone: their policy, or their kind, could not
    be looked at.
    """
    policies = unassessed(audit)
    kinds = {kind for gap in audit.gaps for kind in gap.kinds}
    for finding in gone:
        if finding.policy.id in policies or not kinds.isdisjoint((finding.ref.kind, "*")):
            yield finding


def _counts(audit: Audit) -> Line:
    objects = counted(len(audit.snapshot.resources), "object")
    found = f"{counted(len(audit.open), 'finding')}, {counted(len(audit.gaps), 'gap')}"
    return Line("first audit", {"told": f"{objects}, {found}"})


def _some(what: str, findings: Iterable[Finding], *, grave: bool = False) -> list[Line]:
    return _bounded(what, [_finding(what, each, grave=grave) for each in findings])


def _bounded(what: str, lines: list[Line]) -> list[Line]:
    if len(lines) <= MOST_LINES:
        return lines
    more = Line(what, {"told": f"and {len(lines) - MOST_LINES} more"}, lines[0].grave)
    return [*lines[:MOST_LINES], more]


def _finding(what: str, finding: Finding, *, grave: bool) -> Line:
    fields = {
        "severity": finding.severity.value,
        "policy": finding.policy.id,
        "object": _plain(str(finding.ref)),
        "fingerprint": finding.fingerprint,
        "told": _plain(finding.message),
    }
    return Line(what, fields, grave)


def _plain(text: str) -> str:
    """Words of others: no credential, and nothing that a terminal would obey."""
    return escaped(told(text))


def _gap(what: str, gap: Gap) -> Line:
    fields = {"severity": gap.severity.value, "of": _plain(gap.what), "why": _plain(gap.why)}
    return Line(what, fields, grave=what == NEW_GAP)
