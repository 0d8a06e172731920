"""Which instances of a Service a client on a node may reach: what kube-proxy does with endpoints.

Rules: ``CategorizeEndpoints`` and ``topologyModeFromHints`` in ``pkg/proxy/topology.go`` of
Kubernetes 1.36. Each connection then goes to one of them at random, all alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from auditor.facts.routing.traffic import Traffic
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One instance behind a Service."""

    name: str
    node: str
    zone: str = ""
    """Of its node; empty where that is not known."""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    zones: frozenset[str] = frozenset()
    """The zones whose clients are to use it: its hints."""
    nodes: frozenset[str] = frozenset()
    """The same for nodes."""


Chosen = Sequence[Endpoint]


class Endpoints:
    """All instances of a Service, sorted once so that each client costs one look-up."""

    def __init__(self, endpoints: Iterable[Endpoint], traffic: Traffic) -> None:
        every = tuple(endpoints)
        ending = [e for e in every if e.serving and e.terminating and not e.ready]
        self.traffic = traffic
        self.ready: Chosen = tuple(each for each in every if each.ready)
        self._ending: Chosen = tuple(ending) if traffic.ending else ()
        self._by_node_hint = self._hinted(lambda each: each.nodes)
        self._by_zone_hint = self._hinted(lambda each: each.zones)
        self._here = _grouped(self.ready, lambda each: (each.node,))
        self._ending_here = _grouped(self._ending, lambda each: (each.node,))

    def for_client(self, node: str, zone: str) -> Chosen:
        """Whom a pod on `node` of `zone` reaches by the address of the Service."""
        return self._local(node) if self.traffic.internal_local else self._cluster(node, zone)

    @property
    def follows_hints(self) -> str:
        """Which hints count at all: ``node``, ``zone``, or empty where some instance has none."""
        return "node" if self._by_node_hint else "zone" if self._by_zone_hint else ""

    def _cluster(self, node: str, zone: str) -> Chosen:
        return (
            self._by_node_hint.get(node)
            or self._by_zone_hint.get(zone)
            or self.ready
            or self._ending
        )

    def _local(self, node: str) -> Chosen:
        return self._here.get(node) or self._ending_here.get(node, ())

    def _hinted(self, hints: Callable[[Endpoint], Iterable[str]]) -> Mapping[str, Chosen]:
        """The ready ones by their hints; nothing as soon as one of them has none."""
        if not all(any(True for _ in hints(each)) for each in self.ready):
            return {}
        return _grouped(self.ready, hints)


def _grouped(found: Chosen, keys: Callable[[Endpoint], Iterable[str]]) -> Mapping[str, Chosen]:
    groups: dict[str, list[Endpoint]] = {}
    for each in found:
        for key in keys(each):
            groups.setdefault(key, []).append(each)
    return groups
