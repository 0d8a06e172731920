"""NetworkPolicies that admit who is known to ask a workload, and nobody else.

Whom a proof keeps is admitted (`fixes.needs`), so that both agree. Where nothing says who asks,
nothing is made: a policy that admits nobody would cut whoever it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.facts import Facts
from auditor.facts.data import CLIENTS
from auditor.facts.data.stores import outside
from auditor.facts.network import Entrance, PortSet, Stranger
from auditor.facts.selectors import METADATA_NAME
from auditor.facts.workloads import Workload
from auditor.fixes.needs import FRONTED, callers, served
from auditor.fixes.operations import created
from auditor.fixes.synthesize.contradictions import check_calls, check_enforced
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.fixes.synthesize.labels import Labels
from auditor.fixes.synthesize.network import CLIENTS_IN, isolated, peers, policy_of, ports_of
from auditor.fixes.synthesize.subject import workload_of
from auditor.model import Change, Finding

Rule = dict[str, Any]
Callers = tuple[tuple[Workload, PortSet], ...]

TELL = (
    f"name it where its clients are configured, declare them (annotation {CLIENTS}), or let it be"
    " observed who asks it (--flows)"
)
UNASKED = f"nobody is known to ask what it serves: {TELL}"
UNKNOWN = (
    "nothing is known of it: it names no port, no Service leads to it, and nothing says whom it"
    " asks; a default deny for its namespace would close it"
)


def admit_callers(facts: Facts, finding: Finding) -> tuple[Change, ...]:
    """A NetworkPolicy for the pods of the workload that admits who is known to ask them, each on
    the ports that he asks; nobody, where it serves nothing and is known to ask others itself. Of
    one that holds personal data, see `isolate`.

    Raises:
        CannotBuildError: nobody is known to ask what it serves, somebody is whom no rule can name,
            or no labels mean its pods.
    """
    target = workload_of(facts, finding)
    check_enforced(facts)
    if not is_served(facts, target) and not _asks(facts, target):
        raise CannotBuildError(UNKNOWN)
    labels = Labels(facts)
    made = admitting(facts, target, labels)
    return (*labels.added.values(), *made)


def admitting(facts: Facts, target: Workload, labels: Labels) -> tuple[Change, ...]:
    """What `admit_callers` makes for one workload, but for the labels that it adds.

    Raises:
        CannotBuildError: see `admit_callers`.
    """
    if facts.data.of(target) is not None:
        return isolated(facts, target, labels)
    check_calls(facts, target)
    known, wide = callers(facts, target), PortSet.NONE
    for way in _by_address(facts, target):
        wide |= PortSet.of(way.protocol, way.port or 0)
    _check_known(facts, target, known, wide)
    rules = [*_rules(target, known, wide, labels), *_monitors(facts, target, wide)]
    if wide:
        rules.append({"ports": ports_of(target, wide)})
    policy = policy_of(facts, target, labels.of(target), rules, CLIENTS_IN)
    return (created(policy, target.resource),)


def is_served(facts: Facts, target: Workload) -> bool:
    """Whether its pods are said to listen anywhere, or somebody is known to ask them."""
    return bool(facts.network.listening(target) or facts.shown.to(target))


def _asks(facts: Facts, target: Workload) -> bool:
    """Whether it is known of it whom it asks."""
    return bool(facts.asking.of(target)) or any(True for _ in outside(facts, target))


def _check_known(facts: Facts, target: Workload, known: Callers, wide: PortSet) -> None:
    """Raises:
    CannotBuildError: of what it serves, nobody is known to ask anything, but for monitors and its
        own pods; or somebody asks whom no label means.
    """
    ours = {target.ref.key, *(monitor.ref.key for monitor in facts.monitors)}
    asked = wide
    for client, ports in known:
        if client.pod.get("hostNetwork") is True:
            raise CannotBuildError(
                f"{client.name}, which asks it, is on the network of its node, and no labels mean"
                " its address"
            )
        asked |= ports if client.ref != target.ref else PortSet.NONE
    strangers = wide or any(client.ref.key not in ours for client, _ in known)
    if not strangers and served(facts, target) - asked:
        raise CannotBuildError(UNASKED)


def _by_address(facts: Facts, target: Workload) -> Iterator[Entrance]:
    """The ways in for addresses outside; who passes on what comes by the others asks himself.

    Raises:
        CannotBuildError: it is not known who passes it on, or to which port.
    """
    for way in facts.network.entrances(target):
        told = f"{way.kind} {way.ref.namespace}/{way.ref.name} leads to it"
        if way.port is None:
            raise CannotBuildError(f"{told}, and not to a port that is known")
        if way.kind not in FRONTED:
            yield way
        elif not facts.network.ways.fronts(facts.workloads, way):
            raise CannotBuildError(
                f"{told}, and the pods that pass it on are not here: give their objects as well"
            )


def _rules(target: Workload, known: Callers, wide: PortSet, labels: Labels) -> Iterator[Rule]:
    """A rule for all who ask on the same ports, beside those that are open to everybody."""
    alike: dict[PortSet, list[Workload]] = {}
    for client, ports in known:
        if not ports or ports - wide:
            alike.setdefault(ports - wide, []).append(client)
    for ports, clients in alike.items():
        rule: Rule = {"from": peers(target, clients, labels)}
        if ports:
            rule["ports"] = ports_of(target, ports)
        yield rule


def _monitors(facts: Facts, target: Workload, wide: PortSet) -> Iterator[Rule]:
    """A rule for each monitor that an operator will make of an object that is here."""
    for scrape in facts.scrapes_by_target.get(target.ref.key, ()):
        ports = PortSet.of("TCP", scrape.port) - wide
        for peer in facts.watchers.of(scrape) if ports else ():
            if isinstance(peer, Stranger):
                name = {METADATA_NAME: peer.namespace}
                pods = {"podSelector": {"matchLabels": dict(peer.labels)}}
                meant = {"namespaceSelector": {"matchLabels": name}, **pods}
                yield {"from": [meant], "ports": ports_of(target, ports)}
