"""Who sends much of all observed traffic to somebody far away, while there is room beside him.

Only what was counted is told: an edge that is merely known may carry one request a day. Hops are
those that the routing of the Service gives; near is what the best rack would give.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from auditor.facts.crowding import MOVABLE
from auditor.facts.dependencies import Dependency
from auditor.facts.distance import affinity_of, has_room, is_drawn, named, prefers
from auditor.facts.forms import as_object
from auditor.facts.placement import Node
from auditor.facts.routing.endpoints import Endpoints
from auditor.facts.routing.instances import clients_of, modelled
from auditor.facts.routing.load import load_of
from auditor.facts.routing.traffic import traffic_of
from auditor.facts.workloads import Workload
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

MUCH = 0.05
"""The part of all counted requests from which a pair is chatty."""
WORTH = 1.0
"""Hops that have to be saved on each request."""


@dataclass(frozen=True, slots=True)
class Apart:
    """A client and what it asks, placed farther apart than they have to be."""

    edge: Dependency
    rack: str
    """The only rack of what is asked."""
    count: int
    """Observed requests."""
    hops: float
    near: float


def apart(facts: Facts, client: Workload) -> tuple[Apart, ...]:
    """What `client` asks much and is needlessly far from. Databases are told as such elsewhere."""
    if client.ref.kind not in MOVABLE or not facts.counted or not facts.topology.nodes:
        return ()
    edges = {
        edge.target.ref.key: edge
        for edge in facts.needs.get(client.ref.key, ())
        if edge.target.ref.key not in facts.databases
    }
    found = (_apart(facts, edge) for edge in edges.values() if _is_much(facts, edge))
    return tuple(each for each in found if each)


def _is_much(facts: Facts, edge: Dependency) -> bool:
    count = facts.counted.get((edge.client.ref.key, edge.target.ref.key), 0)
    return count >= MUCH * sum(facts.counted.values())


def _apart(facts: Facts, edge: Dependency) -> Apart | None:
    client, target = edge.client, edge.target
    nodes = facts.topology.by_name
    racks = {nodes[pod.node].rack for pod in facts.standing.pods(target) if pod.node in nodes}
    rack = racks.pop() if len(racks) == 1 else None
    if rack is None or is_drawn(facts, client, target):
        return None
    eligible = [nodes[name] for name in facts.standing.eligible(client)]
    inside = [node for node in eligible if node.rack == rack]
    outside = [node for node in eligible if node.rack != rack]
    if not inside or (outside and prefers(client, inside, outside)):
        return None
    hops = _hops(facts, edge, clients_of(facts, (client,)))
    near = _near(facts, edge, inside)
    if hops is None or near is None or hops - near < WORTH or not has_room(facts, client, rack):
        return None
    count = facts.counted[client.ref.key, target.ref.key]
    return Apart(edge, rack, count, hops, near)


def _near(facts: Facts, edge: Dependency, inside: list[Node]) -> float | None:
    """The hops from the node of the rack that is the farthest from what is asked."""
    found = [_hops(facts, edge, {node.name: 1.0}) for node in inside]
    known = [hops for hops in found if hops is not None]
    return max(known) if len(known) == len(found) else None


def _hops(facts: Facts, edge: Dependency, clients: Mapping[str, float]) -> float | None:
    if not clients:
        return None
    traffic = traffic_of(edge.service, facts.settings.kubernetes)
    instances = modelled(facts, (edge.target,), traffic, edge.service)
    return load_of(clients, Endpoints(instances, traffic), facts.topology).hops


def chatter(facts: Facts, client: Workload) -> list[dict[str, Any]] | None:
    """The fact `chatter` for policies: ``target``, ``rack``, ``count`` of ``all`` requests that
    were observed between workloads, ``hops`` of each and ``near``. None where there is none.
    """
    return [_told(facts, each) for each in apart(facts, client)] or None


def _told(facts: Facts, found: Apart) -> dict[str, Any]:
    client = found.edge.client
    return {
        "target": found.edge.target.name,
        "rack": found.rack,
        "count": found.count,
        "all": sum(facts.counted.values()),
        "hops": f"{found.hops:.1f}".removesuffix(".0"),
        "near": f"{found.near:.1f}".removesuffix(".0"),
        "path": affinity_of(client),
        "evidence": [*_evidence(facts, found)],
    }


def _evidence(facts: Facts, found: Apart) -> Iterator[dict[str, Any]]:
    yield named(found.edge)
    for flows in facts.settings.flows:
        window = f", from {flows.since} to {flows.until}" if flows.since and flows.until else ""
        yield {"message": f"observed in {flows.origin}{window}", "object": None, "path": ()}
    nodes = Counter(pod.node for pod in facts.standing.pods(found.edge.target))
    where = ", ".join(f"{count} on {node}" for node, count in sorted(nodes.items())[:3])
    yield {
        "message": f"{found.edge.target.name} is in rack {found.rack}: {where}",
        "object": as_object(found.edge.target.ref),
        "path": (),
    }
