"""The most pods that a workload has at the same time, and what each of them asks for."""

from __future__ import annotations

from collections.abc import Mapping, Set

from auditor.facts import Facts
from auditor.facts.limits import ASKING, admitted, said_of
from auditor.facts.placement.quantities import QuantityError
from auditor.facts.placement.requests import CPU, MEMORY, read_requests
from auditor.facts.placement.versions import as_of
from auditor.facts.scheduling.demand import REPLICATED, rounded
from auditor.facts.workloads import Workload
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest
from auditor.values import dataclass

BOTH = frozenset((CPU, MEMORY))


@dataclass(frozen=True, slots=True)
class Largest:
    """A workload at its largest."""

    pods: int
    """With what a rollout adds, less the pods that are ending."""
    requests: Mapping[str, int]
    """Of each of them, as a quota counts: CPU in thousandths, memory in bytes."""
    said: Set[str]
    """Of CPU and memory, what each of its containers says, or is given by a LimitRange."""


def largest_of(facts: Facts, workload: Workload) -> Largest:
    """The most of a workload. Costs nothing for each pod.

    Raises:
        CannotBuildError: how many pods there are, or what they ask for, cannot be told.
    """
    pods = _pods(facts, workload)
    spec = as_of(workload.pod, facts.settings.kubernetes)
    spec = admitted(spec, facts.standing.given.get(workload.ref.namespace, {}))
    try:
        requests = read_requests(spec, {}).amounts
    except QuantityError as error:
        raise CannotBuildError(f"what {workload.name} asks for cannot be read: {error}") from error
    return Largest(pods, requests, _said(spec) if pods else BOTH)


def _said(spec: Manifest) -> Set[str]:
    # What its RuntimeClass adds is not in the template.
    if spec.get("runtimeClassName") and spec.get("overhead") is None:
        return frozenset()
    found: Set[str] = BOTH
    for name in ASKING:
        for container in sequence(spec.get(name)):
            found &= said_of(container)
    return found


def _pods(facts: Facts, workload: Workload) -> int:
    kind, manifest = workload.ref.kind, workload.resource.manifest
    if kind == "Pod":
        return 1
    if kind == "Rollout":
        # Blue and green: a whole second set, whatever the strategy says.
        return 2 * facts.scheduling.demand(workload).most
    if kind in REPLICATED:
        return facts.scheduling.demand(workload).peak
    if kind == "DaemonSet":
        return _on_nodes(facts, workload)
    if kind in ("Job", "CronJob"):
        return _at_once(mapping(at(manifest, workload.template_path[:-1])), manifest)
    raise CannotBuildError(f"how many pods {workload.ref} makes is not known")


def _on_nodes(facts: Facts, workload: Workload) -> int:
    if not facts.scheduling.known or facts.scheduling.grows:
        why = "nodes are added" if facts.scheduling.known else "no Node objects are given"
        raise CannotBuildError(f"how many pods {workload.ref} has depends on the nodes, and {why}")
    nodes = len(facts.standing.eligible(workload))
    way = ("spec", "updateStrategy", "rollingUpdate", "maxSurge")
    return nodes + rounded(at(workload.resource.manifest, way), nodes)


def _at_once(spec: Manifest, manifest: Manifest) -> int:
    """The pods of one run; of runs that overlap the headroom has to do. None of an ended Job.

    Raises:
        CannotBuildError: there are less than none.
    """
    told = map(mapping, sequence(at(manifest, ("status", "conditions"))))
    if any(e.get("type") in ("Complete", "Failed") and e.get("status") == "True" for e in told):
        return 0
    wanted = [spec.get("parallelism", 1), spec.get("completions")]
    found = min((number for number in wanted if type(number) is int), default=1)
    if found < 0:
        raise CannotBuildError(f"a run of {found} pods is none: the API server refuses it")
    return found
