"""A map: regions, zones, racks and nodes with the pods on them, and how far calls go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property

from auditor.facts.placement import Node, Pod, Topology
from auditor.facts.placement.needs import needs_of, quantity
from auditor.facts.placement.requests import CPU, MEMORY
from auditor.facts.placement.topology import Level
from auditor.facts.scenarios.cluster import Cluster, Group
from auditor.facts.workloads import Workload
from auditor.model import Key
from auditor.values import dataclass

NAMED = (Level.REGION, Level.ZONE, Level.RACK)
UNTOLD = ""
"""The name of a place that a node does not tell."""
SURE = 0.5
"""What is less sure is no call."""


@dataclass(frozen=True, slots=True)
class Here:
    """The pods of one workload on one node."""

    group: int
    """Its number in the plan."""
    pods: int
    ready: int


@dataclass(frozen=True, slots=True)
class Spot:
    """A node with what is on it."""

    node: Node
    here: tuple[Here, ...]
    room: tuple[str, ...]
    """``CPU 2.5 of 8``, for CPU, memory and pods."""
    marks: tuple[str, ...]
    """That it is cordoned, and its taints."""


@dataclass(frozen=True, slots=True)
class Place:
    """A region, zone or rack."""

    level: Level
    name: str
    """Empty for the nodes that tell none."""
    places: tuple[Place, ...]
    spots: tuple[Spot, ...]

    @property
    def pods(self) -> int:
        """How many pods are in it."""
        own = sum(here.pods for spot in self.spots for here in spot.here)
        return own + sum(place.pods for place in self.places)

    @property
    def title(self) -> str:
        """``rack r1``; ``no rack`` for nodes that tell none."""
        return f"{self.level} {self.name}" if self.name else f"no {self.level} told"


@dataclass(frozen=True, slots=True)
class Call:
    """An edge of the graph, over the pods as they stand."""

    source: int
    target: int
    told: str
    hops: float | None
    """Links on average, where every pod asks every other alike; None where they cannot be told."""
    least: int
    most: int
    level: str
    """The farthest level of any pair."""
    milliseconds: float | None
    """The same on average, where the latency is declared."""


@dataclass(frozen=True)
class Plan:
    """All of it."""

    cluster: Cluster
    places: tuple[Place, ...]
    groups: tuple[Group, ...]
    """What is shown, by number."""
    outside: int
    """How many pods are on the nodes that are outside of the scope."""
    needs: Mapping[int, str] = field(default_factory=dict)
    """Where there is no node: what each workload needs."""

    @cached_property
    def calls(self) -> tuple[Call, ...]:
        """Who calls whom over how many hops."""
        return tuple(_calls(self))


def plan(cluster: Cluster, shown: Sequence[Group]) -> Plan:
    """The map of these groups."""
    numbers = {group.ref.key: number for number, group in enumerate(shown)}
    on: dict[str, list[tuple[Key, Pod, bool]]] = {}
    for group in cluster.groups:
        for each in group.running:
            on.setdefault(each.node, []).append((group.ref.key, each.pod, each.ready))
    topology = cluster.facts.topology
    spots = {node.name: _spot(node, on.get(node.name, ()), numbers) for node in topology.nodes}
    told = [level for level in NAMED if _is_told(topology, level)]
    outside = sum(len(g.running) for g in cluster.groups if g.ref.key not in numbers)
    return Plan(
        cluster,
        _places(topology.nodes, told, spots),
        tuple(shown),
        outside,
        {} if topology.nodes else dict(_needs(cluster, shown)),
    )


def _is_told(topology: Topology, level: Level) -> bool:
    return any(_name(node, level) for node in topology.nodes)


def _name(node: Node, level: Level) -> str:
    names = {Level.REGION: node.region, Level.ZONE: node.zone, Level.RACK: node.rack}
    return names[level] or UNTOLD


def _places(
    nodes: Sequence[Node], levels: Sequence[Level], spots: Mapping[str, Spot]
) -> tuple[Place, ...]:
    """The places of the outermost level that nodes tell; one without a name where none is told."""
    if not levels:
        inside = tuple(spots[node.name] for node in nodes)
        return (Place(Level.BEYOND, UNTOLD, (), inside),) if inside else ()
    level, *deeper = levels
    found: dict[str, list[Node]] = {}
    for node in nodes:
        found.setdefault(_name(node, level), []).append(node)
    return tuple(_place(level, name, found[name], deeper, spots) for name in sorted(found))


def _place(
    level: Level,
    name: str,
    nodes: Sequence[Node],
    deeper: Sequence[Level],
    spots: Mapping[str, Spot],
) -> Place:
    if deeper:
        return Place(level, name, _places(nodes, deeper, spots), ())
    return Place(level, name, (), tuple(spots[node.name] for node in nodes))


def _spot(node: Node, pods: Sequence[tuple[Key, Pod, bool]], numbers: Mapping[Key, int]) -> Spot:
    counts = Counter(numbers[key] for key, _, _ in pods if key in numbers)
    ready = Counter(numbers[key] for key, _, well in pods if key in numbers and well)
    here = tuple(Here(number, counts[number], ready[number]) for number in sorted(counts))
    marks = ("cordoned",) if node.unschedulable else ()
    taints = tuple(f"taint {taint}" for taint in node.taints)
    return Spot(node, here, tuple(_room(node, [pod for _, pod, _ in pods])), (*marks, *taints))


def _room(node: Node, pods: Sequence[Pod]) -> Iterator[str]:
    """What is asked for of what the node offers; nothing where it tells nothing."""
    if node.allocatable is None:
        return
    for name in (CPU, MEMORY):
        taken = sum(pod.shape.requests.amounts.get(name, 0) for pod in pods)
        offered = quantity(name, node.allocatable.get(name, 0)).partition(" ")[0]
        used = quantity(name, taken).partition(" ")[0] if taken else "0"
        yield f"{'CPU' if name == CPU else name} {used} of {offered}"
    yield f"pods {len(pods)} of {node.allocatable.get('pods', 0)}"


def _needs(cluster: Cluster, shown: Sequence[Group]) -> Iterator[tuple[int, str]]:
    for number, group in enumerate(shown):
        found = needs_of(group.workload, cluster.facts.settings) if group.workload else None
        if found:
            yield number, found.sentence


def _calls(plan: Plan) -> Iterator[Call]:
    numbers = {group.ref.key: number for number, group in enumerate(plan.groups)}
    seen: set[tuple[int, int]] = set()
    for edge in sorted(plan.cluster.facts.graph.at_least(SURE), key=lambda e: -e.confidence):
        if not isinstance(edge.source, Workload):
            continue
        ends = numbers.get(edge.source.ref.key), numbers.get(edge.target.ref.key)
        if ends[0] is None or ends[1] is None or ends[0] == ends[1] or ends in seen:
            continue
        seen.add((ends[0], ends[1]))
        yield _call(plan, ends[0], ends[1], edge.told)


def _call(plan: Plan, source: int, target: int, told: str) -> Call:
    facts = plan.cluster.facts
    topology, latency = facts.topology, facts.settings.latency
    ours = Counter(each.node for each in plan.groups[source].running)
    theirs = Counter(each.node for each in plan.groups[target].running if each.ready)
    pairs = [(a, b, n * m) for a, n in ours.items() for b, m in theirs.items()]
    weight = sum(count for *_, count in pairs)
    hops = [(topology.hops(a, b), count) for a, b, count in pairs]
    levels = [(topology.level(a, b), count) for a, b, count in pairs]
    known = [h for h, _ in hops if h is not None]
    whole = bool(pairs) and len(known) == len(hops)
    sure = bool(pairs) and all(level for level, _ in levels)
    order = list(Level)
    farthest = max((order.index(level) for level, _ in levels if level), default=-1)
    time = None
    if latency and sure:
        time = sum(getattr(latency, level) * n for level, n in levels if level) / weight
    return Call(
        source,
        target,
        told,
        sum(h * n for h, n in hops if h is not None) / weight if whole else None,
        min(known, default=0),
        max(known, default=0),
        order[farthest].value if sure else "",
        time,
    )
