"""What a certificate shows about a fix, level by level. Each level is worked out from two worlds
alone, the one before the fix and the one after it, so that whoever has both can ask again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any

from auditor.facts import Facts
from auditor.facts.placement import Placement, Pod, Simulation, pods_of
from auditor.facts.schema.types import faults
from auditor.facts.workloads import Workload
from auditor.fixes.certificates.numbers import ASSUMED, Edge, Where, hops, unavailability
from auditor.model import Key, Resource
from auditor.values import Word, dataclass

SEEDS = 20
"""How often a placement is replayed, ties broken in another way each time."""


class Level(Word):
    """What is shown, from the least to the most."""

    ADMITTED = "P0"
    WITNESS = "P1"
    REPLAY = "P2"
    TRANSITION = "P3"
    CLOSURE = "P4"
    OTHERS = "P5"

    @property
    def means(self) -> str:
        """In words."""
        return _MEANINGS[self]


_MEANINGS = {
    Level.ADMITTED: "the API server takes it",
    Level.WITNESS: "there is a placement that satisfies every rule",
    Level.REPLAY: "the scheduler finds one, however ties fall",
    Level.TRANSITION: "the way there goes no lower than is needed, or than an update did before",
    Level.CLOSURE: "whoever came back after a node, rack or zone was lost and deleted still does",
    Level.OTHERS: "nothing else gets worse",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """One level of one fix."""

    level: Level
    holds: bool | None
    """None where it cannot be told."""
    told: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Worlds:
    """The cluster before a fix and after it."""

    before: Facts
    after: Facts
    changed: tuple[Resource, ...]
    """The objects of the fix, as it leaves them."""
    edges: tuple[Edge, ...] = ()
    """Who asks whom, as the user's own objects told."""
    _settled: dict[int, tuple[Simulation, Placement]] = field(default_factory=dict, compare=False)

    @cached_property
    def moved(self) -> Sequence[Workload]:
        """The workloads whose pods the fix has made anew."""
        found = (self.after.by_key.get(resource.ref.key) for resource in self.changed)
        return tuple(workload for workload in found if workload is not None)

    @property
    def keys(self) -> frozenset[Key]:
        """Of the moved workloads."""
        return frozenset(workload.ref.key for workload in self.moved)

    def waiting(self) -> list[Pod]:
        """The pods of the moved workloads, which are to be placed."""
        return [pod for workload in self.moved for pod in self.after.standing.made(workload)]

    def simulation(self, seed: int = 0) -> Simulation:
        """The cluster without the pods that the fix moves; the others stand where they stood."""
        return self.before.standing.simulation(seed=seed, also=self.moved)

    def was(self, seed: int = 0) -> Where:
        """Where pods stand before the fix."""
        placed = self.before.standing.placed(seed)
        return {key: Counter(pod.node for pod in pods) for key, pods in placed.items()}

    @property
    def settled(self) -> tuple[Simulation, Placement]:
        """The cluster with the moved pods placed, and where they went: the witness."""
        return self.settled_by(0)

    def settled_by(self, seed: int) -> tuple[Simulation, Placement]:
        """The same, with ties broken by `seed`."""
        if seed not in self._settled:
            simulation = self.simulation(seed)
            self._settled[seed] = simulation, simulation.place(self.waiting(), seed)
        return self._settled[seed]

    def now(self, seed: int = 0) -> Where:
        """Where they stand after it: what it does not move stays."""
        found = {key: nodes for key, nodes in self.was(seed).items() if key not in self.keys}
        _, placement = self.settled_by(seed)
        for workload in self.moved:
            bound = (placement.bound.get(name) for name in self._names(workload))
            found[workload.ref.key] = Counter(node for node in bound if node)
        return found

    def _names(self, workload: Workload) -> Iterator[str]:
        """The pods that its pods stand for: a DaemonSet's has one on every node."""
        for pod in pods_of(workload):
            yield pod.id
            if pod.each_node:
                yield from (f"{pod.id}-{node.name}" for node in self.after.topology.nodes)


def shown(worlds: Worlds) -> tuple[Shown, ...]:
    """Every level."""
    return tuple(each(worlds) for each in _LEVELS)


def admitted(worlds: Worlds) -> Shown:
    """P0: fields and types, against the API of the version."""
    version = worlds.after.settings.kubernetes
    wrong = [
        f"{each.ref}: {fault}" for each in worlds.changed for fault in _new_faults(worlds, each)
    ]
    told = "; ".join(wrong) or f"valid for Kubernetes {version // 100}.{version % 100}"
    return Shown(Level.ADMITTED, not wrong, told)


def _new_faults(worlds: Worlds, now: Resource) -> Iterator[str]:
    version = worlds.after.settings.kubernetes
    old = worlds.before.snapshot.find(now.ref)
    known = set(map(str, faults(old, version))) if old else set()
    yield from (str(each) for each in faults(now, version) if str(each) not in known)


def witness(worlds: Worlds) -> Shown:
    """P1: one node for each pod, every rule satisfied as each is bound in its turn."""
    if not worlds.moved:
        return Shown(Level.WITNESS, True, "no pod is scheduled anew")
    if why := _untold(worlds):
        return Shown(Level.WITNESS, None, why)
    simulation, placement = worlds.settled
    if simulation.unsupported:
        return Shown(Level.WITNESS, None, simulation.unsupported[0])
    details = {"bound": dict(placement.bound), "unschedulable": dict(placement.unschedulable)}
    told = f"{len(placement.bound)} pods have a node"
    if placement.unschedulable:
        told = "; ".join(f"{pod}: {why}" for pod, why in placement.unschedulable.items())
    return Shown(Level.WITNESS, not placement.unschedulable, told, details)


def _untold(worlds: Worlds) -> str:
    """Why no pod can be placed; empty where they can."""
    return "" if worlds.after.topology.nodes else "no Node objects are given"


def replay(worlds: Worlds) -> Shown:
    """P2: the same with many seeds; the worst of them is told."""
    if not worlds.moved:
        return Shown(Level.REPLAY, True, "no pod is scheduled anew")
    if why := _untold(worlds):
        return Shown(Level.REPLAY, None, why)
    worst: Mapping[str, str] = {}
    for seed in range(SEEDS):
        lost = worlds.settled_by(seed)[1].unschedulable
        worst = lost if len(lost) > len(worst) else worst
    told = f"all pods have a node with each of {SEEDS} seeds"
    if worst:
        told = f"with one of {SEEDS} seeds {len(worst)} pods have no node"
    return Shown(Level.REPLAY, not worst, told, {"seeds": SEEDS, "worst": dict(worst)})


def transition(worlds: Worlds) -> Shown:
    """P3: the update that the fix brings, in every order of events where that can be looked at."""
    if not worlds.moved:
        return Shown(Level.TRANSITION, True, "no pod is made anew")
    passages = {w.name: _passage(worlds, w) for w in worlds.moved if w.ref.kind == "Deployment"}
    untold = [w.name for w in worlds.moved if w.name not in passages]
    if untold:
        return Shown(Level.TRANSITION, None, f"no update of {untold[0]} is modelled here", passages)
    bad = [f"{name}: {each['why']}" for name, each in passages.items() if not each["holds"]]
    told = "; ".join(bad) or "; ".join(
        f"{name}: never fewer than {each['lowest']} available, and {each['needed']} needed"
        + (", as with any update before the fix" if each["as before"] else "")
        for name, each in passages.items()
    )
    return Shown(Level.TRANSITION, not bad, told, passages)


def _passage(worlds: Worlds, workload: Workload) -> dict[str, Any]:
    """What the update of a Deployment passes through."""
    update = worlds.after.updates.of(workload)
    if update is None:
        nothing = {"lowest": 0, "needed": 0, "holds": True, "why": "there is nothing to update"}
        return {**nothing, "as before": False}
    count = update.needed.count
    old = worlds.before.by_key.get(workload.ref.key)
    was = worlds.before.updates.of(old) if old else None
    why = ""
    if update.stuck and not (was and was.stuck):
        why = f"the update may stop for good: {update.stuck.why}"
    elif update.lowest < count and not (was and was.lowest <= update.lowest):
        why = f"only {update.lowest} of {count} that are needed would be available"
    before = bool(not why and (update.stuck or update.lowest < count))
    found = {"lowest": update.lowest, "needed": count, "holds": not why, "why": why}
    return {**found, "as before": before}


def closure(worlds: Worlds) -> Shown:
    """P4: the loss of each domain, replayed. What did not come back before the fix is no fault of
    it, and is told.
    """
    if not worlds.moved:
        return Shown(Level.CLOSURE, True, "no pod is scheduled anew")
    if why := _untold(worlds):
        return Shown(Level.CLOSURE, None, why)
    left = {w.name: _left(worlds.after, w.ref.key) for w in worlds.moved}
    before = {w.name: _left(worlds.before, w.ref.key) for w in worlds.moved}
    worse = [
        f"{name}: {count} pods find no node after the loss of {domain}"
        for name, lost in left.items()
        for domain, count in lost.items()
        if count > before[name].get(domain, 0)
    ]
    stays = sum(map(len, left.values()))
    told = "all pods come back" if not stays else f"as before the fix, after {stays} losses not all"
    return Shown(
        Level.CLOSURE, not worse, worse[0] if worse else told, {"before": before, "after": left}
    )


def _left(facts: Facts, key: Key) -> dict[str, int]:
    """By the name of each domain, how many pods find no node once it is lost."""
    found = facts.scheduling.losses.get(key, ())
    return {str(each.domain): each.stuck for each in found}


def others(worlds: Worlds) -> Shown:
    """P5: whoever had a node has one, and nothing is more often unavailable."""
    if why := _untold(worlds):
        return Shown(Level.OTHERS, None, why)
    lost = list(_crowded_out(worlds))
    keys = worlds.keys
    edges = [edge for edge in worlds.edges if not keys.isdisjoint(edge)]
    was = unavailability(worlds.before, worlds.was(), keys, edges)
    now = unavailability(worlds.after, worlds.now(), keys, edges)
    rarer = [
        f"{name} and what it asks: unavailable {now[name]:.1e} of the time, before {was[name]:.1e}"
        for name in now
        if name in was and now[name] > was[name] * _ROUNDING
    ]
    bad = [f"a pod of {name} would find no node" for name in lost] + rarer
    details = {
        "unschedulable": lost,
        "unavailability": {"before": was, "after": now, "odds": str(ASSUMED)},
        "hops": {
            "before": hops(worlds.before, map(worlds.was, range(SEEDS)), edges),
            "after": hops(worlds.after, map(worlds.now, range(SEEDS)), edges),
        },
    }
    return Shown(Level.OTHERS, not bad, bad[0] if bad else "nothing else gets worse", details)


_ROUNDING = 1.01
"""Odds are known to an order of magnitude: less than a hundredth more is no more."""


def _crowded_out(worlds: Worlds) -> Iterator[str]:
    """The workloads of which one more pod found a node before the fix, and finds none after it."""
    before, after = worlds.before.standing.simulation(), worlds.settled[0].fork()
    for workload in worlds.before.workloads:
        if workload.ref.key not in worlds.keys:
            pods = [p for p in worlds.before.standing.one(workload) if not p.each_node]
            if any(before.feasible(p).nodes and not after.feasible(p).nodes for p in pods):
                yield workload.name


_LEVELS: tuple[Callable[[Worlds], Shown], ...] = (
    admitted, witness, replay, transition, closure, others,
)  # fmt: skip
