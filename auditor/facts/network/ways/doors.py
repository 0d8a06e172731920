"""What opens the cluster for HTTP: each backend of an Ingress or a route, with who may ask for it.

Rules: https://kubernetes.io/docs/concepts/services-networking/ingress/ and
https://gateway-api.sigs.k8s.io/reference/spec/. An Ingress names the port of the Service, by number
or name, never that of the pod. The pod sees the address of the controller's proxy, or with some
controllers that of a node or a load balancer; never surely the client's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.facts.network.outside import is_private
from auditor.facts.network.ways.attachments import Attached, Gateways
from auditor.facts.network.ways.gateway import Gateway, Rule
from auditor.facts.network.ways.ranges import networks
from auditor.manifests import at, mapping, sequence, texts
from auditor.model import Manifest, Path, Ref, Resource, Snapshot
from auditor.values import dataclass

INTERNAL: dict[str, tuple[str, ...]] = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": ("true", "0.0.0.0/0"),
    "service.beta.kubernetes.io/aws-load-balancer-scheme": ("internal",),
    "service.beta.kubernetes.io/azure-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/oci-load-balancer-internal": ("true",),
    "service.beta.kubernetes.io/openstack-internal-load-balancer": ("true",),
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": ("intranet",),
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": ("private",),
    "networking.gke.io/load-balancer-type": ("internal",),
    "cloud.google.com/load-balancer-type": ("internal",),
    "alb.ingress.kubernetes.io/scheme": ("internal",),
    "kubernetes.io/ingress.class": ("gce-internal",),
    "networking.istio.io/service-type": ("clusterip", "nodeport"),
}
"""Annotations, and their values in lower case, by which a load balancer gets no public address."""

INTERNAL_CLASSES = (
    "gke-l7-rilb", "gke-l7-rilb-mc", "gke-l7-cross-regional-internal-managed-mc", "istio-remote",
    "istio-east-west",
)  # fmt: skip
"""GatewayClasses without a public address."""

NO_DOORS = ("istio-waypoint", "istio-agentgateway-waypoint")
"""GatewayClasses whose Gateways stand between pods, and let nobody in."""

_NGINX = "nginx.ingress.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Door:
    """One backend that is opened."""

    ref: Ref
    kind: str
    path: Path
    service: tuple[str, str]
    """Its namespace and name."""
    port: Any
    """Number or name of the Service's port, as written."""
    public: bool
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    through: Ref | None = None
    rewritten: bool = False


def ingress_doors(snapshot: Snapshot) -> Iterator[Door]:
    """The backends of every Ingress; a rule without a host is for any."""
    for ingress in snapshot.of_kind("Ingress"):
        public = not is_internal(ingress)
        unread = _rewrites(ingress)
        for each in ingress_backends(ingress):
            yield Door(
                ingress.ref,
                "Ingress",
                each.path,
                (ingress.ref.namespace, each.service),
                each.port,
                public,
                (each.host,) if each.host else (),
                () if unread else each.patterns,
                rewritten=unread,
            )


@dataclass(frozen=True, slots=True)
class IngressBackend:
    """A backend of an Ingress that is a Service."""

    path: Path
    service: str
    """Its name; empty where none can be read."""
    port: Any
    host: str
    patterns: tuple[str, ...]


def ingress_backends(ingress: Resource) -> Iterator[IngressBackend]:
    """The default backend, then those of the rules in order; none that are a resource."""
    # serviceName and servicePort are how it was written before networking.k8s.io/v1.
    old = ingress.ref.api_version != "networking.k8s.io/v1"
    for path, backend, host, patterns in _backend_places(ingress.manifest):
        service = mapping(backend.get("service"))
        port = mapping(service.get("port"))
        name, number = service.get("name"), port.get("number", port.get("name"))
        if old:
            name, number = name or backend.get("serviceName"), number or backend.get("servicePort")
        if not isinstance(backend.get("resource"), Mapping):
            text = name if isinstance(name, str) else ""
            yield IngressBackend(path, text, number, host, patterns)


def _backend_places(manifest: Manifest) -> Iterator[tuple[Path, Manifest, str, tuple[str, ...]]]:
    for name in ("defaultBackend", "backend"):
        backend = at(manifest, ("spec", name))
        if isinstance(backend, Mapping):
            yield ("spec", name), backend, "", ()
    for i, rule in enumerate(map(mapping, sequence(at(manifest, ("spec", "rules"))))):
        host = rule.get("host")
        for j, entry in enumerate(map(mapping, sequence(at(rule, ("http", "paths"))))):
            place: Path = ("spec", "rules", i, "http", "paths", j, "backend")
            text = host.lower() if isinstance(host, str) else ""
            yield place, mapping(entry.get("backend")), text, _patterns(entry)


def _patterns(entry: Manifest) -> tuple[str, ...]:
    """What a path of an Ingress means; of type ImplementationSpecific nobody knows."""
    path, kind = entry.get("path"), entry.get("pathType")
    if not isinstance(path, str) or kind not in ("Exact", "Prefix"):
        return ()
    return (path,) if kind == "Exact" else _below(path)


def _below(prefix: str) -> tuple[str, ...]:
    """A prefix of whole segments; the one of all paths is none."""
    bare = prefix.rstrip("/")
    return (f"{bare}/**",) if bare else ()


def _rewrites(ingress: Resource) -> bool:
    """Whether ingress-nginx reads its paths as regular expressions, as it then does for all paths
    of the host.
    """
    annotations = texts(at(ingress.manifest, ("metadata", "annotations")))
    regex = annotations.get(f"{_NGINX}use-regex") == "true"
    return regex or f"{_NGINX}rewrite-target" in annotations


def gateway_doors(gateways: Gateways) -> Iterator[Door]:
    """The backends of every route at every listener at which it holds, or may."""
    for each in gateways.attached:
        if each.gateway.class_name not in NO_DOORS:
            for rule in each.route.rules:
                yield from _rule_doors(gateways, each, rule)


def _rule_doors(gateways: Gateways, attached: Attached, rule: Rule) -> Iterator[Door]:
    hosts = () if "" in attached.hosts else attached.hosts
    patterns = tuple(dict.fromkeys(match.pattern for match in rule.matches))
    paths = () if {"/**"}.intersection(patterns) else patterns
    for backend in rule.backends:
        asked = backend.mirror or (backend.weight > 0 and not rule.redirects)
        known = (backend.group, backend.kind) == ("", "Service")
        if asked and known and gateways.granted(attached.route, backend):
            yield Door(
                attached.route.resource.ref,
                "Gateway",
                backend.path,
                (backend.namespace, backend.name),
                backend.port,
                is_public(attached.gateway),
                hosts,
                paths,
                attached.gateway.resource.ref,
                rule.rewrites,
            )


def is_public(gateway: Gateway) -> bool:
    """Whether a Gateway is meant for the internet: unless its class, its annotations or the
    addresses that it asks for say otherwise.
    """
    manifest = gateway.resource.manifest
    asked = [mapping(each).get("value") for each in sequence(at(manifest, ("spec", "addresses")))]
    addresses = list(networks(asked))
    inside = bool(addresses) and all(map(is_private, addresses)) and len(addresses) == len(asked)
    infrastructure = at(manifest, ("spec", "infrastructure", "annotations"))
    internal = is_internal(gateway.resource) or _says_internal(infrastructure)
    return not (inside or internal or gateway.class_name in INTERNAL_CLASSES)


def is_internal(resource: Resource) -> bool:
    """Whether its annotations ask for a load balancer without a public address."""
    return _says_internal(at(resource.manifest, ("metadata", "annotations")))


def _says_internal(annotations: Any) -> bool:
    found = texts(annotations)
    return any(found.get(key, "").lower() in values for key, values in INTERNAL.items())
