"""Who reaches personal data without being a client of it."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts
from auditor.facts.exposure import candidates_of, clients_of, exposure, name_of, others
from auditor.facts.workloads import Workload
from auditor.model import Resource, Safety, Settings, Snapshot
from tests.bench import judged, only

from .network.cluster import pod, policy, resource, serving
from .test_data import annotated
from .test_dependencies import service

PORTS = serving({"name": "http", "containerPort": 8080}, {"name": "health", "containerPort": 8081})


def holder(**declared: Any) -> Resource:
    """A pod with personal data."""
    return annotated(pod("shop/data", **PORTS), data="pii", **declared)


def known(*found: Resource) -> tuple[Facts, Workload]:
    """The facts of a cluster, and the workload that holds the data."""
    facts = Facts(Snapshot(found), Settings())
    return facts, facts.by_key["", "Pod", "shop", "data"]


def reached_by(*found: Resource) -> list[str]:
    """Everybody who reaches the data and should not, the worst first, with why that is bad."""
    return [
        f"{name_of(other.peer)} ({other.why})" if other.why else name_of(other.peer)
        for other in others(*known(*found))
    ]


def admitting(*rules: Any) -> Resource:
    """A NetworkPolicy on the workload that holds the data."""
    return policy(
        {"podSelector": {"matchLabels": {"app": "data"}}, "ingress": list(rules)}, "shop/guard"
    )


def app(name: str) -> dict[str, Any]:
    """The peer of a rule: the pods app=name of namespace shop."""
    return {"podSelector": {"matchLabels": {"app": name}}}


ANY_POD = ["any pod of a new namespace", "any pod of namespace shop"]


def test_without_a_policy_everybody_reaches_it() -> None:
    """Also pods that somebody starts tomorrow; the declared client is no stranger."""
    found = (holder(clients="web"), pod("shop/web"), pod("shop/report"))
    assert reached_by(*found) == ["shop/report", *ANY_POD]


def test_a_policy_that_admits_the_clients_alone_leaves_nobody() -> None:
    """This is how it should be."""
    found = (holder(clients="web"), pod("shop/web"), pod("shop/report"))
    assert reached_by(*found, admitting({"from": [app("web")]})) == []


def test_whoever_holds_no_personal_data_is_nobodys_business() -> None:
    """The fact has nothing to say."""
    facts = Facts(Snapshot((pod("shop/data"),)), Settings())
    assert exposure(facts, facts.workloads[0]) is None


def test_who_names_the_data_is_no_client_but_a_candidate() -> None:
    """Else a pod would authorise itself by a line of its own configuration."""
    told = {"name": "X", "value": "http://data:8080"}
    web = pod("shop/web", containers=[{"name": "main", "env": [told]}])
    front = service("shop/data", {"port": 8080, "targetPort": "http"})
    facts, data = known(holder(), web, front)
    assert clients_of(facts, data) == ()
    assert [edge.source.name for edge in candidates_of(facts, data)] == ["shop/web"]
    facts, data = known(holder(clients="report"), web, pod("shop/report"), front)
    assert [client.name for client in clients_of(facts, data)] == ["shop/report"]
    assert [edge.source.name for edge in candidates_of(facts, data)] == ["shop/web"]
    assert reached_by(holder(), web, front) == ["shop/web", *ANY_POD]


def test_a_monitor_that_names_the_service_is_no_client_of_it() -> None:
    """It has the health API, and no more than that."""
    told = {"name": "X", "value": "http://data:8080"}
    eye = annotated(pod("shop/eye", containers=[{"name": "m", "env": [told]}]), role="monitor")
    front = service("shop/data", {"port": 8080, "targetPort": "http"})
    facts, data = known(holder(health="health"), eye, front)
    assert clients_of(facts, data) == ()
    assert candidates_of(facts, data) == ()


def test_a_monitor_is_judged_by_its_own_policy_where_it_can_be() -> None:
    """That one needs the health API; without one the monitor is like anybody."""
    eye = annotated(pod("shop/eye"), role="monitor")
    everything = admitting({"from": [app("eye")]})
    assert reached_by(holder(health="health"), eye, everything) == []
    assert reached_by(holder(), eye, everything) == ["shop/eye"]
    assert "shop/eye" in reached_by(holder(health="health"), eye)


def test_the_health_api_holds_no_data() -> None:
    """Whoever reaches it alone reaches nothing that matters."""
    rule = {"from": [app("report")], "ports": [{"port": "health"}]}
    found = (holder(health="health"), pod("shop/report"))
    assert reached_by(*found, admitting(rule)) == []
    rule["ports"] = [{"port": 8081}, {"port": 8080}]
    assert reached_by(*found, admitting(rule)) == ["shop/report"]


def test_a_port_that_nobody_declares_counts() -> None:
    """Lists of ports bind nobody, and somebody wrote a rule for that port."""
    rule = {"from": [app("report")], "ports": [{"port": 9999}]}
    assert reached_by(holder(), pod("shop/report"), admitting(rule)) == ["shop/report"]


def test_the_worst_come_first() -> None:
    """From the internet, then who owns a node, then other namespaces, then neighbours."""
    front = service("shop/front", {"port": 80}, type="LoadBalancer")
    found = (
        holder(),
        pod("shop/near"),
        pod("far/far"),
        pod("shop/front"),
        front,
        pod("shop/root", containers=[{"name": "x", "securityContext": {"privileged": True}}]),
        pod("shop/watch", hostPID=True),
    )
    assert reached_by(*found)[:5] == [
        "shop/front (the internet reaches it through Service shop/front)",
        "shop/root (it owns its node: container 'x' runs privileged)",
        "shop/watch (it owns its node: hostPID)",
        "far/far",
        "shop/near",
    ]


def test_an_entrance_that_is_not_public_is_not_the_internet() -> None:
    """A NodePort is for who reaches the nodes; so is the network of a node."""
    front = service("shop/front", {"port": 80}, type="NodePort")
    found = reached_by(holder(), pod("shop/front"), front, pod("shop/agent", hostNetwork=True))
    assert found[:2] == ["shop/agent (it owns its node: hostNetwork)", "shop/front"]


def ingress(port: int) -> Resource:
    """An Ingress that leads to the Service of the data."""
    backend = {"service": {"name": "data", "port": {"number": port}}}
    paths = [{"path": "/", "backend": backend}]
    return resource(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {"name": "front", "namespace": "shop"},
            "spec": {"rules": [{"http": {"paths": paths}}]},
        }
    )


OUT = service("shop/data", {"port": 80, "targetPort": "http"}, type="LoadBalancer")
IN = service("shop/data", {"port": 80, "targetPort": "http"})


def test_the_internet_may_reach_the_data_itself() -> None:
    """Which is worse than any pod."""
    through = "the internet (through {})"
    assert reached_by(holder(), OUT)[0] == through.format("Service shop/data")
    assert reached_by(holder(), IN, ingress(80))[0] == through.format("Ingress shop/front")
    assert reached_by(holder(), IN) == ANY_POD


@pytest.mark.parametrize(
    ("rule", "reached"),
    [
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}, False),
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": "http"}]}, True),
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": "health"}]}, False),
        ({"from": [{"ipBlock": {"cidr": "64.0.0.0/2"}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "2600::/16"}}]}, True),
        ({"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}, False),
        ({"from": [{"namespaceSelector": {}}]}, False),
        ({}, True),
    ],
)
def test_a_policy_may_keep_the_internet_out(rule: Any, reached: bool) -> None:
    """Behind a load balancer a policy sees addresses from outside, and may admit them or not."""
    found = reached_by(holder(), OUT, admitting(rule))
    assert any(name.startswith("the internet") for name in found) is reached


def test_what_cannot_be_told_is_a_gap() -> None:
    """A label that a controller writes, a namespace without an object."""
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"team": "web"}}}]}
    facts, data = known(holder(), pod("far/far"), admitting(rule))
    exposure(facts, data)
    assert [gap.what for gap in facts.gaps.values()] == ["who reaches shop/data"] * 2
    assert all("label" in gap.why for gap in facts.gaps.values())


def test_a_pod_on_the_network_of_its_node_is_a_doubt_with_or_without_policies() -> None:
    """No NetworkPolicy can end it, so that none is blamed for it."""
    found = (holder(), pod("shop/agent", hostNetwork=True))
    told = []
    for guard in ((), (admitting(),)):
        facts, data = known(*found, *guard)
        exposure(facts, data)
        told.append([f"{gap.what}: {gap.why}" for gap in facts.gaps.values()])
    assert told[0] == told[1]
    assert any("shop/agent" in text for text in told[0])


def test_the_internet_on_the_health_port_alone_reaches_no_data() -> None:
    """As anybody else who reaches that port alone."""
    way_in = service("shop/data", {"port": 81, "targetPort": "health"}, type="LoadBalancer")
    guard = admitting({"from": [{"ipBlock": {"cidr": "64.0.0.0/2"}}]})
    assert reached_by(holder(health="health"), way_in, guard) == []
    assert reached_by(holder(), way_in, guard) == ["the internet (through Service shop/data)"]


def test_the_internet_may_come_by_another_protocol() -> None:
    """A port of UDP is a way in for UDP."""
    port = {"port": 53, "protocol": "UDP"}
    way_in = service("shop/data", port, type="LoadBalancer")
    world = {"from": [{"ipBlock": {"cidr": "64.0.0.0/2"}}]}
    for protocol, reached in (("UDP", True), ("TCP", False)):
        rule = {**world, "ports": [{"port": 53, "protocol": protocol}]}
        found = reached_by(holder(), way_in, admitting(rule))
        assert bool(found) is reached


def test_a_private_external_address_is_not_the_internet() -> None:
    """It is for who has a route there."""
    way_in = service("shop/data", {"port": 80, "targetPort": "http"}, externalIPs=["10.0.0.5"])
    assert reached_by(holder(), way_in) == ANY_POD


POLICY = "data/personal_data_not_isolated"
NAMES_IT = pod(
    "shop/web", containers=[{"name": "m", "env": [{"name": "X", "value": "http://data:80"}]}]
)


@pytest.mark.parametrize(
    ("found", "safety"),
    [
        ((holder(clients="web"), NAMES_IT, IN), Safety.SAFE),
        ((holder(clients="web nobody"), NAMES_IT, IN), Safety.UNSAFE),
        ((holder(clients="web"), NAMES_IT, OUT), Safety.UNSAFE),
        ((holder(), NAMES_IT, IN), Safety.MANUAL),
        ((holder(), pod("shop/web"), IN), Safety.MANUAL),
    ],
)
def test_only_declared_clients_make_a_safe_fix(found: Any, safety: Safety) -> None:
    """Who only names the data has no right to it: then there is nobody to admit."""
    remedy = only(judged(found, POLICY)).remedy
    assert remedy
    assert remedy.safety is safety


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((holder(), IN), "pods beside its clients could reach it"),
        ((holder(), pod("shop/a"), IN), "one workload beside its clients reaches it"),
        ((holder(), pod("shop/a"), pod("shop/b"), IN), "2 workloads beside its clients reach it"),
        ((holder(), OUT), "the internet reaches it"),
        (
            (holder(), pod("shop/a"), OUT),
            "the internet and one workload beside its clients reach it",
        ),
        (
            (holder(), pod("shop/a"), pod("shop/b"), OUT),
            "the internet and 2 workloads beside its clients reach it",
        ),
    ],
)
def test_the_message_counts_who_reaches_it(found: Any, said: str) -> None:
    """The internet is no workload."""
    assert f", and {said}, since" in only(judged(found, POLICY)).message


def test_the_evidence_names_the_policy_that_admits() -> None:
    """A sentence with a subject."""
    rule = admitting({"from": [app("spy")]})
    finding = only(judged((holder(), pod("shop/spy"), rule, IN), POLICY))
    assert [reason.message for reason in finding.evidence] == [
        "shop/spy reaches every port: NetworkPolicy shop/guard admits it on every port"
    ]
