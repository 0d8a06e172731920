"""Controls as a ClusterReport of openreports.io for each framework."""

from __future__ import annotations

from auditor.reporters.frameworks.policy_report import written
from auditor.reporters.frameworks.view import View
from auditor.reporters.policy_report import OPEN


def render(view: View) -> str:
    """YAML documents, to be applied with kubectl."""
    return written(view, OPEN)
