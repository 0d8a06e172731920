"""Which pods a ReplicaSet deletes when it is scaled down.

The order is that of ``ActivePodsWithRanks`` in ``pkg/controller/controller_utils.go`` of
Kubernetes 1.36, with times compared by the power of two of their age (KEP-2185).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from auditor.facts.controllers.case import CaseError, Course, controller_of, selector_of
from auditor.facts.controllers.validation import COST
from auditor.facts.selectors import matches
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest
from auditor.values import dataclass

PHASES = ("Pending", "Unknown", "Running")
"""From the first to go to the last."""
SETTLING_SECONDS = 30.0
"""A case tells ages as they were planned; the controller looked somewhat later."""
MOST_STATES = 512
"""So many possible remainders are followed."""


@dataclass(frozen=True, slots=True)
class _Pod:
    name: str
    node: str
    phase: str
    ready: bool
    cost: int
    ready_seconds: float
    """For how long it has been ready."""
    restarts: int
    created_after: float
    """Seconds after the first pod of the case."""
    owner: str
    """The ReplicaSet that has it."""


State = frozenset[str]
"""The names of the pods that are left."""


def answer(course: Course) -> Mapping[str, Any]:
    """Per step ``deleted`` where that is certain, else ``undetermined``: who may go in it."""
    case = course.first
    target = str(case.action.get("name", ""))
    sets = case.of_kind("ReplicaSet", "ReplicationController")
    pods = _adopted(case.of_kind("Pod"), sets)
    ours = {pod.name: pod for pod in pods if pod.owner == target}
    related = _related(target, sets)
    others = Counter(p.node for p in pods if p.owner in related - {target} and p.node)
    counted = target in related
    states = {frozenset(ours)}
    steps = []
    for wanted in sequence(case.action.get("to")):
        if not isinstance(wanted, int) or isinstance(wanted, bool) or wanted < 0:
            raise CaseError("action.to: has to be a list of numbers of replicas")
        after = {(s, left) for s in states for left in _lefts(s, wanted, ours, others, counted)}
        steps.append({"replicas": wanted, **_told(after)})
        states = set(sorted({left for _, left in after}, key=sorted)[:MOST_STATES])
    return {"steps": steps}


def _told(after: Iterable[tuple[State, State]]) -> Mapping[str, list[str]]:
    gone = {before - left for before, left in after}
    if len(gone) == 1:
        return {"deleted": sorted(gone.pop())}
    return {"undetermined": sorted(frozenset().union(*gone))}


def _lefts(
    state: State,
    wanted: int,
    pods: Mapping[str, _Pod],
    others: Counter[str],
    counted: bool,
) -> list[State]:
    """What may be left of `state` once it is scaled to `wanted`."""
    if len(state) <= wanted:
        return [state]
    here = [pods[name] for name in sorted(state)]
    crowd = others + Counter(pod.node for pod in here if pod.node) if counted else Counter[str]()
    now = max((pod.created_after for pod in here), default=0.0)
    going = len(state) - wanted
    first = _before_all(here, crowd, now)
    sure = [pod.name for pod in here if first[pod.name][1] < going]
    maybe = [p.name for p in here if p.name not in sure and first[p.name][0] < going]
    picks = combinations(maybe, going - len(sure))
    return [state - {*sure, *pick} for _, pick in zip(range(MOST_STATES), picks, strict=False)]


def _before_all(pods: list[_Pod], crowd: Counter[str], now: float) -> Mapping[str, tuple[int, int]]:
    """For each pod how many surely go before it, and how many at most."""
    found = {}
    for pod in pods:
        order = [_compared(other, pod, crowd, now) for other in pods if other is not pod]
        surely = sum(1 for each in order if each < 0)
        found[pod.name] = (surely, surely + sum(1 for each in order if each == 0))
    return found


def _compared(one: _Pod, other: _Pod, crowd: Counter[str], now: float) -> int:
    """Negative where `one` goes first, positive where `other` does, 0 where nothing told decides
    (the controller then goes by uid).
    """
    keys = ((_fixed(pod, crowd)) for pod in (one, other))
    first, second = keys
    if first != second:
        return -1 if first < second else 1
    if one.ready and one.ready_seconds != other.ready_seconds:
        return _younger(one.ready_seconds, other.ready_seconds)
    if one.restarts != other.restarts:
        return -1 if one.restarts > other.restarts else 1
    if one.created_after != other.created_after:
        return _younger(now - one.created_after, now - other.created_after)
    return 0


def _fixed(pod: _Pod, crowd: Counter[str]) -> tuple[bool, int, bool, int, int]:
    """Everything that is compared before times are."""
    return (bool(pod.node), PHASES.index(pod.phase), pod.ready, pod.cost, -crowd[pod.node])


def _younger(one: float, other: float) -> int:
    """The younger goes first, if they differ by a power of two whenever it was looked."""
    orders = {
        _sign(_magnitude(one + late) - _magnitude(other + late)) for late in (0.0, SETTLING_SECONDS)
    }
    return orders.pop() if len(orders) == 1 else 0


def _magnitude(seconds: float) -> int:
    nanoseconds = seconds * 1e9
    return int(math.log2(nanoseconds)) if nanoseconds >= 1 else -1


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _related(target: str, sets: tuple[Manifest, ...]) -> frozenset[str]:
    """The ReplicaSets that the same controller has: only those count who shares a node."""
    owners = {at(each, ("metadata", "name")): _controller(each) for each in sets}
    mine = owners.get(target)
    return frozenset(str(n) for n, owner in owners.items() if owner and owner == mine)


def _controller(manifest: Manifest) -> str:
    found = controller_of(manifest)
    return f"{found.get('kind')}/{found.get('name')}" if found else ""


def _adopted(pods: Iterable[Manifest], sets: tuple[Manifest, ...]) -> list[_Pod]:
    """The active pods, each with the set whose selector takes it."""
    found = [_pod(pod, sets) for pod in pods]
    return [pod for pod in found if pod.owner and pod.phase in PHASES]


def _pod(manifest: Manifest, sets: tuple[Manifest, ...]) -> _Pod:
    metadata, told = mapping(manifest.get("metadata")), mapping(manifest.get("attributes"))
    labels, notes = texts(metadata.get("labels")), texts(metadata.get("annotations"))
    owners = [str(at(s, ("metadata", "name"))) for s in sets if matches(selector_of(s), labels)]
    return _Pod(
        name=str(metadata.get("name", "")),
        node=str(mapping(manifest.get("spec")).get("nodeName") or ""),
        phase=str(told.get("phase", "Running")),
        ready=told.get("ready") is True,
        cost=_cost(notes.get(COST, "0")),
        ready_seconds=_number(told, "readySecondsAgo"),
        restarts=int(_number(told, "restarts")),
        created_after=_number(told, "createdSecondsAfterFirst"),
        owner=owners[0] if owners else "",
    )


def _cost(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise CaseError(f"annotation {COST}: {text!r} is no number") from error


def _number(told: Mapping[str, Any], key: str) -> float:
    value = told.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise CaseError(f"attributes.{key}: has to be a number")
    return float(value)
