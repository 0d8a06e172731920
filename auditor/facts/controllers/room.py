"""Where pods of a few kinds can go on a few nodes, asked again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property

from auditor.facts.placement import Node, Pod, Simulation, Topology
from auditor.facts.placement.filters import admits
from auditor.facts.placement.pods import Shape
from auditor.facts.unwritten import unwritten
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Ref, Resource, Settings, Snapshot
from auditor.values import dataclass

HASH = "pod-template-hash"

Crowd = tuple[tuple[tuple[int, bool, int], ...], ...]
"""For each node how many pods of which revision are on it, and whether they are terminating."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there and does not move."""

    pods: Sequence[Pod] = ()
    """Each on its node."""
    namespace_labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Room:
    """The nodes, and the templates that pods are made of.

    Answers are kept: a rollout passes through the same crowds in many orders.
    """

    def __init__(
        self,
        nodes: Sequence[Manifest],
        templates: Sequence[Manifest],
        namespace: str,
        hashed: bool,
        others: Sequence[Pod] = (),
    ) -> None:
        """`others`: pods that are on the nodes and stay there."""
        found = sorted(map(_resource, nodes), key=lambda node: node.ref.name)
        self._snapshot = Snapshot(tuple(found))
        self._topology = Topology.from_snapshot(self._snapshot, Settings())
        self._pods = [_pod(each, n, namespace, hashed) for n, each in enumerate(templates)]
        self._others = others
        self._spaces: Mapping[str, Mapping[str, str]] = {}
        self._best: dict[tuple[Crowd, int], tuple[int, ...]] = {}

    @classmethod
    def among(
        cls, simulated: Snapshot, topology: Topology, pods: Sequence[Pod], others: Surroundings
    ) -> Room:
        """The nodes of `topology` for `pods`, one of each revision, among pods that stay where
        they are. `simulated`: what else the scheduler reads.
        """
        room = cls((), (), "", hashed=False)
        room._snapshot, room._topology = simulated, topology
        room._pods = list(pods)
        room._others, room._spaces = others.pods, others.namespace_labels
        return room

    @property
    def doubts(self) -> tuple[str, ...]:
        """What of the pods is not modelled: then nothing that is said of them is proven."""
        simulation = self._simulation(((),) * len(self.names))
        for pod in self._pods:
            simulation.feasible(pod)
        return simulation.unsupported

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The nodes, in the order of their numbers."""
        return tuple(node.name for node in self._topology.nodes)

    @cached_property
    def alike(self) -> tuple[tuple[int, ...], ...]:
        """The nodes by what tells them apart, their names left out: equal ones can be swapped."""
        groups: dict[str, list[int]] = {}
        manifests = {each.ref.name: each for each in self._snapshot.of_kind("Node")}
        here: dict[str, list[str]] = {}
        for pod in self._others:
            here.setdefault(pod.node, []).append(_kind_of(pod))
        for number, node in enumerate(self._topology.nodes):
            inside = sorted(here.get(node.name, ()))
            features = (_features(manifests[node.name]), self._wishes(node), inside)
            groups.setdefault(repr(features), []).append(number)
        return tuple(map(tuple, groups.values()))

    def _wishes(self, node: Node) -> Sequence[object]:
        """What the pods themselves find in a node by its name, and the images that it has."""
        found: list[object] = []
        for pod in self._pods:
            choice = pod.shape.choice
            liked = [t.weight for t in choice.preferred if t.matches(node.name, node.labels)]
            images = [node.images.get(image) for image in pod.shape.images]
            found.append((choice.admits(node.name, node.labels), liked, images))
        return found

    def best(self, crowd: Crowd, revision: int) -> tuple[int, ...]:
        """The nodes one of which a pod of that revision gets; none where it fits nowhere."""
        known = self._best.get((crowd, revision))
        if known is None:
            known = self._best[crowd, revision] = self._chosen(crowd, revision)
        return known

    def fits(self, crowd: Crowd, revision: int) -> frozenset[int]:
        """All nodes that can take a pod of that revision."""
        feasible = self._simulation(crowd).feasible(self._pods[revision]).nodes
        return frozenset(self.names.index(name) for name in feasible)

    def admits(self, revision: int) -> frozenset[int]:
        """The nodes that a DaemonSet makes a pod of that revision for, whatever is on them."""
        pod, nodes = self._pods[revision], self._topology.nodes
        return frozenset(n for n, node in enumerate(nodes) if admits(pod, node) is None)

    def why(self, crowd: Crowd, revision: int) -> str:
        """Why a pod of that revision fits nowhere."""
        return self._simulation(crowd).feasible(self._pods[revision]).why

    def gated(self, revision: int) -> bool:
        """Whether its pods wait for a gate to be lifted."""
        return bool(self._pods[revision].spec.get("schedulingGates"))

    def _chosen(self, crowd: Crowd, revision: int) -> tuple[int, ...]:
        pod, simulation = self._pods[revision], self._simulation(crowd)
        feasible = simulation.feasible(pod).nodes
        if self.gated(revision) or not feasible:
            return ()
        if len(feasible) > 1:
            scores = simulation.scores(pod)
            feasible = tuple(n for n in feasible if scores[n] == max(scores.values()))
        return tuple(self.names.index(name) for name in feasible)

    def _simulation(self, crowd: Crowd) -> Simulation:
        simulation = self._base.fork()
        for node, here in zip(self.names, crowd, strict=True):
            for revision, leaving, count in here:
                pod = self._pods[revision]
                for number in range(count):
                    simulation.bind(_placed(pod, node, leaving, number), node)
        return simulation

    @cached_property
    def _base(self) -> Simulation:
        """The nodes with the others alone."""
        return Simulation(self._topology, self._spaces, self._others, self._snapshot)


def _kind_of(pod: Pod) -> str:
    """What others see of a pod: two that are alike in it can be swapped."""
    shape = pod.shape
    asked = sorted(shape.requests.amounts.items())
    told = (pod.namespace, sorted(pod.labels.items()), pod.terminating, asked, shape.requests)
    return repr((*told, shape.ports, shape.affinity, pod.claims))


def _placed(pod: Pod, node: str, leaving: bool, number: int) -> Pod:
    name = f"{pod.name}-{node}-{number}{'-leaving' if leaving else ''}"
    return Pod(pod.namespace, name, node, pod.shape, owner=pod.owner, terminating=leaving)


def _pod(template: Manifest, number: int, namespace: str, hashed: bool) -> Pod:
    labels = dict(texts(at(template, ("metadata", "labels"))))
    if hashed:
        labels[HASH] = f"revision-{number}"
    shape = Shape(mapping(template.get("spec")), namespace, labels, {})
    return Pod(namespace, f"pod-{number}", "", shape, owner={"matchLabels": labels})


def _resource(node: Manifest) -> Resource:
    name = str(at(node, ("metadata", "name")) or "")
    return unwritten(Ref("v1", "Node", "", name), node)


def _features(node: Resource) -> str:
    labels = texts(at(node.manifest, ("metadata", "labels")))
    kept = {key: value for key, value in labels.items() if value != node.ref.name}
    taints = sequence(at(node.manifest, ("spec", "taints")))
    rest: Mapping[str, object] = {
        "labels": sorted(kept.items()),
        "taints": taints,
        "off": at(node.manifest, ("spec", "unschedulable")),
        "room": at(node.manifest, ("status", "allocatable")),
    }
    return repr(rest)
