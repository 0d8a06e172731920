"""What a fix does to the flows between workloads: part of its proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from auditor.facts import Facts
from auditor.facts.data import CLIENTS
from auditor.facts.exposure import name_of
from auditor.facts.kinds import ENTERING, MESH, REACHING, UNROUTED
from auditor.facts.network import Peer, PortSet, Reach, Verdict, World
from auditor.facts.network.istio.sidecars import service_account
from auditor.facts.workloads import Workload, workload_of
from auditor.fixes import requests
from auditor.fixes.assumptions import assumptions, newly
from auditor.fixes.beside import beside
from auditor.fixes.case import Case
from auditor.fixes.inward import Senders, compared, senders
from auditor.fixes.needs import needs
from auditor.manifests import at, texts
from auditor.model import Change
from auditor.values import dataclass

SEEN = (*REACHING, *ENTERING, "ConfigMap")
"""What must have been seen to say whose flows a fix cuts or opens."""


Losing = dict[PortSet, list[Senders]]
"""Who loses which ports."""

SHOWN = 20
"""Up to so many sources that lose the same are named each."""
FIRST = 3
"""So many of more than that."""


@dataclass(frozen=True, slots=True)
class Flows:
    """What a fix does to the flows between workloads, in words."""

    opened: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def flows_of(case: Case) -> Flows:
    """Every flow to the touched workloads before and after: from each workload, from pods that
    are not there yet, and from the internet. A flow that may be there afterwards, and surely was
    before, opens nothing, so that its doubt does not matter.
    """
    targets = _touched(case)
    if not targets:
        return Flows()
    opened: list[str] = []
    closed: list[str] = []
    unknown: list[str] = []
    told = False
    for target in targets:
        losing: Losing = {}
        for source, one in _requests(case, target):
            opened += _asking(one, source, target) if one.opened else ()
            closed += _asking(one, source, target) if one.closed else ()
            unknown += one.doubts
        for sources, was, now in compared(case, target):
            told = True
            surely_opened = now.ports - was.possible
            for source in sources if surely_opened else ():
                opened += _told(surely_opened, source, target)
            if now.possible - was.ports - surely_opened:
                unknown += now.unknown or was.unknown
            lost = was.ports - now.possible
            if lost and _is_somebody(case, next(iter(sources)), target):
                losing.setdefault(lost, []).append(sources)
        closed += _closed(losing, target)
        unknown += _unread(case, losing, target)
    kept, cut, doubts = _needed_flows(case, targets)
    found = beside(case)
    opened += found.opened
    closed += found.closed
    unknown += [*doubts, *found.unknown, *case.unseen(SEEN)]
    if told and not case.facts.enforcement.known:
        unknown.append(f"whether a policy closes anything: {case.facts.enforcement.why}")
    opened, closed, unknown = (list(dict.fromkeys(each)) for each in (opened, closed, unknown))
    return Flows(
        tuple(opened),
        tuple(closed),
        (*kept, *found.kept),
        (*cut, *found.cut),
        tuple(found.selected),
        tuple(dict.fromkeys(assumptions(case))),
        tuple(unknown),
    )


def _requests(case: Case, target: Workload) -> Iterator[tuple[Peer, requests.Differs]]:
    """The single requests that fare otherwise, with who asks; none where no sidecar judges any."""
    for source in senders(case, target) if requests.judged(case, target) else ():
        for one in requests.differing(case, source, target):
            yield source, one


def _reach(facts: Facts, source: Peer, target: Workload) -> Reach:
    """What flows between two peers as the cluster of `facts` has them."""
    return facts.network.reach(requests.there(facts, source), requests.there(facts, target))


def _is_somebody(case: Case, source: Peer, target: Workload) -> bool:
    """Whether anybody would miss the flow: pods that are not there will not."""
    if isinstance(source, World):
        return any(entrance.public for entrance in case.facts.network.entrances(target))
    return isinstance(source, Workload)


def _unread(case: Case, losing: Losing, target: Workload) -> Iterator[str]:
    """Why a source may need a flow that nobody declared: it reads configuration that we do not
    see. Where clients are declared, the author has said who needs what; of a monitor, we know. Of
    whom everybody reached until now, it is an assumption that nobody else needs him.
    """
    facts = case.facts
    if not facts.unread or facts.data.clients_of(target) is not None:
        return
    if newly(case, target, requests.there(case.facts_after, target), "Ingress"):
        return
    for source in (one for groups in losing.values() for group in groups for one in group):
        if not isinstance(source, Workload) or source in facts.monitors:
            continue
        if unread := facts.unread.get(source.ref.key):
            yield (
                f"{source.name} may need {target.name}, which it reaches today: it reads"
                f" configuration that we do not see ({', '.join(unread)}); declare the clients with"
                f" {CLIENTS}"
            )


def _touched(case: Case) -> tuple[Workload, ...]:
    """The workloads whose incoming flows the changes can alter."""
    policies = {c.resource.ref for c in case.changes if c.resource.ref.kind == "NetworkPolicy"}
    apart = ("NetworkPolicy", *MESH, *UNROUTED)
    others = [c for c in case.changes if c.resource.ref.kind not in apart]
    spaces = {c.resource.ref.namespace for c in case.changes if c.resource.ref.kind in MESH}
    if spaces and (others or policies):
        return case.facts.workloads
    if spaces:
        root = case.facts.network.mesh.settings.root
        return tuple(w for w in case.facts.workloads if root in spaces or w.ref.namespace in spaces)
    if any(_moves_traffic(case, change) for change in others):
        return case.facts.workloads
    if not policies:
        return ()
    for facts in (case.facts, case.facts_after):
        if any((ref.key, "Egress") in facts.selected for ref in policies):
            return case.facts.workloads
    return case.concerned


def _moves_traffic(case: Case, change: Change) -> bool:
    """Whether a change of an object can alter who reaches whom: anything but a pod template that
    keeps its labels, ports and network, and what a mesh knows it by.
    """
    old = case.before.audit.snapshot.find(change.resource.ref)
    was, now = (workload_of(r) if r else None for r in (old, change.resource))
    if was is None or now is None:
        return True
    return _network_shape(was) != _network_shape(now)


def _network_shape(workload: Workload) -> object:
    ports = [(c.spec.get("ports"), c.spec.get("restartPolicy")) for c in workload.containers]
    return workload.labels, workload.pod.get("hostNetwork"), ports, _meshed(workload)


def _meshed(workload: Workload) -> object:
    """Who it is to sidecars, and what says whether it has one and what goes past it."""
    written = texts(at(workload.resource.manifest, (*workload.metadata_paths[-1], "annotations")))
    told = {key: value for key, value in written.items() if "istio.io/" in key}
    return service_account(workload.pod), told, [c.spec.get("name") for c in workload.containers]


def _told(ports: PortSet, source: Peer, target: Workload) -> list[str]:
    return [f"{name_of(source)} → {target.name}: {ports}"] if ports else []


def _closed(losing: Losing, target: Workload) -> Iterator[str]:
    """What nobody gets any longer on these ports; of many, how many they are."""
    for ports, groups in losing.items():
        count = sum(map(len, groups))
        each = (one for group in groups for one in group)
        names = [name_of(one) for one in islice(each, count if count <= SHOWN else FIRST)]
        if count > SHOWN:
            names = [f"{count:,} workloads ({', '.join(names)} and others)"]
        yield from (f"{name} → {target.name}: {ports}" for name in names)


def _asking(one: requests.Differs, source: Peer, target: Workload) -> list[str]:
    return [f"{name_of(source)} → {target.name}: {one}"]


def _needed_flows(
    case: Case, targets: Sequence[Workload]
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """The needed flows that stay, those that are cut, of all that flow today; and the doubts
    about those that may be cut.
    """
    kept: list[str] = []
    cut: list[str] = []
    doubts: list[str] = []
    for source, target, wanted in needs(case.facts, targets):
        if not wanted or wanted - _reach(case.facts, source, target).ports:
            continue
        now = _reach(case.facts_after, source, target)
        if lost := _lost_requests(case, source, target, wanted):
            cut += [asked for one in lost for asked in _asking(one, source, target)]
        elif wanted - now.possible:
            cut += _told(wanted, source, target)
        elif wanted - now.ports:
            doubts += now.unknown
        else:
            kept += _told(wanted, source, target)
    return tuple(dict.fromkeys(kept)), tuple(dict.fromkeys(cut)), doubts


def _lost_requests(
    case: Case, source: Workload, target: Workload, wanted: PortSet
) -> list[requests.Differs]:
    """What the source may need on ports that stay open, and loses or may lose."""
    if not requests.judged(case, target):
        return []
    return [
        one
        for one in requests.differing(case, source, target, wanted)
        if one.was.verdict is Verdict.ALLOWED and requests.needed(case, source, target, one.request)
    ]
