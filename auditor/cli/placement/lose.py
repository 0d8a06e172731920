"""`auditor placement lose`: what becomes of a cluster that loses nodes."""

from __future__ import annotations

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.placement.answering import answered, behaviour_of, new_pods
from auditor.cli.placement.names import LEVELS
from auditor.cli.placement.reading import Read, placement_reading


@click.command(short_help="Say what the loss of a zone, a rack or a node does.")
@click.argument("level", type=click.Choice(LEVELS))
@click.argument("name")
@placement_reading
@new_pods
@click.option(
    "--deleted", is_flag=True, help="The Node objects go too, as where a cloud removes machines."
)
@network_outputs("text", "json")
def lose(level: str, name: str, read: Read, fate: str, deleted: bool, outputs: Forms) -> int:
    """Say what becomes of the cluster under PATH where all nodes of a region, zone or rack, or one
    node, fall silent at once: what serves meanwhile, what is made elsewhere and fits there, and
    what waits until the nodes are back.

    Ends with 1 where something goes down, or does not come back.
    """
    from auditor.cli.placement.names import nodes_of
    from auditor.cli.placement.reading import read_placement
    from auditor.cli.progress import progress

    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_placement(read)
        nodes = nodes_of(reading.facts, level, name)
        now("asking the controllers")
        from auditor.facts.scenarios.lost import Loss, lost

        loss = Loss(f"{level} {name}", nodes, deleted)
        return answered(reading, outputs, lambda: lost(reading.cluster, loss, behaviour_of(fate)))
