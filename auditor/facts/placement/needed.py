"""How many replicas a workload needs to do its work: what "available" means in every sentence
about updates, drains and losses.

The first of these that tells: what somebody declares (``auditor/needs``); the load that its
autoscaler reckons with; the majority of a system of consensus; what its own rollout keeps; one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.facts.data.written import NEEDS, declared
from auditor.facts.monitors.known import runs
from auditor.facts.placement.autoscaled import Scaler
from auditor.facts.wording import said
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Gap, Unseen
from auditor.values import Word, dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

MOST = 100_000

CONSENSUS_IMAGES = (
    "etcd", "zookeeper", "consul", "vault", "nats", "kafka", "redpanda", "rqlite", "pd", "mongo",
    "mongodb", "cockroach",
)  # fmt: skip
"""What elects a leader by majority; a StatefulSet of one of these is its members."""


class Rule(Word):
    """What decided."""

    DECLARED = "declared"
    LOAD = "load"
    QUORUM = "quorum"
    ROLLOUT = "rollout"
    ONE = "one"


@dataclass(frozen=True, slots=True)
class Needed:
    """How many replicas are needed, and who says so."""

    count: int
    rule: Rule
    why: str
    """As it follows "needs 2, ": ``as its annotation auditor/needs says``."""


def needed(facts: Facts, workload: Workload) -> Needed:
    """How many replicas `workload` needs, of those that it has at least. Source of the order:
    what is said beats what is measured, and that what is implied.
    """
    return next(_answers(facts, workload))


def least_replicas(facts: Facts, workload: Workload) -> int:
    """How many replicas it may have at the least: what its autoscaler goes down to."""
    scaler = facts.scalers.get(workload.ref.key)
    return scaler.bounds(workload.replicas)[0] if scaler else workload.replicas


def _answers(facts: Facts, workload: Workload) -> Iterator[Needed]:
    yield from _declared(facts, workload)
    scaler = facts.scalers.get(workload.ref.key)
    if scaler:
        yield from _by_load(scaler)
    replicas = least_replicas(facts, workload)
    if replicas > 1 and is_consensus(workload):
        count = replicas // 2 + 1
        yield Needed(count, Rule.QUORUM, f"a majority of its {replicas} members")
    yield from _by_rollout(workload, replicas)
    yield Needed(1, Rule.ONE, "as nothing says how many it needs")


def _declared(facts: Facts, workload: Workload) -> Iterator[Needed]:
    found = declared(workload, NEEDS)
    if found is None:
        return
    if found.value.isascii() and found.value.isdigit() and len(found.value) <= len(str(MOST)):
        yield Needed(int(found.value), Rule.DECLARED, f"as {NEEDS} says")
        return
    what = f"how many replicas {workload.name} needs"
    why = f"{NEEDS} is {said(found.value)}, which is no number of replicas"
    facts.unknown(Gap(what, why, Unseen.INCOMPLETE, ref=found.ref))


def _by_load(scaler: Scaler) -> Iterator[Needed]:
    """An HPA keeps desired = load / target, so that at full use load = desired · target suffice
    (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details).
    At its minimum the load may be anything below.
    """
    replicas, target = scaler.desired, scaler.utilisation
    if target and replicas is not None and replicas > scaler.least:
        count = max(1, min(replicas, -(-replicas * target // 100)))
        why = f"as its autoscaler keeps {replicas} at {target}% of their CPU"
        yield Needed(count, Rule.LOAD, why)


def is_consensus(workload: Workload) -> bool:
    """Whether its pods are the members of a system that decides by majority."""
    return workload.ref.kind == "StatefulSet" and any(
        runs(container, CONSENSUS_IMAGES)
        for container in workload.containers
        if container.list == "containers"
    )


def _by_rollout(workload: Workload, replicas: int) -> Iterator[Needed]:
    """What its strategy keeps while it is updated; one that keeps none says nothing. Where it
    keeps all, one less: if all of several replicas were needed, none would be there to spare.
    """
    kept = _kept(workload, replicas)
    if 0 < kept < replicas or replicas == kept == 1:
        yield Needed(kept, Rule.ROLLOUT, f"as its own updates keep {kept} of {replicas}")
    elif kept > 0:
        yield Needed(kept - 1, Rule.ROLLOUT, f"all of its {replicas} replicas but one")


def _kept(workload: Workload, replicas: int) -> int:
    spec = mapping(workload.resource.manifest.get("spec"))
    if workload.ref.kind == "StatefulSet":
        return replicas - 1
    if workload.ref.kind != "Deployment" or at(spec, ("strategy", "type")) == "Recreate":
        return 0
    most = at(spec, ("strategy", "rollingUpdate", "maxUnavailable"))
    away = rounded("25%" if most is None else most, replicas, up=False)
    return 0 if away is None else replicas - min(away, replicas)


def rounded(value: object, replicas: int, *, up: bool) -> int | None:
    """A count, or a share in per cent of `replicas`, as the API has them; None where it is none."""
    if type(value) is int:
        return value if value >= 0 else None
    if not isinstance(value, str) or not value.endswith("%"):
        return None
    digits = value[:-1]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        return None
    share = int(digits) * replicas
    return -(-share // 100) if up else share // 100
