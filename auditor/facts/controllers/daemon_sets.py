"""What a DaemonSet passes through in an update, and how that can end.

``pkg/controller/daemon/{update,daemon_controller}.go`` of Kubernetes 1.36. All orders in which
pods become available and disappear are explored; the controller reacts at once, to the node that
it likes first among equals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor.facts.controllers.budgets import scaled
from auditor.facts.controllers.case import (
    Behaviour,
    Course,
    behaviour_of,
    namespace_of,
    templates_of,
)
from auditor.facts.controllers.exploring import Explored, explored
from auditor.facts.controllers.room import Crowd, Room
from auditor.facts.controllers.stages import Stage, first_stage, told, why_not_ready
from auditor.facts.controllers.validation import refusal
from auditor.facts.placement.replicas import EVERY_NODE
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest
from auditor.values import dataclass

COMPLETE, MIXED, STUCK = "complete", "settled-mixed", "stuck"

Pods = tuple[tuple[int, Stage], ...]
"""The pods for one node: (revision, stage), sorted. Pending ones are meant for it."""
State = tuple[Pods, ...]
"""Of each node."""


@dataclass(frozen=True, slots=True)
class World:
    """What does not change during one step."""

    room: Room
    behaviours: tuple[Behaviour, ...]
    wanted: int
    desired: frozenset[int]
    """The nodes that are to have a pod."""
    surge: int
    unavailable: int
    on_delete: bool

    def same(self, state: State) -> State:
        """The state that stands for all that differ in the names of nodes alone."""
        found: dict[int, Pods] = {}
        for group in self.room.alike:
            found.update(zip(group, sorted((state[n] for n in group), reverse=True), strict=True))
        return tuple(found[node] for node in range(len(state)))

    def next(self, state: State) -> Iterator[State]:
        """The states that can follow."""
        synced = list(self._managed(state)) or list(self._updated(state))
        if synced:
            yield from map(self.same, synced)
            return
        for node, pods in enumerate(state):
            for pod in pods:
                for after in self._lived(state, node, pod):
                    yield self.same(after)

    def _lived(self, state: State, node: int, pod: tuple[int, Stage]) -> Iterator[State]:
        revision, stage = pod
        if stage is Stage.PENDING and node in self.room.fits(self.crowd(state), revision):
            yield _swapped(state, node, pod, (revision, first_stage(self.behaviours[revision])))
        elif stage is Stage.STARTING:
            yield _swapped(state, node, pod, (revision, Stage.AVAILABLE))
        elif stage is Stage.LEAVING:
            yield _swapped(state, node, pod, None)
        fails = self.behaviours[revision].unready_after is not None
        if fails and stage in (Stage.STARTING, Stage.AVAILABLE):
            yield _swapped(state, node, pod, (revision, Stage.BROKEN))

    def _managed(self, state: State) -> Iterator[State]:
        """Pods where there have to be any, and none where there may not."""
        for node, pods in enumerate(state):
            active = [pod for pod in pods if pod[1] is not Stage.LEAVING]
            if node not in self.desired:
                if active:
                    yield self._deleted(state, node, active[0])
                    return
            elif not pods:
                yield _swapped(state, node, None, (self.wanted, Stage.PENDING))
                return

    def _updated(self, state: State) -> Iterator[State]:
        """One step of a rolling update, on each node that may be next."""
        if not self.on_delete:
            yield from self._surged(state) if self.surge else self._replaced(state)

    def _replaced(self, state: State) -> Iterator[State]:
        """Old pods go where they are of no use, and else as many as may be away."""
        away = sum(1 for node in self.desired if not _serves(state[node]))
        spare: list[State] = []
        for node in self.desired:
            for pod in state[node]:
                if pod[0] == self.wanted or pod[1] is Stage.LEAVING:
                    continue
                if pod[1] is not Stage.AVAILABLE:
                    yield self._deleted(state, node, pod)
                    return
                spare.append(self._deleted(state, node, pod))
        if away < self.unavailable:
            yield from spare

    def _surged(self, state: State) -> Iterator[State]:
        """New pods come beside old ones, which go once the new are available."""
        surging = sum(1 for node in self.desired if self._both(state[node]))
        more: list[State] = []
        for node in self.desired:
            old = [p for p in state[node] if p[0] != self.wanted and p[1] is not Stage.LEAVING]
            new = [p for p in state[node] if p[0] == self.wanted]
            if old and any(pod[1] is Stage.AVAILABLE for pod in new):
                yield self._deleted(state, node, old[0])
                return
            if not old or new:
                continue
            fresh = _swapped(state, node, None, (self.wanted, Stage.PENDING))
            if old[0][1] is not Stage.AVAILABLE:
                yield fresh
                return
            more.append(fresh)
        if surging < self.surge:
            yield from more

    def _both(self, pods: Pods) -> bool:
        revisions = {r == self.wanted for r, stage in pods if stage is not Stage.LEAVING}
        return len(revisions) == 2

    def _deleted(self, state: State, node: int, pod: tuple[int, Stage]) -> State:
        gone = None if pod[1] is Stage.PENDING else (pod[0], Stage.LEAVING)
        return _swapped(state, node, pod, gone)

    def crowd(self, state: State) -> Crowd:
        """Who is where."""
        found = []
        for pods in state:
            counts = Counter((r, s is Stage.LEAVING) for r, s in pods if s is not Stage.PENDING)
            found.append(tuple(sorted((r, leaving, n) for (r, leaving), n in counts.items())))
        return tuple(found)

    def end(self, state: State) -> str:
        """How it ended."""
        if any(pods for node, pods in enumerate(state) if node not in self.desired):
            return STUCK
        here = [state[node] for node in self.desired]
        if all(pods == ((self.wanted, Stage.AVAILABLE),) for pods in here):
            return COMPLETE
        alone = all(len(pods) == 1 and _serves(pods) for pods in here)
        return MIXED if alone and self.on_delete else STUCK


def _serves(pods: Pods) -> bool:
    return any(stage is Stage.AVAILABLE for _, stage in pods)


def _swapped(
    state: State, node: int, old: tuple[int, Stage] | None, new: tuple[int, Stage] | None
) -> State:
    pods = list(state[node])
    if old is not None:
        pods.remove(old)
    if new is not None:
        pods.append(new)
    return (*state[:node], tuple(sorted(pods)), *state[node + 1 :])


def answer(course: Course) -> Mapping[str, Any]:
    """``ends``, ``minAvailable`` and ``why``; for a course of steps, of each."""
    answers = list(_march(course))
    return {"steps": answers} if course.stepped else answers[0]


def _march(course: Course) -> Iterator[Mapping[str, Any]]:
    case = course.first
    before = case.of_kind("DaemonSet")[0]
    templates = templates_of(before, course, _tolerant)
    room = Room(case.of_kind("Node"), templates, namespace_of(before), hashed=False)
    world = _world(room, templates, before)
    empty: State = tuple(() for _ in room.names)
    states: Iterable[State] = explored([empty], world.next).quiet
    for action in course.actions:
        sent = mapping(action.get("object"))
        if refused := refusal(sent):
            yield refused
            continue
        world = _world(room, templates, sent)
        found = explored(map(world.same, states), world.next)
        yield summary(found, world)
        states = found.quiet or found.seen


def summary(found: Explored[State], world: World) -> Mapping[str, Any]:
    """What was found, in the keys of the recorded cases."""
    ends = {world.end(state) for state in found.quiet} if found.whole else {COMPLETE, STUCK}
    stuck = sorted((s for s in found.quiet if world.end(s) == STUCK), key=repr)
    fewest = min(
        sum(stage is Stage.AVAILABLE for pods in state for _, stage in pods) for state in found.seen
    )
    return {
        "accepted": True,
        "minAvailable": fewest,
        "desired": len(world.desired),
        "ends": sorted(ends),
        "why": _why(stuck[0], world) if stuck else [],
        **({} if found.whole else {"notExplored": True}),
    }


def _why(state: State, world: World) -> list[Mapping[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    for revision, stage in (pod for pods in state for pod in pods):
        if stage is Stage.PENDING:
            counts["unschedulable", world.room.why(world.crowd(state), revision)] += 1
        elif stage in (Stage.BROKEN, Stage.PULLING):
            counts["notReady", why_not_ready(world.behaviours[revision])] += 1
    return told(counts)


def _tolerant(template: Manifest) -> Manifest:
    spec = mapping(template.get("spec"))
    added = [{"key": k, "operator": "Exists", "effect": effect} for k, effect in EVERY_NODE]
    return {
        **template,
        "spec": {**spec, "tolerations": [*sequence(spec.get("tolerations")), *added]},
    }


def _world(room: Room, templates: tuple[Manifest, ...], sent: Manifest) -> World:
    spec = mapping(sent.get("spec"))
    wanted = templates.index(_tolerant(mapping(spec.get("template"))))
    desired = room.admits(wanted)
    rolling = mapping(at(spec, ("updateStrategy", "rollingUpdate")))
    return World(
        room=room,
        behaviours=tuple(behaviour_of(each.get("metadata")) for each in templates),
        wanted=wanted,
        desired=desired,
        surge=scaled(rolling.get("maxSurge", 0), len(desired)),
        unavailable=scaled(rolling.get("maxUnavailable", 1), len(desired)),
        on_delete=at(spec, ("updateStrategy", "type")) == "OnDelete",
    )
