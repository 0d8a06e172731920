"""Who stands in the rack of a database without using it, while a client of it finds no room there.

Such a service loses nothing elsewhere, and the room that it leaves saves the other one hops on
every query. Told only where the rack is contended, and only of a service that fits elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.dependencies import Dependency, is_database
from auditor.facts.distance import affinity_of, has_room, only_rack, prefers
from auditor.facts.forms import as_object
from auditor.facts.placement import Pod, pods_of
from auditor.facts.workloads import Workload
from auditor.model import Key
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

MOST_ASKED = 5
"""As many services of a rack are asked whether they stand in the way, the largest first."""
SEEDS = 3
"""In as many simulations it has to stand in the way, where nothing runs yet."""
MOVABLE = ("Deployment", "ReplicaSet", "ReplicationController", "Rollout")
"""The kinds whose pods can be anywhere as well: no volumes of their own, no place on each node."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """A rack in which a service stands in the way of a client of a database there."""

    edge: Dependency
    """The client's need of the database."""
    rack: str
    pods: int
    """Of the service that stands in the way, in the rack."""
    outside: int
    """Of the client, in other racks."""


def crowded_by(facts: Facts) -> Mapping[Key, Sequence[Crowded]]:
    """Who stands in whose way, by the identity of the service that does. Costs one simulation for
    each client of a database that is not all in its rack, and `MOST_ASKED` for each that finds no
    room there.
    """
    found: dict[Key, list[Crowded]] = {}
    once = {(edge.client.ref, edge.target.ref): edge for edge in _edges(facts)}
    for edge in once.values():
        rack = only_rack(facts, edge.target)
        if rack is None or not _outside(facts, edge, rack) or has_room(facts, edge.client, rack):
            continue
        for workload in _candidates(facts, rack):
            crowded = _in_the_way(facts, workload, edge, rack)
            if crowded:
                found.setdefault(workload.ref.key, []).append(crowded)
    return found


def _edges(facts: Facts) -> Iterator[Dependency]:
    for edge in facts.dependencies:
        if edge.target.ref.key in facts.databases and edge.client.ref.kind in MOVABLE:
            yield edge


def _outside(facts: Facts, edge: Dependency, rack: str) -> int:
    """How many pods of the client are in another rack."""
    return sum(_rack(facts, pod) != rack for pod in facts.standing.pods(edge.client))


def _rack(facts: Facts, pod: Pod) -> str | None:
    node = facts.topology.by_name.get(pod.node)
    return node.rack if node else None


def _candidates(facts: Facts, rack: str) -> Sequence[Workload]:
    """The services without data that take most of the CPU of the rack."""
    taken: dict[Key, int] = {}
    for key, pods in facts.standing.placed().items():
        here = (pod for pod in pods if _rack(facts, pod) == rack)
        taken[key] = sum(pod.shape.requests.amounts.get("cpu", 0) for pod in here)
    known = (facts.by_key[key] for key in sorted(taken, key=lambda key: -taken[key]) if taken[key])
    movable = (w for w in known if w.ref.kind in MOVABLE and not _uses_data(facts, w))
    return tuple(w for w in movable if not _is_held(facts, w, rack))[:MOST_ASKED]


def _uses_data(facts: Facts, workload: Workload) -> bool:
    edges = facts.needs.get(workload.ref.key, ())
    return is_database(workload) or any(is_database(edge.target) for edge in edges)


def _in_the_way(facts: Facts, workload: Workload, edge: Dependency, rack: str) -> Crowded | None:
    if not _always_there(facts, workload, rack):
        return None
    if not has_room(facts, edge.client, rack, (workload,)):
        return None
    # The client has moved in by then.
    if not has_room(facts, workload, rack, (edge.client,), inside=False):
        return None
    here = sum(_rack(facts, pod) == rack for pod in facts.standing.pods(workload))
    return Crowded(edge, rack, here, _outside(facts, edge, rack))


def _always_there(facts: Facts, workload: Workload, rack: str) -> bool:
    """Whether some of its pods are in the rack, also where a simulated scheduler breaks ties in
    another way.
    """
    seeds = (0,) if facts.standing.runs else range(SEEDS)
    return all(
        any(
            _rack(facts, pod) == rack
            for pod in facts.standing.placed(seed).get(workload.ref.key, ())
        )
        for seed in seeds
    )


def _is_held(facts: Facts, workload: Workload, rack: str) -> bool:
    """Whether the service has to be there, wants to, or already avoids it; or would be in fewer
    racks without it, so that the loss of one took more of it.
    """
    eligible = set(facts.standing.eligible(workload))
    nodes = [node for node in facts.topology.nodes if node.name in eligible]
    inside = [node for node in nodes if node.rack == rack]
    outside = [node for node in nodes if node.rack != rack]
    if not outside or not inside:
        return True
    affinity = next((pod.shape.affinity for pod in pods_of(workload, most=1)), None)
    drawn = bool(affinity and (affinity.near or affinity.rather_near))
    standing = {_rack(facts, pod) for pod in facts.standing.pods(workload)}
    if len(standing) > len({node.rack for node in outside}):
        return True
    wants = prefers(workload, inside, outside)
    return drawn or wants or prefers(workload, outside, inside)


def crowding(facts: Facts, workload: Workload) -> list[dict[str, Any]] | None:
    """The fact `crowding` for policies: each database whose client this service keeps out of its
    rack: ``database``, ``client``, ``rack``, ``pods`` in the way, ``outside``, how many of the
    ``replicas`` of the client are elsewhere. None where there is none.
    """
    return [_told(workload, each) for each in facts.crowded.get(workload.ref.key, ())] or None


def _told(workload: Workload, found: Crowded) -> dict[str, Any]:
    edge = found.edge
    service = f"{edge.service.ref.namespace}/{edge.service.ref.name}"
    return {
        "database": edge.target.name,
        "client": edge.client.name,
        "rack": found.rack,
        "pods": found.pods,
        "outside": found.outside,
        "replicas": edge.client.replicas,
        "path": affinity_of(workload),
        "evidence": [
            {
                "message": f"{edge.client.name} names Service {service}",
                "object": as_object(edge.ref),
                "path": edge.path,
            }
        ],
    }
