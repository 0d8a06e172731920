"""The fact `primary`: a service whose pods are in other racks than the member of its database that
takes the writes now.

A database in one rack alone is told as such (`distance`); here it has members in several, and the
label of the role says which one works. Members move, so that nothing is drawn to a rack by its
name, but to the pod with the role.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.crowding import MOVABLE
from auditor.facts.dependencies import Dependency
from auditor.facts.distance import affinity_of, has_room, is_drawn, named
from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.roles import role_of, roles_of
from auditor.facts.routing.clientele import is_for_reading
from auditor.facts.workloads import Workload
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class FromPrimary:
    """A client that is away from the member that takes its writes."""

    edge: Dependency
    primary: Pod
    role: tuple[str, str]
    """The label of that member."""
    rack: str
    away: int
    """How many of the pods of the client are in other racks."""
    hops: int
    """From the farthest of them."""


def from_primaries(facts: Facts, client: Workload) -> tuple[FromPrimary, ...]:
    """The databases of several racks whose working member `client` is away from. Told of pods that
    run: which member works is known of no other.
    """
    if client.ref.kind not in MOVABLE or not facts.standing.runs or not facts.topology.nodes:
        return ()
    edges = {edge.target.ref.key: edge for edge in facts.needs.get(client.ref.key, ())}
    return tuple(found for edge in edges.values() if (found := _from_primary(facts, edge)))


def _from_primary(facts: Facts, edge: Dependency) -> FromPrimary | None:
    roles = None if is_for_reading(edge.service) else roles_of(facts, edge.target)
    told = role_of(roles.active[0].labels) if roles else None
    if roles is None or told is None or len(roles.active) != 1:
        return None
    primary, nodes = roles.active[0], facts.topology.by_name
    members = {nodes[p.node].rack for p in (primary, *roles.passive) if p.node in nodes}
    rack = nodes[primary.node].rack if primary.node in nodes else None
    if rack is None or len(members) < 2 or is_drawn(facts, edge.client, primary):
        return None
    away = [
        pod
        for pod in facts.standing.pods(edge.client)
        if pod.node in nodes and nodes[pod.node].rack not in (rack, None)
    ]
    if not away or not has_room(facts, edge.client, rack):
        return None
    hops = (facts.topology.hops(pod.node, primary.node) for pod in away)
    farthest = max((each for each in hops if each is not None), default=0)
    role = (told[0], primary.labels[told[0]])
    return FromPrimary(edge, primary, role, rack, len(away), farthest)


def primary(facts: Facts, client: Workload) -> list[dict[str, Any]] | None:
    """The fact `primary` for policies: ``database``, its ``member`` that works, ``rack``, ``away``
    of ``pods`` of the client, and ``hops``. None where there is none.
    """
    return [_told(facts, each) for each in from_primaries(facts, client)] or None


def _told(facts: Facts, found: FromPrimary) -> dict[str, Any]:
    client = found.edge.client
    return {
        "database": found.edge.target.name,
        "member": found.primary.id,
        "rack": found.rack,
        "away": found.away,
        "pods": len(facts.standing.pods(client)),
        "hops": found.hops,
        "path": affinity_of(client),
        "evidence": [*_evidence(facts, found)],
    }


def _evidence(facts: Facts, found: FromPrimary) -> Iterator[dict[str, Any]]:
    yield named(found.edge)
    key, value = found.role
    pod = found.primary
    resource = facts.snapshot.by_key.get(("", "Pod", pod.namespace, pod.name))
    told = f"{pod.id} works ({key}: {value}) on {pod.node}, rack {found.rack}"
    yield {"message": told, "object": as_object(resource.ref) if resource else None, "path": ()}
