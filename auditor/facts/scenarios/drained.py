"""A node is drained: `auditor.facts.controllers.drains` decides on the pods that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace

from auditor.facts.controllers.budgets import Budget, Guarded, covering
from auditor.facts.controllers.case import Behaviour
from auditor.facts.controllers.drains import (
    BLOCKED,
    COMPLETED,
    NEVER,
    Drain,
    Ended,
    Flags,
    Fleet,
    Kind,
    Run,
    State,
)
from auditor.facts.controllers.room import Crowd, Room
from auditor.facts.scenarios.cluster import REMADE, Cluster, Group, mounts_scratch
from auditor.facts.scenarios.outcome import Effect, Outcome, silenced
from auditor.facts.scenarios.surroundings import (
    Anywhere,
    cordoned,
    room_for,
    slots,
    topology_with,
    volume_doubts,
    without_claims,
)
from auditor.facts.wording import text
from auditor.manifests import mapping
from auditor.model import Manifest
from auditor.values import dataclass

PATIENCE_SECONDS = 60.0
"""Who is refused so long, while all else stands still, stays refused."""
LEEWAY = 2
"""Each pod is there at most twice: while it ends, and made anew."""
MOST_COURSES = 32
"""So many ways in which equally good nodes can be chosen are followed."""


def drained(cluster: Cluster, node: str, behaviour: Behaviour | None = None) -> Outcome:
    """What becomes of a drain of that node; `behaviour`: of the pods that are made anew."""
    return _Drained(cluster, node, behaviour or Behaviour()).outcome()


@dataclass
class _Lows:
    """The fewest that were available, of each kind and behind each Service."""

    kinds: dict[int, int] = field(default_factory=dict)
    services: dict[int, int] = field(default_factory=dict)


class _Drained:
    def __init__(self, cluster: Cluster, node: str, behaviour: Behaviour) -> None:
        self._cluster, self._node, self._behaviour = cluster, node, behaviour
        self._moving = _moving(cluster, node)
        self._numbers = {number: kind for kind, number in enumerate(self._moving)}
        self._lows = _Lows()

    def outcome(self) -> Outcome:
        """The answer."""
        start = State(tuple(sorted(self._runs())))
        room = self._room()
        patience = PATIENCE_SECONDS + self._behaviour.ready_after
        flags = Flags(ignore_daemonsets=True, delete_emptydir=True, force=True, timeout=patience)
        drain = Drain(self._fleet(), room, self._node, flags, self._see)
        self._see(start)
        ends = [
            replace(end, state=drain.rest(end.state)) for end in drain.ends(start, MOST_COURSES)
        ]
        effects = tuple(self._effects(start, ends, room))
        results = sorted({end.result for end in ends})
        result = BLOCKED if BLOCKED in results else COMPLETED
        lowest = [self._lows.services[n] for n in range(len(self._cluster.services))]
        return Outcome(
            cluster=self._cluster,
            action=f"drain {self._node}",
            result=result,
            words=self._words(result, results),
            effects=effects,
            silent=tuple(silenced(self._cluster, effects, lowest)),
            blocked_on=tuple(self._blocked(ends)),
            flags=tuple(self._needed_flags()),
            doubts=tuple(dict.fromkeys(self._doubts(room, len(ends)))),
            ends=tuple(results),
        )

    @property
    def _groups(self) -> Sequence[Group]:
        return [self._cluster.groups[number] for number in self._moving]

    def _fleet(self) -> Fleet:
        """Its nodes are not asked for: the room knows them."""
        kinds = tuple(self._kind(group) for group in self._groups)
        return Fleet((), kinds, self._cluster.budgets)

    def _kind(self, group: Group) -> Kind:
        labels = group.fresh.labels if group.fresh else group.labels
        template: Manifest = {"metadata": {"labels": dict(labels)}}
        namespace = group.ref.namespace
        return Kind(_maker(group), template, self._behaviour, group.name, namespace)

    def _room(self) -> Room:
        nodes = self._cluster.facts.topology
        topology = topology_with(nodes, {self._node: cordoned(nodes.by_name[self._node])})
        pods = [without_claims(g, g.fresh or g.running[0].pod) for g in self._groups]
        moving = {id(group) for group in self._groups}
        others = tuple(self._cluster.others(lambda group: id(group) in moving))
        room = room_for(self._cluster, topology, pods, others)
        count = sum(len(g.running) + len(g.waiting) for g in self._groups)
        enough = pods and slots(room, topology, pods, others) >= LEEWAY * count
        return Anywhere(room) if enough else room

    def _runs(self) -> Iterator[Run]:
        for kind, group in enumerate(self._groups):
            for each in group.running:
                gone = 0.0 if each.pod.terminating else NEVER
                yield Run(each.name, kind, each.node, 0.0 if each.ready else NEVER, gone)
            for name, _ in group.waiting:
                yield Run(name, kind)

    def _see(self, state: State) -> None:
        """Note how many are available at this moment."""
        counts = Counter(r.kind for r in state.runs if _serves(r, state.now))
        kinds, services = self._lows.kinds, self._lows.services
        for kind in range(len(self._moving)):
            kinds[kind] = min(kinds.get(kind, counts[kind]), counts[kind])
        for number, (_, groups) in enumerate(self._cluster.services):
            there = sum(self._count(group, counts) for group in groups)
            services[number] = min(services.get(number, there), there)

    def _count(self, group: int, counts: Mapping[int, int]) -> int:
        kind = self._numbers.get(group)
        return self._cluster.groups[group].available if kind is None else counts.get(kind, 0)

    def _effects(self, start: State, ends: Sequence[Ended], room: Room) -> Iterator[Effect]:
        touched = {run.kind for run in start.runs if run.node == self._node}
        for kind, group in enumerate(self._groups):
            after = [_available(end.state, kind) for end in ends]
            lowest = self._lows.kinds[kind]
            if kind in touched or lowest < group.available:
                waiting = max((_waiting(end.state, kind, group, room) for end in ends), default=())
                notes = tuple(_notes(group))
                yield Effect(group, group.available, lowest, min(after), waiting, notes)

    def _blocked(self, ends: Sequence[Ended]) -> Iterator[str]:
        """The pods that no eviction is granted for, with what stands against it."""
        for name in dict.fromkeys(name for end in ends for name in end.blocked):
            for kind, group in enumerate(self._groups):
                if name in (f"{group.name}-*", *(each.name for each in group.running)):
                    yield f"{name}: {self._why(kind, group)}"
                    break

    def _why(self, kind: int, group: Group) -> str:
        pod = Guarded("", self._fleet().kinds[kind].template["metadata"]["labels"], ready=True)
        found = covering(self._cluster.budgets, replace(pod, namespace=group.ref.namespace))
        names = " and ".join(f"{each.namespace}/{each.name}" for each in found)
        if len(found) > 1:
            return f"two budgets speak of it ({names}), so that no eviction is possible at all"
        told = ", ".join(map(_said, found))
        return f"PodDisruptionBudget {names} ({told}) lets none of its pods go"

    def _needed_flags(self) -> Iterator[str]:
        here = [g for g in self._cluster.groups if any(r.node == self._node for r in g.running)]
        if any(group.kind == "DaemonSet" for group in here):
            yield "--ignore-daemonsets"
        if any(mounts_scratch(group) for group in here if group.kind != "DaemonSet"):
            yield "--delete-emptydir-data"
        if any(_is_bare(group) for group in here):
            yield "--force"

    def _doubts(self, room: Room, courses: int) -> Iterator[str]:
        yield from room.doubts
        for group in self._groups:
            if not any(each.node == self._node for each in group.running):
                continue
            yield from volume_doubts(self._cluster, group)
            if group.controller:
                yield f"what {group.controller} makes in the place of pod {group.name}"
            elif group.kind not in (*REMADE, "Pod"):
                yield f"what becomes of {group.kind} {group.name} once its pod is evicted"
        if courses >= MOST_COURSES:
            yield f"more than {MOST_COURSES} ways to choose among equally good nodes"

    def _is_bound(self, group: Group) -> bool:
        """Whether volumes that not every node may reach decide where its pods here go."""
        here = any(each.node == self._node for each in group.running)
        return here and any(volume_doubts(self._cluster, group))

    def _words(self, result: str, results: Sequence[str]) -> str:
        if result == COMPLETED:
            bound = ", ".join(group.name for group in self._groups if self._is_bound(group))
            rest = f"; whether all come back, the volumes of {bound} decide" if bound else ""
            return f"{self._node} can be drained{rest}"
        if COMPLETED in results:
            return f"whether {self._node} can be drained depends on where its pods go"
        return f"{self._node} cannot be drained"


def _moving(cluster: Cluster, node: str) -> list[int]:
    """The groups with pods there that can be evicted, and those that share a budget with them."""
    groups = list(enumerate(cluster.groups))
    moving = [
        number
        for number, group in groups
        if group.kind != "DaemonSet"
        and not group.is_static
        and any(each.node == node for each in group.running)
    ]
    known: frozenset[int] = frozenset()
    while known != frozenset(moving):
        known = frozenset(moving)
        asked = [b for b in cluster.budgets if any(_covers(b, cluster.groups[n]) for n in known)]
        moving = [
            number
            for number, group in groups
            if number in known
            or (group.running and any(_covers(b, group) for b in asked) and not group.is_static)
        ]
    return moving


def _covers(budget: Budget, group: Group) -> bool:
    namespace = group.ref.namespace
    return budget.covers(Guarded("", group.labels, ready=True, namespace=namespace))


def _maker(group: Group) -> Manifest:
    """What the model takes for the controller: it wants as many pods as there are."""
    if group.controller:
        kind, _, name = group.controller.partition(" ")
        return {"kind": kind, "metadata": {"name": name, "namespace": group.ref.namespace}}
    spec = mapping(group.manifest.get("spec"))
    metadata = {"name": group.name, "namespace": group.ref.namespace}
    version = group.ref.api_version
    kept = {"replicas": group.wanted, "podManagementPolicy": spec.get("podManagementPolicy")}
    return {"apiVersion": version, "kind": group.kind, "metadata": metadata, "spec": kept}


def _is_bare(group: Group) -> bool:
    return group.kind == "Pod" and not group.controller and not group.is_static


def _serves(run: Run, now: float) -> bool:
    return bool(run.node) and run.ready_at <= now and not run.leaving


def _available(state: State, kind: int) -> int:
    return sum(run.kind == kind and _serves(run, state.now) for run in state.runs)


def _waiting(state: State, kind: int, group: Group, room: Room) -> tuple[tuple[int, str], ...]:
    """How many pods have no node in the end, and why."""
    mine = [run for run in state.runs if run.kind == kind and not run.leaving]
    count = sum(not run.node for run in mine)
    missing = group.wanted - len(mine)
    found = ((count, room.why(_crowd(state, room), kind)),) if count else ()
    if missing > 0 and group.kind == "StatefulSet":
        found = (*found, (missing, "not made before the pods before them are ready"))
    return found


def _crowd(state: State, room: Room) -> Crowd:
    """Who is where."""
    here: dict[str, Counter[tuple[int, bool]]] = {}
    for run in state.runs:
        if run.node:
            here.setdefault(run.node, Counter())[run.kind, run.leaving] += 1
    return tuple(
        tuple(sorted((k, leaving, n) for (k, leaving), n in here.get(node, {}).items()))
        for node in room.names
    )


def _notes(group: Group) -> Iterator[str]:
    if _is_bare(group):
        yield "nothing makes this pod again"


def _said(budget: Budget) -> str:
    """``minAvailable 2``."""
    if budget.least is not None:
        return f"minAvailable {text(budget.least) or budget.least}"
    return f"maxUnavailable {text(budget.most) or budget.most}"
