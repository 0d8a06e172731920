"""Fixes that admit who is known to ask, for pods and namespaces that no NetworkPolicy isolates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import audit
from auditor.declared import Flow, Flows
from auditor.facts import facts_of
from auditor.facts.network import PortSet, World
from auditor.fixes.offer import with_fixes
from auditor.model import Audit, Finding, Fix, Resource, Safety, Settings
from auditor.sources.files import FileSource
from tests.bench import SETTINGS, bench, objects
from tests.facts.network.cluster import namespace, pod, policy, serving, workload
from tests.facts.test_data import annotated
from tests.facts.test_dependencies import service

ALONE = "network/not_isolated"
ONE_WAY = "network/isolated_one_way"
BARE = "network/namespace_without_policies"
NO_DEFAULT = "network/no_default_deny"
ALL = (ALONE, ONE_WAY, BARE, NO_DEFAULT, "network/admits_every_address", "network/redundant_rule")
PORTS = serving({"name": "http", "containerPort": 8080})


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clusters are written to: a fix is proven with the edits of files."""
    monkeypatch.chdir(tmp_path)


def judged(
    *found: Resource, policies: tuple[str, ...] = ALL, settings: Settings = SETTINGS
) -> Audit:
    """What these policies find, with fixes."""
    text = yaml.safe_dump_all([json.loads(json.dumps(one.manifest)) for one in found])
    Path("all.yaml").write_text(text, encoding="utf-8")
    snapshot = FileSource(("all.yaml",)).snapshot()
    asked = bench(*policies)
    return with_fixes(audit(snapshot, asked, settings), asked, settings)


def finding_of(answer: Audit, policy: str, name: str) -> Finding:
    """That of one policy on an object of this name."""
    (found,) = (f for f in answer.findings if f.policy.id == policy and f.ref.name == name)
    return found


def fix_of(answer: Audit, policy: str, name: str) -> Fix:
    """Its fix."""
    fix = finding_of(answer, policy, name).fix
    assert fix is not None
    return fix


def why_not(answer: Audit, policy: str, name: str) -> str:
    """Why none is offered."""
    fix = fix_of(answer, policy, name)
    assert (fix.safety, fix.changes, fix.edits) == (Safety.MANUAL, (), ())
    return " ".join(fix.proof.unproven)


def specs(fix: Fix) -> dict[str, Any]:
    """What it makes, by name."""
    return {one.resource.ref.name: one.resource.manifest["spec"] for one in fix.changes}


def asking(name: str, *urls: str, **fields: Any) -> Resource:
    """A pod that is told these addresses."""
    env = [{"name": f"URL{n}", "value": url} for n, url in enumerate(urls)]
    containers = (
        serving({"name": "http", "containerPort": 8080})["containers"]
        if fields
        else [{"name": "main", "image": "app"}]
    )
    return pod(name, containers=[{**containers[0], "env": env}])


def mine(app: str, way: str = "Ingress") -> Resource:
    """A NetworkPolicy that keeps everybody from the pods of one application."""
    chosen = {"matchLabels": {"app": app}} if app else {}
    return policy({"podSelector": chosen, "policyTypes": [way]}, "shop/mine")


SHOP = (
    pod("shop/orders", **PORTS),
    service("shop/orders", {"port": 80, "targetPort": "http"}),
    asking("shop/web", "http://orders"),
    asking("accounts/report", "http://orders.shop"),
    pod("shop/stranger"),
)


def admitted(fix: Fix, answer: Audit, target: str) -> dict[str, PortSet]:
    """Who reaches the target once the fix is made, and on which ports."""
    changed = [change.resource for change in fix.changes]
    facts = facts_of(answer.snapshot.replacing(*changed), SETTINGS)
    by_name = {one.name: one for one in facts.workloads}
    reach = {
        name: facts.network.reach(one, by_name[target]).possible
        for name, one in by_name.items()
        if name != target
    }
    return {name: ports for name, ports in reach.items() if ports}


def test_exactly_those_are_admitted_who_are_known_to_ask() -> None:
    """On the port that they ask; nobody else, and nobody loses what he needs."""
    answer = judged(*SHOP)
    fix = fix_of(answer, ALONE, "orders")
    http = PortSet.of("TCP", 8080)
    assert admitted(fix, answer, "shop/orders") == {"shop/web": http, "accounts/report": http}
    assert fix.safety is Safety.UNSAFE
    assert fix.proof.holds, fix.proof
    assert (fix.proof.opened, fix.proof.cut) == ((), ())
    assert "shop/stranger → shop/orders: every port" in fix.proof.closed
    assert any("nobody else needs shop/orders" in text for text in fix.proof.assumes)


def test_who_serves_nothing_and_asks_is_closed() -> None:
    answer = judged(*SHOP)
    fix = fix_of(answer, ALONE, "web")
    assert specs(fix)["web-clients"]["ingress"] == []
    assert admitted(fix, answer, "shop/web") == {}
    assert fix.proof.holds, fix.proof


def test_of_whom_nothing_is_known_is_not_closed() -> None:
    """It may listen on a port that nobody wrote down."""
    assert "nothing is known of it" in why_not(judged(*SHOP), ALONE, "stranger")


def test_who_serves_and_is_asked_by_nobody_known_is_not_guessed() -> None:
    """The reason says how to tell who asks."""
    why = why_not(judged(pod("shop/orders", **PORTS), *SHOP[1:2]), ALONE, "orders")
    assert "nobody is known to ask what it serves" in why
    assert "auditor/clients" in why
    assert "--flows" in why


def test_who_was_declared_or_observed_is_admitted() -> None:
    one = annotated(pod("shop/orders", **PORTS), clients="stranger")
    answer = judged(one, pod("shop/stranger"))
    assert set(admitted(fix_of(answer, ALONE, "orders"), answer, "shop/orders")) == {
        "shop/stranger"
    }
    seen = Flows("seen.csv", (Flow("shop/stranger", "shop/orders", 8080),), "", "")
    answer = judged(
        pod("shop/orders", **PORTS), pod("shop/stranger"), settings=Settings(flows=(seen,))
    )
    assert set(admitted(fix_of(answer, ALONE, "orders"), answer, "shop/orders")) == {
        "shop/stranger"
    }


def test_the_pods_of_a_stateful_set_go_on_asking_each_other() -> None:
    template = {"metadata": {"labels": {"app": "db"}}, "spec": PORTS}
    db = workload(
        "StatefulSet",
        "db",
        replicas=3,
        serviceName="db",
        selector={"matchLabels": {"app": "db"}},
        template=template,
    )
    space = db.ref.namespace
    web = asking(f"{space}/web", "http://db:8080")
    answer = judged(db, service(f"{space}/db", {"port": 8080}, selector={"app": "db"}), web)
    fix = fix_of(answer, ALONE, "db")
    assert fix.proof.holds, fix.proof
    (rule,) = specs(fix)["db-clients"]["ingress"]
    assert {"podSelector": {"matchLabels": {"app": "db"}}} in rule["from"]
    assert f"{space}/db → {space}/db: TCP 8080" in fix.proof.kept


def test_whoever_comes_from_outside_still_does() -> None:
    """To the port that is exposed, and to no other."""
    front = service("shop/orders", {"port": 80, "targetPort": "http"}, type="LoadBalancer")
    answer = judged(pod("shop/orders", **PORTS), front)
    fix = fix_of(answer, ALONE, "orders")
    assert fix.proof.holds, fix.proof
    facts = facts_of(answer.snapshot.replacing(*(c.resource for c in fix.changes)), SETTINGS)
    (target,) = facts.workloads
    assert facts.network.reach(World("8.8.8.8"), target).ports == PortSet.of("TCP", 8080)


INGRESS = objects(
    """
    apiVersion: networking.k8s.io/v1
    kind: Ingress
    metadata: {name: orders, namespace: shop}
    spec:
      ingressClassName: nginx
      defaultBackend: {service: {name: orders, port: {number: 80}}}
    """
)
CONTROLLER = pod(
    "ingress/nginx",
    containers=[{"name": "c", "image": "registry.k8s.io/ingress-nginx/controller:v1.12.1"}],
)


def test_the_controller_of_an_ingress_is_admitted_where_it_is_here() -> None:
    answer = judged(*SHOP[:2], *INGRESS, CONTROLLER)
    fix = fix_of(answer, ALONE, "orders")
    assert fix.proof.holds, fix.proof
    assert admitted(fix, answer, "shop/orders") == {"ingress/nginx": PortSet.of("TCP", 8080)}
    assert "ingress/nginx → shop/orders: TCP 8080" in fix.proof.kept


def test_the_controller_of_an_ingress_that_is_not_here_is_not_cut_off() -> None:
    why = why_not(judged(*SHOP[:3], *INGRESS), ALONE, "orders")
    assert "the pods that pass it on are not here" in why


def test_where_nothing_enforces_policies_none_is_made() -> None:
    why = why_not(judged(*SHOP, settings=Settings(cni=("none",))), ALONE, "orders")
    assert "nothing enforces NetworkPolicies" in why


def test_a_caller_on_the_network_of_its_node_cannot_be_named() -> None:
    env = [{"name": "URL", "value": "http://orders"}]
    agent = pod(
        "shop/agent", hostNetwork=True, containers=[{"name": "m", "image": "a", "env": env}]
    )
    assert "on the network of its node" in why_not(judged(*SHOP[:2], agent), ALONE, "orders")


def test_many_are_proven_as_each_would_be() -> None:
    """Tried together, each gets the proof that it has alone."""
    apps = [
        one
        for n in range(9)
        for one in (
            asking(f"shop/app{n}", f"http://app{(n + 1) % 9}", serves=True),
            service(
                f"shop/app{n}", {"port": 80, "targetPort": "http"}, selector={"app": f"app{n}"}
            ),
        )
    ]
    together = judged(*apps)
    for n in range(9):
        proof = fix_of(together, ALONE, f"app{n}").proof
        assert proof.holds, proof
        assert proof.kept == (f"shop/app{(n - 1) % 9} → shop/app{n}: TCP 8080",)
        closed = [text for text in proof.closed if "every port but" not in text]
        assert len(closed) == 7
        assert all(f"→ shop/app{n}: every port" in text for text in closed)
        assert proof.assumes == (
            f"that nobody else needs shop/app{n}: nobody says who its clients are",
        )


HOME = namespace("shop")


def test_a_default_deny_comes_with_who_is_known_to_ask() -> None:
    """What is found of the workloads is gone as well, and nobody loses what he needs."""
    known = (HOME, *SHOP[:4])
    answer = judged(*known)
    fix = fix_of(answer, BARE, "shop")
    assert fix.proof.holds, fix.proof
    assert fix.safety is Safety.UNSAFE
    assert set(specs(fix)) == {"default-deny-ingress", "orders-clients"}
    assert specs(fix)["default-deny-ingress"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert set(admitted(fix, answer, "shop/orders")) == {"shop/web", "accounts/report"}
    assert admitted(fix, answer, "shop/web") == {}
    assert len(fix.proof.kept) == 2
    after = audit(
        answer.snapshot.replacing(*(change.resource for change in fix.changes)),
        bench(ALONE, BARE, NO_DEFAULT),
        SETTINGS,
    )
    assert [f.ref.namespace for f in after.findings] == ["accounts"]


def test_both_fixes_make_the_same_policy_for_a_workload() -> None:
    """So that all of them can be made at once."""
    answer = judged(HOME, *SHOP[:4])
    whole, single = fix_of(answer, BARE, "shop"), fix_of(answer, ALONE, "orders")
    assert specs(whole)["orders-clients"] == specs(single)["orders-clients"]
    assert set(single.edits) <= set(whole.edits)


def test_a_default_deny_is_not_offered_where_it_may_cut_somebody_off() -> None:
    """It names who that is."""
    why = why_not(judged(HOME, *SHOP[:2], pod("shop/stock", **PORTS)), BARE, "shop")
    assert "may cut shop/" in why
    assert "nobody is known to ask" in why


def test_an_empty_namespace_gets_the_default_deny_alone() -> None:
    """Written after the namespace: before it, nobody could apply the file."""
    fix = fix_of(judged(HOME), BARE, "shop")
    assert fix.proof.holds, fix.proof
    assert list(specs(fix)) == ["default-deny-ingress"]
    (edit,) = fix.edits
    assert edit.span.line > 1


def test_what_admits_everybody_to_every_pod_is_not_hidden_by_a_default_deny() -> None:
    wide = policy({"podSelector": {}, "ingress": [{}]}, "shop/wide")
    assert "one more cannot take it back" in why_not(judged(HOME, wide), NO_DEFAULT, "shop")


def test_who_is_isolated_already_gets_no_further_policy() -> None:
    isolating = mine("orders")
    fix = fix_of(judged(HOME, *SHOP[:3], isolating), NO_DEFAULT, "shop")
    assert fix.proof.holds, fix.proof
    assert list(specs(fix)) == ["default-deny-ingress"]


def test_a_workload_that_is_isolated_on_its_way_in_is_let_out_to_whom_it_asks() -> None:
    isolating = mine("web")
    answer = judged(*SHOP, isolating)
    fix = fix_of(answer, ONE_WAY, "web")
    assert fix.proof.holds, fix.proof
    spec = specs(fix)["web-asks"]
    assert spec["policyTypes"] == ["Egress"]
    assert any("shop/web → shop/orders" in flow for flow in fix.proof.kept)
    assert any("web → DNS" in flow for flow in fix.proof.kept)
    assert "shop/web → shop/stranger: every port" in fix.proof.closed


def test_who_may_ask_the_api_server_is_not_kept_from_it() -> None:
    """It is at an address that nobody wrote down."""
    (bound,) = objects(
        """
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: web, namespace: shop}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
        subjects: [{kind: ServiceAccount, name: default, namespace: shop}]
        """
    )
    isolating = mine("web")
    assert "the API server" in why_not(judged(*SHOP, isolating, bound), ONE_WAY, "web")


def test_of_whom_nobody_knows_whom_he_asks_is_not_kept_in() -> None:
    isolating = mine("stranger")
    assert "nobody is known whom it asks" in why_not(judged(*SHOP, isolating), ONE_WAY, "stranger")


def test_a_workload_that_is_isolated_on_its_way_out_admits_its_callers() -> None:
    isolating = mine("orders", "Egress")
    answer = judged(*SHOP, isolating)
    fix = fix_of(answer, ONE_WAY, "orders")
    assert fix.proof.holds, fix.proof
    assert set(admitted(fix, answer, "shop/orders")) == {"shop/web", "accounts/report"}
