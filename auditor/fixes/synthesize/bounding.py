"""What bounds a namespace, measured by its own workloads: a LimitRange and a ResourceQuota.

Rules: the admission plugins LimitRanger and ResourceQuota (pkg/quota/v1/evaluator/core/pods.go).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median_low
from typing import Any

from auditor.facts import Facts
from auditor.facts.limits import ASKING, said_of
from auditor.facts.placement.quantities import (
    QuantityError,
    milli,
    parse,
    units,
    written_milli,
    written_units,
)
from auditor.facts.placement.requests import CPU, MEMORY
from auditor.facts.workloads import Container, Workload
from auditor.fixes.operations import created
from auditor.fixes.synthesize.egress import has_sidecar
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.largest import Largest, largest_of
from auditor.fixes.synthesize.unused import made
from auditor.manifests import at, mapping, sequence
from auditor.model import Change, Finding, Manifest, Ref, Resource

HEADROOM = 2
"""A namespace may have so many times what its workloads are at their largest. Pods that are ending
count until they are gone, and of a rollout these are never more than all that there were before: so
one of every workload at the same time fits, however long its old pods take to end."""
BY_EFFORT = ("BestEffort", "NotBestEffort")
"""The scopes of quotas that tell pods without requests from others."""


def give_requests(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A LimitRange that gives containers without requests the lower median of what the lasting
    containers of the namespace ask for, each counted once and not once a replica: an amount that
    one of them really asks for, and that a few large ones do not move. It sets no limits: what is
    beyond them is killed or held back, and nothing here tells where that would begin to hurt.

    Raises:
        CannotBuildError: nobody asks for anything, or the pods of somebody might be refused.
    """
    mine = _workloads(facts, finding)
    _check_known(facts, finding)
    given = {name: amount for name in (CPU, MEMORY) if (amount := _middle(mine, name))}
    if not given:
        raise CannotBuildError(
            f"no container of namespace {finding.ref.name} says what it asks for: how much is to be"
            " given to one that says nothing is yours to say"
        )
    _check_admitted(facts, mine, given)
    limits = [{"type": "Container", "defaultRequest": given}]
    return (_created(facts, mine[0], "LimitRange", "default-requests", {"limits": limits}),)


def bound(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A ResourceQuota of `HEADROOM` times what the workloads of the namespace take when all are at
    their largest and rolled out at once. Of CPU and memory only what every container asks for: of
    others the API server would refuse the pods.

    Raises:
        CannotBuildError: there is nothing to measure by, or it cannot be measured.
    """
    mine = _workloads(facts, finding)
    _check_known(facts, finding)
    _check_untouched(facts, mine)
    largest = [largest_of(facts, workload) for workload in mine]
    pods = sum(each.pods for each in largest)
    if not pods:
        raise CannotBuildError(f"nothing runs in namespace {finding.ref.name} to measure it by")
    hard = {"pods": str(HEADROOM * pods)}
    for name in (CPU, MEMORY):
        if amount := _asked_by_all(largest, name):
            hard[f"requests.{name}"] = _written(name, HEADROOM * amount)
    return (_created(facts, mine[0], "ResourceQuota", "bounds", {"hard": hard}),)


def _check_known(facts: Facts, finding: Finding) -> None:
    if not {finding.ref.name, ""}.isdisjoint(facts.makers):
        raise CannotBuildError("objects of kinds that are not known may make more pods there")


def _check_untouched(facts: Facts, workloads: Sequence[Workload]) -> None:
    """Whether pods are created as their templates say: what something adds to them asks for more,
    and nobody says how much.
    """
    for workload in workloads:
        if has_sidecar(facts, workload):
            raise CannotBuildError(
                f"the pods of {workload.name} get a sidecar, and what that asks for is not known"
            )
    for webhook in facts.snapshot.of_kind("MutatingWebhookConfiguration"):
        if any(map(_changes_pods, _rules(webhook))):
            raise CannotBuildError(f"{webhook.ref} may add to pods, and how much is not known")


def _rules(webhook: Resource) -> Iterator[Manifest]:
    for one in sequence(webhook.manifest.get("webhooks")):
        yield from map(mapping, sequence(mapping(one).get("rules")))


def _changes_pods(rule: Manifest) -> bool:
    """Whether it is called when a pod is created."""
    meant = (("operations", "CREATE"), ("apiGroups", ""), ("resources", "pods"))
    return all({name, "*", "*/*"}.intersection(sequence(rule.get(key))) for key, name in meant)


def _workloads(facts: Facts, finding: Finding) -> Sequence[Workload]:
    """Those of the namespace that the finding is about."""
    if finding.ref.kind != "Namespace":
        raise CannotBuildError(f"{finding.ref} is no namespace")
    name = finding.ref.name
    found = [workload for workload, _ in facts.labelled.get(name, ())]
    found = [workload for workload in found if workload.ref.kind != "PodTemplate"]
    if not found:
        raise CannotBuildError(f"namespace {name} has no workloads to measure it by")
    return found


def _middle(workloads: Sequence[Workload], name: str) -> str:
    """The lower median of what is asked for, as a quantity; empty where nothing is."""
    found = [
        amount
        for workload in workloads
        for container in workload.containers
        if _lasts(container) and (amount := _asked(container.spec, name)) > 0
    ]
    return _written(name, _counted(name, median_low(found))) if found else ""


def _lasts(container: Container) -> bool:
    return container.list == "containers" or container.spec.get("restartPolicy") == "Always"


def _asked(container: Manifest, name: str) -> int:
    """The request of a container in nano units; its limit where it has none."""
    for key in ("requests", "limits"):
        amounts = mapping(at(container, ("resources", key)))
        if name in amounts:
            try:
                return parse(amounts[name])
            except QuantityError:
                return 0
    return 0


def _counted(name: str, nano: int) -> int:
    return milli(nano) if name == CPU else units(nano)


def _written(name: str, amount: int) -> str:
    return written_milli(amount) if name == CPU else written_units(amount)


def _check_admitted(facts: Facts, workloads: Sequence[Workload], given: Mapping[str, str]) -> None:
    """Whether every pod of today would be taken again. What asks for something, or has a limit,
    which counts as the request first, is given nothing: a request is never above a limit.
    """
    lacking = [workload for workload in workloads if any(_lacking(workload, given))]
    for workload in lacking:
        if workload.pod.get("resources"):
            raise CannotBuildError(
                f"the pods of {workload.name} bound all of their containers together: what these"
                " are given might be more"
            )
    for quota in facts.snapshot.of_kind("ResourceQuota") if lacking else ():
        if quota.ref.namespace == lacking[0].ref.namespace and _is_by_effort(quota):
            raise CannotBuildError(f"{quota.ref} counts pods by whether they ask for anything")


def _lacking(workload: Workload, given: Mapping[str, str]) -> Iterator[Container]:
    for container in workload.containers:
        if container.list in ASKING and given.keys() - said_of(container.spec):
            yield container


def _is_by_effort(quota: Resource) -> bool:
    spec = mapping(quota.manifest.get("spec"))
    terms = map(mapping, sequence(at(spec, ("scopeSelector", "matchExpressions"))))
    named = [*sequence(spec.get("scopes")), *(term.get("scopeName") for term in terms)]
    return any(scope in BY_EFFORT for scope in named)


def _asked_by_all(largest: Sequence[Largest], name: str) -> int:
    """What all pods ask for together; 0 where a container does not say."""
    if not all(name in each.said for each in largest):
        return 0
    return sum(each.pods * each.requests.get(name, 0) for each in largest)


def _created(facts: Facts, first: Workload, kind: str, name: str, spec: Any) -> Change:
    """The object, before the first workload: what is given to pods has to be there before them, and
    its namespace before it.
    """
    wanted = Ref("v1", kind, first.ref.namespace, name)
    return created(made(facts.snapshot, wanted, spec, first.resource), first.resource)
