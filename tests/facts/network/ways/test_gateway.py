"""Which routes hold where, whom they let in, and what would be refused."""

from __future__ import annotations

import pytest
import yaml

from auditor.facts.network import Entrance, Network
from auditor.facts.network.ways.attachments import common_hosts
from auditor.facts.network.ways.gateway import GROUP
from auditor.model import Resource
from tests.facts.network.cluster import find, namespace, network, pod, resource, resources

from .test_routing import API, gateway, route, rules
from .test_services import service

OURS = f"group: {GROUP}, kind: HTTPRoute, namespace: far"
MIRROR = "requestMirror: {backendRef: {name: web, port: 80}}"
MIRRORED = f"{{rules: [{{filters: [{{type: RequestMirror, {MIRROR}}}]}}]}}"
MATCH = "spec.rules.0.matches.0"
TO_WEB = "rules: [{backendRefs: [{name: web, port: 80}]}]"


def grant(spec: str, space: str = "shop") -> Resource:
    """A ReferenceGrant."""
    about = {"name": "grant", "namespace": space}
    body = yaml.safe_load(spec)
    version = "gateway.networking.k8s.io/v1beta1"
    return resource(
        {"apiVersion": version, "kind": "ReferenceGrant", "metadata": about, "spec": body}
    )


def web(*objects: Resource) -> Network:
    """A cluster with pod shop/web behind Service shop/web."""
    return network(
        pod("shop/web"), service("ports: [{port: 80, targetPort: 8080}]", "shop/web"), *objects
    )


def ways(*objects: Resource) -> list[Entrance]:
    """The ways through Gateways to shop/web."""
    net = web(*objects)
    return [way for way in net.entrances(find(net, "shop/web")) if way.kind == "Gateway"]


def test_a_route_is_a_way_in() -> None:
    """To the port of the pod, with hosts and paths; and the pod does not see the client."""
    spec = "{hostnames: [a.example, b.other], " + rules(web="{path: {value: /public/}}") + "}"
    edge = gateway("{hostname: '*.example'}")
    (way,) = ways(edge, route(spec))
    assert way == Entrance(
        route(spec).ref,
        "Gateway",
        8080,
        ("spec", "rules", 0, "backendRefs", 0),
        public=True,
        hosts=("a.example",),
        paths=("/public/**",),
        address_kept=False,
        through=edge.ref,
    )


def test_all_rules_for_one_port_are_one_way() -> None:
    """One for any path makes the others mean nothing."""
    two = "rules: [{matches: [{path: {value: /a}}, {path: {type: Exact, value: /b}}], %s}, {%s%s}]"
    to = "backendRefs: [{name: web, port: 80}]"
    (way,) = ways(gateway("{}"), route(two % (to, "matches: [{path: {value: /c}}], ", to)))
    assert way.paths == ("/a/**", "/b", "/c/**")
    (way,) = ways(gateway("{}"), route(two % (to, "", to)))
    assert way.paths == ()


@pytest.mark.parametrize(
    ("listener", "spec", "holds"),
    [
        ("{}", "{}", True),
        ("{allowedRoutes: {namespaces: {from: Same}}}", "{}", False),
        ("{allowedRoutes: {}}", "{}", False),
        ("{allowedRoutes: {namespaces: {from: None}}}", "{}", False),
        ("{allowedRoutes: {kinds: [{kind: GRPCRoute}], namespaces: {from: All}}}", "{}", False),
        ("{allowedRoutes: {kinds: [{kind: HTTPRoute}], namespaces: {from: All}}}", "{}", True),
        ("{protocol: TCP}", "{}", False),
        ("{protocol: HTTPS}", "{}", True),
        ("{hostname: a.example}", "{hostnames: [b.example]}", False),
        ("{hostname: a.example}", "{hostnames: ['*.example']}", True),
        ("{}", "{parentRefs: [{name: edge, namespace: infra, sectionName: l0}]}", True),
        ("{}", "{parentRefs: [{name: edge, namespace: infra, sectionName: l1}]}", False),
        ("{}", "{parentRefs: [{name: edge, namespace: infra, port: 80}]}", True),
        ("{}", "{parentRefs: [{name: edge, namespace: infra, port: 81}]}", False),
        ("{}", "{parentRefs: [{name: edge}]}", False),
        ("{}", "{parentRefs: [{kind: Service, group: '', name: edge, namespace: infra}]}", False),
        ("{}", "{parentRefs: []}", False),
        ("{}", "{rules: [{backendRefs: [{name: web, port: 8080}]}]}", False),
        ("{}", "{rules: [{backendRefs: [{name: web, port: 80, weight: 0}]}]}", False),
        ("{}", "{rules: [{backendRefs: [{name: web, port: 80, kind: Other, group: x}]}]}", False),
        ("{}", "{rules: [{filters: [{type: RequestRedirect}]}]}", False),
        (
            "{}",
            MIRRORED,
            True,
        ),
    ],
)
def test_when_a_route_holds(listener: str, spec: str, holds: bool) -> None:
    """And only then it lets anybody in."""
    body = {**yaml.safe_load(TO_WEB), **yaml.safe_load(spec)}
    assert bool(ways(gateway(listener), route(yaml.safe_dump(body)))) is holds


@pytest.mark.parametrize(("labels", "holds"), [({"team": "web"}, True), ({}, False), (None, True)])
def test_namespaces_are_chosen_by_their_labels(labels: dict[str, str] | None, holds: bool) -> None:
    """Where they are not known, the route may hold, and the way is told."""
    chosen = "{from: Selector, selector: {matchLabels: {team: web}}}"
    objects = [] if labels is None else [namespace("shop", **labels)]
    edge = gateway(f"{{allowedRoutes: {{namespaces: {chosen}}}}}")
    assert bool(ways(edge, route(TO_WEB), *objects)) is holds


@pytest.mark.parametrize(
    ("source", "target", "granted"),
    [
        (OURS, "group: '', kind: Service", True),
        (OURS, "group: '', kind: Service, name: web", True),
        (OURS, "group: '', kind: Service, name: x", False),
        (f"group: {GROUP}, kind: HTTPRoute, namespace: other", "group: '', kind: Service", False),
        (f"group: {GROUP}, kind: GRPCRoute, namespace: far", "group: '', kind: Service", False),
        ("group: '', kind: HTTPRoute, namespace: far", "group: '', kind: Service", False),
        (OURS, "group: '', kind: Secret", False),
        (OURS, "kind: Service", False),
        ("", "group: '', kind: Service", False),
    ],
)
def test_a_backend_elsewhere_needs_a_grant(source: str, target: str, granted: bool) -> None:
    """In its own namespace, for that kind and namespace; one that is refused grants nothing."""
    text = f"{{from: [{{{source}}}], to: [{{{target}}}]}}"
    far = route("rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]", "far/r")
    assert bool(ways(gateway("{}"), far, grant(text))) is granted
    assert not ways(gateway("{}"), far, grant(text, "far"))


@pytest.mark.parametrize(
    ("fields", "public"),
    [
        ("{}", True),
        ("{gatewayClassName: gke-l7-rilb}", False),
        ("{addresses: [{value: 10.0.0.1}]}", False),
        ("{addresses: [{value: 10.0.0.1}, {value: 198.41.0.4}]}", True),
        ("{addresses: [{type: Hostname, value: edge.example}]}", True),
        ("{infrastructure: {annotations: {networking.istio.io/service-type: ClusterIP}}}", False),
    ],
)
def test_a_gateway_may_be_of_a_private_network(fields: str, public: bool) -> None:
    """By its class, its address or its annotations."""
    edge = gateway("{}")
    spec = {**edge.manifest["spec"], **yaml.safe_load(fields)}
    (way,) = ways(resource({**edge.manifest, "spec": spec}), route(TO_WEB))
    assert way.public is public


def test_a_waypoint_is_no_way_in() -> None:
    """It stands between pods."""
    assert not ways(gateway("{}", of="istio-waypoint"), route(TO_WEB))


def test_a_gateway_of_istio_is_another_kind() -> None:
    """As is a route of somebody's own."""
    other = resource({**gateway("{}").manifest, "apiVersion": "networking.istio.io/v1"})
    assert not ways(other, route(TO_WEB))
    mine = resource({**route(TO_WEB).manifest, "apiVersion": "example.org/v1"})
    assert not ways(gateway("{}"), mine)


def test_hosts_in_common() -> None:
    """The narrower of two patterns."""
    assert common_hosts("", ()) == ("",)
    assert common_hosts("*.example", ()) == ("*.example",)
    assert common_hosts("", ("a.example",)) == ("a.example",)
    assert common_hosts("*.example", ("a.example", "example", "*.b.example")) == (
        "a.example",
        "*.b.example",
    )


@pytest.mark.parametrize(
    ("kind", "spec", "path"),
    [
        ("HTTPRoute", "{rules: [null]}", None),
        ("HTTPRoute", "3", "spec"),
        ("HTTPRoute", "{hostnames: [A.example]}", "spec.hostnames.0"),
        ("HTTPRoute", "{hostnames: [10.0.0.1]}", "spec.hostnames.0"),
        ("HTTPRoute", "{rules: [{backendRefs: [{name: x}]}]}", "spec.rules.0.backendRefs.0"),
        ("HTTPRoute", "{rules: [{matches: [{path: {value: x}}]}]}", f"{MATCH}.path.value"),
        ("HTTPRoute", "{rules: [{matches: [{path: {value: /a//b}}]}]}", f"{MATCH}.path.value"),
        ("HTTPRoute", "{rules: [{matches: [{method: get}]}]}", "spec.rules.0.matches.0.method"),
        (
            "HTTPRoute",
            "{rules: [{matches: [{headers: [{name: x, value: '1'}, {name: x, value: '2'}]}]}]}",
            "spec.rules.0.matches.0.headers.1.name",
        ),
        ("HTTPRoute", "{parentRefs: [{namespace: x}]}", "spec.parentRefs.0.name"),
        ("GRPCRoute", "{rules: [{matches: [{method: {}}]}]}", "spec.rules.0.matches.0.method"),
        ("Gateway", "{gatewayClassName: x, listeners: []}", "spec.listeners"),
        ("Gateway", "{listeners: [{name: a, port: 80, protocol: HTTP}]}", "spec.gatewayClassName"),
        (
            "Gateway",
            "{gatewayClassName: x, listeners: [{name: a, port: 80, protocol: HTTP, tls: {}}]}",
            "spec.listeners.0.tls",
        ),
        ("ReferenceGrant", "{from: [], to: []}", "spec.from"),
    ],
)  # fmt: skip
def test_what_the_api_server_refuses_is_told(kind: str, spec: str, path: str | None) -> None:
    """As a gap at the place of the fault."""
    about = {"name": "x", "namespace": "shop"}
    manifest = {"apiVersion": API, "kind": kind, "metadata": about, "spec": yaml.safe_load(spec)}
    net = network(resource(manifest))
    told = [gap.what.partition(" of ")[0] for gap in net.gaps]
    assert told == ([path] if path else [])
    assert all(f"refuses this {kind}" in gap.why for gap in net.gaps)


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ("{}", "spec"),
        ("{rules: [{host: a.example}]}", None),
        ("{rules: [{host: A.example}]}", "spec.rules.0.host"),
        ("{rules: [{http: {paths: []}}]}", "spec.rules.0.http.paths"),
        ("{defaultBackend: {service: {name: web}}}", "spec.defaultBackend.service.port"),
        ("{defaultBackend: {resource: {kind: Bucket, name: x}}}", None),
        (
            "{rules: [{http: {paths: [{path: /, backend: {resource: {kind: B, name: b}}}]}}]}",
            "spec.rules.0.http.paths.0.pathType",
        ),
    ],
)
def test_ingresses_that_the_api_server_refuses(spec: str, path: str | None) -> None:
    """Of version v1; older ones are read as they were."""
    about = {"name": "x", "namespace": "shop"}
    body = yaml.safe_load(spec)
    manifest = {"kind": "Ingress", "metadata": about, "spec": body}
    net = network(resource({"apiVersion": "networking.k8s.io/v1", **manifest}))
    assert [gap.what.partition(" of ")[0] for gap in net.gaps] == ([path] if path else [])
    assert network(resource({"apiVersion": "extensions/v1beta1", **manifest})).gaps == ()


def test_who_stands_behind_a_way() -> None:
    """The pods that carry the Gateway's name, those of a known controller, or anybody."""
    made = resources(
        """
apiVersion: v1
kind: Pod
metadata:
  name: edge-istio
  namespace: infra
  labels: {gateway.networking.k8s.io/gateway-name: edge}
spec: {containers: [{name: p, image: "docker.io/istio/proxyv2:1.30"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: nginx, namespace: ingress}
spec: {containers: [{name: c, image: "registry.k8s.io/ingress-nginx/controller:v1.13.3@sha256:00"}]}
"""
    )
    front = resource(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "front", "namespace": "shop"},
            "spec": yaml.safe_load(
                "ingressClassName: nginx\n"
                "defaultBackend: {service: {name: web, port: {number: 80}}}"
            ),
        }
    )
    net = web(gateway("{}"), route(TO_WEB), front, *made)
    told = {
        way.kind: [w.name for w in net.ways.fronts(net.workloads, way) or ()]
        for way in net.entrances(find(net, "shop/web"))
    }
    assert told == {"Ingress": ["ingress/nginx"], "Gateway": ["infra/edge-istio"]}
    net = web(gateway("{}", of="other"), route(TO_WEB))
    (way,) = net.entrances(find(net, "shop/web"))
    assert net.ways.fronts(net.workloads, way) is None
