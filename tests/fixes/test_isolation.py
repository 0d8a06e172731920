"""Fixes that isolate: whom they mean, what they take for granted, and when none is offered."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import audit
from auditor.declared import DataTerms, Flow, Flows, Store
from auditor.fixes.offer import with_fixes
from auditor.model import Fix, Resource, Safety, Settings
from auditor.reporters.words import trials
from auditor.sources.files import FileSource
from tests.bench import SETTINGS, bench, objects
from tests.facts.network.cluster import namespace, pod, policy, serving, workload
from tests.facts.test_data import annotated
from tests.facts.test_dependencies import service
from tests.facts.test_exposure import PORTS, admitting, app

ISOLATED = "data/personal_data_not_isolated"
LEAVES = "data/personal_data_may_leave"
WEB = pod("shop/web")
SEEN = Flows("seen.csv", (), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z")


@pytest.fixture(autouse=True)
def _written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where clusters are written to: a fix is proven with the edits of files."""
    monkeypatch.chdir(tmp_path)


def fix_of(*found: Resource, policy: str = ISOLATED, settings: Settings = SETTINGS) -> Fix:
    """The fix of the only finding of a policy."""
    text = yaml.safe_dump_all([dict(one.manifest) for one in found], sort_keys=False)
    Path("all.yaml").write_text(text, encoding="utf-8")
    snapshot = FileSource(("all.yaml",)).snapshot()
    answer = with_fixes(audit(snapshot, bench(policy), settings), bench(policy), settings)
    (finding,) = answer.findings
    assert finding.fix is not None
    return finding.fix


def made(fix: Fix) -> dict[str, Any]:
    """The specifications of what it makes or changes, by kind and name."""
    return {
        f"{change.resource.ref.kind} {change.resource.ref.name}": change.resource.manifest["spec"]
        for change in fix.changes
    }


def why_not(*found: Resource, policy: str = ISOLATED, settings: Settings = SETTINGS) -> str:
    """Why no fix is offered."""
    fix = fix_of(*found, policy=policy, settings=settings)
    assert (fix.safety, fix.changes) == (Safety.MANUAL, ())
    return " ".join(fix.proof.unproven)


def holder(one: Resource | None = None, **declared: Any) -> Resource:
    """Somebody with personal data, whose client is web."""
    words = {"data": "pii", "clients": "web"} | declared
    return annotated(one or pod("shop/data", **PORTS), **words)


def deployment(name: str, labels: dict[str, str], **fields: Any) -> Resource:
    """A Deployment of namespace shop with these labels on its pods."""
    spec = {"containers": [{"name": "main", "image": "app"}], **fields}
    template = {"metadata": {"labels": labels}, "spec": spec}
    one = workload("Deployment", name, selector={"matchLabels": labels}, template=template)
    metadata = {**one.manifest["metadata"], "namespace": "shop"}
    return objects(json.dumps({**one.manifest, "metadata": metadata}))[0]


SHARED = {"team": "web"}
TWINS = (deployment("web", SHARED), deployment("report", SHARED))
NAME = "app.kubernetes.io/name"


def test_a_client_whose_labels_others_have_gets_one_of_its_own() -> None:
    """The other does not come in by them; the finding is gone for all that."""
    fix = fix_of(holder(), *TWINS)
    assert fix.proof.holds, fix.proof
    specs = made(fix)
    assert specs["Deployment web"]["template"]["metadata"]["labels"] == {**SHARED, NAME: "web"}
    assert "Deployment report" not in specs
    (rule,) = specs["NetworkPolicy data-clients"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": {**SHARED, NAME: "web"}}}]
    assert "shop/report → shop/data: every port" in fix.proof.closed


def test_a_new_label_leaves_what_selects_the_pods_as_it_was() -> None:
    """Its Service and its budget are named; and that the pods have to be replaced first."""
    front = service("shop/web", {"port": 80}, selector=SHARED)
    budget = objects(
        """
        apiVersion: policy/v1
        kind: PodDisruptionBudget
        metadata: {name: web, namespace: shop}
        spec: {minAvailable: 1, selector: {matchLabels: {team: web}}}
        """
    )
    fix = fix_of(holder(), *TWINS, front, *budget)
    assert fix.proof.holds, fix.proof
    assert fix.proof.selected == (
        "shop/web[Service] selects shop/web",
        "shop/web[PodDisruptionBudget] selects shop/web",
    )
    assert fix.safety is Safety.UNSAFE
    assert "all pods of shop/web were replaced" in " ".join(fix.proof.assumes)


def test_a_label_that_somebody_selects_by_is_not_given() -> None:
    """The next one is taken, that nothing asks for."""
    front = service("shop/front", {"port": 80}, selector={NAME: "web"})
    specs = made(fix_of(holder(), *TWINS, front))
    added = specs["Deployment web"]["template"]["metadata"]["labels"]
    assert added == {**SHARED, "app.kubernetes.io/instance": "web"}


def test_the_workload_itself_is_told_from_strangers() -> None:
    """Another one of its labels would be isolated with it."""
    ports = serving({"name": "http", "containerPort": 8080})
    one = annotated(deployment("data", SHARED, **ports), data="pii", clients="front")
    fix = fix_of(one, deployment("report", SHARED), pod("shop/front"))
    assert fix.proof.holds, fix.proof
    selector = made(fix)["NetworkPolicy data-clients"]["podSelector"]
    assert selector == {"matchLabels": {**SHARED, NAME: "data"}}
    assert not any("→ shop/report" in flow for flow in fix.proof.closed)


def test_labels_of_the_template_tell_where_the_selector_does_not() -> None:
    """No pod has to be replaced for that."""
    web = deployment("web", SHARED)
    spec = web.manifest["spec"]
    template = {**spec["template"], "metadata": {"labels": {**SHARED, "tier": "front"}}}
    web = replace(web, manifest={**web.manifest, "spec": {**spec, "template": template}})
    fix = fix_of(holder(), web, TWINS[1])
    assert fix.proof.holds, fix.proof
    assert list(made(fix)) == ["NetworkPolicy data-clients"]
    assert fix.safety is Safety.SAFE


def test_who_cannot_be_given_a_label_is_not_let_in_with_strangers() -> None:
    """The pods of a Job are what they are."""
    template = {"metadata": {"labels": SHARED}, "spec": {"containers": [{"name": "m"}]}}
    job = workload("Job", "web", template=template)
    job = replace(job, manifest={**job.manifest, "metadata": {"name": "web", "namespace": "shop"}})
    told = why_not(holder(), job, TWINS[1])
    assert "no label tells the pods of shop/web from those of shop/report" in told


def test_two_clients_of_the_same_labels_are_one_peer() -> None:
    """They are let in both, so that nobody has to tell them apart."""
    fix = fix_of(holder(clients="web, report"), *TWINS)
    (rule,) = made(fix)["NetworkPolicy data-clients"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": SHARED}}]
    assert fix.proof.holds, fix.proof


def test_the_pods_of_a_stateful_set_keep_reaching_each_other() -> None:
    """They are a cluster of their own; their policy says so, and the proof."""
    labels = {"app": "data"}
    ports = [{"name": "http", "containerPort": 8080}]
    spec = {"containers": [{"name": "main", "image": "app", "ports": ports}]}
    one = workload(
        "StatefulSet", "data", replicas=3, serviceName="data", selector={"matchLabels": labels},
        template={"metadata": {"labels": labels}, "spec": spec},
    )  # fmt: skip
    one = replace(one, manifest={**one.manifest, "metadata": {"name": "data", "namespace": "shop"}})
    fix = fix_of(holder(one), WEB)
    assert fix.proof.holds, fix.proof
    assert made(fix)["NetworkPolicy data-clients"]["ingress"][1] == {
        "from": [app("data")],
        "ports": [{"protocol": "TCP", "port": "http"}],
    }
    assert "shop/data → shop/data: TCP 8080" in fix.proof.kept


def test_of_a_policy_that_is_there_the_rules_for_strangers_are_taken_away() -> None:
    """And nothing is added; the health API stays open to whoever may ask for it."""
    stranger, health = {"from": [app("report")]}, {"ports": [{"port": "health"}]}
    guard = admitting({"from": [app("web")]}, stranger, health)
    fix = fix_of(holder(health="health"), WEB, pod("shop/report"), guard)
    assert fix.proof.holds, fix.proof
    assert fix.safety is Safety.SAFE
    assert made(fix)["NetworkPolicy guard"]["ingress"] == [{"from": [app("web")]}, health]


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ((admitting({"from": [app("web"), app("report")]}),), "lets clients in by the same rule"),
        (
            (
                policy({"podSelector": {}, "ingress": [{"from": [app("report")]}]}, "shop/guard"),
                pod("shop/cache"),
            ),
            "is about shop/web as well",
        ),
    ],
)
def test_rules_that_others_need_are_not_taken_away(others: tuple[Resource, ...], why: str) -> None:
    """Somebody has to split them first."""
    admits = admitting({"from": [app("web")]})
    admits = replace(admits, ref=replace(admits.ref, name="web"))
    named = {**admits.manifest, "metadata": {"name": "web", "namespace": "shop"}}
    admits = replace(admits, manifest=named)
    told = why_not(holder(), WEB, pod("shop/report"), admits, *others)
    assert why in told


HOOK = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: checks}
webhooks:
  - name: checks.example.com
    clientConfig: {service: {namespace: shop, name: data}}
"""


def test_what_the_api_server_calls_is_not_cut_off() -> None:
    """Nor opened to everybody for its sake: both cannot be, and that is said."""
    front = service("shop/data", {"port": 443, "targetPort": 8080}, selector={"app": "data"})
    told = why_not(holder(), WEB, front, *objects(HOOK))
    assert (
        "the API server calls shop/data on TCP 8080 (checks[ValidatingWebhookConfiguration])"
        in told
    )


def test_a_client_that_another_policy_keeps_out_is_a_contradiction() -> None:
    """One of the two was a mistake; which, only people know."""
    silent = objects(
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: silent, namespace: shop}
        spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]}
        """
    )
    told = why_not(holder(), WEB, pod("shop/other"), *silent)
    assert "shop/web is declared a client of shop/data, and is kept out all the same" in told
    assert "shop/silent" in told


def test_a_declared_list_of_clients_makes_it_safe() -> None:
    """The owner of the data has said whom it needs."""
    fix = fix_of(holder(), WEB, pod("shop/report"))
    assert (fix.safety, fix.proof.assumes, trials(fix)) == (Safety.SAFE, (), [])


def test_who_was_seen_and_is_no_client_makes_it_unsafe() -> None:
    """It stays outside, for to ask gives no right; but somebody may miss it."""
    seen = replace(SEEN, flows=(Flow("shop/report", "shop/data", 8080),))
    fix = fix_of(holder(), WEB, pod("shop/report"), settings=replace(SETTINGS, flows=(seen,)))
    assert fix.safety is Safety.UNSAFE
    (assumed,) = fix.proof.assumes
    assert "shop/report" in assumed
    assert "2026-01-01" in assumed
    assert [one for one in trials(fix) if "StagedKubernetesNetworkPolicy" in one]
    assert "shop/report" not in str(made(fix))


def test_a_policy_that_isolates_without_any_declaration_assumes_that_nobody_is_missed() -> None:
    """Whoever proves a change of somebody else's gets the same words."""
    fix = fix_of(holder(clients="web, gone"), WEB)
    assert fix.safety is Safety.UNSAFE
    assert fix.proof.assumes == (
        "that gone, a declared client of shop/data that is not here, is nowhere",
    )


ASKING = serving(
    {"name": "http", "containerPort": 8080},
)


def leaving(url: str = "", **declared: Any) -> Resource:
    """Somebody with personal data that asks a URL."""
    container = {**ASKING["containers"][0], "env": [{"name": "URL", "value": url}] if url else []}
    return holder(pod("shop/data", containers=[container]), **declared)


DATABASE = (
    pod("shop/db", **serving({"name": "pg", "containerPort": 5432})),
    service("shop/db", {"port": 5432, "targetPort": "pg"}, selector={"app": "db"}),
)


def contained(*found: Resource, settings: Settings = SETTINGS) -> Fix:
    """The fix for personal data that may leave."""
    return fix_of(*found, policy=LEAVES, settings=settings)


def test_data_is_let_out_to_name_servers_and_whom_it_asks() -> None:
    """By its own configuration; and nobody has watched, so that it is not safe."""
    fix = contained(leaving("postgres://db:5432/x"), WEB, *DATABASE, pod("shop/other"))
    assert fix.proof.holds, fix.proof
    names, database = made(fix)["NetworkPolicy data-asks"]["egress"]
    assert [port["port"] for port in names["ports"]] == [53, 53]
    assert database == {"to": [app("db")], "ports": [{"protocol": "TCP", "port": 5432}]}
    assert set(fix.proof.kept) >= {
        "shop/data → shop/db: TCP 5432",
        "shop/data → DNS: TCP 53, UDP 53",
    }
    assert "shop/data → the internet: every port" in fix.proof.closed
    assert "shop/data → shop/other: every port" in fix.proof.closed
    assert fix.safety is Safety.UNSAFE
    assert "--flows" in fix.proof.assumes[0]


def test_what_was_observed_over_a_stated_time_makes_it_safe() -> None:
    """And what was seen is let out, though no configuration names it."""
    seen = replace(SEEN, flows=(Flow("shop/data", "shop/db", 5432),))
    fix = contained(leaving(), WEB, *DATABASE, settings=replace(SETTINGS, flows=(seen,)))
    assert fix.proof.holds, fix.proof
    assert (fix.safety, fix.proof.assumes) == (Safety.SAFE, ())
    assert "shop/data → shop/db: TCP 5432" in fix.proof.kept


def test_a_window_that_is_not_stated_is_none() -> None:
    """A minute of observation shows little."""
    seen = Flows("seen.csv", (Flow("shop/data", "shop/db", 5432),))
    fix = contained(leaving(), WEB, *DATABASE, settings=replace(SETTINGS, flows=(seen,)))
    assert fix.safety is Safety.UNSAFE


def test_a_host_outside_has_no_address_for_a_policy() -> None:
    """To cut it off in silence would break what works."""
    told = why_not(leaving("https://api.example.com/x"), WEB, policy=LEAVES)
    assert "it asks api.example.com, and a NetworkPolicy knows addresses alone" in told


def test_a_declared_store_is_let_out_to_by_its_addresses() -> None:
    """On the port that the configuration names."""
    store = Store("vault", cidrs=("10.9.0.0/28",), hosts=("vault.example.com",))
    settings = replace(SETTINGS, data=DataTerms(external=(store,)))
    fix = contained(leaving("https://vault.example.com:8443"), WEB, settings=settings)
    assert fix.proof.holds, fix.proof
    assert made(fix)["NetworkPolicy data-asks"]["egress"][1] == {
        "to": [{"ipBlock": {"cidr": "10.9.0.0/28"}}],
        "ports": [{"protocol": "TCP", "port": 8443}],
    }


def test_whom_it_was_seen_to_ask_and_nobody_knows_is_asked_about_first() -> None:
    """An address that is none of the cluster's."""
    seen = replace(SEEN, flows=(Flow("shop/data", "198.51.100.7", 443),))
    told = why_not(leaving(), WEB, policy=LEAVES, settings=replace(SETTINGS, flows=(seen,)))
    assert "it was seen to ask 198.51.100.7" in told


def test_rules_that_let_it_out_already_are_not_outdone() -> None:
    """One more policy can only admit more."""
    wide = admitting()
    spec = {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}
    wide = replace(wide, manifest={**wide.manifest, "spec": spec})
    assert "let it out" in why_not(leaving(), WEB, wide, policy=LEAVES)


def test_nobody_is_let_out_to_data_that_he_has_no_right_to() -> None:
    """That a workload with data names another one's data makes it no client of that."""
    asking = leaving("postgres://db:5432/x")
    other = annotated(DATABASE[0], data="spi", clients="web")
    assert "db" in _let_out_to(asking, WEB, *DATABASE)
    assert "db" not in _let_out_to(asking, WEB, other, DATABASE[1])


def _let_out_to(*found: Resource) -> list[str]:
    """Whom the rules of the fix for shop/data let it out to."""
    text = yaml.safe_dump_all([dict(one.manifest) for one in found], sort_keys=False)
    Path("all.yaml").write_text(text, encoding="utf-8")
    snapshot = FileSource(("all.yaml",)).snapshot()
    answer = with_fixes(audit(snapshot, bench(LEAVES), SETTINGS), bench(LEAVES), SETTINGS)
    (finding,) = [one for one in answer.findings if one.ref.name == "data"]
    assert finding.fix
    return [
        peer["podSelector"]["matchLabels"].get("app", "")
        for rule in made(finding.fix)["NetworkPolicy data-asks"]["egress"]
        for peer in rule["to"]
    ]


def test_a_sidecar_keeps_its_control_plane() -> None:
    """Without it, it has no certificate tomorrow."""
    home = namespace("shop", **{"istio-injection": "enabled"})
    rules = made(contained(leaving(), WEB, home))["NetworkPolicy data-asks"]["egress"]
    assert rules[1]["ports"] == [{"protocol": "TCP", "port": 15012}]


ODD: tuple[Any, ...] = (None, 3, "x", [None], {"a": 3}, [[]], {"matchLabels": {"a": []}})


@pytest.mark.parametrize("odd", ODD, ids=str)
@pytest.mark.parametrize("field", ["selector", "template", "replicas", "serviceName"])
def test_objects_of_a_wrong_shape_are_no_traceback(field: str, odd: Any) -> None:
    """Of the client, of the workload itself, and of what else is there."""
    one = deployment("web", {"app": "web"})
    broken = replace(one, manifest={**one.manifest, "spec": {**one.manifest["spec"], field: odd}})
    front = service("shop/data", {"port": 80})
    front = replace(front, manifest={**front.manifest, "spec": {"selector": odd, "ports": odd}})
    assert fix_of(holder(), broken, WEB, front).title
    assert fix_of(leaving(), broken, WEB, front, policy=LEAVES).title
