"""What turns an audit into a report."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TextIO

from auditor.model import Audit
from auditor.reporters.discreet import discreet
from auditor.reporters.places import locate
from auditor.reporters.view import View
from auditor.sources.memory import collector_paused

REPORTERS: Mapping[str, str] = {
    "text": "auditor.reporters.text",
    "json": "auditor.reporters.json",
    "sarif": "auditor.reporters.sarif",
}
"""Form → the module whose `render` writes it, loaded when it is asked for."""

Render = Callable[[Audit, View], str]


def render(  # noqa: PLR0913
    form: str,
    audit: Audit,
    *,
    paths: tuple[str, ...],
    terminal: TextIO | None,
    brief: bool = False,
    sarif: str = "full",
    say: Callable[[str], None] | None = None,
) -> str:
    """The report of `audit`, with a line break at its end.

    `form` is a key of REPORTERS. `paths` is what the user named, empty for a cluster. `terminal`
    is the stream that the report goes to, or None for a file: only a text report looks at it, for
    its width and for whether it takes colours. `brief` gives a text report one line per finding,
    `sarif` is a profile of SARIF. `say` is told what a report leaves out. No report shows a
    credential.
    """
    reporter: Render = importlib.import_module(REPORTERS[form]).render
    view = View(paths, terminal, brief, sarif)
    with collector_paused():
        shown = discreet(audit)
        locate(shown)
        return reporter(shown, replace(view, say=say) if say else view)
