"""What a fix does beside the flows between workloads: to calls of the API server, to name
resolution, to what leaves the cluster, and to what else selects the pods. Part of its proof.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from auditor.facts.cut_off import CALLER, calls_to, cut_off
from auditor.facts.network import Direction, PortSet, World
from auditor.facts.network.points import labels_of
from auditor.facts.selectors import RefusedError, Truth, parse_selector
from auditor.facts.workloads import Workload
from auditor.fixes.case import Case
from auditor.manifests import at
from auditor.model import Resource
from auditor.values import dataclass

API_SERVER = "the API server"
DNS = PortSet.of("UDP", 53) | PortSet.of("TCP", 53)


@dataclass(slots=True)
class Beside:
    """In words, as in ``Flows``. Not frozen: it is filled once."""

    opened: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    selected: list[str] = field(default_factory=list)
    """What selects relabelled pods as before."""
    unknown: list[str] = field(default_factory=list)


def beside(case: Case) -> Beside:
    """What it does to workloads whose network policies or labels it changes."""
    found = Beside()
    for was in case.concerned:
        now = case.facts_after.by_key.get(was.ref.key, was)
        if isolates(case, was, "Ingress"):
            _calls(case, was, now, found)
        if isolates(case, was, "Egress"):
            _names(case, was, now, found)
            _leaving(case, was, now, found)
        if was.labels != now.labels:
            _selectors(case, was, now, found)
    return found


def isolates(case: Case, was: Workload, direction: Direction) -> bool:
    """Whether the policies that select the workload in this direction, or may, are others or have
    other rules than before.
    """
    changed = {change.resource.ref for change in case.changes}
    now = case.facts_after.by_key.get(was.ref.key, was)
    return any(
        ref in changed
        for facts, one in ((case.facts, was), (case.facts_after, now))
        for ref in facts.network.isolating(one, direction, possibly=True)
    )


def _calls(case: Case, was: Workload, now: Workload, found: Beside) -> None:
    for call, lead in calls_to(case.facts, was):
        before, after = (
            facts.network.reach(CALLER, one, ("Ingress",)).possible.contains("TCP", lead.pod_port)
            for facts, one in ((case.facts, was), (case.facts_after, now))
        )
        if before:
            told = f"{API_SERVER} → {was.name}: TCP {lead.pod_port} ({call.what})"
            (found.kept if after else found.cut).append(told)


def _names(case: Case, was: Workload, now: Workload, found: Beside) -> None:
    """Whoever names hosts has to ask for their addresses."""
    before, after = (
        (cut_off(facts, one) or {}).get("dns")
        for facts, one in ((case.facts, was), (case.facts_after, now))
    )
    told = f"{was.name} → DNS: {DNS}"
    if before is None and after is not None:
        found.cut.append(told)
    elif after is None and case.facts.needs.get(was.ref.key):
        found.kept.append(told)


def _leaving(case: Case, was: Workload, now: Workload, found: Beside) -> None:
    """Every set of public addresses that the policies before or after tell apart."""
    for address in dict.fromkeys(_addresses(case, was, now)):
        before, after = (
            facts.network.reach(one, address, ("Egress",))
            for facts, one in ((case.facts, was), (case.facts_after, now))
        )
        opened = after.ports - before.possible
        if opened:
            found.opened.append(f"{was.name} → {address.address}: {opened}")
        if after.possible - before.ports - opened:
            found.unknown += after.unknown or before.unknown
        if lost := before.ports - after.possible:
            found.closed.append(f"{was.name} → the internet: {lost}")


def _addresses(case: Case, was: Workload, now: Workload) -> Iterator[World]:
    yield from case.facts.network.outside(was, "Egress")
    yield from case.facts_after.network.outside(now, "Egress")


SELECTING = {
    "Service": ("spec", "selector"),
    "PodDisruptionBudget": ("spec", "selector"),
    "NetworkPolicy": ("spec", "podSelector"),
    "AuthorizationPolicy": ("spec", "selector"),
    "PeerAuthentication": ("spec", "selector"),
    "PodMonitor": ("spec", "selector"),
}
"""Kinds that select pods of their namespace by labels, and where."""


def _selectors(case: Case, was: Workload, now: Workload, found: Beside) -> None:
    """New labels must not bring pods under what did not select them, or take them away."""
    ours = {change.resource.ref for change in case.changes}
    for kind in SELECTING:
        for one in case.facts.snapshot.of_kind(kind):
            if one.ref.namespace != was.ref.namespace or one.ref in ours:
                continue
            before, after = _selected(one, was), _selected(one, now)
            if before is not after:
                found.unknown.append(f"{one.ref} would select {was.name} otherwise than before")
            elif before is Truth.YES:
                found.selected.append(f"{one.ref} selects {was.name}")


def _selected(one: Resource, workload: Workload) -> Truth:
    """Whether it selects the pods by labels of theirs; what selects all pods of a namespace, or is
    refused, depends on no label.
    """
    where = SELECTING[one.ref.kind]
    written = at(one.manifest, where)
    if one.ref.kind == "Service":
        written = {"matchLabels": written} if written else None
    try:
        selector = parse_selector(written, where)
    except RefusedError:
        return Truth.NO
    return selector.truth(labels_of(workload)) if selector.requirements else Truth.NO
