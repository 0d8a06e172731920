"""Who says how many pods there are to be: a budget in per cent, or with maxUnavailable, is a share
of that.

The disruption controller asks the scale of whatever controls a pod
(``pkg/controller/disruption/disruption.go``, getExpectedPodCount): a kind without the scale
subresource, or a pod that nothing controls, has none.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

SCALED = frozenset(
    (
        ("", "ReplicationController"),
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("apps", "StatefulSet"),
        ("extensions", "Deployment"),
        ("extensions", "ReplicaSet"),
        ("argoproj.io", "Rollout"),
        ("apps.kruise.io", "CloneSet"),
        ("apps.kruise.io", "StatefulSet"),
        ("apps.openshift.io", "DeploymentConfig"),
    )
)
"""API group and kind of what has a scale."""
SCALELESS = frozenset(
    (("apps", "DaemonSet"), ("extensions", "DaemonSet"), ("batch", "Job"), ("batch", "CronJob"))
)


class Scale(Enum):
    """What the controller of some pods says of their number."""

    HAS = "has"
    LACKS = "lacks"
    """Its kind has no scale: what needs one fails."""
    BARE = "bare"
    """Nothing controls them: they count as healthy, and not as expected."""
    UNKNOWN = "unknown"


def scale_of(facts: Facts, workload: Workload) -> Scale:
    """Whether the scale of a workload can be asked."""
    kind = (workload.ref.group, workload.ref.kind)
    if kind == ("", "Pod"):
        return _of_pod(facts, workload)
    if kind in SCALED:
        return Scale.HAS
    return Scale.LACKS if kind in SCALELESS else _by_definition(facts, *kind)


def _of_pod(facts: Facts, workload: Workload) -> Scale:
    references = sequence(at(workload.resource.manifest, ("metadata", "ownerReferences")))
    for owner in map(mapping, references):
        if owner.get("controller") is True:
            group = str(owner.get("apiVersion", "")).rpartition("/")[0]
            return _by_definition(facts, group, str(owner.get("kind")))
    return Scale.BARE


def _by_definition(facts: Facts, group: str, kind: str) -> Scale:
    """What the definition of a custom kind says, where it is given."""
    for resource in facts.snapshot.of_kind("CustomResourceDefinition"):
        spec = mapping(resource.manifest.get("spec"))
        if (spec.get("group"), at(spec, ("names", "kind"))) == (group, kind):
            versions = map(mapping, sequence(spec.get("versions")))
            scaled = any(at(each, ("subresources", "scale")) is not None for each in versions)
            return Scale.HAS if scaled else Scale.LACKS
    return Scale.UNKNOWN
