"""The top of a page: what was not seen, then what counts everything and how far the answer goes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.inventory import words
from auditor.model import Audit, Gap, Severity, Status
from auditor.reporters.boundaries import platform_lines, scope_lines
from auditor.reporters.closing import next_steps, summary, unclassified
from auditor.reporters.gaps import heading
from auditor.reporters.html.frame import text
from auditor.reporters.view import View
from auditor.reporters.words import by_severity, counted

FEW = 8
"""So many gaps stand open on the page, the others behind a line that counts them."""
MOST = 2_000
"""So many gaps are on the page."""


def gaps(audit: Audit) -> str:
    """What was not seen: never a pass. Those that nobody answers for come first."""
    found = sorted(audit.gaps, key=lambda gap: (bool(gap.acknowledged), gap.severity.value))
    if not found:
        return "<p>No gaps: every question that was asked has an answer.</p>"
    shown = found[:MOST]
    parts = ["<p>Nothing here counts as passed.</p>", _list(shown[:FEW])]
    if len(shown) > FEW:
        more = counted(len(shown) - FEW, "more gap")
        parts.append(f"<details><summary>{more}</summary>{_list(shown[FEW:])}</details>")
    if len(found) > MOST:
        left = counted(len(found) - MOST, "gap")
        parts.append(f"<p>{left} are not on this page: --format json has all.</p>")
    return "\n".join(parts)


def _list(found: Sequence[Gap]) -> str:
    return f'<ul class="gaps">{"".join(map(_gap, found))}</ul>'


def _gap(gap: Gap) -> str:
    known = f"; acknowledged: {gap.acknowledged}" if gap.acknowledged else ""
    look = "known" if gap.acknowledged else gap.severity.value
    return (
        f'<li class="{look}"><b>{text(gap.what)}</b> {heading(gap)}: {text(gap.why + known)}</li>'
    )


def cards(audit: Audit) -> str:
    """How many open findings there are of each severity: each a button that shows them."""
    found = by_severity(audit, Status.OPEN)
    return "".join(
        f'<button type="button" class="card {severity.value}" data-severity="{severity.value}">'
        f"<b>{found[severity.value]:,}</b> {severity.value}</button>"
        for severity in Severity
    )


def remarks(audit: Audit, view: View) -> str:
    """The sentences that end a report for people, and the commands that lead on."""
    lines = "".join(f"<li>{text(line)}</li>" for line in _remarks(audit, view))
    steps = "\n".join(map(text, next_steps(audit, view)))
    following = f'<h3>Next</h3><pre class="steps">{steps}</pre>' if steps else ""
    return f'<ul class="plain">{lines}</ul>{following}'


def _remarks(audit: Audit, view: View) -> Iterator[str]:
    yield summary(audit)
    yield from scope_lines(audit)
    if audit.enforcer:
        yield audit.enforcer.words
    if nodes := words(audit.snapshot):
        yield nodes
    yield from unclassified(audit)
    yield from platform_lines(audit)
    yield from (view.ends,) if view.ends else ()
