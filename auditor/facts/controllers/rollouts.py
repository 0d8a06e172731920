"""What a Deployment passes through in an update, and how that can end.

All orders in which pods become available and disappear, and in which they are placed, are
explored; the controllers themselves react at once. Pods of one revision on nodes that nothing but
their names tells apart count as the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.facts.controllers.case import (
    Behaviour,
    Case,
    Course,
    behaviour_of,
    namespace_of,
    templates_of,
)
from auditor.facts.controllers.exploring import MOST_STATES, Explored, explored
from auditor.facts.controllers.quotas import Quotas
from auditor.facts.controllers.rolling import Sizes, Strategy, grown, scaled_to, shrunk, strategy_of
from auditor.facts.controllers.room import Crowd, Room
from auditor.facts.controllers.stages import NOWHERE, Stage, first_stage, told, why_not_ready
from auditor.facts.controllers.validation import refusal
from auditor.manifests import at, mapping
from auditor.model import Manifest
from auditor.values import dataclass

COMPLETE, STUCK = "complete", "stuck"


Pods = tuple[tuple[int, Stage, int, int], ...]
"""(revision, stage, node, how many), sorted."""


@dataclass(frozen=True, slots=True)
class State:
    """One moment of a rollout."""

    sizes: Sizes
    pods: Pods
    new: int | None
    """The revision that is wanted, once its ReplicaSet exists."""

    def count(self, revision: int | None = None, *stages: Stage) -> int:
        """The pods of a revision (of all: None) in one of these stages."""
        return sum(
            number
            for r, stage, _, number in self.pods
            if (revision is None or r == revision) and stage in stages
        )

    @property
    def available(self) -> Sizes:
        """Pods that are available, of each revision."""
        return tuple(self.count(r, Stage.AVAILABLE) for r in range(len(self.sizes)))

    def moved(self, pod: tuple[int, Stage, int], to: tuple[int, Stage, int] | None) -> State:
        """The same with one pod elsewhere, or gone."""
        counts = Counter({(r, stage, node): n for r, stage, node, n in self.pods})
        counts[pod] -= 1
        if to is not None:
            counts[to] += 1
        return replace(self, pods=_sorted(counts))

    def added(self, revision: int) -> State:
        """The same with one more pod, on no node yet."""
        counts = Counter({(r, stage, node): n for r, stage, node, n in self.pods})
        counts[revision, Stage.PENDING, NOWHERE] += 1
        return replace(self, pods=_sorted(counts))


def _sorted(counts: Mapping[tuple[int, Stage, int], int]) -> Pods:
    return tuple(sorted((*key, number) for key, number in counts.items() if number))


ACTIVE = (Stage.PENDING, Stage.PULLING, Stage.BROKEN, Stage.STARTING, Stage.AVAILABLE)


@dataclass(frozen=True, slots=True)
class World:
    """What does not change during one step."""

    room: Room
    behaviours: tuple[Behaviour, ...]
    quotas: Quotas
    wanted: int
    """The revision of the template that the Deployment has now."""
    strategy: Strategy
    most_states: int = MOST_STATES

    def crowd(self, state: State) -> Crowd:
        """Who is where."""
        here: dict[int, Counter[tuple[int, bool]]] = {}
        for revision, stage, node, number in state.pods:
            if node != NOWHERE:
                here.setdefault(node, Counter())[revision, stage is Stage.LEAVING] += number
        return tuple(
            tuple(sorted((r, leaving, n) for (r, leaving), n in here.get(node, {}).items()))
            for node in range(len(self.room.names))
        )

    def same(self, state: State) -> State:
        """The state that stands for all that differ in the names of nodes alone."""
        places: dict[int, list[tuple[int, Stage, int]]] = {}
        for revision, stage, node, number in state.pods:
            places.setdefault(node, []).append((revision, stage, number))
        named: dict[int, int] = {NOWHERE: NOWHERE}
        for group in self.room.alike:
            order = sorted(group, key=lambda node: sorted(places.get(node, ())), reverse=True)
            named.update(zip(order, group, strict=True))
        pods = tuple(sorted((r, s, named[node], n) for r, s, node, n in state.pods))
        return replace(state, pods=pods)

    def next(self, state: State) -> Iterator[State]:
        """The states that can follow. What controllers do comes before what pods do."""
        at_once = self._replicas(state) or self._deployment(state)
        yield from at_once or (*self._placed(state), *self._lived(state))

    def _replicas(self, state: State) -> list[State]:
        """What the ReplicaSet controller does: one pod at a time."""
        for revision, size in enumerate(state.sizes):
            have = state.count(revision, *ACTIVE)
            if have < size and self.quotas.admits(state.pods, revision):
                return [state.added(revision)]
            if have > size:
                return [self._deleted(state, pod) for pod in self._first(state, revision)]
        return []

    def _first(self, state: State, revision: int) -> list[tuple[int, Stage, int]]:
        """The pods one of which goes first: by stage, then from the fullest node. Those that may
        be ready without being available yet may go before or after others that are not.
        """
        mine = [(stage, node) for r, stage, node, _ in state.pods if r == revision]
        mine = [(stage, node) for stage, node in mine if stage in ACTIVE]
        lowest = min(stage for stage, _ in mine)
        crowd = Counter[int]()
        for _, stage, node, number in state.pods:
            crowd[node] += number if stage in ACTIVE else 0
        first = [node for stage, node in mine if stage == lowest]
        fullest = max(crowd[node] for node in first)
        return [(revision, lowest, node) for node in first if crowd[node] == fullest]

    def _deleted(self, state: State, pod: tuple[int, Stage, int]) -> State:
        revision, _, node = pod
        gone = None if node == NOWHERE else (revision, Stage.LEAVING, node)
        return state.moved(pod, gone)

    def _deployment(self, state: State) -> list[State]:
        """What the Deployment controller does."""
        if self.strategy.paused:
            return []
        if self.strategy.recreate:
            return self._recreated(state)
        new = state.new
        if new is None:
            state = replace(state, new=self.wanted)
            return [state]
        sizes = grown(state.sizes, new, self.strategy)
        if sizes == state.sizes and any(s for n, s in enumerate(sizes) if n != new):
            sizes = shrunk(sizes, state.available, new, self.strategy)
        return [] if sizes == state.sizes else [replace(state, sizes=sizes)]

    def _recreated(self, state: State) -> list[State]:
        """Old pods go, all of them, before new ones come."""
        wanted = self.wanted
        kept = tuple(size if n == wanted else 0 for n, size in enumerate(state.sizes))
        if kept != state.sizes:
            return [replace(state, sizes=kept)]
        if any(r != wanted for r, *_ in state.pods):
            return []
        sizes = grown(state.sizes, wanted, self.strategy)
        done = state.new == wanted and sizes == state.sizes
        return [] if done else [replace(state, new=wanted, sizes=sizes)]

    def _placed(self, state: State) -> Iterator[State]:
        """What the scheduler does."""
        waiting = {r for r, stage, _, _ in state.pods if stage is Stage.PENDING}
        crowd = self.crowd(state) if waiting else ()
        for revision in waiting:
            for node in self.room.best(crowd, revision):
                to = (revision, first_stage(self.behaviours[revision]), node)
                yield state.moved((revision, Stage.PENDING, NOWHERE), to)

    def _lived(self, state: State) -> Iterator[State]:
        """What pods do by themselves."""
        for revision, stage, node, _ in state.pods:
            pod = (revision, stage, node)
            if stage is Stage.STARTING:
                yield state.moved(pod, (revision, Stage.AVAILABLE, node))
            elif stage is Stage.LEAVING:
                yield state.moved(pod, None)
            if stage in (Stage.STARTING, Stage.AVAILABLE) and self._fails(revision):
                yield state.moved(pod, (revision, Stage.BROKEN, node))

    def _fails(self, revision: int) -> bool:
        return self.behaviours[revision].unready_after is not None


def explore(starts: Iterable[State], world: World) -> Explored[State]:
    """Follow every order, states that differ in the names of nodes alone as one."""

    def following(state: State) -> Iterator[State]:
        return map(world.same, world.next(state))

    return explored(map(world.same, starts), following, world.most_states)


def answer(course: Course) -> Mapping[str, Any]:
    """``minAvailable``, ``ends`` and ``why``; for a course of steps, of each."""
    answers = [
        summary(found, world) if isinstance(found, Explored) else found
        for found, world in _march(course)
    ]
    return {"steps": answers} if course.stepped else answers[0]


def _march(course: Course) -> Iterator[tuple[Explored[State] | Mapping[str, Any], World]]:
    """Each step with what can become of it."""
    case = course.first
    before = case.of_kind("Deployment")[0]
    templates = templates_of(before, course)
    nodes, namespace = case.of_kind("Node"), namespace_of(before)
    room = Room(nodes, templates, namespace, hashed=True, others=case.others)
    world = _world(case, room, templates, before)
    zero = (0,) * len(templates)
    states: Iterable[State] = explore([State(zero, (), None)], world).quiet
    strategy, flags = world.strategy, list(case.more.get("interrupted", ()))
    for number, action in enumerate(course.actions):
        sent = mapping(action.get("object"))
        if refused := refusal(sent):
            yield refused, world
            continue
        world = _world(case, room, templates, sent)
        states = [_told_to(state, strategy, world) for state in states]
        found = explore(states, world)
        yield found, world
        strategy = world.strategy
        cut = number < len(flags) and flags[number]
        states = found.seen if cut or not found.whole else found.quiet


def _told_to(state: State, before: Strategy, world: World) -> State:
    """The state once the Deployment was changed."""
    if world.strategy.replicas != before.replicas:
        sizes = scaled_to(state.sizes, state.available, state.new, before.most, world.strategy)
        state = replace(state, sizes=sizes)
    if state.new != world.wanted:
        state = replace(state, new=None)
    return state


def _world(case: Case, room: Room, templates: tuple[Manifest, ...], sent: Manifest) -> World:
    template = mapping(at(sent, ("spec", "template")))
    return World(
        room=room,
        behaviours=tuple(behaviour_of(each.get("metadata")) for each in templates),
        quotas=Quotas.of(case.of_kind("ResourceQuota"), templates),
        wanted=templates.index(template),
        strategy=strategy_of(sent),
        most_states=case.most_states,
    )


def summary(found: Explored[State], world: World) -> Mapping[str, Any]:
    """What was found, in the keys of the recorded cases."""
    ends = {_end(state, world) for state in found.quiet} if found.whole else {COMPLETE, STUCK}
    stuck = sorted((s for s in found.quiet if _end(s, world) == STUCK), key=repr)
    return {
        "accepted": True,
        "minAvailable": min(sum(state.available) for state in found.seen),
        "ends": sorted(ends),
        "why": _why(stuck[0], world) if stuck else [],
        **({} if found.whole else {"notExplored": True}),
    }


def _end(state: State, world: World) -> str:
    replicas = world.strategy.replicas
    others = [r for r, *_ in state.pods if r != state.new]
    done = not others and state.count(state.new, Stage.AVAILABLE) == replicas
    return COMPLETE if done and sum(n for *_, n in state.pods) == replicas else STUCK


def _why(state: State, world: World) -> list[Mapping[str, Any]]:
    """What is not available in the end, and why."""
    found: Counter[tuple[str, str]] = Counter()
    crowd = world.crowd(state)
    for revision, stage, _, number in state.pods:
        if stage is Stage.PENDING and world.room.gated(revision):
            found["SchedulingGated", "a gate is to be lifted"] += number
        elif stage is Stage.PENDING:
            found["unschedulable", world.room.why(crowd, revision)] += number
        elif stage in (Stage.PULLING, Stage.BROKEN):
            found["notReady", why_not_ready(world.behaviours[revision])] += number
    for revision, size in enumerate(state.sizes):
        if state.count(revision, *ACTIVE) < size:
            found["replicaFailure", world.quotas.why(state.pods, revision)] += 1
    return told(found)
