"""What stands in the way of as many pods as are written, and as many as an autoscaler may ask for.
What happens on the way of a rollout is explored elsewhere; here it counts only against quotas.

Where nothing but room could stand in the way, free places are counted; else the scheduler is
replayed, and the cause is what, left out alone, gives every pod a node.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.limits import resource_defaults
from auditor.facts.placement import Pod
from auditor.facts.placement.quantities import QuantityError, parse
from auditor.facts.scheduling.choices import is_homeless
from auditor.facts.scheduling.demand import REPLICATED, Demand
from auditor.facts.scheduling.where import Scheduling
from auditor.facts.workloads import Workload
from auditor.manifests import mapping
from auditor.model import Resource
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
WHEN_MOST = " at the most of its autoscaler"


@dataclass(frozen=True, slots=True)
class Ceiling:
    """How many pods find a node, of how many that there may be."""

    wanted: int
    placed: int
    cause: str
    """apart, skew, crossed (several constraints), ports, or room."""


def ceiling_of(facts: Facts, workload: Workload, wanted: int) -> Ceiling | None:
    """What keeps some of `wanted` pods from every node; None where all find one."""
    scheduling = facts.scheduling
    pod = facts.standing.first(workload)
    if pod is None or not wanted or not scheduling.known:
        return None
    if is_homeless(facts, workload, pod):
        return None
    if pod.is_plain:
        free = scheduling.free(workload, pod, wanted)
        return None if free >= wanted else Ceiling(wanted, free, "room")
    if not scheduling.afford(wanted * len(facts.topology.nodes)):
        return None
    placed = scheduling.replayed(workload, wanted)
    if len(placed) >= wanted:
        return None
    return Ceiling(wanted, len(placed), _cause(scheduling, workload, pod, wanted))


def _cause(scheduling: Scheduling, workload: Workload, pod: Pod, wanted: int) -> str:
    """What alone, left out, gives every pod a node; room where nothing does."""
    rules = pod.shape.affinity
    variants: list[tuple[str, Told]] = []
    if rules.away:
        variants.append(("apart", {"affinity": replace(rules, away=())}))
    hard = [spread for spread in pod.shape.spreads if spread.hard]
    if len(hard) > 1:
        variants += [("crossed", {"spreads": (spread,)}) for spread in hard]
    if hard:
        variants.append(("skew", {"spreads": ()}))
    if pod.shape.ports:
        variants.append(("ports", {"ports": ()}))
    for cause, parts in variants:
        if len(scheduling.replayed(workload, wanted, **parts)) >= wanted:
            return cause
    return "room"


def ceilings(facts: Facts, workload: Workload) -> dict[str, list[Told]] | None:
    """The fact `ceilings` for policies: by cause, how many pods find no node, first as many as are
    written, then at the most of the autoscaler; ``quota`` counts those of a rollout as well.
    """
    if workload.ref.kind not in REPLICATED:
        return None
    demand = facts.scheduling.demand(workload)
    found = dict(_by_quota(facts, workload, demand))
    if case := _lowest(facts, workload, demand):
        found[case.pop("cause")] = [case]
    return found or None


def _lowest(facts: Facts, workload: Workload, demand: Demand) -> Told | None:
    if facts.scheduling.grows:
        return None
    for wanted in dict.fromkeys((demand.least, demand.most)):
        if (found := ceiling_of(facts, workload, wanted)) is not None:
            most = wanted > demand.least
            return {
                "cause": found.cause,
                "path": workload.pod_path,
                "anchor": "",
                "wanted": wanted,
                "placed": found.placed,
                "when": WHEN_MOST if most else "",
                "evidence": _scaled(demand) if most else [],
            }
    return None


def _scaled(demand: Demand) -> list[Told]:
    scaler = demand.autoscaler
    if scaler is None:
        return []
    message = f"asks for up to {demand.most} replicas"
    return [{"message": message, "object": as_object(scaler.ref), "path": ["spec", "maxReplicas"]}]


def _by_quota(facts: Facts, workload: Workload, demand: Demand) -> Iterator[tuple[str, list[Told]]]:
    """ResourceQuotas under which fewer pods may be made than there may be at once."""
    pod = facts.standing.first(workload)
    if pod is None or demand.peak == demand.least:
        return
    for quota in facts.snapshot.of_kind("ResourceQuota"):
        if quota.ref.namespace == workload.ref.namespace and not _is_scoped(quota):
            for key, allowed in _allowed(facts, quota, workload, pod, demand.peak):
                when = WHEN_MOST if allowed < demand.most else " during a rollout"
                wanted = demand.most if allowed < demand.most else demand.peak
                case = {
                    "path": workload.pod_path, "anchor": key, "key": key, "allowed": allowed,
                    "wanted": wanted, "when": when, "quota": quota.ref.name,
                    "evidence": [{"message": f"{key} is bounded", "object": as_object(quota.ref),
                                  "path": ["spec", "hard", key]}],
                }  # fmt: skip
                yield "quota", [case]


def _is_scoped(quota: Resource) -> bool:
    spec = mapping(quota.manifest.get("spec"))
    return bool(spec.get("scopes") or spec.get("scopeSelector"))


def _allowed(
    facts: Facts, quota: Resource, workload: Workload, pod: Pod, peak: int
) -> Iterator[tuple[str, int]]:
    """The resources of which a quota has less than so many pods take, beside all others; with how
    many may be made. What a LimitRange gives counts nothing: then nothing is said.
    """
    if resource_defaults(facts, workload)["requests"]:
        return
    hard = mapping(mapping(quota.manifest.get("spec")).get("hard"))
    for key, value in hard.items():
        try:
            limit = parse(value)
        except QuantityError:
            continue
        own = facts.scheduling.takes(pod, str(key))
        others = facts.scheduling.taken(workload, str(key))
        if own and others + own * peak > limit:
            yield str(key), max(0, (limit - others) // own)
            return
