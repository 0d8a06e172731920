"""NetworkPolicies that admit the declared clients, and rules narrowed to a health API.

Semantics: https://kubernetes.io/docs/concepts/services-networking/network-policies/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from auditor.facts import Facts
from auditor.facts.data import CLIENTS
from auditor.facts.exposure import clients_of
from auditor.facts.health import health_of
from auditor.facts.network import Direction, PortSet
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.oversight import overreaches
from auditor.facts.selectors import METADATA_NAME
from auditor.facts.workloads import Workload, container_ports
from auditor.fixes.needs import has_peers, served
from auditor.fixes.operations import created, patched
from auditor.fixes.synthesize.contradictions import check_calls, check_clients, check_monitors
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import Labels
from auditor.fixes.synthesize.mesh import restricted
from auditor.fixes.synthesize.narrowing import without_strangers
from auditor.fixes.synthesize.subject import workload_of
from auditor.fixes.synthesize.unused import made
from auditor.manifests import at, mapping, sequence
from auditor.model import Change, Finding, Operation, Path, Ref, Resource

VERSION = "networking.k8s.io/v1"

Way = tuple[Direction, str]
"""In which direction a policy isolates, and what its rules are about, for its name."""


CLIENTS_IN: Way = ("Ingress", "clients")


def isolate(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A NetworkPolicy that admits the clients of the workload to what it serves, monitors to its
    health API, and the pods of a StatefulSet to each other. Where no labels tell one of these from
    strangers, its pods get one that does; where health shares a port with all else and sidecars
    judge requests, a policy of the mesh for the monitors. Where policies isolate it already, those
    without the rules by which strangers get in.

    Raises:
        CannotBuildError: no client of the workload is declared, its pods have no labels, a rule
            admits strangers and clients alike, or two requirements contradict each other.
    """
    labels = Labels(facts)
    made = isolated(facts, workload_of(facts, finding), labels)
    return (*labels.added.values(), *made)


def isolated(facts: Facts, target: Workload, labels: Labels) -> tuple[Change, ...]:
    """What `isolate` does for one workload, but for the labels that it adds.

    Raises:
        CannotBuildError: see `isolate`.
    """
    clients = clients_of(facts, target)
    if not clients:
        raise CannotBuildError(f"no client is declared (annotation {CLIENTS}) that is here")
    watching = _watching(facts, target, clients)
    if facts.network.isolating(target, "Ingress"):
        return without_strangers(facts, target, (*clients, *watching, target))
    asked = _served(facts, target, clients)
    check_calls(facts, target)
    check_clients(facts, target, clients, asked)
    check_monitors(facts, target, watching)
    rules = _rules(facts, target, labels, (clients, asked, watching))
    policy = policy_of(facts, target, labels.of(target), rules, CLIENTS_IN)
    judging = tuple(_restricted(facts, target, watching, labels))
    return (created(policy, target.resource), *judging)


def _watching(facts: Facts, target: Workload, clients: Sequence[Workload]) -> tuple[Workload, ...]:
    """The monitors that are to see the health API alone; none where it has none."""
    known = {client.ref.key for client in (*clients, target)}
    if not facts.data.health_ports(target):
        return ()
    return tuple(monitor for monitor in facts.monitors if monitor.ref.key not in known)


def _rules(
    facts: Facts,
    target: Workload,
    labels: Labels,
    who: tuple[Sequence[Workload], PortSet, Sequence[Workload]],
) -> list[dict[str, Any]]:
    """A rule for the clients, one for monitors, and one for the pods themselves."""
    clients, asked, watching = who
    rules = [_rule(target, clients, ports_of(target, asked), labels)]
    if watching:
        health = PortSet.of("TCP", *facts.data.health_ports(target))
        rules.append(_rule(target, watching, ports_of(target, health), labels))
    if has_peers(target):
        rules.append(_rule(target, (target,), ports_of(target, served(facts, target)), labels))
    return rules


def _restricted(
    facts: Facts, target: Workload, watching: Sequence[Workload], labels: Labels
) -> Iterator[Change]:
    if health_of(facts, target).paths:
        for monitor in watching:
            yield from restricted(facts, monitor, target, labels)


def policy_of(
    facts: Facts, one: Workload, labels: dict[str, str], rules: list[dict[str, Any]], way: Way
) -> Resource:
    """A new NetworkPolicy for the pods of these labels, which are those of `one`."""
    direction, what = way
    chosen = {"podSelector": {"matchLabels": labels}, "policyTypes": [direction]}
    wanted = Ref(VERSION, "NetworkPolicy", one.ref.namespace, one.ref.name)
    spec = {**chosen, direction.lower(): rules}
    return made(facts.snapshot, wanted, spec, one.resource, ending=f"-{what}")


def denial_of(facts: Facts, namespace: Resource) -> Resource:
    """A new NetworkPolicy that admits nobody to any pod of the namespace. Form:
    https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-deny-all-ingress-traffic
    """
    spec = {"podSelector": {}, "policyTypes": ["Ingress"]}
    wanted = Ref(VERSION, "NetworkPolicy", namespace.ref.name, "default-deny")
    return made(facts.snapshot, wanted, spec, namespace, ending="-ingress")


def _rule(
    target: Workload, clients: Sequence[Workload], ports: list[dict[str, Any]], labels: Labels
) -> dict[str, Any]:
    rule: dict[str, Any] = {"from": peers(target, clients, labels)}
    if ports:
        rule["ports"] = ports
    return rule


def peers(target: Workload, others: Sequence[Workload], labels: Labels) -> list[dict[str, Any]]:
    """The peers of a rule of `target`'s namespace that mean these workloads, each once.

    Raises:
        CannotBuildError: no labels mean one of them, and none of whom it is not told.
    """
    friends = frozenset(other.ref.key for other in others)
    found: list[dict[str, Any]] = []
    for other in others:
        peer: dict[str, Any] = {"podSelector": {"matchLabels": labels.of(other, friends)}}
        if other.ref.namespace != target.ref.namespace:
            name = {METADATA_NAME: other.ref.namespace}
            peer = {"namespaceSelector": {"matchLabels": name}, **peer}
        if peer not in found:
            found.append(peer)
    return found


def _served(facts: Facts, target: Workload, clients: Sequence[Workload]) -> PortSet:
    """The ports of the target that its clients ask: those that their configuration names. Where
    that of one of them names none, those that the containers and Services name, less the health
    API; every port where nothing is known. What others name counts for nothing.
    """
    needed = PortSet.NONE
    asking = {client.ref.key for client in clients}
    silent = set(asking)
    for edge in facts.dependencies:
        if edge.target.ref == target.ref and edge.client.ref.key in asking:
            needed |= edge.ports
            silent.discard(edge.client.ref.key)
    listening = served(facts, target)
    health = PortSet.of("TCP", *facts.data.health_ports(target))
    if needed and not silent:
        return needed
    return (needed | listening - health) or listening


def ports_of(target: Workload, ports: PortSet, *, named: bool = True) -> list[dict[str, Any]]:
    """Ports of a rule; with `named`, by name where exactly one container port has that number and
    name.
    """
    return [
        {"protocol": protocol, "port": _port_name(target, protocol, number) if named else number}
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
    monitor = workload_of(facts, finding)
    for one in overreaches(facts, monitor):
        if one.target.name == finding.anchor:
            break
    else:
        raise CannotBuildError("the monitor no longer reaches more than the health API")
    if not one.rules:
        raise CannotBuildError(f"nothing isolates {one.target.name}: isolate it first")
    ports = ports_of(one.target, PortSet.of("TCP", *one.health.ports))
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
