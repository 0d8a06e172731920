"""What the next update of a workload passes through: how few pods are available, and whether it
ends at all.

Without nodes that is arithmetic (``pkg/controller/deployment/util``: surge is rounded up, what may
be unavailable down). Where it depends on room, the simulated scheduler is asked for the first new
pod beside everything that stands, and on few nodes every order of events is explored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from auditor.facts.controllers.rolling import Strategy
from auditor.facts.placement.needed import Needed, least_replicas, needed, rounded
from auditor.facts.serving import serves
from auditor.facts.spare_room import is_exclusive, next_pod, sole_claims
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Gap, Key, Resource, Unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts
    from auditor.facts.placement import Feasible, Pod


@dataclass(frozen=True, slots=True)
class Stuck:
    """How an update ends that does not complete."""

    available: int
    """Pods of the old revision that go on."""
    waiting: int
    """Pods of the new revision without a node."""
    why: str
    certain: bool
    """Whether it always ends so; else it does in some order of events."""
    makers: bool
    """Whether something may add a node then."""


@dataclass(frozen=True, slots=True)
class Update:
    """The next update of a Deployment."""

    workload: Workload
    strategy: Strategy
    needed: Needed
    lowest: int
    """The fewest pods that are available at any moment."""
    stuck: Stuck | None = None


@dataclass(slots=True)
class Updates:
    """The updates of a snapshot. Not frozen: it remembers them, and what has room where."""

    facts: Facts
    _known: dict[Key, Update | None] = field(default_factory=dict)

    def of(self, deployment: Workload) -> Update | None:
        """None where there is nothing to update, or the API server refuses the strategy."""
        key = deployment.ref.key
        if key not in self._known:
            self._known[key] = self._update(deployment)
        return self._known[key]

    def _update(self, deployment: Workload) -> Update | None:
        replicas = least_replicas(self.facts, deployment)
        if deployment.resource.origin.live and self.facts.standing.live.get(deployment.ref.key):
            replicas = deployment.replicas  # those that there are, not the fewest that there may be
        strategy = strategy_of(deployment, replicas)
        if strategy is None or not replicas:
            return None
        count = needed(self.facts, deployment)
        lowest = 0 if strategy.recreate else strategy.least
        stuck = _stuck(self.facts, deployment, strategy) if _waits(strategy) else None
        return Update(deployment, strategy, count, lowest, stuck)


def strategy_of(deployment: Workload, replicas: int) -> Strategy | None:
    """The strategy with that many replicas; None where the API server refuses it."""
    spec = mapping(deployment.resource.manifest.get("spec"))
    kind, rolling = (at(spec, ("strategy", key)) for key in ("type", "rollingUpdate"))
    if kind not in (None, "RollingUpdate", "Recreate"):
        return None
    said = [mapping(rolling).get(key) for key in ("maxSurge", "maxUnavailable")]
    surge, away = ("25%" if each is None else each for each in said)
    more, less = rounded(surge, replicas, up=True), rounded(away, replicas, up=False)
    if more is None or less is None or _both_zero(surge, away):
        return None
    if kind == "Recreate":
        return Strategy(replicas, recreate=True, surge=0, unavailable=0, paused=False)
    less = 1 if not more and not less else min(less, replicas)
    paused = spec.get("paused") is True
    return Strategy(replicas, recreate=False, surge=more, unavailable=less, paused=paused)


def _both_zero(*values: Any) -> bool:
    return all(value == 0 or (isinstance(value, str) and not value.strip("0%")) for value in values)


def _waits(strategy: Strategy) -> bool:
    """Whether old pods go only once a new one found room beside them."""
    return not strategy.recreate and not strategy.unavailable and strategy.surge > 0


def _stuck(facts: Facts, deployment: Workload, strategy: Strategy) -> Stuck | None:
    pod = next_pod(deployment)
    room = None if pod is None else _room(facts, pod)
    if pod is None or room is None or not _all_there(facts, deployment, strategy.replicas):
        return None
    waiting = min(strategy.surge, strategy.replicas)
    stuck = Stuck(strategy.replicas, waiting, room.why, certain=True, makers=facts.room.grows)
    explored = _explored(facts, deployment, strategy) if is_exclusive(pod) else None
    if explored is None:
        return None if room.nodes else stuck
    if "stuck" not in explored.ends:
        return None
    return replace(stuck, why=explored.why, certain=explored.ends == ("stuck",))


def _room(facts: Facts, pod: Pod) -> Feasible | None:
    """The nodes for one more pod; None, and said once, where that cannot be told. Without nodes it
    matters only where pods of the workload keep each other away.
    """
    if not facts.topology.nodes:
        if is_exclusive(pod):
            _open(facts, "no Node objects are given")
        return None
    found = facts.room.asked(pod)
    if found is None:
        _open(facts, "some pods ask for what is not modelled, or not given")
    return found


def _all_there(facts: Facts, deployment: Workload, replicas: int) -> bool:
    """Whether the pods of today have all found a node: else it is not the update that is stuck."""
    placed = facts.standing.placed().get(deployment.ref.key, ())
    return len(placed) >= min(replicas, deployment.replicas)


def _open(facts: Facts, why: str) -> None:
    """Say once that it cannot be told where new pods go."""
    facts.unknown(Gap("whether updates find room for their new pods", why, Unseen.UNKNOWN))


def _explored(facts: Facts, deployment: Workload, strategy: Strategy) -> Any:
    from auditor.facts.controllers.own_update import MOST_NODES, own_update

    if len(facts.topology.nodes) > MOST_NODES:
        return None
    template = {
        "labels": dict(deployment.labels),
        "namespace": deployment.ref.namespace,
        "spec": deployment.pod,
    }
    nodes = [node.manifest for node in facts.snapshot.of_kind("Node")]
    placed = facts.standing.placed().items()
    others = [pod for key, pods in placed if key != deployment.ref.key for pod in pods]
    found = own_update(template, strategy, nodes, others)
    return found if found and found.whole else None


def updating(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `update` of a Deployment or a StatefulSet: what its next update passes through; None
    of anything else, and where there is nothing to update.
    """
    if (workload.ref.group, workload.ref.kind) == ("apps", "StatefulSet"):
        return _one_after_the_other(facts, workload)
    if (workload.ref.group, workload.ref.kind) != ("apps", "Deployment"):
        return None
    update = facts.updates.of(workload)
    if update is None:
        return None
    strategy, stuck = update.strategy, update.stuck
    return {
        "replicas": strategy.replicas,
        "recreate": strategy.recreate,
        "surge": strategy.surge,
        "unavailable": strategy.unavailable,
        "lowest": update.lowest,
        "needed": update.needed.count,
        "needed_why": update.needed.why,
        "served": serves(facts, workload),
        "exclusive": [*_exclusive(facts, workload)],
        "held": [*_held(facts, workload)],
        "stuck": _told(stuck) if stuck else None,
        "steps": _steps(facts, update),
        "path": _written(workload.resource, ("spec", "strategy", "rollingUpdate")),
    }


def _one_after_the_other(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """Of a StatefulSet: a pod goes before the next one comes, whatever there is room for. With
    OnDelete it is a person who says when.
    """
    strategy = ("spec", "updateStrategy")
    replicas = least_replicas(facts, workload)
    if not replicas or at(workload.resource.manifest, (*strategy, "type")) == "OnDelete":
        return None
    count = needed(facts, workload)
    return {
        "replicas": replicas,
        "recreate": False,
        "surge": 0,
        "unavailable": 1,
        "lowest": replicas - 1,
        "needed": count.count,
        "needed_why": count.why,
        "served": serves(facts, workload),
        "exclusive": [],
        "held": [],
        "stuck": None,
        "steps": [],
        "path": _written(workload.resource, ("spec", "replicas")),
    }


def _told(stuck: Stuck) -> dict[str, Any]:
    return {
        "available": stuck.available,
        "waiting": stuck.waiting,
        "why": stuck.why,
        "certain": stuck.certain,
        "makers": stuck.makers,
    }


def _held(facts: Facts, workload: Workload) -> Iterator[dict[str, Any]]:
    """The volumes that the old pod surely keeps from the new one, unless both are on one node."""
    for name, index, alone in sole_claims(facts, workload, sure=True):
        yield {"name": name, "index": index, "who": "one pod" if alone else "one node"}


def _exclusive(facts: Facts, workload: Workload) -> Iterator[str]:
    """What of a pod cannot be there twice at once, as far as manifests tell."""
    pod = next_pod(workload)
    if pod and pod.shape.ports:
        yield f"port {pod.shape.ports[0].port} of its node"
    yield from (f"volume '{name}'" for name, *_ in sole_claims(facts, workload, sure=False))


def _steps(facts: Facts, update: Update) -> list[dict[str, Any]]:
    """The strategy that mends what is wrong, as steps of a patch; none where there is none whose
    conditions hold: enough replicas are left, and a new pod has room beside the old.
    """
    if update.stuck:
        return _one_by_one(update)
    if update.lowest < update.needed.count and not update.strategy.recreate:
        return _keeping(facts, update)
    return []


def _one_by_one(update: Update) -> list[dict[str, Any]]:
    """An old pod leaves first, and a new one takes its place."""
    replicas, count = update.strategy.replicas, update.needed.count
    if replicas < 2 or replicas - 1 < count:
        return []
    return _rolling(update.workload, maxSurge=0, maxUnavailable=1)


def _keeping(facts: Facts, update: Update) -> list[dict[str, Any]]:
    """No more leave than can be spared."""
    spare = update.strategy.replicas - update.needed.count
    if spare > 0:
        return _rolling(update.workload, maxUnavailable=spare)
    pod = next_pod(update.workload)
    unsure = pod is None or is_exclusive(pod) or any(_exclusive(facts, update.workload))
    if spare < 0 or unsure or pod is None:
        return []
    if facts.topology.nodes and facts.room.refused(pod) is not None:
        return []
    more = {} if update.strategy.surge else {"maxSurge": 1}
    return _rolling(update.workload, maxUnavailable=0, **more)


def _rolling(workload: Workload, **values: int) -> list[dict[str, Any]]:
    way = ("spec", "strategy", "rollingUpdate")
    steps = []
    for key, value in values.items():
        path = (*way, key)
        if at(workload.resource.manifest, path) != value:
            steps.append({"op": "add", "path": path, "value": value})
    return steps


def _written(resource: Resource, path: Sequence[str]) -> tuple[str, ...]:
    """As much of a path as is written."""
    while path and at(resource.manifest, tuple(path)) is None:
        path = path[:-1]
    return tuple(path)
