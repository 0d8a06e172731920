"""How somebody comes to rights that nobody gave them: by the rights that they have, step by step,
up to everything in the cluster.

`positions` are the values; `taking`, `raising` and `guards` know the techniques, each by the rights
that it asks for; `world` is what they meet; `graph` joins them and has the shortest ways.
"""

from auditor.facts.escalation.graph import Chain, Escalation
from auditor.facts.escalation.positions import CLUSTER, Place, Right, Step

__all__ = ["CLUSTER", "Chain", "Escalation", "Place", "Right", "Step"]
