"""What would become of a cluster, were a node drained, a rack lost or a workload updated.

`cluster` gathers who is where, `drained`, `lost` and `rolled_out` ask the models of the controllers
(`auditor.facts.controllers`) about the user's own objects, `outcome` is what they answer.
"""
