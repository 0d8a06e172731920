"""The facts about budgets, as policies read them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from auditor.facts.dependencies import is_database
from auditor.facts.disruption.guards import Guard
from auditor.facts.disruption.owners import Scale, scale_of
from auditor.facts.disruption.steady import Steady, steady
from auditor.facts.forms import as_object
from auditor.facts.placement.needed import Rule, is_consensus, least_replicas, needed
from auditor.facts.serving import serves
from auditor.facts.workloads import WORKLOAD_KINDS, Workload
from auditor.manifests import at, mapping, sequence
from auditor.model import Gap, Path, Resource, Unseen
from auditor.terms import BUILT_IN

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def budget(facts: Facts, resource: Resource) -> dict[str, Any] | None:
    """The fact `budget` about a PodDisruptionBudget: whom it covers, and what it allows when all
    is well. None where it is none of Kubernetes, or its selector is refused.
    """
    kind, group = resource.ref.kind, resource.ref.group
    guard = facts.guards.by_key.get(resource.ref.key)
    if group not in BUILT_IN.get(kind, ()) or guard is None or guard.resource is not resource:
        return None
    best = steady(facts, guard)
    return {
        "rule": guard.rule,
        "always": guard.always,
        "selects": _selects(guard),
        "lonely": _is_lonely(facts, guard),
        "covers": [workload.name for workload in guard.covered],
        "controllers": _names(w for w in guard.covered if scale_of(facts, w) is not Scale.BARE),
        "perhaps": bool(guard.perhaps),
        "scaleless": _names(best.scaleless if best else ()),
        "bare": _names(best.bare if best else ()),
        "pods": best.pods if best else None,
        "allowed": best.allowed if best else None,
        "data": any(is_database(w) or is_consensus(w) for w in guard.covered),
        "scaled_by": _scalers(facts, guard),
        "wanted": _is_wanted(facts, guard, best),
        "weaker": _weaker(facts, guard, best),
        "others": [*_others(facts, guard)],
        "steps": _one_may_go(facts, guard, best),
        "now": _now(resource),
        "path": _rule_path(guard),
        "evidence": [_named(workload) for workload in guard.covered[:3]],
    }


def _selects(guard: Guard) -> str:
    if guard.selector is None:
        return "nothing"
    return "some" if guard.selector.requirements else "everything"


def _is_lonely(facts: Facts, guard: Guard) -> bool:
    """Whether there are surely no pods that it speaks of."""
    if guard.covered or guard.perhaps:
        return False
    if guard.selector is None:
        return True
    resource = guard.resource
    if not {resource.ref.namespace, ""}.isdisjoint(facts.makers):
        return False
    if any({"*", *WORKLOAD_KINDS}.intersection(gap.kinds) for gap in facts.snapshot.gaps):
        why = "its pods may stand in what could not be read"
        what = f"whom {resource.ref} covers"
        facts.unknown(Gap(what, why, Unseen.INCOMPLETE, ref=resource.ref))
        return False
    return True


def _names(workloads: Iterable[Workload]) -> list[str]:
    return [f"{workload.ref.kind} {workload.ref.name}" for workload in workloads]


def _named(workload: Workload) -> dict[str, Any]:
    return {
        "message": f"covers {workload.ref.kind} {workload.ref.name}",
        "object": as_object(workload.ref),
        "path": ("metadata", "name"),
    }


def _scalers(facts: Facts, guard: Guard) -> str:
    """The autoscalers that say how many pods there are at the least, in words."""
    found = (facts.scalers.get(workload.ref.key) for workload in guard.covered)
    return ", ".join(f"{s.ref.kind} {s.ref.name}" for s in found if s)


def _is_wanted(facts: Facts, guard: Guard, best: Steady | None) -> bool:
    """Whether somebody declares that all of the pods are needed."""
    counts = [needed(facts, workload) for workload in guard.covered]
    declared = [count.count for count in counts if count.rule is Rule.DECLARED]
    return bool(best and declared and sum(declared) >= best.pods)


def _weaker(facts: Facts, guard: Guard, best: Steady | None) -> dict[str, Any] | None:
    """What is left once all have gone that may, where more are needed by more than a guess."""
    if best is None or best.allowed is None or len(guard.covered) != 1:
        return None
    count = needed(facts, guard.covered[0])
    left = best.pods - min(best.allowed, best.pods)
    if count.rule in (Rule.ROLLOUT, Rule.ONE) or left >= count.count:
        return None
    return {"left": left, "needed": count.count, "why": count.why}


def _others(facts: Facts, guard: Guard) -> Iterable[dict[str, Any]]:
    """Earlier budgets by name that cover a workload of this one: each pair is told once."""
    found: dict[str, dict[str, Any]] = {}
    for workload in guard.covered:
        for other in facts.guards.surely_of(workload):
            name = other.resource.ref.name
            if name < guard.resource.ref.name and name not in found:
                found[name] = {
                    "name": name,
                    "workload": f"{workload.ref.kind} {workload.ref.name}",
                    "object": as_object(other.resource.ref),
                }
    return [found[name] for name in sorted(found)]


def _rule_path(guard: Guard) -> Path:
    if guard.least is not None:
        return ("spec", "minAvailable")
    return ("spec", "maxUnavailable") if guard.most is not None else ("spec",)


def _one_may_go(facts: Facts, guard: Guard, best: Steady | None) -> list[dict[str, Any]]:
    """The steps that let one pod go at a time; none where that may not be: enough pods are left,
    their controller has a scale, and no other budget speaks of them.
    """
    if len(guard.covered) != 1 or guard.perhaps or best is None or best.scaleless or best.bare:
        return []
    workload = guard.covered[0]
    replicas, count = least_replicas(facts, workload), needed(facts, workload).count
    alone = len(facts.guards.of(workload)) == 1
    if not alone or scale_of(facts, workload) is not Scale.HAS:
        return []
    if replicas < 2 or replicas - 1 < count:
        return []
    steps = [{"op": "remove", "path": ("spec", "minAvailable")}] if guard.least is not None else []
    return [*steps, {"op": "add", "path": ("spec", "maxUnavailable"), "value": 1}]


def _now(resource: Resource) -> dict[str, Any] | None:
    """What a budget of a cluster says of itself."""
    status = mapping(resource.manifest.get("status"))
    if not status:
        return None
    conditions = map(mapping, sequence(status.get("conditions")))
    failed = any(c.get("reason") == "SyncFailed" for c in conditions)
    healthy, desired = (status.get(key) for key in ("currentHealthy", "desiredHealthy"))
    return {
        "allowed": status.get("disruptionsAllowed"),
        "failed": failed,
        "healthy": healthy if type(healthy) is int else None,
        "desired": desired if type(desired) is int else None,
    }


def guarded(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `guarded` of a workload whose number of pods somebody says: how many there are at
    the least, who asks for them, and how many budgets speak of them.
    """
    if scale_of(facts, workload) is not Scale.HAS or workload.ref.kind == "Pod":
        return None
    replicas = least_replicas(facts, workload)
    return {
        "budgets": [guard.resource.ref.name for guard in facts.guards.of(workload)],
        "replicas": replicas,
        "served": serves(facts, workload),
        "exact": isinstance(at(workload.resource.manifest, ("spec", "selector")), dict),
        "spare": replicas - 1 >= needed(facts, workload).count,
    }
