"""NetworkPolicies that admit the declared clients, and rules narrowed to a health API.

Semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any

from auditor.facts import Facts
from auditor.facts.data import CLIENTS
from auditor.facts.exposure import clients_of
from auditor.facts.network import PortSet
from auditor.facts.network.points import runtime_labels
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.oversight import overreaches
from auditor.facts.workloads import Workload, container_ports
from auditor.fixes.operations import created, patched
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Change, Finding, Operation, Path, Ref, Resource

LONGEST_NAME = 253


def isolate(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A NetworkPolicy that admits the clients of the workload to what it serves, and monitors to
    its health API.

    Raises:
        CannotBuildError: no client of the workload is declared, its pods have no labels, or other
            policies already admit somebody (a new policy can only admit more).
    """
    target = _workload(facts, finding)
    if facts.network.isolating(target, "Ingress"):
        raise CannotBuildError("other NetworkPolicies admit them; one more cannot take that back")
    clients = clients_of(facts, target)
    if not clients:
        raise CannotBuildError(f"no client is declared (annotation {CLIENTS}) that is here")
    rules = [_rule(target, clients, _served(facts, target, clients))]
    health = facts.data.health_ports(target)
    watching = [m for m in facts.monitors if m.ref.key not in {c.ref.key for c in clients}]
    if health and watching:
        rules.append(_rule(target, watching, _ports(target, PortSet.of("TCP", *health))))
    return (created(_policy(facts, target, rules), target.resource),)


def _workload(facts: Facts, finding: Finding) -> Workload:
    found = facts.by_key.get(finding.ref.key)
    if found is None:
        raise CannotBuildError(f"{finding.ref} is no workload")
    return found


def _free(facts: Facts, namespace: str, name: str) -> Ref:
    """A name that no NetworkPolicy has: another one's rules must not be written over."""
    for number in count(1):
        ending = "-clients" if number == 1 else f"-clients-{number}"
        ref = Ref(
            "networking.k8s.io/v1",
            "NetworkPolicy",
            namespace,
            name[: LONGEST_NAME - len(ending)] + ending,
        )
        if facts.snapshot.find(ref) is None:
            break
    return ref


def _policy(facts: Facts, target: Workload, rules: list[dict[str, Any]]) -> Resource:
    ref = _free(facts, target.ref.namespace, target.ref.name)
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": ref.name, "namespace": ref.namespace},
        "spec": {
            "podSelector": {"matchLabels": _selecting(target)},
            "policyTypes": ["Ingress"],
            "ingress": rules,
        },
    }
    return Resource(ref, manifest, target.resource.origin)


def _rule(
    target: Workload, clients: Iterable[Workload], ports: list[dict[str, Any]]
) -> dict[str, Any]:
    rule: dict[str, Any] = {"from": [_peer(target, client) for client in clients]}
    if ports:
        rule["ports"] = ports
    return rule


def _peer(target: Workload, client: Workload) -> dict[str, Any]:
    peer: dict[str, Any] = {"podSelector": {"matchLabels": _selecting(client)}}
    if client.ref.namespace != target.ref.namespace:
        name = {"kubernetes.io/metadata.name": client.ref.namespace}
        peer = {"namespaceSelector": {"matchLabels": name}, **peer}
    return peer


def _selecting(workload: Workload) -> dict[str, str]:
    """The labels that mean this workload: those of its own selector, else those of its pods, less
    those that its controller writes at run time.
    """
    chosen = texts(at(workload.resource.manifest, ("spec", "selector", "matchLabels")))
    passing = {"pod-template-hash", *runtime_labels(workload)}
    for labels in (chosen, workload.labels):
        lasting = {key: value for key, value in labels.items() if key not in passing}
        if lasting:
            return lasting
    raise CannotBuildError(f"the pods of {workload.name} have no labels to select them by")


def _served(facts: Facts, target: Workload, clients: Sequence[Workload]) -> list[dict[str, Any]]:
    """The ports of the target that its clients ask: those that their configuration names. Where
    that of one of them names none, those that the containers and Services name, less the health
    API; every port where nothing is known. What others name counts for nothing.
    """
    needed = listening = PortSet.NONE
    asking = {client.ref.key for client in clients}
    silent = set(asking)
    for edge in facts.dependencies:
        if edge.target.ref == target.ref and edge.client.ref.key in asking:
            needed |= edge.ports
            silent.discard(edge.client.ref.key)
    for each in facts.network.listening(target):
        listening |= PortSet.of(each.protocol, each.port)
    health = PortSet.of("TCP", *facts.data.health_ports(target))
    if needed and not silent:
        return _ports(target, needed)
    return _ports(target, (needed | listening - health) or listening)


def _ports(target: Workload, ports: PortSet) -> list[dict[str, Any]]:
    """Ports of a rule, by name where exactly one container port has that number and name."""
    return [
        {"protocol": protocol, "port": _port_name(target, protocol, number)}
        for protocol in PROTOCOLS
        for number in ports.numbers(protocol)
    ]


def _port_name(target: Workload, protocol: str, number: int) -> str | int:
    declared = [(p, name, n) for n, p, name, _ in container_ports(target)]
    names = {name for p, name, n in declared if (p, n) == (protocol, number)}
    name = names.pop() if len(names) == 1 else ""
    return name if name and [called for _, called, _ in declared].count(name) == 1 else number


def narrow(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """The rules that admit the monitor to more than the health API, with the ports of that API.

    Raises:
        CannotBuildError: no single rule admits the monitor, or such a rule admits others too.
    """
    monitor = _workload(facts, finding)
    for one in overreaches(facts, monitor):
        if one.target.name == finding.anchor:
            break
    else:
        raise CannotBuildError("the monitor no longer reaches more than the health API")
    if not one.rules:
        raise CannotBuildError(f"nothing isolates {one.target.name}: isolate it first")
    ports = _ports(one.target, PortSet.of("TCP", *one.health))
    steps: dict[Ref, list[Operation]] = {}
    policies: dict[Ref, Resource] = {}
    for rule in one.rules:
        if not _admits_monitors_alone(facts, rule.policy, rule.path):
            raise CannotBuildError(
                f"{rule.policy.ref} admits others by the same rule: split the rule first"
            )
        op = "add" if rule.whole else "replace"
        policies[rule.policy.ref] = rule.policy
        steps.setdefault(rule.policy.ref, []).append(Operation(op, (*rule.path, "ports"), ports))
    return tuple(patched(policies[ref], *operations) for ref, operations in steps.items())


def _admits_monitors_alone(facts: Facts, policy: Resource, path: Path) -> bool:
    """Whether the rule at `path` admits pods by their labels, and of the workloads we know none
    but monitors.
    """
    peers = [mapping(peer) for peer in sequence(at(policy.manifest, (*path, "from")))]
    if not peers or any(peer.get("ipBlock") is not None for peer in peers):
        return False
    monitors = {monitor.ref.key for monitor in facts.monitors}
    net = facts.network
    selected = [
        w for w in facts.workloads if policy.ref in net.isolating(w, "Ingress", possibly=True)
    ]
    return not any(
        rule.policy.ref == policy.ref and rule.path == path
        for target in selected
        for peer in facts.workloads
        if peer.ref.key not in monitors
        for rule in net.admitting_rules(peer, target)
    )
