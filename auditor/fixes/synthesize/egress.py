"""NetworkPolicies that let out what a workload is known to ask, and name resolution.

Semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.facts import Facts
from auditor.facts.cut_off import CACHE, NAME_SERVERS
from auditor.facts.data.stores import declaring, kept_by_operators, outside
from auditor.facts.dependencies.observed import strays
from auditor.facts.network import PortSet
from auditor.facts.selectors import METADATA_NAME, Truth
from auditor.facts.workloads import Workload
from auditor.fixes.needs import has_peers, is_sure, is_wanted, served
from auditor.fixes.operations import created
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import Labels
from auditor.fixes.synthesize.network import peers, policy_of, ports_of
from auditor.fixes.synthesize.subject import workload_of
from auditor.model import Change, Finding, Key

Rule = dict[str, Any]

CACHE_ADDRESS = "169.254.20.10/32"
"""Where pods find a cache of names on their own node:
https://kubernetes.io/docs/tasks/administer-cluster/nodelocaldns/"""

ISTIOD = ("app", "istiod")
XDS = 15012
"""Where sidecars get their certificates and rules:
https://istio.io/latest/docs/ops/deployment/application-requirements/#ports-used-by-istio"""


def contain(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A NetworkPolicy that lets the workload out to name servers and to whom it is known to ask:
    by its configuration, by a declaration, or since it was seen to.

    Raises:
        CannotBuildError: other policies let it out already (a new policy can only admit more), or
            it asks somebody whom no NetworkPolicy can name.
    """
    source = workload_of(facts, finding)
    if facts.network.isolating(source, "Egress"):
        raise CannotBuildError("other NetworkPolicies let it out; one more cannot take that back")
    labels = Labels(facts)
    rules = [_names(facts), *_known(facts, source, labels), *_stores(facts, source)]
    if has_sidecar(facts, source):
        rules.append(_control_plane(facts))
    policy = policy_of(facts, source, labels.of(source), rules, ("Egress", "asks"))
    return (*labels.added.values(), created(policy, source.resource))


def _names(facts: Facts) -> Rule:
    """Name servers where they usually are; no other pods of their namespace."""
    here = [one for one in NAME_SERVERS if one[0] in facts.namespaces] or NAME_SERVERS[:1]
    to = [_pods(space, key, value) for space, key, value, _ in here]
    if any(_is_cache(workload) for workload in facts.workloads):
        to.append({"ipBlock": {"cidr": CACHE_ADDRESS}})
    numbers = sorted({number for *_, ports in here for number in ports})
    asked = [{"protocol": p, "port": number} for number in numbers for p in ("UDP", "TCP")]
    return {"to": to, "ports": asked}


def _is_cache(workload: Workload) -> bool:
    space, key, value = CACHE
    return workload.ref.namespace == space and workload.labels.get(key) == value


def _pods(namespace: str, key: str, value: str) -> Rule:
    return {
        "namespaceSelector": {"matchLabels": {METADATA_NAME: namespace}},
        "podSelector": {"matchLabels": {key: value}},
    }


def has_sidecar(facts: Facts, source: Workload) -> bool:
    """Whether its pods have one, or may and there is a mesh."""
    sidecar = facts.network.mesh.capture(source).sidecar
    return sidecar is Truth.YES or (sidecar is Truth.MAYBE and facts.network.mesh.present)


def _control_plane(facts: Facts) -> Rule:
    to = [_pods(facts.network.mesh.settings.root, *ISTIOD)]
    return {"to": to, "ports": [{"protocol": "TCP", "port": XDS}]}


def _known(facts: Facts, source: Workload, labels: Labels) -> Iterator[Rule]:
    """A rule for each workload that it asks and has a right to."""
    for target, ports in _asked(facts, source).values():
        yield _rule(source, target, ports, labels)
    if has_peers(source):
        yield _rule(source, source, served(facts, source), labels)


def _asked(facts: Facts, source: Workload) -> dict[Key, tuple[Workload, PortSet]]:
    found: dict[Key, tuple[Workload, PortSet]] = {}
    for edge in facts.graph.of(source):
        target = edge.target
        if target.ref == source.ref or not is_sure(edge) or not is_wanted(facts, source, target):
            continue
        ports = edge.ports or served(facts, target)
        known = found.get(target.ref.key, (target, PortSet.NONE))[1]
        found[target.ref.key] = target, known | ports
    return found


def _rule(source: Workload, target: Workload, ports: PortSet, labels: Labels) -> Rule:
    """Ports by number: a name would mean whatever port of any pod has it."""
    rule: Rule = {"to": peers(source, (target,), labels)}
    if ports:
        rule["ports"] = ports_of(target, ports, named=False)
    return rule


def _stores(facts: Facts, source: Workload) -> Iterator[Rule]:
    """A rule for each declared store outside of the cluster.

    Raises:
        CannotBuildError: it asks somebody who has no addresses here.
    """
    for database, _, _ in kept_by_operators(facts, source):
        raise CannotBuildError(
            f"it asks {database.ref}, whose pods its operator makes, with labels that are not"
            " known here: write the rule for them by hand"
        )
    for asked in outside(facts, source):
        store = declaring(facts.settings.data.external, asked)
        if store is None or not store.cidrs:
            raise CannotBuildError(
                f"it asks {asked.host}, and a NetworkPolicy knows addresses alone: declare the"
                " store with its addresses (`data.external`)"
            )
        rule: Rule = {"to": [{"ipBlock": {"cidr": cidr}} for cidr in store.cidrs]}
        if asked.port:
            rule["ports"] = [{"protocol": "TCP", "port": asked.port}]
        yield rule
    for flow in strays(facts, source):
        raise CannotBuildError(
            f"it was seen to ask {flow.target}, which is nothing that is here: say first what it is"
        )
