"""Where pods can run, and how far apart: a scheduler that is asked "what if".

`topology` knows nodes, `columns` has what they say side by side, `pods` reads pods, `replicas`
makes them of workloads, `occupancy` counts what is where, `filters`, `spread`, `affinity` and
`volumes` refuse nodes, `scores` ranks the rest, `simulation` places, `preemption` says
who has to leave, and `sampling` which nodes are asked. The simulation is imported when it is
first asked for: it needs numpy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.placement.pods import Pod
from auditor.facts.placement.replicas import pods_of
from auditor.facts.placement.topology import Node, Topology

if TYPE_CHECKING:
    from auditor.facts.placement.simulation import Feasible, Placement, Simulation

__all__ = ["Feasible", "Node", "Placement", "Pod", "Simulation", "Topology", "pods_of"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    from auditor.facts.placement import simulation

    return getattr(simulation, name)
