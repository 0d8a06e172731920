"""Places pods on nodes the way kube-scheduler 1.36 does with its default profile.

One pod after the other: filters, then the best score, ties broken by a seed. All nodes are
scored, and no pod is evicted for another. What is not modelled is told, never guessed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from auditor.facts.placement.affinity import affinity_checks, undecided
from auditor.facts.placement.filters import Check, admits, named, room, tolerated
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.placement.pods import Pod, Shape
from auditor.facts.placement.scores import Scorer
from auditor.facts.placement.spread import Eligible, spread_checks
from auditor.facts.placement.topology import Topology
from auditor.facts.placement.unmodelled import gates, priority_of, unmodelled
from auditor.facts.placement.volumes import Volumes
from auditor.facts.wording import said
from auditor.model import Snapshot


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


class Simulation:
    """Nodes with the pods that are on them; pods can be added, never taken away."""

    def __init__(
        self,
        topology: Topology,
        namespace_labels: Mapping[str, Mapping[str, str]],
        placed: Iterable[Pod],
        snapshot: Snapshot,
    ) -> None:
        self._snapshot = snapshot
        self._occupancy = Occupancy(topology, namespace_labels)
        self._volumes = Volumes(snapshot)
        self._scorer = Scorer(self._occupancy, snapshot)
        self._static: dict[Shape, list[str | None]] = {}
        self._eligible: dict[Shape, Eligible] = {}
        self._unsupported: dict[str, None] = {}
        self._met: set[Shape] = set()
        for node in topology.nodes:
            self._note(node.refused)
        for pod in placed:
            if pod.node in self._occupancy.index and not pod.finished:
                self.bind(pod, pod.node)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """What was met and is not modelled, in sentences: where there is one, nothing that was
        answered is proven.
        """
        return tuple(self._unsupported)

    def feasible(self, pod: Pod) -> Feasible:
        """The nodes that can take `pod` now. Costs one look at each node, and one at each group
        of placed pods for each rule about other pods.
        """
        return self._told(self._judge(pod))

    def scores(self, pod: Pod) -> Mapping[str, int]:
        """The total score of each node that can take `pod`."""
        return {node: sum(each.values()) for node, each in self.weighted(pod).items()}

    def weighted(self, pod: Pod) -> Mapping[str, Mapping[str, int]]:
        """Score times weight of each plugin that applies, for each node that can take `pod`."""
        fits = self._fitting(self._judge(pod))
        columns = self._columns(pod, fits)
        return {
            self._name(index): {plugin: column[i] for plugin, column in columns.items()}
            for i, index in enumerate(fits)
        }

    def bind(self, pod: Pod, node: str) -> None:
        """Put `pod` on `node`, whether it fits or not."""
        self._occupancy.bind(pod, self._occupancy.index[node])
        self._note_refused(pod, pod.shape.refused)

    def place(self, pods: Iterable[Pod], seed: int) -> Placement:
        """Find a node for each of `pods`, the highest priority first, and bind it. A pod that found
        none is tried again once others are bound, where its rules about other pods may then be met.
        """
        chance = random.Random(seed)  # noqa: S311 a tie, not a secret
        bound: dict[str, str] = {}
        lost: dict[str, str] = {}
        waiting = [each for pod in pods for each in self._expanded(pod) if not pod.finished]
        waiting.sort(key=self._priority, reverse=True)
        before = -1
        while waiting and len(bound) > before:
            before = len(bound)
            waiting = [pod for pod in waiting if self._tried(pod, chance, bound, lost)]
        return Placement(bound, lost)

    def _tried(
        self, pod: Pod, chance: random.Random, bound: dict[str, str], lost: dict[str, str]
    ) -> bool:
        """Place `pod`, or note why not; whether it is worth another try."""
        node, why = self._choose(pod, chance)
        if not node:
            lost[pod.id] = why
            return bool(pod.shape.affinity.near or pod.shape.spreads)
        self.bind(pod.on(node), node)
        bound[pod.id] = node
        lost.pop(pod.id, None)
        return False

    def _choose(self, pod: Pod, chance: random.Random) -> tuple[str, str]:
        if held := gates(pod):
            return "", f"it waits until {', '.join(held)} is lifted"
        if pod.node:
            return self._named(pod)
        refused = self._judge(pod)
        fits = self._fitting(refused)
        if pod.only and not fits:
            return "", f"node {pod.only} {refused[self._occupancy.index[pod.only]]}"
        if not fits:
            return "", self._told(refused).why
        return self._name(chance.choice(self._best(pod, fits))), ""

    def _best(self, pod: Pod, fits: Sequence[int]) -> Sequence[int]:
        """Those of `fits` that score most."""
        if len(fits) == 1:
            return fits
        totals = [sum(each) for each in zip(*self._columns(pod, fits).values(), strict=True)]
        most = max(totals)
        return [index for index, total in zip(fits, totals, strict=True) if total == most]

    def _columns(self, pod: Pod, fits: Sequence[int]) -> Mapping[str, Sequence[int]]:
        """The weighted scores by plugin, in the order of `fits`."""
        return self._scorer.weighted(pod, fits, self._eligible_for(pod)) if fits else {}

    def _name(self, index: int) -> str:
        return self._occupancy.nodes[index].name

    def _told(self, refused: Mapping[int, str]) -> Feasible:
        fits = tuple(self._name(index) for index in self._fitting(refused))
        return Feasible(fits, {self._name(index): why for index, why in refused.items()})

    def _fitting(self, refused: Mapping[int, str]) -> Sequence[int]:
        return [i for i in range(len(self._occupancy.nodes)) if i not in refused]

    def _named(self, pod: Pod) -> tuple[str, str]:
        """A pod that names its node passes by the scheduler; the kubelet judges it."""
        self._meet(pod)
        index = self._occupancy.index.get(pod.node)
        if index is None:
            return "", f"it names node {pod.node}, which is not given"
        why = tolerated(pod, self._occupancy.nodes[index])
        for check in room(pod, self._occupancy):
            why = why or check(index)
        return ("", f"node {pod.node} {why}") if why else (pod.node, "")

    def _expanded(self, pod: Pod) -> Iterator[Pod]:
        """The pod itself, or one for each node that a DaemonSet's pod may run on."""
        if not pod.each_node:
            yield pod
            return
        for node in self._occupancy.nodes:
            if admits(pod, node) is None:
                name = f"{pod.name}-{node.name}"
                yield replace(pod, name=name, only=node.name, each_node=False)

    def _priority(self, pod: Pod) -> int:
        return priority_of(pod, self._snapshot) or 0

    def _judge(self, pod: Pod) -> Mapping[int, str]:
        """Why each node that cannot take `pod` cannot, by its index."""
        self._meet(pod)
        refused: dict[int, str] = {}
        static = self._admitted(pod)
        checks = tuple(self._checks(pod))
        for index, reason in enumerate(static):
            why = reason
            for check in checks if why is None else ():
                why = check(index)
                if why is not None:
                    break
            if why is not None:
                refused[index] = why
        return refused

    def _admitted(self, pod: Pod) -> list[str | None]:
        """What the nodes say to `pod` whatever is on them; the same for all pods of a shape."""
        known = self._static.get(pod.shape)
        if known is None:
            known = [admits(pod, node) for node in self._occupancy.nodes]
            self._static[pod.shape] = known
        return known

    def _checks(self, pod: Pod) -> Iterator[Check]:
        yield from named(pod, self._occupancy)
        yield from room(pod, self._occupancy)
        yield from self._volumes.checks(pod, self._occupancy)
        yield from spread_checks(pod, self._occupancy, self._eligible_for(pod))
        yield from affinity_checks(pod, self._occupancy)

    def _eligible_for(self, pod: Pod) -> Eligible:
        return self._eligible.setdefault(pod.shape, Eligible(pod, self._occupancy))

    def _note(self, sentences: Iterable[str]) -> None:
        self._unsupported.update(dict.fromkeys(sentences))

    def _meet(self, pod: Pod) -> None:
        """Note what of a pod that is to be placed cannot be judged."""
        spaces = undecided(pod, self._occupancy)
        self._note(f"the labels of namespace {name} are not given" for name in spaces)
        self._note(self._volumes.unsupported(pod))
        if pod.shape in self._met:
            return
        self._met.add(pod.shape)
        self._note(unmodelled(pod, self._snapshot))
        if priority_of(pod, self._snapshot) is None:
            name = said(pod.spec.get("priorityClassName"))
            self._note((f"pod {pod.id} names PriorityClass {name}, which is not given",))
        silent = [n.name for n in self._occupancy.nodes if n.allocatable is None]
        if silent:
            self._note((f"nodes do not say what they can hold: {_some(silent)}",))
        self._note_refused(pod, pod.shape.faults)

    def _note_refused(self, pod: Pod, faults: Iterable[str]) -> None:
        self._note(f"pod {pod.id} would be refused: {why}" for why in faults)
