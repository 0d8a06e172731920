"""Where Services, Ingresses and routes lead, as facts for policies: what of them leads nowhere,
what lets the internet in, and what stands in the way of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.network import Entrance
from auditor.facts.network.ports import PROTOCOLS
from auditor.facts.network.ways import (
    external_name,
    is_public_load_balancer,
    selector_of,
    source_ranges,
)
from auditor.facts.network.ways.doors import ingress_backends
from auditor.facts.network.ways.gateway import GROUP, Backend, Route
from auditor.facts.network.ways.services import is_headless, is_port_of, ports_of, target_port
from auditor.facts.selectors import Truth
from auditor.facts.workloads import WORKLOAD_KINDS, Workload, is_port
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Gap, Path, Resource, Unseen
from auditor.terms import BUILT_IN

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

_CLASS = "kubernetes.io/ingress.class"


def service(facts: Facts, found: Resource) -> dict[str, Any] | None:
    """The fact `service`: whom a Service selects, and which names of ports no pod of them has.

    ``selects`` whether it has a selector, ``pods`` the workloads that it selects or may,
    ``nameless`` the ports that lead nowhere, ``twins`` other Services of its namespace with the
    same selector and a port in common, ``public`` whether it is a load balancer for the internet,
    and ``sources`` the ranges that this one takes traffic from. What seems to be missing and may
    stand in something that could not be read is a gap, and no finding; nor is what a custom object
    of the namespace may make. None of any other kind.
    """
    if (found.ref.group, found.ref.kind) != ("", "Service"):
        return None
    selected = tuple(_selected(facts, found))
    selects, nameless = selector_of(found) is not None, [*_nameless(found, selected)]
    lacks = (selects and not selected) or bool(nameless)
    if lacks and not {found.ref.namespace, ""}.isdisjoint(facts.makers):
        # That such objects may make pods is a gap already.
        selects, nameless = False, []
    elif lacks and _hides_pods(facts):
        why = "the pods behind it may stand in what could not be read"
        facts.unknown(Gap(f"whom {found.ref} leads to", why, Unseen.INCOMPLETE, ref=found.ref))
        selects, nameless = False, []
    return {
        "selects": selects,
        "pods": [workload.name for workload in selected],
        "nameless": nameless,
        "twins": [twin.ref.name for twin in _twins(facts, found)],
        "public": _type(found) == "LoadBalancer" and is_public_load_balancer(found),
        "sources": [*source_ranges(found)],
    }


def _hides_pods(facts: Facts) -> bool:
    """Whether a workload may be missing from what was read."""
    return any({"*", *WORKLOAD_KINDS}.intersection(gap.kinds) for gap in facts.snapshot.gaps)


def _selected(facts: Facts, found: Resource) -> Iterator[Workload]:
    selector = selector_of(found)
    for workload, labels in facts.labelled.get(found.ref.namespace, ()) if selector else ():
        if selector and selector.truth(labels) > Truth.NO:
            yield workload


def _type(found: Resource) -> Any:
    return at(found.manifest, ("spec", "type"))


def _nameless(found: Resource, selected: tuple[Workload, ...]) -> Iterator[dict[str, Any]]:
    """Ports that go by a name which none of the selected pods has for their protocol."""
    for path, entry in ports_of(found):
        name, protocol = entry.get("targetPort"), entry.get("protocol") or "TCP"
        if not isinstance(name, str) or not name or protocol not in PROTOCOLS:
            continue
        if selected and all(target_port(entry, protocol, each) is None for each in selected):
            yield {"path": (*path, "targetPort"), "name": name, "protocol": protocol}


def _twins(facts: Facts, found: Resource) -> Iterator[Resource]:
    ports = _numbers(found)
    for other in facts.network.ways.services.alike(found):
        headless = is_headless(found) or is_headless(other)
        if other.ref.key != found.ref.key and not headless and _numbers(other) & ports:
            yield other


def _numbers(found: Resource) -> set[tuple[str, int]]:
    return {
        (protocol, port)
        for _, entry in ports_of(found)
        if (protocol := entry.get("protocol") or "TCP") in PROTOCOLS
        and is_port(port := entry.get("port"))
    }


def backends(facts: Facts, found: Resource) -> list[dict[str, Any]] | None:
    """The fact `backends`: the backends of an Ingress or a route that lead nowhere, each with its
    ``path``, its ``name`` (``namespace/name:port``), ``why`` (missing, port or ungranted) and a
    ``message``; of a namespace of which nothing is seen, nothing is told. None of another kind of
    the same name.
    """
    if found.ref.kind == "Ingress" and found.ref.group in BUILT_IN["Ingress"]:
        return [*_ingress_faults(facts, found)]
    route = facts.network.ways.gateways.route_of.get(found.ref.key)
    if found.ref.group != GROUP or route is None:
        return None
    seen = facts.network.ways.namespaces
    named = [each for rule in route.rules for each in rule.backends if each.namespace in seen]
    return [fault for each in named if (fault := _route_fault(facts, route, each))]


def _ingress_faults(facts: Facts, ingress: Resource) -> Iterator[dict[str, Any]]:
    for each in ingress_backends(ingress):
        fault = _fault(facts, ingress.ref.namespace, each.service, each.port)
        if fault:
            yield {"path": each.path, **fault}


def _route_fault(facts: Facts, route: Route, backend: Backend) -> dict[str, Any] | None:
    if (backend.group, backend.kind) != ("", "Service"):
        return None
    if not facts.network.ways.gateways.granted(route, backend):
        name = f"{backend.namespace}/{backend.name}:{backend.port}"
        kind = route.resource.ref.kind
        message = f"no ReferenceGrant of namespace {backend.namespace} lets a {kind} of namespace"
        told = f"{message} {route.resource.ref.namespace} name Service {backend.name}"
        return {"path": backend.path, "name": name, "why": "ungranted", "message": told}
    fault = _fault(facts, backend.namespace, backend.name, backend.port)
    return {"path": backend.path, **fault} if fault else None


def _fault(facts: Facts, namespace: str, name: str, port: Any) -> dict[str, Any] | None:
    """What is wrong with a Service as a backend."""
    if not name:
        return {"name": "", "why": "missing", "message": "it names no Service"}
    found = facts.network.ways.services.by_name.get((namespace, name))
    told = f"{namespace}/{name}:{port if isinstance(port, int | str) else ''}"
    if found is None and not {namespace, ""}.isdisjoint(facts.makers):
        # Whoever makes pods makes Services for them.
        return None
    if found is None:
        message = f"there is no Service {namespace}/{name}"
        return {"name": told, "why": "missing", "message": message}
    if external_name(found) or any(is_port_of(entry, port) for _, entry in ports_of(found)):
        return None
    message = f"Service {namespace}/{name} has no port {told.rpartition(':')[2] or 'for it'}"
    return {"name": told, "why": "port", "message": message}


def parents(facts: Facts, found: Resource) -> list[dict[str, Any]] | None:
    """The fact `parents`: where a route wants to attach and does not, each with its ``path``, the
    ``name`` of what it asks for, a ``message``, and whether the Gateway is ``seen``. None of a kind
    of another group.
    """
    gateways = facts.network.ways.gateways
    if found.ref.group != GROUP or found.ref.key not in gateways.route_of:
        return None
    loose = gateways.loose.get(found.ref.key, ())
    return [
        {
            "path": each.parent.path,
            "name": str(each.parent),
            "message": each.why,
            "seen": each.seen,
        }
        for each in loose
    ]


def entrances(facts: Facts, target: Workload) -> list[dict[str, Any]] | None:
    """The fact `entrances`: the ways from the internet to a workload, each with its ``object``,
    ``path`` there, ``kind``, ``port`` of the pod, and the ``hosts`` and ``paths`` that it leads;
    empty lists of those stand for any. None where there is no way.
    """
    return [_told(way) for way in facts.network.entrances(target) if way.public] or None


def _told(way: Entrance) -> dict[str, Any]:
    return {
        "object": as_object(way.ref),
        "path": way.path,
        "kind": way.kind,
        "port": way.port,
        "hosts": [*way.hosts],
        "paths": [*way.paths],
    }


def claims(facts: Facts, ingress: Resource) -> list[dict[str, Any]] | None:
    """The fact `claims`: the paths of an Ingress that another one of its class claims too for the
    same host, each with its ``path``, ``what`` (``host/path``) and ``others`` (``namespace/name``).
    Whose backend is asked then depends on the controller. None of any other kind.
    """
    if ingress.ref.kind != "Ingress" or ingress.ref.group not in BUILT_IN["Ingress"]:
        return None
    told = []
    for key, path in _claimed(ingress).items():
        others = [each for each in facts.claimed.get(key, ()) if each.ref.key != ingress.ref.key]
        if others:
            names = [f"{each.ref.namespace}/{each.ref.name}" for each in others]
            told.append({"path": path, "what": f"{key[1]}{key[2]}", "others": names})
    return told


Claim = tuple[str, str, str, str]
"""Class, host, path and type of the path."""


def claimed_in(found: Iterator[Resource]) -> dict[Claim, list[Resource]]:
    """Who claims what."""
    table: dict[Claim, list[Resource]] = {}
    for ingress in found:
        for key in _claimed(ingress):
            table.setdefault(key, []).append(ingress)
    return table


def _claimed(ingress: Resource) -> dict[Claim, Path]:
    """What one Ingress claims, each with its place; rules without a host claim nobody's name."""
    written = mapping(ingress.manifest.get("spec")).get("ingressClassName")
    annotations = texts(at(ingress.manifest, ("metadata", "annotations")))
    name = written if isinstance(written, str) else annotations.get(_CLASS, "")
    table: dict[Claim, Path] = {}
    for i, rule in enumerate(map(mapping, sequence(at(ingress.manifest, ("spec", "rules"))))):
        host = rule.get("host")
        for j, entry in enumerate(map(mapping, sequence(at(rule, ("http", "paths"))))):
            path, kind = entry.get("path"), entry.get("pathType")
            if isinstance(host, str) and host and isinstance(path, str):
                key = (name, host.lower(), path, kind if isinstance(kind, str) else "")
                place: Path = ("spec", "rules", i, "http", "paths", j, "path")
                table.setdefault(key, place)
    return table
