"""Who reaches a workload that holds personal data, without being one of its declared clients.

Beside the workloads of the snapshot, pods that are not there yet are asked too: one without
labels in each namespace, one in a namespace that nobody has made, and the internet where an object
leads it there. Monitors of a declared health API are judged apart (see ``oversight``), except where
nothing isolates the workload at all. Who reaches that health API alone reaches no data.

A port counts also where no container or Service names it: those lists bind nobody, and somebody
wrote a rule for that port.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.dependencies import Edge
from auditor.facts.forms import as_evidence, as_object
from auditor.facts.health import beyond_health, health_of
from auditor.facts.network import Entrance, Peer, PortSet, Reach, Stranger, World
from auditor.facts.workloads import Workload
from auditor.manifests import at
from auditor.model import Gap, Key, Unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody who reaches the data and should not."""

    peer: Peer
    reach: Reach
    rank: int
    """0 is the worst."""
    why: str
    """What makes this one bad; empty where nothing does."""


def clients_of(facts: Facts, target: Workload) -> tuple[Workload, ...]:
    """The workloads that may ask: those that the owner of the data declares, and nobody else."""
    named = facts.data.clients_of(target) or {}
    found = {client.ref.key: client for clients in named.values() for client in clients}
    return tuple(found.values())


def candidates_of(facts: Facts, target: Workload) -> tuple[Edge, ...]:
    """Who seems to ask, and is no declared client: one edge for each, the surest. Whoever names the
    data in its own configuration, or was seen to ask, is to be reviewed by the owner: it has no
    right by that. Monitors are judged apart where the workload says what they may see.
    """
    known = {client.ref.key for client in clients_of(facts, target)} | _watching(facts, target)
    found: dict[Key, Edge] = {}
    for edge in facts.asking.to(target):
        client = edge.source
        if not isinstance(client, Workload) or client.ref.key in known | {target.ref.key}:
            continue
        found.setdefault(client.ref.key, edge)
    return tuple(found.values())


def _watching(facts: Facts, target: Workload) -> set[Key]:
    """The monitors, where the workload declares what they may ask."""
    watched = facts.data.health_ports(target)
    return {monitor.ref.key for monitor in facts.monitors} if watched else set()


def others(facts: Facts, target: Workload) -> tuple[Other, ...]:
    """Everybody else who reaches `target`, the worst first."""
    isolated = facts.network.isolated(target)
    allowed = {client.ref.key for client in clients_of(facts, target)} | {target.ref.key}
    if isolated:
        allowed |= _watching(facts, target)
    found = [*internet_at(facts, target)]
    health = health_of(facts, target)
    for peer in _senders(facts, target, allowed):
        reach = facts.network.reach(peer, target)
        _note_unknown(facts, target, peer, reach)
        if beyond_health(facts, peer, target, reach, health):
            rank, why = _badness(facts, peer, target)
            found.append(Other(peer, reach, rank, why))
    return tuple(sorted(found, key=lambda other: (other.rank, name_of(other.peer))))


def _data(facts: Facts, peer: Peer, target: Workload, reach: Reach) -> PortSet:
    """The ports on which `peer` gets more than health."""
    return beyond_health(facts, peer, target, reach, health_of(facts, target)).all_ports


def internet_at(facts: Facts, target: Workload) -> Iterator[Other]:
    """The internet, where something leads it to the workload and the policies let some of it in.
    Behind an Ingress they see the controller's pods instead, which are peers of their own.
    """
    public = [entrance for entrance in facts.network.entrances(target) if entrance.public]
    for world in facts.network.outside(target) if public else ():
        reach = facts.network.reach(world, target)
        _note_unknown(facts, target, world, reach)
        data = _data(facts, world, target, reach)
        for entrance in public:
            here = entrance.lets_in(world.address)
            if here and entrance.port in data.numbers(entrance.protocol):
                yield Other(world, reach, 0, f"through {_told_entrance(entrance)}")
                return
    yield from _by_nodes(facts, target)


def _by_nodes(facts: Facts, target: Workload) -> Iterator[Other]:
    """The internet, where the pods see it at the addresses of nodes: there a policy that admits
    those admits everybody, and one that admits ranges of clients admits nobody of them.
    """
    ways = [e for e in facts.network.entrances(target) if e.public and e.by_node]
    for entrance in ways:
        told = f"{_told_entrance(entrance)}, which shows clients by the addresses of nodes"
        for node in map(World, facts.network.ways.nodes):
            reach = facts.network.reach(node, target)
            data = _data(facts, node, target, reach)
            if entrance.port in data.numbers(entrance.protocol):
                yield Other(node, reach, 0, f"through {told}")
                return
        if not facts.network.ways.nodes and facts.network.tells_addresses_apart(target):
            why = f"it is open through {told}, and those are not known"
            facts.unknown(Gap(f"who reaches {target.name}", why, Unseen.UNKNOWN))


def _senders(facts: Facts, target: Workload, allowed: set[Key]) -> Iterator[Peer]:
    """Who is asked about: less those to whom network policies surely leave nothing."""
    for workload in facts.network.sending(target):
        if workload.ref.key not in allowed:
            yield workload
    yield from facts.network.strangers.sending(target)


def name_of(peer: Peer) -> str:
    """The peer as a person would say it."""
    if isinstance(peer, Workload):
        return peer.name
    if isinstance(peer, Stranger):
        where = f"namespace {peer.namespace}" if peer.namespace else "a new namespace"
        return f"any pod of {where}"
    return "the internet"


def _badness(facts: Facts, peer: Peer, target: Workload) -> tuple[int, str]:
    if not isinstance(peer, Workload):
        return 5, ""
    entrances = [entrance for entrance in facts.network.entrances(peer) if entrance.public]
    if entrances:
        return 1, f"the internet reaches it through {_told_entrance(entrances[0])}"
    owns = owns_node(peer)
    if owns:
        return 2, f"it owns its node: {owns}"
    return (3, "") if peer.ref.namespace != target.ref.namespace else (4, "")


def _told_entrance(entrance: Entrance) -> str:
    return f"{entrance.ref.kind} {entrance.ref.namespace}/{entrance.ref.name}"


def owns_node(workload: Workload) -> str:
    """Why who controls one of its containers controls its node; empty where nothing says so."""
    for field in ("hostPID", "hostNetwork", "hostIPC"):
        if workload.pod.get(field) is True:
            return field
    for container in workload.containers:
        if at(container.spec, ("securityContext", "privileged")) is True:
            return f"container '{container.name}' runs privileged"
    return ""


def _note_unknown(facts: Facts, target: Workload, peer: Peer, reach: Reach) -> None:
    doubts = reach.unknown
    if isinstance(peer, Workload) and peer.pod.get("hostNetwork") is True:
        # True whatever the policies say: no change of them brings this doubt, and none ends it.
        doubts = (f"no NetworkPolicy surely holds for {peer.name}, on the network of its node",)
    for why in doubts:
        facts.unknown(Gap(f"who reaches {target.name}", why, Unseen.UNKNOWN))


def exposure(facts: Facts, target: Workload) -> dict[str, Any] | None:
    """The fact `exposure` for policies: the ``data`` that a workload holds, its declared
    ``clients`` and the ``others`` who reach it; None for a workload that holds no personal data.
    """
    data = facts.data.of(target)
    if data is None:
        return None
    named = facts.data.clients_of(target) or {}
    return {
        "data": [name.upper() for name in data.names],
        "declared": {"object": as_object(data.declared.ref), "path": data.declared.path},
        "own": data.declared.ref == target.ref,
        "clients": [client.name for client in clients_of(facts, target)],
        "clients_declared": facts.data.clients_of(target) is not None,
        "candidates": [_candidate(edge) for edge in candidates_of(facts, target)],
        "missing_clients": [name for name, found in named.items() if not found],
        "isolated": facts.network.isolated(target),
        "others": [_told(other) for other in others(facts, target)],
    }


def _candidate(edge: Edge) -> dict[str, Any]:
    return {
        "name": edge.source.name,
        "object": as_object(edge.ref) if edge.ref else None,
        "path": edge.path,
        "kind": edge.kind.value,
        "confidence": edge.confidence,
        "how": edge.told,
    }


def _told(other: Other) -> dict[str, Any]:
    peer = other.peer
    return {
        "name": name_of(peer),
        "object": as_object(peer.ref) if isinstance(peer, Workload) else None,
        "internet": isinstance(peer, World),
        "ports": str(other.reach.ports),
        "why": other.why,
        "reasons": [as_evidence(reason) for reason in other.reach.reasons],
    }
