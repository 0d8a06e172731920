"""The report as a table (RFC 4180): one line for each finding, and one for each gap.

A spreadsheet would take a text that begins with ``=``, ``+``, ``-`` or ``@`` for a formula: such a
text has an apostrophe before it (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from auditor.model import Audit
from auditor.reporters.lines import Told, told_of
from auditor.reporters.view import View
from auditor.text import escaped

COLUMNS = (
    "kind", "severity", "policy", "namespace", "object", "anchor", "message", "file", "line",
    "column", "status", "reason", "fix", "fingerprint",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """The audit, with a line of headings."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in (*_findings(audit), *_gaps(audit)):
        writer.writerow(map(cell, row))
    return text.getvalue()


def _findings(audit: Audit) -> Iterator[tuple[str, ...]]:
    for told in told_of(audit):
        finding = told.finding
        yield (
            "finding", finding.severity.value, finding.policy.id, finding.ref.namespace,
            str(finding.ref), finding.anchor, finding.message, *_place(told),
            finding.status.value, finding.reason, told.fix, finding.fingerprint,
        )  # fmt: skip


def _place(told: Told) -> tuple[str, str, str]:
    return (told.file, str(told.line), str(told.column)) if told.file else ("", "", "")


def _gaps(audit: Audit) -> Iterator[tuple[str, ...]]:
    for gap in audit.gaps:
        ref = gap.ref
        status = "acknowledged" if gap.acknowledged else "open"
        yield (
            "gap", gap.severity.value, "", ref.namespace if ref else "", str(ref) if ref else "",
            gap.what, gap.why, "", "", "", status, gap.acknowledged, "", "",
        )  # fmt: skip


def cell(text: str) -> str:
    """A text as a spreadsheet shows it, and takes it for nothing else."""
    shown = "\n".join(map(escaped, text.split("\n")))
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
