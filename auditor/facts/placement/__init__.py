"""Where pods can run, and how far apart: a scheduler that is asked "what if".

`topology` knows nodes, `pods` reads pods, `replicas` makes them of workloads, `filters`, `spread`,
`affinity` and `volumes` refuse nodes, `scores` ranks the rest, `simulation` places.
"""

from auditor.facts.placement.pods import Pod
from auditor.facts.placement.replicas import pods_of
from auditor.facts.placement.simulation import Feasible, Placement, Simulation
from auditor.facts.placement.topology import Node, Topology

__all__ = ["Feasible", "Node", "Placement", "Pod", "Simulation", "Topology", "pods_of"]
