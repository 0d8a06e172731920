"""Who changes the number of pods of a workload, and between which bounds.

HorizontalPodAutoscaler (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/
horizontal-pod-autoscaler-v2/) and the ScaledObject of KEDA, which makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.facts.kinds import SCALERS
from auditor.facts.wording import text
from auditor.manifests import at, mapping, sequence
from auditor.model import Key, Manifest, Ref, Resource, Snapshot
from auditor.values import dataclass

KEDA = "ScaledObject"
MOST_OF_KEDA = 100
"""What KEDA takes for maxReplicaCount where it is not written."""
DEFAULT_TARGET = 80
"""The utilisation of CPU, in per cent, that an HPA without any metric aims at."""


@dataclass(frozen=True, slots=True)
class Scaler:
    """One autoscaler."""

    resource: Resource
    target: Key
    """The identity of what it scales; whether that exists is not said."""
    least: int
    """Of KEDA, that may be 0."""
    most: int
    utilisation: int | None = None
    """The mean utilisation of CPU, in per cent of the requests, that it keeps; None where it goes
    by something else or by more than that."""
    desired: int | None = None
    """How many pods it wants now, where it is live."""

    @property
    def ref(self) -> Ref:
        """The identity of the autoscaler."""
        return self.resource.ref

    def bounds(self, written: int) -> tuple[int, int]:
        """The fewest and the most replicas of a workload that has so many `written`: at 0, an HPA
        is off.
        """
        if self.is_horizontal and not written:
            return 0, 0
        return self.least, max(self.most, self.least)

    @property
    def is_horizontal(self) -> bool:
        """Whether it is an HPA, which does nothing while there are to be no replicas."""
        return self.resource.ref.kind != KEDA


def scalers_of(snapshot: Snapshot) -> Mapping[Key, Scaler]:
    """The autoscaler of each workload that has one, the last by name where there are several."""
    ordered = sorted(snapshot.of_kind(*SCALERS), key=lambda each: each.ref.key)
    found = map(_scaler, ordered)
    return {scaler.target: scaler for scaler in found if scaler}


def _scaler(resource: Resource) -> Scaler | None:
    spec = mapping(resource.manifest.get("spec"))
    if resource.ref.kind == KEDA:
        return _of_keda(resource, spec) if resource.ref.group == "keda.sh" else None
    target = _target(resource, spec, "", "")
    least, most = _count(_or(spec.get("minReplicas"), 1)), _count(spec.get("maxReplicas"))
    if target is None or least is None or most is None:
        return None
    desired = _count(at(resource.manifest, ("status", "desiredReplicas")))
    return Scaler(resource, target, least, most, _utilisation(spec), desired)


def _of_keda(resource: Resource, spec: Manifest) -> Scaler | None:
    target = _target(resource, spec, "apps/v1", "Deployment")
    most = _or(spec.get("maxReplicaCount"), MOST_OF_KEDA)
    counts = _count(_or(spec.get("minReplicaCount"), 0)), _count(most)
    if target is None or counts[0] is None or counts[1] is None:
        return None
    idle = _count(spec.get("idleReplicaCount"))
    return Scaler(resource, target, counts[0] if idle is None else idle, counts[1])


def _target(resource: Resource, spec: Manifest, version: str, kind: str) -> Key | None:
    named = mapping(spec.get("scaleTargetRef"))
    version = text(named.get("apiVersion")) or version
    kind, name = text(named.get("kind")) or kind, text(named.get("name"))
    if not kind or not name:
        return None
    return Ref(version, kind, resource.ref.namespace, name).key


def _utilisation(spec: Manifest) -> int | None:
    """The one target of CPU utilisation, where it is all that decides."""
    if "targetCPUUtilizationPercentage" in spec:
        return _count(spec["targetCPUUtilizationPercentage"])
    metrics = [mapping(each) for each in sequence(spec.get("metrics"))]
    if not metrics:
        return DEFAULT_TARGET
    if len(metrics) > 1 or at(metrics[0], ("resource", "name")) != "cpu":
        return None
    return _count(at(metrics[0], ("resource", "target", "averageUtilization")))


def _or(value: Any, otherwise: int) -> Any:
    """The value, or what the API takes where it is absent or null."""
    return otherwise if value is None else value


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
