"""What the way of requests costs, and how they fall on the instances.

Every client pod is taken to ask equally often, unless its weight says more. Hops are links of a fat
tree; they, zones and shares are expected values: with E(i) the instances that client i reaches,
each gets 1/|E(i)| of what it asks. The load of an instance is its share times the number of
instances: 1 is fair, 4 four times as much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from auditor.facts.availability.places import REGION
from auditor.facts.controllers.endpoints import ZONE
from auditor.facts.placement import Topology
from auditor.facts.placement.topology import BEYOND, SAME_RACK, SAME_ZONE, Level
from auditor.facts.routing.endpoints import Endpoint, Endpoints
from auditor.values import dataclass

LINKS: Mapping[Level, int] = {
    Level.NODE: 0,
    Level.RACK: SAME_RACK,
    Level.ZONE: SAME_ZONE,
    Level.REGION: BEYOND,
    Level.BEYOND: BEYOND,
}
"""Nodes in two zones that tell no region are taken to be in one."""


@dataclass(frozen=True, slots=True)
class Load:
    """How the requests of all clients of a Service fall."""

    levels: Mapping[Level, float]
    """The part of the requests that goes so far; the rest is not answered, or cannot be told."""
    untold: float
    """The part that goes between nodes whose labels do not say how far apart they are."""
    unanswered: float
    """The part of the clients that reach no instance."""
    cross_zone: float | None
    """The part that leaves its zone; None where a node does not tell its zone."""
    shares: Mapping[str, float]
    """The part of all requests by name of the instance."""
    zones: Mapping[str, float]
    """The load of an instance, by its zone: the highest there."""

    @property
    def hops(self) -> float | None:
        """Expected links between a client and the instance; None where labels do not tell."""
        answered = sum(self.levels.values())
        if self.untold or not answered:
            return None
        return sum(LINKS[level] * part for level, part in self.levels.items()) / answered

    @property
    def worst(self) -> float:
        """The highest load of an instance; 0 where nobody is answered."""
        return max(self.zones.values(), default=0.0)

    def share_of(self, names: Iterable[str]) -> float:
        """The part of all requests that goes to these instances."""
        return sum(self.shares.get(name, 0.0) for name in names)


def load_of(clients: Mapping[str, float], endpoints: Endpoints, topology: Topology) -> Load:
    """The load that `clients` make: node → how many, or with how much weight. Costs one look at
    each node with clients, and one at each instance for each set of instances that is reached.
    """
    total = sum(clients.values())
    tally = _Tally(topology)
    for node, weight in clients.items():
        zone = zone_of(topology, node)
        tally.add(node, weight / total, endpoints.for_client(node, zone))
    return tally.load(endpoints.ready)


def zone_of(topology: Topology, node: str) -> str:
    """The zone that kube-proxy reads of a node; empty where it is not known."""
    found = topology.by_name.get(node)
    return found.labels.get(ZONE, "") if found else ""


Place = tuple[str, str]
"""Zone and rack, by the labels that are declared for them; empty where one is missing."""


@dataclass(slots=True)
class _Reached:
    """A set of instances that clients reach, by where they are."""

    endpoints: Sequence[Endpoint]
    nodes: Counter[str]
    zones: Counter[str]
    places: Counter[Place]
    regions: Counter[str]
    weight: float = 0.0

    @classmethod
    def of(cls, endpoints: Sequence[Endpoint], topology: Topology) -> _Reached:
        """The set, counted."""
        where = [_place(topology, each.node) for each in endpoints]
        nodes = Counter(each.node for each in endpoints)
        regions = Counter(_region(topology, each.node) for each in endpoints)
        return cls(endpoints, nodes, Counter(zone for zone, _ in where), Counter(where), regions)


def _place(topology: Topology, node: str) -> Place:
    found = topology.by_name.get(node)
    return (found.zone or "", found.rack or "") if found else ("", "")


def _region(topology: Topology, node: str) -> str:
    found = topology.by_name.get(node)
    return found.labels.get(REGION, "") if found and found.zone else ""


class _Tally:
    """Adds up the ways of the clients, one node after the other."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._zoned = any(node.zone for node in topology.nodes)
        self._levels: dict[Level, float] = {}
        self._untold = self._unanswered = self._crossing = 0.0
        self._zoneless = False
        self._sets: dict[int, _Reached] = {}

    def add(self, node: str, part: float, endpoints: Sequence[Endpoint]) -> None:
        """Clients on `node`, who ask this part of all requests."""
        if not endpoints:
            self._unanswered += part
            return
        reached = self._known(endpoints)
        reached.weight += part
        each_gets, told = part / len(endpoints), 0
        for level, count in self._counts(node, reached):
            self._levels[level] = self._levels.get(level, 0.0) + count * each_gets
            told += count
        self._untold += (len(endpoints) - told) * each_gets
        zone, _ = _place(self._topology, node)
        self._zoneless |= not zone or "" in reached.zones
        self._crossing += each_gets * (len(endpoints) - reached.zones[zone])

    def _known(self, endpoints: Sequence[Endpoint]) -> _Reached:
        # By identity: each set is one object of the Endpoints that are asked, and kept here.
        if id(endpoints) not in self._sets:
            self._sets[id(endpoints)] = _Reached.of(endpoints, self._topology)
        return self._sets[id(endpoints)]

    def _counts(self, node: str, reached: _Reached) -> Iterator[tuple[Level, int]]:
        """How many of the instances are how far from `node`, by the rules of `Topology.hops`."""
        if node not in self._topology.by_name:
            return
        zone, rack = _place(self._topology, node)
        here = reached.nodes[node]
        yield Level.NODE, here
        if rack and (zone or not self._zoned):
            same = reached.places[zone, rack]
            yield Level.RACK, same - here
            yield Level.ZONE, reached.zones[zone] - reached.places[zone, ""] - same
        if zone:
            every, region = len(reached.endpoints), _region(self._topology, node)
            away = every - reached.regions[""] - reached.regions[region] if region else 0
            yield Level.BEYOND, away
            yield Level.REGION, every - reached.zones[""] - reached.zones[zone] - away

    def load(self, ready: Sequence[Endpoint]) -> Load:
        """What was added up."""
        shares: dict[str, float] = dict.fromkeys((each.name for each in ready), 0.0)
        where = {each.name: each.zone for each in ready}
        for reached in self._sets.values():
            each_gets = reached.weight / len(reached.endpoints)
            for endpoint in reached.endpoints:
                shares[endpoint.name] = shares.get(endpoint.name, 0.0) + each_gets
                where.setdefault(endpoint.name, endpoint.zone)
        zones: dict[str, float] = {}
        for name, share in shares.items():
            zones[where[name]] = max(zones.get(where[name], 0.0), share * len(shares))
        crossing = None if self._zoneless else self._crossing
        levels = {level: part for level, part in self._levels.items() if part}
        return Load(levels, self._untold, self._unanswered, crossing, shares, zones)
