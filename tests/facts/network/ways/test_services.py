"""Services, and the ways into the cluster."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from auditor.facts.network import Entrance, Network
from auditor.facts.network.ways import external_name
from auditor.facts.workloads import workloads_of
from auditor.model import Resource, Snapshot
from tests.facts.network.cluster import (
    find,
    network,
    pod,
    resource,
    resources,
    serving,
    workload,
)

HTTP = {"name": "http", "containerPort": 8080}


def service(spec: str, name: str = "default/web", **annotations: str) -> Resource:
    """A Service that selects app=web."""
    space, _, short = name.rpartition("/")
    body = {"selector": {"app": "web"}, **yaml.safe_load(spec)}
    metadata = {"name": short, "namespace": space, "annotations": annotations}
    return resource({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body})


def ingress(spec: str, version: str = "networking.k8s.io/v1", **annotations: str) -> Resource:
    """An Ingress in namespace default."""
    metadata = {"name": "front", "namespace": "default", "annotations": annotations}
    body = yaml.safe_load(spec)
    return resource({"apiVersion": version, "kind": "Ingress", "metadata": metadata, "spec": body})


def web(*more: Resource, **fields: Any) -> Network:
    """A cluster with pod default/web that serves `http` on 8080."""
    return network(pod("web", **serving(HTTP, **fields)), *more)


def ways(net: Network, name: str = "default/web") -> list[tuple[str, str, int | None, bool]]:
    """The entrances of a workload."""
    found = net.entrances(find(net, name))
    return [(str(way.ref), way.kind, way.port, way.public) for way in found]


def test_what_containers_declare_is_listened_on() -> None:
    """Sidecars count, ordinary init containers do not, and what is no port is left out."""
    target = pod(
        "web",
        containers=[
            {"name": "a", "ports": [HTTP, {"containerPort": 53, "protocol": "UDP"}]},
            {"name": "b", "ports": [{"containerPort": "x"}, 7, {"containerPort": True}]},
            {"name": "c", "ports": [{"containerPort": 1, "protocol": "ICMP"}]},
        ],
        initContainers=[
            {"name": "s", "restartPolicy": "Always", "ports": [{"containerPort": 15090}]},
            {"name": "i", "ports": [{"containerPort": 9}]},
        ],
    )
    net = network(target)
    assert [(at.port, at.protocol, at.name, at.path) for at in net.listening(net.workloads[0])] == [
        (8080, "TCP", "http", ("spec", "containers", 0, "ports", 0)),
        (53, "UDP", "", ("spec", "containers", 0, "ports", 1)),
        (15090, "TCP", "", ("spec", "initContainers", 0, "ports", 0)),
    ]


@pytest.mark.parametrize(
    ("port", "number"),
    [
        ("{port: 80, targetPort: 9000}", 9000),
        ("{port: 80}", 80),
        ("{port: 80, targetPort: http}", None),
        ("{port: 80, targetPort: nothing}", None),
        ("{port: 80, targetPort: http, protocol: UDP}", None),
        ("{port: 80, targetPort: [1]}", None),
    ],
)
def test_where_services_lead_is_listened_on_too(port: str, number: int | None) -> None:
    """A target port that no container declares is told, with the Service that says so."""
    net = web(service(f"ports: [{port}]"))
    found = net.listening(find(net, "default/web"))
    further = [(at.port, str(at.ref), at.path) for at in found[1:]]
    expected = [(number, "default/web[Service]", ("spec", "ports", 0))] if number else []
    assert further == expected


@pytest.mark.parametrize(
    ("spec", "selects"),
    [
        ("{}", True),
        ("selector: {app: web, tier: x}", False),
        ("selector: {}", False),
        ("selector: null", False),
        ("selector: {app: web, tier: 1}", False),
        ("selector: text", False),
        ("type: ExternalName", False),
        ("clusterIP: None", True),
    ],
)
def test_services_of_a_workload(spec: str, selects: bool) -> None:
    """A Service selects by all of its labels; without a selector it has no pods."""
    net = web(service(spec))
    assert bool(net.services_of(find(net, "default/web"))) is selects


def test_a_service_selects_in_its_own_namespace() -> None:
    """Equal labels elsewhere do not count."""
    net = web(service("{}", "other/web"))
    assert net.services_of(find(net, "default/web")) == ()


def test_a_service_for_one_pod_of_a_stateful_set_selects_the_set() -> None:
    """The label with the pod's name is written at run time, and begins with the set's name."""
    key = "statefulset.kubernetes.io/pod-name"
    one = service(f"{{selector: {{{key}: db-0}}, ports: [{{port: 1}}]}}")
    net = network(workload("StatefulSet", "db"), workload("StatefulSet", "other"), one)
    assert net.services_of(find(net, "default/db"))
    assert not net.services_of(find(net, "default/other"))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("type: ClusterIP", []),
        ("type: LoadBalancer", [("LoadBalancer", 8080, True), ("NodePort", 8080, False)]),
        (
            "{type: LoadBalancer, allocateLoadBalancerNodePorts: false}",
            [("LoadBalancer", 8080, True)],
        ),
        ("type: NodePort", [("NodePort", 8080, False)]),
        ("externalIPs: [203.0.113.7]", [("ExternalIP", 8080, True)]),
        ("externalIPs: [10.0.0.5]", [("ExternalIP", 8080, False)]),
        ("externalIPs: [10.0.0.5, '2600::1']", [("ExternalIP", 8080, True)]),
        ("externalIPs: [fd00::5, nonsense, 7, 169.254.1.1]", [("ExternalIP", 8080, False)]),
        (
            "{type: NodePort, externalIPs: [203.0.113.7]}",
            [("ExternalIP", 8080, True), ("NodePort", 8080, False)],
        ),
    ],
)
def test_services_that_let_the_outside_in(spec: str, expected: list[Any]) -> None:
    """By their type or by an address, and to the port of the pod."""
    body = {"ports": [{"port": 80, "targetPort": "http"}], **yaml.safe_load(spec)}
    net = web(service(yaml.safe_dump(body)))
    assert ways(net) == [("default/web[Service]", *way) for way in expected]


def test_a_load_balancer_of_a_private_network_is_not_public() -> None:
    """Clouds say so by an annotation."""
    internal = {"networking.gke.io/load-balancer-type": "Internal"}
    net = web(service("{type: LoadBalancer, ports: [{port: 8080}]}", **internal))
    assert ways(net)[0] == ("default/web[Service]", "LoadBalancer", 8080, False)


@pytest.mark.parametrize(
    ("ranges", "public"),
    [
        ("[]", True),
        ("[10.0.0.0/8, 192.168.1.0/24]", False),
        ("[10.0.0.0/8, 198.41.0.0/24]", True),
        ("[0.0.0.0/0]", True),
        ("[5, {}, nonsense]", True),
    ],
)
def test_a_load_balancer_for_private_sources_is_not_public(ranges: str, public: bool) -> None:
    """The ranges of its sources are filtered before any policy."""
    spec = f"{{type: LoadBalancer, loadBalancerSourceRanges: {ranges}, ports: [{{port: 8080}}]}}"
    assert ways(web(service(spec)))[0] == ("default/web[Service]", "LoadBalancer", 8080, public)


@pytest.mark.parametrize(
    ("spec", "reached"),
    [
        ("defaultBackend: {service: {name: web, port: {number: 80}}}", True),
        ("defaultBackend: {service: {name: web, port: {name: main}}}", True),
        ("defaultBackend: {service: {name: web, port: {number: 8080}}}", False),
        ("defaultBackend: {service: {name: api, port: {number: 80}}}", False),
        (
            (
                "rules: [{http: {paths: [{path: /, backend:"
                " {service: {name: web, port: {number: 80}}}}]}}]"
            ),
            True,
        ),
        ("rules: [{host: a.example}]", False),
        ("rules: [null, {http: null}, {http: {paths: [7, {backend: []}]}}]", False),
        ("defaultBackend: {resource: {kind: Bucket, name: web}}", False),
        ("defaultBackend: {service: {name: web}}", False),
    ],
)
def test_an_ingress_names_the_port_of_the_service(spec: str, reached: bool) -> None:
    """By number or by name, never that of the pod."""
    behind = service("ports: [{name: main, port: 80, targetPort: http}]")
    net = web(behind, ingress(spec))
    expected = [("default/front[Ingress]", "Ingress", 8080, True)] if reached else []
    assert ways(net) == expected


def test_an_ingress_as_it_was_written_before_v1() -> None:
    """The fields serviceName and servicePort still stand in old manifests."""
    old = "rules: [{http: {paths: [{backend: {serviceName: web, servicePort: 80}}]}}]"
    behind = service("ports: [{port: 80, targetPort: http}]")
    net = web(behind, ingress(old, "extensions/v1beta1"))
    assert ways(net) == [("default/front[Ingress]", "Ingress", 8080, True)]


def test_ports_of_the_host_are_ways_in() -> None:
    """For who reaches the node; on the node's network every port is one."""
    net = web()
    assert ways(net) == []
    host = {**HTTP, "hostPort": 80}
    net = network(pod("web", **serving(host)))
    (way,) = net.entrances(net.workloads[0])
    assert way == Entrance(
        net.workloads[0].ref,
        "HostPort",
        8080,
        ("spec", "containers", 0, "ports", 0, "hostPort"),
        public=False,
    )
    net = web(hostNetwork=True)
    assert ways(net) == [("default/web[Pod]", "HostNetwork", 8080, False)]


def test_an_entrance_has_a_protocol() -> None:
    """One port may be open for TCP and for UDP."""
    spec = "{type: NodePort, ports: [{port: 53}, {port: 53, protocol: UDP}]}"
    net = web(service(spec))
    ways_in = net.entrances(find(net, "default/web"))
    assert [(way.port, way.protocol) for way in ways_in] == [(53, "TCP"), (53, "UDP")]


def test_public_ways_come_first() -> None:
    """And each object is told once for a port."""
    both = "{defaultBackend: %s, rules: [{http: {paths: [{backend: %s}]}}]}"
    to = "{service: {name: web, port: {number: 80}}}"
    net = network(
        pod("web", **serving({**HTTP, "hostPort": 80})),
        service("{type: NodePort, ports: [{port: 80, targetPort: http}]}"),
        ingress(both % (to, to)),
    )
    assert [way[1] for way in ways(net)] == ["Ingress", "NodePort", "HostPort"]


LISTED = """
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-1, namespace: default, labels: {kubernetes.io/service-name: legacy}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.7]}, {addresses: [203.0.113.9]}]
ports: [{name: http, port: 9000, protocol: TCP}]
---
apiVersion: v1
kind: Endpoints
metadata: {name: old, namespace: default}
subsets: [{addresses: [{ip: 10.0.0.7}, {ip: nonsense}, 3], ports: [{port: 9001}]}]
"""


def test_a_service_without_a_selector_leads_where_its_endpoints_say() -> None:
    """To a pod of any namespace, by its address, or out of the cluster."""
    listed = resources(LISTED)
    bare = "{selector: null, type: LoadBalancer, allocateLoadBalancerNodePorts: false, ports: [%s]}"
    legacy = service(bare % "{name: http, port: 80}, {name: other, port: 81}", "default/legacy")
    old = service(bare % "{port: 80}", "default/old")
    net = network(
        pod("far/web", ip="10.0.0.7"), pod("far/other", ip="10.0.0.8"), legacy, old, *listed
    )
    found = net.entrances(find(net, "far/web"))
    assert [(str(way.ref), way.port) for way in found] == [
        ("default/legacy[Service]", 9000),
        ("default/old[Service]", 9001),
    ]
    assert net.entrances(find(net, "far/other")) == ()
    outside = net.ways.services.endpoints(legacy)
    assert [each.address for each in outside] == ["10.0.0.7", "203.0.113.9"]


def test_endpoints_of_a_service_with_a_selector_say_nothing_more() -> None:
    """The selector does, also of pods that are not there yet."""
    listed = resources(LISTED)
    net = network(pod("web"), pod("far/x", ip="10.0.0.7"), service("{}", "default/legacy"), *listed)
    assert not net.services_of(find(net, "far/x"))
    assert net.services_of(find(net, "default/web"))


def test_an_external_name_leads_outside() -> None:
    """By a name, which ends where it ends."""
    out = service("{type: ExternalName, externalName: DB.example.}")
    assert external_name(out) == "db.example"
    assert external_name(service("{}")) == ""


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ("type: LoadBalancer", False),
        ("{type: LoadBalancer, externalTrafficPolicy: Local}", True),
        ("{type: NodePort, externalTrafficPolicy: Local}", True),
        ("{externalIPs: [198.41.0.4]}", False),
    ],
)
def test_who_sees_the_address_of_the_client(spec: str, kept: bool) -> None:
    """A node stands in for it unless the traffic policy is Local."""
    body = {"ports": [{"port": 80, "targetPort": "http"}], **yaml.safe_load(spec)}
    net = web(service(yaml.safe_dump(body)))
    assert net.entrances(find(net, "default/web"))[0].address_kept is kept


def test_a_load_balancer_lets_in_its_ranges() -> None:
    """By the field, or where that is not written by the annotation."""
    spec = "{type: LoadBalancer, loadBalancerSourceRanges: [198.41.0.0/24], ports: [{port: 8080}]}"
    net = web(service(spec))
    way = net.entrances(find(net, "default/web"))[0]
    assert (way.lets_in("198.41.0.4"), way.lets_in("198.41.1.4"), way.lets_in("::1")) == (
        True,
        False,
        False,
    )
    ranges = {"service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, 198.41.0.0/24"}
    net = web(service("{type: LoadBalancer, ports: [{port: 8080}]}", **ranges))
    assert net.entrances(find(net, "default/web"))[0].sources == ("10.0.0.0/8", "198.41.0.0/24")


def test_an_ingress_tells_hosts_and_paths() -> None:
    """An ingress-nginx that reads paths as expressions may lead any."""
    spec = """
rules:
  - host: Shop.example
    http:
      paths:
        - {path: /a, pathType: Prefix, backend: &b {service: {name: web, port: {number: 80}}}}
        - {path: /b, pathType: Exact, backend: *b}
"""
    behind = service("ports: [{port: 80, targetPort: http}]")
    net = web(behind, ingress(spec))
    (way,) = net.entrances(find(net, "default/web"))
    assert (way.hosts, way.paths, way.rewritten) == (("shop.example",), ("/a/**", "/b"), False)
    net = web(behind, ingress(spec, **{"nginx.ingress.kubernetes.io/use-regex": "true"}))
    (way,) = net.entrances(find(net, "default/web"))
    assert (way.paths, way.rewritten) == ((), True)


def test_a_workload_is_told_apart_from_itself_after_a_change() -> None:
    """What was found out before it is not told of it as it would be."""
    net = web(service("{selector: {app: web}, ports: [{port: 80, targetPort: http}]}"))
    services, before = net.ways.services, find(net, "default/web")
    assert services.leads(before) is services.leads(before)
    changed = pod("web", **serving({"containerPort": 9, "name": "http"}))
    (after,) = workloads_of(Snapshot((changed,)))
    assert [lead.number for lead in services.leads(before)] == [8080]
    assert [lead.number for lead in services.leads(after)] == [9]
