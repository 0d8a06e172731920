"""The report as ``openreports.io`` objects: as `policy_report`, in the other dialect."""

from __future__ import annotations

from auditor.model import Audit
from auditor.reporters.policy_report import OPEN, written
from auditor.reporters.view import View


def render(audit: Audit, view: View) -> str:  # noqa: ARG001 - all reporters are called alike
    """YAML documents, to be applied with kubectl."""
    return written(audit, OPEN)
