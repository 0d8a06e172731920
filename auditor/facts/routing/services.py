"""The fact `traffic`: how the known clients of a Service fall on its instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from auditor.facts.distance import fars
from auditor.facts.forms import as_object
from auditor.facts.network.ways.services import external_name, is_headless
from auditor.facts.routing.cost import latency_of
from auditor.facts.routing.endpoints import Endpoint, Endpoints
from auditor.facts.routing.instances import Served, served_by
from auditor.facts.routing.load import Load, load_of, zone_of
from auditor.facts.routing.meshed import is_meshed
from auditor.facts.routing.traffic import CLOSE, SAME_NODE, SAME_ZONE, SINCE
from auditor.facts.routing.what_if import FAIR, Near
from auditor.facts.workloads import Workload
from auditor.manifests import at, texts
from auditor.model import Resource, Severity
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

WORTH = 0.25
"""The part of the requests that has to leave its zone before it is worth a word."""
AWS = "service.beta.kubernetes.io/aws-load-balancer"
PAST_NODES: Mapping[str, tuple[str, ...] | None] = {
    "cloud.google.com/neg": None,
    f"{AWS}-nlb-target-type": ("ip",),
    f"{AWS}-type": ("nlb-ip",),
}
"""Annotations, and what they say (None: whatever), by which a balancer sends to pods."""
NAMED = 3
"""As many nodes are named."""


def traffic(facts: Facts, service: Resource) -> Told | None:
    """The fact `traffic` for policies, about a Service with a virtual address.

    ``live``, whether pods are there or only simulated; ``clients``, ``instances`` (ready ones) and
    ``wanted``: how many; ``crossing``, ``overload``, ``dropped``, ``hot``, ``outside``,
    ``unhinted``, ``collocated``, ``scattered``: what each function below tells, or null. Without
    any node only the last. None of any other kind: there kube-proxy has no say.

    Costs one look at each node with clients and at each instance.
    """
    if (service.ref.group, service.ref.kind) != ("", "Service"):
        return None
    if is_headless(service) or external_name(service):
        return None
    served = served_by(facts, service)
    if not facts.topology.nodes:
        scattered = _scattered(served)
        return {"scattered": scattered} if scattered else None
    view = _View(facts, served)
    if not view.endpoints.ready and not facts.standing.runs:
        return None
    return {
        "live": facts.standing.runs,
        "clients": round(sum(served.clients.values())),
        "instances": len(view.endpoints.ready),
        "wanted": sum(each.replicas for each in served.behind),
        "crossing": crossing(view),
        "overload": overload(view),
        "dropped": dropped(view),
        "hot": hot(view),
        "outside": outside(view),
        "unhinted": unhinted(view),
        "collocated": collocated(view),
        "scattered": None if view.sure else _scattered(served),
        "evidence": [*_evidence(facts, served), *_latency(view)],
    }


def _scattered(served: Served) -> str | None:
    """Who asks it, where it answers on its own node alone and nothing puts an instance on each."""
    every = all(each.ref.kind == "DaemonSet" for each in served.behind)
    if not served.traffic.internal_local or every or not served.askers:
        return None
    return _some(each.name for each in served.askers)


@dataclass
class _View:
    """What the parts of the fact share. Not frozen: it remembers what it has worked out."""

    facts: Facts
    served: Served

    @cached_property
    def endpoints(self) -> Endpoints:
        """Who reaches whom, by the hints that there are."""
        return self.served.routed()

    @cached_property
    def load(self) -> Load | None:
        """How the clients fall; None where none is known, or a mesh decides instead."""
        if not self.served.clients or self.meshed:
            return None
        return load_of(self.served.clients, self.endpoints, self.facts.topology)

    @cached_property
    def sure(self) -> bool:
        """Whether pods stand where they are said to: they are there, or can be nowhere else. Where
        a simulated scheduler had a choice, the next one may choose otherwise.
        """
        if self.facts.standing.runs:
            return True
        each = (*self.served.askers, *self.served.behind)
        return all(one.ref.kind == "DaemonSet" or self._is_pinned(one) for one in each)

    def _is_pinned(self, workload: Workload) -> bool:
        return len(self.facts.standing.eligible(workload)) <= 1

    @cached_property
    def meshed(self) -> bool:
        """Whether a mesh chooses the instance for some client."""
        return any(is_meshed(self.facts, asker) for asker in self.served.askers)

    def rack(self, node: str) -> str | None:
        """The rack of a node."""
        found = self.facts.topology.by_name.get(node)
        return found.rack if found else None

    @property
    def home(self) -> tuple[str, str] | None:
        """The one rack of a database that what is behind the Service asks, and who that is; nothing
        of what is placed away from it without need, which is a fault of its own.
        """
        for workload in self.served.behind:
            if fars(self.facts, workload):
                continue
            for edge in self.facts.needs.get(workload.ref.key, ()):
                pods = self.facts.standing.pods(edge.target)
                racks = {self.rack(pod.node) for pod in pods}
                rack = racks.pop() if len(racks) == 1 else None
                if rack and edge.target.ref.key in self.facts.databases:
                    return rack, edge.target.name
        return None

    @property
    def near(self) -> Near:
        """If traffic stayed in its zone."""
        return Near.of(self.served, self.facts.topology)


def crossing(view: _View) -> Told | None:
    """Requests that leave their zone although the Service could keep them there: ``part``, ``near``
    (the part with the field), ``zones`` of its instances, ``field`` to write (empty where the
    server has none), ``load`` (the highest with it, after any single loss) and ``even``, whether
    that is below twice the fair share.
    """
    traffic, load = view.served.traffic, view.load
    if load is None or traffic.distribution or traffic.shared_out or traffic.internal_local:
        return None
    if load.cross_zone is None or load.cross_zone < WORTH:
        return None
    field = _field(view.facts.settings.kubernetes)
    near = view.near
    if near.crossing >= load.cross_zone - WORTH / 2:
        return None
    worst = near.worst()
    return {
        "part": percent(load.cross_zone),
        "near": percent(near.crossing),
        "zones": len({each.zone for each in view.endpoints.ready}),
        "field": field,
        "load": times(worst.load),
        "when": worst.when,
        "even": worst.load <= FAIR,
    }


def _field(version: int) -> str:
    """What the server knows for "the same zone"."""
    return next((name for name in (SAME_ZONE, CLOSE) if version >= SINCE[name]), "")


def overload(view: _View) -> Told | None:
    """An instance that gets more than twice its share because traffic is kept near: ``load`` (times
    its share), ``zone``, the ``instances`` there of ``of``, the ``clients`` there of ``asking``,
    and ``later``: when, where that is not now.
    """
    traffic, load = view.served.traffic, view.load
    near = traffic.distribution == SAME_ZONE or traffic.shared_out
    if load is None or not near or view.endpoints.follows_hints != "zone" or not view.sure:
        return None
    if load.worst > FAIR:
        zone = max(load.zones, key=lambda each: load.zones[each])
        return {"load": times(load.worst), "later": "", **_in_zone(view, zone)}
    worst = view.near.worst()
    if traffic.shared_out or worst.load <= FAIR * 1.5:
        return None
    zone = max(load.zones, key=lambda each: load.zones[each])
    return {"load": times(worst.load), "later": worst.when, **_in_zone(view, zone)}


def _in_zone(view: _View, zone: str) -> Told:
    ready, clients = view.endpoints.ready, view.served.clients
    here = {n: count for n, count in clients.items() if zone_of(view.facts.topology, n) == zone}
    return {
        "zone": zone,
        "instances": sum(each.zone == zone for each in ready),
        "of": len(ready),
        "clients": round(sum(here.values())),
        "asking": round(sum(clients.values())),
    }


def dropped(view: _View) -> Told | None:
    """Clients whose requests are dropped, since their node has no instance and traffic from inside
    stays on the node: ``pods`` of ``asking``, on ``nodes`` in words, and the ``grade`` of that.
    """
    if not view.served.traffic.internal_local or view.meshed or not view.sure:
        return None
    clients = view.served.clients
    lost = {node: n for node, n in clients.items() if not view.endpoints.for_client(node, "")}
    if not lost:
        return None
    pods, asking = round(sum(lost.values())), round(sum(clients.values()))
    # Where pods would stand by a simulation, others may be luckier.
    grade = Severity.HIGH if view.facts.standing.runs else Severity.MEDIUM
    return {"pods": pods, "asking": asking, "nodes": _some(lost), "grade": grade.value}


def hot(view: _View) -> Told | None:
    """Clients on nodes without an instance, of a Service that prefers the own node: ``off``, the
    ``pods`` of ``asking`` that go elsewhere, and ``load``, the highest of an instance.
    """
    load = view.load
    if load is None or view.served.traffic.distribution != SAME_NODE:
        return None
    if view.endpoints.follows_hints != "node" or not view.sure:
        return None
    here = {each.node for each in view.endpoints.ready}
    off = sum(count for node, count in view.served.clients.items() if node not in here)
    asking = sum(view.served.clients.values())
    if off * 2 < asking and load.worst <= FAIR:
        return None
    return {"off": round(off), "asking": round(asking), "load": times(load.worst)}


def outside(view: _View) -> Told | None:
    """Traffic from outside that stays on the node where it arrives, on instances that are not one
    on each: ``load``, the highest if a balancer gives every node with one alike; ``nodes`` that
    have one of ``all``, and ``blackhole``: whether the others drop what arrives, as on a NodePort
    without a balancer that asks for their health.
    """
    if not view.served.traffic.external_local or not view.endpoints.ready or not view.sure:
        return None
    per_node = Counter(each.node for each in view.endpoints.ready)
    # A cordoned node still forwards; only one that pods may come to is asked for one.
    every = {n.name for n in view.facts.topology.nodes if not n.unschedulable} | per_node.keys()
    service = view.served.service
    kind = at(service.manifest, ("spec", "type"))
    load = len(view.endpoints.ready) / (len(per_node) * min(per_node.values()))
    return {
        "load": times(load),
        "uneven": load >= FAIR and kind == "LoadBalancer" and not _is_past_nodes(service),
        "nodes": len(per_node),
        "all": len(every),
        "blackhole": kind == "NodePort" and len(per_node) < len(every),
        "most": max(per_node.values()),
        "least": min(per_node.values()),
    }


def _is_past_nodes(service: Resource) -> bool:
    """Whether its balancer sends to pods themselves, as far as the Service tells."""
    notes = texts(at(service.manifest, ("metadata", "annotations")))
    bare = at(service.manifest, ("spec", "allocateLoadBalancerNodePorts")) is False
    told = ((notes[key], values) for key, values in PAST_NODES.items() if key in notes)
    return bare or any(values is None or value in values for value, values in told)


def unhinted(view: _View) -> Told | None:
    """Why a Service that wants its traffic near gets none of it: ``why``, and whether the hints are
    those of the cluster (``seen``) or what its controller would write.
    """
    traffic = view.served.traffic
    wanted = traffic.distribution or traffic.shared_out
    if not wanted or view.endpoints.follows_hints or not view.endpoints.ready:
        return None
    without = [each for each in view.endpoints.ready if not each.zones and not each.nodes]
    why = _why(view, without)
    annotated = traffic.shared_out
    seen = bool(view.facts.slices.get(view.served.service.ref.key))
    return {"why": why, "annotated": annotated, "seen": seen}


def collocated(view: _View) -> Told | None:
    """Instances in the one rack of a database that all of them ask, while others are elsewhere:
    ``near`` of ``of`` instances, their ``share`` of the requests in per cent, ``fair``, what it is
    when all get alike, ``load``, the highest of one of them, ``database`` and ``rack``, and ``why``
    that is a fault: ``alike``, since they get no more than others, or ``too much``; empty where it
    is none.
    """
    load, ready = view.load, view.endpoints.ready
    home = view.home
    if load is None or home is None or not view.sure:
        return None
    rack, database = home
    near = [each.name for each in ready if view.rack(each.node) == rack]
    if not near or len(near) == len(ready):
        return None
    share, fair = load.share_of(near), len(near) / len(ready)
    highest = max(load.shares[name] for name in near) * len(ready)
    return {
        "near": len(near),
        "of": len(ready),
        "share": percent(share),
        "fair": percent(fair),
        "load": times(highest),
        "why": "alike" if share <= fair + 0.01 else "too much" if highest > FAIR else "",
        "database": database,
        "rack": rack,
    }


def _why(view: _View, without: Sequence[Endpoint]) -> str:
    ready, topology = view.endpoints.ready, view.facts.topology
    bare = [node.name for node in topology.nodes if not zone_of(topology, node.name)]
    zones = {zone_of(topology, node.name) for node in topology.nodes} - {""}
    if bare and (view.served.traffic.shared_out or any(e.node in bare for e in without)):
        return f"{_counted(bare)} no label topology.kubernetes.io/zone"
    if view.served.traffic.shared_out and len(zones) < 2:
        return "the nodes are in fewer than two zones"
    if view.served.traffic.shared_out and len(ready) < len(zones):
        return f"its {len(ready)} ready instances are fewer than the {len(zones)} zones"
    if view.served.traffic.shared_out:
        return "a zone would get more than 20% above its share of the CPU"
    return f"{len(without)} of its {len(ready)} ready instances have no hint"


def _counted(names: Sequence[str]) -> str:
    return f"node {names[0]} has" if len(names) == 1 else f"{len(names)} nodes have"


def _some(nodes: Iterable[str]) -> str:
    names = sorted(nodes)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _evidence(facts: Facts, served: Served) -> Iterator[Told]:
    """Who asks it, and where that stands."""
    edges = facts.asked_through.get(served.service.ref.key, ())
    once = {edge.client.ref.key: edge for edge in reversed(edges)}
    for edge in list(once.values())[-NAMED:][::-1]:
        on = Counter(zone_of(facts.topology, p.node) for p in facts.standing.pods(edge.client))
        where = ", ".join(f"{count} in zone {zone}" for zone, count in sorted(on.items()) if zone)
        told = f"{edge.client.name} asks it" + (f": pods {where}" if where else "")
        yield {"message": told, "object": as_object(edge.ref), "path": edge.path}


def _latency(view: _View) -> Iterator[Told]:
    """What a request takes on its way, where somebody declared what ways take."""
    trips = view.facts.settings.latency
    taken = latency_of(view.load, trips) if trips and view.load else None
    if taken is not None:
        told = f"by the declared latencies a request takes {taken:.2g} ms on its way"
        yield {"message": told, "object": None, "path": ()}


def percent(part: float) -> int:
    """A part of 1 as whole per cent."""
    return round(100 * part)


def times(load: float) -> str:
    """A load as people say it: ``4``, ``1.7``."""
    return f"{load:.1f}".removesuffix(".0")
