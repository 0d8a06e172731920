"""Who needs whom: one graph, each edge with its evidence and how sure that is.

`told` reads what containers are told, and makes the edges that placement and fixes go by; `graph`
puts further evidence beside it: routes, monitors, webhooks, peers, policies, observed flows.
"""

from auditor.facts.dependencies.edges import CONFIDENCE, Edge, Evidence, Graph, Outsider
from auditor.facts.dependencies.graph import asking_of, graph_of
from auditor.facts.dependencies.told import (
    DATABASE_IMAGES,
    Dependency,
    Directory,
    Placed,
    dependencies_of,
    is_database,
    joined,
)

__all__ = [
    "CONFIDENCE",
    "DATABASE_IMAGES",
    "Dependency",
    "Directory",
    "Edge",
    "Evidence",
    "Graph",
    "Outsider",
    "Placed",
    "asking_of",
    "dependencies_of",
    "graph_of",
    "is_database",
    "joined",
]
