"""Whose flows a fix has to keep: those that somebody needs, and has a right to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts import Facts
from auditor.facts.dependencies import CONFIDENCE, Dependency, Edge, Evidence
from auditor.facts.exposure import clients_of
from auditor.facts.health import health_of
from auditor.facts.network import PortSet
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.workloads import Workload
from auditor.model import Key

FRONTED = ("Ingress", "Gateway")
"""The kinds of ways in behind which other pods stand and ask."""

Need = tuple[Workload, Workload, PortSet]
"""Who needs whom, on which single port; no port where none is known."""


def needs(facts: Facts, targets: Sequence[Workload]) -> Iterator[Need]:
    """Who needs one of `targets`: what configurations name, what was observed, what is declared,
    the health API and what they are told to fetch for monitors, what comes from outside for those
    who pass it on, and the pods of one StatefulSet each other.
    """
    for edge in _told(facts, targets):
        if is_wanted(facts, edge.client, edge.target):
            yield from _each(edge.client, edge.target, edge.ports)
    for target in targets:
        for client, ports in _asking(facts, target):
            if is_wanted(facts, client, target):
                yield from _each(client, target, ports)
        health = PortSet.of("TCP", *facts.data.health_ports(target))
        for monitor in facts.monitors:
            if monitor.ref != target.ref:
                yield from _each(monitor, target, health)
        if facts.data.of(target):
            yield from _declared_needs(facts, target, health_of(facts, target).whole)
        if has_peers(target):
            yield from _each(target, target, served(facts, target))


def _told(facts: Facts, targets: Sequence[Workload]) -> Sequence[Dependency]:
    """The dependencies on these; of one alone without a look at all that there are."""
    if len(targets) == 1:
        return facts.needed_by.get(targets[0].ref.key, ())
    ours = {target.ref.key for target in targets}
    return [edge for edge in facts.dependencies if edge.target.ref.key in ours]


def callers(facts: Facts, target: Workload) -> tuple[tuple[Workload, PortSet], ...]:
    """Who is known to ask `target`, and on which ports: all whose needs a proof keeps, then those
    of whom something else shows it that is no mere hint; on every port that it serves, where none
    is told. It is among them, where its pods ask each other.
    """
    found: dict[Key, tuple[Workload, PortSet]] = {}
    for client, _, ports in needs(facts, (target,)):
        known = found.get(client.ref.key, (client, PortSet.NONE))[1]
        found[client.ref.key] = client, known | ports
    for edge in facts.shown.to(target):
        asking = edge.source
        if not isinstance(asking, Workload) or asking.ref == target.ref:
            continue
        if is_sure(edge) and is_wanted(facts, asking, target):
            ports = edge.ports or served(facts, target)
            found.setdefault(asking.ref.key, (asking, ports))
    return tuple(found.values())


def is_sure(edge: Edge) -> bool:
    """That a policy would admit somebody is no reason to; nor is a mere hint."""
    return edge.kind is not Evidence.POLICIES and edge.confidence > CONFIDENCE[Evidence.WAIT]


def _passing_on(facts: Facts, target: Workload) -> Iterator[tuple[Workload, PortSet]]:
    """The pods behind Ingresses and Gateways that lead to it."""
    for way in facts.network.entrances(target):
        if way.kind in FRONTED and way.port is not None:
            for front in facts.network.ways.fronts(facts.workloads, way) or ():
                yield front, PortSet.of(way.protocol, way.port)


def _fetching(facts: Facts, target: Workload) -> Iterator[tuple[Workload, PortSet]]:
    """The monitors that are told to fetch something of it."""
    for scrape in facts.scrapes_by_target.get(target.ref.key, ()):
        for peer in facts.watchers.of(scrape):
            if isinstance(peer, Workload):
                yield peer, PortSet.of("TCP", scrape.port)


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


def _asking(facts: Facts, target: Workload) -> Iterator[tuple[Workload, PortSet]]:
    """Who asks it, by what is neither told to him nor declared."""
    for edge in observed(facts, target):
        if isinstance(edge.source, Workload):
            yield edge.source, edge.ports
    for other, ports in (*_passing_on(facts, target), *_fetching(facts, target)):
        if other.ref != target.ref:
            yield other, ports


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
