"""What monitors are asked to fetch: ServiceMonitors, PodMonitors, ``prometheus.io`` annotations.

Nobody gets a right by that: such an object is written by whoever wants to watch, not by who owns
what is watched.

Forms: https://prometheus-operator.dev/docs/api-reference/api/ (ServiceMonitorSpec, PodMonitorSpec,
PrometheusSpec), and https://docs.victoriametrics.com/operator/api/ for the same under other names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Any

from auditor.facts.network import Peer, Stranger
from auditor.facts.network.points import labels_of
from auditor.facts.network.ways import Leads, Services
from auditor.facts.selectors import (
    METADATA_NAME,
    Labels,
    RefusedError,
    Selector,
    Truth,
    parse_selector,
)
from auditor.facts.wording import text
from auditor.facts.workloads import Workload, container_ports, is_port
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Path, Resource, Snapshot
from auditor.values import dataclass

BY_SERVICE = ("ServiceMonitor", "VMServiceScrape")
BY_POD = ("PodMonitor", "VMPodScrape")
MONITOR_KINDS = (*BY_SERVICE, *BY_POD)
GROUPS = ("monitoring.coreos.com", "operator.victoriametrics.com", "azmonitoring.coreos.com")
SCRAPE = "prometheus.io/scrape"
PORT = "prometheus.io/port"
PATH = "prometheus.io/path"
METRICS = "/metrics"
"""The path where nothing names another."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """A path of a workload that somebody wants monitors to fetch."""

    target: Workload
    port: int
    """Of the target's pods; TCP."""
    path: str
    by: Resource
    """The object that says so."""
    place: Path
    """Where it says so."""

    @property
    def is_object(self) -> bool:
        """Whether an object of its own asks for it, and no annotation."""
        return self.by.ref.kind in MONITOR_KINDS

    @property
    def told(self) -> str:
        """Who asks, in words."""
        ref = self.by.ref
        name = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
        return f"{ref.kind} {name}" if self.is_object else f"an annotation of {ref.kind} {name}"


def scrapes_of(snapshot: Snapshot, workloads: Sequence[Workload]) -> tuple[Scrape, ...]:
    """Everything that monitors are asked to fetch. Costs a look at each workload of the namespaces
    that each monitor object means.
    """
    spaces: dict[str, list[Workload]] = {}
    for workload in workloads:
        spaces.setdefault(workload.ref.namespace, []).append(workload)
    services = Services(snapshot)
    found: list[Scrape] = []
    for kind in MONITOR_KINDS:
        for monitor in snapshot.of_kind(kind):
            if monitor.ref.group in GROUPS:
                found += _asked_by(monitor, spaces, services)
    found += _annotated(snapshot, workloads)
    return _once(found)


def _once(found: Sequence[Scrape]) -> tuple[Scrape, ...]:
    seen: dict[tuple[object, ...], Scrape] = {}
    for one in found:
        seen.setdefault((one.target.ref, one.port, one.path, one.by.ref, one.place), one)
    return tuple(seen.values())


def _asked_by(
    monitor: Resource, spaces: dict[str, list[Workload]], services: Services
) -> Iterator[Scrape]:
    spec = mapping(monitor.manifest.get("spec"))
    selector = _selector(spec.get("selector"))
    if selector is None:
        return
    by_service = monitor.ref.kind in BY_SERVICE
    name = "endpoints" if by_service else "podMetricsEndpoints"
    for space in _meant(spec, monitor.ref.namespace, spaces):
        for target in spaces.get(space, ()):
            for index, endpoint in enumerate(map(mapping, sequence(spec.get(name)))):
                place: Path = ("spec", name, index)
                for port in (
                    _service_ports(services, target, selector, endpoint)
                    if by_service
                    else _pod_ports(target, selector, endpoint)
                ):
                    yield Scrape(target, port, _path_of(endpoint), monitor, place)


def _meant(spec: Manifest, own: str, spaces: dict[str, list[Workload]]) -> Sequence[str]:
    """The namespaces that it looks into."""
    chosen = mapping(spec.get("namespaceSelector"))
    if chosen.get("any") is True:
        return tuple(spaces)
    names = [name for name in sequence(chosen.get("matchNames")) if isinstance(name, str)]
    return names or (own,)


def _path_of(endpoint: Manifest) -> str:
    return text(endpoint.get("path")) or METRICS


def _selector(value: Any) -> Selector | None:
    try:
        return parse_selector(value, ())
    except RefusedError:
        return None


def _service_ports(
    services: Services, target: Workload, selector: Selector, endpoint: Manifest
) -> Iterator[int]:
    """The ports of the target that the endpoint of a ServiceMonitor means."""
    for lead in services.leads(target):
        labels = texts(at(lead.service.manifest, ("metadata", "labels")))
        chosen = lead.protocol == "TCP" and selector.truth(Labels(labels)) is Truth.YES
        if chosen and _is_meant(lead, target, endpoint):
            yield lead.number


def _is_meant(lead: Leads, target: Workload, endpoint: Manifest) -> bool:
    """By the name of the Service's port, else by the number or name of the pod's; else all."""
    port, pods = endpoint.get("port"), endpoint.get("targetPort")
    if port:
        return bool(lead.entry.get("name") == port)
    return lead.number in _ports_called(target, pods) if pods else True


def _pod_ports(target: Workload, selector: Selector, endpoint: Manifest) -> Iterator[int]:
    if selector.truth(labels_of(target)) is not Truth.YES:
        return
    wanted = endpoint.get("port") or endpoint.get("portNumber") or endpoint.get("targetPort")
    if wanted:
        yield from _ports_called(target, wanted)
        return
    yield from _declared_ports(target)


def _declared_ports(target: Workload) -> tuple[int, ...]:
    """The TCP ports that its containers declare, each once."""
    ports = container_ports(target)
    return tuple(dict.fromkeys(n for n, protocol, _, _ in ports if protocol == "TCP"))


def _ports_called(target: Workload, wanted: Any) -> tuple[int, ...]:
    if is_port(wanted):
        return (wanted,)
    return tuple(number for number, _, name, _ in container_ports(target) if name == wanted)


def _annotated(snapshot: Snapshot, workloads: Sequence[Workload]) -> Iterator[Scrape]:
    """What pods and Services say of themselves. The convention is Prometheus' own example of
    relabelling: without a port, every port that the containers declare.
    """
    speaking = (s for s in snapshot.of_kind("Service") if _words(s, ("metadata",)).get(SCRAPE))
    services = Services(Snapshot(tuple(speaking)))
    for workload in workloads:
        place = workload.metadata_paths[-1]
        yield from _self_told(workload, workload.resource, place)
        for service in services.of(workload):
            yield from _self_told(workload, service, ("metadata",))


def _words(resource: Resource, place: Path) -> Manifest:
    return mapping(at(resource.manifest, (*place, "annotations")))


def _self_told(target: Workload, resource: Resource, place: Path) -> Iterator[Scrape]:
    words = _words(resource, place)
    if str(words.get(SCRAPE)).lower() != "true":
        return
    path = text(words.get(PATH)) or METRICS
    where = (*place, "annotations", PORT if PORT in words else SCRAPE)
    for port in _told_ports(target, words.get(PORT)):
        yield Scrape(target, port, path, resource, where)


def _told_ports(target: Workload, wanted: Any) -> Iterator[int]:
    if wanted is None:
        yield from _declared_ports(target)
        return
    number = wanted
    if isinstance(wanted, str) and wanted.isascii() and wanted.isdigit() and len(wanted) <= 5:
        number = int(wanted)
    if is_port(number):
        yield number


PROMETHEUS = {"Prometheus": "prometheus", "PrometheusAgent": "prom-agent"}
"""Kind of the operator → how the StatefulSets are called that it makes of it."""


@dataclass(slots=True)
class Watchers:
    """Who fetches what a monitor object asks for. Not frozen: it is filled once, when made."""

    snapshot: Snapshot
    monitors: Sequence[Workload]
    _told: tuple[tuple[Resource, Peer], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._told = tuple(
            (one, self._peer(one))
            for kind in PROMETHEUS
            for one in self.snapshot.of_kind(kind)
            if one.ref.group == GROUPS[0]
        )

    def of(self, scrape: Scrape) -> tuple[Peer, ...]:
        """The monitors that are told to fetch it: the Prometheus objects that select the monitor
        object; where there is no such object at all, every monitor. None where none selects it.
        """
        if scrape.by.ref.group != GROUPS[0] or not self._told:
            return tuple(self.monitors)
        return tuple(peer for one, peer in self._told if self._selects(one, scrape.by))

    def _selects(self, prometheus: Resource, monitor: Resource) -> bool:
        """As the operator does: without a selector none is meant, without one of namespaces its
        own alone.
        """
        name = f"{monitor.ref.kind[0].lower()}{monitor.ref.kind[1:]}"
        spec = mapping(prometheus.manifest.get("spec"))
        if spec.get(f"{name}Selector") is None:
            return False
        selector = _selector(spec.get(f"{name}Selector"))
        labels = texts(at(monitor.manifest, ("metadata", "labels")))
        if selector is None or selector.truth(Labels(labels)) is not Truth.YES:
            return False
        spaces = spec.get(f"{name}NamespaceSelector")
        if spaces is None:
            return prometheus.ref.namespace == monitor.ref.namespace
        chosen = _selector(spaces)
        return chosen is not None and chosen.truth(self._space(monitor)) is not Truth.NO

    def _space(self, monitor: Resource) -> Labels:
        """The labels of its namespace; open where there is no such object."""
        for namespace in self.snapshot.of_kind("Namespace"):
            if namespace.ref.name == monitor.ref.namespace:
                labels = texts(at(namespace.manifest, ("metadata", "labels")))
                return Labels({**labels, METADATA_NAME: namespace.ref.name})
        return Labels({METADATA_NAME: monitor.ref.namespace}, open=True)

    def _peer(self, prometheus: Resource) -> Peer:
        """Its pods: those of the StatefulSet that the operator made, else those that it will."""
        ref = prometheus.ref
        made = f"{ref.namespace}/{PROMETHEUS[ref.kind]}-{ref.name}"
        for workload in self.monitors:
            if workload.name.startswith(made):
                return workload
        labels = texts(at(prometheus.manifest, ("spec", "podMetadata", "labels")))
        return Stranger(
            ref.namespace,
            {
                **labels,
                "app.kubernetes.io/name": "prometheus",
                "app.kubernetes.io/managed-by": "prometheus-operator",
                "app.kubernetes.io/instance": ref.name,
                "prometheus": ref.name,
                "operator.prometheus.io/name": ref.name,
            },
        )
