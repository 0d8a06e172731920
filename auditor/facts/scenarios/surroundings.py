"""The room that scenarios look for: nodes as they become, and pods that stay where they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from auditor.facts.controllers.room import Crowd, Room, Surroundings
from auditor.facts.placement import Node, Pod, Topology
from auditor.facts.placement.topology import Taint
from auditor.facts.scenarios.cluster import Cluster, Group
from auditor.manifests import at
from auditor.model import Resource

CORDONED = Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")


def cordoned(node: Node) -> Node:
    """The node once nothing more is placed on it."""
    return replace(node, unschedulable=True, taints=(*node.taints, CORDONED))


def topology_with(topology: Topology, changed: Mapping[str, Node]) -> Topology:
    """The nodes, some of them as they become."""
    return Topology(tuple(changed.get(node.name, node) for node in topology.nodes))


def room_for(
    cluster: Cluster, topology: Topology, pods: Sequence[Pod], others: Sequence[Pod]
) -> Room:
    """Where these pods can go on the nodes, beside those others."""
    around = Surroundings(others, cluster.facts.namespace_labels)
    return Room.among(cluster.facts.snapshot, topology, pods, around)


ANY = "any/node"
"""What no node is called."""


class Anywhere(Room):
    """Room for any number of pods: one node stands for all, where it does not matter to which of
    them a pod goes, since there is always one.
    """

    def __init__(self, known: Room) -> None:
        """`known`: the nodes as they are, which are not modelled in the same regards."""
        super().__init__((), (), "", hashed=False)
        self._known = known

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The one node."""
        return (ANY,)

    @cached_property
    def alike(self) -> tuple[tuple[int, ...], ...]:
        """It alone."""
        return ((0,),)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Those about the nodes as they are."""
        return self._known.doubts

    def best(self, crowd: Crowd, revision: int) -> tuple[int, ...]:  # noqa: ARG002
        """Always it, unless the pods wait for a gate to be lifted."""
        return () if self.gated(revision) else (0,)

    def gated(self, revision: int) -> bool:
        """As on the nodes themselves."""
        return self._known.gated(revision)


def slots(room: Room, topology: Topology, pods: Sequence[Pod], others: Iterable[Pod]) -> float:
    """How many of these pods, one of each revision, surely find a node, in whatever order they
    come and go; 0 where that depends on where the others of them are.
    """
    if any(_minds_its_own(pod) for pod in pods):
        return 0
    empty: Crowd = ((),) * len(room.names)
    fitting = frozenset.intersection(*(room.fits(empty, n) for n in range(len(pods))))
    taken: dict[str, Counter[str]] = {}
    for other in others:
        load = taken.setdefault(other.node, Counter())
        load.update(other.shape.requests.amounts)
        load["pods"] += 1
    wanted: Counter[str] = Counter({"pods": 1})
    for pod in pods:
        wanted |= Counter(pod.shape.requests.amounts)
    nodes = [topology.by_name[room.names[number]] for number in fitting]
    return sum(_free(node, taken.get(node.name, Counter()), wanted) for node in nodes)


def _free(node: Node, taken: Mapping[str, int], wanted: Mapping[str, int]) -> float:
    offered = node.allocatable
    if offered is None:
        return float("inf")
    left = (max(offered.get(k, 0) - taken.get(k, 0), 0) // n for k, n in wanted.items())
    return min(left)


def _minds_its_own(pod: Pod) -> bool:
    """Whether more than room decides whether another of its kind fits beside it."""
    shape = pod.shape
    hard = any(spread.hard for spread in shape.spreads)
    return bool(hard or shape.affinity.near or shape.affinity.away or shape.ports or pod.claims)


def without_claims(group: Group, pod: Pod) -> Pod:
    """Each pod of a StatefulSet has claims of its own, which one pod cannot stand for."""
    return replace(pod, claims=()) if group.kind == "StatefulSet" else pod


def volume_doubts(cluster: Cluster, group: Group) -> Iterator[str]:
    """That it is not known whether the volumes of these pods can be mounted elsewhere, where it is
    not.
    """
    pods = [each.pod for each in group.running if each.pod.claims]
    if any(not _goes_anywhere(cluster, pod) for pod in pods):
        yield f"where the volumes of {group.name} can be mounted once its pods move"


def _goes_anywhere(cluster: Cluster, pod: Pod) -> bool:
    """Whether every claim of the pod is bound to a volume that all nodes can reach."""
    return all(_is_everywhere(_volume(cluster, pod.namespace, c.name)) for c in pod.claims)


def _volume(cluster: Cluster, namespace: str, claim: str) -> Resource | None:
    by_key = cluster.facts.snapshot.by_key
    found = by_key.get(("", "PersistentVolumeClaim", namespace, claim))
    name = at(found.manifest, ("spec", "volumeName")) if found else None
    return by_key.get(("", "PersistentVolume", "", name)) if isinstance(name, str) else None


def _is_everywhere(volume: Resource | None) -> bool:
    if volume is None or at(volume.manifest, ("spec", "nodeAffinity")) is not None:
        return False
    modes = at(volume.manifest, ("spec", "accessModes"))
    return isinstance(modes, list) and bool(modes)
