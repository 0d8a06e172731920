"""`auditor placement rollout`: what an update of a workload passes through."""

from __future__ import annotations

import click

from auditor.cli.network.outputs import Forms, network_outputs
from auditor.cli.placement.answering import answered, behaviour_of, new_pods
from auditor.cli.placement.reading import Read, placement_reading


@click.command(short_help="Say what an update of a workload passes through.")
@click.argument("workload")
@placement_reading
@new_pods
@network_outputs("text", "json")
def rollout(workload: str, read: Read, fate: str, outputs: Forms) -> int:
    """Say what an update of WORKLOAD, which changes its image alone, passes through in the cluster
    under PATH: the fewest available pods of any order of events, whether it can get stuck, and on
    what. WORKLOAD is namespace/name, name, or either with [Kind].

    Ends with 1 where it can get stuck, or where nothing serves for a time.
    """
    from auditor.cli.placement.reading import read_placement
    from auditor.cli.progress import progress

    with progress("reading", quiet=outputs.quiet) as now:
        reading = read_placement(read)
        from auditor.cli.placement.names import group_of
        from auditor.errors import UsageError
        from auditor.facts.controllers.case import UnmodelledError
        from auditor.facts.scenarios.rolled_out import rolled_out

        cluster = reading.cluster
        group = group_of(cluster, workload)
        now("asking the controllers")
        try:
            return answered(
                reading, outputs, lambda: rolled_out(cluster, group, behaviour_of(fate))
            )
        except UnmodelledError as error:
            raise UsageError(str(error)) from error
