"""`auditor placement drain`: what becomes of the pods of a node that is drained."""

from __future__ import annotations

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.placement.answering import answered, behaviour_of, new_pods
from auditor.cli.placement.reading import Read, placement_reading


@click.command(short_help="Say what a drain of a node does.")
@click.argument("node")
@placement_reading
@new_pods
@network_outputs("text", "json")
def drain(node: str, read: Read, fate: str, outputs: Forms) -> int:
    """Say what becomes of `kubectl drain NODE` of the cluster under PATH: which budget blocks it,
    how many pods of each workload are available at worst, which find no node afterwards, and which
    Service is left without an endpoint.

    Ends with 1 where it is blocked, or where something goes down or does not come back.
    """
    from auditor.cli.placement.names import nodes_of
    from auditor.cli.placement.reading import read_placement
    from auditor.cli.progress import progress

    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_placement(read)
        nodes_of(reading.facts, "node", node)
        now("asking the controllers")
        from auditor.facts.scenarios.drained import drained

        return answered(
            reading, outputs, lambda: drained(reading.cluster, node, behaviour_of(fate))
        )
