"""Whose flows a fix has to keep: those that somebody needs, and has a right to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts import Facts
from auditor.facts.dependencies import Edge, Evidence
from auditor.facts.exposure import clients_of
from auditor.facts.health import health_of
from auditor.facts.network import PortSet
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.workloads import Workload

Need = tuple[Workload, Workload, PortSet]
"""Who needs whom, on which single port; no port where none is known."""


def needs(facts: Facts, targets: Sequence[Workload]) -> Iterator[Need]:
    """Who needs one of `targets`: what configurations name, what was observed, what is declared,
    the health API for monitors, and the pods of one StatefulSet each other.
    """
    ours = {target.ref.key for target in targets}
    for edge in facts.dependencies:
        if edge.target.ref.key in ours and is_wanted(facts, edge.client, edge.target):
            yield from _each(edge.client, edge.target, edge.ports)
    for target in targets:
        for client, ports in _seen(facts, target):
            yield from _each(client, target, ports)
        health = PortSet.of("TCP", *facts.data.health_ports(target))
        for monitor in facts.monitors:
            if monitor.ref != target.ref:
                yield from _each(monitor, target, health)
        if facts.data.of(target):
            yield from _declared_needs(facts, target, health_of(facts, target).whole)
        if has_peers(target):
            yield from _each(target, target, served(facts, target))


def has_peers(target: Workload) -> bool:
    """Whether its pods know each other by name, and ask each other: those of a StatefulSet do.
    https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#stable-network-id
    """
    return target.ref.kind == "StatefulSet" and target.replicas > 1


def served(facts: Facts, target: Workload) -> PortSet:
    """The ports on which its pods are said to listen."""
    found = PortSet.NONE
    for listening in facts.network.listening(target):
        found |= PortSet.of(listening.protocol, listening.port)
    return found


def is_wanted(facts: Facts, client: Workload, target: Workload) -> bool:
    """A flow to personal data is needed where it is declared; that a configuration names the
    service, or that it was seen to be asked, does not make an undeclared client a needed one.
    """
    if facts.data.of(target) is None or facts.data.clients_of(target) is None:
        return not (client in facts.monitors and facts.data.health_ports(target))
    return client.ref.key in {allowed.ref.key for allowed in clients_of(facts, target)}


def observed(facts: Facts, target: Workload) -> Iterator[Edge]:
    """The workloads that were seen to ask `target`."""
    for edge in facts.asking.to(target) if facts.settings.flows else ():
        if edge.kind is Evidence.FLOW and isinstance(edge.source, Workload):
            yield edge


def _seen(facts: Facts, target: Workload) -> Iterator[tuple[Workload, PortSet]]:
    for edge in observed(facts, target):
        if isinstance(edge.source, Workload) and is_wanted(facts, edge.source, target):
            yield edge.source, edge.ports


def _each(client: Workload, target: Workload, ports: PortSet) -> Iterator[Need]:
    """One need for each port: one of them may not flow today, and be nothing to lose."""
    for protocol in PROTOCOLS:
        for number in ports.numbers(protocol):
            yield client, target, PortSet.of(protocol, number)


def _declared_needs(facts: Facts, target: Workload, health: PortSet) -> Iterator[Need]:
    """What declared clients ask of whom they do not name in their configuration: all it serves."""
    named = {e.client.ref.key for e in facts.dependencies if e.target.ref == target.ref}
    for client in clients_of(facts, target):
        if client.ref.key not in named and client.ref != target.ref:
            yield from _each(client, target, served(facts, target) - health)
