"""What is told of a Service: who asks it, and what becomes of that."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.declared import Latency
from auditor.facts import FACTS, Facts
from auditor.model import Resource, Settings, Snapshot
from tests.facts.network.cluster import pod, resource, workload


def node(name: str, zone: str = "a", **labels: str) -> Resource:
    """A node of a zone."""
    known = {"topology.kubernetes.io/zone": zone} if zone else {}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {**known, **labels}},
            "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "50"}},
        }
    )


def maker(
    name: str, where: str = "", replicas: int = 1, kind: str = "Deployment", **container: Any
) -> Resource:
    """Pods app=name, on one node where that is given."""
    inside = {"name": "main", "image": "app", **container}
    spec = {"containers": [inside], **({"nodeName": where} if where else {})}
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    selector = {"matchLabels": labels}
    return workload(kind, name, replicas=replicas, selector=selector, template=template)


def client(where: str = "", url: str = "http://api", name: str = "web") -> Resource:
    """Somebody who asks."""
    return maker(name, where, env=[{"name": "URL", "value": url}])


def service(name: str = "api", annotations: dict[str, str] | None = None, **spec: Any) -> Resource:
    """A Service for app=api."""
    body = {"selector": {"app": "api"}, "ports": [{"port": 80}], **spec}
    metadata = {"name": name, "annotations": annotations or {}}
    return resource({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body})


def told(fact: str, *found: Resource) -> Any:
    """What a fact says of the first Service."""
    facts = Facts(Snapshot(found), Settings())
    (one, *_) = facts.snapshot.of_kind("Service")
    return FACTS[fact].tell(facts, one)


def traffic(*found: Resource) -> Any:
    """The fact `traffic`."""
    return told("traffic", *found)


def clientele(*found: Resource) -> Any:
    """The fact `clientele`."""
    return told("clientele", *found)


@pytest.mark.parametrize(
    "spec", [{"clusterIP": "None"}, {"type": "ExternalName", "externalName": "example.com"}]
)
def test_without_a_virtual_address_proxies_have_no_say(spec: dict[str, Any]) -> None:
    """Clients get the addresses of the pods, or of something outside."""
    assert traffic(service(**spec), node("n"), maker("api", "n"), client("n")) is None


def test_without_nodes_there_is_little_to_say() -> None:
    """Only that a Service which stays on the node has instances that may be anywhere."""
    local = service(internalTrafficPolicy="Local")
    assert traffic(service(), maker("api"), client()) is None
    assert traffic(local, maker("api"), client()) == {"scattered": "default/web"}
    assert traffic(local, maker("api", kind="DaemonSet"), client()) is None
    assert traffic(local, maker("api")) is None


def live(name: str, where: str, ready: bool, **fields: Any) -> Resource:
    """A pod that is there."""
    found = pod(name, nodeName=where, **fields)
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": str(ready)}]}
    metadata = {**found.manifest["metadata"], "uid": name}
    return resource({**found.manifest, "metadata": metadata, "status": status})


@pytest.mark.parametrize(("there", "grade"), [(True, "high"), (False, "medium")])
def test_dropped_requests_are_graver_where_they_are_seen(there: bool, grade: str) -> None:
    """Where pods only would stand so, others may be luckier."""
    env = [{"name": "main", "image": "app", "env": [{"name": "URL", "value": "http://api"}]}]
    asking = [live("web", "n2", True, containers=env), live("api", "n1", True)]
    simulated = [client("n2"), maker("api", "n1")]
    found = traffic(
        service(internalTrafficPolicy="Local"),
        *(node("n1"), node("n2")),
        *(asking if there else simulated),
    )
    dropped = found["dropped"]
    assert (dropped["pods"], dropped["asking"], dropped["nodes"]) == (1, 1, "n2")
    assert dropped["grade"] == grade


def test_three_nodes_are_named_and_the_others_counted() -> None:
    """A sentence stays one."""
    nodes = [node(f"n{number}") for number in range(6)]
    clients = [client(f"n{number}", name=f"web{number}") for number in range(1, 6)]
    found = traffic(service(internalTrafficPolicy="Local"), *nodes, maker("api", "n0"), *clients)
    assert found["dropped"]["nodes"] == "n1, n2, n3 and 2 more"


def test_milliseconds_are_those_that_somebody_declared() -> None:
    """One of two instances is in the other zone: (0.1 + 1.5) / 2; without a declaration nothing is
    said of time.
    """
    nodes = node("n1", "a"), node("n2", "b")
    one = maker("api", "n1")
    other = resource({**maker("api", "n2").manifest, "metadata": {"name": "other"}})
    found = service(), *nodes, one, other, client("n1")
    latency = Latency(node=0.1, rack=0.2, zone=0.4, region=1.5, beyond=80)
    for settings, said in ((Settings(latency=latency), True), (Settings(), False)):
        facts = Facts(Snapshot(found), settings)
        (named,) = facts.snapshot.of_kind("Service")
        evidence = [each["message"] for each in FACTS["traffic"].tell(facts, named)["evidence"]]
        told = "by the declared latencies a request takes 0.8 ms on its way"
        assert (told in evidence) is said


def test_where_the_scheduler_had_a_choice_nobody_says_what_it_chose() -> None:
    """Two of three nodes have no instance, and which ones is chance: only that is told."""
    nodes = [node(f"n{number}") for number in range(3)]
    one = service(internalTrafficPolicy="Local")
    found = traffic(one, *nodes, maker("api"), client("n1"))
    assert found["dropped"] is None
    assert found["scattered"] == "default/web"
    assert traffic(one, *nodes, maker("api", "n0"), client("n1"))["scattered"] is None


AWS = "service.beta.kubernetes.io/aws-load-balancer"


@pytest.mark.parametrize(
    ("annotations", "spec", "uneven"),
    [
        ({}, {}, True),
        ({f"{AWS}-nlb-target-type": "ip"}, {}, False),
        ({f"{AWS}-nlb-target-type": "instance"}, {}, True),
        ({f"{AWS}-type": "nlb-ip"}, {}, False),
        ({"cloud.google.com/neg": '{"ingress": true}'}, {}, False),
        ({}, {"allocateLoadBalancerNodePorts": False}, False),
        ({}, {"type": "NodePort"}, False),
    ],
)
def test_a_balancer_that_sends_to_pods_knows_no_nodes(
    annotations: dict[str, str], spec: dict[str, Any], uneven: bool
) -> None:
    """Each of two nodes gets alike, with one instance and with three: the load is 2."""
    one = service(
        annotations=annotations,
        **{"type": "LoadBalancer", "externalTrafficPolicy": "Local", **spec},
    )
    apis = (
        maker("api", "n1"),
        resource({**maker("api", "n2", 3).manifest, "metadata": {"name": "b"}}),
    )
    found = traffic(one, node("n1"), node("n2"), *apis)
    assert found["outside"]["load"] == "2"
    assert found["outside"]["uneven"] is uneven


def test_a_mesh_chooses_the_instance() -> None:
    """Where its sidecar asks, what the Service says of zones is not obeyed."""
    nodes = node("n1", "a"), node("n2", "b")
    meshed = maker(
        "web",
        "n1",
        env=[{"name": "URL", "value": "http://api"}],
    )
    proxied = resource(
        {
            **meshed.manifest,
            "spec": {
                **meshed.manifest["spec"],
                "template": {
                    **meshed.manifest["spec"]["template"],
                    "spec": {
                        **meshed.manifest["spec"]["template"]["spec"],
                        "initContainers": [{"name": "istio-proxy", "image": "proxyv2"}],
                    },
                },
            },
        }
    )
    apis = maker("api", "n2", 2)
    grpc = [{"port": 80, "name": "grpc"}]
    assert traffic(service(), *nodes, apis, meshed)["crossing"] is None
    assert clientele(service(ports=grpc), *nodes, apis, meshed)["instances"] == "2 instances"
    assert clientele(service(ports=grpc), *nodes, apis, proxied)["instances"] is None


@pytest.mark.parametrize(
    ("port", "kept"),
    [
        ({"name": "grpc"}, True),
        ({"name": "grpc-api"}, True),
        ({"name": "http2"}, True),
        ({"name": "rpc", "appProtocol": "kubernetes.io/h2c"}, True),
        ({"name": "rpc", "appProtocol": "grpc"}, True),
        ({"name": "http"}, False),
        ({"name": "grpcweb"}, False),
        ({}, False),
    ],
)
def test_connections_that_stay_open(port: dict[str, str], kept: bool) -> None:
    """By the name of the port, up to a dash, or by its protocol."""
    found = clientele(service(ports=[{"port": 80, **port}]), maker("api", replicas=2), client())
    assert bool(found["open"]) is kept


READERS = ("db-ro", "db-read", "db-reader", "db-readonly", "db-replica", "replicas-db", "db-slave")


@pytest.mark.parametrize("name", [*READERS, "db-standby", "db-secondary", "db-r"])
def test_a_service_for_reading_may_lead_to_any_member(name: str) -> None:
    """Its name says so."""
    database = maker("api", replicas=3, kind="StatefulSet", image="postgres:17")
    found = clientele(service(name), database, client(url=f"postgres://{name}:80/x"))
    assert found["members"] is None


@pytest.mark.parametrize(
    ("image", "kind", "replicas", "spec", "written"),
    [
        ("postgres:17", "StatefulSet", 3, {}, True),
        ("registry.example/bitnami/mysql:8", "StatefulSet", 2, {}, True),
        ("postgres:17", "StatefulSet", 1, {}, False),
        ("postgres:17", "Deployment", 3, {}, False),
        ("cassandra:5", "StatefulSet", 3, {}, False),
        ("postgres:17", "StatefulSet", 3, {"clusterIP": "None"}, False),
    ],
)
def test_writes_to_any_member(
    image: str, kind: str, replicas: int, spec: dict[str, Any], written: bool
) -> None:
    """Several members of a database of one writer, behind an address of their own."""
    database = maker("api", replicas=replicas, kind=kind, image=image)
    found = clientele(service(**spec), database, client())
    assert bool(found["members"]) is written
    if written:
        assert found["members"]["clients"] == "default/web"


def test_whom_nobody_names_has_no_clientele() -> None:
    """Nothing is said of it."""
    assert clientele(service(), maker("api", replicas=2)) is None
