"""Nodes are lost together: those of a zone or a rack, or a single one.

What the controllers do is that of ``pkg/controller/nodelifecycle`` and ``tainteviction`` of
Kubernetes 1.36 with its default flags: a node that is silent counts as lost after
`GRACE_SECONDS`, its pods are evicted once they no longer tolerate that, and nobody confirms their
end. Where too much of a zone is lost at once, the controller evicts nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from auditor.facts.controllers.case import Behaviour
from auditor.facts.controllers.drains import REPLICATED
from auditor.facts.controllers.node_loss import UNREACHABLE, completed, seconds
from auditor.facts.placement import Node, Pod, Simulation, Topology
from auditor.facts.placement.topology import unreachable
from auditor.facts.scenarios.cluster import REMADE, Cluster, Group, Running
from auditor.facts.scenarios.outcome import Effect, Outcome, silenced
from auditor.facts.scenarios.surroundings import topology_with
from auditor.manifests import mapping, sequence
from auditor.values import dataclass

GRACE_SECONDS = 50
"""--node-monitor-grace-period."""
SMALL_ZONE = 50
"""--large-cluster-size-threshold: in a zone of no more nodes, evictions stop altogether."""
UNHEALTHY = 0.55
"""--unhealthy-zone-threshold."""
SEEDS, MOST_PLACED = 8, 400
"""So many ways to break ties are tried for the pods that come back, while they are so few together
that it takes no time."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What is lost."""

    what: str
    """``rack r1``."""
    nodes: frozenset[str]
    deleted: bool = False
    """Whether the Node objects go too, as when a cloud takes machines away."""


def lost(cluster: Cluster, loss: Loss, behaviour: Behaviour | None = None) -> Outcome:
    """What becomes of it; `behaviour`: of the pods that are made anew."""
    return _Lost(cluster, loss, behaviour or Behaviour()).outcome()


@dataclass
class _Lost:
    cluster: Cluster
    loss: Loss
    behaviour: Behaviour

    def outcome(self) -> Outcome:
        """The answer."""
        tries = [self._placed(seed) for seed in range(self._tries)]
        effects = tuple(self._effect(group, tries) for group in self._hit)
        there = [self._surviving(group) for group in self.cluster.groups]
        lowest = [sum(there[n] for n in numbers) for _, numbers in self.cluster.services]
        recovers = all(e.after >= e.before for e in effects if e.group.serves)
        doubts = tuple(dict.fromkeys(self._doubts(tries)))
        return Outcome(
            cluster=self.cluster,
            action=f"lose {self.loss.what}",
            result="recovers" if recovers else "does-not-recover",
            words=" ".join(self._words(recovers, sure=not doubts)),
            effects=effects,
            silent=tuple(silenced(self.cluster, effects, lowest)),
            doubts=doubts,
            extra={"lostNodes": sorted(self.loss.nodes), "evictedAfterSeconds": self._patience},
        )

    @property
    def _tries(self) -> int:
        """How often the pods are placed: less often, where there are many."""
        return max(min(SEEDS, MOST_PLACED // max(len(self._replaced), 1)), 1)

    @cached_property
    def _hit(self) -> Sequence[Group]:
        return [g for g in self.cluster.groups if any(map(self._is_lost, g.running))]

    def _is_lost(self, running: Running) -> bool:
        return running.node in self.loss.nodes

    def _surviving(self, group: Group) -> int:
        return sum(each.ready and not self._is_lost(each) for each in group.running)

    @cached_property
    def _stops(self) -> str:
        """Why nobody is evicted; empty where somebody is."""
        if self.loss.deleted:
            return ""
        nodes = self.cluster.facts.topology.nodes
        if all(node.name in self.loss.nodes for node in nodes):
            return "no node is left, and the controller takes itself for the one that is cut off"
        zones: dict[tuple[str | None, str | None], list[bool]] = {}
        for node in nodes:
            place = zones.setdefault((node.region, node.zone), [])
            place.append(node.name in self.loss.nodes)
        for (_, zone), gone in zones.items():
            if _is_disrupted(gone):
                where = f"zone {zone}" if zone else "the zone"
                return f"{sum(gone)} of {len(gone)} nodes of {where} are lost at once"
        return ""

    def _leaves(self, group: Group) -> bool:
        """Whether its pods on lost nodes are deleted."""
        return self.loss.deleted or (not self._stops and self._tolerates(group) < float("inf"))

    def _tolerates(self, group: Group) -> float:
        """How many seconds its pods stay bound to a silent node."""
        spec = group.workload.pod if group.workload else mapping(group.manifest.get("spec"))
        said = [mapping(each) for each in sequence(spec.get("tolerations"))]
        return seconds(completed(said, forever=group.kind == "DaemonSet"), UNREACHABLE)

    @property
    def _patience(self) -> int | None:
        """The longest that a pod waits to be evicted."""
        found = [self._tolerates(group) for group in self._hit if self._leaves(group)]
        return None if self.loss.deleted or not found else int(max(found))

    @cached_property
    def _replaced(self) -> Sequence[tuple[Group, Pod]]:
        """The pods that are made anew, on no node yet."""
        kinds = (*REPLICATED, "StatefulSet") if self.loss.deleted else REPLICATED
        return [
            (group, _again(group, each))
            for group in self._hit
            if group.kind in kinds and self._leaves(group)
            for each in group.running
            if self._is_lost(each) and not each.pod.terminating
        ]

    def _placed(self, seed: int) -> tuple[Mapping[str, str], Sequence[str]]:
        """Why each of the new pods finds no node, less those that do; and what is not modelled."""
        simulation = self._simulation()
        found = simulation.place([pod for _, pod in self._replaced], seed)
        return found.unschedulable, simulation.unsupported

    def _simulation(self) -> Simulation:
        facts = self.cluster.facts
        pods = (pod for group in self.cluster.groups for pod in self._staying(group))
        return Simulation(self._topology, facts.namespace_labels, pods, facts.snapshot)

    def _staying(self, group: Group) -> Iterator[Pod]:
        """The pods that still count: evicted ones too, which nobody confirms to have ended."""
        leaves = self._leaves(group)
        for each in group.running:
            if not self._is_lost(each):
                yield each.pod
            elif not self.loss.deleted:
                yield replace(each.pod, terminating=leaves)

    @property
    def _topology(self) -> Topology:
        nodes = self.cluster.facts.topology
        if self.loss.deleted:
            return Topology(tuple(n for n in nodes.nodes if n.name not in self.loss.nodes))
        changed: Mapping[str, Node] = {n: unreachable(nodes.by_name[n]) for n in self.loss.nodes}
        return topology_with(nodes, changed)

    def _effect(
        self, group: Group, tries: Sequence[tuple[Mapping[str, str], Sequence[str]]]
    ) -> Effect:
        mine = [pod.id for owner, pod in self._replaced if owner is group]
        worst = max(tries, key=lambda each: sum(name in each[0] for name in mine))[0]
        waiting = Counter(worst[name] for name in mine if name in worst)
        back = 0 if self.behaviour.ready else len(mine) - waiting.total()
        lowest = self._surviving(group)
        counted = tuple((n, why) for why, n in waiting.most_common())
        notes = tuple(self._notes(group))
        return Effect(group, group.available, lowest, lowest + back, counted, notes)

    def _notes(self, group: Group) -> Iterator[str]:
        if group.kind == "Pod" and not group.controller and not group.is_static:
            yield "nothing makes this pod again"
        elif group.kind == "StatefulSet" and not self.loss.deleted:
            yield (
                "its pods are not made again until the node is back, is deleted or has the taint "
                "node.kubernetes.io/out-of-service"
            )
        elif group.kind == "DaemonSet":
            yield "its pods belong to the lost nodes"
        elif group.kind in REPLICATED and not self._leaves(group) and not self._stops:
            yield "its pods tolerate the loss for ever, so that none is made elsewhere"

    def _doubts(self, tries: Sequence[tuple[Mapping[str, str], Sequence[str]]]) -> Iterator[str]:
        for refused, unsupported in tries:
            yield from unsupported
            if refused.keys() != tries[0][0].keys():
                yield "which pods find a node depends on where the others go"
        for group in self._hit:
            if group.controller:
                yield f"what {group.controller} makes in the place of pod {group.name}"
            elif group.kind not in (*REMADE, "Pod"):
                yield f"what {group.kind} {group.name} makes in the place of its lost pods"

    def _words(self, recovers: bool, *, sure: bool) -> Iterator[str]:
        pods = sum(sum(map(self._is_lost, group.running)) for group in self._hit)
        yield f"{_counted(len(self.loss.nodes), 'node')} with {_counted(pods, 'pod')}:"
        if self._stops:
            yield f"{self._stops}, so that no pod is evicted and none made elsewhere"
            return
        back = "everything comes back elsewhere" + ("" if sure else ", as far as is known")
        yield back if recovers else "not everything comes back"
        if self._patience is not None:
            yield f"(after {GRACE_SECONDS} s until they count as lost, and {self._patience} s more)"


def _is_disrupted(gone: Sequence[bool]) -> bool:
    """Whether a zone with these nodes is in "partial disruption" and small (ComputeZoneState). One
    that is lost as a whole is not: its pods are evicted.
    """
    count = sum(gone)
    share = count / len(gone)
    return count > 2 and UNHEALTHY <= share < 1 and len(gone) <= SMALL_ZONE


def _again(group: Group, running: Running) -> Pod:
    """The pod that takes the place of another, with the claims that go by its name."""
    pod = running.pod
    fresh = group.fresh or pod
    return replace(fresh, name=pod.name, node="", claims=pod.claims, each_node=False)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
