"""All facts of one snapshot: computed when asked for, and then kept.

A policy names in METADATA the facts that it reads; the `catalogue` says who tells each of them.
What computes one is loaded when it is first needed: few audits need all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.declared import Held
from auditor.facts.catalogue import FACTS
from auditor.facts.custom import is_unknown, opened
from auditor.facts.former import Former, Tables
from auditor.facts.inventory import furnished
from auditor.facts.selectors import METADATA_NAME
from auditor.facts.workloads import Workload, is_ill_formed, workloads_of
from auditor.manifests import at, texts
from auditor.model import Gap, Key, Path, Resource, Settings, Snapshot

if TYPE_CHECKING:
    from auditor.facts.access.authorizer import Authorizer, Bound
    from auditor.facts.by_label import ByLabel
    from auditor.facts.configuration import Told
    from auditor.facts.crowding import Crowded
    from auditor.facts.data import DataClasses
    from auditor.facts.dependencies import Dependency, Directory, Graph
    from auditor.facts.disruption import Guards
    from auditor.facts.escalation import Escalation
    from auditor.facts.health import Health
    from auditor.facts.identity import Accounts
    from auditor.facts.leading import Claim
    from auditor.facts.mesh import Members
    from auditor.facts.monitors import Scrape, Watchers
    from auditor.facts.network import Direction, Network
    from auditor.facts.network.bits import Bits
    from auditor.facts.network.enforcement import Enforcement
    from auditor.facts.paths.permissions import Api
    from auditor.facts.placement import Topology
    from auditor.facts.placement.autoscaled import Scaler
    from auditor.facts.routes import Written
    from auditor.facts.scheduling.where import Scheduling
    from auditor.facts.selectors import Labels
    from auditor.facts.spare_room import Room
    from auditor.facts.standing import Standing
    from auditor.facts.updating import Updates
    from auditor.facts.upkeep import Keeper

T = TypeVar("T")

_WAYS: tuple[Direction, ...] = ("Ingress", "Egress")


class Facts:
    """What can be said of `snapshot`; every attribute is computed once, when first read."""

    def __init__(self, snapshot: Snapshot, settings: Settings, before: Facts | None = None) -> None:
        """Of `before`, the facts of a snapshot that differs in few objects, what these leave as it
        was is taken over.
        """
        self.snapshot = furnished(opened(snapshot, settings.openings), settings)
        self.settings = settings
        self.held_before: Mapping[Key, Held] = settings.held
        """What was held before the change that is audited."""
        self.gaps: dict[tuple[str, str], Gap] = {}
        """What a fact could not tell, found while it was computed."""
        self._of_repeated: dict[tuple[str, Key], Any] = {}
        kept = vars(self.snapshot).get("_facts")
        self._known = _network_of(kept)
        """The network of this very snapshot, where somebody has asked for it."""
        self._network_before = _network_before(before)
        self.audited = False
        """Whether all was told that an audit asks for."""
        self._former = _former(before, self.snapshot)
        self._tables = Tables(self._former.rows if self._former else {})
        # In the snapshot itself, though that is frozen: whoever has it finds them without a table
        # beside it, they go with it, and they are no part of its value.
        vars(self.snapshot)["_facts"] = self

    @cached_property
    def workloads(self) -> tuple[Workload, ...]:
        """Every workload that people edit."""
        former = self._former
        if former:
            from auditor.facts.network.succession import succeeding

            return succeeding(former.workloads, former.snapshot, self.snapshot, former.changed)
        known = self._network_before or self._known
        if known is None:
            return workloads_of(self.snapshot)
        return known.workloads_after(self.snapshot)

    def _each(self, name: str, tell: Callable[[Workload], T], *reads: str) -> list[T]:
        """What `tell` says of each workload from nothing but itself and objects of these kinds: see
        `auditor.facts.former`.
        """
        return self._tables.each(name, self.workloads, tell, kept=self._keeps(*reads))

    def told_of_each(
        self, name: str, tell: Callable[[Workload], T]
    ) -> Iterable[tuple[Workload, T]]:
        """Each workload, and what `tell` says of it from nothing but itself."""
        return zip(self.workloads, self._each(name, tell), strict=True)

    def _keeps(self, *kinds: str) -> bool:
        """Whether it is known of every object of these kinds that it did not change."""
        return self._former is not None and self._former.unchanged(*kinds)

    @cached_property
    def ill_formed(self) -> tuple[Resource, ...]:
        """The objects of which some part cannot be read as what it should be."""
        before = self._former and self._former.ill_formed
        if self._former and before == ():
            come = [change.new for change in self._former.changed.values() if change.new]
            if not any(map(is_ill_formed, come)):
                return ()
        return tuple(filter(is_ill_formed, self.snapshot.resources))

    @cached_property
    def by_key(self) -> Mapping[Key, Workload]:
        """The workloads by the identity of their object."""
        return {workload.ref.key: workload for workload in self.workloads}

    @cached_property
    def network(self) -> Network:
        """Who can reach whom."""
        from auditor.facts.network import Network

        profile, network = self.enforcement.profile, self._known
        if network is None or network.profile != profile:
            network = Network(self.snapshot, self.workloads, profile, self._network_before)
        unsure = self.enforcement.gap
        for gap in (*network.gaps, *((unsure,) if unsure else ())):
            self.unknown(gap)
        return network

    @cached_property
    def selected(self) -> Mapping[tuple[Key, str], Sequence[Workload]]:
        """The workloads that each NetworkPolicy selects in each direction, or may."""
        found: dict[tuple[Key, str], list[Workload]] = {}
        for workload in self.workloads:
            for way in _WAYS:
                for ref in self.network.isolating(workload, way, possibly=True):
                    found.setdefault((ref.key, way), []).append(workload)
        return found

    @cached_property
    def bits(self) -> Bits:
        """The workloads by their places in the masks of the network's matrix."""
        from auditor.facts.network.bits import Bits

        return Bits(self.network)

    @cached_property
    def homes(self) -> Sequence[str]:
        """The namespaces that a workload is in."""
        return sorted({workload.ref.namespace for workload in self.workloads})

    @cached_property
    def labelled(self) -> Mapping[str, Sequence[tuple[Workload, Labels]]]:
        """The workloads by namespace, with the labels of their pods."""
        from auditor.facts.network.points import labels_of

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
        from auditor.facts.routes import GROUP, written_in

        found = (r for r in self.snapshot.of_kind("HTTPRoute") if r.ref.group == GROUP)
        return {route.ref.key: written_in(route) for route in found}

    @cached_property
    def claimed(self) -> Mapping[Claim, Sequence[Resource]]:
        """The Ingresses that claim a path of a host."""
        from auditor.facts.leading import claimed_in

        return claimed_in(self.snapshot.of_kind("Ingress"))

    @cached_property
    def enforcement(self) -> Enforcement:
        """What enforces network policies."""
        from auditor.facts.network.enforcement import enforcement

        return enforcement(self.snapshot, self.settings.cni)

    @cached_property
    def members(self) -> Members:
        """The workloads as their mesh sees them."""
        from auditor.facts.mesh import Members

        return Members(self.snapshot, self.workloads)

    @cached_property
    def data(self) -> DataClasses:
        """Who holds personal data, and who may ask for it."""
        from auditor.facts.data import DataClasses

        found = DataClasses(self.snapshot, self.workloads, self.settings.data)
        found.know(self.workloads, self._each("data", found.verdict, "Namespace", "Service"))
        return found

    @cached_property
    def told(self) -> tuple[Told, ...]:
        """What the containers of each workload are told."""
        from auditor.facts.configuration import told_in

        return tuple(self._each("told", told_in(self.snapshot), "ConfigMap"))

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
        from auditor.facts.data.stores import made_by_operators

        return made_by_operators(self.snapshot)

    @cached_property
    def namespaces(self) -> frozenset[str]:
        """Every namespace that something is in."""
        return frozenset(resource.ref.namespace for resource in self.snapshot.resources)

    @cached_property
    def own_addresses(self) -> frozenset[str]:
        """The addresses of pods, Services and nodes, as far as they are known."""
        from auditor.facts.data.stores import own_addresses

        return frozenset(own_addresses(self.snapshot))

    @cached_property
    def databases(self) -> frozenset[Key]:
        """The workloads that keep data for others."""
        from auditor.facts.dependencies import is_database

        told = self.told_of_each("databases", is_database)
        return frozenset(workload.ref.key for workload, its in told if its)

    @cached_property
    def unread(self) -> Mapping[Key, tuple[str, ...]]:
        """The configuration that we do not read, by the identity of the workload that has any:
        ``Secret db-credentials, key url``. Whom it makes the workload ask is not known.
        """
        return {told.workload.ref.key: told.unread for told in self.told if told.unread}

    @cached_property
    def dependencies(self) -> tuple[Dependency, ...]:
        """Who needs whom."""
        from auditor.facts.dependencies import dependencies_of, joined

        for told in self.told:
            for gap in told.gaps:
                self.unknown(gap)
        by_client = {id(told.workload): told for told in self.told}
        found = self._tables.each(
            "dependencies",
            self.workloads,
            lambda client: dependencies_of([by_client[id(client)]], self.directory),
            kept=self.directory is (self._former and self._former.directory),
        )
        return joined(edge for edges in found for edge in edges)

    @cached_property
    def directory(self) -> Directory:
        """The Services by name, each with the workloads behind it."""
        from auditor.facts.dependencies import Directory, Placed
        from auditor.facts.network.ways import Services

        services = Services(self.snapshot)
        kept = self._keeps("Service", "EndpointSlice", "Endpoints")
        placed = self._tables.each(
            "placed",
            self.workloads,
            lambda workload: Placed.among(services, workload),
            kept=kept and not (self._former and self._former.owned),
        )
        before = self._former and self._former.directory
        if before and before.is_of(placed):
            return before if self._keeps("ConfigMap") else before.without_files()
        return Directory(placed)

    @cached_property
    def asking(self) -> Graph:
        """Who seems to ask whom, of his own accord; a part of `graph`."""
        from auditor.facts.dependencies import asking_of

        return asking_of(self)

    @cached_property
    def graph(self) -> Graph:
        """Who needs whom by all evidence there is, each edge with how sure it is."""
        from auditor.facts.dependencies import graph_of

        return graph_of(self)

    @cached_property
    def shown(self) -> Graph:
        """Who needs whom by all evidence but that of policies; a part of `graph`."""
        from auditor.facts.dependencies.graph import shown_of

        return shown_of(self)

    @cached_property
    def escalation(self) -> Escalation:
        """How somebody comes to rights that nobody gave them."""
        from auditor.facts.escalation import Escalation

        return Escalation(self)

    @cached_property
    def rights(self) -> Authorizer:
        """Who may do what, by what was read and by what an API server makes for itself."""
        from auditor.facts.access.authorizer import Authorizer

        return Authorizer.of(self.snapshot, assume_defaults=True)

    @cached_property
    def bindings(self) -> Mapping[Key, Bound]:
        """What each binding gives, by its identity."""
        return {one.binding.ref.key: one for one in self.rights.bound}

    @cached_property
    def bound_to(self) -> Mapping[Key, Sequence[Bound]]:
        """The bindings to each role, by its identity."""
        found: dict[Key, list[Bound]] = {}
        for one in self.rights.bound:
            if one.role is not None:
                found.setdefault(one.role.resource.ref.key, []).append(one)
        return found

    @cached_property
    def account_names(self) -> Mapping[str, Collection[str]]:
        """The names of the service accounts that were read, by namespace."""
        found: dict[str, set[str]] = {}
        for one in self.snapshot.of_kind("ServiceAccount"):
            found.setdefault(one.ref.namespace, set()).add(one.ref.name)
        return found

    @cached_property
    def api(self) -> Api:
        """Who may do what through the API server to workloads that hold personal data."""
        from auditor.facts.paths.permissions import Api
        from auditor.facts.paths.positions import data_of, place_of

        places = {workload.ref.key: place_of(workload) for workload in self.holders}
        return Api(self, places, {w.ref.key: data_of(w) for w in self.holders})

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
    def asked_through(self) -> Mapping[Key, Sequence[Dependency]]:
        """The same, by the identity of the Service that is named."""
        found: dict[Key, list[Dependency]] = {}
        for edge in self.dependencies:
            found.setdefault(edge.service.ref.key, []).append(edge)
        return found

    @cached_property
    def counted(self) -> Mapping[tuple[Key, Key], int]:
        """How many requests of one workload to another were observed."""
        from auditor.facts.dependencies.observed import counts

        return counts(self)

    @cached_property
    def routes_to(self) -> Mapping[Key, Sequence[tuple[Resource, Path]]]:
        """The routes that name each Service, by its identity, with the place of the name."""
        from auditor.facts.dependencies.routes import backends_of

        found: dict[Key, list[tuple[Resource, Path]]] = {}
        for route, (path, space, name, _) in backends_of(self.snapshot):
            found.setdefault(("", "Service", space, name), []).append((route, path))
        return found

    @cached_property
    def slices(self) -> Mapping[Key, Sequence[Resource]]:
        """The EndpointSlices of each Service, by its identity."""
        from auditor.facts.routing.instances import slices_by_service

        return slices_by_service(self.snapshot.of_kind("EndpointSlice"))

    @cached_property
    def leases(self) -> Mapping[tuple[str, str], Resource]:
        """The Leases by namespace and name of the pod that holds them."""
        from auditor.facts.roles import leases_by_holder

        return leases_by_holder(self.snapshot.of_kind("Lease"))

    @cached_property
    def made_by(self) -> Mapping[tuple[str, str], Sequence[Workload]]:
        """The pods that are workloads of their own, by namespace and uid of what made them."""
        from auditor.facts.roles import pods_by_maker

        return pods_by_maker(self.workloads)

    @cached_property
    def crowded(self) -> Mapping[Key, Sequence[Crowded]]:
        """Who stands in the way of a client of a database, by its identity."""
        from auditor.facts.crowding import crowded_by

        return crowded_by(self)

    @cached_property
    def accounts(self) -> Accounts:
        """The service accounts, and what they are granted."""
        from auditor.facts.identity import Accounts

        return Accounts(self.snapshot)

    @cached_property
    def monitor_paths(self) -> Mapping[Key, Path]:
        """Where each workload that watches others says so, by its identity."""
        from auditor.facts.monitors import monitor_path
        from auditor.facts.monitors.known import fetching_path

        told = {id(each.workload): each for each in self.told}
        said = self.told_of_each("monitor", monitor_path)
        fetching = self._each("fetching", lambda w: fetching_path(told[id(w)]), "ConfigMap")
        found = {workload.ref.key: path for workload, path in said if path}
        for workload, path in zip(self.workloads, fetching, strict=True):
            if path:
                found.setdefault(workload.ref.key, path)
        return found

    @cached_property
    def watched(self) -> tuple[tuple[Workload, Health], ...]:
        """The workloads that declare a health API, each with it."""
        from auditor.facts.health import health_of

        asked = self.told_of_each("health", lambda workload: health_of(self, workload))
        return tuple((workload, health) for workload, health in asked if health)

    @cached_property
    def monitors(self) -> tuple[Workload, ...]:
        """The workloads that watch others."""
        return tuple(w for w in self.workloads if w.ref.key in self.monitor_paths)

    @cached_property
    def scrapes(self) -> tuple[Scrape, ...]:
        """What somebody wants monitors to fetch."""
        from auditor.facts.monitors import scrapes_of

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
        from auditor.facts.monitors import Watchers

        return Watchers(self.snapshot, self.monitors)

    @cached_property
    def topology(self) -> Topology:
        """Nodes by name, racks and zones: the order of files, or of who came last, says nothing."""
        from auditor.facts.placement import Topology

        found = Topology.from_snapshot(self.snapshot, self.settings)
        return Topology(tuple(sorted(found.nodes, key=lambda node: node.name)))

    @cached_property
    def namespace_labels(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of every namespace that is declared, with the one that the API server adds."""
        return {
            resource.ref.name: {
                **texts(at(resource.manifest, ("metadata", "labels"))),
                METADATA_NAME: resource.ref.name,
            }
            for resource in self.snapshot.of_kind("Namespace")
        }

    @cached_property
    def standing(self) -> Standing:
        """Where pods stand, and where they may."""
        from auditor.facts.standing import Standing

        return Standing(
            self.snapshot,
            self.workloads,
            self.topology,
            self.namespace_labels,
            self.settings.kubernetes,
        )

    @cached_property
    def scheduling(self) -> Scheduling:
        """How many pods there are to be, and in which domains they stand."""
        from auditor.facts.scheduling.where import Scheduling

        return Scheduling(self)

    @cached_property
    def scalers(self) -> Mapping[Key, Scaler]:
        """The autoscaler of each workload that has one."""
        from auditor.facts.placement.autoscaled import scalers_of

        return scalers_of(self.snapshot)

    @cached_property
    def by_label(self) -> ByLabel:
        """The workloads, found by one of the labels of their pods."""
        from auditor.facts.by_label import ByLabel

        return ByLabel(self.labelled)

    @cached_property
    def guards(self) -> Guards:
        """The PodDisruptionBudgets, and whom they cover."""
        from auditor.facts.disruption import Guards

        return Guards(self)

    @cached_property
    def room(self) -> Room:
        """Whether one more pod has room."""
        from auditor.facts.spare_room import Room

        return Room(self.standing)

    @cached_property
    def updates(self) -> Updates:
        """What updates pass through."""
        from auditor.facts.updating import Updates

        return Updates(self)

    @cached_property
    def keeper(self) -> Keeper:
        """What is asked of all NetworkPolicies at once."""
        from auditor.facts.upkeep import Keeper

        return Keeper(self)

    @cached_property
    def misread(self) -> tuple[Gap, ...]:
        """What the workloads declare of themselves and that means nothing."""
        said = self._each("misread", self._misread, "Namespace", "Service")
        found: list[Gap] = []
        for workload, gaps in zip(self.workloads, said, strict=True):
            # Whether somebody is called as a client is no matter of the workload alone.
            found += self.data.misread(workload) if gaps is None else gaps
        return tuple(dict.fromkeys(found))

    def _misread(self, workload: Workload) -> tuple[Gap, ...] | None:
        names_others = self.data.clients_declared(workload) is not None
        return None if names_others else tuple(self.data.misread(workload))

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
        from auditor.facts.reads import alike

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
                told[name] = self._said(name, resource)
        return {name: told[name] for name in names if told[name] is not None}

    def _said(self, name: str, resource: Resource) -> Any:
        """What a fact says of an object. Where several are written with one identity, facts about
        workloads are about the one that counts, and told once for all of them.
        """
        fact = FACTS[name]
        if not fact.is_of_workloads or resource.ref.key not in self.snapshot.repeated:
            return fact.tell(self, resource)
        about = (name, resource.ref.key)
        if about not in self._of_repeated:
            self._of_repeated[about] = fact.tell(self, resource)
        return self._of_repeated[about]

    def spoken_of(self, names: Iterable[str]) -> Collection[Key] | None:
        """The identities of the objects of which any of these facts has anything to say; None where
        that may be any.
        """
        found: set[Key] = set()
        for name in names:
            of = FACTS[name].of
            if of is None:
                return None
            found.update(of(self))
        return found


def _former(before: Facts | None, snapshot: Snapshot) -> Former | None:
    """What facts of the snapshot before leave to those of this one; None where that is nothing."""
    from auditor.facts.network.succession import changes

    told = vars(before) if before else {}
    if before is None:
        return None
    if before._former and not before.audited:  # noqa: SLF001 - of the same class
        former = before._former  # noqa: SLF001
        since = changes(former.snapshot, snapshot)
        return None if since is None else replace(former, changed=since)
    if "workloads" not in told:
        return None
    network = _network_of(before)
    was = before.snapshot
    changed = network.changes_to(snapshot) if network else changes(was, snapshot)
    if changed is None:
        return None
    rows = before._tables.rows  # noqa: SLF001
    # Else each would hold the one before it, and the last one all of them.
    before._former = None  # noqa: SLF001
    return Former(
        was, changed, before.workloads, rows, told.get("directory"), told.get("ill_formed")
    )


def _network_before(before: Facts | None) -> Network | None:
    """The last network before."""
    found = _network_of(before)
    if found is None and before and not before.audited:
        return before._network_before  # noqa: SLF001 - of the same class
    return found


def _network_of(facts: Facts | None) -> Network | None:
    """Its network, where somebody has asked for it."""
    found: Network | None = vars(facts).get("network") if facts else None
    return found


def facts_of(snapshot: Snapshot, settings: Settings) -> Facts:
    """The facts that were last computed of this very snapshot, where that was with these settings;
    else new ones.
    """
    kept = vars(snapshot).get("_facts")
    if isinstance(kept, Facts) and kept.settings == settings:
        return kept
    return Facts(snapshot, settings)
