"""Workloads that one loss takes down whatever their rules: of one replica, of too few members, and
those that the cluster itself stands on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from auditor.facts.forms import as_object
from auditor.facts.placement import Pod
from auditor.facts.scheduling.demand import REPLICATED, Demand, images, votes
from auditor.facts.scheduling.domains import LEVELS, place
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Resource

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]
SHARED = ("ReadWriteMany", "ReadOnlyMany")
WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")

PARTS = {
    "coredns": "the DNS of the cluster",
    "kube-dns": "the DNS of the cluster",
    "metrics-server": "the figures that autoscalers ask for",
    "ingress-nginx": "what comes from outside",
    "nginx-ingress-controller": "what comes from outside",
    "traefik": "what comes from outside",
    "haproxy-ingress": "what comes from outside",
    "contour": "what comes from outside",
    "csi-provisioner": "the making of volumes",
    "csi-attacher": "the mounting of volumes",
    "cert-manager-webhook": "the admission of certificates",
}
"""Images of what much of a cluster waits for, and what they give it."""

LEADERS = ("operator", "controller", "leader")
"""Words in the name of what acts for the cluster, and is asked by nobody: one of them leads."""


def single(facts: Facts, workload: Workload) -> dict[str, list[Told]] | None:
    """The fact `single` for policies: by fault, that one loss takes the workload down whatever its
    rules are, or that of its members an even number votes.
    """
    if workload.ref.kind not in REPLICATED:
        return None
    demand = facts.scheduling.demand(workload)
    found: dict[str, list[Told]] = {}
    for name, case in _faults(facts, workload, demand):
        found.setdefault(name, []).append(case)
    return found or None


def _faults(facts: Facts, workload: Workload, demand: Demand) -> Iterator[tuple[str, Told]]:
    if votes(workload):
        if (case := _votes(facts, workload, demand)) is not None:
            yield "even_votes" if case.pop("even") else "majority", case
        if demand.least != 1:
            return
    gives = _gives(facts, workload)
    if demand.least == 1 and gives:
        yield "platform", _told(workload, demand, gives=gives[0], evidence=gives[1])
    elif demand.least == 1 and _is_held(facts, workload):
        yield "held", _told(workload, demand)
    elif demand.least == 1 and facts.scheduling.services(workload) and not _leads(workload):
        name = "entered" if facts.scheduling.enters(workload) else "served"
        yield name, _served(facts, workload, demand)


def _told(workload: Workload, demand: Demand, **more: Any) -> Told:
    scaled = demand.autoscaler is not None
    where = ("spec", "replicas")
    written = at(workload.resource.manifest, where) is not None
    path = where if written else ("spec",)
    return {"path": path, "anchor": "", "scaled": scaled, "most": demand.most, **more}


def _served(facts: Facts, workload: Workload, demand: Demand) -> Told:
    services = facts.scheduling.services(workload)
    return _told(
        workload,
        demand,
        patch=_second(workload, demand),
        service=f"{services[0].ref.namespace}/{services[0].ref.name}",
        evidence=[
            {"message": "leads to its one pod", "object": as_object(s.ref), "path": []}
            for s in services[:10]
        ],
    )


def _second(workload: Workload, demand: Demand) -> list[Told]:
    """The patch to a second replica, where nothing tells that one is all there may be: no volume
    that one node alone mounts, no strategy that stops the old pod first, no autoscaler that says
    how many.
    """
    strategy = mapping(at(workload.resource.manifest, ("spec", "strategy")))
    if demand.autoscaler or strategy.get("type") == "Recreate" or _disks(workload):
        return []
    op = "add" if at(workload.resource.manifest, ("spec", "replicas")) is None else "replace"
    return [{"op": op, "path": ["spec", "replicas"], "value": 2}]


def _disks(workload: Workload) -> bool:
    """Whether the pods mount anything that is not of the manifest itself."""
    templates = at(workload.resource.manifest, ("spec", "volumeClaimTemplates"))
    kinds = ("persistentVolumeClaim", "ephemeral", "hostPath", "csi")
    volumes = map(mapping, sequence(workload.pod.get("volumes")))
    return bool(templates) or any(kind in volume for volume in volumes for kind in kinds)


def _leads(workload: Workload) -> bool:
    """Whether it seems to act of its own accord, so that its Service is for its figures."""
    return any(word in workload.ref.name for word in LEADERS)


def _is_held(facts: Facts, workload: Workload) -> bool:
    """Whether its one pod has a disk of its own that one node alone may mount."""
    templates = map(mapping, sequence(at(workload.resource.manifest, _TEMPLATES)))
    if any(_is_own(mapping(template.get("spec"))) for template in templates):
        return True
    pods: tuple[Pod, ...] = facts.standing.one(workload)
    claims = {(pod.namespace, claim.name) for pod in pods for claim in pod.claims}
    return any(
        (claim.ref.namespace, claim.ref.name) in claims and _is_own(claim.manifest.get("spec"))
        for claim in facts.snapshot.of_kind("PersistentVolumeClaim")
    )


_TEMPLATES = ("spec", "volumeClaimTemplates")


def _is_own(spec: Any) -> bool:
    modes = sequence(mapping(spec).get("accessModes"))
    return bool(modes) and not any(mode in SHARED for mode in modes)


def _gives(facts: Facts, workload: Workload) -> tuple[str, list[Told]] | None:
    """What the cluster has of it, and what shows that."""
    runs = images((workload,))
    for name, part in PARTS.items():
        if name in runs:
            return part, []
    services = {(s.ref.namespace, s.ref.name) for s in facts.scheduling.services(workload)}
    for hook in facts.snapshot.of_kind(*WEBHOOKS) if services else ():
        if any(asked in services for asked in _closed(hook)):
            seen = {"message": "fails closed", "object": as_object(hook.ref), "path": ["webhooks"]}
            return f"the admission that {hook.ref.kind} {hook.ref.name} asks for", [seen]
    return None


def _closed(hook: Resource) -> Iterator[tuple[str, str]]:
    """The Services without whose answer a webhook refuses what it is asked about."""
    for each in map(mapping, sequence(hook.manifest.get("webhooks"))):
        service = texts(at(each, ("clientConfig", "service")))
        if each.get("failurePolicy", "Fail") == "Fail" and "name" in service:
            yield service.get("namespace", ""), service["name"]


def _votes(facts: Facts, workload: Workload, demand: Demand) -> Told | None:
    """Members that vote: an even number bears no more losses than one fewer; and no majority is
    left where one domain holds it.
    """
    members = demand.least
    told = {"path": ("spec",), "anchor": "", "members": members, "quorum": members // 2 + 1}
    if members > 1 and members % 2 == 0:
        return {**told, "even": True, "bears": (members - 1) // 2}
    pods = facts.scheduling.pods(workload)
    nodes = facts.topology.by_name
    for level in reversed(LEVELS):
        names = [place(nodes[pod.node], level) for pod in pods]
        domains = {name for name in names if name is not None}
        total = len(facts.scheduling.domains[level])
        if total == 2 and len(domains) == 2 and members > 2:
            return {**told, "even": False, "anchor": level, "level": level}
    return None
