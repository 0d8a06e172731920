"""The report as Markdown for the comment of a pull request: short, the worst first, and never
longer than a comment may be. The first line is a mark by which a pipeline finds the comment that it
wrote before, to write over it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from auditor.grades import Severity
from auditor.model import Audit, Gap, Status
from auditor.reporters.assessed import assessed, date, digest
from auditor.reporters.lines import Told, told_of
from auditor.reporters.view import View
from auditor.reporters.words import counted, percent
from auditor.text import escaped

MARK = "<!-- auditor -->"
MOST = 65_536
"""Characters of a comment on GitHub: https://github.com/orgs/community/discussions/27190."""
_ROOM = 2_000
"""What is kept free for the last lines."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]()+!|~$])")
GAPS = 20
"""So many gaps are listed."""


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """The open findings, what could not be seen, and how far the answer goes."""
    found = [told for told in told_of(audit) if told.finding.status is Status.OPEN]
    top = [MARK, "", f"## {_headline(found)}", "", *_table(found), *_gaps(audit.gaps)]
    lines, left = list(top), MOST - _ROOM - sum(len(line) + 1 for line in top)
    for number, told in enumerate(found):
        entry = list(_entry(told))
        left -= sum(len(line) + 1 for line in entry)
        if left < 0:
            lines += ["", f"… and {len(found) - number} more findings."]
            break
        lines += entry
    return "\n".join([*lines, "", _extent(audit)]) + "\n"


def _headline(found: list[Told]) -> str:
    return counted(len(found), "finding") if found else "No findings in what could be seen"


def _table(found: Iterable[Told]) -> Iterator[str]:
    counts = Counter(told.finding.severity for told in found)
    if counts:
        yield "| " + " | ".join(severity.value for severity in Severity if counts[severity]) + " |"
        yield "|" + "---|" * sum(1 for severity in Severity if counts[severity])
        yield "| " + " | ".join(str(counts[s]) for s in Severity if counts[s]) + " |"
        yield ""


def _entry(told: Told) -> Iterator[str]:
    finding = told.finding
    where = f"`{code(told.file)}:{told.line}` " if told.file else ""
    yield f"- **{finding.severity}** {where}{plain(str(finding.ref))}: {plain(finding.message)}"
    yield f"  <sub>{plain(finding.policy.id)}</sub>"
    if told.fix:
        yield f"  {plain(told.fix)}"


def _gaps(gaps: Iterable[Gap]) -> Iterator[str]:
    open_now = [gap for gap in gaps if not gap.acknowledged]
    if open_now:
        yield f"**{counted(len(open_now), 'thing')} could not be seen**: no pass:"
        yield ""
        for gap in open_now[:GAPS]:
            yield f"- {plain(gap.what)}: {plain(gap.why)}"
        if len(open_now) > GAPS:
            yield f"- … and {len(open_now) - GAPS} more"
        yield ""


def _extent(audit: Audit) -> str:
    told = assessed(audit)
    share = percent(told.unanswered, told.questions) if told.questions else "0 %"
    return (
        f"<sub>Evidence of {date()}: {counted(told.objects, 'object')}, "
        f"{len(audit.policies)} policies (sha256:{digest(audit.policies)[:12]}), "
        f"{share} of the questions not assessed.</sub>"
    )


def plain(text: str) -> str:
    """Text that Markdown takes for nothing but text, and that mentions nobody."""
    shown = escaped(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", shown).replace("@", "@\u200b")


def code(text: str) -> str:
    """Text between backticks."""
    return escaped(text).replace("`", "ˋ")
