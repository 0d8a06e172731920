"""The audit as a page: one file to open, to look around in, to print and to hand on. It loads
nothing, sends nothing, and shows whatever manifests hold as text.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from auditor.model import Audit
from auditor.reporters.closing import evidence
from auditor.reporters.html import frame
from auditor.reporters.html.findings import told
from auditor.reporters.html.overview import cards, gaps, remarks
from auditor.reporters.html.pictures import STATES, network, placement, scenes
from auditor.reporters.network.svg import STYLE as NETWORK
from auditor.reporters.placement.svg import STYLE as PLACEMENT
from auditor.reporters.view import View
from auditor.reporters.words import counted
from auditor.text import escaped
from auditor.values import dataclass

_NO_SCRIPT = "The findings are shown by a script of this page, which your browser does not run."


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page, which the navigation leads to."""

    name: str
    """Its id."""
    title: str
    markup: str
    count: str = ""
    """Beside the title in the navigation."""


def render(audit: Audit, view: View) -> str:
    """The page; what is not on it is said besides."""
    return page(_title(view), evidence(audit, view.paths), list(_sections(audit, view)))


def page(title: str, about: str, sections: Sequence[Section]) -> str:
    """A page of these sections; whoever has more to tell of an audit adds one."""
    body = "\n".join(
        (
            f'<a class="skip" href="#{sections[0].name}">Skip to the report</a>',
            frame.header(title, f'<p class="quiet">{frame.text(about)}</p>'),
            _navigation(sections),
            "<main>",
            *map(_section, sections),
            "</main>",
            f"<noscript><p>{_NO_SCRIPT}</p></noscript>",
        )
    )
    scripts = ("findings.js", "graph.js", "map.js", "report.js")
    return frame.page(title, body, (frame.asset("report.css"), NETWORK, PLACEMENT), scripts)


def _title(view: View) -> str:
    if not view.paths:
        return "Audit of a cluster"
    return f"Audit of {escaped(shlex.join(view.paths))}"


def _sections(audit: Audit, view: View) -> Iterator[Section]:
    found = told(audit)
    for cut in found.cuts:
        view.say(cut)
    cuts = "".join(f'<p class="note">{frame.text(cut)}.</p>' for cut in found.cuts)
    yield Section("gaps", "What was not seen", gaps(audit), f"{len(audit.gaps):,}")
    yield Section(
        "summary", "Summary", f'<div class="cards">{cards(audit)}</div>{remarks(audit, view)}'
    )
    markup = f"{cuts}{frame.asset('findings.html')}{frame.block('findings-data', found.document)}"
    yield Section("findings", "Findings", markup, f"{len(audit.findings):,}")
    yield from _pictures(view)


def _pictures(view: View) -> Iterator[Section]:
    """Nothing where whoever asks for the page knows of no state that could be drawn."""
    drawn = scenes(view.states)
    if not drawn:
        return
    left = counted(len(view.states) - STATES, "more state")
    note = f'<p class="note">{left} of the files are not drawn here.</p>'
    note = note if len(view.states) > STATES else ""
    yield Section("network", "Who reaches whom", note + network(drawn))
    yield Section("placement", "Where workloads run", note + placement(drawn))


def _navigation(sections: Sequence[Section]) -> str:
    links = "".join(
        f'<li><a href="#{one.name}">{frame.text(one.title)}'
        f"{f' <span>{one.count}</span>' if one.count else ''}</a></li>"
        for one in sections
    )
    return f'<nav aria-label="Parts of the report"><ul>{links}</ul></nav>'


def _section(one: Section) -> str:
    return (
        f'<section id="{one.name}" aria-labelledby="{one.name}-title">'
        f'<h2 id="{one.name}-title">{frame.text(one.title)}</h2>\n{one.markup}\n</section>'
    )
