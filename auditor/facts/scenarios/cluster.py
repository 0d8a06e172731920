"""The workloads of a snapshot with their pods, where these are or where they would be put."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.controllers.budgets import Budget, budget_of, is_ready
from auditor.facts.controllers.case import PREFIX, controller_of
from auditor.facts.controllers.validation import faults
from auditor.facts.placement import Pod, pods_of
from auditor.facts.placement.pods import Shape
from auditor.facts.standing import Whereabouts
from auditor.facts.workloads import REVISION_LABELS, Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Key, Manifest, Ref, Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

MIRROR = "kubernetes.io/config.mirror"
"""The annotation of pods that a kubelet runs by itself: nobody can evict them."""
REMADE = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet")
"""Kinds of controllers that are modelled."""


@dataclass(frozen=True, slots=True)
class Running:
    """A pod with a node."""

    pod: Pod
    ready: bool

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return self.pod.id

    @property
    def node(self) -> str:
        """Where it is."""
        return self.pod.node


@dataclass(frozen=True)
class Group:
    """The pods of one workload, or of another object that made them."""

    ref: Ref
    manifest: Manifest
    running: tuple[Running, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()
    """The names of pods without a node, each with why."""
    workload: Workload | None = None
    """None where what made the pods is no workload that was read."""
    data: tuple[str, ...] = ()
    """The classes of personal data that it holds."""

    @property
    def kind(self) -> str:
        """Of what makes the pods; "Pod" where nobody does."""
        return self.ref.kind

    @property
    def name(self) -> str:
        """``namespace/name``."""
        return f"{self.ref.namespace}/{self.ref.name}"

    @property
    def serves(self) -> bool:
        """Whether its pods are to be there all the time: those of a Job end by themselves."""
        return self.kind not in ("Job", "CronJob")

    @property
    def wanted(self) -> int:
        """How many pods there are to be: those that are leaving are replaced already."""
        return sum(not each.pod.terminating for each in self.running) + len(self.waiting)

    @property
    def available(self) -> int:
        """How many of its pods can serve."""
        return sum(1 for each in self.running if each.ready)

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Of its pods."""
        if self.workload:
            return self.workload.labels
        return self.running[0].pod.labels if self.running else {}

    @cached_property
    def fresh(self) -> Pod | None:
        """A pod as it would be made now, of the revision that runs; None where nothing makes any
        or it is not known.
        """
        made = pods_of(self.workload) if self.workload and self.kind != "Pod" else ()
        if not made:
            return None
        pod = replace(made[0], each_node=False)
        key = REVISION_LABELS.get(self.kind, "")
        live = next((r.pod.labels[key] for r in self.running if key in r.pod.labels), "")
        return _of_revision(pod, key, live) if live else pod

    @property
    def is_static(self) -> bool:
        """Whether a kubelet makes the pod."""
        return MIRROR in texts(at(self.manifest, ("metadata", "annotations")))

    @property
    def controller(self) -> str:
        """``Kind name`` of what controls a pod and was not read; empty where nothing does."""
        owner = controller_of(self.manifest) if self.kind == "Pod" else None
        return f"{owner.get('kind')} {owner.get('name')}" if owner else ""


def _of_revision(pod: Pod, key: str, value: str) -> Pod:
    """The pod with the label of a revision that exists."""
    shape, owner = pod.shape, pod.owner
    labels = {**shape.labels, key: value}
    if owner and key in mapping(owner.get("matchLabels")):
        owner = {**owner, "matchLabels": {**mapping(owner["matchLabels"]), key: value}}
    return replace(pod, shape=Shape(shape.spec, shape.namespace, labels, {}), owner=owner)


@dataclass(frozen=True)
class Cluster:
    """All of it."""

    facts: Facts
    placed: Whereabouts
    groups: tuple[Group, ...]
    seed: int = 0

    @classmethod
    def of(cls, facts: Facts, seed: int = 0) -> Cluster:
        """The cluster of a snapshot. `seed` breaks ties of the simulated scheduler."""
        placed = facts.standing.whereabouts(seed)
        return cls(facts, placed, tuple(_groups(facts, placed)), seed)

    @property
    def live(self) -> bool:
        """Whether its pods were read; else they are where the simulation puts them."""
        return self.placed.live

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes."""
        return tuple(node.name for node in self.facts.topology.nodes)

    @cached_property
    def budgets(self) -> tuple[Budget, ...]:
        """The PodDisruptionBudgets that an API server would have."""
        found = self.facts.snapshot.of_kind("PodDisruptionBudget")
        return tuple(
            replace(budget_of(each.manifest), namespace=each.ref.namespace)
            for each in found
            if not any(faults(each.manifest))
        )

    @cached_property
    def services(self) -> tuple[tuple[Resource, tuple[int, ...]], ...]:
        """The Services that have pods by a selector, each with the numbers of the groups."""
        found = []
        for service in self.facts.snapshot.of_kind("Service"):
            chosen = texts(at(service.manifest, ("spec", "selector")))
            space = service.ref.namespace
            mine = tuple(
                number
                for number, group in enumerate(self.groups)
                if chosen
                and group.ref.namespace == space
                and chosen.items() <= group.labels.items()
            )
            if mine:
                found.append((service, mine))
        return tuple(found)

    def others(self, moves: Callable[[Group], bool]) -> Iterator[Pod]:
        """The pods of all groups but those that move."""
        for group in self.groups:
            if not moves(group):
                yield from (each.pod for each in group.running)


def _groups(facts: Facts, placed: Whereabouts) -> Iterator[Group]:
    ready = _ready(facts) if placed.live else None
    running: dict[Key, list[Running]] = {}
    waiting: dict[Key, list[tuple[str, str]]] = {}
    for key, pod in placed.pods:
        well = ready is None or pod.id in ready or not pod.live
        running.setdefault(key, []).append(Running(pod, well and not pod.terminating))
    for key, pod, why in placed.waiting:
        waiting.setdefault(key, []).append((pod.id, why))
    made = {w.ref.key: w for w in facts.workloads}
    for key in dict.fromkeys((*made, *running, *waiting)):
        workload = made.get(key)
        resource = workload.resource if workload else facts.snapshot.by_key[key]
        holds = facts.data.of(workload) if workload else None
        yield Group(
            resource.ref,
            plain(resource.manifest),
            tuple(running.get(key, ())),
            tuple(waiting.get(key, ())),
            workload,
            holds.names if holds else (),
        )


def _ready(facts: Facts) -> frozenset[str]:
    """The pods that say that they are ready."""
    pods = facts.snapshot.of_kind("Pod")
    return frozenset(f"{p.ref.namespace}/{p.ref.name}" for p in pods if is_ready(p.manifest))


def plain(manifest: Manifest) -> Manifest:
    """The manifest without annotations that tell a model how pods behave: those of a case, which
    mean nothing here.
    """
    found = dict(manifest)
    template = at(manifest, ("spec", "template"))
    if isinstance(template, Mapping):
        spec = {**mapping(manifest.get("spec")), "template": _without_notes(template)}
        found["spec"] = spec
    return _without_notes(found)


def _without_notes(manifest: Manifest) -> Manifest:
    metadata = mapping(manifest.get("metadata"))
    notes = mapping(metadata.get("annotations"))
    if not any(str(key).startswith(PREFIX) for key in notes):
        return manifest
    kept = {key: value for key, value in notes.items() if not str(key).startswith(PREFIX)}
    return {**manifest, "metadata": {**metadata, "annotations": kept}}


def mounts_scratch(group: Group) -> bool:
    """Whether its pods have an emptyDir, which goes with them."""
    spec = group.workload.pod if group.workload else mapping(group.manifest.get("spec"))
    return any("emptyDir" in mapping(each) for each in sequence(spec.get("volumes")))
