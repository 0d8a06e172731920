"""A PodDisruptionBudget for a workload that has none."""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.facts.placement.needed import is_consensus, least_replicas, needed
from auditor.facts.workloads import Workload
from auditor.fixes.operations import created
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import Labels
from auditor.fixes.synthesize.subject import workload_of
from auditor.model import Change, Finding, Ref, Resource

ALWAYS_SINCE = 127
"""The version since which unhealthyPodEvictionPolicy is on by default (KEP-3017)."""
STABLE_SINCE = 121
"""The version since which policy/v1 is served."""


def guard(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A budget that lets one pod go at a time.

    Raises:
        CannotBuildError: none can be spared, there is a budget, or no label tells the pods apart.
    """
    workload = workload_of(facts, finding)
    _check(facts, workload)
    labels = Labels(facts)
    selector = labels.of(workload)
    if labels.added:
        raise CannotBuildError(f"no label tells the pods of {workload.name} from others")
    ref = Ref("policy/v1", "PodDisruptionBudget", workload.ref.namespace, _name(facts, workload))
    spec: dict[str, Any] = {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
    if facts.settings.kubernetes >= ALWAYS_SINCE and not is_consensus(workload):
        spec["unhealthyPodEvictionPolicy"] = "AlwaysAllow"
    metadata = {"name": ref.name, "namespace": ref.namespace}
    manifest = {"apiVersion": "policy/v1", "kind": ref.kind, "metadata": metadata, "spec": spec}
    return (created(Resource(ref, manifest, workload.resource.origin), workload.resource),)


def _check(facts: Facts, workload: Workload) -> None:
    replicas, count = least_replicas(facts, workload), needed(facts, workload)
    if replicas < 2 or replicas - 1 < count.count:
        told = f"of its {replicas} replicas {count.count} are needed, {count.why}"
        raise CannotBuildError(f"no pod of {workload.name} can be spared: {told}")
    if facts.guards.of(workload):
        raise CannotBuildError(f"a budget speaks of the pods of {workload.name} already")
    if facts.settings.kubernetes < STABLE_SINCE:
        raise CannotBuildError("this version of Kubernetes has no policy/v1")


def _name(facts: Facts, workload: Workload) -> str:
    """The name of the workload, where no budget has it."""
    for name in (workload.ref.name, f"{workload.ref.kind.lower()}-{workload.ref.name}"):
        key = ("policy", "PodDisruptionBudget", workload.ref.namespace, name)
        if key not in facts.snapshot.by_key:
            return name
    raise CannotBuildError(f"there are budgets called as {workload.name} that cover others")
