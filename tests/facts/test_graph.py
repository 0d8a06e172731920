"""One graph of who needs whom, each edge with its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.declared import Flow, Flows
from auditor.facts import Facts
from auditor.facts.dependencies import Edge, Evidence
from auditor.facts.exposure import candidates_of
from auditor.model import Resource, Settings, Snapshot

from .network.cluster import namespace, pod, policy, resource, serving, workload
from .test_data import annotated
from .test_dependencies import service

PORTS = serving({"name": "http", "containerPort": 8080}, {"name": "figures", "containerPort": 9090})
DATA = pod("shop/data", **PORTS)
FRONT = service(
    "shop/data",
    {"name": "http", "port": 80, "targetPort": "http"},
    {"name": "figures", "port": 90, "targetPort": "figures"},
)


def graph(*found: Resource, flows: tuple[Flow, ...] = ()) -> Facts:
    """The facts of a cluster."""
    seen = (Flows("flows.csv", flows, "then", "now"),) if flows else ()
    return Facts(Snapshot(found), Settings(flows=seen))


def told(edge: Edge) -> str:
    """An edge as people say it."""
    return f"{edge.source.name} → {edge.target.name} {edge.ports} {edge.kind} {edge.confidence}"


def edges(*found: Resource, flows: tuple[Flow, ...] = ()) -> list[str]:
    """Every edge."""
    return [told(edge) for edge in graph(*found, flows=flows).graph.edges]


def thing(kind: str, group: str, name: str, spec: Any = None, **body: Any) -> Resource:
    """An object ``namespace/name`` of any kind."""
    space, _, short = name.rpartition("/")
    metadata = {"name": short, **({"namespace": space} if space else {})}
    manifest = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": metadata, **body}
    return resource(manifest if spec is None else {**manifest, "spec": spec})


def asking(**container: Any) -> Resource:
    """A pod that is told something."""
    return pod("shop/web", containers=[{"name": "main", "image": "app", **container}])


@pytest.mark.parametrize(
    ("container", "kind", "sure"),
    [
        ({"env": [{"name": "X", "value": "http://data:80"}]}, Evidence.ENVIRONMENT, 0.8),
        ({"env": [{"name": "X", "value": "data.shop.svc:80"}]}, Evidence.ENVIRONMENT, 0.8),
        ({"args": ["--data=data:80"]}, Evidence.ARGUMENT, 0.8),
        ({"args": ["--url=jdbc:postgresql://data:80/x"]}, Evidence.ARGUMENT, 0.6),
        ({"env": [{"name": "X", "value": "amqp://u:p@data:80/"}]}, Evidence.ENVIRONMENT, 0.6),
        (
            {"env": [{"name": "H", "value": "data"}, {"name": "X", "value": "$(H):80"}]},
            Evidence.ENVIRONMENT,
            0.6,
        ),
    ],
)
def test_what_is_told_in_full_is_surer_than_what_is_put_together(
    container: dict[str, Any], kind: Evidence, sure: float
) -> None:
    """Each with the place that shows it."""
    (edge,) = graph(asking(**container), DATA, FRONT).graph.edges
    assert (edge.kind, edge.confidence) == (kind, sure)
    assert edge.ref is not None
    assert edge.ref.name == "web"
    assert edge.told == "names Service shop/data"


def test_who_waits_for_something_may_need_it() -> None:
    """An init container that looks whether it is there."""
    wait = {"name": "wait", "image": "app", "args": ["data:80"]}
    one = pod("shop/web", containers=[{"name": "main"}], initContainers=[wait])
    assert edges(one, DATA, FRONT) == ["shop/web → shop/data TCP 8080 init container 0.3"]
    both = pod("shop/web", containers=[{"name": "m", "args": ["data:80"]}], initContainers=[wait])
    assert edges(both, DATA, FRONT) == ["shop/web → shop/data TCP 8080 argument 0.8"]


BACKEND = {"name": "data", "port": 80}
ROUTE = "gateway.networking.k8s.io"


@pytest.mark.parametrize(
    "route",
    [
        thing(
            "Ingress", "networking.k8s.io", "shop/r",
            {"defaultBackend": {"service": {"name": "data", "port": {"name": "http"}}}},
        ),
        thing("HTTPRoute", ROUTE, "shop/r", {"rules": [{"backendRefs": [BACKEND]}]}),
        thing(
            "GRPCRoute", ROUTE, "far/r",
            {"rules": [{"backendRefs": [{**BACKEND, "namespace": "shop"}]}]},
        ),
        thing("Route", "route.openshift.io", "shop/r",
              {"to": {"kind": "Service", "name": "data"}, "port": {"targetPort": "http"}}),
        thing("VirtualService", "networking.istio.io", "shop/r",
              {"http": [{"route": [{"destination": {"host": "data", "port": {"number": 80}}}]}]}),
    ],
    ids=lambda one: one.ref.kind,
)  # fmt: skip
def test_a_route_is_an_edge(route: Resource) -> None:
    """Whatever its kind."""
    where = f"{route.ref.kind} {route.ref.namespace}/r"
    assert edges(DATA, FRONT, route) == [f"{where} → shop/data TCP 8080 route 1.0"]


ADMISSION = "admissionregistration.k8s.io"
HOOK = {"clientConfig": {"service": {"namespace": "shop", "name": "data", "port": 80}}}


@pytest.mark.parametrize(
    "hook",
    [
        thing("ValidatingWebhookConfiguration", ADMISSION, "h", webhooks=[HOOK]),
        thing("MutatingWebhookConfiguration", ADMISSION, "h", webhooks=[HOOK]),
        thing("APIService", "apiregistration.k8s.io", "h",
              {"service": {"namespace": "shop", "name": "data", "port": 80}}),
    ],
    ids=lambda one: one.ref.kind,
)  # fmt: skip
def test_the_api_server_needs_its_webhooks(hook: Resource) -> None:
    """It asks the port of the Service; 443 where none is written."""
    assert edges(DATA, FRONT, hook) == ["the API server → shop/data TCP 8080 webhook 1.0"]


def test_a_monitor_object_is_an_edge_from_the_monitors() -> None:
    """Or from those that an operator will make; annotations are a weaker sign."""
    eye = annotated(pod("far/eye"), role="monitor")
    spec = {"selector": {}, "podMetricsEndpoints": [{"port": "figures"}]}
    wish = thing("PodMonitor", "monitoring.coreos.com", "shop/m", spec)
    assert edges(DATA, eye, wish) == ["far/eye → shop/data TCP 9090 monitor 0.9"]
    operated = thing(
        "Prometheus", "monitoring.coreos.com", "far/p",
        {"podMonitorSelector": {}, "podMonitorNamespaceSelector": {}},
    )  # fmt: skip
    (edge,) = edges(DATA, operated, wish)
    assert edge == "the monitor of namespace far → shop/data TCP 9090 monitor 0.9"


def test_the_pods_of_a_stateful_set_need_each_other() -> None:
    """Where there is more than one of them."""
    pods = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "m"}]}}
    for replicas, found in ((3, 1), (1, 0)):
        one = workload(
            "StatefulSet", "shop/db", serviceName="db", replicas=replicas,
            template=pods,
        )  # fmt: skip
        assert len(edges(one)) == found


def test_a_rule_for_two_by_name_is_an_edge() -> None:
    """One for every pod says nothing of who needs whom."""
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": {"app": "data"}},
        "ingress": [
            {
                "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
                "ports": [{"port": "http"}],
            }
        ],
    }
    found = (DATA, pod("shop/web"), pod("shop/other"), namespace("shop"))
    rule = policy(spec, "shop/guard")
    assert edges(*found, rule) == ["shop/web → shop/data TCP 8080 network policies 0.5"]
    assert edges(*found, policy({**spec, "podSelector": {}}, "shop/guard")) == []
    spec["ingress"] = [{"from": [{"podSelector": {}}]}]
    assert edges(*found, policy(spec, "shop/guard")) == []


def test_a_host_of_the_internet_is_no_service() -> None:
    """Though a Service of that name is in a namespace of that name."""
    for host, found in (("data.shop.com", 0), ("data.shop.svc.cluster.local", 1), ("data", 1)):
        route = {"http": [{"route": [{"destination": {"host": host}}]}]}
        rule = thing("VirtualService", "networking.istio.io", "shop/r", route)
        assert len(edges(DATA, FRONT, rule)) == found


def test_a_declared_client_is_an_edge() -> None:
    """To all that is served."""
    one = annotated(DATA, clients="web")
    assert edges(one, pod("shop/web")) == ["shop/web → shop/data TCP 8080, 9090 declaration 0.9"]


@pytest.mark.parametrize(
    ("flow", "found"),
    [
        (Flow("shop/web", "shop/data", 8080), "shop/web → shop/data TCP 8080"),
        (Flow("web", "data", None), "shop/web → shop/data no port"),
        (Flow("default/api-5d4f8c7b9-abcde", "shop/data", 9), "default/api → shop/data TCP 9"),
        (Flow("203.0.113.9", "shop/data", 8080), "203.0.113.9 → shop/data TCP 8080"),
        (Flow("shop/web", "data.shop", 80), "shop/web → shop/data TCP 8080"),
        (Flow("shop/web", "10.1.1.1", 80), "shop/web → shop/data TCP 8080"),
        (Flow("10.2.2.2", "shop/data", 53, "UDP"), "shop/web → shop/data UDP 53"),
    ],
)
def test_an_observed_flow_is_the_surest_edge(flow: Flow, found: str) -> None:
    """By names of workloads, pods and Services, and by addresses."""
    front = resource(
        {**FRONT.manifest, "spec": {**FRONT.manifest["spec"], "clusterIP": "10.1.1.1"}}
    )
    web = pod("shop/web", ip="10.2.2.2")
    api = workload(
        "Deployment", "api", template={"spec": {"containers": [{"name": "m", "image": "a"}]}}
    )
    assert edges(DATA, front, web, api, flows=(flow,)) == [f"{found} observed flow 1.0"]


def test_an_address_of_two_is_nobodys() -> None:
    """That of a node is told of the kubelet as well; a pod has one of each family."""
    node = pod("kube-system/proxy", ip="10.9.9.9", hostNetwork=True)
    twice = pod("shop/web", ip="10.2.2.2")
    families = {"podIPs": [{"ip": "10.2.2.2"}, {"ip": "fd00::2"}], "phase": "Running"}
    web = resource({**twice.manifest, "status": families})
    seen = (Flow("10.9.9.9", "shop/data", 8080), Flow("fd00:0::2", "shop/data", 8080))
    told = [
        f"{source} → shop/data TCP 8080 observed flow 1.0" for source in ("10.9.9.9", "shop/web")
    ]
    assert edges(DATA, node, web, flows=seen) == told


def test_a_name_of_two_services_is_neithers() -> None:
    """Metrics without namespaces name Services alone; with its namespace one is meant."""
    here = (FRONT, service("test/data", {"port": 80}))
    two = (*here, pod("shop/data-0"), pod("test/data"), DATA)
    assert not edges(*two, flows=(Flow("x", "data", None),))
    assert [e.split(" ")[2] for e in edges(*two, flows=(Flow("x", "data.test", None),))] == [
        "test/data"
    ]


def test_a_flow_to_nobody_here_is_told() -> None:
    """Else a file of another cluster would look like one that shows nothing."""
    facts = graph(DATA, flows=(Flow("a", "elsewhere/x", 1),))
    assert facts.graph.edges == ()
    assert [gap.why for gap in facts.gaps.values()] == [
        "1 of 1 observed flows lead to nothing that is here"
    ]


def test_who_was_seen_to_ask_is_a_candidate_and_no_client() -> None:
    """With the window of the observation as evidence."""
    facts = graph(
        annotated(DATA, data="pii"), pod("shop/spy"), flows=(Flow("shop/spy", "data", 1),)
    )
    held = facts.by_key["", "Pod", "shop", "data"]
    (edge,) = candidates_of(facts, held)
    assert edge.source.name == "shop/spy"
    assert edge.told == "was seen to ask it, from then to now (flows.csv)"


def test_whom_a_workload_intends_to_ask_is_a_hint() -> None:
    """Otterize lets who asks write it down: that authorises nobody."""
    spec = {"workload": {"name": "web"}, "targets": [{"kubernetes": {"name": "data.shop"}}]}
    wish = thing("ClientIntents", "k8s.otterize.com", "shop/web", spec)
    assert edges(DATA, pod("shop/web"), wish) == ["shop/web → shop/data no port URL 0.6"]


JUNK: tuple[Any, ...] = (None, 3, "x", [], [None], [3], {}, {"name": 3}, [{"name": []}], {"a": [1]})


@pytest.mark.parametrize(
    ("kind", "group"),
    [
        ("Ingress", "networking.k8s.io"), ("HTTPRoute", ROUTE), ("Route", "route.openshift.io"),
        ("VirtualService", "networking.istio.io"), ("ServiceMonitor", "monitoring.coreos.com"),
        ("PodMonitor", "monitoring.coreos.com"), ("Prometheus", "monitoring.coreos.com"),
        ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io"),
        ("APIService", "apiregistration.k8s.io"), ("ClientIntents", "k8s.otterize.com"),
        ("CustomResourceDefinition", "apiextensions.k8s.io"),
        ("NetworkPolicy", "networking.k8s.io"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_an_object_that_holds_anything_ends_well(kind: str, group: str, junk: Any) -> None:
    """Users' manifests hold anything."""
    keys = (
        "rules", "endpoints", "podMetricsEndpoints", "selector", "namespaceSelector", "ingress",
        "podSelector", "egress", "http", "to", "port", "service", "targets", "workload",
        "serviceMonitorSelector", "podMonitorSelector", "backendRefs", "conversion",
    )  # fmt: skip
    whole = thing(kind, group, "shop/x", junk, webhooks=junk)
    inside = thing(kind, group, "shop/x", dict.fromkeys(keys, junk), webhooks=junk)
    listed = thing(kind, group, "shop/x", {key: [dict.fromkeys(keys, junk)] for key in keys})
    web = annotated(pod("shop/web", volumes=[{"name": [], "configMap": junk}]), role="monitor")
    for one in (whole, inside, listed):
        assert graph(DATA, FRONT, web, one).graph.edges is not None
