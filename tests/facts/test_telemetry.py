"""What monitors may read of a workload beside its health, and whether they can."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts
from auditor.facts.monitors import scrapes_of
from auditor.facts.telemetry import blocked, probe_requests, telemetry, unapproved
from auditor.facts.workloads import workload_of, workloads_of
from auditor.model import Resource, Settings, Snapshot

from .network.cluster import namespace, pod, policy, resource, serving
from .test_data import annotated
from .test_dependencies import service
from .test_graph import thing

PORTS = serving({"name": "http", "containerPort": 8080}, {"name": "figures", "containerPort": 9090})
ONE = pod("shop/data", **PORTS)
FRONT = service(
    "shop/data",
    {"name": "http", "port": 80, "targetPort": "http"},
    {"name": "figures", "port": 90, "targetPort": "figures"},
)
LABELLED = resource(
    {**FRONT.manifest, "metadata": {**FRONT.manifest["metadata"], "labels": {"app": "data"}}}
)
GROUP = "monitoring.coreos.com"


def scraped(*found: Resource) -> list[str]:
    """What is asked for, as people say it."""
    snapshot = Snapshot(found)
    return [
        f"{one.target.name}:{one.port}{one.path}"
        for one in scrapes_of(snapshot, workloads_of(snapshot))
    ]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ({"selector": {}, "endpoints": [{"port": "figures"}]}, ["9090/metrics"]),
        ({"selector": {}, "endpoints": [{"port": "figures", "path": "/x"}]}, ["9090/x"]),
        ({"selector": {}, "endpoints": [{"targetPort": 8080}]}, ["8080/metrics"]),
        ({"selector": {}, "endpoints": [{"targetPort": "http"}]}, ["8080/metrics"]),
        ({"selector": {}, "endpoints": [{}]}, ["8080/metrics", "9090/metrics"]),
        ({"selector": {}, "endpoints": [{"port": "90"}]}, []),
        ({"selector": {"matchLabels": {"app": "data"}}, "endpoints": [{"port": "http"}]},
         ["8080/metrics"]),
        ({"selector": {"matchLabels": {"app": "other"}}, "endpoints": [{"port": "http"}]}, []),
        ({"selector": {"matchLabels": 3}, "endpoints": [{"port": "http"}]}, []),
        ({"endpoints": [{"port": "http"}], "selector": {},
          "namespaceSelector": {"matchNames": ["far"]}}, []),
        ({"endpoints": [{"port": "http"}], "selector": {}, "namespaceSelector": {"any": True}},
         ["8080/metrics"]),
    ],
)  # fmt: skip
def test_a_service_monitor_means_ports_of_services(spec: Any, found: list[str]) -> None:
    """By the name of the Service's port, or by that of the pod's; Services by their labels."""
    wish = thing("ServiceMonitor", GROUP, "shop/m", spec)
    assert scraped(ONE, LABELLED, wish) == [f"shop/data:{each}" for each in found]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"prometheus.io/scrape": "true"}, ["8080/metrics", "9090/metrics"]),
        ({"prometheus.io/scrape": "true", "prometheus.io/port": "9090"}, ["9090/metrics"]),
        ({"prometheus.io/scrape": True, "prometheus.io/port": 1, "prometheus.io/path": "/x"},
         ["1/x"]),
        ({"prometheus.io/scrape": "false", "prometheus.io/port": "9090"}, []),
        ({"prometheus.io/port": "9090"}, []),
        ({"prometheus.io/scrape": "true", "prometheus.io/port": "x"}, []),
        ({"prometheus.io/scrape": "true", "prometheus.io/port": ["9"]}, []),
        ({"prometheus.io/scrape": "true", "prometheus.io/port": "٣"}, []),
    ],
)  # fmt: skip
def test_annotations_ask_too(words: Any, found: list[str]) -> None:
    """On the pod or on its Service."""
    for one, front in ((ONE, FRONT), (FRONT, ONE)):
        metadata = {**one.manifest["metadata"], "annotations": words}
        told = resource({**one.manifest, "metadata": metadata})
        assert scraped(told, front) == [f"shop/data:{each}" for each in found]


def test_a_kind_of_somebodys_own_asks_for_nothing() -> None:
    """Only the operators' groups are read."""
    spec: dict[str, Any] = {"selector": {}, "endpoints": [{}]}
    assert scraped(ONE, FRONT, thing("ServiceMonitor", "evil.example", "shop/m", spec)) == []


def test_what_the_kubelet_asks_is_health() -> None:
    """It asks from the node of the pod, whatever policies say."""
    probe = {"httpGet": {"port": "http", "path": "/ready"}}
    bare = {"httpGet": {"port": 9}}
    odd = {"httpGet": {"port": [], "path": 3}}
    container = {**PORTS["containers"][0], "readinessProbe": probe, "livenessProbe": bare}
    found = workload_of(pod("web", containers=[{**container, "startupProbe": odd}]))
    assert found
    assert probe_requests(found) == ((9, "/"), (8080, "/ready"))


def watched(port: str, path: str, **declared: Any) -> list[str]:
    """What is not approved of a workload with personal data that is asked for one thing."""
    wish = {"selector": {}, "podMetricsEndpoints": [{"port": port, "path": path}]}
    one = annotated(ONE, data="pii", **declared)
    facts = Facts(Snapshot((one, thing("PodMonitor", GROUP, "shop/m", wish))), Settings())
    return [f"{each.port}{each.path}" for each in unapproved(facts, facts.workloads[0])]


@pytest.mark.parametrize(
    ("declared", "approved"),
    [
        ({}, False),
        ({"health": "9090"}, True),
        ({"health": "9090/healthz"}, False),
        ({"telemetry": "figures/metrics"}, True),
        ({"telemetry": "figures:/metrics"}, True),
        ({"telemetry": "8080/metrics"}, False),
        ({"telemetry": "9090/metrics/"}, False),
        ({"clients": "eye"}, False),
    ],
)
def test_only_the_owner_approves(declared: dict[str, str], approved: bool) -> None:
    """A port, or one path of it: a path below or beside is another one."""
    assert (watched("figures", "/metrics", **declared) == []) is approved
    assert (watched("figures", "/metrics?all=1", **declared) == []) is approved


def test_who_holds_no_personal_data_is_watched_as_anybody_likes() -> None:
    """The fact has nothing to say."""
    facts = Facts(Snapshot((ONE,)), Settings())
    assert telemetry(facts, facts.workloads[0]) is None


WISH = thing(
    "ServiceMonitor", GROUP, "shop/m", {"selector": {}, "endpoints": [{"port": "figures"}]}
)
EYE = annotated(pod("far/eye"), role="monitor")


def keeping(*rules: Any) -> Resource:
    """A policy on the workload."""
    spec = {"podSelector": {"matchLabels": {"app": "data"}}, "ingress": list(rules)}
    return policy(spec, "shop/guard")


def kept_out(*found: Resource) -> list[str] | None:
    """The monitors that do not get through."""
    around = (namespace("shop"), namespace("far"), ONE, FRONT, *found)
    facts = Facts(Snapshot(around), Settings())
    told = blocked(facts, facts.by_key["", "Pod", "shop", "data"])
    return None if told is None else [name for one in told for name in one["monitors"]]


FROM_FAR = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "far"}}}


def test_a_monitor_that_cannot_reach_what_it_is_told_is_blocked() -> None:
    """By rules, or by rules on another port; nothing is said where one monitor gets through."""
    assert kept_out(EYE) is None
    assert kept_out(EYE, WISH) == []
    assert kept_out(EYE, WISH, keeping()) == ["far/eye"]
    assert kept_out(EYE, WISH, keeping({"from": [FROM_FAR]})) == []
    assert kept_out(EYE, WISH, keeping({"from": [FROM_FAR], "ports": [{"port": 90}]})) == [
        "far/eye"
    ]
    near = annotated(pod("shop/near"), role="monitor")
    assert kept_out(EYE, near, WISH, keeping({"from": [{"podSelector": {}}]})) == []
    assert kept_out(WISH, keeping()) == []


def prometheus(**spec: Any) -> Resource:
    """What the operator makes a Prometheus of."""
    return thing("Prometheus", GROUP, "far/p", spec)


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, False),
        ({"serviceMonitorSelector": {}}, False),
        ({"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}}, True),
        ({"podMonitorSelector": {}, "podMonitorNamespaceSelector": {}}, False),
        (
            {
                "serviceMonitorSelector": {"matchLabels": {"team": "x"}},
                "serviceMonitorNamespaceSelector": {},
            },
            False,
        ),
    ],
)
def test_only_who_selects_the_object_is_blocked(spec: Any, told: bool) -> None:
    """Without a selector an operator means none; without one of namespaces, its own."""
    found = kept_out(prometheus(**spec), WISH, keeping())
    assert found == (["Prometheus far/p"] if told else [])


def test_a_label_of_the_operator_is_known() -> None:
    """Before there are any pods."""
    chosen = prometheus(serviceMonitorSelector={}, serviceMonitorNamespaceSelector={})
    pods = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}}}
    assert kept_out(chosen, WISH, keeping({"from": [{**FROM_FAR, **pods}]})) == []
    other = {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "grafana"}}}
    assert kept_out(chosen, WISH, keeping({"from": [{**FROM_FAR, **other}]})) == [
        "Prometheus far/p"
    ]
