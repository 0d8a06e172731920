"""How many pods of a workload there are to be: at the least, at the most, and during a rollout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.facts.controllers.budgets import scaled
from auditor.facts.placement.autoscaled import Scaler
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Key, Resource
from auditor.values import dataclass

REPLICATED = ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout")
"""The kinds that keep a number of equal pods."""
ROLLING = ("Deployment", "Rollout")
"""Those of them that make new pods beside the old ones."""
DEFAULT_SURGE = "25%"


@dataclass(frozen=True, slots=True)
class Demand:
    """The numbers of pods of one workload."""

    least: int
    """The fewest in operation: of an autoscaler, or the replicas that are written."""
    most: int
    """The most in operation."""
    surge: int = 0
    """How many more there may be during a rollout at the most."""
    autoscaler: Resource | None = None

    @property
    def peak(self) -> int:
        """The most that there are at the same time."""
        return self.most + self.surge


def target_of(autoscaler: Resource) -> Key:
    """The identity of what a HorizontalPodAutoscaler scales."""
    target = mapping(at(autoscaler.manifest, ("spec", "scaleTargetRef")))
    group = str(target.get("apiVersion") or "").rpartition("/")[0]
    kind, name = str(target.get("kind") or ""), str(target.get("name") or "")
    return group, kind, autoscaler.ref.namespace, name


def bounds_of(autoscaler: Resource) -> tuple[int, int]:
    """The fewest and the most replicas that an autoscaler asks for."""
    least, most = _bounds(autoscaler)
    return least, max(least, most)


def is_inverted(autoscaler: Resource) -> bool:
    """Whether it asks for fewer at most than at least, which an API server refuses."""
    least, most = _bounds(autoscaler)
    return most < least


def _bounds(autoscaler: Resource) -> tuple[int, int]:
    """As they are written."""
    spec = mapping(autoscaler.manifest.get("spec"))
    least = _number(spec.get("minReplicas"), 1)
    return least, _number(spec.get("maxReplicas"), least)


def demand_of(workload: Workload, scaler: Scaler | None) -> Demand:
    """The demand of a workload; one that is scaled to nothing has none, unless KEDA wakes it."""
    written = workload.replicas
    least, most = scaler.bounds(written) if scaler else (written, written)
    return Demand(least, most, _surge(workload, most), scaler.resource if scaler else None)


def _surge(workload: Workload, replicas: int) -> int:
    """How many pods a rollout adds (``maxSurge``, a share of it rounded up)."""
    if workload.ref.kind not in ROLLING or not replicas:
        return 0
    strategy = mapping(at(workload.resource.manifest, ("spec", "strategy")))
    if strategy.get("type") == "Recreate":
        return 0
    written = mapping(strategy.get("rollingUpdate")).get("maxSurge")
    return rounded(DEFAULT_SURGE if written is None else written, replicas)


def rounded(value: Any, total: int, *, up: bool = True) -> int:
    """A count or a share of `total`; nothing for what is neither."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return 0
    if isinstance(value, str) and not _is_share(value):
        return 0
    return max(scaled(value, total, up=up), 0)


def _is_share(value: str) -> bool:
    digits = value.removesuffix("%")
    return value.endswith("%") and digits.isascii() and digits.isdigit() and len(digits) <= 9


def _number(value: Any, otherwise: int) -> int:
    return value if type(value) is int and value >= 0 else otherwise


_QUORUM = ("etcd", "zookeeper", "consul", "cockroach", "rqlite", "vault", "openbao")
"""Images of programs whose members decide by majority (Raft or Zab)."""


def votes(workload: Workload) -> bool:
    """Whether its pods seem to be members that decide by majority."""
    names = (str(c.spec.get("image", "")) for c in workload.containers if c.list == "containers")
    return workload.ref.kind == "StatefulSet" and any(map(_decides, names))


def _decides(image: str) -> bool:
    name = image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    return any(name in (each, f"{each}db") for each in _QUORUM)


def images(workloads: Iterable[Workload]) -> set[str]:
    """The names of all images, without registry, tag and digest."""
    return {
        str(c.spec.get("image", "")).rpartition("/")[2].partition("@")[0].partition(":")[0]
        for workload in workloads
        for c in workload.containers
    }
