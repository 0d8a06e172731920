"""Controls as a table (RFC 4180): one line for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from auditor.frameworks.assessment import Assessed
from auditor.reporters.csv import cell
from auditor.reporters.frameworks.view import View, looked, where

COLUMNS = (
    "framework", "section", "control", "title", "status", "why", "partly", "policies", "findings",
    "first finding", "file", "objects judged",
)  # fmt: skip


def render(view: View) -> str:
    """The controls, with a line of headings."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in _rows(view):
        writer.writerow(map(cell, row))
    return text.getvalue()


def _rows(view: View) -> Iterator[tuple[str, ...]]:
    for answer in view.answers:
        for one in answer.controls:
            yield (
                answer.framework.id, answer.framework.section_of(one.name), one.name,
                one.control.title, one.status.value, "; ".join(one.why), "; ".join(one.partly),
                "; ".join(map(looked, one.looks)), str(len(one.findings)), *_first(one, view),
                str(sum(look.objects for look in one.looks)),
            )  # fmt: skip


def _first(one: Assessed, view: View) -> tuple[str, str]:
    """The gravest finding and its place."""
    told = [view.told(finding) for finding in one.findings]
    if not told:
        return "", ""
    first = min(told, key=lambda each: each.finding.severity.rank)
    return f"{first.finding.ref}: {first.finding.message}", where(first)
