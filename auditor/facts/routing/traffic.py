"""What a Service says of the way that traffic takes to its pods.

Version gates: KEP-2433 (topology-mode: on since 1.24), KEP-2086 (internalTrafficPolicy: 1.22),
KEP-4444 (trafficDistribution: PreferClose on since 1.31), KEP-3015 (PreferSameZone and
PreferSameNode: on since 1.34), KEP-1669 (endpoints that end and still serve: on since 1.26).
"""

from __future__ import annotations

from auditor.manifests import at, sequence, texts
from auditor.model import Resource
from auditor.values import dataclass

SAME_ZONE, SAME_NODE, CLOSE = "PreferSameZone", "PreferSameNode", "PreferClose"
MODES = ("service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints")
SINCE = {CLOSE: 131, SAME_ZONE: 134, SAME_NODE: 134}
HINTS_SINCE, INTERNAL_SINCE, ENDING_SINCE = 124, 122, 126


@dataclass(frozen=True, slots=True)
class Traffic:
    """How traffic to a Service is to go, as far as the server's version obeys."""

    distribution: str = ""
    """``PreferSameZone`` or ``PreferSameNode``; empty where the field decides nothing. PreferClose
    means the same zone."""
    shared_out: bool = False
    """Whether hints are shared out by the CPU of the zones; then the field counts for nothing."""
    internal_local: bool = False
    """Whether clients in the cluster get instances of their own node alone."""
    external_local: bool = False
    """The same for traffic from outside; False where none arrives."""
    external: bool = False
    """Whether nodes accept traffic from outside for it."""
    ending: bool = True
    """Whether instances that end and still serve are asked where none is ready."""


def traffic_of(service: Resource, version: int) -> Traffic:
    """What `service` says, to a server of that version (100 × major + minor)."""
    spec = service.manifest
    kind = at(spec, ("spec", "type"))
    written = at(spec, ("spec", "trafficDistribution"))
    shared = version >= HINTS_SINCE and topology_mode(service)
    external = kind in ("NodePort", "LoadBalancer") or bool(
        sequence(at(spec, ("spec", "externalIPs")))
    )
    local = at(spec, ("spec", "internalTrafficPolicy")) == "Local"
    return Traffic(
        distribution="" if shared else _obeyed(written, version),
        shared_out=shared,
        internal_local=version >= INTERNAL_SINCE and local,
        external_local=external and at(spec, ("spec", "externalTrafficPolicy")) == "Local",
        external=external,
        ending=version >= ENDING_SINCE,
    )


def topology_mode(service: Resource) -> bool:
    """Whether an annotation asks for hints by CPU."""
    notes = texts(at(service.manifest, ("metadata", "annotations")))
    return any(notes.get(mode) in ("Auto", "auto") for mode in MODES)


def _obeyed(written: object, version: int) -> str:
    if not isinstance(written, str) or version < SINCE.get(written, version + 1):
        return ""
    return SAME_ZONE if written == CLOSE else written
