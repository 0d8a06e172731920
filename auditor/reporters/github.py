"""The report as commands of GitHub's workflows: an annotation for each open finding, worst first.

GitHub shows ten errors and ten warnings of a step; what is beyond that is said in one line.
Form: https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.grades import Severity, Unseen
from auditor.model import Audit, Gap, Status
from auditor.reporters.lines import Told, told_of
from auditor.reporters.view import View
from auditor.reporters.words import counted
from auditor.text import escaped

SHOWN = 10
"""Annotations of one level that GitHub shows of a step."""
_LEVELS = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
    Severity.INFO: "notice",
}


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """One command a line."""
    return "".join(f"{line}\n" for line in _lines(audit))


def _lines(audit: Audit) -> Iterator[str]:
    found = [told for told in told_of(audit) if told.finding.status is Status.OPEN]
    gaps = [gap for gap in audit.gaps if not gap.acknowledged]
    yield from map(_gap, gaps[:SHOWN])
    yield from map(_annotation, found)
    errors = sum(_LEVELS[told.finding.severity] == "error" for told in found)
    if errors + len(gaps) > SHOWN:
        rest = f"{counted(len(found), 'finding')} and {counted(len(gaps), 'gap')} in all"
        yield f"::notice title=auditor::{rest}; GitHub shows {SHOWN} of each level"


def _annotation(told: Told) -> str:
    finding = told.finding
    place = {"title": f"{finding.severity} {finding.policy.id}"}
    if told.file and not told.live:
        place |= {"file": told.file, "line": str(told.line), "col": str(told.column)}
    text = f"{finding.ref}: {finding.message}"
    return _command(_LEVELS[finding.severity], place, f"{text}\n{told.fix}" if told.fix else text)


def _gap(gap: Gap) -> str:
    level = "error" if gap.severity is Unseen.INCOMPLETE else "warning"
    return _command(level, {"title": "could not be seen"}, f"{gap.what}: {gap.why}")


def _command(level: str, place: dict[str, str], text: str) -> str:
    options = ",".join(f"{key}={_property(value)}" for key, value in place.items())
    return f"::{level} {options}::{_data(text)}"


def _data(text: str) -> str:
    shown = "\n".join(map(escaped, text.split("\n")))
    return shown.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
