"""Where the pods that a fix touches would run: part of its proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.placement import pods_of
from auditor.facts.placement.pods import HostPort, Pod
from auditor.facts.workloads import WORKLOAD_KINDS, Workload, workload_of
from auditor.fixes.case import Case
from auditor.fixes.labelled import is_asked
from auditor.manifests import at, mapping
from auditor.model import Resource
from auditor.values import dataclass

SEEN = (*WORKLOAD_KINDS, "Node", "PersistentVolume", "PersistentVolumeClaim", "StorageClass")
"""What must have been seen to say where pods run."""
ATTACHING = "CSINode"
"""And where those run that mount claims."""
SEEDS = 5
"""How often the simulated scheduler places the pods, breaking ties in another way each time."""
Crowd = tuple[Sequence[Workload], Sequence[Pod]]
"""Workloads, and their pods, which are placed together."""
MANY = 500
"""Of more pods than these it does so once: placing one costs a millisecond."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the touched pods would run."""

    scheduled: tuple[str, ...] = ()
    unschedulable: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def placed_of(case: Case, moved: Sequence[Workload]) -> Placed:
    """Where the simulated scheduler puts the pods of these workloads, which are `moved_of` it; and
    those that a LimitRange gives other requests, once all of them are made anew.
    """
    given = given_of(case)
    if not moved and not given:
        return Placed()
    made = case.facts_after.standing.made
    crowds: list[Crowd] = [([workload], made(workload)) for workload in moved]
    if given:
        crowds.append((given, tuple(pod for workload in given for pod in made(workload))))
    if not case.facts.topology.nodes:
        return Placed(unknown=("no Node objects are given, so no pod can be placed",))
    scheduled: dict[str, str] = {}
    lost: dict[str, str] = {}
    unknown: list[str] = []
    for workloads, pods, seed in _asked(crowds):
        # The fix is of these workloads alone: the others stand where they stood.
        simulation = case.facts.standing.simulation(also=workloads, seed=seed)
        placement = simulation.place(pods, seed)
        scheduled |= {pod: f"{pod} → {node}" for pod, node in placement.bound.items()}
        lost |= {pod: f"{pod}: {why}" for pod, why in placement.unschedulable.items()}
        unknown += simulation.unsupported
    mounts = any(pod.claims for _, pods in crowds for pod in pods)
    unknown += case.unseen((*SEEN, ATTACHING) if mounts else SEEN)
    return Placed(tuple(scheduled.values()), tuple(lost.values()), tuple(dict.fromkeys(unknown)))


def given_of(case: Case) -> list[Workload]:
    """The workloads to whose pods a LimitRange of the fix gives something to ask for. Costs one pod
    of each workload of its namespace.
    """
    ranges = [c.resource.ref for c in case.changes if c.resource.ref.kind == "LimitRange"]
    if not ranges:
        return []
    before, after = case.facts.standing, case.facts_after.standing
    return [
        workload
        for namespace in dict.fromkeys(ref.namespace for ref in ranges)
        for workload, _ in case.facts_after.labelled.get(namespace, ())
        for was, now in zip(before.one(workload), after.one(workload), strict=True)
        if was.shape.requests != now.shape.requests
    ]


def _asked(crowds: Sequence[Crowd]) -> Iterator[tuple[Sequence[Workload], Sequence[Pod], int]]:
    """Each crowd with each seed; of many pods one has to do."""
    for seed in range(SEEDS):
        for workloads, pods in crowds:
            if seed == 0 or len(pods) <= MANY:
                yield workloads, pods, seed


def moved_of(case: Case) -> list[Workload]:
    """The touched workloads of which a scheduler reads something else than before."""
    touched = [w for w in map(workload_of, (c.resource for c in case.changes)) if w]
    return [workload for workload in touched if _moves_pods(case, workload.resource)]


def _moves_pods(case: Case, resource: Resource) -> bool:
    """Whether a change can alter where pods run: what a scheduler reads of them has changed."""
    old = case.before.audit.snapshot.find(resource.ref)
    was, now = (workload_of(r) if r else None for r in (old, resource))
    if was is None or now is None or _scheduling_shape(was) != _scheduling_shape(now):
        return True
    if _labels_matter(case, was, now):
        return True
    # Fewer ports of the node can only make more nodes fit.
    return not _ports_of_node(now) <= _ports_of_node(was)


def _labels_matter(case: Case, was: Workload, now: Workload) -> bool:
    """Whether affinity or spreading, of these pods or others, may be about labels that differ."""
    keys = {key for key, _ in {*was.labels.items()} ^ {*now.labels.items()}}
    return any(is_asked(case.before.audit.snapshot, key) for key in keys)


def _ports_of_node(workload: Workload) -> set[HostPort]:
    return {port for pod in pods_of(workload)[:1] for port in pod.shape.ports}


READ_BY_SCHEDULER = (
    "affinity",
    "nodeName",
    "nodeSelector",
    "overhead",
    "priorityClassName",
    "priority",
    "resourceClaims",
    "resources",
    "runtimeClassName",
    "schedulerName",
    "schedulingGates",
    "tolerations",
    "topologySpreadConstraints",
)
"""Fields of a pod specification, as of the filter and score plugins of kube-scheduler 1.36."""


def _scheduling_shape(workload: Workload) -> object:
    containers = [
        (c.spec.get("resources"), c.spec.get("restartPolicy")) for c in workload.containers
    ]
    fields = [workload.pod.get(field) for field in READ_BY_SCHEDULER] + [_volumes(workload)]
    of_controllers = ("replicas", "parallelism", "completions", "suspend", "volumeClaimTemplates")
    wanted = [at(workload.resource.manifest, ("spec", field)) for field in of_controllers]
    return containers, fields, wanted


def _volumes(workload: Workload) -> list[object]:
    """What a scheduler reads of the volumes: an empty directory can be made on any node, and of its
    sizeLimit a node counts nothing.
    """
    volumes = workload.pod.get("volumes")
    if not isinstance(volumes, list):
        return [volumes] if volumes else []
    return [volume for volume in volumes if not isinstance(mapping(volume).get("emptyDir"), dict)]
