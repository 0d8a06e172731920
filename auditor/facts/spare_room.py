"""Whether one more pod of a workload has room beside all that stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.monitors.known import runs
from auditor.facts.placement import Pod, pods_of
from auditor.facts.placement.pods import Shape
from auditor.facts.standing import Standing
from auditor.facts.wording import text
from auditor.facts.workloads import REVISION_LABELS, Workload
from auditor.manifests import at, mapping, sequence
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts
    from auditor.facts.placement import Feasible

NODE_MAKERS = ("cluster-autoscaler", "karpenter/controller", "karpenter")
"""The images of what adds nodes where a pod finds none."""
SHARED = ("ReadWriteMany", "ReadOnlyMany")
"""The access modes with which several nodes mount a volume at once."""


def next_pod(workload: Workload) -> Pod | None:
    """A pod of the next revision; None where the workload has none."""
    pods = pods_of(workload, most=1)
    if not pods:
        return None
    labels = dict(pods[0].labels)
    if key := REVISION_LABELS.get(workload.ref.kind):
        labels[key] = "next-revision"
    shape = Shape(pods[0].spec, workload.ref.namespace, labels, {})
    return replace(pods[0], name=f"{workload.ref.name}-next", shape=shape)


def is_exclusive(pod: Pod) -> bool:
    """Whether where other pods are, its own kind among them, decides where it may run."""
    shape = pod.shape
    hard = any(spread.hard for spread in shape.spreads)
    return bool(hard or shape.ports or shape.affinity.away or shape.affinity.near)


def sole_claims(facts: Facts, workload: Workload, *, sure: bool) -> Iterator[tuple[str, int, bool]]:
    """The volumes that one node at a time can mount, by name and place, each with whether
    one pod alone can; with `sure` only those
    whose claim says so, else all that do not say otherwise:
    https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes
    """
    for number, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        name = text(mapping(volume.get("persistentVolumeClaim")).get("claimName"))
        key = ("", "PersistentVolumeClaim", workload.ref.namespace, name)
        claim = facts.snapshot.by_key.get(key)
        modes = sequence(at(claim.manifest, ("spec", "accessModes"))) if claim else []
        if name and (modes or not sure) and not any(mode in SHARED for mode in modes):
            yield text(volume.get("name")), number, "ReadWriteOncePod" in modes


@dataclass
class Room:
    """Whether one more pod has room beside everything that stands. Not frozen: it remembers the
    answers for pods that nothing tells apart.
    """

    standing: Standing
    """Where all pods are."""
    _known: dict[object, Feasible | None] = field(default_factory=dict)

    def refused(self, pod: Pod) -> str | None:
        """Why no node takes `pod`; None where one does, or where that cannot be told."""
        found = self.asked(pod)
        return None if found is None or found.nodes else found.why

    def asked(self, pod: Pod) -> Feasible | None:
        """The nodes that take `pod`; None where that cannot be told."""
        if is_exclusive(pod):
            return self._asked(pod)
        key = (_told_apart(pod), self._met(pod))
        if key not in self._known:
            self._known[key] = self._asked(pod)
        return self._known[key]

    @cached_property
    def grows(self) -> bool:
        """Whether something in the cluster adds nodes where a pod finds none."""
        if any(self.standing.snapshot.of_kind("NodePool", "Provisioner")):
            return True
        return any(runs(c, NODE_MAKERS) for w in self.standing.workloads for c in w.containers)

    def _met(self, pod: Pod) -> object:
        """What those that keep others away know `pod` by; nothing where nobody does."""
        return (pod.namespace, tuple(sorted(pod.labels.items()))) if self._repelled else None

    @cached_property
    def _repelled(self) -> bool:
        """Whether a pod that stands may keep another away, which has no rules of its own."""
        placed = self.standing.placed().values()
        return any(pod.shape.affinity.away for pods in placed for pod in pods)

    def _asked(self, pod: Pod) -> Feasible | None:
        simulation = self.standing.whole
        return None if simulation.doubts(pod) else simulation.feasible(pod)


def _told_apart(pod: Pod) -> object:
    """What decides where a pod may run that has no rules about others."""
    fields = (
        "nodeSelector",
        "tolerations",
        "affinity",
        "nodeName",
        "schedulerName",
        "schedulingGates",
    )
    rest = repr([pod.spec.get(name) for name in fields])
    amounts = tuple(sorted(pod.shape.requests.amounts.items()))
    return rest, amounts, repr(pod.claims), pod.namespace if pod.claims else ""
