"""What the API server refuses (422) of the fields that the controllers obey.

``pkg/apis/{apps,policy,core}/validation`` of Kubernetes 1.36; of it, what changes how pods are
replaced, evicted and reached. Everything else is taken to be valid.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from auditor.facts.controllers.case import Course, UnmodelledError
from auditor.facts.selectors import matches
from auditor.manifests import at, mapping, texts
from auditor.model import Manifest

COST = "controller.kubernetes.io/pod-deletion-cost"
INVALID = 422
_PERCENT = re.compile(r"[0-9]{1,9}%")
_INT32 = re.compile(r"0|-?[1-9][0-9]{0,9}")
_DEADLINE = 600
"""``progressDeadlineSeconds`` where nothing is said."""

Faults = Iterator[str]


def answer(course: Course) -> Mapping[str, Any]:
    """Whether the API server takes the object that is created.

    Raises:
        UnmodelledError: nothing is known here of what it refuses of such a kind.
    """
    manifest = mapping(course.first.action.get("object"))
    if manifest.get("kind") not in _JUDGES:
        known = ", ".join(sorted(_JUDGES))
        raise UnmodelledError(
            f"whether an API server takes a {manifest.get('kind')} cannot be told: no model of"
            f" what it refuses; there are those of {known}"
        )
    return refusal(manifest) or {"accepted": True}


def refusal(manifest: Manifest) -> Mapping[str, Any] | None:
    """The answer where the API server refuses the object; None where it does not."""
    fault = next(faults(manifest), None)
    return None if fault is None else {"accepted": False, "code": INVALID, "message": fault}


def faults(manifest: Manifest) -> Faults:
    """What it would say is wrong."""
    judge = _JUDGES.get(str(manifest.get("kind")))
    if judge is not None:
        yield from judge(manifest)


def whole(value: Any) -> int | None:
    """A count; None where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def int_or_percent(value: Any, field: str, most_percent: int | None = None) -> Faults:
    """What is wrong with a count or a share."""
    if value is None:
        return
    if (number := whole(value)) is not None:
        if number < 0:
            yield f"{field}: {number}: must be greater than or equal to 0"
    elif not isinstance(value, str) or not _PERCENT.fullmatch(value):
        yield f"{field}: {value!r}: must be a number or a share such as '25%'"
    elif most_percent is not None and int(value[:-1]) > most_percent:
        yield f"{field}: {value!r}: must not be greater than {most_percent}%"


def _is_zero(value: Any) -> bool:
    return value == 0 or (isinstance(value, str) and bool(re.fullmatch(r"0+%", value)))


def _deployment(manifest: Manifest) -> Faults:
    spec = mapping(manifest.get("spec"))
    yield from _workload(spec)
    yield from _rolling(spec)
    least = whole(spec.get("minReadySeconds")) or 0
    deadline = whole(spec.get("progressDeadlineSeconds"))
    deadline = _DEADLINE if deadline is None else deadline
    if deadline <= least:
        yield f"spec.progressDeadlineSeconds: {deadline}: must be greater than minReadySeconds"


def _rolling(spec: Manifest) -> Faults:
    strategy = mapping(spec.get("strategy"))
    rolling, field = strategy.get("rollingUpdate"), "spec.strategy.rollingUpdate"
    kind = strategy.get("type", "RollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            yield f"{field}: may not be specified when the strategy is Recreate"
        return
    if kind != "RollingUpdate":
        yield f"spec.strategy.type: {kind!r}: supported are Recreate and RollingUpdate"
    rolling = mapping(rolling)
    surge, unavailable = rolling.get("maxSurge", "25%"), rolling.get("maxUnavailable", "25%")
    yield from int_or_percent(unavailable, f"{field}.maxUnavailable", 100)
    yield from int_or_percent(surge, f"{field}.maxSurge")
    if _is_zero(surge) and _is_zero(unavailable):
        yield f"{field}.maxUnavailable: may not be 0 when maxSurge is 0"


def _workload(spec: Manifest) -> Faults:
    for key in ("replicas", "minReadySeconds", "revisionHistoryLimit"):
        number = whole(spec.get(key))
        if number is not None and number < 0:
            yield f"spec.{key}: {number}: must be greater than or equal to 0"
    labels = texts(at(spec, ("template", "metadata", "labels")))
    if not matches(mapping(spec.get("selector")), labels):
        yield "spec.template.metadata.labels: the selector does not match them"


def _stateful_set(manifest: Manifest) -> Faults:
    spec = mapping(manifest.get("spec"))
    yield from _workload(spec)
    rolling = mapping(at(spec, ("updateStrategy", "rollingUpdate")))
    field = "spec.updateStrategy.rollingUpdate"
    partition = whole(rolling.get("partition"))
    if partition is not None and partition < 0:
        yield f"{field}.partition: {partition}: must be greater than or equal to 0"
    unavailable = rolling.get("maxUnavailable")
    yield from int_or_percent(unavailable, f"{field}.maxUnavailable", 100)
    if unavailable is not None and _is_zero(unavailable):
        yield f"{field}.maxUnavailable: cannot be 0"


def _daemon_set(manifest: Manifest) -> Faults:
    spec = mapping(manifest.get("spec"))
    yield from _workload(spec)
    strategy = mapping(spec.get("updateStrategy"))
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return
    rolling, field = mapping(strategy.get("rollingUpdate")), "spec.updateStrategy.rollingUpdate"
    surge = rolling.get("maxSurge", 0)
    unavailable = rolling.get("maxUnavailable", 1)
    yield from int_or_percent(unavailable, f"{field}.maxUnavailable", 100)
    yield from int_or_percent(surge, f"{field}.maxSurge", 100)
    if _is_zero(surge) and _is_zero(unavailable):
        yield f"{field}.maxUnavailable: cannot be 0 when maxSurge is 0"
    if not _is_zero(surge) and not _is_zero(unavailable):
        yield f"{field}.maxSurge: may not be set when maxUnavailable is not 0"


def _budget(manifest: Manifest) -> Faults:
    spec = mapping(manifest.get("spec"))
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        yield "spec: minAvailable and maxUnavailable cannot be both set"
    yield from int_or_percent(least, "spec.minAvailable", 100)
    yield from int_or_percent(most, "spec.maxUnavailable", 100)
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy not in (None, "AlwaysAllow", "IfHealthyBudget"):
        yield f"spec.unhealthyPodEvictionPolicy: {policy!r}: AlwaysAllow or IfHealthyBudget"


def _pod(manifest: Manifest) -> Faults:
    cost = mapping(at(manifest, ("metadata", "annotations"))).get(COST)
    if cost is None:
        return
    fits = isinstance(cost, str) and _INT32.fullmatch(cost) and -(2**31) <= int(cost) < 2**31
    if not fits:
        yield f"metadata.annotations[{COST}]: {cost!r}: must be a 32bit integer"


def _service(manifest: Manifest) -> Faults:
    preference = at(manifest, ("spec", "trafficDistribution"))
    if preference not in (None, "PreferClose", "PreferSameZone", "PreferSameNode"):
        yield f"spec.trafficDistribution: {preference!r}: not supported"


_JUDGES: Mapping[str, Callable[[Manifest], Faults]] = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "PodDisruptionBudget": _budget,
    "Pod": _pod,
    "Service": _service,
}
