"""What the API server answers to evictions, one after the other.

``pkg/registry/core/pod/storage/eviction.go`` of Kubernetes 1.36. Evicted pods stay, terminating,
and what replaces them is not ready yet: nothing comes back while the series lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from auditor.facts.controllers.budgets import (
    Budget,
    Guarded,
    Owner,
    Status,
    budget_of,
    covering,
    is_ready,
    labels_of,
)
from auditor.facts.controllers.case import Case, CaseError, Course, controller_of, selector_of
from auditor.facts.selectors import matches
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest
from auditor.values import dataclass

ACCEPTED, REFUSED, BROKEN = 201, 429, 500
SCALED = ("ReplicaSet", "ReplicationController", "StatefulSet", "Deployment")
"""Controllers that adopt pods by their labels and have a scale."""
SCALELESS = "does not implement the scale subresource"
WIDGETS = ("Widget",)
"""Custom kinds of the recorded cases whose scale is ``spec.replicas``."""


def answer(course: Course) -> Mapping[str, Any]:
    """``initial``, the status of each budget, and the code for each eviction of the order."""
    case = course.first
    world = world_of(case)
    initial = {budget.name: world.status(budget).written() for budget in world.budgets}
    steps = []
    asked = sequence(case.action.get("order"))
    told = [*sequence(case.more.get("circumstances")), *({} for _ in asked)]
    for name, circumstances in zip(asked, told, strict=False):
        if not isinstance(name, str) or name not in world.pods:
            raise CaseError(f"action.order: there is no pod {name!r}")
        if mapping(circumstances).get("deletedBefore"):
            world = world.without(name)
        code = world.evict(name)
        if code == ACCEPTED and not mapping(circumstances).get("dryRun"):
            world = world.without(name)
        steps.append({"pod": name, "answer": {"code": code}})
    return {"initial": initial, "steps": steps}


@dataclass(frozen=True, slots=True)
class World:
    """The pods and budgets of a namespace."""

    pods: Mapping[str, Guarded]
    budgets: Sequence[Budget]

    def status(self, budget: Budget) -> Status:
        """Of a budget, once the controller has seen everything."""
        return budget.status(self.pods.values())

    def evict(self, name: str) -> int:
        """The HTTP code of the answer."""
        pod = self.pods[name]
        if pod.terminating or pod.phase in {"Succeeded", "Failed", "Pending"}:
            return ACCEPTED
        budgets = covering(self.budgets, pod)
        if len(budgets) > 1:
            return BROKEN
        return ACCEPTED if all(self._allows(budget, pod) for budget in budgets) else REFUSED

    def _allows(self, budget: Budget, pod: Guarded) -> bool:
        status = self.status(budget)
        spared = budget.always or (status.healthy >= status.desired > 0)
        if not pod.ready and spared:
            return True
        return status.observed and status.allowed > 0

    def without(self, name: str) -> World:
        """The same once the pod is terminating, or gone where it was on no node."""
        pod = self.pods[name]
        if pod.node:
            return replace(self, pods={**self.pods, name: replace(pod, terminating=True)})
        return replace(self, pods={n: p for n, p in self.pods.items() if n != name})


def world_of(case: Case) -> World:
    """The pods and budgets of a case, with the replacements that its controllers make at once."""
    owners = [each for each in case.objects if each.get("kind") not in {"Pod", "Node"}]
    pods = {pod.name: pod for pod in (_guarded(p, owners) for p in case.of_kind("Pod"))}
    pods |= {pod.name: pod for pod in _missing(pods, case)}
    return World(pods, [budget_of(each) for each in case.of_kind("PodDisruptionBudget")])


def _guarded(manifest: Manifest, owners: Sequence[Manifest]) -> Guarded:
    return Guarded(
        name=str(at(manifest, ("metadata", "name"))),
        labels=labels_of(manifest),
        ready=is_ready(manifest),
        phase=str(at(manifest, ("status", "phase")) or "Running"),
        node=str(at(manifest, ("spec", "nodeName")) or ""),
        owner=_owner(manifest, owners),
    )


def _owner(pod: Manifest, owners: Sequence[Manifest]) -> Owner | None:
    named = controller_of(pod)
    if named is not None:
        return _referred(named, owners)
    adopters = [each for each in owners if _adopts(each, pod)]
    return _controller(adopters[0]) if adopters else None


def _referred(reference: Manifest, owners: Sequence[Manifest]) -> Owner:
    kind, name = reference.get("kind"), reference.get("name")
    for each in owners:
        if each.get("kind") == kind and at(each, ("metadata", "name")) == name:
            return _controller(each)
    version = reference.get("apiVersion")
    return Owner(f"{kind}/{name}", None, f'no matches for kind "{kind}" in version "{version}"')


def owner_of(manifest: Manifest) -> Owner | None:
    """A workload as the owner of its pods; None for a pod, which nobody owns."""
    return None if manifest.get("kind") == "Pod" else _controller(manifest)


def _controller(manifest: Manifest) -> Owner:
    kind, name = str(manifest.get("kind")), at(manifest, ("metadata", "name"))
    title = f"{kind}/{name}"
    replicas = at(manifest, ("spec", "replicas"))
    if kind in SCALED or kind in WIDGETS:
        return Owner(title, replicas if isinstance(replicas, int) else 1)
    group = str(manifest.get("apiVersion", "")).partition("/")[0]
    return Owner(title, None, f"{kind.lower()}s.{group} {SCALELESS}")


def _adopts(controller: Manifest, pod: Manifest) -> bool:
    """Whether the controller takes an orphan for its own."""
    kind = controller.get("kind")
    if kind not in {*SCALED[:3], "DaemonSet"}:
        return False
    name = str(at(pod, ("metadata", "name")))
    stem = f"{at(controller, ('metadata', 'name'))}-"
    if kind == "StatefulSet" and not (name.startswith(stem) and name[len(stem) :].isdigit()):
        return False
    if str(at(pod, ("status", "phase"))) in {"Succeeded", "Failed"} and kind != "DaemonSet":
        return False
    return matches(selector_of(controller), labels_of(pod))


def _missing(pods: Mapping[str, Guarded], case: Case) -> Sequence[Guarded]:
    """The pods that a ReplicaSet adds to what it adopts: pending, as no node takes them."""
    found = []
    for controller in case.of_kind(*SCALED[:2]):
        owner = _controller(controller)
        have = sum(1 for pod in pods.values() if pod.owner and pod.owner.name == owner.name)
        labels = labels_of(mapping(at(controller, ("spec", "template"))))
        for number in range((owner.replicas or 0) - have):
            name = f"{owner.name}-{number}*"
            found.append(Guarded(name, labels, ready=False, phase="Pending", owner=owner))
    return found
