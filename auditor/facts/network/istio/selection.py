"""Which policies and modes one sidecar has; targets that have the same are of one kind."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from auditor.facts.network.istio.callers import Callers
from auditor.facts.network.istio.conditions import Compiled, Dropped, base_field, compiled
from auditor.facts.network.istio.destinations import Destinations
from auditor.facts.network.istio.judgement import Enforced
from auditor.facts.network.istio.matching import IPAddress
from auditor.facts.network.istio.peer_authentication import (
    Modes,
    PeerAuthentication,
    compose,
    selects,
)
from auditor.facts.network.istio.policies import AuthorizationPolicy
from auditor.facts.network.istio.settings import Settings, spoken
from auditor.facts.network.istio.tokens import Place, Tokens
from auditor.facts.network.points import labels_of
from auditor.facts.network.ways.services import Services
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.model import Ref, Snapshot
from auditor.values import dataclass

_Object = TypeVar("_Object", AuthorizationPolicy, PeerAuthentication)
_Selecting = tuple[tuple[AuthorizationPolicy, Truth], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """What the sidecars of one kind of targets have. Two with the same content are one object."""

    modes: Modes
    policies: _Selecting
    """Those that select it or may: of the mesh first, then the oldest."""
    protocols: Mapping[int, frozenset[str]]
    """Port of the pod → what the Services that lead there say that it speaks."""
    http: tuple[Enforced, ...]
    """What is enforced on HTTP, and on what is none."""
    tcp: tuple[Enforced, ...]
    broken: tuple[Ref, ...]
    """The policies that Envoy cannot load."""
    addresses: tuple[IPAddress, ...] | None
    """Of its pods, where any policy asks."""
    token_places: frozenset[Place]
    asks_addresses: bool
    """Whether any policy asks where a caller is."""
    told_otherwise: Ref | None = None
    """A DestinationRule that may keep callers from using mTLS."""


class Selection:
    """What the sidecar of each target has.

    Cost: of the first question about a target, one look at each policy of its namespace and of the
    mesh; what follows from it is kept.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        settings: Settings,
        callers: Callers,
        policies: Iterable[AuthorizationPolicy],
        peers: Iterable[PeerAuthentication],
    ) -> None:
        self.services = Services(snapshot)
        self.judging = tuple(p for p in policies if not p.targeted and not p.unreadable)
        """The policies that may mean a sidecar."""
        self._settings = settings
        self._callers = callers
        self._destinations = Destinations(snapshot)
        self._tokens = Tokens(snapshot, settings.root)
        self._policies = _grouped(self.judging)
        self._peers = _grouped(peers)
        self._rules: dict[tuple[Ref, bool], tuple[Compiled | Dropped, ...]] = {}
        self._of: dict[Ref, tuple[Workload, Selected]] = {}
        self._kinds: dict[Hashable, Selected] = {}

    def of(self, target: Workload) -> Selected:
        """What the sidecar of `target` has, or would have."""
        known = self._of.get(target.ref)
        # The same object may be asked about as it would be after a change.
        if known is None or known[0] is not target:
            known = self._of[target.ref] = (target, self._selected(target))
        return known[1]

    def _selected(self, target: Workload) -> Selected:
        selecting = tuple(self._selecting(target))
        selected = Selected(
            modes=self._modes(target),
            policies=selecting,
            protocols=self._protocols(target),
            http=tuple(self._enforced(selecting, http=True)),
            tcp=tuple(self._enforced(selecting, http=False)),
            broken=tuple(policy.ref for policy, _ in selecting if _is_broken(policy)),
            addresses=self._addresses(target, selecting),
            token_places=self._tokens.places(target),
            asks_addresses=any(_asks(p, "ipBlocks", "remoteIpBlocks") for p, _ in selecting),
            told_otherwise=self._destinations.otherwise(s.ref for s in self.services.of(target)),
        )
        return self._kinds.setdefault(_content(selected), selected)

    def _scopes(self, target: Workload) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self._settings.root, target.ref.namespace)))

    def _selecting(self, target: Workload) -> Iterator[tuple[AuthorizationPolicy, Truth]]:
        labels = labels_of(target)
        for scope in self._scopes(target):
            for policy in self._policies.get(scope, ()):
                truth = selects(policy.labels, labels)
                if truth > Truth.NO:
                    yield policy, truth

    def _modes(self, target: Workload) -> Modes:
        peers = [peer for scope in self._scopes(target) for peer in self._peers.get(scope, ())]
        return compose(peers, self._settings.root, target.ref.namespace, labels_of(target))

    def _protocols(self, target: Workload) -> Mapping[int, frozenset[str]]:
        found: dict[int, set[str]] = {}
        for lead in self.services.leads(target):
            if lead.protocol == "TCP":
                found.setdefault(lead.number, set()).add(spoken(lead.entry))
        return {port: frozenset(kinds) for port, kinds in found.items()}

    def _addresses(self, target: Workload, selecting: _Selecting) -> tuple[IPAddress, ...] | None:
        asked = any(_asks(policy, "destination.ip") for policy, _ in selecting)
        return self._callers.addresses(target) if asked else None

    def _enforced(self, selecting: _Selecting, *, http: bool) -> Iterator[Enforced]:
        for policy, truth in selecting:
            if not policy.dry_run and not _is_broken(policy):
                yield Enforced(policy, truth, self._compiled(policy, http=http))

    def _compiled(
        self, policy: AuthorizationPolicy, *, http: bool
    ) -> tuple[Compiled | Dropped, ...]:
        key = (policy.ref, http)
        if key not in self._rules:
            home, domains = policy.ref.namespace, self._settings.domains
            self._rules[key] = tuple(
                compiled(rule, policy.action, home, domains, http=http) for rule in policy.rules
            )
        return self._rules[key]


def _grouped(objects: Iterable[_Object]) -> Mapping[str, Sequence[_Object]]:
    found: dict[str, list[_Object]] = {}
    for each in objects:
        found.setdefault(each.ref.namespace, []).append(each)
    return found


def _is_broken(policy: AuthorizationPolicy) -> bool:
    return any(refusal.by == "envoy" for refusal in policy.refusals)


def _asks(policy: AuthorizationPolicy, *fields: str) -> bool:
    return any(base_field(clause) in fields for rule in policy.rules for clause in rule.clauses)


def _content(selected: Selected) -> Hashable:
    """What two targets have in common that are of one kind."""
    modes = selected.modes
    return (
        modes.default,
        frozenset(modes.ports.items()),
        modes.unsure,
        tuple((policy.ref, truth) for policy, truth in selected.policies),
        frozenset(selected.protocols.items()),
        selected.addresses,
        selected.token_places,
        selected.told_otherwise,
    )
