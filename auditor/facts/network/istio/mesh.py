"""Judges a request at the sidecar of its target: who may connect at all, then what policies say.

Where the answer depends on something that is not known, every possibility is judged; only if they
agree is that the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import product
from typing import TypeVar

from auditor.facts.network.answers import InvalidPolicy, Peer, Reason
from auditor.facts.network.istio import policies as written
from auditor.facts.network.istio.admission import read_policy
from auditor.facts.network.istio.callers import Caller, Callers
from auditor.facts.network.istio.conditions import (
    SPIFFE,
    Compiled,
    Dropped,
    Seen,
    base_field,
    compiled,
)
from auditor.facts.network.istio.judgement import Enforced, agreed, judged
from auditor.facts.network.istio.matching import IPAddress
from auditor.facts.network.istio.peer_authentication import (
    KIND as PEER_AUTHENTICATION,
)
from auditor.facts.network.istio.peer_authentication import (
    MODES,
    Mode,
    Modes,
    PeerAuthentication,
    age,
    compose,
    parse_peer_authentication,
    selects,
)
from auditor.facts.network.istio.policies import AuthorizationPolicy, Refusal
from auditor.facts.network.istio.settings import Settings, read_settings, spoken
from auditor.facts.network.istio.sidecars import OWN_PORTS, Capture
from auditor.facts.network.istio.tokens import Place, Tokens, may_hold
from auditor.facts.network.istio.traffic import Refused, is_http, views
from auditor.facts.network.istio.witnesses import Questions, Witnesses, witnesses
from auditor.facts.network.points import labels_of
from auditor.facts.network.requests import Identity, Request, Ruling, Verdict
from auditor.facts.network.ways.services import Services
from auditor.facts.selectors import Truth
from auditor.facts.workloads import LAST_PORT, Workload
from auditor.manifests import leaves
from auditor.model import Gap, Ref, Resource, Snapshot, Unseen

READ = (written.KIND, PEER_AUTHENTICATION)
"""The kinds of group security.istio.io that have a part in the answer."""

_UNJUDGED = ("EnvoyFilter", "Sidecar", "WasmPlugin")
"""Kinds that may change what a sidecar does with a request."""

CACHED = 1 << 16
"""How many rulings are kept: some tens of megabytes."""

SNIFFED = frozenset(("auto",))

_NO_HTTP = Reason(None, (), "what is sent is no HTTP, which is all that the port takes")
_AMBIENT = "the target is of an ambient namespace, whose proxies are not judged yet"
_GATEWAY = "the target is a gateway or a waypoint, whose proxies are not judged yet"
_HBONE = "connections over HBONE are not judged yet"


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """What one workload's sidecar has."""

    modes: Modes
    policies: tuple[tuple[AuthorizationPolicy, Truth], ...]
    """Those that select it or may: of the mesh first, then the oldest."""
    protocols: Mapping[int, frozenset[str]]
    """Port of the pod → what the Services that lead there say that it speaks."""
    http: tuple[Enforced, ...]
    """What is enforced on HTTP, and on what is none."""
    tcp: tuple[Enforced, ...]
    broken: tuple[Ref, ...]
    """The policies that Envoy cannot load."""
    addresses: tuple[IPAddress, ...] | None
    """Of its pods."""
    token_places: frozenset[Place]
    asks_addresses: bool
    """Whether any policy asks where a caller is."""


@dataclass(frozen=True, slots=True)
class _Connection:
    """How a request may arrive."""

    mode: Mode
    identity: str | None
    mtls: bool


class Mesh:
    """The sidecars of a snapshot.

    Cost: to build, one pass over the snapshot, each policy parsed once; without an object of Istio
    nothing is read. The first question about a target looks at every policy of its namespace and of
    the mesh; what follows from it is kept. A ruling then costs some tens of microseconds.
    """

    def __init__(self, snapshot: Snapshot, before: Mesh | None = None) -> None:
        """Of `before`, a mesh over most of the same objects, what was parsed is taken over."""
        self.snapshot = snapshot
        self._before = _Parsed.of(before)
        self.present = any(
            resource.ref.group == "istio.io" or resource.ref.group.endswith(".istio.io")
            for resource in snapshot.resources
        )
        """Whether there is any object of Istio."""
        self._of: dict[Ref, tuple[Workload, Selected]] = {}
        self._rules: dict[tuple[Ref, bool], tuple[Compiled | Dropped, ...]] = {}
        self._judged = lru_cache(CACHED)(self._through)

    @cached_property
    def policies(self) -> tuple[AuthorizationPolicy, ...]:
        """Every AuthorizationPolicy, the oldest first."""
        found = sorted(_of_group(self.snapshot, written.KIND), key=age)
        return tuple(self._before.policy(resource) for resource in found)

    @cached_property
    def peer_authentications(self) -> tuple[PeerAuthentication, ...]:
        """Every PeerAuthentication, in the order read."""
        found = _of_group(self.snapshot, PEER_AUTHENTICATION)
        return tuple(map(parse_peer_authentication, found))

    @cached_property
    def _by_namespace(self) -> Mapping[str, tuple[AuthorizationPolicy, ...]]:
        return _grouped(p for p in self.policies if not p.targeted and not p.unreadable)

    @cached_property
    def _peers(self) -> Mapping[str, tuple[PeerAuthentication, ...]]:
        return _grouped(self.peer_authentications)

    @cached_property
    def settings(self) -> Settings:
        """How the mesh is set up."""
        return read_settings(self.snapshot)

    @cached_property
    def _callers(self) -> Callers:
        return Callers(self.snapshot, self.settings)

    @cached_property
    def _services(self) -> Services:
        return Services(self.snapshot)

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(self.snapshot, self.settings.root)

    @cached_property
    def _overridden(self) -> bool:
        """Whether a DestinationRule says how callers connect."""
        return any(_sets_tls(rule) for rule in self.snapshot.of_kind("DestinationRule"))

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Who would not take which policy, and why. What they say has its part in rulings all the
        same: they may have been stored before anybody looked.
        """
        objects: tuple[AuthorizationPolicy | PeerAuthentication, ...] = (
            *self.policies, *self.peer_authentications,
        )  # fmt: skip
        return tuple(refusal for policy in objects for refusal in policy.refusals)

    @property
    def invalid(self) -> tuple[InvalidPolicy, ...]:
        """The policies that somebody would not take, each once, with the first reason."""
        once = {refusal.invalid.ref: refusal.invalid for refusal in reversed(self.refused)}
        return tuple(reversed(once.values()))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What may change what sidecars do, and has no part in the answer."""
        return tuple(_gaps(self.snapshot, self.settings.unknown))

    def modes(self, target: Workload) -> Mapping[int | str, Mode]:
        """The mTLS mode of each port of the pod that has its own, and of every other one under
        ``default``. Empty where the target has surely no sidecar.
        """
        if self._callers.capture(target).sidecar is Truth.NO:
            return {}
        found = self._selected(target).modes
        ports: dict[int | str, Mode] = {port: s.mode for port, s in found.ports.items()}
        return ports | {"default": found.default.mode}

    def capture(self, target: Workload) -> Capture:
        """Whether a sidecar takes the traffic of `target`, and on which ports."""
        return self._callers.capture(target)

    def selecting(
        self, target: Workload, *, possibly: bool = False
    ) -> tuple[AuthorizationPolicy, ...]:
        """The policies that select `target`, whether it has a sidecar or not; with `possibly`, also
        those of which it cannot be told.
        """
        least = Truth.MAYBE if possibly else Truth.YES
        found = self._selected(target).policies
        return tuple(policy for policy, truth in found if truth >= least)

    def speaks(self, target: Workload, port: int) -> frozenset[str]:
        """What a port of the pod speaks by the Services that lead there: ``http``, ``tcp``,
        ``auto`` (the proxy looks at what is sent). More than one where they differ.
        """
        return self._selected(target).protocols.get(port, SNIFFED)

    def requests(
        self,
        target: Workload,
        port: int,
        *,
        paths: Iterable[str] = (),
        methods: Iterable[str] = (),
    ) -> tuple[Request, ...]:
        """A request for each set of those that the policies of `target` do not tell apart, nor
        `paths` and `methods`, which are written as in a policy.
        """
        return self.witnesses(target, port, paths=paths, methods=methods).requests

    def witnesses(
        self,
        target: Workload,
        port: int,
        *,
        paths: Iterable[str] = (),
        methods: Iterable[str] = (),
    ) -> Witnesses:
        """The same, with whether every set is there: their number has a bound. Transport and caller
        are not of them: each has to be asked about.
        """
        asked = self.questions(target, paths=paths, methods=methods)
        serving = [lead.service for lead in self._services.leads(target) if lead.number == port]
        name = serving[0].ref.name if serving else target.ref.name
        host = f"{name}.{target.ref.namespace}.svc.cluster.local"
        speaks = self.speaks(target, port)
        return witnesses(asked, port, self.settings.normalization, speaks, host)

    def questions(
        self, target: Workload, *, paths: Iterable[str] = (), methods: Iterable[str] = ()
    ) -> Questions:
        """What tells requests to `target` apart."""
        found = [policy for policy, _ in self._selected(target).policies if not policy.dry_run]
        return Questions.of(found, paths, methods)

    def caller(self, peer: Peer | Identity) -> Caller:
        """What sidecars learn of `peer`: whoever is equal in this gets equal rulings.

        Raises:
            ValueError: an address is none.
        """
        return self._callers.of(peer)

    def ports(self, target: Workload) -> tuple[int, ...]:
        """The TCP ports of the pods of `target` that anything of the mesh tells from all others,
        ascending: policies, modes of mTLS, Services, or that no sidecar takes their traffic.
        """
        selected, taken = self._selected(target), self._callers.capture(target)
        found = {*selected.modes.ports, *selected.protocols, *OWN_PORTS, *taken.excluded}
        found.update(taken.included or ())
        for policy, _ in selected.policies:
            for clause in (clause for rule in policy.rules for clause in rule.clauses):
                if clause.field in ("ports", "destination.port"):
                    found.update(map(int, filter(_is_port, (*clause.values, *clause.unwanted))))
        return tuple(sorted(port for port in found if 0 < port <= LAST_PORT))

    def ruling(self, caller: Peer | Identity, target: Workload, request: Request) -> Ruling:
        """What the sidecar of `target` does with a request that arrives at its pod.

        Raises:
            ValueError: the address of the caller is none.
        """
        taken = self._callers.capture(target)
        past = self._past(taken, request)
        if past:
            return past
        selected, known = self._selected(target), self._callers.of(caller)
        if not selected.asks_addresses:
            known = replace(known, addresses=None)
        found = self._judged(known, selected, request)
        if taken.sidecar is Truth.YES or found.verdict is Verdict.ALLOWED:
            return found
        return Ruling(Verdict.UNDEFINED, found.reasons, (taken.why, *found.unknown))

    def _past(self, taken: Capture, request: Request) -> Ruling | None:
        """The answer where no sidecar sees the request."""
        if taken.ambient or taken.gateway:
            return Ruling(Verdict.UNDEFINED, (), (_AMBIENT if taken.ambient else _GATEWAY,))
        if request.protocol != "TCP":
            why = "sidecars take TCP alone"
        elif taken.sidecar is Truth.NO:
            why = f"no sidecar judges it: {taken.why}"
        else:
            why = taken.bypasses(request.port)
        return Ruling(Verdict.ALLOWED, (Reason(None, (), why),)) if why else None

    def _through(self, caller: Caller, selected: Selected, request: Request) -> Ruling:
        if request.transport == "hbone":
            return Ruling(Verdict.UNDEFINED, (), (_HBONE,))
        if selected.broken:
            why = f"Envoy cannot load {selected.broken[0]}, and keeps what it had before"
            return Ruling(Verdict.UNDEFINED, (), (why,))
        connections, doubts = self._connections(caller, selected, request)
        speaks = selected.protocols.get(request.port, SNIFFED)
        found = [
            self._connected(connection, protocol, caller, selected, request)
            for connection, protocol in product(connections, speaks)
        ]
        return agreed(found, doubts)

    def _connections(
        self, caller: Caller, selected: Selected, request: Request
    ) -> tuple[tuple[_Connection, ...], tuple[str, ...]]:
        """The ways in which the request may arrive, and why there are several."""
        mode = selected.modes.of(request.port).mode
        modes = MODES if selected.modes.unsure else (mode,)
        doubts = [f"it cannot be told whether {ref} selects it" for ref in selected.modes.unsure]
        found = []
        for each in modes:
            ways, doubt = self._transports(caller, each, selected, request)
            doubts += [doubt] if doubt else []
            found += [_Connection(each, caller.identity if m else "", m) for m in ways]
        return tuple(found), tuple(dict.fromkeys(doubts))

    def _transports(
        self, caller: Caller, mode: Mode, selected: Selected, request: Request
    ) -> tuple[tuple[bool, ...], str]:
        """Whether it uses mTLS, both where that is not known, with the reason."""
        if request.transport is not None:
            return (request.transport == "mtls",), ""
        if caller.sidecar is Truth.NO or mode == "DISABLE":
            return (False,), ""
        if caller.sidecar is Truth.MAYBE:
            return (True, False), caller.why
        if request.port not in selected.protocols:
            return (True, False), "no Service leads to the port, which decides whether mTLS is used"
        if self._overridden or not self.settings.auto_mtls:
            return (True, False), "settings of the mesh may turn mTLS off at the caller"
        return (True,), ""

    def _connected(
        self,
        connection: _Connection,
        speaks: str,
        caller: Caller,
        selected: Selected,
        request: Request,
    ) -> Ruling:
        """What becomes of a request on one connection to a port that speaks one protocol."""
        stop = self._not_connected(connection, selected, request)
        if stop:
            return Ruling(Verdict.DENIED, (stop,))
        http = is_http(request) and speaks != "tcp"
        if connection.mtls and connection.mode == "DISABLE":
            # The proxy does not open TLS here: what it sees is bytes of nobody.
            connection, http = replace(connection, identity="", mtls=False), False
        if speaks == "http" and not http:
            return Ruling(Verdict.DENIED, (_NO_HTTP,))
        base = Seen(
            port=request.port,
            identity=connection.identity,
            peer=caller.addresses,
            remote=caller.addresses,
            local=selected.addresses,
            sni=request.sni if connection.mtls else "",
            token=http and may_hold(selected.token_places, request),
        )
        if not http:
            return judged(selected.tcp, base, self.settings.providers)
        seen = views(request, base, self.settings.normalization)
        return agreed([self._seen(selected, each) for each in seen], ())

    def _not_connected(
        self, connection: _Connection, selected: Selected, request: Request
    ) -> Reason | None:
        """Why there is no connection; None where there is one."""
        if connection.mode == "STRICT" and not connection.mtls:
            said = selected.modes.of(request.port).reason
            return Reason(said.ref, said.path, "STRICT refuses plain text")
        if not connection.mtls or not connection.identity or connection.mode == "DISABLE":
            return None
        domain = connection.identity.removeprefix(SPIFFE).partition("/")[0]
        if domain in self.settings.domains.names:
            return None
        return Reason(None, (), f"the trust domain {domain} is none of the mesh")

    def _seen(self, selected: Selected, seen: Seen | Refused) -> Ruling:
        if isinstance(seen, Refused):
            return Ruling(Verdict.DENIED, (Reason(None, (), seen.why),))
        return judged(selected.http, seen, self.settings.providers)

    def _selected(self, target: Workload) -> Selected:
        known = self._of.get(target.ref)
        # The same object may be asked about as it would be after a change.
        if known is None or known[0] is not target:
            known = self._of[target.ref] = (target, self._select(target))
        return known[1]

    def _select(self, target: Workload) -> Selected:
        labels, root = labels_of(target), self.settings.root
        home = target.ref.namespace
        scopes = dict.fromkeys((root, home))
        found = [
            (policy, selects(policy.labels, labels))
            for scope in scopes
            for policy in self._by_namespace.get(scope, ())
        ]
        peers = [peer for scope in scopes for peer in self._peers.get(scope, ())]
        selecting = tuple((policy, truth) for policy, truth in found if truth > Truth.NO)
        protocols: dict[int, set[str]] = {}
        for lead in self._services.leads(target):
            if lead.protocol == "TCP":
                protocols.setdefault(lead.number, set()).add(spoken(lead.entry))
        return Selected(
            modes=compose(peers, root, home, labels),
            policies=selecting,
            protocols={port: frozenset(kinds) for port, kinds in protocols.items()},
            http=tuple(self._enforced(selecting, http=True)),
            tcp=tuple(self._enforced(selecting, http=False)),
            broken=tuple(policy.ref for policy, _ in selecting if _is_broken(policy)),
            addresses=self._callers.addresses(target),
            token_places=self._tokens.places(target),
            asks_addresses=any(_asks_addresses(policy) for policy, _ in selecting),
        )

    def _enforced(
        self, selecting: Sequence[tuple[AuthorizationPolicy, Truth]], *, http: bool
    ) -> Iterator[Enforced]:
        for policy, truth in selecting:
            if not policy.dry_run and not _is_broken(policy):
                yield Enforced(policy, truth, self._compiled(policy, http=http))

    def _compiled(
        self, policy: AuthorizationPolicy, *, http: bool
    ) -> tuple[Compiled | Dropped, ...]:
        key = (policy.ref, http)
        if key not in self._rules:
            home, domains = policy.ref.namespace, self.settings.domains
            self._rules[key] = tuple(
                compiled(rule, policy.action, home, domains, http=http) for rule in policy.rules
            )
        return self._rules[key]


def _is_broken(policy: AuthorizationPolicy) -> bool:
    return any(refusal.by == "envoy" for refusal in policy.refusals)


def _asks_addresses(policy: AuthorizationPolicy) -> bool:
    asked = ("ipBlocks", "remoteIpBlocks")
    return any(base_field(clause) in asked for rule in policy.rules for clause in rule.clauses)


_Object = TypeVar("_Object", AuthorizationPolicy, PeerAuthentication)


def _grouped(objects: Iterable[_Object]) -> Mapping[str, tuple[_Object, ...]]:
    found: dict[str, list[_Object]] = {}
    for each in objects:
        found.setdefault(each.ref.namespace, []).append(each)
    return {namespace: tuple(here) for namespace, here in found.items()}


class _Parsed:
    """The policies of another mesh, by the objects that they were parsed from."""

    def __init__(self, policies: Iterable[AuthorizationPolicy]) -> None:
        self._known = {policy.ref: policy for policy in policies}

    @classmethod
    def of(cls, mesh: Mesh | None) -> _Parsed:
        return cls(mesh.policies if mesh else ())

    def policy(self, resource: Resource) -> AuthorizationPolicy:
        known = self._known.get(resource.ref)
        return known if known and known.resource is resource else read_policy(resource)


def _of_group(snapshot: Snapshot, kind: str) -> Iterator[Resource]:
    """Each object of a kind of Istio's once."""
    for resource in snapshot.of_kind(kind):
        if resource.ref.group == written.GROUP and snapshot.find(resource.ref) is resource:
            yield resource


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6


def _sets_tls(rule: Resource) -> bool:
    return any("tls" in path for path, _ in leaves(rule.manifest.get("spec")))


def _gaps(snapshot: Snapshot, unknown: Sequence[str]) -> Iterator[Gap]:
    for resource in snapshot.of_kind(*_UNJUDGED):
        if resource.ref.group.endswith("istio.io"):
            why = "it may change what sidecars do, which has no part in the answer"
            yield Gap(str(resource.ref), why, Unseen.UNKNOWN, ref=resource.ref)
    for why in unknown:
        yield Gap("istio-system/istio[ConfigMap]", why, Unseen.INCOMPLETE)
