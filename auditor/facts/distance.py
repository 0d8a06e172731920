"""How far a service may be placed from a database that it uses, while it could be near.

Judged by what the manifests allow, so that the answer is the same before the object exists, when
it is written, and when it runs: where the pods happen to stand today is told as evidence. Hops
are links of a fat tree: 0 on the same node, 2 in the same rack, 4 in the same zone, 6 beyond.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.dependencies import Dependency, is_database
from auditor.facts.forms import as_object
from auditor.facts.placement import Node, Pod, pods_of
from auditor.facts.placement.node_selectors import NodeTerm
from auditor.facts.placement.rules import Term
from auditor.facts.selectors import METADATA_NAME, Labels, Truth
from auditor.facts.workloads import Workload
from auditor.manifests import mapping
from auditor.model import Gap, Path, Unseen
from auditor.terms import HOSTNAME
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Far:
    """A database that a service may be placed away from, without need."""

    edge: Dependency
    rack: str
    """The only rack in which the database may run."""
    eligible: tuple[str, ...]
    """The nodes on which the service may run."""
    away: tuple[str, ...]
    """Those of them that are in another rack."""
    hops: int
    """From the farthest of those to the rack of the database."""
    near_hops: int
    """From the farthest eligible node of the rack."""


def fars(facts: Facts, client: Workload) -> tuple[Far, ...]:
    """Every database that `client` uses and may be needlessly far from."""
    edges = {
        edge.target.ref.key: edge
        for edge in facts.needs.get(client.ref.key, ())
        if is_database(edge.target)
    }
    found = (
        _far(facts, edge) for edge in edges.values() if not is_drawn(facts, client, edge.target)
    )
    return tuple(far for far in found if far)


def _far(facts: Facts, edge: Dependency) -> Far | None:
    rack = only_rack(facts, edge.target)
    if rack is None:
        return None
    eligible, home = facts.standing.eligible(edge.client), facts.standing.eligible(edge.target)
    for why in facts.standing.doubts:
        facts.unknown(Gap("where pods may run", why, Unseen.UNKNOWN))
    able = set(eligible)
    nodes = [node for node in facts.topology.nodes if node.name in able]
    near = [node for node in nodes if node.rack == rack]
    away = [node for node in nodes if node.rack != rack]
    if not away or not near or prefers(edge.client, near, away):
        return None
    if not has_room(facts, edge.client, rack):
        return None
    return Far(
        edge,
        rack,
        eligible,
        tuple(node.name for node in away),
        _farthest(facts, away, home),
        _farthest(facts, near, home),
    )


def only_rack(facts: Facts, database: Workload) -> str | None:
    """The rack that holds every node on which the database may run."""
    topology = facts.topology
    if not topology.nodes:
        _cannot_tell(facts, database, "no Node objects are given")
        return None
    if not any(node.rack for node in topology.nodes):
        _cannot_tell(facts, database, f"no node has the label {facts.settings.rack_label}")
        return None
    homes = facts.standing.racks(facts.standing.eligible(database))
    return next(iter(homes)) if len(homes) == 1 else None


def _cannot_tell(facts: Facts, workload: Workload, why: str) -> None:
    what = f"on which nodes {workload.name} may run"
    facts.unknown(Gap(what, why, Unseen.UNKNOWN))


def has_room(
    facts: Facts, client: Workload, rack: str, gone: Iterable[Workload] = (), *, inside: bool = True
) -> bool:
    """Whether all pods of the client fit into the rack beside what is there, if the pods of `gone`
    were not; into the rest of the cluster, where not `inside`.
    """
    simulation = facts.standing.simulation(without=client, also=gone)
    wanted = {node.name for node in facts.topology.nodes if (node.rack == rack) is inside}
    for pod in facts.standing.made(client):
        nodes = [name for name in simulation.feasible(pod).nodes if name in wanted]
        if not nodes:
            return False
        simulation.bind(pod, nodes[0])
    return True


def _farthest(facts: Facts, nodes: Sequence[Node], home: tuple[str, ...]) -> int:
    """The hops from the farthest of `nodes` to the farthest node of `home`."""
    hops = (facts.topology.hops(a.name, b) for a in nodes for b in home)
    return max((h for h in hops if h is not None), default=0)


def is_drawn(facts: Facts, client: Workload, target: Workload | Pod) -> bool:
    """Whether a rule of the client, hard or soft, draws its pods to those of the target, or to that
    pod, over racks or nodes.
    """
    keys = (facts.settings.rack_label, HOSTNAME)
    clients = pods_of(client, most=1)
    homes = (target,) if isinstance(target, Pod) else pods_of(target, most=1)
    return any(
        term.key in keys and term.selects(Labels(home.labels)) and _concerns(facts, term, home)
        for pod in clients
        for term in (*pod.shape.affinity.near, *pod.shape.affinity.rather_near)
        for home in homes
    )


def _concerns(facts: Facts, term: Term, home: Pod) -> bool:
    """Whether the term means pods of the namespace of `home`."""
    named = {METADATA_NAME: home.namespace}
    labels = facts.namespace_labels.get(home.namespace, named)
    return term.concerns(home.namespace, Labels(labels)) is Truth.YES


def prefers(client: Workload, near: Sequence[Node], away: Sequence[Node]) -> bool:
    """Whether the node affinity of the client likes some node of the rack better than any other:
    one that likes several racks alike keeps it in none.
    """
    terms = [term for pod in pods_of(client, most=1) for term in pod.shape.choice.preferred]
    return _liked(terms, near) > _liked(terms, away)


def _liked(terms: Sequence[NodeTerm], nodes: Sequence[Node]) -> int:
    """What the best of the nodes is worth by these preferences."""
    return max(
        sum(term.weight for term in terms if term.matches(node.name, node.labels)) for node in nodes
    )


def distance(facts: Facts, client: Workload) -> list[dict[str, Any]] | None:
    """The fact `distance` for policies: the databases that a client may be placed away from without
    need, each with its ``rack`` and the ``hops`` to it; None for a workload that uses no
    database.
    """
    if not any(is_database(edge.target) for edge in facts.needs.get(client.ref.key, ())):
        return None
    return [_told(facts, far) for far in fars(facts, client)]


def affinity_of(workload: Workload) -> Path:
    """Where its affinity stands, or is to stand."""
    written = "affinity" if mapping(workload.pod.get("affinity")) else "containers"
    return (*workload.pod_path, written)


def named(edge: Dependency) -> dict[str, Any]:
    """That the client names the Service: evidence of a policy."""
    return {
        "message": f"names Service {edge.service.ref.namespace}/{edge.service.ref.name}",
        "object": as_object(edge.ref),
        "path": edge.path,
    }


def _told(facts: Facts, far: Far) -> dict[str, Any]:
    client, edge = far.edge.client, far.edge
    return {
        "database": edge.target.name,
        "rack": far.rack,
        "eligible": len(far.eligible),
        "away": len(far.away),
        "hops": far.hops,
        "near_hops": far.near_hops,
        "path": affinity_of(client),
        "evidence": [
            named(edge),
            *_standing(facts, client),
        ],
    }


def _standing(facts: Facts, client: Workload) -> Iterator[dict[str, Any]]:
    """Where the live pods of the client stand now."""
    racks = {node.name: node.rack for node in facts.topology.nodes}
    for resource in facts.standing.live.get(client.ref.key, ()):
        node = Pod.from_resource(resource).node
        if node:
            where = f", rack {racks[node]}" if racks.get(node) else ""
            message = f"{resource.ref.name} runs on {node}{where}"
            yield {"message": message, "object": as_object(resource.ref), "path": ()}
