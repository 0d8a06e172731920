"""Whether callers are told to connect otherwise than sidecars do of themselves: DestinationRule.

Which of several counts for a caller (its namespace, that of the Service, the mesh; `exportTo`) is
not judged: one that might say so is a doubt. Source: https://istio.io/latest/docs/reference/
config/networking/destination-rule/ (ClientTLSSettings, and how `host` is resolved).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from auditor.facts.wording import text
from auditor.manifests import at, mapping, sequence
from auditor.model import Ref, Resource, Snapshot

KIND = "DestinationRule"
MUTUAL = "ISTIO_MUTUAL"
DOMAIN = "svc.cluster.local"


class Destinations:
    """The DestinationRules of a snapshot that set how to connect."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._rules = [
            rule
            for rule in snapshot.of_kind(KIND)
            if rule.ref.group == "networking.istio.io" and _is_otherwise(rule)
        ]

    def otherwise(self, services: Iterable[Ref]) -> Ref | None:
        """One that may keep a caller of these Services from using Istio's mTLS."""
        served = tuple(services)
        for rule in self._rules:
            host = text(at(rule.manifest, ("spec", "host")))
            if any(_means(host, rule.ref.namespace, service) for service in served):
                return rule.ref
        return None


def _is_otherwise(rule: Resource) -> bool:
    spec = mapping(rule.manifest.get("spec"))
    subsets = [mapping(subset).get("trafficPolicy") for subset in sequence(spec.get("subsets"))]
    return any(mode != MUTUAL for p in (spec.get("trafficPolicy"), *subsets) for mode in _modes(p))


def _modes(policy: Any) -> Iterator[Any]:
    ports = sequence(mapping(policy).get("portLevelSettings"))
    for settings in (mapping(policy), *map(mapping, ports)):
        if settings.get("tls") is not None:
            # Without a mode there is none.
            yield mapping(settings["tls"]).get("mode", "DISABLE")


def _means(host: str, home: str, service: Ref) -> bool:
    """Whether a host, written in namespace `home`, is the Service."""
    name, namespace = service.name, service.namespace
    if host.startswith("*"):
        return f"{name}.{namespace}.{DOMAIN}".endswith(host[1:])
    if "." not in host:
        return (host, home) == (name, namespace)
    return f"{host}.".startswith(f"{name}.{namespace}.")
