"""Judges a request at the sidecar of its target: who may connect at all, then what policies say.

Where the answer depends on something that is not known, every possibility is judged; only if they
agree is that the verdict.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from itertools import product

from auditor.facts.network.answers import InvalidPolicy, Peer, Reason
from auditor.facts.network.istio import policies as written
from auditor.facts.network.istio.admission import read_policy
from auditor.facts.network.istio.callers import Caller, Callers
from auditor.facts.network.istio.classes import Classes
from auditor.facts.network.istio.conditions import SPIFFE, Seen
from auditor.facts.network.istio.judgement import agreed, judged
from auditor.facts.network.istio.peer_authentication import (
    KIND as PEER_AUTHENTICATION,
)
from auditor.facts.network.istio.peer_authentication import (
    MODES,
    Mode,
    PeerAuthentication,
    age,
    parse_peer_authentication,
)
from auditor.facts.network.istio.policies import AuthorizationPolicy, Refusal
from auditor.facts.network.istio.selection import Selected, Selection
from auditor.facts.network.istio.settings import Settings, read_settings
from auditor.facts.network.istio.sidecars import OWN_PORTS, Capture
from auditor.facts.network.istio.tokens import may_hold
from auditor.facts.network.istio.traffic import Refused, is_http, views
from auditor.facts.network.istio.witnesses import Questions, Witnesses, witnesses
from auditor.facts.network.requests import Identity, Request, Ruling, Verdict
from auditor.facts.selectors import Truth
from auditor.facts.workloads import LAST_PORT, Workload
from auditor.model import Gap, Ref, Resource, Snapshot, Unseen
from auditor.values import dataclass

READ = (written.KIND, PEER_AUTHENTICATION)
"""The kinds of group security.istio.io that have a part in the answer."""

_UNJUDGED = ("EnvoyFilter", "Sidecar", "WasmPlugin")
"""Kinds that may change what a sidecar does with a request."""

CACHED = 1 << 16
"""How many rulings are kept: some tens of megabytes."""

SNIFFED = frozenset(("auto",))

_NO_HTTP = Reason(None, (), "what is sent is no HTTP, which is all that the port takes")
_TELLING = (*READ, *_UNJUDGED, "RequestAuthentication", "DestinationRule")

_AMBIENT = "the target is of an ambient namespace, whose proxies are not judged yet"
_GATEWAY = "the target is a gateway or a waypoint, whose proxies are not judged yet"
_HBONE = "connections over HBONE are not judged yet"

_Asked = tuple[Selected, int, str, tuple[str, ...], tuple[str, ...]]
"""What witnesses depend on: the target's kind, the port, whom they name, what else is asked."""


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
            resource.ref.group.endswith(".istio.io") for resource in snapshot.of_kind(*_TELLING)
        )
        """Whether there is any object of Istio that sidecars ask, or that may change them."""
        self._witnesses: dict[_Asked, Witnesses] = {}
        self._known: dict[Ref, tuple[Workload, Caller]] = {}
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
    def settings(self) -> Settings:
        """How the mesh is set up."""
        return read_settings(self.snapshot)

    @cached_property
    def _callers(self) -> Callers:
        return Callers(self.snapshot, self.settings)

    @cached_property
    def _selection(self) -> Selection:
        found = (self.policies, self.peer_authentications)
        return Selection(self.snapshot, self.settings, self._callers, *found)

    @cached_property
    def _classes(self) -> Classes:
        return Classes(self._selection.judging, self.settings.domains)

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
        found = self._selection.of(target).modes
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
        found = self._selection.of(target).policies
        return tuple(policy for policy, truth in found if truth >= least)

    def speaks(self, target: Workload, port: int) -> frozenset[str]:
        """What a port of the pod speaks by the Services that lead there: ``http``, ``tcp``,
        ``auto`` (the proxy looks at what is sent). More than one where they differ.
        """
        return self._selection.of(target).protocols.get(port, SNIFFED)

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
        host = f"{self._called(target, port)}.{target.ref.namespace}.svc.cluster.local"
        key = (self._selection.of(target), port, host, tuple(paths), tuple(methods))
        if key not in self._witnesses:
            asked = self.questions(target, paths=key[3], methods=key[4])
            speaks, how = self.speaks(target, port), self.settings.normalization
            self._witnesses[key] = witnesses(asked, port, how, speaks, host)
        return self._witnesses[key]

    def _called(self, target: Workload, port: int) -> str:
        """The Service by which one calls a port of the target; its own name without one."""
        leads = self._selection.services.leads(target)
        named = (lead.service.ref.name for lead in leads if lead.number == port)
        return next(named, target.ref.name)

    def questions(
        self, target: Workload, *, paths: Iterable[str] = (), methods: Iterable[str] = ()
    ) -> Questions:
        """What tells requests to `target` apart."""
        found = [policy for policy, _ in self._selection.of(target).policies if not policy.dry_run]
        return Questions.of(found, paths, methods)

    def identity(self, workload: Workload) -> str:
        """What the sidecar of `workload` proves to others, as policies name it: a principal,
        ``cluster.local/ns/shop/sa/web``.
        """
        return (self._callers.of(workload).identity or "").removeprefix(SPIFFE)

    def caller(self, peer: Peer | Identity) -> Caller:
        """Who stands for `peer` and for all whom no policy tells from it: whoever is equal in this
        gets equal rulings.

        Raises:
            ValueError: an address is none.
        """
        if not isinstance(peer, Workload):
            return self._classes.of(self._callers.of(peer))
        known = self._known.get(peer.ref)
        if known is None or known[0] is not peer:
            known = (peer, self._classes.of(self._callers.of(peer)))
            self._known[peer.ref] = known
        return known[1]

    def kind(self, target: Workload) -> Hashable:
        """What stands for `target` and for all whose sidecars do alike: targets that are equal in
        this get equal rulings.
        """
        return self._selection.of(target), self._callers.capture(target)

    def ports(self, target: Workload) -> tuple[int, ...]:
        """The TCP ports of the pods of `target` that anything of the mesh tells from all others,
        ascending: policies, modes of mTLS, Services, or that no sidecar takes their traffic.
        """
        selected, taken = self._selection.of(target), self._callers.capture(target)
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
        selected, known = self._selection.of(target), self.caller(caller)
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
        doubt = caller.why if caller.sidecar is Truth.MAYBE else self._doubt(selected, request)
        return ((True, False) if doubt else (True,)), doubt

    def _doubt(self, selected: Selected, request: Request) -> str:
        """Why a caller with a sidecar may not use mTLS; empty where it does."""
        if request.port not in selected.protocols:
            return "no Service leads to the port, which decides whether mTLS is used"
        if selected.told_otherwise:
            return f"{selected.told_otherwise} may keep the caller from using mTLS"
        if not self.settings.auto_mtls:
            return "in this mesh callers use mTLS only where they are told to"
        return ""

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


def _gaps(snapshot: Snapshot, unknown: Sequence[str]) -> Iterator[Gap]:
    for resource in snapshot.of_kind(*_UNJUDGED):
        if resource.ref.group.endswith("istio.io"):
            why = "it may change what sidecars do, which has no part in the answer"
            yield Gap(str(resource.ref), why, Unseen.UNKNOWN, ref=resource.ref)
    for why in unknown:
        yield Gap("istio-system/istio[ConfigMap]", why, Unseen.INCOMPLETE)
