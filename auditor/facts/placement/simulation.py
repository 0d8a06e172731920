"""Places pods on nodes the way kube-scheduler 1.36 does with its default profile.

One pod after the other: filters, then the best score, ties broken by a seed. Unless it is asked
for, all nodes are scored, and no pod is evicted for another. What is not modelled is told, never
guessed.
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import field, replace
from functools import cached_property

import numpy as np

from auditor.facts.placement.affinity import affinity_checks, keeping_away, undecided
from auditor.facts.placement.columns import Bools, Columns, Ints
from auditor.facts.placement.filters import Verdict, admits, named, room, tolerated
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Pod, Shape
from auditor.facts.placement.preemption import (
    Budget,
    Candidate,
    Scene,
    budgets_of,
    chosen,
    preempts,
)
from auditor.facts.placement.sampling import Sampling
from auditor.facts.placement.scores import Scorer
from auditor.facts.placement.spread import Eligible, spread_checks
from auditor.facts.placement.topology import Topology, unreachable
from auditor.facts.placement.unmodelled import gates, priority_of, unmodelled
from auditor.facts.placement.volumes import Volumes
from auditor.facts.wording import said
from auditor.model import Snapshot
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Feasible:
    """Which nodes can take a pod."""

    nodes: tuple[str, ...]
    """Those that passed all filters, in the order of the topology."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why each other node refuses it."""

    @property
    def why(self) -> str:
        """The refusals in one line, the most frequent first."""
        reasons: dict[str, list[str]] = {}
        for node, reason in self.refused.items():
            reasons.setdefault(reason, []).append(node)
        ordered = sorted(reasons.items(), key=lambda item: -len(item[1]))
        told = "; ".join(f"{_some(nodes)} {reason}" for reason, nodes in ordered)
        return f"no node can take it: {told}" if told else "there is no node"


def _some(nodes: Sequence[str]) -> str:
    more = f" and {len(nodes) - 3} more" if len(nodes) > 3 else ""
    return ", ".join(nodes[:3]) + more


@dataclass(frozen=True, slots=True)
class Placement:
    """Where pods went."""

    bound: Mapping[str, str]
    """The node of each pod, by its ``namespace/name``."""
    unschedulable: Mapping[str, str]
    """Why each other pod found no node."""
    evicted: Mapping[str, str] = field(default_factory=dict)
    """Who had to leave for whom, each by its ``namespace/name``."""


class Simulation:
    """Nodes with the pods that are on them."""

    def __init__(
        self,
        topology: Topology,
        namespace_labels: Mapping[str, Mapping[str, str]],
        placed: Iterable[Pod],
        snapshot: Snapshot,
    ) -> None:
        self._snapshot = snapshot
        self._occupancy = Occupancy(Columns(topology.nodes), namespace_labels)
        self._volumes = Volumes(snapshot)
        self._scorer = Scorer(snapshot)
        self._eligible: dict[Shape, Eligible] = {}
        self._unsupported: dict[str, None] = {}
        self._met: set[Shape] = set()
        self._priorities: dict[Shape, int] = {}
        for node in topology.nodes:
            self._note(node.refused)
        for pod in placed:
            if pod.node in self._occupancy.index and not pod.finished:
                self.bind(pod, pod.node)

    def fork(self) -> Simulation:
        """The same cluster for now; what happens on one of the two does not happen on the other.
        Costs a copy of what is counted, and not of what is on the nodes.
        """
        other = copy(self)
        other._occupancy = self._occupancy.fork()
        other._unsupported, other._met = dict(self._unsupported), set(self._met)
        return other

    def after_loss(self, names: Container[str]) -> Simulation:
        """The same cluster when the nodes of these names answer no more, and all that stood there
        is gone. Costs a fork, and one release for each pod there.
        """
        other = self.fork()
        nodes = [unreachable(n) if n.name in names else n for n in self._occupancy.nodes]
        for index, node in enumerate(nodes):
            for pod in other._occupancy.on(index) if node.name in names else ():
                other._occupancy.release(pod, index)
        other._occupancy = other._occupancy.over(self._occupancy.columns.retainted(nodes))
        # What was met elsewhere is to change nothing here.
        other._eligible, other._volumes = {}, Volumes(self._snapshot)
        return other

    @contextmanager
    def trial(self) -> Iterator[None]:
        """Whatever is bound or released within is undone at the end. Costs a fork."""
        kept = self._occupancy
        self._occupancy = kept.fork()
        try:
            yield
        finally:
            self._occupancy = kept

    @property
    def unsupported(self) -> tuple[str, ...]:
        """What was met and is not modelled, in sentences: where there is one, nothing that was
        answered is proven.
        """
        return tuple(self._unsupported)

    def feasible(self, pod: Pod) -> Feasible:
        """The nodes that can take `pod` now. Costs one comparison of columns for each rule, and one
        look at each group of placed pods for each rule about other pods.
        """
        verdicts = self._verdicts(pod)
        passing = _passing(verdicts)
        fits = tuple(self._name(index) for index in np.flatnonzero(passing).tolist())
        refused = np.flatnonzero(~passing).tolist()
        return Feasible(fits, {self._name(index): _why(verdicts, index) for index in refused})

    def takers(self, pod: Pod) -> tuple[str, ...]:
        """The nodes that can take `pod` now; the same tuple wherever these are the same nodes."""
        passing = _passing(self._verdicts(pod))
        return self._occupancy.columns.remembered(
            ("names", passing.tobytes()),
            lambda: tuple(self._name(index) for index in np.flatnonzero(passing).tolist()),
        )

    def places(self, pod: Pod) -> int:
        """How many pods like `pod` fit on all nodes that admit it, beside what is there, as far as
        resources tell.
        """
        return int(self._occupancy.places(pod)[self._admitted(pod).passes].sum())

    def against(self, pod: Pod, node: str) -> str:
        """Why `node` does not meet the rules of `pod` about nodes and other pods; empty where it
        does. Whether it is tainted or full does not count.
        """
        index = self._occupancy.index[node]
        if not pod.shape.choice.admits(node, self._occupancy.nodes[index].labels):
            return "is not among the nodes that the pod selects"
        verdicts = (
            *spread_checks(pod, self._occupancy, self._eligible_for(pod)),
            *affinity_checks(pod, self._occupancy),
        )
        return next((v.why(index) for v in verdicts if not v.passes[index]), "")

    def scores(self, pod: Pod) -> Mapping[str, int]:
        """The total score of each node that can take `pod`."""
        return {node: sum(each.values()) for node, each in self.weighted(pod).items()}

    def weighted(self, pod: Pod) -> Mapping[str, Mapping[str, int]]:
        """Score times weight of each plugin that applies, for each node that can take `pod`."""
        fits = _passing(self._verdicts(pod))
        columns = self._columns(pod, fits)
        return {
            self._name(index): {plugin: int(column[index]) for plugin, column in columns.items()}
            for index in np.flatnonzero(fits).tolist()
        }

    def bind(self, pod: Pod, node: str) -> None:
        """Put `pod` on `node`, whether it fits or not."""
        self._occupancy.bind(pod, self._occupancy.index[node])
        self._note_refused(pod, pod.shape.refused)

    def release(self, pod: Pod, node: str) -> None:
        """Take `pod`, which is there, from `node`."""
        self._occupancy.release(pod, self._occupancy.index[node])

    def place(
        self, pods: Iterable[Pod], seed: int, *, preempting: bool = False, sampled: bool = False
    ) -> Placement:
        """Find a node for each of `pods`, the highest priority first, and bind it. A pod that found
        none is tried again once others are bound, where its rules about other pods may then be met.

        Args:
            pods: who is to be placed.
            seed: breaks ties, and says where a search among samples starts.
            preempting: whether pods of lower priority are evicted for one that finds no node.
            sampled: whether of a hundred nodes or more only some are asked, as a scheduler does.
        """
        sampling = Sampling(self._occupancy.nodes, seed) if sampled else None
        course = _Course(self, seed, sampling, preempting=preempting)
        waiting = [each for pod in pods for each in self._expanded(pod) if not pod.finished]
        waiting.sort(key=self.priority, reverse=True)
        before = -1
        while waiting and len(course.bound) > before:
            before = len(course.bound)
            waiting = [pod for pod in waiting if course.tried(pod)]
        return Placement(course.bound, course.lost, course.evicted)

    def victims(self, pod: Pod) -> tuple[Candidate, ...]:
        """For each node on which `pod` fits once pods of lower priority are gone, who has to go.
        Costs a few looks for each pod on each node.
        """
        self._meet(pod)
        able = np.flatnonzero(self._admitted(pod).passes).tolist() if preempts(pod.spec) else ()
        found = (self._candidate(pod, index) for index in able)
        return tuple(each for each in found if each)

    def _candidate(self, pod: Pod, index: int) -> Candidate | None:
        name = self._name(index)
        with self.trial():
            scene = Scene(
                node=name,
                priority=self.priority(pod),
                priority_of=self.priority,
                budgets=self._budgets,
                take=lambda victim: self.release(victim, name),
                give=lambda victim: self.bind(victim, name),
                fits=lambda: all(bool(each.passes[index]) for each in self._verdicts(pod)),
            )
            return scene.candidate(self._occupancy.on(index))

    @cached_property
    def _budgets(self) -> tuple[Budget, ...]:
        return budgets_of(self._snapshot)

    def choose(self, pod: Pod, chance: random.Random, sampling: Sampling | None) -> tuple[str, str]:
        """The node that `pod` gets, or empty and why not."""
        if held := gates(pod):
            return "", f"it waits until {', '.join(held)} is lifted"
        if pod.node:
            return self._named(pod)
        verdicts = self._verdicts(pod)
        fits = _passing(verdicts)
        if fits.any():
            asked = sampling.of(fits) if sampling else fits
            return self._name(chance.choice(self._best(pod, asked))), ""
        if pod.only:
            return "", f"node {pod.only} {_why(verdicts, self._occupancy.index[pod.only])}"
        return "", self.feasible(pod).why

    def _best(self, pod: Pod, fits: Bools) -> list[int]:
        """Those that fit and score most."""
        if np.count_nonzero(fits) == 1:
            return [int(np.argmax(fits))]
        total = np.add.reduce(list(self._columns(pod, fits).values()))
        best: list[int] = np.flatnonzero(fits & (total == np.max(total[fits]))).tolist()
        return best

    def _columns(self, pod: Pod, fits: Bools) -> Mapping[str, Ints]:
        """The weighted scores by plugin, for each node; those of nodes that fit count."""
        if not fits.any():
            return {}
        return self._scorer.weighted(pod, self._occupancy, fits, self._eligible_for(pod))

    def _name(self, index: int) -> str:
        return self._occupancy.nodes[index].name

    def _named(self, pod: Pod) -> tuple[str, str]:
        """A pod that names its node passes by the scheduler; the kubelet judges it."""
        self._meet(pod)
        index = self._occupancy.index.get(pod.node)
        if index is None:
            return "", f"it names node {pod.node}, which is not given"
        why = tolerated(pod, self._occupancy.nodes[index])
        for verdict in room(pod, self._occupancy):
            why = why or (None if verdict.passes[index] else verdict.why(index))
        return ("", f"node {pod.node} {why}") if why else (pod.node, "")

    def _expanded(self, pod: Pod) -> Iterator[Pod]:
        """The pod itself, or one for each node that a DaemonSet's pod may run on."""
        if not pod.each_node:
            yield pod
            return
        for index in np.flatnonzero(self._admitted(pod).passes).tolist():
            node = self._name(index)
            yield replace(pod, name=f"{pod.name}-{node}", only=node, each_node=False)

    def priority(self, pod: Pod) -> int:
        """The priority of `pod`; 0 where that is not known."""
        if pod.shape not in self._priorities:
            self._priorities[pod.shape] = priority_of(pod, self._snapshot) or 0
        return self._priorities[pod.shape]

    def _verdicts(self, pod: Pod) -> Sequence[Verdict]:
        """What each rule says of all nodes, in the order in which a scheduler asks them."""
        self._meet(pod)
        occupancy = self._occupancy
        return (
            self._admitted(pod),
            *named(pod, occupancy),
            *room(pod, occupancy),
            *self._volumes.checks(pod, occupancy),
            *spread_checks(pod, occupancy, self._eligible_for(pod)),
            *affinity_checks(pod, occupancy),
        )

    @property
    def occupancy(self) -> Occupancy:
        """What is on the nodes now, to be read."""
        return self._occupancy

    def admitted(self, pod: Pod) -> Bools:
        """Which nodes `pod` may run on, whatever is there."""
        return self._admitted(pod).passes

    def is_kept_away(self, pod: Pod) -> bool:
        """Whether pods that are placed must be away from `pod`."""
        return bool(keeping_away(pod, self._occupancy))

    def _admitted(self, pod: Pod) -> Verdict:
        """What the nodes say to `pod` whatever is on them; the same for all pods that ask alike."""
        choice = pod.shape.choice
        about = ("admits", choice.known_by, pod.shape.tolerations)
        columns = self._occupancy.columns
        said = columns.answers(
            about, choice.required or (), choice.labels, lambda node: admits(pod, node)
        )
        passes = columns.remembered(
            ("passes", *about), lambda: np.array([why is None for why in said], dtype=np.bool_)
        )
        return Verdict(passes, lambda index: said[index] or "")

    def _eligible_for(self, pod: Pod) -> Eligible:
        return self._eligible.setdefault(pod.shape, Eligible(pod, self._occupancy.columns))

    def _note(self, sentences: Iterable[str]) -> None:
        self._unsupported.update(dict.fromkeys(sentences))

    def doubts(self, pod: Pod) -> tuple[str, ...]:
        """What of `pod` cannot be judged, in sentences, whether it was met before or not."""
        faults = (f"pod {pod.id} would be refused: {why}" for why in pod.shape.faults)
        return (*self._around(pod), *self._inside(pod), *faults)

    def _meet(self, pod: Pod) -> None:
        """Note what of a pod that is to be placed cannot be judged."""
        self._note(self._around(pod))
        if pod.shape not in self._met:
            self._met.add(pod.shape)
            self._note(self._inside(pod))
            self._note_refused(pod, pod.shape.faults)

    def _around(self, pod: Pod) -> Iterator[str]:
        """What depends on the pods that are there."""
        for name in undecided(pod, self._occupancy):
            yield f"the labels of namespace {name} are not given"
        yield from self._volumes.unsupported(pod)

    def _inside(self, pod: Pod) -> Iterator[str]:
        """What depends on the specification alone."""
        yield from unmodelled(pod, self._snapshot)
        if priority_of(pod, self._snapshot) is None:
            name = said(pod.spec.get("priorityClassName"))
            yield f"pod {pod.id} names PriorityClass {name}, which is not given"
        silent = [n.name for n in self._occupancy.nodes if n.allocatable is None]
        if silent:
            yield f"nodes do not say what they can hold: {_some(silent)}"

    def _note_refused(self, pod: Pod, faults: Iterable[str]) -> None:
        self._note(f"pod {pod.id} would be refused: {why}" for why in faults)


def _passing(verdicts: Sequence[Verdict]) -> Bools:
    """The nodes that pass all of them."""
    passing: Bools = np.logical_and.reduce([verdict.passes for verdict in verdicts])
    return passing


def _why(verdicts: Sequence[Verdict], index: int) -> str:
    """The first that the node with that index does not pass, in its words."""
    return next(verdict.why(index) for verdict in verdicts if not verdict.passes[index])


class _Course:
    """One call of `place`: what has come of it so far."""

    def __init__(
        self, simulation: Simulation, seed: int, sampling: Sampling | None, *, preempting: bool
    ) -> None:
        self._simulation = simulation
        self._chance = random.Random(seed)  # noqa: S311 a tie, not a secret
        self._sampling = sampling
        self._preempting = preempting
        self.bound: dict[str, str] = {}
        self.lost: dict[str, str] = {}
        self.evicted: dict[str, str] = {}

    def tried(self, pod: Pod) -> bool:
        """Place `pod`, or note why not; whether it is worth another try."""
        node, why = self._simulation.choose(pod, self._chance, self._sampling)
        if not node and self._preempting and not gates(pod) and not pod.node:
            node = self._cleared(pod)
        if not node:
            self.lost[pod.id] = why
            return bool(pod.shape.affinity.near or pod.shape.spreads)
        self._simulation.bind(pod.on(node), node)
        self.bound[pod.id] = node
        self.lost.pop(pod.id, None)
        return False

    def _cleared(self, pod: Pod) -> str:
        """The node that others leave for `pod`; empty where that helps nowhere."""
        best = chosen(self._simulation.victims(pod))
        if not best:
            return ""
        taken = self._chance.choice(best)
        for victim in taken.victims:
            self._simulation.release(victim, taken.node)
            self.evicted[victim.id] = pod.id
            if self.bound.pop(victim.id, None):
                self.lost[victim.id] = f"it was evicted for {pod.id}"
        return taken.node
