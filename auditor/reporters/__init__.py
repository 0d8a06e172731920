"""What turns an audit into a report."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import TextIO

from auditor.model import Audit
from auditor.reporters.discreet import discreet

REPORTERS: Mapping[str, str] = {
    "text": "auditor.reporters.text",
    "json": "auditor.reporters.json",
    "sarif": "auditor.reporters.sarif",
}
"""Form → the module whose `render` writes it, loaded when it is asked for."""

Render = Callable[[Audit, tuple[str, ...], TextIO | None], str]


def render(form: str, audit: Audit, *, paths: tuple[str, ...], terminal: TextIO | None) -> str:
    """The report of `audit`, with a line break at its end.

    `form` is a key of REPORTERS. `paths` is what the user named, empty for a cluster. `terminal`
    is the stream that the report goes to, or None for a file: only a text report looks at it, for
    its width and for whether it takes colours. No report shows a credential.
    """
    reporter: Render = importlib.import_module(REPORTERS[form]).render
    return reporter(discreet(audit), paths, terminal)
