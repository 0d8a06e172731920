"""What NetworkPolicies isolate in a namespace, and what they leave open.

Sidecars have no part in it: they judge what has come into the pod already, and TCP alone.

Policies of another make that is not read (Cilium's, Calico's …) may isolate as well: where one may
hold for a pod, or for whatever pod comes to a namespace, nothing is told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from auditor.facts.network import Stranger
from auditor.facts.network.answers import Direction
from auditor.facts.network.policies import NetPolicy, PolicyRule
from auditor.facts.workloads import Workload
from auditor.model import Ref, Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

ANYBODY = Stranger("", {})

SHOWN = 3
"""How many workloads are named."""


def isolation(facts: Facts, workload: Workload) -> Told | None:
    """The fact `isolation` for policies: whether NetworkPolicies isolate the pods of a workload on
    their way in and out, or may; None where they do both, where policies of another make may as
    well, and for pods on the network of their node, which policies leave alone.
    """
    if workload.pod.get("hostNetwork") is True or facts.keeper.other_holds(workload):
        return None
    ingress, egress = _is_closed(facts, workload, "Ingress"), _is_closed(facts, workload, "Egress")
    return None if ingress and egress else {"ingress": ingress, "egress": egress}


def namespace_isolation(facts: Facts, namespace: Resource) -> Told | None:
    """The fact `namespace_isolation` for policies, about one namespace:

    - ``policies``: how many NetworkPolicies there are;
    - ``every_pod``: in which directions one of them isolates whatever pod comes;
    - ``open``: how many workloads accept all traffic, with the names of the first.

    None where policies of another make may isolate it. Costs one question for each workload.
    """
    name = namespace.ref.name
    workloads = facts.keeper.cast.in_namespace(name)
    if facts.keeper.others_in(name) or any(map(facts.keeper.other_holds, workloads)):
        return None
    here = facts.keeper.policies_in(name)
    accept = [workload for workload in workloads if not _is_closed(facts, workload, "Ingress")]
    return {
        "policies": len(here),
        "every_pod": [way for way in ("Ingress", "Egress") if _isolates_every_pod(here, way)],
        "workloads": len(workloads),
        "open": len(accept),
        "names": [workload.ref.name for workload in accept[:SHOWN]],
    }


def _is_closed(facts: Facts, workload: Workload, way: Direction) -> bool:
    """Whether a NetworkPolicy isolates it in this direction, or may, or cluster-wide policies keep
    a pod of somebody else from every port.
    """
    if facts.network.isolating(workload, way, possibly=True):
        return True
    if way == "Ingress":
        return not facts.network.allowed(ANYBODY, workload, (way,)).ports
    return not facts.network.allowed(workload, ANYBODY, (way,)).ports


def admitting_all(facts: Facts, namespace: str) -> Iterator[Ref]:
    """The NetworkPolicies that admit everybody to every pod of the namespace, on every port."""
    for policy in facts.keeper.policies_in(namespace):
        if not policy.selector.requirements and _admits_all(policy.rules.get("Ingress", ())):
            yield policy.ref


def _isolates_every_pod(policies: Sequence[NetPolicy], direction: str) -> bool:
    """Whether one of them selects every pod, and does not take that back by admitting everybody."""
    for policy in policies:
        for way, rules in policy.rules.items():
            if way == direction and not policy.selector.requirements and not _admits_all(rules):
                return True
    return False


def _admits_all(rules: Iterable[PolicyRule]) -> bool:
    return any(rule.whole and not rule.peers for rule in rules)
