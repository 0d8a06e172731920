"""Asks the network a question as it was written, and is the only place here that knows what the
network does not answer yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address

from auditor.cli.network.ends import Directory, meant
from auditor.cli.network.queries import Asked, Query, QueryError
from auditor.facts.network import (
    Direction,
    Identity,
    Machine,
    Network,
    Reason,
    Request,
    Ruling,
    Verdict,
    World,
)
from auditor.facts.workloads import Workload
from auditor.values import dataclass

IPV6 = "2600::1"
"""Somebody on the internet who has an address of IPv6."""


MACHINES = {"host": True, "remote-node": False}
"""Entities that are nodes, and whether the pods at the other end run there."""


@dataclass(frozen=True, slots=True)
class Somewhere:
    """An end that no network here knows."""

    entity: str


@dataclass(frozen=True, slots=True)
class Somebody:
    """Anybody outside of the cluster."""

    version: int
    """Of IP: 4 or 6."""


End = Workload | World | Machine | Identity | Somewhere | Somebody


@dataclass(frozen=True, slots=True)
class Desk:
    """Answers questions about one network."""

    directory: Directory
    missing: tuple[str, ...] = ()
    """Why no verdict can be trusted."""
    unsure: tuple[str, ...] = ()
    """Why no denial can be."""

    @property
    def network(self) -> Network:
        """Who is asked."""
        return self.directory.network

    def answer(self, query: Query) -> Ruling:
        """What becomes of it.

        Raises:
            QueryError: an end is nobody of the snapshot.
        """
        sources = self._ends(query.src, "src")
        targets = self._ends(query.dst, "dst")
        request = query.request
        if query.src.ip and request.transport is None and not query.src.account:
            request = replace(request, transport="plaintext")
        pairs = [pair for s in sources for t in targets for pair in self._pairs(s, t)]
        rulings = [self._asked(*pair, request) for pair in pairs]
        ruling = together(rulings, "it depends on which of them is meant")
        ends = [end for end in (*sources, *targets) if isinstance(end, Workload)]
        return doubted(self.network, ruling, ends, (self.missing, self.unsure))

    def _ends(self, asked: Asked, field: str) -> Sequence[End]:
        if asked.entity:
            return (_entity(asked.entity),)
        if asked.account:
            return (Identity(asked.namespace, asked.account, asked.ip, asked.trust_domain),)
        if asked.pod:
            return self._pods(asked, field)
        return self.directory.at(asked.ip) or (World(asked.ip),)

    def _pods(self, asked: Asked, field: str) -> Sequence[End]:
        found = self.directory.named(asked.namespace, asked.pod)
        if not found:
            name = f"{asked.namespace}/{asked.pod}"
            close = meant(name, self.directory.names())
            raise QueryError(f"{field}.pod", f"no pod or workload '{name}'{close}")
        return found

    def _pairs(self, source: End, target: End) -> Sequence[tuple[End, End]]:
        """The same with an address for whoever is outside: one of each set that is told apart."""
        if isinstance(source, Somebody):
            return [(one, target) for one in self._outside(target, "Ingress", source.version)]
        if isinstance(target, Somebody):
            return [(source, one) for one in self._outside(source, "Egress", target.version)]
        return [(source, target)]

    def _outside(self, inside: End, direction: Direction, version: int) -> Sequence[World]:
        if not isinstance(inside, Workload):
            return (World(IPV6),) if version == 6 else (World(),)
        found = self.network.outside(inside, direction)
        fitting = [one for one in found if ip_address(one.address).version == version]
        return fitting or [World(IPV6) if version == 6 else World()]

    def _asked(self, source: End, target: End, request: Request) -> Ruling:
        beyond = (World, Somebody, Machine)
        if isinstance(source, beyond) and isinstance(target, beyond):
            return _undefined("neither end is a pod of the cluster")
        return self._decided(source, target, request)

    def _decided(self, source: End, target: End, request: Request) -> Ruling:
        for end in (source, target):
            if isinstance(end, Workload) and self.directory.is_over(end):
                return _undefined(f"pod {end.name} has ended: nothing of it runs")
        if isinstance(target, Identity):
            return _undefined("an identity can be asked nothing: only a pod or an address can")
        outside = (Somewhere, Somebody)
        if isinstance(target, outside) or isinstance(source, outside):
            return self._somewhere(source, target)
        return self.network.ruling(source, target, request)

    def _somewhere(self, source: End, target: End) -> Ruling:
        named = [end.entity for end in (source, target) if isinstance(end, Somewhere)]
        return _undefined(f"what is decided about '{' and '.join(named)}' is not known here")


def _entity(name: str) -> End:
    if name in ("world", "world-ipv4"):
        return Somebody(4)
    if name in MACHINES:
        return Machine(own=MACHINES[name])
    return Somebody(6) if name == "world-ipv6" else Somewhere(name)


LAYERS = ("istio.io", "linkerd.io", "kuma.io", "consul.hashicorp.com")
"""API groups whose policies are asked beside those of the network: what one of the two denies stays
denied."""


def doubted(
    network: Network,
    ruling: Ruling,
    ends: Iterable[Workload],
    unseen: tuple[Sequence[str], Sequence[str]],
) -> Ruling:
    """The ruling; undefined where a policy that is not read may decide otherwise. `unseen` says, in
    sentences, why no verdict can be trusted, and why no denial can be.
    """
    missing, unsure = unseen
    refused = {one.ref for one in network.invalid}
    spaces = {"", network.mesh.settings.root, *(end.ref.namespace for end in ends)}
    doubts = [*missing, *(unsure if ruling.verdict is Verdict.DENIED else ())]
    for gap in network.gaps:
        if gap.ref is None or gap.ref in refused or gap.ref.namespace not in spaces:
            continue
        layer = any(gap.ref.group.endswith(group) for group in LAYERS)
        if ruling.verdict is not Verdict.DENIED or not layer:
            doubts.append(f"{gap.what}: {gap.why}")
    if not doubts:
        return ruling
    return Ruling(Verdict.UNDEFINED, ruling.reasons, (*ruling.unknown, *doubts))


def together(rulings: Sequence[Ruling], why: str) -> Ruling:
    """One answer for several who are meant: theirs where all agree, else none, and `why`."""
    if len({ruling.verdict for ruling in rulings}) == 1:
        first, *rest = rulings
        return replace(
            first,
            reasons=_once(first.reasons, *(one.reasons for one in rest)),
            unknown=tuple(dict.fromkeys(doubt for one in rulings for doubt in one.unknown)),
        )
    reasons = _once(*(one.reasons for one in rulings))
    unknown = dict.fromkeys(doubt for one in rulings for doubt in one.unknown)
    return Ruling(Verdict.UNDEFINED, reasons, (*unknown, why))


def _once(*reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reason for some in reasons for reason in some))


def _undefined(why: str) -> Ruling:
    return Ruling(Verdict.UNDEFINED, (), (why,))
