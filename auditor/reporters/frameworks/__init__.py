"""What an audit is evidence of, control by control, in every form that an audit has. Forms for
tools that show findings in their place (a page, SARIF, annotations, code quality) have those; in
SARIF each rule has the controls that it is about.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from auditor.frameworks.assessment import Terms, assess
from auditor.frameworks.catalogue import Framework
from auditor.memory import collector_paused
from auditor.model import Audit
from auditor.reporters import pieces as pieces_of_audit
from auditor.reporters.discreet import discreet
from auditor.reporters.frameworks.view import Answer, View
from auditor.reporters.places import locate
from auditor.values import dataclass

FORMS: Mapping[str, str] = {
    "text": "auditor.reporters.frameworks.text",
    "json": "auditor.reporters.frameworks.document",
    "markdown": "auditor.reporters.frameworks.markdown",
    "csv": "auditor.reporters.frameworks.csv",
    "junit": "auditor.reporters.frameworks.junit",
    "prometheus": "auditor.reporters.frameworks.prometheus",
    "policyreport": "auditor.reporters.frameworks.policy_report",
    "openreports": "auditor.reporters.frameworks.open_report",
}
"""Form → the module whose `render` writes it; any other is the form of an audit."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An audit, and what becomes of the controls of each framework by it."""

    audit: Audit
    shown: Audit
    """The same without credentials: what the answers speak of."""
    answers: tuple[Answer, ...]


def evidence(audit: Audit, frameworks: Sequence[Framework], terms: Terms) -> Evidence:
    """What the audit is evidence of: worked out once, for every report and for the exit code."""
    with collector_paused():
        shown = discreet(audit)
        answers = tuple(Answer(one, assess(shown, one, terms)) for one in frameworks)
    return Evidence(audit, shown, answers)


def pieces(form: str, told: Evidence, **view: Any) -> list[str]:
    """The report on the controls, with a line break at its end. `view` is as
    `auditor.reporters.pieces` takes it. No report shows a credential.
    """
    if form not in FORMS:
        return pieces_of_audit(form, told.audit, **view)
    render: Callable[[View], str] = importlib.import_module(FORMS[form]).render
    with collector_paused():
        locate(told.shown)
        seen = View(told.shown, told.answers, view["paths"], view["terminal"], brief=view["brief"],
                    ends=view["ends"])  # fmt: skip
        return [render(seen)]
