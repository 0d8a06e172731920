"""One graph of who can get at personal data, of all that leads from one position to the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from auditor.facts.paths.permissions import Api
from auditor.facts.paths.positions import (
    INTERNET,
    Means,
    Position,
    Why,
    data_of,
    place_of,
    unique,
)
from auditor.facts.paths.reaching import SURE, over_network, spoken, why_spoken
from auditor.facts.paths.search import Ways, search
from auditor.facts.paths.shared import by_credentials, by_node, by_volume
from auditor.facts.workloads import Workload
from auditor.memory import collector_paused
from auditor.model import Key

if TYPE_CHECKING:
    from auditor.facts.dependencies import Edge
    from auditor.facts.facts import Facts


class PathGraph:
    """The graph of one snapshot, to its stores of personal data or to other workloads."""

    def __init__(self, facts: Facts, stores: Sequence[Workload] | None = None) -> None:
        """`stores`: to these workloads instead of those that are declared to hold personal data."""
        self._facts = facts
        held = facts.holders if stores is None else stores
        self.places: Mapping[Key, Position] = {
            workload.ref.key: place_of(workload) for workload in facts.workloads
        }
        self.stores = tuple(self.places[workload.ref.key] for workload in held)
        self.data: Mapping[Key, Position] = {
            workload.ref.key: data_of(workload) for workload in held
        }
        self._api = Api(facts, self.places, self.data)

    @cached_property
    def means(self) -> tuple[Means, ...]:
        """Everything that leads somewhere, what is the simplest to do first."""
        with collector_paused():
            return tuple(self._found())

    @cached_property
    def into(self) -> Mapping[Position, Sequence[Means]]:
        """The means by where they lead."""
        found: dict[Position, list[Means]] = {}
        for means in self.means:
            for target in means.targets:
                found.setdefault(target, []).append(means)
        return found

    @property
    def starts(self) -> tuple[Position, ...]:
        """From where somebody may set out: the internet, every workload, every bound subject."""
        return (INTERNET, *self.places.values(), *self._api.subjects.known.values())

    def clients(self, store: Position) -> tuple[Position, ...]:
        """The declared clients of a store that reach it, as far as policies tell."""
        assert store.workload
        named = self._facts.data.clients_of(store.workload) or {}
        clients = {client.ref.key: client for found in named.values() for client in found}
        return tuple(
            self.places[key]
            for key, client in clients.items()
            if key != store.workload.ref.key and spoken(self._facts, client, store.workload)
        )

    def ways(self, store: Position, without: frozenset[Means] = frozenset()) -> Ways:
        """The shortest paths to a store, as if the means in `without` were not there."""
        assert store.workload
        data = self.data[store.workload.ref.key]
        goals = frozenset((data, store, *self.clients(store)))
        return search(self.into, store, goals, without)

    def why(self, source: Position, means: Means, target: Position) -> Why:
        """What makes a step possible."""
        known = means.whys.get(target)
        if known is not None:
            return known
        assert source.workload
        assert target.workload
        return why_spoken(self._facts, source.workload, target.workload)

    def broken_into(self, store: Position) -> Iterator[tuple[Position, Means]]:
        """The clients of a store that somebody may speak to who is not known to need them: whoever
        breaks into one gets at the data through it.
        """
        for client in self.clients(store):
            for means in self.into.get(client, ()):
                if means.approach and means.kind == "network":
                    yield client, means

    def needs_of(self, means: Means) -> Iterator[Edge]:
        """Who seems to need what some means over the network give, and is no declared client: the
        surest evidence of each.
        """
        seen: set[Key] = set()
        sources = {source.workload.ref.key for source in means.sources if source.workload}
        for target in means.targets if means.kind == "network" else ():
            for edge in self._facts.shown.to(target.workload) if target.workload else ():
                if edge.confidence < SURE or not isinstance(edge.source, Workload):
                    continue
                if edge.source.ref.key in sources - seen:
                    seen.add(edge.source.ref.key)
                    yield edge

    def on_nodes(self) -> Iterator[Means]:
        """For each workload that owns its node, what it reaches through it."""
        return (means for means in self.means if means.kind == "node")

    def _found(self) -> Iterator[Means]:
        facts, api = self._facts, self._api
        clients = unique(client for store in self.stores for client in self.clients(store))
        first = unique((*self.stores, *clients))
        identities = list(api.identities())
        acting = unique(source for one in identities for source in one.sources if source.workload)
        owners = tuple(self.places[owner.ref.key] for owner, _, _ in facts.keeper.owners)
        shared = [
            *by_volume(facts, self.places, self.data),
            *by_credentials(facts, self.places, self.data),
        ]
        sharing = unique(source for one in shared for source in one.sources)
        matters = unique((*first, *acting, *owners, *sharing))
        yield from over_network(facts, self.places, self.data, _workloads(matters))
        yield from api.steps(_workloads(matters))
        yield from by_node(facts, self.places, _workloads(unique((*first, *acting))))
        yield from shared
        yield from identities


def _workloads(positions: Sequence[Position]) -> tuple[Workload, ...]:
    return tuple(position.workload for position in positions if position.workload)
