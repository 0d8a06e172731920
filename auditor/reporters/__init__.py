"""What turns an audit into a report."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TextIO

from auditor.memory import collector_paused
from auditor.model import Audit
from auditor.reporters.discreet import discreet
from auditor.reporters.places import locate
from auditor.reporters.view import State, View

REPORTERS: Mapping[str, str] = {
    "text": "auditor.reporters.text",
    "json": "auditor.reporters.json",
    "sarif": "auditor.reporters.sarif",
    "markdown": "auditor.reporters.markdown",
    "github": "auditor.reporters.github",
    "gitlab": "auditor.reporters.gitlab",
    "junit": "auditor.reporters.junit",
    "csv": "auditor.reporters.csv",
    "policyreport": "auditor.reporters.policy_report",
    "openreports": "auditor.reporters.open_report",
    "prometheus": "auditor.reporters.prometheus",
    "html": "auditor.reporters.html.report",
}
"""Form → the module whose `render` writes it, or whose `pieces` do, loaded when it is asked for."""


def render(form: str, audit: Audit, **view: Any) -> str:
    """The report of `audit`, with a line break at its end: see `pieces`."""
    return "".join(pieces(form, audit, **view))


def pieces(  # noqa: PLR0913
    form: str,
    audit: Audit,
    *,
    paths: tuple[str, ...],
    terminal: TextIO | None,
    brief: bool = False,
    sarif: str = "full",
    flags: Mapping[str, tuple[str, ...]] | None = None,
    ends: str = "",
    states: tuple[State, ...] = (),
    say: Callable[[str], None] | None = None,
) -> list[str]:
    """The report of `audit`, with a line break at its end, in pieces: one text of all may be large.

    `form` is a key of REPORTERS. `paths` is what the user named, empty for a cluster. `terminal`
    is the stream that the report goes to, or None for a file: only a text report looks at it, for
    its width and for whether it takes colours. `brief` gives a text report one line per finding,
    `sarif` is a profile of SARIF, `flags` are those that the next commands repeat, `ends`
    says why the run ends as it does. `states` are what is behind the audit. `say` is told
    what a report leaves out. No report shows a credential.
    """
    reporter = importlib.import_module(REPORTERS[form])
    view = View(paths, terminal, brief, sarif, flags or {}, ends, states)
    with collector_paused():
        shown = discreet(audit)
        view = replace(view, say=say) if say else view
        if hasattr(reporter, "pieces"):
            return list(reporter.pieces(shown, view))
        locate(shown)
        return [reporter.render(shown, view)]
