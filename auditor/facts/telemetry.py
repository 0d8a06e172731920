"""What monitors may read of a workload beside its health, and whether they can.

Two classes of what a monitor may see. *Health*: probes, and what the workload declares
(``auditor/health``). *Telemetry*: the figures that monitor objects and annotations ask for. Figures
tell about people where there is personal data: who owns it approves them (``auditor/telemetry``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.data.written import Request, requests_meant
from auditor.facts.exposure import name_of
from auditor.facts.forms import as_evidence, as_object
from auditor.facts.monitors import Scrape
from auditor.facts.network import Peer, PortSet, Reason, Stranger
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping
from auditor.model import Gap, Unseen

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


def probe_requests(workload: Workload) -> tuple[Request, ...]:
    """What the kubelet asks by HTTP: each a port and a path, in the order of the containers. The
    kubelet itself asks from the pod's own node, and needs no rule for it.
    """
    found: dict[Request, None] = {}
    for container in workload.containers:
        for name in PROBES:
            get = mapping(at(container.spec, (name, "httpGet")))
            path, wanted = get.get("path") or "/", get.get("port")
            text = str(wanted) if isinstance(wanted, str | int) else ""
            for port, _ in requests_meant(workload, text):
                if isinstance(path, str):
                    found[port, path] = None
    return tuple(found)


def unapproved(facts: Facts, target: Workload) -> Iterator[Scrape]:
    """What monitors are asked to fetch of it and neither is health nor was approved; each port and
    path once.
    """
    approved = {
        *facts.data.health_requests(target),
        *facts.data.telemetry_requests(target),
        *probe_requests(target),
    }
    told: set[Request] = set()
    for scrape in facts.scrapes_by_target.get(target.ref.key, ()):
        # A query asks for the same page; what follows it is no part of what is approved.
        path = scrape.path.partition("?")[0]
        known = {(scrape.port, None), (scrape.port, path)} & approved
        if not known and (scrape.port, path) not in told:
            told.add((scrape.port, path))
            yield scrape


def telemetry(facts: Facts, target: Workload) -> dict[str, Any] | None:
    """The fact `telemetry` for policies: ``unapproved``, what monitors are asked to fetch that
    neither is health nor was approved; None for a workload that holds no personal data.
    """
    data = facts.data.of(target)
    if data is None:
        return None
    return {
        "data": [name.upper() for name in data.names],
        "unapproved": [_told(scrape) for scrape in unapproved(facts, target)],
    }


def _told(scrape: Scrape) -> dict[str, Any]:
    return {
        "port": scrape.port,
        "path": scrape.path,
        "by": scrape.told,
        "object": as_object(scrape.by.ref),
        "place": scrape.place,
        "own": scrape.by.ref == scrape.target.ref,
    }


def blocked(facts: Facts, target: Workload) -> list[dict[str, Any]] | None:
    """The fact `blocked_monitors` for policies: the monitor objects that ask for something of the
    workload which none of the monitors that are told to fetch it can reach. None where no monitor
    object means the workload.
    """
    scrapes = [s for s in facts.scrapes_by_target.get(target.ref.key, ()) if s.is_object]
    if not scrapes:
        return None
    return [one for scrape in scrapes if (one := _blocked(facts, scrape))]


def _blocked(facts: Facts, scrape: Scrape) -> dict[str, Any] | None:
    wanted = PortSet.of("TCP", scrape.port)
    reasons: dict[str, tuple[Reason, ...]] = {}
    for peer in facts.watchers.of(scrape):
        if isinstance(peer, Workload) and peer.ref == scrape.target.ref:
            return None
        reach = facts.network.reach(peer, scrape.target)
        if reach.ports.covers(wanted):
            return None
        if reach.possible.covers(wanted):
            _note(facts, scrape, reach.unknown)
            return None
        reasons[_name(peer)] = reach.reasons
    if not reasons:
        return None
    return {
        **_told(scrape),
        "monitors": list(reasons),
        "reasons": [as_evidence(one) for each in reasons.values() for one in each],
    }


def _name(peer: Peer) -> str:
    """The monitor as a person would say it; pods that an operator will make have no name yet."""
    if isinstance(peer, Workload):
        return peer.name
    if isinstance(peer, Stranger) and (made := peer.labels.get("operator.prometheus.io/name")):
        return f"Prometheus {peer.namespace}/{made}"
    return name_of(peer)


def _note(facts: Facts, scrape: Scrape, unknown: tuple[str, ...]) -> None:
    for why in unknown:
        what = f"whether monitors reach {scrape.target.name}"
        facts.unknown(Gap(what, why, Unseen.UNKNOWN))
