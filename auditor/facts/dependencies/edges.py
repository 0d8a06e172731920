"""The edges of the graph, and how sure each kind of evidence is.

How sure is our own judgement, in steps: what was observed or is a route by itself, what somebody
declared, what names a Service in full, what is put together, what merely hints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from auditor.facts.network import PortSet
from auditor.facts.workloads import Workload
from auditor.model import Key, Path, Ref
from auditor.values import Word, dataclass


class Evidence(Word):
    """What shows that somebody needs somebody."""

    FLOW = "observed flow"
    ROUTE = "route"
    WEBHOOK = "webhook"
    DECLARED = "declaration"
    MONITOR = "monitor"
    ENVIRONMENT = "environment"
    ARGUMENT = "argument"
    CONFIG_MAP = "ConfigMap"
    URL = "URL"
    PEER = "peer"
    POLICIES = "network policies"
    WAIT = "init container"


CONFIDENCE: Mapping[Evidence, float] = {
    Evidence.FLOW: 1.0,
    Evidence.ROUTE: 1.0,
    Evidence.WEBHOOK: 1.0,
    Evidence.DECLARED: 0.9,
    Evidence.MONITOR: 0.9,
    Evidence.ENVIRONMENT: 0.8,
    Evidence.ARGUMENT: 0.8,
    Evidence.CONFIG_MAP: 0.8,
    Evidence.URL: 0.6,
    Evidence.PEER: 0.6,
    Evidence.POLICIES: 0.5,
    Evidence.WAIT: 0.3,
}
"""1 is sure. What is told as a URL of another scheme, or put together of variables, counts as URL
whatever its kind."""


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody who asks and is no workload of the snapshot: a controller, the API server, or who
    was observed under a name that nothing has.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Edge:
    """Somebody who needs a workload."""

    source: Workload | Outsider
    target: Workload
    ports: PortSet
    """Of the target's pods; none where the evidence does not tell."""
    kind: Evidence
    confidence: float
    told: str
    """The evidence in words: ``names Service shop/db``."""
    ref: Ref | None = None
    """The object that shows it; None where that is a file of observed flows."""
    path: Path = ()


@dataclass(slots=True)
class Graph:
    """All edges, by target and by source. Not frozen: it is filled once, when made."""

    edges: tuple[Edge, ...]
    _to: dict[Key, list[Edge]] = field(default_factory=dict)
    _from: dict[Key, list[Edge]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for edge in _surest(self.edges):
            self._to.setdefault(edge.target.ref.key, []).append(edge)
            if isinstance(edge.source, Workload):
                self._from.setdefault(edge.source.ref.key, []).append(edge)

    def to(self, target: Workload) -> tuple[Edge, ...]:
        """Who needs `target`, the surest evidence first."""
        return tuple(self._to.get(target.ref.key, ()))

    def of(self, source: Workload) -> tuple[Edge, ...]:
        """Whom `source` needs, the surest evidence first."""
        return tuple(self._from.get(source.ref.key, ()))

    def at_least(self, confidence: float) -> Iterator[Edge]:
        """The edges that are so sure, or surer."""
        return (edge for edge in self.edges if edge.confidence >= confidence)


def _surest(edges: Iterable[Edge]) -> list[Edge]:
    return sorted(edges, key=lambda edge: -edge.confidence)
