"""The report for people, in the form of a good compiler's. Knows of terminals what `Terminal` says.

Open findings come grouped by cause and worst first, each with its line, its reasons and its fix;
then what could not be seen; then what counts everything, how far the answer goes, and what to do
next. It gives no verdict on the whole: it says what was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.inventory import words
from auditor.model import Audit
from auditor.reporters.answered import answered_for
from auditor.reporters.blocks import Page, brief, shown
from auditor.reporters.boundaries import platform_lines, scope_lines
from auditor.reporters.closing import evidence, next_steps, summary, unclassified
from auditor.reporters.gaps import gap_lines, sections
from auditor.reporters.groups import blocks
from auditor.reporters.places import worst_first
from auditor.reporters.terminal import Terminal, terminal_of
from auditor.reporters.view import View
from auditor.reporters.words import counted
from auditor.text import escaped


def render(audit: Audit, view: View) -> str:
    """The audit for people to read, on a screen or in a file."""
    screen = terminal_of(view.terminal)
    return screen.shown("\n".join(_lines(audit, view, screen)) + "\n")


def _lines(audit: Audit, view: View, terminal: Terminal) -> Iterator[str]:
    page = Page(audit, terminal)
    if view.brief:
        yield from (brief(finding, page) for finding in worst_first(audit.open))
    else:
        for block in blocks(audit, audit.open):
            yield from shown(block, page)
            yield ""
    yield from answered_for(audit, terminal)
    folded = [terminal.wrapped(escaped(line), 2, 0) for line in platform_lines(audit)]
    yield from (*folded, "") if folded else ()
    yield from _gaps(audit, terminal)
    yield terminal.wrapped(summary(audit), 2, 0)
    yield from (terminal.wrapped(escaped(line), 2, 0) for line in scope_lines(audit))
    if audit.enforcer:
        yield terminal.wrapped(escaped(audit.enforcer.words), 2, 0)
    if nodes := words(audit.snapshot):
        yield terminal.wrapped(escaped(nodes), 2, 0)
    yield from (terminal.wrapped(line, 2, 0) for line in unclassified(audit))
    yield terminal.wrapped(evidence(audit, view.paths), 2, 0)
    yield from (view.ends,) if view.ends else ()
    yield from (f"next: {step}" for step in next_steps(audit, view))


def _gaps(audit: Audit, terminal: Terminal) -> Iterator[str]:
    for title, gaps in sections(audit.gaps):
        yield f"{terminal.paint('bold', title)} ({counted(len(gaps), 'gap')}):"
        for line in gap_lines(gaps):
            yield "  " + terminal.wrapped(escaped(line), 4, 2)
        yield ""
