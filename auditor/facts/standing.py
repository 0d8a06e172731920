"""Where pods stand, and where they may: the simulated cluster that other facts ask.

Placing a pod costs a millisecond, so that a cluster is placed once and not once per question.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from auditor.facts.limits import admitted, requests_within
from auditor.facts.network.points import pods_by_owner
from auditor.facts.placement import Node, Pod, Topology, pods_of
from auditor.facts.placement.pods import Shape, Shapes
from auditor.facts.placement.versions import LATEST
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Key, Manifest, Ref, Resource, Snapshot
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.placement import Simulation

Labels = Mapping[str, Mapping[str, str]]
Placed = Mapping[Key, Sequence[Pod]]

PASSING_TAINTS = "node.kubernetes.io/"
"""How the keys of taints begin that the cluster itself puts on nodes and takes away again."""

INSTALLED = ("DaemonSet", "Pod", "ReplicationController", "ReplicaSet", "Deployment", "StatefulSet")
"""The order in which Helm installs what makes pods (its `releaseutil.InstallOrder`)."""


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where every pod of a snapshot is."""

    pods: tuple[tuple[Key, Pod], ...]
    """Those that have a node, each with the identity of what it belongs to."""
    waiting: tuple[tuple[Key, Pod, str], ...]
    """Those that have none, and why."""
    live: bool
    """Whether the pods of the snapshot say so; else the simulated scheduler does."""
    doubts: tuple[str, ...] = ()
    """What the simulation met and does not model."""


@dataclass
class Standing:
    """The pods of a snapshot on its nodes. Not frozen: it remembers what it has worked out."""

    snapshot: Snapshot
    workloads: Sequence[Workload]
    topology: Topology
    namespace_labels: Labels
    version: int = LATEST
    """Of the server, as 100 × major + minor: it drops fields that are newer."""
    _known: dict[int, Whereabouts] = field(default_factory=dict)
    _placed: dict[int, Placed] = field(default_factory=dict)
    _whole: dict[int, Simulation] = field(default_factory=dict)
    _racks: dict[tuple[str, ...], frozenset[str | None]] = field(default_factory=dict)
    _eligible: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    _made: dict[Key, tuple[Workload, tuple[Pod, ...]]] = field(default_factory=dict)
    _first: dict[Key, tuple[Workload, tuple[Pod, ...]]] = field(default_factory=dict)

    @cached_property
    def live(self) -> Mapping[Key, Sequence[Resource]]:
        """The pods that have not ended, by the identity of the workload that they belong to."""
        return pods_by_owner(self.snapshot)

    def simulation(
        self, without: Workload | None = None, seed: int = 0, also: Iterable[Workload] = ()
    ) -> Simulation:
        """The nodes with every pod where it is, or where the simulated scheduler would put it, less
        the pods of `without` and of those in `also`. It belongs to who asks: what is placed there
        is nowhere else.
        """
        if seed not in self._whole:
            self._whole[seed] = self._of(chain.from_iterable(self.placed(seed).values()))
        found = self._whole[seed].fork()
        gone = {each.ref.key: None for each in (without, *also) if each}
        for pod in chain.from_iterable(self.placed(seed).get(key, ()) for key in gone):
            if pod.node in self.topology.by_name and not pod.finished:
                found.release(pod, pod.node)
        return found

    def placed(self, seed: int = 0) -> Placed:
        """The pods of each workload on their nodes: where they are, or where the simulated
        scheduler would put them.
        """
        if seed not in self._placed:
            self._placed[seed] = _by_owner(self.whereabouts(seed).pods)
        return self._placed[seed]

    def whereabouts(self, seed: int = 0) -> Whereabouts:
        """Where the pods are; where none runs, where the simulated scheduler would put them, ties
        broken by `seed`.
        """
        if seed not in self._known:
            self._known[seed] = self._found if self.runs else self._simulated(seed)
        return self._known[seed]

    @cached_property
    def runs(self) -> bool:
        """Whether any pod that was read runs: one of a file that names a node does not yet."""
        return any(pod.live for _, pod in self._found.pods)

    def pods(self, workload: Workload) -> Sequence[Pod]:
        """The pods of `workload` where they stand, or would; those without a node are left out."""
        return self.placed().get(workload.ref.key, ())

    @cached_property
    def whole(self) -> Simulation:
        """All pods where they are: to ask what else has room, and not to bind anything to."""
        return self.simulation()

    @cached_property
    def _found(self) -> Whereabouts:
        """The pods that there are."""
        shapes = Shapes()
        owned = [
            (key, Pod.from_resource(pod, shapes), pod)
            for key, pods in self.live.items()
            for pod in pods
        ]
        bound = tuple((key, pod) for key, pod, _ in owned if pod.node)
        lost = ((key, pod, _why(resource)) for key, pod, resource in owned if not pod.node)
        return Whereabouts(bound, tuple(lost), live=True)

    def _of(self, pods: Iterable[Pod]) -> Simulation:
        from auditor.facts.placement import Simulation

        return Simulation(self.topology, self.namespace_labels, pods, self.snapshot)

    def _simulated(self, seed: int) -> Whereabouts:
        ordered = sorted(self.workloads, key=lambda each: _turn(each.ref))
        asked = [(w.ref.key, pod) for w in ordered for pod in self.made(w)]
        simulation = self._of(())
        found = simulation.place([pod for _, pod in asked], seed)
        each = [(key, pod, name) for key, pod in asked for name in self._names(pod)]
        bound = ((k, _named(p, n).on(found.bound[n])) for k, p, n in each if n in found.bound)
        lost = (
            (k, _named(p, n), found.unschedulable[n])
            for k, p, n in each
            if n in found.unschedulable
        )
        return Whereabouts(tuple(bound), tuple(lost), live=False, doubts=simulation.unsupported)

    def made(self, workload: Workload) -> tuple[Pod, ...]:
        """The pods that the template of `workload` would make now."""
        known = self._made.get(workload.ref.key)
        # The same object may be asked about as it would be after a change.
        if known is None or known[0] is not workload:
            made = self._admitted(pods_of(workload, self.version))
            known = self._made[workload.ref.key] = (workload, made)
        return known[1]

    def one(self, workload: Workload) -> tuple[Pod, ...]:
        """The first of them, if there is any: they differ in their names alone, and many facts are
        about one. Costs nothing for the others.
        """
        key = workload.ref.key
        known = self._made.get(key)
        if known is None or known[0] is not workload:
            known = self._first.get(key)
        if known is None or known[0] is not workload:
            made = self._admitted(pods_of(workload, self.version, most=1))
            known = self._first[key] = (workload, made)
        return known[1][:1]

    def _admitted(self, pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
        """Pods of one shape, with what a LimitRange of their namespace gives them to ask for."""
        given = self.given.get(pods[0].namespace) if pods else None
        if not given:
            return pods
        was = pods[0].shape
        spec = admitted(was.spec, given)
        if spec is was.spec:
            return pods
        shape = Shape(spec, was.namespace, was.labels, was.status)
        shape.refused += was.refused
        return tuple(replace(pod, shape=shape) for pod in pods)

    @cached_property
    def given(self) -> Mapping[str, Manifest]:
        """What LimitRanges give to pods that are made, by namespace."""
        return requests_within(self.snapshot)

    def first(self, workload: Workload) -> Pod | None:
        """The same, or None."""
        return next(iter(self.one(workload)), None)

    @cached_property
    def owners(self) -> Mapping[str, Key]:
        """The workload of each placed pod, by ``namespace/name``."""
        return {pod.id: key for key, pods in self.placed().items() for pod in pods}

    @cached_property
    def base(self) -> Simulation:
        """The nodes with every pod where it is, for whoever undoes what he tries (`trial`)."""
        return self.simulation()

    def _names(self, pod: Pod) -> Iterator[str]:
        """The pods that it stands for: a DaemonSet's has one on every node."""
        yield pod.id
        if pod.each_node:
            yield from (f"{pod.id}-{node.name}" for node in self.topology.nodes)

    def eligible(self, workload: Workload) -> tuple[str, ...]:
        """The nodes on which the pods may run at all; none where there are no pods."""
        key = workload.ref.key
        if key not in self._eligible:
            pod = self.first(workload)
            self._eligible[key] = self._empty.takers(pod) if pod else ()
        return self._eligible[key]

    def racks(self, names: tuple[str, ...]) -> frozenset[str | None]:
        """The racks of the nodes with these names."""
        if names not in self._racks:
            nodes = self.topology.by_name
            self._racks[names] = frozenset(nodes[name].rack for name in names)
        return self._racks[names]

    @property
    def doubts(self) -> tuple[str, ...]:
        """What of the pods that were asked about is not modelled, or not given."""
        return self._empty.unsupported

    @cached_property
    def _empty(self) -> Simulation:
        """The nodes without pods and without what passes, so that a cordoned node or one that is
        short of memory today does not decide where something may run.
        """
        from auditor.facts.placement import Simulation

        nodes = tuple(_at_its_best(node) for node in self.topology.nodes)
        return Simulation(Topology(nodes), self.namespace_labels, (), self.snapshot)


def _turn(ref: Ref) -> tuple[int, Key]:
    """Who is placed first. Manifests do not say; were it the order of files, the verdict would hang
    on their names, and the object that is admitted last would fare worse than in an audit.
    """
    first = INSTALLED.index(ref.kind) if ref.kind in INSTALLED else len(INSTALLED)
    return first, ref.key


def _by_owner(pods: Iterable[tuple[Key, Pod]]) -> Placed:
    found: dict[Key, list[Pod]] = {}
    for key, pod in pods:
        found.setdefault(key, []).append(pod)
    return found


def _named(pod: Pod, name: str) -> Pod:
    """The pod of a DaemonSet that is so called; any other is so called already."""
    return pod if pod.id == name else replace(pod, name=name.partition("/")[2], each_node=False)


def _why(pod: Resource) -> str:
    """Why a pod has no node, in the words of its scheduler."""
    for condition in map(mapping, sequence(at(pod.manifest, ("status", "conditions")))):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return text(condition.get("message")) or text(condition.get("reason"))
    return "its scheduler has said nothing of it yet"


def _at_its_best(node: Node) -> Node:
    lasting = tuple(taint for taint in node.taints if not taint.key.startswith(PASSING_TAINTS))
    return replace(node, taints=lasting, unschedulable=False)
