"""A topology spread constraint that keeps replicas in several domains.

A must, so that it holds whatever else the scheduler weighs; and so it is built only where it was
checked that every pod finds a node under it: now, with as many pods as there may ever be at once,
and after the loss of any one domain. Nodes that the pods do not tolerate do not count, or a lost
zone would stay as an empty domain; and each revision is spread by itself, or a rollout would end
uneven.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.facts import Facts
from auditor.facts.placement import Pod
from auditor.facts.placement.rules import Spread, read_spreads
from auditor.facts.scheduling.demand import ROLLING
from auditor.facts.scheduling.domains import LEVELS
from auditor.facts.scheduling.losing import varied, without
from auditor.facts.scheduling.sharing import most_in_one, share_of
from auditor.facts.scheduling.spreading import LABEL_KEYS, TAINTS_POLICY
from auditor.facts.workloads import REVISION_LABELS, Workload
from auditor.fixes.operations import patched
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import selecting
from auditor.fixes.synthesize.subject import workload_of
from auditor.manifests import at
from auditor.model import Change, Finding, Operation

FIELD = "topologySpreadConstraints"


def spread_out(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A hard constraint over the largest domains under which all pods find nodes.

    Raises:
        CannotBuildError: the replicas no longer share a domain, or a condition does not hold.
    """
    workload = workload_of(facts, finding)
    share = share_of(facts, workload)
    if share is None:
        raise CannotBuildError("its replicas no longer share what fails together")
    if facts.settings.kubernetes < TAINTS_POLICY:
        raise CannotBuildError("before Kubernetes 1.26 lost nodes would count as an empty domain")
    why = ""
    for level in reversed(LEVELS[LEVELS.index(share.level) :]):
        constraint = _constraint(facts, workload, level)
        why = _against(facts, workload, level, constraint, share.needed)
        if not why:
            return (patched(workload.resource, _step(workload, constraint)),)
    raise CannotBuildError(why)


def _constraint(facts: Facts, workload: Workload, level: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "maxSkew": 1,
        "topologyKey": facts.scheduling.key_of(level),
        "whenUnsatisfiable": "DoNotSchedule",
        "nodeTaintsPolicy": "Honor",
        "labelSelector": {"matchLabels": selecting(workload)},
    }
    if workload.ref.kind in ROLLING and facts.settings.kubernetes >= LABEL_KEYS:
        found["matchLabelKeys"] = [REVISION_LABELS[workload.ref.kind]]
    return found


def _against(
    facts: Facts, workload: Workload, level: str, constraint: dict[str, Any], needed: int
) -> str:
    """Why the constraint must not be proposed; empty where nothing speaks against it."""
    pods = facts.scheduling.made(workload)
    (spread,) = read_spreads([constraint], pods[0].labels)
    if any(old.hard and old.key == spread.key for old in pods[0].shape.spreads):
        return f"it already has a constraint over {spread.key}"
    demand = facts.scheduling.demand(workload)
    domains = len(facts.scheduling.among(facts.standing.eligible(workload), level))
    if domains < 2 or demand.least - most_in_one(spread, demand.least, domains) < needed:
        return f"its pods may be in {domains} domains of {spread.key}, which is too few"
    return next(_without_node(facts, workload, level, spread), "")


def _without_node(facts: Facts, workload: Workload, level: str, spread: Spread) -> Iterator[str]:
    """Who finds no node under the constraint: at the most pods, and after each loss."""
    demand = facts.scheduling.demand(workload)
    spreads = (*facts.scheduling.made(workload)[0].shape.spreads, spread)
    found = facts.scheduling.replayed(workload, demand.peak, spreads=spreads)
    if len(found) < demand.peak:
        yield f"over {spread.key}, {len(found)} of {demand.peak} pods find a node at the most"
    own = facts.standing.placed().get(workload.ref.key, ())
    for domain in facts.scheduling.domains[level]:
        simulation = without(facts, domain)
        for pod in own:
            if pod.node in facts.topology.by_name and pod.node not in domain.nodes:
                simulation.release(pod, pod.node)
        anew: list[Pod] = [varied(pod, spreads=spreads) for pod in facts.scheduling.made(workload)]
        if simulation.place(anew, 0).unschedulable:
            yield f"over {spread.key}, not all pods find a node after the loss of {domain}"


def _step(workload: Workload, constraint: dict[str, Any]) -> Operation:
    path = (*workload.pod_path, FIELD)
    if isinstance(at(workload.resource.manifest, path), list):
        return Operation("add", (*path, "-"), constraint)
    return Operation("add", path, [constraint])
