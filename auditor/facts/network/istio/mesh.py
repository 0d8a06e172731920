"""Judges a request at the sidecar of its target: PeerAuthentication, then AuthorizationPolicy.

Order: who may connect at all (mTLS, trust domain), CUSTOM, DENY, ALLOW
(https://istio.io/latest/docs/concepts/security/#implicit-enablement). Where the answer depends on
something that is not known, every possibility is judged; only if they agree is that the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from auditor.facts.network.answers import InvalidPolicy, Peer, Reason
from auditor.facts.network.entries import Services
from auditor.facts.network.istio import policies as written
from auditor.facts.network.istio.admission import read_policy
from auditor.facts.network.istio.callers import Caller, Callers
from auditor.facts.network.istio.conditions import SPIFFE, Compiled, Dropped, Seen, compiled
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
from auditor.facts.network.istio.sidecars import Capture
from auditor.facts.network.istio.tokens import Tokens
from auditor.facts.network.istio.traffic import Refused, is_http, views
from auditor.facts.network.istio.witnesses import Questions, Witnesses, witnesses
from auditor.facts.network.points import labels_of
from auditor.facts.network.requests import Identity, Request, Ruling, Verdict
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.manifests import leaves
from auditor.model import Gap, Ref, Resource, Snapshot, Unseen

READ = (written.KIND, PEER_AUTHENTICATION)
"""The kinds of group security.istio.io that have a part in the answer."""

_UNJUDGED = ("EnvoyFilter", "Sidecar", "WasmPlugin")
"""Kinds that may change what a sidecar does with a request."""

_AMBIENT = "the target is of an ambient namespace, whose proxies are not judged yet"
_HBONE = "connections over HBONE are not judged yet"


@dataclass(frozen=True, slots=True)
class Selected:
    """The policies that select one workload, as its sidecar has them."""

    modes: Modes
    policies: tuple[tuple[AuthorizationPolicy, Truth], ...]
    """In the order of their age, those of the mesh first, each with whether it surely selects."""
    protocols: Mapping[int, frozenset[str]]
    """Port of the pod → what the Services that lead there say that it speaks."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules of a policy as a sidecar judges them: for HTTP, and for what is none."""

    http: tuple[Compiled | Dropped, ...]
    tcp: tuple[Compiled | Dropped, ...]


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

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.present = any(
            resource.ref.group == "istio.io" or resource.ref.group.endswith(".istio.io")
            for resource in snapshot.resources
        )
        """Whether there is any object of Istio."""
        self._of: dict[Ref, tuple[Workload, Selected]] = {}
        self._rules: dict[Ref, _Rules | None] = {}

    @cached_property
    def policies(self) -> tuple[AuthorizationPolicy, ...]:
        """Every AuthorizationPolicy, the oldest first."""
        return tuple(map(read_policy, sorted(_of_group(self.snapshot, written.KIND), key=age)))

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
        return self._selected(target).protocols.get(port, frozenset(("auto",)))

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

    def ruling(self, caller: Peer | Identity, target: Workload, request: Request) -> Ruling:
        """What the sidecar of `target` does with a request that arrives at its pod.

        Raises:
            ValueError: the address of the caller is none.
        """
        taken = self._callers.capture(target)
        past = self._past(taken, request)
        if past:
            return past
        found = self._through(self._callers.of(caller), target, request)
        if taken.sidecar is Truth.YES or found.verdict is Verdict.ALLOWED:
            return found
        return Ruling(Verdict.UNDEFINED, found.reasons, (taken.why, *found.unknown))

    def _past(self, taken: Capture, request: Request) -> Ruling | None:
        """The answer where no sidecar sees the request."""
        if taken.ambient:
            return Ruling(Verdict.UNDEFINED, (), (_AMBIENT,))
        if request.protocol != "TCP":
            why = "sidecars take TCP alone"
        elif taken.sidecar is Truth.NO:
            why = f"no sidecar judges it: {taken.why}"
        else:
            why = taken.bypasses(request.port)
        return Ruling(Verdict.ALLOWED, (Reason(None, (), why),)) if why else None

    def _through(self, caller: Caller, target: Workload, request: Request) -> Ruling:
        if request.transport == "hbone":
            return Ruling(Verdict.UNDEFINED, (), (_HBONE,))
        selected = self._selected(target)
        broken = [p.ref for p, _ in selected.policies if self._judged(p) is None]
        if broken:
            why = f"Envoy cannot load {broken[0]}, and keeps what it had before"
            return Ruling(Verdict.UNDEFINED, (), (why,))
        connections, doubts = self._connections(caller, selected, request)
        found = [
            self._connected(connection, speaks, caller, target, request)
            for connection, speaks in product(connections, self.speaks(target, request.port))
        ]
        return _agreed(found, doubts)

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
        target: Workload,
        request: Request,
    ) -> Ruling:
        """What becomes of a request on one connection to a port that speaks one protocol."""
        http = is_http(request) and speaks != "tcp"
        stop = self._not_connected(connection, target, request)
        if connection.mtls and connection.mode == "DISABLE":
            # The proxy does not open TLS here: what it sees is bytes of nobody.
            connection, http = replace(connection, identity="", mtls=False), False
        if stop or (speaks == "http" and not http):
            why = Reason(None, (), "what is sent is no HTTP, which is all that the port takes")
            return Ruling(Verdict.DENIED, (stop or why,))
        base = Seen(
            port=request.port,
            identity=connection.identity,
            peer=caller.addresses,
            remote=caller.addresses,
            local=self._callers.addresses(target),
            sni=request.sni if connection.mtls else "",
            token=http and self._tokens.may_hold(target, request),
        )
        seen = views(request, base, self.settings.normalization) if http else (base,)
        return _agreed([self._seen(target, each, http=http) for each in seen], ())

    def _not_connected(
        self, connection: _Connection, target: Workload, request: Request
    ) -> Reason | None:
        """Why there is no connection; None where there is one."""
        setting = self._selected(target).modes.of(request.port)
        if connection.mode == "STRICT" and not connection.mtls:
            return Reason(setting.reason.ref, setting.reason.path, "STRICT refuses plain text")
        if not connection.mtls or not connection.identity or connection.mode == "DISABLE":
            return None
        domain = connection.identity.removeprefix(SPIFFE).partition("/")[0]
        if domain in self.settings.domains.names:
            return None
        return Reason(None, (), f"the trust domain {domain} is none of the mesh")

    def _seen(self, target: Workload, seen: Seen | Refused, *, http: bool) -> Ruling:
        if isinstance(seen, Refused):
            return Ruling(Verdict.DENIED, (Reason(None, (), seen.why),))
        policies = self._selected(target).policies
        enforced = [
            (p, truth, self._loaded(p, http=http)) for p, truth in policies if not p.dry_run
        ]
        stops = _Stops(self.settings.providers, enforced, seen)
        if stops.sure:
            return Ruling(Verdict.DENIED, stops.sure)
        admitted = _admitted([each for each in enforced if each[0].action == "ALLOW"], seen)
        if admitted.verdict is Verdict.DENIED or not (stops.unsure or seen.token):
            return admitted
        token = ("it may hold a token, which may be refused",) if seen.token else ()
        unknown = (*stops.unknown, *token, *admitted.unknown)
        return Ruling(Verdict.UNDEFINED, (*stops.unsure, *admitted.reasons), unknown)

    def _selected(self, target: Workload) -> Selected:
        known = self._of.get(target.ref)
        # The same object may be asked about as it would be after a change.
        if known is None or known[0] is not target:
            known = self._of[target.ref] = (target, self._select(target))
        return known[1]

    def _select(self, target: Workload) -> Selected:
        labels, home, root = labels_of(target), target.ref.namespace, self.settings.root
        found = [
            (policy, selects(policy.labels, labels))
            for policy in sorted(self.policies, key=lambda p: p.ref.namespace != root)
            if policy.ref.namespace in (home, root)
            and not policy.targeted
            and not policy.unreadable
        ]
        protocols: dict[int, set[str]] = {}
        for lead in self._services.leads(target):
            protocols.setdefault(lead.number, set()).add(spoken(lead.entry))
        return Selected(
            modes=compose(self.peer_authentications, root, home, labels),
            policies=tuple((policy, truth) for policy, truth in found if truth > Truth.NO),
            protocols={port: frozenset(kinds - {"udp"}) for port, kinds in protocols.items()},
        )

    def _loaded(self, policy: AuthorizationPolicy, *, http: bool) -> tuple[Compiled | Dropped, ...]:
        rules = self._judged(policy)
        if rules is None:
            return ()
        return rules.http if http else rules.tcp

    def _judged(self, policy: AuthorizationPolicy) -> _Rules | None:
        """The rules of a policy; None where Envoy cannot load them."""
        if policy.ref not in self._rules:
            broken = any(refusal.by == "envoy" for refusal in policy.refusals)
            self._rules[policy.ref] = None if broken else self._compiled(policy)
        return self._rules[policy.ref]

    def _compiled(self, policy: AuthorizationPolicy) -> _Rules:
        http, tcp = (
            tuple(
                compiled(
                    rule, policy.action, policy.ref.namespace, self.settings.domains, http=http
                )
                for rule in policy.rules
            )
            for http in (True, False)
        )
        return _Rules(http, tcp)


_Enforced = tuple[AuthorizationPolicy, Truth, tuple[Compiled | Dropped, ...]]


class _Stops:
    """What stops a request before any ALLOW is asked."""

    def __init__(
        self, providers: frozenset[str], enforced: Sequence[_Enforced], seen: Seen
    ) -> None:
        asked = {p.provider for p, _, _ in enforced if p.action == "CUSTOM"}
        sure: list[Reason] = []
        unsure: list[Reason] = []
        unknown: list[str] = []
        for action in ("CUSTOM", "DENY"):
            for policy, truth, rules in enforced:
                if policy.action != action:
                    continue
                for reason, found in _meaning(policy, rules, seen, action):
                    known = min(truth, found)
                    answered = action == "CUSTOM" and len(asked) == 1 and asked <= providers
                    if known is Truth.YES and not answered:
                        sure.append(reason)
                        continue
                    unsure.append(reason)
                    unknown.append(_doubt(policy, known, answered=answered))
        self.sure, self.unsure = tuple(sure), tuple(unsure)
        self.unknown = tuple(dict.fromkeys(unknown))


def _doubt(policy: AuthorizationPolicy, known: Truth, *, answered: bool) -> str:
    if answered and known is Truth.YES:
        return f"{policy.ref} asks the provider '{policy.provider}'"
    return f"it cannot be told whether {policy.ref} means the request"


def _meaning(
    policy: AuthorizationPolicy,
    rules: Sequence[Compiled | Dropped],
    seen: Seen,
    action: written.Action,
) -> Iterator[tuple[Reason, Truth]]:
    """The rules that mean `seen`, or may."""
    does = {"ALLOW": "admits it", "DENY": "denies it", "CUSTOM": "has it asked about"}
    for rule in rules:
        if isinstance(rule, Compiled) and (truth := rule.truth(seen)) > Truth.NO:
            text = f"{action} rule {does.get(action, 'means it')}"
            yield Reason(policy.ref, rule.path, text), truth


def _admitted(allowing: Sequence[_Enforced], seen: Seen) -> Ruling:
    """What the ALLOW policies make of it: one rule of any is enough, once one policy selects."""
    if not allowing:
        return Ruling(Verdict.ALLOWED, (Reason(None, (), "no ALLOW policy selects it"),))
    found = [
        (reason, truth, sure)
        for policy, sure, rules in allowing
        for reason, truth in _meaning(policy, rules, seen, "ALLOW")
    ]
    best = max((min(truth, sure) for _, truth, sure in found), default=Truth.NO)
    certain = any(sure is Truth.YES for _, sure, _ in allowing)
    if best is Truth.YES or (not certain and _every(allowing, seen)):
        reasons = [reason for reason, truth, _ in found if truth is Truth.YES]
        return Ruling(Verdict.ALLOWED, tuple(reasons))
    if best is Truth.NO and certain:
        return Ruling(Verdict.DENIED, tuple(_closing(allowing)))
    unknown = [
        f"it cannot be told whether {policy.ref} "
        f"{'selects the target' if sure is Truth.MAYBE else 'admits the request'}"
        for policy, sure, _ in allowing
    ]
    reasons = [reason for reason, _, _ in found] or list(_closing(allowing))
    return Ruling(Verdict.UNDEFINED, tuple(reasons), tuple(unknown))


def _every(allowing: Sequence[_Enforced], seen: Seen) -> bool:
    """Whether each of the policies admits it, so that it matters not which of them select."""
    return all(
        any(truth is Truth.YES for _, truth in _meaning(policy, rules, seen, "ALLOW"))
        for policy, _, rules in allowing
    )


def _closing(allowing: Sequence[_Enforced]) -> Iterator[Reason]:
    """Why nothing is admitted: what selects, with the rules that were dropped."""
    for policy, _, rules in allowing:
        yield Reason(policy.ref, ("spec",), "no rule of this ALLOW policy admits it")
        for rule in rules:
            if isinstance(rule, Dropped):
                yield Reason(policy.ref, rule.path, f"the rule is left out: {rule.why}")


def _agreed(found: Sequence[Ruling], doubts: tuple[str, ...]) -> Ruling:
    """The ruling on which all possibilities agree."""
    verdicts = {ruling.verdict for ruling in found}
    reasons = tuple(dict.fromkeys(reason for ruling in found for reason in ruling.reasons))
    if len(verdicts) == 1 and Verdict.UNDEFINED not in verdicts:
        return Ruling(found[0].verdict, reasons)
    unknown = tuple(dict.fromkeys(doubt for ruling in found for doubt in ruling.unknown))
    if len(verdicts) > 1:
        unknown = (*doubts, *unknown)
    return Ruling(
        Verdict.UNDEFINED, reasons, unknown or ("versions or settings of the proxy differ",)
    )


def _of_group(snapshot: Snapshot, kind: str) -> Iterator[Resource]:
    """Each object of a kind of Istio's once."""
    for resource in snapshot.of_kind(kind):
        if resource.ref.group == written.GROUP and snapshot.find(resource.ref) is resource:
            yield resource


def _sets_tls(rule: Resource) -> bool:
    return any("tls" in path for path, _ in leaves(rule.manifest.get("spec")))


def _gaps(snapshot: Snapshot, unknown: Sequence[str]) -> Iterator[Gap]:
    for resource in snapshot.of_kind(*_UNJUDGED):
        if resource.ref.group.endswith("istio.io"):
            why = "it may change what sidecars do, which has no part in the answer"
            yield Gap(str(resource.ref), why, Unseen.UNKNOWN, ref=resource.ref)
    for why in unknown:
        yield Gap("istio-system/istio[ConfigMap]", why, Unseen.INCOMPLETE)
