"""`auditor network graph`: a picture of who reaches whom."""

from __future__ import annotations

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.network.reading import Read, Reading, State, read_all, reading_options, say_unseen


@click.command(short_help="Draw who reaches whom.")
@reading_options
@network_outputs("svg", "dot", "mermaid", "html")
def graph(read: Read, outputs: Forms) -> int:
    """Draw who reaches whom in PATH: as SVG, for Graphviz or Mermaid, or as a page to look around
    in, which is one file and loads nothing.

    What everything in the cluster reaches on every port is marked, without a line from each.
    """
    from auditor.cli.progress import progress

    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_all(read)
        now("asking who reaches whom")
        say_unseen(reading, quiet=outputs.quiet)
        state = _drawn(reading)
        outputs.write(lambda form: _rendered(form, state, reading))
    return reading.code


def _drawn(reading: Reading) -> State:
    """The state that is drawn: the first, where there are several and none was asked for."""
    from auditor.cli.screen import say

    first, *rest = reading.states
    if rest:
        names = ", ".join(f"'{state.name}'" for state in rest)
        say(f"drawn is '{first.name}'; --variant draws another: {names}", err=True)
    return first


def _rendered(form: str, state: State, reading: Reading) -> str:
    from auditor.reporters.network import dot
    from auditor.reporters.network.picture import picture

    drawn = picture(state.connections, state.told, state.name)
    if form == "svg":
        from auditor.reporters.network.svg import svg

        return svg(drawn)
    if form == "html":
        from auditor.cli.network.reading import rejections, unseen
        from auditor.reporters.network.page import page

        return page(drawn, [*rejections(reading), *unseen(reading.gaps)])
    return dot.dot([drawn]) if form == "dot" else dot.mermaid([drawn])
