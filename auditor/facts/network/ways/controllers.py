"""The pods that stand behind an Ingress or a Gateway: to NetworkPolicies, they are who asks.

Rules: https://kubernetes.io/docs/concepts/services-networking/ingress-controllers/ (the names that
controllers have in IngressClasses) and GEP-1762 (the label of what is made for a Gateway). A
controller of a cloud may have no pods at all. Where the class or its controller is not known, any
pod may be it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.facts.network.answers import Entrance
from auditor.facts.network.ways.attachments import ISTIO, Gateways
from auditor.facts.workloads import Workload
from auditor.manifests import at, mapping, texts
from auditor.model import Resource, Snapshot

OF_GATEWAY = ("gateway.networking.k8s.io/gateway-name", "istio.io/gateway-name")
"""The labels with the name of the Gateway on the pods that are made for it."""

IMAGES: Mapping[str, tuple[str, ...]] = {
    "k8s.io/ingress-nginx": ("ingress-nginx/controller", "ingress-nginx/controller-chroot"),
    "nginx.org/ingress-controller": ("nginx/nginx-ingress", "nginx-ic/nginx-plus-ingress"),
    "traefik.io/ingress-controller": ("traefik", "library/traefik", "traefik/traefik"),
    "haproxy.org/ingress-controller": ("haproxytech/kubernetes-ingress",),
    "haproxy-ingress.github.io/controller": ("jcmoraisjr/haproxy-ingress",),
    "ingress-controllers.konghq.com/kong": ("kong", "kong/kong", "kong/kong-gateway"),
    "projectcontour.io/ingress-controller": ("envoyproxy/envoy", "envoyproxy/envoy-distroless"),
    "istio.io/ingress-controller": ("istio/proxyv2",),
    "cilium.io/ingress-controller": ("cilium/cilium", "cilium/cilium-envoy"),
    **dict.fromkeys(ISTIO, ("istio/proxyv2",)),
}
"""Name of a controller → how the repositories of the images of its proxies end."""

PODLESS = (
    "ingress.k8s.aws/alb", "eks.amazonaws.com/alb", "networking.gke.io/ingress-gce",
    "k8s.io/ingress-gce", "azure/application-gateway",
)  # fmt: skip
"""Controllers whose proxies stand outside of the cluster."""

NAMES: Mapping[str, str] = {
    "nginx": "k8s.io/ingress-nginx",
    "traefik": "traefik.io/ingress-controller",
    "haproxy": "haproxy.org/ingress-controller",
    "kong": "ingress-controllers.konghq.com/kong",
    "contour": "projectcontour.io/ingress-controller",
    "istio": "istio.io/ingress-controller",
    "cilium": "cilium.io/ingress-controller",
    "alb": "ingress.k8s.aws/alb",
    "gce": "networking.gke.io/ingress-gce",
    "gce-internal": "networking.gke.io/ingress-gce",
}
"""Usual name of a class → its controller, where no IngressClass of that name is seen."""

_CLASS = "kubernetes.io/ingress.class"
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


def fronts(
    snapshot: Snapshot, gateways: Gateways, workloads: Sequence[Workload], way: Entrance
) -> tuple[Workload, ...] | None:
    """The workloads whose pods pass on what comes through an Ingress or a Gateway; none where its
    proxies stand outside of the cluster; None where that is not known, so that any pod may be one.
    """
    found = snapshot.find(way.through or way.ref)
    if found is None:
        return None
    if way.kind == "Ingress":
        return _running(workloads, _controller(snapshot, found))
    made = tuple(_made_for(found, workloads))
    gateway = gateways.gateways.get((found.ref.namespace, found.ref.name))
    if made or gateway is None:
        return made or None
    return _running(workloads, gateways.controller(gateway))


def _made_for(gateway: Resource, workloads: Sequence[Workload]) -> Iterator[Workload]:
    for workload in workloads:
        named = {workload.labels.get(key) for key in OF_GATEWAY}
        if workload.ref.namespace == gateway.ref.namespace and gateway.ref.name in named:
            yield workload


def _running(workloads: Sequence[Workload], controller: str) -> tuple[Workload, ...] | None:
    if controller in PODLESS:
        return ()
    ends = IMAGES.get(controller, ())
    return tuple(workload for workload in workloads if _runs(workload, ends)) or None


def _runs(workload: Workload, ends: tuple[str, ...]) -> bool:
    """Whether an ordinary container is such a proxy: a sidecar is one for its own pod alone."""
    images = (c.spec.get("image") for c in workload.containers if c.list == "containers")
    names = [_repository(image) for image in images if isinstance(image, str)]
    # Istio puts its proxy into the pods of others as well: those have further containers.
    alone = len(names) == 1 or "istio/proxyv2" not in ends
    return alone and any(name == end or name.endswith(f"/{end}") for name in names for end in ends)


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _controller(snapshot: Snapshot, ingress: Resource) -> str:
    """The controller of the class of an Ingress, of the default class where it names none; empty
    where that is not known.
    """
    classes = {each.ref.name: each for each in snapshot.of_kind("IngressClass")}
    written = mapping(ingress.manifest.get("spec")).get("ingressClassName")
    name = written or texts(at(ingress.manifest, ("metadata", "annotations"))).get(_CLASS)
    if not isinstance(name, str):
        defaults = [each for each in classes.values() if _is_default(each)]
        return _named(defaults[0]) if len(defaults) == 1 else ""
    return _named(classes[name]) if name in classes else NAMES.get(name, "")


def _is_default(found: Resource) -> bool:
    annotations = texts(at(found.manifest, ("metadata", "annotations")))
    return annotations.get(_DEFAULT) == "true"


def _named(found: Resource) -> str:
    name = mapping(found.manifest.get("spec")).get("controller")
    return name if isinstance(name, str) else ""
