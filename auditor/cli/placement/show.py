"""`auditor placement show`: a map of zones, racks and nodes with what runs there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.placement.reading import Read, Reading, placement_reading, read_placement, say_read

if TYPE_CHECKING:
    from auditor.facts.scenarios.plan import Plan


@click.command(short_help="Draw zones, racks and nodes with what runs there.")
@placement_reading
@click.option("--hops", is_flag=True, help="Say over how many links who calls whom.")
@network_outputs("text", "json", "svg", "html")
def show(read: Read, hops: bool, outputs: Forms) -> int:
    """Draw the zones, racks and nodes of the cluster under PATH with the workloads on them: where
    pods are or, where none runs, where the simulated scheduler puts them. Pods without a node are
    listed with why; without any node, what each workload needs.
    """
    from auditor.cli.progress import progress
    from auditor.memory import collector_paused

    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_placement(read)
        now("placing pods")
        say_read(reading, quiet=outputs.quiet)
        with collector_paused():
            found, doubts = _planned(reading)
        outputs.write(lambda form: _rendered(form, found, doubts, reading, outputs, hops=hops))
    return reading.code(doubts)


def _planned(reading: Reading) -> tuple[Plan, tuple[str, ...]]:
    from auditor.facts.scenarios.plan import plan

    cluster, snapshot = reading.cluster, reading.facts.snapshot
    shown = []
    for group in cluster.groups:
        found = snapshot.find(group.ref)
        if found is None or reading.territory.holds(found):
            shown.append(group)
    doubts = (*reading.missing, *cluster.placed.doubts) if cluster.nodes else reading.missing
    return plan(cluster, shown), tuple(dict.fromkeys(doubts))


def _rendered(
    form: str,
    found: Plan,
    doubts: tuple[str, ...],
    reading: Reading,
    outputs: Forms,
    *,
    hops: bool,
) -> str:
    if form == "svg":
        from auditor.reporters.placement.svg import svg

        return svg(found)
    if form == "html":
        from auditor.reporters.placement.page import page

        return page(found, doubts)
    if form == "json":
        from auditor.reporters.encoded import encoded
        from auditor.reporters.placement.document import document

        return encoded(document(found, doubts, reading.gaps, hops=hops))
    from auditor.reporters.placement.text import text

    screen = outputs.terminal
    return str(screen.shown(text(found, doubts, screen, hops=hops)))
