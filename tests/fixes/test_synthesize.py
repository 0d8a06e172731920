"""The objects that builders make, and what they cannot know."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.fixes.offer import changes_of
from auditor.fixes.synthesize import BUILDERS
from auditor.fixes.synthesize.errors import CannotBuildError
from auditor.model import Change, Finding, Remedy, Resource, Safety
from tests.bench import bench, facts, judged, objects
from tests.facts.network.cluster import namespace, pod, serving, workload
from tests.facts.test_data import annotated
from tests.facts.test_dependencies import service
from tests.facts.test_distance import NODES, SERVICE, database, orders
from tests.facts.test_exposure import PORTS, admitting, app

ISOLATED = "data/personal_data_not_isolated"
MONITORED = "network/monitor_beyond_health"
FAR = "placement/far_from_database"


def changes(policy: str, *found: Resource) -> tuple[Change, ...]:
    """What the builder of the only finding makes."""
    answer = judged(found, policy)
    (finding,) = answer.findings
    assert finding.remedy is not None
    return changes_of(facts_of(found), finding, finding.remedy)


def facts_of(found: tuple[Resource, ...]) -> Any:
    """The facts of these objects."""
    known = facts()
    return type(known)(type(known.snapshot)(found), known.settings)


def specification(policy: str, *found: Resource) -> Any:
    """The specification of the only object that the builder makes or changes."""
    (change,) = changes(policy, *found)
    return change.resource.manifest["spec"]


def holder(name: str = "shop/data", **declared: Any) -> Resource:
    """A pod with personal data."""
    return annotated(pod(name, **PORTS), **({"data": "pii", "clients": "web"} | declared))


WEB = pod("shop/web")


def test_the_clients_are_admitted_to_what_is_served() -> None:
    """By the labels of either side; the port by its name, so that it may move."""
    (change,) = changes(ISOLATED, holder(health="health"), WEB)
    assert change.resource.manifest == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "data-clients", "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "data"}},
            "policyTypes": ["Ingress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": {"app": "web"}}}],
                    "ports": [{"protocol": "TCP", "port": "http"}],
                }
            ],
        },
    }
    assert str(change.beside) == "shop/data[Pod]"


def test_a_client_of_another_namespace_is_admitted_from_there_alone() -> None:
    """The name of a namespace is a label that nobody can forge."""
    spec = specification(ISOLATED, holder(clients="front/web"), pod("front/web"))
    assert spec["ingress"][0]["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "front"}},
            "podSelector": {"matchLabels": {"app": "web"}},
        }
    ]


def test_monitors_are_admitted_to_the_health_api() -> None:
    """And to nothing else."""
    eye = annotated(pod("shop/eye"), role="monitor")
    spec = specification(ISOLATED, holder(health="health"), WEB, eye)
    assert spec["ingress"][1] == {
        "from": [{"podSelector": {"matchLabels": {"app": "eye"}}}],
        "ports": [{"protocol": "TCP", "port": "health"}],
    }


def test_a_port_that_only_the_service_knows_is_given_by_number() -> None:
    """With its protocol."""
    front = service("shop/data", {"port": 53, "targetPort": 5353, "protocol": "UDP"})
    asks = {"name": "DATA_HOST", "value": "data"}
    web = pod("shop/web", containers=[{"name": "main", "env": [asks]}])
    spec = specification(ISOLATED, holder(), web, front)
    assert spec["ingress"][0]["ports"] == [{"protocol": "UDP", "port": 5353}]


def test_without_any_known_port_all_are_admitted() -> None:
    """A rule without ports; the clients can ask as they do today."""
    spec = specification(ISOLATED, annotated(pod("shop/data"), data="pii", clients="web"), WEB)
    assert "ports" not in spec["ingress"][0]


def test_a_name_that_two_ports_have_is_no_name() -> None:
    """It would mean both."""
    ports = serving(
        {"name": "api", "containerPort": 8080},
        {"name": "api", "containerPort": 8080, "protocol": "UDP"},
    )
    data = annotated(pod("shop/data", **ports), data="pii", clients="web")
    spec = specification(ISOLATED, data, WEB)
    assert spec["ingress"][0]["ports"] == [
        {"protocol": "TCP", "port": 8080},
        {"protocol": "UDP", "port": 8080},
    ]


def test_labels_that_controllers_write_are_not_named() -> None:
    """They change with every run; the labels of the template last."""
    labels = {"app": "batch", "batch.kubernetes.io/job-name": "batch"}
    written = {"matchLabels": {"batch.kubernetes.io/controller-uid": "1234"}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "m"}]}}
    job = annotated(workload("Job", "batch", selector=written, template=template), data="pii")
    found = (annotated(job, clients="web"), pod("web"))
    spec = specification(ISOLATED, *found)
    assert spec["podSelector"] == {"matchLabels": {"app": "batch"}}


def test_the_rules_of_another_policy_are_not_written_over() -> None:
    """The name that the new one would have is taken."""
    taken = admitting({"from": [app("x")]})
    other = objects(
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: data-clients, namespace: shop}
        spec: {podSelector: {matchLabels: {app: other}}}
        """
    )
    assert taken.ref.name == "guard"
    (change,) = changes(ISOLATED, holder(), WEB, *other)
    assert change.resource.ref.name == "data-clients-2"


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ((holder(clients="wbe"), WEB), "no client is declared"),
        ((annotated(pod("shop/data"), data="pii"),), "no client is declared"),
        ((holder(), WEB, admitting({})), "other NetworkPolicies admit them"),
    ],
)
def test_what_cannot_be_known_is_not_built(found: tuple[Resource, ...], why: str) -> None:
    """A policy for nobody would cut everybody."""
    with pytest.raises(CannotBuildError, match=why):
        changes(ISOLATED, *found)


def test_pods_without_labels_cannot_be_selected() -> None:
    """The text says whose they are."""
    bare = workload("Deployment", "web", template={"spec": {"containers": [{"name": "m"}]}})
    data = annotated(pod("data", **PORTS), data="pii", clients="web")
    with pytest.raises(CannotBuildError, match="the pods of default/web have no labels"):
        changes(ISOLATED, data, bare)


EYE = annotated(pod("shop/eye"), role="monitor")
TARGET = annotated(pod("shop/data", **PORTS), health="health")


def test_a_rule_for_the_monitor_is_narrowed_to_the_health_api() -> None:
    """Whether it had no ports, or too many."""
    health = [{"protocol": "TCP", "port": "health"}]
    for rule in ({"from": [app("eye")]}, {"from": [app("eye")], "ports": [{"port": 8080}, {}]}):
        spec = specification(MONITORED, EYE, TARGET, admitting({"from": [app("web")]}, rule))
        assert spec["ingress"] == [{"from": [app("web")]}, {"from": [app("eye")], "ports": health}]


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"from": [app("eye"), app("web")]}, "admits others by the same rule"),
        ({"from": [{"podSelector": {}}]}, "admits others by the same rule"),
        ({"from": [app("eye"), {"ipBlock": {"cidr": "10.0.0.0/8"}}]}, "admits others"),
        ({}, "admits others by the same rule"),
    ],
)
def test_a_rule_that_admits_others_is_not_narrowed(rule: Any, why: str) -> None:
    """They would lose what they have."""
    with pytest.raises(CannotBuildError, match=why):
        changes(MONITORED, EYE, TARGET, WEB, admitting(rule))


def test_a_service_without_policies_is_to_be_isolated_first() -> None:
    """There is no rule to narrow."""
    with pytest.raises(CannotBuildError, match="isolate it first"):
        changes(MONITORED, EYE, TARGET)


TERM = {
    "weight": 100,
    "preference": {
        "matchExpressions": [
            {"key": "topology.kubernetes.io/rack", "operator": "In", "values": ["r2"]}
        ]
    },
}
SOFT = "preferredDuringSchedulingIgnoredDuringExecution"


@pytest.mark.parametrize(
    "affinity",
    [
        None,
        {},
        {"nodeAffinity": None},
        {"nodeAffinity": {SOFT: None}},
        {"nodeAffinity": {SOFT: []}},
        {"podAffinity": {SOFT: []}},
        {"nodeAffinity": {SOFT: [{"weight": 1, "preference": {"matchFields": []}}]}},
    ],
)
def test_the_service_is_drawn_to_the_rack_of_its_database(affinity: Any) -> None:
    """A wish is added to what is there, and everything else stays."""
    one = orders(**({} if affinity is None else {"affinity": affinity}))
    (change,) = changes(FAR, *NODES, SERVICE, database(), one)
    found = change.resource.manifest["spec"]["template"]["spec"]["affinity"]
    before = ((affinity or {}).get("nodeAffinity") or {}).get(SOFT) or []
    assert found["nodeAffinity"] == {SOFT: [*before, TERM]}
    assert {key: value for key, value in found.items() if key != "nodeAffinity"} == {
        key: value for key, value in (affinity or {}).items() if key != "nodeAffinity"
    }


@pytest.mark.parametrize("name", [*BUILDERS, "unheard_of"])
def test_a_remedy_that_does_not_fit_its_object_is_refused(name: str) -> None:
    """A policy of somebody's own may ask for anything."""
    home = namespace("shop")
    other = pod("shop/web") if name == "deny_by_default" else home
    finding = Finding(bench(ISOLATED).policies[0], other.ref, (), "", "x")
    with pytest.raises(CannotBuildError):
        changes_of(facts_of((home,)), finding, Remedy("x", Safety.SAFE, (), name))
