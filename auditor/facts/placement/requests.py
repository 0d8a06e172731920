"""What a pod asks of a node: CPU, memory and whatever else can be counted.

Rules: k8s.io/component-helpers resource/helpers.go (PodRequests), the defaults of
pkg/apis/core/v1/defaults.go, and NodeInfo of the scheduler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from auditor.facts.placement.quantities import MILLI, UNIT, QuantityError, milli, parse, units
from auditor.facts.wording import dotted, text
from auditor.manifests import mapping, sequence
from auditor.model import Manifest, Path
from auditor.values import dataclass

CPU, MEMORY = "cpu", "memory"
ASSUMED = {CPU: 100 * MILLI, MEMORY: 200 * 2**20 * UNIT}
"""What the scheduler assumes, for scores alone, of a container that asks for none."""

Amounts = dict[str, int]
"""Resources in nano units."""
_Read = Callable[[Manifest], Amounts]


@dataclass(frozen=True, slots=True)
class Requests:
    """What one pod asks for: CPU in thousandths, all else in whole units."""

    amounts: Mapping[str, int] = field(default_factory=dict)
    """By resource, less those of which it asks for none."""
    assumed_cpu: int = 0
    """For scores: CPU with what is assumed of containers that ask for none."""
    assumed_memory: int = 0


def read_amounts(value: Any, path: Path) -> Amounts:
    """A list of resources, in nano units.

    Raises:
        QuantityError: a quantity is none, or negative. Its text says where.
    """
    where = dotted(path)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise QuantityError(f"{where} is no list of resources")
    found: Amounts = {}
    for name, quantity in value.items():
        try:
            found[text(name)] = parse(quantity)
        except QuantityError as error:
            raise QuantityError(f"{where}.{text(name)}: {error}") from error
        if found[text(name)] < 0:
            raise QuantityError(f"{where}.{text(name)}: '{quantity}' is below zero")
    return found


def counted(amounts: Mapping[str, int]) -> Mapping[str, int]:
    """`amounts` as the scheduler counts them, less resources that it does not know."""
    return {
        name: milli(nano) if name == CPU else units(nano)
        for name, nano in amounts.items()
        if name in (CPU, MEMORY, "ephemeral-storage", "pods") or _is_scalar(name)
    }


def _is_scalar(name: str) -> bool:
    """Extended resources, huge pages and attachable volumes."""
    named = "/" in name and not name.startswith("requests.")
    return named or name.startswith(("hugepages-", "attachable-volumes-"))


def read_requests(spec: Manifest, status: Manifest) -> Requests:
    """What the pod with this specification asks for. A running pod that is being resized holds
    the most of what is asked, granted and in use.

    Raises:
        QuantityError: a quantity, or a list around it, that the API server would refuse.
    """
    views = _views(spec, status)
    level = _pod_level(spec)
    overhead = read_amounts(spec.get("overhead"), ("spec", "overhead"))
    plain = _plus(_most(_sum(view, {}) for view in views) | level, overhead)
    missing = {k: v for k, v in ASSUMED.items() if not level or not plain.get(k)}
    scored = _plus(_most(_sum(view, missing) for view in views) | level, overhead)
    asked = counted(plain)
    return Requests(
        {name: amount for name, amount in asked.items() if amount and name != "pods"},
        milli(scored.get(CPU, 0)),
        units(scored.get(MEMORY, 0)),
    )


def _pod_level(spec: Manifest) -> Amounts:
    """Requests of the pod as a whole, with the API server's defaults: what the containers ask
    for where only a limit is given, or else that limit.
    """
    own = _resources(spec, "spec.resources")
    found = read_amounts(own.get("requests"), ("spec", "resources", "requests"))
    limits = read_amounts(own.get("limits"), ("spec", "resources", "limits"))
    if limits:
        inner = _sum(_view(spec, _asked), {})
        found = {k: v for k, v in inner.items() if not k.startswith("hugepages-")} | found
    return {name: v for name, v in (limits | found).items() if _is_pod_level(name)}


def _is_pod_level(name: str) -> bool:
    return name in (CPU, MEMORY) or name.startswith("hugepages-")


@dataclass(frozen=True, slots=True)
class _View:
    """What each container has, seen in one way: what is asked, granted or in use."""

    containers: tuple[Amounts, ...]
    starting: tuple[tuple[bool, Amounts], ...]
    """Init containers in order, each with whether it stays as a sidecar."""


def _views(spec: Manifest, status: Manifest) -> tuple[_View, ...]:
    asked = _view(spec, _asked)
    states = _states(status)
    if not states:
        return (asked,)
    infeasible = _is_infeasible(status)
    granted = _view(spec, _from_status(states, ("allocatedResources",), infeasible))
    used = _view(spec, _from_status(states, ("resources", "allocatedResources"), infeasible))
    return (granted, used) if infeasible else (asked, granted, used)


def _view(spec: Manifest, read: _Read) -> _View:
    starting = _listed(spec, "initContainers")
    return _View(
        tuple(read(container) for container in _listed(spec, "containers")),
        tuple((c.get("restartPolicy") == "Always", read(c)) for c in starting),
    )


def _sum(view: _View, assumed: Amounts) -> Amounts:
    """Containers and sidecars together, or the neediest moment of the start, whichever is more.
    While an init container runs, the sidecars before it run too.
    """
    total: Amounts = {}
    for amounts in view.containers:
        total = _plus(total, assumed | amounts)
    sidecars: Amounts = {}
    start: Amounts = {}
    for stays, amounts in view.starting:
        own = assumed | amounts
        now = _plus(sidecars, own)
        start = _most((start, now))
        if stays:
            total, sidecars = _plus(total, own), now
    return _most((total, start))


def _listed(spec: Manifest, name: str) -> list[Manifest]:
    found = spec.get(name) or []
    if not isinstance(found, list) or not all(isinstance(c, Mapping) for c in found):
        raise QuantityError(f"spec.{name} is no list of containers")
    return found


def _plus(one: Mapping[str, int], other: Mapping[str, int]) -> Amounts:
    return {**one, **{name: one.get(name, 0) + amount for name, amount in other.items()}}


def _most(lists: Iterable[Mapping[str, int]]) -> Amounts:
    found: Amounts = {}
    for amounts in lists:
        for name, amount in amounts.items():
            found[name] = max(found.get(name, 0), amount)
    return found


def _asked(container: Manifest) -> Amounts:
    """The requests of a container; a limit counts as one where no request is written."""
    where = ("container", text(container.get("name")), "resources")
    resources = _resources(container, dotted(where))
    limits = read_amounts(resources.get("limits"), (*where, "limits"))
    return limits | read_amounts(resources.get("requests"), (*where, "requests"))


def _resources(owner: Manifest, where: str) -> Manifest:
    found = owner.get("resources") or {}
    if not isinstance(found, Mapping):
        raise QuantityError(f"{where} is no list of resources")
    return found


def _states(status: Manifest) -> Mapping[Any, Manifest]:
    """The states of containers that tell of resources, by the container's name."""
    return {
        text(state.get("name")): state
        for state in _all_states(status)
        if state.get("allocatedResources") or mapping(state.get("resources")).get("requests")
    }


def _all_states(status: Manifest) -> Iterator[Manifest]:
    for key in ("containerStatuses", "initContainerStatuses"):
        yield from map(mapping, sequence(status.get(key)))


def _from_status(
    states: Mapping[str, Manifest], fields: tuple[str, ...], infeasible: bool
) -> _Read:
    """What the first of the fields says of a container, else what it asks for."""

    def read(container: Manifest) -> Amounts:
        state = mapping(states.get(text(container.get("name"))))
        for name in fields:
            told = state.get(name)
            told = mapping(told).get("requests") if name == "resources" else told
            if told is not None:
                return read_amounts(told, ("status", name))
        return {} if infeasible else _asked(container)

    return read


def _is_infeasible(status: Manifest) -> bool:
    for condition in map(mapping, sequence(status.get("conditions"))):
        if condition.get("type") == "PodResizePending":
            return condition.get("reason") == "Infeasible"
    return False
