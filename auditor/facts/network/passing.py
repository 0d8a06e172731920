"""What of an open port the sidecar of the target lets through: the mesh beside network policies.

A port counts as open where one request at least gets through. Whether all do is asked request by
request: `Passing.requests` has one for each set of them that the policies do not tell apart.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import field, replace
from itertools import islice

from auditor.facts.network.answers import Peer, Reach, Reason
from auditor.facts.network.istio import Mesh
from auditor.facts.network.istio.callers import Caller
from auditor.facts.network.ports import PortSet
from auditor.facts.network.profiles import Profile
from auditor.facts.network.requests import Identity, Request, Ruling, Verdict
from auditor.facts.selectors import Truth
from auditor.facts.workloads import Workload
from auditor.values import dataclass

TCP = "TCP"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and what becomes of it and of all that the policies do not tell from it."""

    request: Request
    ruling: Ruling


@dataclass(frozen=True, slots=True)
class Opening:
    """What the sidecar makes of one port, or of all that it treats alike."""

    ports: PortSet
    best: Verdict
    """The verdict of the request that gets furthest."""
    reasons: tuple[Reason, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What is left of two sets of ports, and why."""

    sure: PortSet
    possible: PortSet
    reasons: tuple[Reason, ...]
    unknown: tuple[str, ...]


@dataclass(slots=True)
class Passing:
    """The sidecars of a snapshot. Not frozen: it remembers what each lets through from whom.

    Cost: for each pair of a caller's identity and a target, one ruling (some tens of microseconds)
    for each request that policies tell apart on each port that they tell apart, until one passes.
    """

    mesh: Mesh
    profile: Profile
    _known: dict[tuple[Caller, Hashable], tuple[Opening, ...]] = field(default_factory=dict)
    """By who asks and by what the sidecar of the target does."""
    _narrowed: dict[tuple[int, PortSet, PortSet], Narrowing] = field(default_factory=dict)
    """By the openings, of which each tuple is kept in `_known`, and what comes to them."""

    def judges(self, target: Peer) -> bool:
        """Whether any policy of the mesh has a say for `target`."""
        if not self.mesh.present or not self.profile.mesh or not isinstance(target, Workload):
            return False
        taken = self.mesh.capture(target)
        return taken.ambient or taken.sidecar is not Truth.NO

    def narrowed(self, source: Peer, target: Workload, reach: Reach) -> Reach:
        """What network policies allow, less what the sidecar of the target lets nobody through to.

        Raises:
            ValueError: the address of the source is none.
        """
        if not reach.possible.tcp:
            return reach
        openings = self._openings(source, target)
        key = (id(openings), reach.ports, reach.possible)
        found = self._narrowed.get(key)
        if found is None:
            found = self._narrowed[key] = self._narrow(openings, reach)
        return replace(
            reach,
            ports=found.sure,
            possible=found.possible,
            reasons=tuple(dict.fromkeys((*reach.reasons, *found.reasons))),
            unknown=tuple(dict.fromkeys((*reach.unknown, *found.unknown))),
        )

    def _narrow(self, openings: Iterable[Opening], reach: Reach) -> Narrowing:
        sure, possible = reach.ports, reach.possible
        reasons: list[Reason] = []
        unknown: list[str] = []
        for opening in openings:
            if not opening.ports.overlaps(reach.possible):
                continue
            best = self._weakened(opening.best)
            sure = sure if best is Verdict.ALLOWED else sure - opening.ports
            possible = possible - opening.ports if best is Verdict.DENIED else possible
            reasons += opening.reasons
            unknown += opening.unknown if best is Verdict.UNDEFINED else ()
        return Narrowing(sure, possible, tuple(reasons), tuple(unknown))

    def asked(
        self,
        target: Workload,
        port: int,
        paths: tuple[str, ...] = (),
        methods: tuple[str, ...] = (),
    ) -> tuple[Request, ...]:
        """A request for each set of them that the policies of the target tell apart on a TCP port
        of its pods; `paths` and `methods` are told apart as well.
        """
        return self.mesh.witnesses(target, port, paths=paths, methods=methods).requests

    def ruling(self, source: Peer | Identity, target: Workload, request: Request) -> Ruling:
        """What the sidecar does with one request.

        Raises:
            ValueError: the address of the source is none.
        """
        found = self.mesh.ruling(source, target, request)
        weakened = self._weakened(found.verdict)
        if weakened is found.verdict:
            return found
        doubt = f"whether sidecars enforce their policies with {self.profile.name} is not known"
        return Ruling(weakened, found.reasons, (doubt, *found.unknown))

    def _weakened(self, verdict: Verdict) -> Verdict:
        unsure = self.profile.mesh is Truth.MAYBE and verdict is Verdict.DENIED
        return Verdict.UNDEFINED if unsure else verdict

    def _openings(self, source: Peer, target: Workload) -> tuple[Opening, ...]:
        key = (self.mesh.caller(source), self.mesh.kind(target))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = tuple(self._opened(source, target))
        return found

    def _opened(self, source: Peer, target: Workload) -> Iterator[Opening]:
        told_apart = self.mesh.ports(target)
        rest = PortSet.span(TCP) - PortSet.of(TCP, *told_apart)
        for port in told_apart:
            yield self._opening(source, target, PortSet.of(TCP, port), port)
        for port in islice(rest.numbers(TCP), 1):
            yield self._opening(source, target, rest, port)

    def _opening(self, source: Peer, target: Workload, ports: PortSet, port: int) -> Opening:
        best: Ruling | None = None
        for request in self.mesh.requests(target, port):
            ruling = self.mesh.ruling(source, target, request)
            if best is None or _RANK[ruling.verdict] > _RANK[best.verdict]:
                best = ruling
            if best.verdict is Verdict.ALLOWED:
                break
        assert best is not None, "there is always a request that nothing names"
        return Opening(ports, best.verdict, best.reasons, best.unknown)


_RANK = {Verdict.DENIED: 0, Verdict.UNDEFINED: 1, Verdict.ALLOWED: 2}
