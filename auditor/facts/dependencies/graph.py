"""Puts all evidence of who needs whom into one graph.

Only a declaration of the data's owner makes access legitimate; all else here is a hint for people,
for placement, and for what a new policy must not cut by mistake.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.facts.configuration import Text
from auditor.facts.dependencies.edges import CONFIDENCE, Edge, Evidence, Graph, Outsider
from auditor.facts.dependencies.hooks import hooks
from auditor.facts.dependencies.observed import observed
from auditor.facts.dependencies.pairs import pairs
from auditor.facts.dependencies.routes import routes
from auditor.facts.network import PortSet, Stranger
from auditor.facts.wording import text
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def asking_of(facts: Facts) -> Graph:
    """The edges that show who seems to ask whom, of his own accord: what he is told, what he says
    that he intends, what was observed. The cheap part of the graph.
    """
    return Graph((*_told(facts), *_unmounted(facts), *_intents(facts), *observed(facts)))


def graph_of(facts: Facts) -> Graph:
    """Every edge of the snapshot. Costs one look at each object that may show one, and at each
    observed flow.
    """
    hinted = pairs(facts.snapshot, facts.workloads, facts.namespace_labels)
    return Graph((*_shown(facts), *hinted))


def shown_of(facts: Facts) -> Graph:
    """The edges that something else shows than policies, which may admit many pairs of workloads
    that never speak.
    """
    return Graph(tuple(_shown(facts)))


def _shown(facts: Facts) -> Iterator[Edge]:
    yield from facts.asking.edges
    yield from routes(facts.snapshot, facts.directory)
    yield from hooks(facts.snapshot, facts.directory)
    yield from _monitored(facts)
    yield from _peers(facts)
    yield from _declared(facts)


def _told(facts: Facts) -> Iterator[Edge]:
    for need in facts.dependencies:
        told = f"names Service {need.service.ref.namespace}/{need.service.ref.name}"
        yield Edge(
            need.client, need.target, need.ports, need.kind, need.confidence, told, need.ref,
            need.path,
        )  # fmt: skip


def _unmounted(facts: Facts) -> Iterator[Edge]:
    """What stands in a ConfigMap of a volume that no container mounts: somebody meant it."""
    for workload, names in facts.told_of_each("unmounted", _named_in_vain):
        for name in names:
            yield from _hinted(facts, workload, name)


def _named_in_vain(workload: Workload) -> tuple[str, ...]:
    """The ConfigMaps of volumes that no container mounts."""
    if not sequence(workload.pod.get("volumes")):
        return ()
    mounted = {
        text(mount.get("name"))
        for container in workload.containers
        for mount in map(mapping, sequence(container.spec.get("volumeMounts")))
    }
    volumes = map(mapping, sequence(workload.pod.get("volumes")))
    named = [
        mapping(volume.get("configMap")).get("name")
        for volume in volumes
        if text(volume.get("name")) not in mounted
    ]
    return tuple(name for name in named if isinstance(name, str))


def _hinted(facts: Facts, workload: Workload, name: str) -> Iterator[Edge]:
    space = workload.ref.namespace
    config = facts.snapshot.by_key.get(("", "ConfigMap", space, name))
    if config is None:
        return
    for key, value in texts(config.manifest.get("data")).items():
        written = Text(key, value, config.ref, ("data", key))
        for service, address in facts.directory.named_in(written, space):
            for target, ports in facts.directory.behind(service, address.port):
                told = f"has a volume, mounted nowhere, that names Service {service.ref.name}"
                if target.ref != workload.ref:
                    yield Edge(
                        workload, target, ports, Evidence.CONFIG_MAP, CONFIDENCE[Evidence.WAIT],
                        told, config.ref, ("data", key),
                    )  # fmt: skip


def _monitored(facts: Facts) -> Iterator[Edge]:
    for scrape in facts.scrapes:
        ports = PortSet.of("TCP", scrape.port)
        told = f"is told by {scrape.told} to fetch {scrape.path}"
        sure = CONFIDENCE[Evidence.MONITOR if scrape.is_object else Evidence.POLICIES]
        for peer in facts.watchers.of(scrape):
            if isinstance(peer, Workload) and peer.ref == scrape.target.ref:
                continue
            source = peer if isinstance(peer, Workload) else Outsider(_name(peer))
            yield Edge(
                source, scrape.target, ports, Evidence.MONITOR, sure, told, scrape.by.ref,
                scrape.place,
            )  # fmt: skip


def _name(peer: object) -> str:
    space = peer.namespace if isinstance(peer, Stranger) else ""
    return f"the monitor of namespace {space}" if space else "a monitor"


def _peers(facts: Facts) -> Iterator[Edge]:
    """The pods of a StatefulSet that know each other by name."""
    for workload in facts.workloads:
        service = mapping(workload.resource.manifest.get("spec")).get("serviceName")
        named = isinstance(service, str) and service
        if workload.ref.kind == "StatefulSet" and named and workload.replicas > 1:
            told = f"its pods know each other through Service {service}"
            yield Edge(
                workload, workload, listening(facts, workload), Evidence.PEER,
                CONFIDENCE[Evidence.PEER], told, workload.ref, ("spec", "serviceName"),
            )  # fmt: skip


def listening(facts: Facts, workload: Workload) -> PortSet:
    """The ports on which it is said to listen."""
    found = PortSet.NONE
    for each in facts.network.listening(workload):
        found |= PortSet.of(each.protocol, each.port)
    return found


def _declared(facts: Facts) -> Iterator[Edge]:
    """Who is authorised by the owner of what is asked."""
    for target in facts.workloads:
        place = facts.data.clients_declared(target)
        if place is None:
            continue
        for clients in (facts.data.clients_of(target) or {}).values():
            for client in clients:
                if client.ref != target.ref:
                    yield Edge(
                        client, target, listening(facts, target), Evidence.DECLARED,
                        CONFIDENCE[Evidence.DECLARED], "is declared to be a client", place.ref,
                        place.path,
                    )  # fmt: skip


def _intents(facts: Facts) -> Iterator[Edge]:
    """ClientIntents of Otterize: whom a workload says that it asks. Written by who asks, so that
    it authorises nobody: https://docs.otterize.com/reference/IBAC-Overview
    """
    for intents in facts.snapshot.of_kind("ClientIntents"):
        if intents.ref.group != "k8s.otterize.com":
            continue
        for client in _intending(facts, intents):
            for path, name in _intended(intents):
                for target in _of_name(facts, name, intents.ref.namespace):
                    yield Edge(
                        client, target, PortSet.NONE, Evidence.URL, CONFIDENCE[Evidence.URL],
                        "intends to ask it", intents.ref, path,
                    )  # fmt: skip


def _intending(facts: Facts, intents: Resource) -> Iterator[Workload]:
    for key in ("workload", "service"):
        name = at(intents.manifest, ("spec", key, "name"))
        if isinstance(name, str):
            yield from _of_name(facts, name, intents.ref.namespace)


def _intended(intents: Resource) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for key in ("targets", "calls"):
        for index, each in enumerate(map(mapping, sequence(at(intents.manifest, ("spec", key))))):
            inner = each.get("kubernetes")
            name = mapping(inner).get("name", each.get("name"))
            if isinstance(name, str):
                yield ("spec", key, index), name


def _of_name(facts: Facts, name: str, namespace: str) -> Iterator[Workload]:
    """Otterize writes ``name.namespace``."""
    short, _, space = name.removeprefix("svc:").partition(".")
    wanted = f"{space or namespace}/{short}"
    yield from (workload for workload in facts.workloads if workload.name == wanted)
