"""All facts of one snapshot: computed when asked for, and then kept.

A policy names in METADATA the facts that it reads; the table FACTS says who tells each of them
and which kinds of objects must have been seen for it to be true.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from auditor.facts.configuration import Told, told_of
from auditor.facts.custom import is_unknown, opened
from auditor.facts.cut_off import cut_off
from auditor.facts.data import DataClasses
from auditor.facts.data.stores import made_by_operators, own_addresses
from auditor.facts.dependencies import (
    Dependency,
    Directory,
    Graph,
    asking_of,
    dependencies_of,
    graph_of,
    is_database,
)
from auditor.facts.distance import distance
from auditor.facts.effect import effect
from auditor.facts.exposure import exposure
from auditor.facts.health import Health, health_of
from auditor.facts.holdings import likeness, removed, stores
from auditor.facts.identity import BINDINGS, Accounts, identity
from auditor.facts.isolation import isolation, namespace_isolation
from auditor.facts.leading import (
    LEADING_KINDS,
    Claim,
    backends,
    claimed_in,
    claims,
    entrances,
    parents,
    service,
)
from auditor.facts.leaving import leaving
from auditor.facts.limits import limit_ranges, resource_defaults, resource_quotas
from auditor.facts.mesh import Members, mesh
from auditor.facts.monitors import Scrape, Watchers, monitor_path, scrapes_of
from auditor.facts.monitors.known import fetching_path
from auditor.facts.neighbours import neighbours
from auditor.facts.network import Network
from auditor.facts.network.cluster_policies import DIALECTS as CLUSTER_WIDE
from auditor.facts.network.enforcement import Enforcement, enforcement
from auditor.facts.network.points import labels_of
from auditor.facts.network.ways.gateway import ROUTE_KINDS
from auditor.facts.oversight import oversight
from auditor.facts.pivots import pivots
from auditor.facts.placement import Topology
from auditor.facts.reads import alike
from auditor.facts.routes import GROUP as GATEWAY_API
from auditor.facts.routes import Written, routes, written_in
from auditor.facts.selectors import Labels
from auditor.facts.standing import Standing
from auditor.facts.telemetry import blocked, telemetry
from auditor.facts.upkeep import Keeper, policy_effects, policy_rules, refusal
from auditor.facts.workloads import WORKLOAD_KINDS, Workload, workloads_of
from auditor.manifests import at, texts
from auditor.model import Gap, Key, Path, Resource, Settings, Snapshot


class Facts:
    """What can be said of `snapshot`; every attribute is computed once, when first read."""

    def __init__(self, snapshot: Snapshot, settings: Settings, before: Facts | None = None) -> None:
        """Of `before`, the facts of a snapshot that differs in few objects, what these leave as it
        was is taken over.
        """
        self.snapshot = opened(snapshot, settings.openings)
        self.settings = settings
        self.held_before = settings.held
        """What was held before the change that is audited."""
        self.gaps: dict[tuple[str, str], Gap] = {}
        """What a fact could not tell, found while it was computed."""
        kept = vars(self.snapshot).get("_facts")
        self._known = _network_of(kept)
        """The network of this very snapshot, where somebody has asked for it."""
        self._network_before = _network_of(before)
        # In the snapshot itself, though that is frozen: whoever has it finds them without a table
        # beside it, they go with it, and they are no part of its value.
        vars(self.snapshot)["_facts"] = self

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Every workload that people edit."""
        known = self._network_before or self._known
        if known is None:
            return workloads_of(self.snapshot)
        return known.workloads_after(self.snapshot)

    @cached_property
    def by_key(self) -> Mapping[Key, Workload]:
        """The workloads by the identity of their object."""
        return {workload.ref.key: workload for workload in self.workloads}

    @cached_property
    def network(self) -> Network:
        """Who can reach whom."""
        profile, network = self.enforcement.profile, self._known
        if network is None or network.profile != profile:
            network = Network(self.snapshot, self.workloads, profile, self._network_before)
        unsure = self.enforcement.gap
        for gap in (*network.gaps, *((unsure,) if unsure else ())):
            self.unknown(gap)
        return network

    @cached_property
    def labelled(self) -> Mapping[str, Sequence[tuple[Workload, Labels]]]:
        """The workloads by namespace, with the labels of their pods."""
        found: dict[str, list[tuple[Workload, Labels]]] = {}
        for workload in self.workloads:
            found.setdefault(workload.ref.namespace, []).append((workload, labels_of(workload)))
        return found

    @cached_property
    def makers(self) -> frozenset[str]:
        """The namespaces with objects of custom kinds that may make pods which were not read; empty
        for one that belongs to no namespace. None of a live cluster, whose pods are read.
        """
        if self.snapshot.server is not None:
            return frozenset()
        return frozenset(r.ref.namespace for r in self.snapshot.resources if is_unknown(r))

    @cached_property
    def http_routes(self) -> Mapping[Key, Written]:
        """What each HTTPRoute of the Gateway API says, by its identity."""
        found = (r for r in self.snapshot.of_kind("HTTPRoute") if r.ref.group == GATEWAY_API)
        return {route.ref.key: written_in(route) for route in found}

    @cached_property
    def claimed(self) -> Mapping[Claim, Sequence[Resource]]:
        """The Ingresses that claim a path of a host."""
        return claimed_in(self.snapshot.of_kind("Ingress"))

    @cached_property
    def enforcement(self) -> Enforcement:
        """What enforces network policies."""
        return enforcement(self.snapshot, self.settings.cni)

    @cached_property
    def members(self) -> Members:
        """The workloads as their mesh sees them."""
        return Members(self.snapshot, self.workloads)

    @cached_property
    def data(self) -> DataClasses:
        """Who holds personal data, and who may ask for it."""
        return DataClasses(self.snapshot, self.workloads, self.settings.data)

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """What the containers of each workload are told."""
        return told_of(self.snapshot, self.workloads)

    @cached_property
    def told_by_key(self) -> Mapping[Key, Told]:
        """The same, by the identity of the workload."""
        return {told.workload.ref.key: told for told in self.told}

    @cached_property
    def aliases(self) -> Mapping[tuple[str, str], Resource]:
        """The Services that are another name of something outside, by namespace and name."""
        return {
            (service.ref.namespace, service.ref.name): service
            for service in self.snapshot.of_kind("Service")
            if at(service.manifest, ("spec", "type")) == "ExternalName"
        }

    @cached_property
    def operated(self) -> Mapping[tuple[str, str], Resource]:
        """The databases that an operator makes, by namespace and name of their Services."""
        return made_by_operators(self.snapshot)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Every namespace that something is in."""
        return frozenset(resource.ref.namespace for resource in self.snapshot.resources)

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        """The addresses of pods, Services and nodes, as far as they are known."""
        return frozenset(own_addresses(self.snapshot))

    @cached_property
    def databases(self) -> frozenset[Key]:
        """The workloads that keep data for others."""
        return frozenset(w.ref.key for w in self.workloads if is_database(w))

    @cached_property
    def unread(self) -> Mapping[Key, tuple[str, ...]]:
        """The configuration that we do not read, by the identity of the workload that has any:
        ``Secret db-credentials, key url``. Whom it makes the workload ask is not known.
        """
        return {told.workload.ref.key: told.unread for told in self.told if told.unread}

    @cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Who needs whom."""
        for told in self.told:
            for gap in told.gaps:
                self.unknown(gap)
        return dependencies_of(self.snapshot, self.told, self.directory)

    @cached_property
    def directory(self) -> Directory:
        """The Services by name, each with the workloads behind it."""
        return Directory(self.snapshot, self.workloads)

    @cached_property
    def asking(self) -> Graph:
        """Who seems to ask whom, of his own accord; a part of `graph`."""
        return asking_of(self)

    @cached_property
    def graph(self) -> Graph:
        """Who needs whom by all evidence there is, each edge with how sure it is."""
        return graph_of(self)

    @cached_property
    def needs(self) -> Mapping[Key, Sequence[Dependency]]:
        """The same, by the identity of the client."""
        found: dict[Key, list[Dependency]] = {}
        for edge in self.dependencies:
            found.setdefault(edge.client.ref.key, []).append(edge)
        return found

    @cached_property
    def needed_by(self) -> Mapping[Key, Sequence[Dependency]]:
        """The same, by the identity of what is asked."""
        found: dict[Key, list[Dependency]] = {}
        for edge in self.dependencies:
            found.setdefault(edge.target.ref.key, []).append(edge)
        return found

    @cached_property
    def accounts(self) -> Accounts:
        """The service accounts, and what they are granted."""
        return Accounts(self.snapshot)

    @cached_property
    def monitor_paths(self) -> Mapping[Key, Path]:
        """Where each workload that watches others says so, by its identity."""
        found = {w.ref.key: path for w in self.workloads if (path := monitor_path(w))}
        for told in self.told:
            if told.workload.ref.key not in found and (path := fetching_path(told)):
                found[told.workload.ref.key] = path
        return found

    @cached_property
    def watched(self) -> tuple[tuple[Workload, Health], ...]:
        """The workloads that declare a health API, each with it."""
        asked = ((workload, health_of(self, workload)) for workload in self.workloads)
        return tuple((workload, health) for workload, health in asked if health)

    @cached_property
    def monitors(self) -> tuple[Workload, ...]:
        """The workloads that watch others."""
        return tuple(w for w in self.workloads if w.ref.key in self.monitor_paths)

    @cached_property
    def scrapes(self) -> tuple[Scrape, ...]:
        """What somebody wants monitors to fetch."""
        return scrapes_of(self.snapshot, self.workloads)

    @cached_property
    def scrapes_by_target(self) -> Mapping[Key, Sequence[Scrape]]:
        """The same, by the identity of what is fetched from."""
        found: dict[Key, list[Scrape]] = {}
        for scrape in self.scrapes:
            found.setdefault(scrape.target.ref.key, []).append(scrape)
        return found

    @cached_property
    def watchers(self) -> Watchers:
        """Who fetches what monitor objects ask for."""
        return Watchers(self.snapshot, self.monitors)

    @cached_property
    def topology(self) -> Topology:
        """Nodes, racks and zones."""
        return Topology.from_snapshot(self.snapshot, self.settings)

    @cached_property
    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every namespace that is declared, with the one that the API server adds."""
        return {
            resource.ref.name: {
                **texts(at(resource.manifest, ("metadata", "labels"))),
                "kubernetes.io/metadata.name": resource.ref.name,
            }
            for resource in self.snapshot.of_kind("Namespace")
        }

    @cached_property
    def standing(self) -> Standing:
        """Where pods stand, and where they may."""
        return Standing(self.snapshot, self.workloads, self.topology, self.namespace_labels)

    @cached_property
    def keeper(self) -> Keeper:
        """What is asked of all NetworkPolicies at once."""
        return Keeper(self)

    @cached_property
    def misread(self) -> tuple[Gap, ...]:
        """What the workloads declare of themselves and that means nothing."""
        gaps = (gap for workload in self.workloads for gap in self.data.misread(workload))
        return tuple(dict.fromkeys(gaps))

    @cached_property
    def holders(self) -> tuple[Workload, ...]:
        """The workloads that hold personal data."""
        return tuple(workload for workload in self.workloads if self.data.of(workload))

    @cached_property
    def unclassified(self) -> tuple[Workload, ...]:
        """The workloads of which nothing says what data they hold."""
        return tuple(w for w in self.workloads if not self.data.is_classified(w))

    def same(self, changed: Resource) -> bool:
        """Whether every fact stays as it is when an object of the snapshot becomes `changed`."""
        old = self.snapshot.find(changed.ref)
        workload = self.by_key.get(changed.ref.key)
        probes = bool(workload and self.data.of(workload))
        return bool(old and alike(old, changed, privileges=bool(self.holders), probes=probes))

    def unknown(self, gap: Gap) -> None:
        """Note what a fact could not tell."""
        self.gaps[gap.what, gap.why] = gap

    def about(
        self, resource: Resource, names: tuple[str, ...], told: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """What the facts of these names say of `resource`, less those with nothing to say. In
        `told` is, and will be, what any said of it before.
        """
        told = {} if told is None else told
        for name in names:
            if name not in told:
                told[name] = FACTS[name].tell(self, resource)
        return {name: told[name] for name in names if told[name] is not None}


def _network_of(facts: Facts | None) -> Network | None:
    """Its network, where somebody has asked for it."""
    found = vars(facts).get("network") if facts else None
    return found if isinstance(found, Network) else None


def facts_of(snapshot: Snapshot, settings: Settings) -> Facts:
    """The facts that were last computed of this very snapshot, where that was with these settings;
    else new ones.
    """
    kept = vars(snapshot).get("_facts")
    if isinstance(kept, Facts) and kept.settings == settings:
        return kept
    return Facts(snapshot, settings)


@dataclass(frozen=True, slots=True)
class Fact:
    """Who tells a fact, and what must have been seen for it."""

    tell: Callable[[Facts, Resource], Any]
    """What it says of an object; None where that is nothing."""
    needs: tuple[str, ...]
    """The kinds of which every object must have been seen: without a list of one of them, the
    answer about what is left might be another one."""
    rests_on: tuple[str, ...]
    """Those of them of which a single object that is not seen can make a finding wrong. Of any
    other, one that is not seen may be missing from a finding, which still stands."""
    kinds: tuple[str, ...] = WORKLOAD_KINDS
    """The kinds of objects that it is told of."""

    def lacks(self, missing: Container[str], *, lists: bool) -> str:
        """The first kind that it cannot do without and of which something is `missing`: with
        `lists` all of them, else single objects; empty where there is none.
        """
        kinds = self.needs if lists else self.rests_on
        return next((kind for kind in kinds if kind in missing), "")


def _of_workloads(tell: Callable[[Facts, Workload], Any]) -> Callable[[Facts, Resource], Any]:
    """A fact about workloads that people edit; of anything else it says nothing."""

    def told(facts: Facts, resource: Resource) -> Any:
        workload = facts.by_key.get(resource.ref.key)
        return None if workload is None else tell(facts, workload)

    return told


def _of_namespaces(tell: Callable[[Facts, Resource], Any]) -> Callable[[Facts, Resource], Any]:
    """A fact about namespaces of Kubernetes, not about a kind of somebody's own of that name."""

    def told(facts: Facts, resource: Resource) -> Any:
        ours = (resource.ref.group, resource.ref.kind) == ("", "Namespace")
        return tell(facts, resource) if ours else None

    return told


def _once(tell: Callable[[Facts, Resource], Any]) -> Callable[[Facts, Resource], Any]:
    """A fact about the one of several objects of one identity that counts."""

    def told(facts: Facts, resource: Resource) -> Any:
        return tell(facts, resource) if facts.snapshot.find(resource.ref) is resource else None

    return told


def _of_policies(tell: Callable[[Facts, Resource], Any]) -> Callable[[Facts, Resource], Any]:
    """A fact about NetworkPolicies of Kubernetes, each identity once."""

    def told(facts: Facts, resource: Resource) -> Any:
        group, kind = resource.ref.group, resource.ref.kind
        if (group, kind) != ("networking.k8s.io", "NetworkPolicy"):
            return None
        return tell(facts, resource) if facts.snapshot.find(resource.ref) is resource else None

    return told


MESH = ("AuthorizationPolicy", "PeerAuthentication")
"""What decides at sidecars."""

POLICING = ("NetworkPolicy", *CLUSTER_WIDE, *MESH)
"""What stops traffic, or lets it pass before anything else is asked."""

REACHING = (*POLICING, "Namespace", "Service", "ConfigMap", *WORKLOAD_KINDS)
"""Who reaches whom: the pod that is not seen may be the one that does. How the mesh is set up, and
what makes a monitor of a pod, is said in ConfigMaps."""

ENTERING = (
    "Ingress", "Gateway", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute",
    "ReferenceGrant",
)  # fmt: skip
"""Whom the outside reaches, beside Services."""

WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
"""What makes the API server call somebody."""

WATCHING = ("ServiceMonitor", "PodMonitor")
"""What asks monitors to fetch something."""

STANDING = tuple(kind for kind in WORKLOAD_KINDS if kind != "PodTemplate")
"""Who stands where: every pod takes room from others. A PodTemplate alone has no pods."""

POLICIES = ("NetworkPolicy", *CLUSTER_WIDE)
"""Whatever says who reaches whom on ports."""

BEFORE_OTHERS = tuple(kind for kind in POLICIES if kind != "BaselineAdminNetworkPolicy")
"""Those of them that are asked about a pod that NetworkPolicies isolate: what isolates decides
before the baseline is asked."""

STORAGE = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass")
ADMISSION = ("PriorityClass", "RuntimeClass", "LimitRange")
"""What the API server reads when it accepts a pod."""

MESH_POLICIES = ("AuthorizationPolicy", "PeerAuthentication")
MESHED = (*MESH_POLICIES, "Namespace", "Service", "ConfigMap", *WORKLOAD_KINDS)
"""What a policy of the mesh meets: whom it selects, and what counts there beside it."""

FACTS: Mapping[str, Fact] = {
    "exposure": Fact(
        _of_workloads(exposure),
        (*REACHING, *ENTERING),
        (*POLICING, "Namespace", "Service"),
    ),
    "service": Fact(service, WORKLOAD_KINDS, (), ("Service",)),
    "backends": Fact(
        backends, ("Service", "ReferenceGrant"), ("Service", "ReferenceGrant"), LEADING_KINDS
    ),
    "parents": Fact(parents, ("Gateway", "Namespace"), ("Gateway", "Namespace"), ROUTE_KINDS),
    "claims": Fact(claims, (), (), ("Ingress",)),
    "entrances": Fact(_of_workloads(entrances), ("Service", *ENTERING), ("ReferenceGrant",)),
    "identity": Fact(
        _of_workloads(identity), ("ServiceAccount", *BINDINGS), ("ServiceAccount", *BINDINGS)
    ),
    "oversight": Fact(_of_workloads(oversight), REACHING, (*POLICING, "Namespace")),
    # What enforces is asked of what was seen; where that does not tell, it says so itself.
    "enforcement": Fact(effect, (), (), ("NetworkPolicy",)),
    "likeness": Fact(
        _of_workloads(likeness),
        ("Namespace", "Service", "ConfigMap", *WORKLOAD_KINDS),
        ("Namespace", "Service"),
    ),
    "stores": Fact(_of_workloads(stores), ("Namespace", "Service", "ConfigMap"), ("Namespace",)),
    "removed_classes": Fact(_of_workloads(removed), (), ()),
    "telemetry": Fact(
        _of_workloads(telemetry), ("Service", "Namespace", *WATCHING), ("Namespace",)
    ),
    "blocked_monitors": Fact(
        _of_workloads(blocked), (*REACHING, *WATCHING, "Prometheus"), (*POLICING, "Namespace")
    ),
    "distance": Fact(
        _of_workloads(distance),
        ("Node", "Service", "Namespace", "ConfigMap", *STANDING, *STORAGE, *ADMISSION),
        ("Node", "Service"),
    ),
    "resource_defaults": Fact(_of_workloads(resource_defaults), ("LimitRange",), ("LimitRange",)),
    "limit_ranges": Fact(
        _of_namespaces(limit_ranges), ("LimitRange",), ("LimitRange",), ("Namespace",)
    ),
    # Without any policy there is none to tell this of.
    "refusal": Fact(_once(refusal), (), (), POLICIES),
    "policy_rules": Fact(_of_policies(policy_rules), (), (), ("NetworkPolicy",)),
    "policy_effects": Fact(
        _of_policies(policy_effects),
        ("Namespace", "Service", *WORKLOAD_KINDS),
        ("Namespace", "Service", *WORKLOAD_KINDS),
        ("NetworkPolicy",),
    ),
    "cut_off": Fact(
        _of_workloads(cut_off),
        (*BEFORE_OTHERS, "Namespace", "Service", "ConfigMap", *WEBHOOKS, *WORKLOAD_KINDS),
        (*BEFORE_OTHERS, "Namespace", "Service"),
    ),
    "isolation": Fact(_of_workloads(isolation), (*POLICIES, "Namespace"), POLICIES),
    "namespace_isolation": Fact(
        _of_namespaces(namespace_isolation),
        (*POLICIES, *WORKLOAD_KINDS),
        POLICIES,
        ("Namespace",),
    ),
    # What leaves a pod is judged by no sidecar.
    "leaving": Fact(_of_workloads(leaving), (*POLICIES, "Namespace"), (*POLICIES, "Namespace")),
    "pivots": Fact(
        _of_workloads(pivots),
        (*REACHING, *ENTERING),
        (*POLICING, "Namespace", "Service"),
    ),
    "neighbours": Fact(
        _of_workloads(neighbours),
        ("Node", "Namespace", "PersistentVolumeClaim", "PersistentVolume", *STANDING),
        ("Node",),
    ),
    "resource_quotas": Fact(
        _of_namespaces(resource_quotas), ("ResourceQuota",), ("ResourceQuota",), ("Namespace",)
    ),
    "routes": Fact(routes, ("HTTPRoute", "Gateway", "GatewayClass"), ("Gateway",), ("HTTPRoute",)),
    "mesh": Fact(mesh, MESHED, ("PeerAuthentication", "Namespace", "ConfigMap"), MESH_POLICIES),
}
