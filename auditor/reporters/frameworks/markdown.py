"""Controls as Markdown for the comment of a pull request, never longer than a comment may be: what
failed in full, what was not assessed by its reason, and the rest in numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.frameworks.assessment import Assessed, ControlStatus, answered
from auditor.reporters.assessed import date, digest
from auditor.reporters.frameworks.view import WORDS, Answer, View, looked, where
from auditor.reporters.markdown import MARK, MOST, code, plain
from auditor.reporters.words import counted

_ROOM = 2_000
"""Characters that are kept free for the last lines."""
FINDINGS = 5
"""So many of a control are listed."""


def render(view: View) -> str:
    """Each framework, and how far the answer goes."""
    lines, left = [MARK, ""], MOST - _ROOM
    for line in _lines(view):
        left -= len(line) + 1
        if left < 0:
            lines += ["", "… the rest is left out: a comment may be no longer."]
            break
        lines.append(line)
    return "\n".join([*lines, "", _extent(view)]) + "\n"


def _lines(view: View) -> Iterator[str]:
    for answer in view.answers:
        yield f"## {plain(answer.framework.title)}"
        yield ""
        yield from _counts(answer)
        for status in (ControlStatus.FAILED, ControlStatus.WAIVED):
            for one in _of(answer, status):
                yield from _entry(one, view)
        yield from _table(answer)


def _of(answer: Answer, status: ControlStatus) -> list[Assessed]:
    return [one for one in answer.controls if one.status is status]


def _counts(answer: Answer) -> Iterator[str]:
    counts = {status: number for status, number in answer.counts.items() if number}
    yield "| " + " | ".join(counts) + " |"
    yield "|" + "---|" * len(counts)
    yield "| " + " | ".join(map(str, counts.values())) + " |"
    yield ""


def _entry(one: Assessed, view: View) -> Iterator[str]:
    yield f"- **{one.status}** {plain(one.name)}: {plain(one.control.title)}"
    told = [view.told(finding) for finding in one.findings]
    told.sort(key=lambda each: (answered(each.finding), each.finding.severity.rank))
    for each in told[:FINDINGS]:
        place = f"`{code(where(each))}` " if each.file else ""
        status = f" ({each.finding.status})" if answered(each.finding) else ""
        yield f"  - {place}{plain(str(each.finding.ref))}: {plain(each.finding.message)}{status}"
    if len(told) > FINDINGS:
        yield f"  - … and {counted(len(told) - FINDINGS, 'more finding')}"
    label = "not all was seen: " if one.status is ControlStatus.FAILED else ""
    yield from (f"  - {label}{plain(line)}" for line in one.why)


def _table(answer: Answer) -> Iterator[str]:
    others = [ControlStatus.NOT_ASSESSED, ControlStatus.MANUAL, ControlStatus.PASSED]
    for status in others:
        found = _of(answer, status)
        if found:
            yield ""
            yield f"<details><summary>{counted(len(found), 'control')}: {status}</summary>"
            yield ""
            yield "| control | | evidence |"
            yield "|---|---|---|"
            yield from map(_row, found)
            yield ""
            yield "</details>"


def _row(one: Assessed) -> str:
    partly = [f"partly: {'; '.join(one.partly)}"] if one.partly else []
    seen = [*one.why] if one.why else [*map(looked, one.looks), *partly]
    return f"| {plain(one.name)} | {plain(one.control.title)} | {plain('; '.join(seen))} |"


def _extent(view: View) -> str:
    audit = view.audit
    return (
        f"<sub>{WORDS} Evidence of {date()}: {counted(len(audit.snapshot.resources), 'object')}, "
        f"{counted(len(audit.policies), 'policy')} (sha256:{digest(audit.policies)[:12]}).</sub>"
    )
