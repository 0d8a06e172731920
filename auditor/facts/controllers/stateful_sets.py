"""What a StatefulSet passes through in an update, and how that can end.

``pkg/controller/statefulset/stateful_set_control.go`` of Kubernetes 1.36. All orders in which
pods become available and disappear are explored; the controller reacts at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from auditor.facts.controllers.budgets import scaled
from auditor.facts.controllers.case import (
    Behaviour,
    Case,
    CaseError,
    Course,
    behaviour_of,
    namespace_of,
    templates_of,
)
from auditor.facts.controllers.exploring import Explored, explored
from auditor.facts.controllers.room import Crowd, Room
from auditor.facts.controllers.stages import NOWHERE, Stage, first_stage, told, why_not_ready
from auditor.facts.controllers.validation import refusal
from auditor.manifests import at, mapping
from auditor.model import Manifest
from auditor.values import dataclass

GATE = "gate-MaxUnavailableStatefulSet-on"
"""The tag of cases with that feature gate on; it is off by default."""
COMPLETE, TO_PARTITION, MIXED, STUCK = (
    "complete",
    "complete-to-partition",
    "settled-mixed",
    "stuck",
)


@dataclass(frozen=True, slots=True, order=True)
class Member:
    """The pod of one ordinal."""

    ordinal: int
    revision: int
    stage: Stage
    node: int = NOWHERE


@dataclass(frozen=True, slots=True)
class State:
    """One moment."""

    members: tuple[Member, ...]
    current: int
    """The revision that counted last as rolled out."""

    def at(self, ordinal: int) -> Member | None:
        """The pod of that ordinal."""
        return next((each for each in self.members if each.ordinal == ordinal), None)

    def put(self, member: Member) -> State:
        """The same with this pod in place of the one of its ordinal."""
        rest = (each for each in self.members if each.ordinal != member.ordinal)
        return replace(self, members=tuple(sorted((*rest, member))))

    def without(self, member: Member) -> State:
        """The same without it."""
        return replace(self, members=tuple(each for each in self.members if each != member))

    @property
    def available(self) -> int:
        """How many pods are."""
        return sum(1 for each in self.members if each.stage is Stage.AVAILABLE)


@dataclass(frozen=True, slots=True)
class World:
    """What does not change during one step."""

    room: Room
    behaviours: tuple[Behaviour, ...]
    replicas: int
    wanted: int
    """The revision of the template that the set has now."""
    ordered: bool
    on_delete: bool
    partition: int
    most_unavailable: int | None
    """None where it is not obeyed: then one pod goes after the other."""

    def next(self, state: State) -> Iterator[State]:
        """The states that can follow."""
        if (done := self._synced(state)) is not None:
            yield done
            return
        yield from self._placed(state)
        for member in state.members:
            yield from self._lived(state, member)

    def _lived(self, state: State, member: Member) -> Iterator[State]:
        if member.stage is Stage.STARTING:
            yield state.put(replace(member, stage=Stage.AVAILABLE))
        elif member.stage is Stage.LEAVING:
            yield state.without(member)
        fails = self.behaviours[member.revision].unready_after is not None
        if fails and member.stage in (Stage.STARTING, Stage.AVAILABLE):
            yield state.put(replace(member, stage=Stage.BROKEN))

    def _placed(self, state: State) -> Iterator[State]:
        crowd = self.crowd(state)
        for member in state.members:
            if member.stage is Stage.PENDING:
                stage = first_stage(self.behaviours[member.revision])
                for node in self.room.best(crowd, member.revision):
                    yield state.put(replace(member, stage=stage, node=node))

    def crowd(self, state: State) -> Crowd:
        """Who is where."""
        return tuple(
            tuple(
                sorted(
                    (m.revision, m.stage is Stage.LEAVING, 1) for m in state.members if m.node == n
                )
            )
            for n in range(len(self.room.names))
        )

    def _synced(self, state: State) -> State | None:
        """What the controller does next; None where nothing."""
        rolled = all(self._is_new(state.at(n)) for n in range(self.replicas))
        if rolled and self.replicas and state.current != self.wanted:
            return replace(state, current=self.wanted)
        done, waits = self._kept(state)
        if done is None and not waits:
            done, waits = self._condemned(state)
        if done is not None or waits or self.on_delete:
            return done
        return self._updated(state)

    def _is_new(self, member: Member | None) -> bool:
        there = member is not None and member.stage is Stage.AVAILABLE
        return bool(there and member and member.revision == self.wanted)

    def _kept(self, state: State) -> tuple[State | None, bool]:
        """The pods that there have to be: what is done for them, and whether to wait."""
        for ordinal in range(self.replicas):
            member = state.at(ordinal)
            if member is None:
                revision = state.current if ordinal < self.partition else self.wanted
                return state.put(Member(ordinal, revision, Stage.PENDING)), False
            if self.ordered and member.stage is not Stage.AVAILABLE:
                return None, True
        return None, False

    def _condemned(self, state: State) -> tuple[State | None, bool]:
        """The pods beyond the replicas, from the highest on."""
        unwell = [m for m in state.members if m.stage is not Stage.AVAILABLE]
        first = min((m.ordinal for m in unwell), default=None)
        for member in reversed(state.members):
            if member.ordinal < self.replicas:
                break
            if member.stage is Stage.LEAVING:
                if self.ordered:
                    return None, True
                continue
            unhealthy = member.stage is not Stage.AVAILABLE
            if self.ordered and unhealthy and member.ordinal != first:
                return None, True
            return self._deleted(state, member), False
        return None, False

    def _updated(self, state: State) -> State | None:
        """One pod of an old revision goes, the highest first."""
        if self.most_unavailable is not None:
            return self._updated_within(state, self.most_unavailable)
        for ordinal in reversed(range(self.partition, self.replicas)):
            member = state.at(ordinal)
            if member is None:
                return None
            if member.revision != self.wanted and member.stage is not Stage.LEAVING:
                return self._deleted(state, member)
            if member.stage is not Stage.AVAILABLE:
                return None
        return None

    def _updated_within(self, state: State, most: int) -> State | None:
        """As many at once as may be away together."""
        members = [state.at(ordinal) for ordinal in range(self.replicas)]
        room = most - sum(1 for m in members if m is None or m.stage is not Stage.AVAILABLE)
        old = [m for m in members[self.partition :] if m and m.revision != self.wanted]
        going = [m for m in reversed(old) if m.stage is not Stage.LEAVING][: max(room, 0)]
        for member in going:
            state = self._deleted(state, member)
        return state if going else None

    def _deleted(self, state: State, member: Member) -> State:
        if member.node == NOWHERE:
            return state.without(member)
        return state.put(replace(member, stage=Stage.LEAVING))

    def end(self, state: State) -> str:
        """How it ended."""
        members = [state.at(ordinal) for ordinal in range(self.replicas)]
        beyond = any(member.ordinal >= self.replicas for member in state.members)
        if beyond or any(m is None or m.stage is not Stage.AVAILABLE for m in members):
            return STUCK
        old = [m.ordinal for m in members if m is not None and m.revision != self.wanted]
        if not old:
            return COMPLETE
        return MIXED if self.on_delete or max(old) >= self.partition else TO_PARTITION


def answer(course: Course) -> Mapping[str, Any]:
    """``ends``, ``minAvailable``, ``notAvailableOrdinals`` …; for a course of steps, of each."""
    answers = list(_march(course))
    return {"steps": answers} if course.stepped else answers[0]


def _march(course: Course) -> Iterator[Mapping[str, Any]]:
    case = course.first
    sent = case.of_kind("StatefulSet")[0]
    templates = templates_of(sent, course)
    room = Room(case.of_kind("Node"), templates, namespace_of(sent), hashed=False)
    world = _world(case, room, templates, sent)
    states: Iterable[State] = explored([State((), 0)], world.next).quiet
    for action in course.actions:
        if action.get("type") == "delete-pod":
            states = [_deleted(state, str(action.get("pod"))) for state in states]
        else:
            sent = mapping(action.get("object"))
            if refused := refusal(sent):
                yield refused
                continue
            world = _world(case, room, templates, sent)
        found = explored(states, world.next)
        yield summary(found, world)
        states = found.quiet or found.seen


def _deleted(state: State, pod: str) -> State:
    ordinal = pod.rpartition("-")[2]
    is_one = ordinal.isascii() and ordinal.isdecimal() and len(ordinal) < 10
    member = state.at(int(ordinal)) if is_one else None
    if member is None:
        raise CaseError(f"action.pod: there is no pod {pod!r}")
    leaving = replace(member, stage=Stage.LEAVING)
    return state.without(member) if member.node == NOWHERE else state.put(leaving)


def summary(found: Explored[State], world: World) -> Mapping[str, Any]:
    """What was found, in the keys of the recorded cases."""
    ends = {world.end(state) for state in found.quiet} if found.whole else {COMPLETE, STUCK}
    last = sorted(found.quiet, key=repr)
    state = next((s for s in last if world.end(s) == STUCK), last[0] if last else None)
    members = state.members if state else ()
    there = {member.ordinal for member in members}
    return {
        "accepted": True,
        "minAvailable": min(state.available for state in found.seen),
        "ends": sorted(ends),
        "why": _why(state, world) if state else [],
        "notAvailableOrdinals": [m.ordinal for m in members if m.stage is not Stage.AVAILABLE],
        "missingOrdinals": [n for n in range(world.replicas) if n not in there],
        **({} if found.whole else {"notExplored": True}),
    }


def _why(state: State, world: World) -> list[Mapping[str, Any]]:
    counts: Counter[tuple[str, str]] = Counter()
    for member in state.members:
        if member.stage is Stage.PENDING:
            counts["unschedulable", world.room.why(world.crowd(state), member.revision)] += 1
        elif member.stage in (Stage.BROKEN, Stage.PULLING):
            counts["notReady", why_not_ready(world.behaviours[member.revision])] += 1
    return told(counts)


def _world(case: Case, room: Room, templates: tuple[Manifest, ...], sent: Manifest) -> World:
    spec = mapping(sent.get("spec"))
    rolling = mapping(at(spec, ("updateStrategy", "rollingUpdate")))
    replicas = spec.get("replicas", 1)
    most = rolling.get("maxUnavailable") if GATE in case.tags else None
    return World(
        room=room,
        behaviours=tuple(behaviour_of(each.get("metadata")) for each in templates),
        replicas=replicas,
        wanted=templates.index(mapping(spec.get("template"))),
        ordered=spec.get("podManagementPolicy", "OrderedReady") == "OrderedReady",
        on_delete=at(spec, ("updateStrategy", "type")) == "OnDelete",
        partition=rolling.get("partition") or 0,
        most_unavailable=None if most is None else max(scaled(most, replicas, up=False), 1),
    )
