"""Who can get at personal data: over the network, through the API server, from the node, over what
is shared, and over any of these one after the other.

`positions` are the values, `graph` puts together what `reaching`, `permissions` and `shared` find,
`search` has the shortest paths, `cut` the least that closes them.
"""

from auditor.facts.paths.graph import PathGraph
from auditor.facts.paths.positions import INTERNET, DataPath, Means, Position, Step, Why
from auditor.facts.paths.search import Ways

__all__ = ["INTERNET", "DataPath", "Means", "PathGraph", "Position", "Step", "Ways", "Why"]
