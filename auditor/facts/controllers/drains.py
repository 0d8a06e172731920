"""What ``kubectl drain`` achieves on one node after the other.

The order of events is that of time: evictions are asked for again every five seconds
(``k8s.io/kubectl/pkg/drain``), pods stop and start as their annotations say, and what controllers
and the scheduler do takes no time. Of nodes that are equally good for a pod, all are tried.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.facts.controllers.budgets import Budget, Guarded, budget_of, labels_of
from auditor.facts.controllers.case import (
    Behaviour,
    Case,
    CaseError,
    Course,
    behaviour_of,
    name_of,
    seconds_of,
)
from auditor.facts.controllers.evictions import ACCEPTED, BROKEN, World, owner_of
from auditor.facts.controllers.room import Room
from auditor.facts.selectors import matches
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest
from auditor.values import dataclass

RETRY_SECONDS = 5.0
PATIENCE_SECONDS = 600.0
"""Without a timeout, or with one of 0, kubectl waits for ever: who is blocked so long stays so."""
NEVER = float("inf")
BRISK_SECONDS = 0.05
"""How long a pod takes to stop or to start where nothing is said."""
MOST_STATES = 256
"""So many placements are followed."""
CORDONED: Mapping[str, str] = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
REPLICATED = ("Deployment", "ReplicaSet", "ReplicationController")
"""What makes a new pod as soon as one of its own is being deleted."""
COMPLETED, BLOCKED, REFUSED = "completed", "blocked", "refused"


@dataclass(frozen=True, slots=True)
class Kind:
    """What makes pods, or a pod that nobody makes."""

    manifest: Manifest
    template: Manifest
    behaviour: Behaviour
    title: str
    namespace: str = ""
    """Empty where there is one namespace alone."""

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.manifest.get("kind"))


@dataclass(frozen=True, slots=True)
class Flags:
    """Of the command."""

    ignore_daemonsets: bool = False
    delete_emptydir: bool = False
    force: bool = False
    evict: bool = True
    timeout: float = PATIENCE_SECONDS
    selector: Manifest | None = None


@dataclass(frozen=True, slots=True, order=True)
class Run:
    """A pod on its way. Times are seconds of the case."""

    name: str
    kind: int
    node: str = ""
    ready_at: float = NEVER
    gone_at: float = NEVER

    @property
    def leaving(self) -> bool:
        """Whether it was deleted."""
        return self.gone_at < NEVER


@dataclass(frozen=True, slots=True)
class State:
    """The pods at one moment."""

    runs: tuple[Run, ...]
    now: float = 0.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the drain of one node ended."""

    result: str
    blocked: tuple[str, ...]
    """The pods that no eviction was granted for, as they are shown."""
    state: State


@dataclass(frozen=True, slots=True)
class Fleet:
    """Nodes, what makes pods, and what guards them."""

    nodes: tuple[Manifest, ...]
    kinds: tuple[Kind, ...]
    budgets: tuple[Budget, ...]
    cordoned: frozenset[str] = frozenset()

    @property
    def room(self) -> Room:
        """The nodes as they are now."""
        nodes = [_cordoned(n) if name_of(n) in self.cordoned else n for n in self.nodes]
        return Room(nodes, [kind.template for kind in self.kinds], "default", hashed=False)


def answer(course: Course) -> Mapping[str, Any]:
    """``steps``: for each node ``result`` and ``stillBlockedOn``."""
    case = course.first
    fleet = _fleet(case)
    states = [State(_initial(case, fleet))]
    told = []
    for step in map(mapping, sequence(case.action.get("steps"))):
        node, flags = str(step.get("node")), _flags(step)
        fleet = replace(fleet, cordoned=fleet.cordoned | {node})
        drain = Drain(fleet, fleet.room, node, flags)
        ended = [end for state in states for end in drain.ends(state)]
        told.append(_told(ended))
        states = list({end.state: None for end in ended})[:MOST_STATES]
    return {"steps": told}


def _told(ended: Sequence[Ended]) -> Mapping[str, Any]:
    """What happened in most of the placements; whether it did in all."""
    counted = Counter((end.result, end.blocked) for end in ended)
    (result, blocked), _ = counted.most_common(1)[0]
    told: dict[str, Any] = {"result": result, "stillBlockedOn": list(blocked)}
    return told if len(counted) == 1 else {**told, "dependsOnPlacement": True}


class Drain:
    """The drain of one node."""

    def __init__(
        self,
        fleet: Fleet,
        room: Room,
        node: str,
        flags: Flags,
        watch: Callable[[State], None] = lambda _state: None,
    ) -> None:
        """`watch` is shown every state that is passed through."""
        self._fleet, self._room, self._node, self._flags = fleet, room, node, flags
        self._watch = watch

    def ends(self, state: State, most: int = MOST_STATES) -> Iterator[Ended]:
        """How it can end; of more than `most` courses, the first."""
        asked = [run for run in state.runs if self._asked(run)]
        if any(self._refuses(run) for run in asked):
            yield Ended(REFUSED, (), state)
            return
        names = frozenset(r.name for r in asked if not self._ignored(r))
        waiting = [_Course(state, dict.fromkeys(names, state.now), frozenset(), state.now)]
        count = 0
        while waiting and count < most:
            course = waiting.pop()
            self._watch(course.state)
            if end := self._end(course):
                count += 1
                yield end
            else:
                waiting += self._followed(course)

    def rest(self, state: State) -> State:
        """The state once nothing more happens by itself; of equally good nodes, a pod gets the
        first.
        """
        while True:
            moments = [t for run in state.runs for t in (run.ready_at, run.gone_at)]
            then = min((t for t in moments if state.now < t < NEVER), default=None)
            if then is None:
                return state
            runs = tuple(run for run in state.runs if run.gone_at > then)
            state = next(self._settled(State(runs, then)))
            self._watch(state)

    def _asked(self, run: Run) -> bool:
        if run.node != self._node:
            return False
        chosen = self._flags.selector
        return chosen is None or matches(chosen, self._labels(run))

    def _labels(self, run: Run) -> Mapping[str, str]:
        return labels_of(self._fleet.kinds[run.kind].template)

    def _ignored(self, run: Run) -> bool:
        return self._fleet.kinds[run.kind].kind == "DaemonSet"

    def _refuses(self, run: Run) -> bool:
        """Whether kubectl will not begin because of this pod."""
        kind = self._fleet.kinds[run.kind]
        if kind.kind == "DaemonSet":
            return not self._flags.ignore_daemonsets
        if kind.kind == "Pod" and not self._flags.force:
            return True
        volumes = map(mapping, sequence(at(kind.template, ("spec", "volumes"))))
        return any("emptyDir" in each for each in volumes) and not self._flags.delete_emptydir

    def _end(self, course: _Course) -> Ended | None:
        begun, state = course.begun, course.state
        left = {name for name in course.asking if course.asking[name] < NEVER}
        there = {run.name for run in state.runs if run.node == self._node}
        waits = [name for name in course.granted if name in there]
        timed_out = state.now - begun >= self._flags.timeout
        if not left and not waits:
            result = BLOCKED if course.broken else COMPLETED
            return Ended(result, self._shown(course.broken, state), state)
        if timed_out:
            return Ended(BLOCKED, self._shown({*left, *course.broken}, state), state)
        return None

    def _shown(self, names: Iterable[str], state: State) -> tuple[str, ...]:
        by_name = {run.name: run for run in state.runs}
        return tuple(sorted(self._title(by_name[name]) for name in names if name in by_name))

    def _title(self, run: Run) -> str:
        kind = self._fleet.kinds[run.kind]
        return run.name if kind.kind in {"Pod", "StatefulSet"} else f"{kind.title}-*"

    def _followed(self, course: _Course) -> Iterator[_Course]:
        """What comes next: the first eviction that is due, or else the next moment."""
        state = course.state
        due = sorted(name for name, when in course.asking.items() if when <= state.now)
        if not due:
            for moved in self._advanced(course):
                yield replace(course, state=moved)
            return
        for granted in self._tried(course, due[0]):
            for settled in self._settled(granted.state):
                yield replace(granted, state=settled)

    def _tried(self, course: _Course, name: str) -> Iterator[_Course]:
        state = course.state
        code = self._world(state).evict(name) if self._flags.evict else ACCEPTED
        asking = dict(course.asking)
        asking[name] = NEVER if code in (ACCEPTED, BROKEN) else state.now + RETRY_SECONDS
        course = replace(course, asking=asking)
        if code == BROKEN:
            course = replace(course, broken=course.broken | {name})
        if code == ACCEPTED:
            course = replace(course, granted=course.granted | {name}, state=self._gone(state, name))
        yield course

    def _gone(self, state: State, name: str) -> State:
        def stopped(run: Run) -> Run:
            stop = self._fleet.kinds[run.kind].behaviour.stop_after
            return replace(run, gone_at=min(run.gone_at, state.now + max(stop, BRISK_SECONDS)))

        return replace(state, runs=tuple(stopped(r) if r.name == name else r for r in state.runs))

    def _world(self, state: State) -> World:
        owners = [owner_of(kind.manifest) for kind in self._fleet.kinds]
        pulling = [kind.behaviour.ready == "imagepull" for kind in self._fleet.kinds]
        pods = {
            run.name: Guarded(
                run.name,
                self._labels(run),
                ready=run.ready_at <= state.now and bool(run.node),
                phase="Running" if run.node and not pulling[run.kind] else "Pending",
                node=run.node,
                terminating=run.leaving,
                owner=owners[run.kind],
                namespace=self._fleet.kinds[run.kind].namespace,
            )
            for run in state.runs
        }
        return World(pods, self._fleet.budgets)

    def _advanced(self, course: _Course) -> Iterator[State]:
        """The next moment at which something happens."""
        state = course.state
        moments = [when for when in course.asking.values() if when < NEVER]
        moments += [t for run in state.runs for t in (run.ready_at, run.gone_at)]
        moments.append(course.begun + self._flags.timeout)
        then = min((t for t in moments if t > state.now), default=NEVER)
        runs = tuple(run for run in state.runs if run.gone_at > then)
        yield from self._settled(State(runs, then))

    def _settled(self, state: State) -> Iterator[State]:
        """What controllers and the scheduler make of it, for each choice of a node."""
        runs = [*state.runs, *self._missing(state)]
        open_states = [State(tuple(sorted(runs)), state.now)]
        while open_states:
            each = open_states.pop()
            placed = self._placed(each)
            open_states += placed
            if not placed:
                yield each

    def _missing(self, state: State) -> Iterator[Run]:
        for number, kind in enumerate(self._fleet.kinds):
            mine = [run for run in state.runs if run.kind == number]
            if kind.kind == "StatefulSet":
                yield from _ordinals(kind, number, mine, state.now)
            elif kind.kind in REPLICATED:
                have = sum(1 for run in mine if not run.leaving)
                used = {run.name for run in mine}
                names = (f"{kind.title}-new{n}" for n in range(10**6))
                fresh = (name for name in names if name not in used)
                yield from (Run(next(fresh), number) for _ in range(_replicas(kind) - have))

    def _placed(self, state: State) -> list[State]:
        """The states once one more pod has a node; none where none can be placed."""
        crowd = self._crowd(state)
        for run in state.runs:
            if run.node or run.leaving:
                continue
            if best := self._room.best(crowd, run.kind):
                return [self._bound(state, run, self._room.names[node]) for node in best]
        return []

    def _bound(self, state: State, run: Run, node: str) -> State:
        behaviour = self._fleet.kinds[run.kind].behaviour
        late = max(behaviour.ready_after, BRISK_SECONDS)
        never = behaviour.ready in {"never", "crash", "imagepull"}
        bound = replace(run, node=node, ready_at=NEVER if never else state.now + late)
        return replace(state, runs=tuple(sorted(bound if r is run else r for r in state.runs)))

    def _crowd(self, state: State) -> tuple[tuple[tuple[int, bool, int], ...], ...]:
        counts = Counter((run.node, run.kind, run.leaving) for run in state.runs if run.node)
        return tuple(
            tuple(sorted((k, leaving, n) for (at_, k, leaving), n in counts.items() if at_ == node))
            for node in self._room.names
        )


@dataclass(frozen=True, slots=True)
class _Course:
    """How far a drain is."""

    state: State
    asking: Mapping[str, float]
    """Pod → when its eviction is asked for next; never, once it was answered for good."""
    granted: frozenset[str]
    begun: float
    broken: frozenset[str] = frozenset()
    """Those whose eviction failed for good."""


def _ordinals(kind: Kind, number: int, mine: Sequence[Run], now: float) -> Iterator[Run]:
    """The pods that a StatefulSet makes anew: in order, once those before are ready."""
    there = {run.name: run for run in mine}
    ordered = kind.manifest.get("spec", {}).get("podManagementPolicy") != "Parallel"
    for ordinal in range(_replicas(kind)):
        name = f"{kind.title}-{ordinal}"
        run = there.get(name)
        if run is None:
            yield Run(name, number)
        if ordered and (run is None or run.leaving or run.ready_at > now):
            return


def _replicas(kind: Kind) -> int:
    replicas = at(kind.manifest, ("spec", "replicas"))
    return replicas if isinstance(replicas, int) else 1


def _fleet(case: Case) -> Fleet:
    makers = case.of_kind("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Pod")
    return Fleet(
        nodes=case.of_kind("Node"),
        kinds=tuple(map(_kind, makers)),
        budgets=tuple(budget_of(each) for each in case.of_kind("PodDisruptionBudget")),
    )


def _kind(manifest: Manifest) -> Kind:
    pod = manifest.get("kind") == "Pod"
    template = manifest if pod else mapping(at(manifest, ("spec", "template")))
    return Kind(manifest, template, behaviour_of(template.get("metadata")), name_of(manifest))


def _initial(case: Case, fleet: Fleet) -> tuple[Run, ...]:
    return tuple(sorted(_initial_run(pod, fleet) for pod in sequence(case.more.get("initialPods"))))


def _initial_run(pod: Any, fleet: Fleet) -> Run:
    name = str(mapping(pod).get("name") or mapping(pod).get("pod"))
    number = next((n for n, kind in enumerate(fleet.kinds) if _made_by(kind, name)), None)
    if number is None:
        raise CaseError(f"initialPods: nothing makes a pod {name!r}")
    ready = mapping(pod).get("ready") is True
    return Run(name, number, str(pod.get("node") or ""), 0.0 if ready else NEVER)


def _made_by(kind: Kind, name: str) -> bool:
    return name == kind.title if kind.kind == "Pod" else name.startswith(f"{kind.title}-")


def _flags(step: Manifest) -> Flags:
    words = [str(word) for word in sequence(step.get("args"))]
    timeout, chosen = _value(words, "--timeout"), _value(words, "--pod-selector")
    return Flags(
        ignore_daemonsets="--ignore-daemonsets" in words,
        delete_emptydir="--delete-emptydir-data" in words,
        force="--force" in words,
        evict="--disable-eviction" not in words,
        timeout=seconds_of(timeout or "0s", "--timeout") or PATIENCE_SECONDS,
        selector={"matchLabels": dict(_pairs(chosen))} if chosen else None,
    )


def _value(words: Sequence[str], flag: str) -> str:
    """What the flag is given, in its own word or in the next; empty where it is not there."""
    for word, following in zip(words, (*words[1:], ""), strict=False):  # none where none is
        if word == flag:
            return following
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return ""


def _pairs(selector: str) -> Iterator[tuple[str, str]]:
    for part in selector.split(","):
        key, _, value = part.partition("=")
        yield key, value.lstrip("=")


def _cordoned(node: Manifest) -> Manifest:
    spec = mapping(node.get("spec"))
    taints = [*sequence(spec.get("taints")), CORDONED]
    return {**node, "spec": {**spec, "unschedulable": True, "taints": taints}}
