"""The report for GitLab's Code Quality: a list of issues, of which each has a file and a line.

Form: https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. Issues of one
fingerprint would become one, so that each has its own; gaps are issues too, of the first file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import orjson

from auditor.grades import Severity, Unseen
from auditor.model import Audit, Gap, Status
from auditor.reporters.lines import Told, told_of
from auditor.reporters.view import View
from auditor.text import escaped

SEVERITIES = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}
NOWHERE = "cluster"
"""What stands for a file where there is none."""


def render(audit: Audit, view: View) -> str:
    """The open findings, and what could not be seen."""
    seen: Counter[str] = Counter()
    issues = [_issue(told, seen) for told in told_of(audit) if told.finding.status is Status.OPEN]
    where = next(iter(view.paths), NOWHERE)
    issues += [_gap(gap, where) for gap in audit.gaps if not gap.acknowledged]
    return orjson.dumps(issues, option=orjson.OPT_INDENT_2).decode() + "\n"


def _issue(told: Told, seen: Counter[str]) -> dict[str, Any]:
    finding = told.finding
    seen[finding.fingerprint] += 1
    path = told.file or NOWHERE
    return {
        "description": escaped(f"{finding.ref}: {finding.message}"),
        "check_name": finding.policy.id,
        "fingerprint": _digest(finding.fingerprint, path, str(seen[finding.fingerprint])),
        "severity": SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": told.line}},
    }


def _gap(gap: Gap, path: str) -> dict[str, Any]:
    return {
        "description": escaped(f"could not be seen: {gap.what}: {gap.why}"),
        "check_name": "gap",
        "fingerprint": _digest("gap", gap.what, gap.why),
        "severity": "major" if gap.severity is Unseen.INCOMPLETE else "info",
        "location": {"path": path, "lines": {"begin": 1}},
    }


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
