"""What budgets allow, and what stands in the way of a drain.

`guards` reads PodDisruptionBudgets and whom they cover, `owners` who says how many pods there are
to be, `steady` works out what a budget allows when all is well, `told` tells policies.
"""

from auditor.facts.disruption.evicted import evicted
from auditor.facts.disruption.guards import Guard, Guards
from auditor.facts.disruption.told import budget, guarded

__all__ = ["Guard", "Guards", "budget", "evicted", "guarded"]
