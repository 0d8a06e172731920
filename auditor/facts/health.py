"""What somebody who may ask for the health API alone reaches beyond it.

A health API is a port of its own, or a path on a port that answers other requests too. On the
latter only who judges requests can tell the two apart: without such a judge every request of the
port gets through, and one of them is the witness.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.facts.network import Peer, PortSet, Reach, Request, Sent, Verdict
from auditor.facts.workloads import Workload
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

TCP = "TCP"
METHODS = ("GET", "HEAD")
"""With which health is asked for; whoever may ask for something may ask whether it is there."""


@dataclass(frozen=True, slots=True)
class Health:
    """The declared health API of a workload."""

    whole: PortSet
    """The ports that are health and nothing else."""
    paths: tuple[tuple[int, tuple[str, ...]], ...]
    """The other ports with health, ascending, with the paths that are health there."""

    @property
    def ports(self) -> tuple[int, ...]:
        """All its ports, ascending."""
        return tuple(sorted({*self.whole.numbers(TCP), *(port for port, _ in self.paths)}))

    def __bool__(self) -> bool:
        return bool(self.whole or self.paths)

    def __str__(self) -> str:
        """As it follows "health API": ``on port 8081``, ``(GET /healthz on port 8080)``."""
        ports = ", ".join(map(str, self.whole.numbers(TCP)))
        told = [f"GET {' and '.join(paths)} on port {port}" for port, paths in self.paths]
        if not told:
            return f"on port {ports}"
        return f"({', '.join([*told, *([f'all of port {ports}'] if ports else [])])})"


@dataclass(frozen=True, slots=True)
class Beyond:
    """What is reached that is not the health API."""

    ports: PortSet
    """Ports that have no health."""
    requests: tuple[Sent, ...]
    """Requests on ports that have: one for each set that policies do not tell apart, the most
    telling first."""
    unknown: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.ports or self.requests)

    @property
    def all_ports(self) -> PortSet:
        """The ports on which anything beyond health gets through."""
        return self.ports | PortSet.of(TCP, *(sent.request.port for sent in self.requests))


def health_of(facts: Facts, target: Workload) -> Health:
    """The health API of `target` as declared; empty where none is."""
    asked = facts.data.health_requests(target)
    whole = {port for port, path in asked if path is None}
    paths: dict[int, dict[str, None]] = {}
    for port, path in asked:
        if path is not None and port not in whole:
            paths.setdefault(port, {})[path] = None
    return Health(
        PortSet.of(TCP, *whole), tuple((port, tuple(paths[port])) for port in sorted(paths))
    )


def beyond_health(
    facts: Facts, source: Peer, target: Workload, reach: Reach, health: Health
) -> Beyond:
    """What `source`, which has `reach`, gets of `target` beyond its `health`.

    Costs one ruling for each request that policies tell apart on each port with paths.
    """
    beyond = reach.ports - PortSet.of(TCP, *health.ports)
    found: list[Sent] = []
    unknown: dict[str, None] = {}
    for port, paths in health.paths:
        if not reach.possible.contains(TCP, port):
            continue
        for sent in facts.network.requests(source, target, port, paths, METHODS[:1]):
            if is_health(sent.request, paths):
                continue
            if sent.ruling.verdict is Verdict.ALLOWED:
                found.append(sent)
            elif sent.ruling.verdict is Verdict.UNDEFINED:
                unknown |= dict.fromkeys(sent.ruling.unknown)
    return Beyond(beyond, tuple(sorted(found, key=_rank)), tuple(unknown))


def told(sent: Sent) -> str:
    """The request as a person would say it: ``GET /export``."""
    request = sent.request
    if request.method is None:
        return "a connection without HTTP"
    return f"{request.method} {request.path or '/'}"


def is_health(request: Request, paths: tuple[str, ...]) -> bool:
    """Whether a request on a port with health at these `paths` asks for nothing else."""
    path = (request.path or "").partition("?")[0]
    return request.method in METHODS and path in paths


def _rank(sent: Sent) -> tuple[bool, bool, int, str]:
    """What anybody could type comes first."""
    request = sent.request
    path = request.path or ""
    return request.method is None, request.method != "GET", len(request.headers), path
