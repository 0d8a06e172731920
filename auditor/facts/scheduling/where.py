"""On which nodes the pods of each workload stand, and what a node, a rack or a zone holds.

A live pod stands where it is bound. Where there are none, the simulated scheduler places what the
template would make, so that a manifest is judged as the cluster would be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.controllers.quotas import COUNTS
from auditor.facts.placement import Pod
from auditor.facts.placement.quantities import UNIT, QuantityError, parse
from auditor.facts.scheduling.demand import Demand, demand_of, images
from auditor.facts.scheduling.domains import LEVELS, Domain, place
from auditor.facts.scheduling.losing import (
    MOST_LOOKS,
    Losses,
    Outcome,
    Victims,
    losses,
    replaced_on,
    varied,
)
from auditor.facts.scheduling.terms import Meant
from auditor.facts.scheduling.usage import Measured
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Gap, Key, Resource, Unseen
from auditor.terms import HOSTNAME
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

GROWING = frozenset(("cluster-autoscaler", "karpenter"))
"""Images of what adds nodes."""
ENTRANCES = ("LoadBalancer", "NodePort")


@dataclass
class Scheduling:
    """What the facts of this package share. Not frozen: it remembers what it has worked out."""

    facts: Facts
    _where: dict[Key, tuple[Pod, ...]] = field(default_factory=dict)
    _looks: int = MOST_LOOKS
    _taken: dict[tuple[str, str], dict[Key, int]] = field(default_factory=dict)
    _lacking: dict[str, frozenset[str]] = field(default_factory=dict)
    _among: dict[tuple[tuple[str, ...], str], Mapping[str, int]] = field(default_factory=dict)
    _values: dict[tuple[tuple[str, ...], str], frozenset[str]] = field(default_factory=dict)

    def demand(self, workload: Workload) -> Demand:
        """How many pods there are to be."""
        return demand_of(workload, self.facts.scalers.get(workload.ref.key))

    def services(self, workload: Workload) -> tuple[Resource, ...]:
        """The Services that lead to its pods."""
        return self.facts.directory.services_of(workload)

    def enters(self, workload: Workload) -> bool:
        """Whether the outside reaches it by a Service of its own, or by an Ingress."""
        services = self.services(workload)
        if any(at(s.manifest, ("spec", "type")) in ENTRANCES for s in services):
            return True
        return any((s.ref.namespace, s.ref.name) in self._entered for s in services)

    @cached_property
    def _entered(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (ingress.ref.namespace, name)
            for ingress in self.facts.snapshot.of_kind("Ingress")
            for name in _backends(ingress.manifest.get("spec"))
        )

    def pods(self, workload: Workload) -> tuple[Pod, ...]:
        """The pods with the nodes that they are bound to, or would be; those that are being
        deleted left out. None where no nodes are known.
        """
        key = workload.ref.key
        if key not in self._where:
            self._where[key] = tuple(self._standing(workload)) if self.known else ()
        return self._where[key]

    def _standing(self, workload: Workload) -> Iterator[Pod]:
        standing, nodes = self.facts.standing, self.facts.topology.by_name
        known = standing.placed().get(workload.ref.key)
        if known is None:
            with standing.base.trial():
                wanted = standing.made(workload)
                bound = standing.base.place(wanted, 0).bound
                known = tuple(pod.on(bound[pod.id]) for pod in wanted if pod.id in bound)
        yield from (pod for pod in known if pod.node in nodes and not pod.terminating)

    def replayed(self, workload: Workload, count: int = 0, **parts: Any) -> Mapping[str, str]:
        """Where the scheduler puts the pods beside all others, or as many as `count` of them; with
        other parts of their shape, where these are given.
        """
        base = self.facts.standing.base
        with base.trial():
            self._release(workload)
            wanted = [varied(pod, **parts) if parts else pod for pod in self.made(workload, count)]
            return base.place(wanted, 0).bound

    def made(self, workload: Workload, count: int = 0) -> tuple[Pod, ...]:
        """The pods of the template, or as many as `count` of them."""
        pods = self.facts.standing.made(workload)
        if not pods or not count:
            return pods
        more = (replace(pods[0], name=f"{pods[0].name}-{n}") for n in range(len(pods), count))
        return (*pods[:count], *more)

    @cached_property
    def grows(self) -> bool:
        """Whether something adds nodes where pods find none."""
        kinds = self.facts.snapshot.by_kind
        return bool({"NodePool", "Provisioner"} & kinds.keys()) or not GROWING.isdisjoint(
            images(self.facts.workloads)
        )

    def _release(self, workload: Workload) -> None:
        """Take all pods of `workload` from the nodes, until the trial ends."""
        standing = self.facts.standing
        for pod in standing.pods(workload):
            if pod.node in self.facts.topology.by_name and not pod.finished:
                standing.base.release(pod, pod.node)

    def feasible(self, workload: Workload, pod: Pod) -> tuple[str, ...]:
        """The nodes that can take `pod` when all pods of its workload are gone."""
        base = self.facts.standing.base
        with base.trial():
            self._release(workload)
            return base.feasible(pod).nodes

    def against(self, pod: Pod) -> str:
        """Why the scheduler would not put a running pod where it is; empty where it would."""
        base = self.facts.standing.base
        with base.trial():
            base.release(pod, pod.node)
            return base.against(pod, pod.node)

    def free(self, workload: Workload, pod: Pod, wanted: int) -> int:
        """How many pods like `pod` find room beside those of other workloads, counted up to
        `wanted`.
        """
        base = self.facts.standing.base
        if base.places(pod) >= wanted:
            return wanted  # even beside its own
        with base.trial():
            self._release(workload)
            return min(base.places(pod), wanted)

    def afford(self, looks: int) -> bool:
        """Whether so many looks of a pod at a node can still be had; once they cannot, that is
        told.
        """
        self._looks -= looks
        if self._looks < 0:
            what = "whether as many pods as there may be at once find nodes"
            self.facts.unknown(Gap(what, "too many would have to be placed", Unseen.UNKNOWN))
        return self._looks >= 0

    def takes(self, pod: Pod, key: str) -> int:
        """What a pod takes of a resource as a ResourceQuota names it, in nano units."""
        return _takes(pod, key)

    def taken(self, workload: Workload, key: str) -> int:
        """What all other workloads of its namespace take of it."""
        where = (workload.ref.namespace, key)
        if where not in self._taken:
            self._taken[where] = {
                other.ref.key: self.demand(other).least * _takes(pod, key)
                for other in self.facts.workloads
                if other.ref.namespace == workload.ref.namespace
                for pod in self.facts.standing.one(other)
            }
        shares = self._taken[where]
        return sum(shares.values()) - shares.get(workload.ref.key, 0)

    def lacking(self, key: str) -> frozenset[str]:
        """The nodes without a label of that key."""
        if key not in self._lacking:
            nodes = self.facts.topology.nodes
            self._lacking[key] = frozenset(n.name for n in nodes if key not in n.labels)
        return self._lacking[key]

    @property
    def known(self) -> bool:
        """Whether there are nodes to judge by."""
        return bool(self.facts.topology.nodes)

    def cannot_tell(self, what: str) -> None:
        """Note, once, that there are no nodes to judge by."""
        self.facts.unknown(Gap(what, "no Node objects are given", Unseen.UNKNOWN))

    @cached_property
    def domains(self) -> Mapping[str, tuple[Domain, ...]]:
        """All domains of each level; of a level that no label tells, none."""
        return {level: tuple(self._domains(level)) for level in LEVELS}

    def _domains(self, level: str) -> Iterator[Domain]:
        members: dict[str, set[str]] = {}
        for node in self.facts.topology.nodes:
            if (name := place(node, level)) is not None:
                members.setdefault(name, set()).add(node.name)
        for name, nodes in members.items():
            yield Domain(level, name.rpartition("\0")[2], frozenset(nodes))

    def among(self, names: Sequence[str], level: str) -> Mapping[str, int]:
        """How many of the nodes with these names each domain of a level has."""
        about = tuple(names), level
        if about not in self._among:
            nodes = self.facts.topology.by_name
            places = (place(nodes[name], level) for name in names if name in nodes)
            self._among[about] = Counter(name for name in places if name is not None)
        return self._among[about]

    def values(self, names: Sequence[str], key: str) -> frozenset[str]:
        """The values that a label has on the nodes with these names."""
        about = tuple(names), key
        if about not in self._values:
            nodes = self.facts.topology.by_name
            found = {nodes[name].labels.get(key) for name in names}
            self._values[about] = frozenset(value for value in found if value is not None)
        return self._values[about]

    @cached_property
    def meant(self) -> Meant:
        """Whom the terms of affinities mean."""
        return Meant(self.facts)

    @cached_property
    def measured(self) -> Measured:
        """What pods and nodes use, as far as it was measured."""
        return Measured(self.facts)

    @cached_property
    def by_node(self) -> Mapping[str, tuple[Pod, ...]]:
        """The placed pods by the name of their node."""
        found: dict[str, list[Pod]] = {}
        for pods in self.facts.standing.placed().values():
            for pod in pods:
                found.setdefault(pod.node, []).append(pod)
        return {name: tuple(pods) for name, pods in found.items()}

    @cached_property
    def least_asked(self) -> Mapping[str, int]:
        """The least that any pod asks for, by resource, of those that ask for any."""
        found: dict[str, int] = {}
        for pod in self.meant.first.values():
            for name, amount in pod.shape.requests.amounts.items():
                found[name] = min(amount, found.get(name, amount))
        return found

    @cached_property
    def replaced(self) -> Mapping[str, Sequence[tuple[int, Key, Pod]]]:
        """See `replaced_on`."""
        return replaced_on(self.facts)

    @cached_property
    def losses(self) -> Losses:
        """By workload, what the loss of each domain leaves without a node."""
        return self._lost.stuck

    @property
    def victims(self) -> Victims:
        """By workload, after which loss its pods leave for whose, and how many of them."""
        return self._lost.victims

    @cached_property
    def _lost(self) -> Outcome:
        return losses(self.facts)

    def key_of(self, level: str) -> str:
        """The node label that tells the domains of a level apart."""
        settings = self.facts.settings
        return {"node": HOSTNAME, "rack": settings.rack_label, "zone": settings.zone_label}[level]


def _takes(pod: Pod, key: str) -> int:
    """In nano units: of pods by their number, else of what the containers say."""
    if key in COUNTS:
        return UNIT
    section, _, resource = key.partition(".") if "." in key else ("", "", key)
    found = 0
    for container in map(mapping, sequence(pod.spec.get("containers"))):
        try:
            found += parse(at(container, ("resources", section or "requests", resource)))
        except QuantityError:
            continue
    return found


def _backends(value: object) -> Iterator[str]:
    """The names of the Services in the specification of an Ingress."""
    if isinstance(value, dict):
        for key, inside in value.items():
            if (
                key == "service"
                and isinstance(inside, dict)
                and isinstance(inside.get("name"), str)
            ):
                yield inside["name"]
            yield from _backends(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _backends(inside)
