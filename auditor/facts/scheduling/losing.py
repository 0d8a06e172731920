"""What becomes of the pods of a node, a rack or a zone that is lost: a replay for each of them.

The nodes of the domain stay, as they do in a cluster, with the taints of an unreachable node; their
pods are placed anew by the simulated scheduler. Of a pod that finds no node, the cause is what,
left out alone, would give it one. A StatefulSet's pods are judged as if somebody had deleted them,
which the loss of a node does not do by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from auditor.facts.placement import Node, Pod, Simulation
from auditor.facts.placement.pods import Choice
from auditor.facts.placement.preemption import chosen
from auditor.facts.placement.rules import Affinity
from auditor.facts.scheduling.demand import REPLICATED
from auditor.facts.scheduling.domains import LEVELS, Domain
from auditor.model import Gap, Key, Unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

MOST_LOOKS = 4_000_000
"""So many looks of a pod at a node are taken for all domains; about a minute."""
MOST_NODES = 60
"""Of more nodes, one of each class is lost: that with the most pods."""

FREE = "capacity"


@dataclass(frozen=True, slots=True)
class Stuck:
    """Pods of a workload that find no node after the loss of a domain."""

    domain: Domain
    moved: int
    """How many of its pods stood there."""
    stuck: int
    """How many of these find no node."""
    replicas: int
    why: str
    cause: str
    """taints, minimum, volume, skew, apart, near, choice, capacity, or several."""


Losses = Mapping[Key, tuple[Stuck, ...]]
Victims = Mapping[Key, tuple[Domain, Key, int]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of the losses of all domains, one by one."""

    stuck: Losses
    victims: Victims
    """By the workload whose pods leave: after which loss, for which workload, and how many."""


def losses(facts: Facts) -> Outcome:
    """By workload, what the loss of each domain leaves without a node, and who leaves for others
    that the loss took. Where there is plenty for all, nothing is replayed.
    """
    from auditor.facts.placement.ample import Plenty

    found: dict[Key, list[Stuck]] = {}
    victims: dict[Key, tuple[Domain, Key, int]] = {}
    looks, plenty = MOST_LOOKS, Plenty(facts.standing.base)
    for domain in lost_one_by_one(facts):
        displaced = _displaced(facts, domain)
        lost = [node.name in domain.nodes for node in facts.topology.nodes]
        if plenty.holds(chain.from_iterable(displaced.values()), lost):
            continue
        looks -= sum(map(len, displaced.values())) * len(facts.topology.nodes)
        if looks < 0:
            what = f"who finds a node after the loss of {domain}, and of others"
            facts.unknown(Gap(what, "too many pods would have to be placed anew", Unseen.UNKNOWN))
            break
        for key, stuck in _replayed(facts, domain, displaced, victims):
            found.setdefault(key, []).append(stuck)
    return Outcome({key: tuple(each) for key, each in found.items()}, victims)


def lost_one_by_one(facts: Facts) -> Iterator[Domain]:
    """The domains that are lost in turn, the largest first; none that is all there is."""
    nodes = facts.topology.nodes
    met: set[frozenset[str]] = {frozenset(node.name for node in nodes)}
    for level in reversed(LEVELS):
        domains: Iterable[Domain] = facts.scheduling.domains[level]
        if level == "node" and len(nodes) > MOST_NODES:
            domains = _of_each_class(facts)
        for domain in domains:
            if domain.nodes not in met:
                met.add(domain.nodes)
                yield domain


def _of_each_class(facts: Facts) -> Iterator[Domain]:
    pods = Counter(pod.node for each in facts.standing.placed().values() for pod in each)
    classes: dict[object, Node] = {}
    for node in sorted(facts.topology.nodes, key=lambda node: (-pods[node.name], node.name)):
        room = tuple(sorted((node.allocatable or {}).items()))
        classes.setdefault((node.zone, node.rack, node.taints, node.unschedulable, room), node)
    for node in classes.values():
        yield Domain("node", node.name, frozenset((node.name,)))


def _displaced(facts: Facts, domain: Domain) -> Mapping[Key, list[Pod]]:
    """The pods in the domain that a controller makes anew, in the order of all that are placed."""
    by_node = facts.scheduling.replaced
    inside = sorted(chain.from_iterable(by_node.get(name, ()) for name in domain.nodes), key=_FIRST)
    found: dict[Key, list[Pod]] = {}
    for _, key, pod in inside:
        found.setdefault(key, []).append(pod)
    return found


_FIRST = itemgetter(0)


def replaced_on(facts: Facts) -> Mapping[str, Sequence[tuple[int, Key, Pod]]]:
    """By node, its pods that a controller makes anew when they are gone: which of all that are
    placed, whose, and the pod.
    """
    found: dict[str, list[tuple[int, Key, Pod]]] = {}
    placed = ((key, pod) for key, pods in facts.standing.placed().items() for pod in pods)
    for number, (key, pod) in enumerate(placed):
        if key[1] in REPLICATED and not pod.terminating:
            found.setdefault(pod.node, []).append((number, key, pod))
    return found


def without(facts: Facts, domain: Domain) -> Simulation:
    """The cluster when the domain is lost, and what stood there is gone."""
    return facts.standing.simulation().after_loss(domain.nodes)


def _replayed(
    facts: Facts,
    domain: Domain,
    displaced: Mapping[Key, list[Pod]],
    victims: dict[Key, tuple[Domain, Key, int]],
) -> Iterator[tuple[Key, Stuck]]:
    if not displaced:
        return
    simulation = without(facts, domain)
    anew = {key: [replace(pod, node="") for pod in pods] for key, pods in displaced.items()}
    placement = simulation.place([pod for pods in anew.values() for pod in pods], 0)
    for key, pods in anew.items():
        stuck = [pod for pod in pods if pod.id in placement.unschedulable]
        if stuck and key in facts.by_key:
            why = placement.unschedulable[stuck[0].id]
            cause = cause_of(simulation, stuck[0])
            _evict(facts, simulation, domain, (key, stuck[0]), victims)
            total = len(facts.scheduling.pods(facts.by_key[key]))
            yield key, Stuck(domain, len(pods), len(stuck), total, why, cause)


def _evict(
    facts: Facts,
    simulation: Simulation,
    domain: Domain,
    asking: tuple[Key, Pod],
    victims: dict[Key, tuple[Domain, Key, int]],
) -> None:
    """Note who leaves for a pod that found no node, where its priority is above that of others."""
    key, pod = asking
    if simulation.priority(pod) <= 0:
        return
    for candidate in chosen(simulation.victims(pod))[:1]:
        leaving = Counter(_owner(facts, victim) for victim in candidate.victims)
        for owner, count in leaving.items():
            if owner is not None:
                victims.setdefault(owner, (domain, key, count))


def _owner(facts: Facts, pod: Pod) -> Key | None:
    """The workload that a placed pod belongs to."""
    return facts.standing.owners.get(pod.id)


def varied(pod: Pod, **parts: Any) -> Pod:
    """The same pod with other parts: of itself (``claims``), or of its shape."""
    shape = copy(pod.shape)
    vars(shape).pop("known_by", None)
    claims = parts.pop("claims", pod.claims)
    vars(shape).update(parts)
    return replace(pod, shape=shape, claims=claims)


def cause_of(simulation: Simulation, pod: Pod) -> str:
    """What alone keeps `pod` from every node: with it left out there is one."""
    if not simulation.feasible(_bare(pod)).nodes:
        return FREE
    for cause, variant in _variants(pod):
        if simulation.feasible(variant).nodes:
            return cause
    return "several"


def _bare(pod: Pod) -> Pod:
    """The pod with nothing but what it takes of a node, and the taints that it can live with."""
    return varied(pod, claims=(), spreads=(), affinity=Affinity(), choice=Choice({}, None))


def _variants(pod: Pod) -> Iterator[tuple[str, Pod]]:
    shape = pod.shape
    if pod.claims:
        yield "volume", varied(pod, claims=())
    if any(spread.hard for spread in shape.spreads):
        lenient = tuple(replace(spread, honor_taints=True) for spread in shape.spreads)
        yield "taints", varied(pod, spreads=lenient)
        few = tuple(replace(spread, min_domains=1) for spread in shape.spreads)
        yield "minimum", varied(pod, spreads=few)
        yield "skew", varied(pod, spreads=())
    if shape.affinity.away:
        yield "apart", varied(pod, affinity=replace(shape.affinity, away=()))
    if shape.affinity.near:
        yield "near", varied(pod, affinity=replace(shape.affinity, near=()))
    yield "choice", varied(pod, choice=Choice({}, None))


def worst(found: Sequence[Stuck], cause: str) -> Stuck | None:
    """Of the losses with that cause, the one that leaves most pods without a node; of equal ones
    that of the smallest domain.
    """
    mine = [stuck for stuck in found if stuck.cause == cause]
    return max(mine, key=lambda each: (each.stuck, -len(each.domain.nodes)), default=None)
