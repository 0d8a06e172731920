"""Who is asked through a Service, and where: what a fault of availability takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.facts.network.ways.services import is_headless, ports_of
from auditor.facts.wording import text
from auditor.facts.workloads import Workload, container_ports
from auditor.manifests import at
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts


def services_of(facts: Facts, workload: Workload) -> tuple[Resource, ...]:
    """The Services that clients ask the workload through. A headless one of a StatefulSet is there
    so that its pods find each other: it counts where it is the only one.
    """
    found = [s for s in facts.directory.services_of(workload) if not _is_for_figures(s)]
    asked = tuple(service for service in found if not is_headless(service))
    return asked or tuple(found)


def _is_for_figures(service: Resource) -> bool:
    """Whether monitors alone ask there: a figure that is missing for a minute is no outage."""
    names = [text(entry.get("name")) for _, entry in ports_of(service)]
    return bool(names) and all("metrics" in name for name in names)


def serves(facts: Facts, workload: Workload) -> str:
    """The Services in words, ``behind Service web``; empty where there is none."""
    names = sorted({service.ref.name for service in services_of(facts, workload)})
    if not names:
        return ""
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return f"behind Service {', '.join(names[:2])}{more}"


def serving(facts: Facts, workload: Workload) -> dict[str, Any] | None:
    """The fact `serving`: the names of the Services and the ports of the pods that they lead to;
    None where no Service leads to the workload.

    Each port comes with the `containers` that declare it: without one, any may answer there.
    """
    services = services_of(facts, workload)
    if not services:
        return None
    names = {service.ref.name for service in services}
    ports = {
        (lead.protocol, lead.number)
        for lead in facts.directory.leads_to(workload)
        if lead.service.ref.name in names
    }
    return {
        "services": sorted(names),
        "ports": [
            {"port": number, "containers": _declaring(workload, protocol, number)}
            for protocol, number in sorted(ports)
        ],
    }


def _declaring(workload: Workload, protocol: str, number: int) -> list[int]:
    """The places in the list of containers of those that declare the port."""
    length = len(workload.pod_path)
    return [
        int(path[length + 1])
        for found, how, _, path in container_ports(workload)
        if (found, how) == (number, protocol) and path[length] == "containers"
    ]


def governing(facts: Facts, found: Resource) -> dict[str, Any] | None:
    """The fact `governing` of a StatefulSet: the Service that gives its pods their names, whether
    it is there, and whether it is headless. None of another kind of that name.
    """
    if found.ref.group != "apps":
        return None
    name = text(at(found.manifest, ("spec", "serviceName")))
    service = facts.snapshot.by_key.get(("", "Service", found.ref.namespace, name))
    made = service is None and not {found.ref.namespace, ""}.isdisjoint(facts.makers)
    return {
        "name": name,
        "is_there": service is not None or bool(name and made),
        "headless": service is None or is_headless(service),
    }
