"""What a fix does to single requests, where a sidecar judges them: part of its proof.

A port that stays open can still lose what somebody needs, or let through what it did not: every
request that the policies before or after tell apart is asked on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar, cast

from auditor.facts import Facts
from auditor.facts.health import TCP, health_of, is_health
from auditor.facts.network import Peer, PortSet, Request, Ruling, Verdict
from auditor.facts.workloads import Workload
from auditor.fixes.case import Case
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Differs:
    """A request that fares otherwise after the fix, as do all that policies do not tell from it."""

    request: Request
    was: Ruling
    now: Ruling

    @property
    def opened(self) -> bool:
        """Whether it surely gets through and did not."""
        return self.now.verdict is Verdict.ALLOWED and self.was.verdict is Verdict.DENIED

    @property
    def closed(self) -> bool:
        """Whether it surely got through and surely does no longer."""
        return self.was.verdict is Verdict.ALLOWED and self.now.verdict is Verdict.DENIED

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why it cannot be told what the fix does to it."""
        return () if self.opened or self.closed else self.now.unknown or self.was.unknown

    def __str__(self) -> str:
        request = self.request
        if request.method is None:
            return f"no HTTP on TCP {request.port}"
        return f"{request.method} {request.path or '/'} on TCP {request.port}"


def judged(case: Case, target: Workload) -> bool:
    """Whether requests to the target are judged at all, before or after."""
    return any(facts.network.meshed(there(facts, target)) for facts in _sides(case))


def differing(
    case: Case, source: Peer, target: Workload, within: PortSet = PortSet.ALL
) -> Iterator[Differs]:
    """The requests on those ports `within` that are open before and after that fare otherwise.

    Costs two rulings for each request that policies tell apart on each port that they tell apart.
    """
    before, after = _sides(case)
    both = within
    for facts in (before, after):
        both &= facts.network.reach(there(facts, source), there(facts, target)).possible
    for port in _ports(case, target):
        for request in _asked(case, target, port) if both.contains(TCP, port) else ():
            was, now = (_ruling(facts, source, target, request) for facts in (before, after))
            if was.verdict is not now.verdict:
                yield Differs(request, was, now)


def needed(case: Case, source: Workload, target: Workload, request: Request) -> bool:
    """Whether a client may need this request: a monitor needs the health API and no more."""
    if source not in case.facts.monitors:
        return True
    paths = dict(health_of(case.facts, target).paths).get(request.port)
    return paths is None or is_health(request, paths)


def _ports(case: Case, target: Workload) -> tuple[int, ...]:
    found = {at.port for at in case.facts.network.listening(target) if at.protocol == TCP}
    for facts in _sides(case):
        found.update(facts.network.mesh.ports(there(facts, target)))
    return tuple(sorted(found))


def _asked(case: Case, target: Workload, port: int) -> tuple[Request, ...]:
    paths = dict(health_of(case.facts, target).paths).get(port, ())
    asked = [
        request
        for facts in _sides(case)
        for request in facts.network.asked(there(facts, target), port, paths, ("GET",))
    ]
    return tuple(dict.fromkeys(asked))


def _ruling(facts: Facts, source: Peer, target: Workload, request: Request) -> Ruling:
    return facts.network.ruling(there(facts, source), there(facts, target), request)


def _sides(case: Case) -> tuple[Facts, Facts]:
    return case.facts, case.facts_after


P = TypeVar("P", bound=Peer)


def there(facts: Facts, peer: P) -> P:
    """The peer as it is in that cluster."""
    if not isinstance(peer, Workload):
        return peer
    return cast("P", facts.by_key.get(peer.ref.key, peer))
