"""The findings of a page: data that its script shows, filters and groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import Any

from auditor.fixes.sourced import SourceFix
from auditor.model import Audit, Evidence, Finding, Fix, Policy, Severity, Status
from auditor.reporters.boundaries import keeper_line, mending_line
from auditor.reporters.diff import change_lines
from auditor.reporters.excerpt import Mark, excerpt
from auditor.reporters.places import (
    Place,
    dotted,
    place_of_evidence,
    place_of_finding,
    worst_first,
)
from auditor.reporters.rendered import rendered_lines
from auditor.reporters.terminal import Terminal
from auditor.reporters.words import EFFECT, counted, objections, shown_by, trials
from auditor.text import escaped
from auditor.values import dataclass

MOST = 20_000
"""So many findings are on a page, the worst of them: more are no page that anybody reads."""
ROOM = 32_000_000
"""Characters of excerpts and diffs on one page, those of the worst findings."""
REASONS = 100
"""How many reasons of one finding are on the page."""
LONGEST = 300
"""How many lines of one change are on the page."""
_PLAIN = Terminal(colour=False, width=160, wraps=False)


@dataclass(slots=True)
class Told:
    """What the page says of findings. Not frozen: it is filled once, when made."""

    audit: Audit
    findings: list[dict[str, Any]] = field(default_factory=list)
    policies: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    room: int = field(default_factory=lambda: ROOM)
    """Characters of excerpts and diffs that are left."""
    bare: int = 0
    """How many of them stand without their lines and their diff, for want of room."""

    @property
    def document(self) -> dict[str, Any]:
        """For the script."""
        known = {policy.id: policy for policy in self.audit.policies}
        known |= {finding.policy.id: finding.policy for finding in self.audit.findings}
        return {
            "severities": [each.value for each in Severity],
            "statuses": [each.value for each in Status],
            "policies": [_policy(known[name]) for name in self.policies],
            "files": [escaped(file) for file in self.files],
            "findings": self.findings,
        }

    @property
    def cuts(self) -> Iterator[str]:
        """What of the audit is not on the page, in sentences."""
        left = len(self.audit.findings) - len(self.findings)
        if left:
            yield (
                f"{left:,} of {len(self.audit.findings):,} findings, the least severe, are not on"
                " this page: --format json and --format csv have all"
            )
        if self.bare:
            yield (
                f"{self.bare:,} findings stand here without their lines and the diff of their fix,"
                " which would make the page too large: --format json has all"
            )


def told(audit: Audit) -> Told:
    """The findings of every status, the worst first."""
    found = Told(audit)
    for finding in worst_first(audit.findings)[:MOST]:
        found.findings.append(_finding(found, finding))
    return found


def _policy(policy: Policy) -> dict[str, Any]:
    return {
        "id": escaped(policy.id),
        "title": escaped(policy.title),
        "why": escaped(" ".join(policy.description.split())),
        "controls": [escaped(control) for control in policy.controls],
        "links": [escaped(link) for link in policy.links],
    }


def _finding(page: Told, finding: Finding) -> dict[str, Any]:
    """Keys are short, since there are thousands of them; what is empty is left out."""
    place = place_of_finding(page.audit.around(finding), finding)
    said = {
        "p": page.policies.setdefault(finding.policy.id, len(page.policies)),
        "s": finding.severity.value,
        "t": finding.status.value,
        "m": escaped(finding.message),
        "n": escaped(finding.ref.namespace),
        "o": escaped(str(finding.ref)),
        "path": escaped(dotted(finding.path)),
        "id": finding.fingerprint,
        **_place(page, place),
        "e": list(_reasons(page, finding)),
        "r": escaped(_answer(finding)),
        "by": escaped("; ".join(filter(None, (keeper_line(finding), mending_line(finding))))),
        "pods": [escaped(str(pod)) for pod in finding.pods],
        **_large(page, finding, place),
    }
    return {key: value for key, value in said.items() if value not in ("", [], None)}


def _place(page: Told, place: Place | None) -> dict[str, Any]:
    """The file by its number, with line and column; nothing of a live object."""
    if place is None or place.resource.origin.live:
        return {}
    number = page.files.setdefault(place.file, len(page.files))
    return {"f": number, "l": place.span.line, "c": place.span.column}


def _answer(finding: Finding) -> str:
    """Who answers for it, where somebody does."""
    until = finding.waiver.until if finding.waiver else ""
    return f"{finding.reason} (until {until})" if until else finding.reason


def _reasons(page: Told, finding: Finding) -> Iterator[list[str]]:
    """Each reason with its place."""
    for evidence in finding.evidence[:REASONS]:
        yield [escaped(evidence.message), _where(page, finding, evidence)]
    left = len(finding.evidence) - REASONS
    if left > 0:
        yield [f"… and {counted(left, 'more reason')}: --format json has all", ""]


def _where(page: Told, finding: Finding, evidence: Evidence) -> str:
    place = place_of_evidence(page.audit.around(finding), finding, evidence)
    if place is None:
        return ""
    if place.resource.origin.live:
        return escaped(str(place.resource.ref))
    return escaped(f"{place.file}:{place.span.line}:{place.span.column}")


def _large(page: Told, finding: Finding, place: Place | None) -> dict[str, Any]:
    """The line that it is about, and what becomes of it."""
    lines, diff = _texts(page, finding, place)
    if finding.fix is None:
        return {"no": _untried(finding), "q": "\n".join(lines)}
    return {"x": _fix(finding.fix, diff), "q": "\n".join(lines)}


def _texts(page: Told, finding: Finding, place: Place | None) -> tuple[list[str], list[str]]:
    """The line and the diff of the fix; neither where there is no more room."""
    if page.room > 0:
        lines = list(excerpt([Mark(place)] if place else [], _PLAIN))[1:]
        diff = list(_changes(page, finding, finding.fix)) if finding.fix else []
        page.room -= sum(map(len, (*lines, *diff)))
        if page.room > 0:
            return lines, diff
    page.bare += 1
    return [], []


def _fix(fix: Fix, diff: list[str]) -> dict[str, Any]:
    proof = fix.proof
    said = {
        "d": "\n".join(diff),
        "t": escaped(fix.title),
        "s": fix.safety.value,
        "effect": EFFECT[fix.safety],
        "ok": proof.holds,
        "good": [escaped(each) for each in shown_by(proof)] if proof.holds else [],
        "bad": [escaped(each) for each in objections(fix)],
        "more": [
            [title, escaped(item)]
            for title, items in (
                ("keeps", proof.kept),
                ("closes", proof.closed),
                ("schedules", proof.scheduled),
                ("selects", proof.selected),
                ("assumes", proof.assumes),
                ("try it first", trials(fix)),
                ("renders as", rendered_lines(fix) if isinstance(fix, SourceFix) else ()),
            )
            for item in _some(list(items))
        ],
    }
    return {key: value for key, value in said.items() if value not in ("", [])}


def _some(items: list[str]) -> list[str]:
    more = [f"… and {len(items) - REASONS} more"] if len(items) > REASONS else []
    return [*items[:REASONS], *more]


def _untried(finding: Finding) -> str:
    if finding.remedy:
        return escaped(f"{finding.remedy.title} (not tried)")
    return "needs your decision" if finding.policy.fix == "manual" else "none is known"


def _changes(page: Told, finding: Finding, fix: Fix) -> Iterator[str]:
    """The change of a proven fix, and of one whose place in the sources is not known."""
    if not fix.proof.holds and not (isinstance(fix, SourceFix) and fix.changes and not fix.edits):
        return
    lines = list(change_lines(page.audit.around(finding), fix))
    yield from lines[:LONGEST]
    if len(lines) > LONGEST:
        yield f"… and {len(lines) - LONGEST} more lines: auditor fix shows all"
