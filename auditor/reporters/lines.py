"""What a report with one entry for each finding says of it: its place, a sentence on its fix."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model import Audit, Finding
from auditor.reporters.places import place_of_finding, worst_first
from auditor.reporters.words import objections
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, and where it stands."""

    finding: Finding
    file: str
    """As the user named it; of a live object a made-up path; empty where it stands nowhere."""
    line: int
    column: int
    live: bool

    @property
    def where(self) -> str:
        """``file:line:column:``."""
        return f"{self.file}:{self.line}:{self.column}:"

    @property
    def fix(self) -> str:
        """A sentence about the fix; empty where there is none."""
        fix = self.finding.fix
        if fix is None:
            return ""
        if fix.proof.holds:
            return f"fix: {fix.title} ({fix.safety}, proven)"
        return f"fix: {fix.title} (not proven: {'; '.join(objections(fix))})"


def told_of(audit: Audit) -> Iterator[Told]:
    """Every finding, the worst first."""
    for finding in worst_first(audit.findings):
        place = place_of_finding(audit.around(finding), finding)
        if place is None:
            yield Told(finding, "", 1, 1, live=False)
        else:
            live = place.resource.origin.live
            yield Told(finding, place.file, place.span.line, place.span.column, live=live)


def unassessed(audit: Audit) -> dict[str, str]:
    """By its id, why a policy could not be asked about all of its objects."""
    ids = {policy.id for policy in audit.policies}
    found: dict[str, str] = {}
    for gap in audit.gaps:
        if gap.policy in ids:
            found.setdefault(gap.policy, gap.why)
    return found
