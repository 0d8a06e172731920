"""What a person should declare of a snapshot: proposals with their evidence, for review.

A proposal says nothing of what is declared already, and takes no candidate for a client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.facts.data.inferred import ENOUGH, likeness_of
from auditor.facts.exposure import candidates_of
from auditor.facts.holdings import undeclared
from auditor.facts.telemetry import probe_requests
from auditor.facts.workloads import Workload
from auditor.model import Path, Ref
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


@dataclass(frozen=True, slots=True)
class Sign:
    """A piece of evidence, and where it stands."""

    told: str
    ref: Ref | None = None
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to declare of one workload."""

    ref: Ref
    classes: tuple[str, ...]
    """Empty where it is declared already."""
    confidence: float
    signs: tuple[Sign, ...]
    clients: tuple[tuple[str, Sign], ...]
    """Who seems to ask it; none where its clients are declared."""
    health: tuple[str, ...]
    """What the kubelet asks; none where a health API is declared."""

    @property
    def likely(self) -> bool:
        """Whether the evidence is enough for an entry that counts as soon as it is accepted."""
        return self.confidence >= ENOUGH


@dataclass(frozen=True, slots=True)
class External:
    """An address outside that workloads with personal data ask, and nobody declared."""

    host: str
    asked_by: tuple[tuple[str, Sign], ...]


def proposals(facts: Facts) -> tuple[Proposal, ...]:
    """A proposal for each workload of which something is to be declared, by name."""
    found = (_proposal(facts, workload) for workload in facts.workloads)
    return tuple(sorted((one for one in found if one), key=lambda one: str(one.ref)))


def _proposal(facts: Facts, workload: Workload) -> Proposal | None:
    held, like = facts.data.of(workload), likeness_of(facts, workload)
    if held is None and like is None:
        return None
    asked = facts.data.clients_declared(workload) is not None
    clients = () if asked else tuple(_clients(facts, workload))
    health = () if facts.data.health_requests(workload) else tuple(_health(workload))
    if held is not None and not clients and (asked or not health):
        return None
    signs = tuple(Sign(c.told, c.ref, c.path) for c in like.clues) if like else ()
    classes = like.names if like else ()
    return Proposal(workload.ref, classes, like.confidence if like else 1.0, signs, clients, health)


def _clients(facts: Facts, workload: Workload) -> Iterator[tuple[str, Sign]]:
    for edge in candidates_of(facts, workload):
        yield edge.source.name, Sign(edge.told, edge.ref, edge.path)


def _health(workload: Workload) -> Iterator[str]:
    for port, path in probe_requests(workload):
        yield f"{port}{path or ''}"


def externals(facts: Facts) -> tuple[External, ...]:
    """The addresses outside that workloads ask which hold personal data or look like it."""
    found: dict[str, list[tuple[str, Sign]]] = {}
    for workload in facts.workloads:
        like = likeness_of(facts, workload)
        if facts.data.of(workload) or (like and like.confidence >= ENOUGH):
            for one in undeclared(facts, workload):
                sign = Sign("names it", one.ref, one.path)
                found.setdefault(one.host, []).append((workload.name, sign))
    return tuple(External(host, tuple(asked)) for host, asked in sorted(found.items()))
