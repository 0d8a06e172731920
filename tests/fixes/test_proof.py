"""What is shown of a fix before it is offered, and what keeps it from being offered."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import audit
from auditor.fixes.case import Before, Case
from auditor.fixes.offer import with_fixes
from auditor.fixes.operations import patched
from auditor.fixes.proof import prove
from auditor.model import (
    Change,
    Finding,
    Fix,
    Gap,
    Operation,
    Origin,
    Proof,
    Resource,
    Safety,
    Settings,
    Snapshot,
    Status,
    Unseen,
    Waiver,
)
from auditor.sources.files import FileSource
from tests.bench import SETTINGS, bench
from tests.facts.network.cluster import namespace, pod, resource
from tests.facts.test_data import annotated
from tests.facts.test_dependencies import service
from tests.facts.test_distance import NODES, SERVICE, database, node, orders
from tests.facts.test_exposure import PORTS, admitting, app

ISOLATED = "data/personal_data_not_isolated"
MONITORED = "network/monitor_beyond_health"
FAR = "placement/far_from_database"
PRIVILEGED = "workload/privileged_container"


def fixes(
    tmp_path: Path, found: tuple[Resource, ...], *names: str, gaps: tuple[Gap, ...] = ()
) -> list[tuple[Finding, Fix]]:
    """The fixes for what these policies find in a file with these objects."""
    file = tmp_path / "all.yaml"
    text = yaml.safe_dump_all([dict(one.manifest) for one in found], sort_keys=False)
    file.write_text(text, encoding="utf-8")
    snapshot = replace(FileSource((str(file),)).snapshot(), gaps=gaps)
    answer = audit(snapshot, bench(*names), SETTINGS)
    answer = with_fixes(answer, bench(*names), SETTINGS)
    return [(finding, finding.fix) for finding in answer.findings if finding.fix]


def proof(tmp_path: Path, policy: str, *found: Resource) -> Proof:
    """The proof of the only fix for a policy, while all are asked."""
    (one,) = [fix for finding, fix in fixes(tmp_path, found) if finding.policy.id == policy]
    return one.proof


def bad(name: str, **fields: Any) -> Resource:
    """A pod with a privileged container."""
    container = {"name": "main", "image": "app", "securityContext": {"privileged": True}}
    return pod(name, **({"containers": [container]} | fields))


HOLDER = annotated(
    pod("shop/data", **PORTS), data="pii", clients="web, far/report", health="health"
)
WEB, REPORT, OTHER = pod("shop/web"), pod("far/report"), pod("far/other")
EYE = annotated(pod("shop/eye"), role="monitor")


def test_a_change_that_schedulers_do_not_read_needs_no_nodes(tmp_path: Path) -> None:
    """Manifests in CI come without them."""
    shown = proof(tmp_path, PRIVILEGED, bad("shop/web"))
    assert shown == Proof(resolved=True, valid_for=136)
    assert shown.holds


def test_an_isolated_workload_keeps_its_clients_and_loses_the_others(tmp_path: Path) -> None:
    """Each flow is named: those that are needed, and those that end."""
    shown = proof(tmp_path, ISOLATED, HOLDER, WEB, REPORT, OTHER, EYE)
    assert shown.holds, shown
    assert shown.opened == shown.cut == ()
    assert set(shown.kept) == {
        "shop/web → shop/data: TCP 8080",
        "far/report → shop/data: TCP 8080",
        "shop/eye → shop/data: TCP 8081",
    }
    assert "far/other → shop/data: every port" in shown.closed
    assert "shop/web → shop/data: every port but TCP 8080" in shown.closed
    assert not any("any pod" in flow for flow in shown.closed)


def test_pods_on_the_network_of_their_node_do_not_keep_a_fix_from_being_proven(
    tmp_path: Path,
) -> None:
    """They reached the data before; every cluster has some."""
    agent = pod("kube-system/agent", hostNetwork=True)
    shown = proof(tmp_path, ISOLATED, HOLDER, WEB, REPORT, agent)
    assert shown.holds, shown


def test_the_internet_is_told_where_it_is_cut_off(tmp_path: Path) -> None:
    """Somebody opened that way; whether it is missed, the author of the manifests must say."""
    front = service("shop/data", {"port": 80, "targetPort": "http"}, type="LoadBalancer")
    ((_, fix),) = fixes(tmp_path, (HOLDER, WEB, REPORT, front), ISOLATED)
    assert fix.safety is Safety.UNSAFE
    assert fix.proof.holds, fix.proof
    assert "the internet → shop/data: every port" in fix.proof.closed


def test_a_missing_client_makes_the_fix_unsafe(tmp_path: Path) -> None:
    """It is cut off if it exists somewhere else."""
    one = annotated(pod("shop/data", **PORTS), data="pii", clients="web, elsewhere")
    ((_, fix),) = fixes(tmp_path, (one, WEB), ISOLATED)
    assert fix.safety is Safety.UNSAFE
    assert fix.proof.holds, fix.proof


def test_a_narrowed_monitor_keeps_the_health_api(tmp_path: Path) -> None:
    """And loses the rest."""
    target = annotated(pod("shop/data", **PORTS), health="health")
    shown = proof(tmp_path, MONITORED, EYE, target, admitting({"from": [app("eye")]}))
    assert shown.holds, shown
    assert shown.kept == ("shop/eye → shop/data: TCP 8081",)
    assert shown.closed == ("shop/eye → shop/data: every port but TCP 8081",)


def test_a_rule_for_two_services_is_not_narrowed_to_the_health_api_of_one(tmp_path: Path) -> None:
    """The monitor would lose the health API of the other; that flow is named as cut."""
    one = annotated(pod("shop/one", **PORTS), health="health")
    two = annotated(pod("shop/two", **PORTS), health="8080")
    for each in (one, two):
        each.manifest["metadata"]["labels"]["app"] = "data"
    found = fixes(tmp_path, (EYE, one, two, admitting({"from": [app("eye")]})), MONITORED)
    assert [fix.proof.holds for _, fix in found] == [False, False]
    assert {flow for _, fix in found for flow in fix.proof.cut} == {
        "shop/eye → shop/one: TCP 8081",
        "shop/eye → shop/two: TCP 8080",
    }


def test_drawn_pods_are_placed(tmp_path: Path) -> None:
    """Each with its node, which is in the rack of the database."""
    shown = proof(tmp_path, FAR, *NODES, SERVICE, database(), orders())
    assert shown.holds, shown
    assert {text.partition(" → ")[0] for text in shown.scheduled} == {
        "default/orders-0",
        "default/orders-1",
    }
    assert all(text.partition(" → ")[2].startswith("r2-") for text in shown.scheduled)


def case(
    found: tuple[Resource, ...], change: Change, finding: Finding | None = None, **settings: Any
) -> Case:
    """A change that no builder of ours would make, as the fix of the first finding."""
    known = Settings(**settings)
    live = tuple(replace(one, origin=Origin("x", one.origin.lines, live=True)) for one in found)
    before = audit(Snapshot(live), bench(), known)
    asked = finding or before.findings[0]
    return Case(Before(before, bench(), known), asked, (change,), (), "")


def change_of(one: Resource, *path: str | int, to: Any) -> Change:
    """One field of an object, changed."""
    return patched(one, Operation("add", path, to))


def test_a_fix_that_changes_nothing_does_not_hold() -> None:
    """The finding is still there."""
    one = bad("shop/web")
    assert not prove(case((one,), change_of(one, "metadata", "annotations", to={}))).resolved


def test_a_fix_that_brings_another_fault_does_not_hold() -> None:
    """Which is named."""
    one, other = bad("shop/web"), pod("shop/other")
    worse = patched(
        other, Operation("add", ("spec", "containers", 0, "securityContext"), {"privileged": True})
    )
    shown = prove(case((one, other), worse))
    assert shown.introduced == (f"{PRIVILEGED} shop/other[Pod]",)
    assert not shown.holds


def test_new_labels_can_open_a_flow() -> None:
    """A pod that takes the label of a client is let in where it was not."""
    data = annotated(pod("shop/data", **PORTS), data="pii", clients="web")
    found = (bad("shop/x"), data, WEB, admitting({"from": [app("web")]}))
    shown = prove(case(found, change_of(found[0], "metadata", "labels", "app", to="web")))
    assert shown.opened == ("shop/x → shop/data: every port",)
    assert not shown.holds


PROXY = {"name": "istio-proxy", "image": "istio/proxyv2"}
PROXIED: dict[str, Any] = {"containers": [{"name": "main", "image": "app"}, PROXY]}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "serviceAccountName"), "web"),
        (("metadata", "annotations"), {"traffic.sidecar.istio.io/excludeInboundPorts": "8080"}),
    ],
)
def test_what_a_mesh_knows_a_pod_by_can_open_a_flow(path: tuple[str, ...], value: Any) -> None:
    """The account of a client, or a port that goes past the sidecar."""
    data, other = pod("shop/data", **PROXIED), pod("shop/x", **PROXIED)
    client = "cluster.local/ns/shop/sa/web"
    peers = resource(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": "PeerAuthentication",
            "metadata": {"name": "default", "namespace": "shop"},
            "spec": {"mtls": {"mode": "STRICT"}},
        }
    )
    guard = resource(
        {
            "apiVersion": "security.istio.io/v1",
            "kind": "AuthorizationPolicy",
            "metadata": {"name": "guard", "namespace": "shop"},
            "spec": {"rules": [{"from": [{"source": {"principals": [client]}}]}]},
        }
    )
    front = service("shop/data", {"port": 8080})
    found = (bad("shop/bad"), data, other, peers, guard, front, namespace("shop"))
    changed = other if path[0] == "spec" else data
    shown = prove(case(found, change_of(changed, *path, to=value)))
    assert any(flow.startswith("shop/x → shop/data: ") for flow in shown.opened), shown
    assert not shown.holds


def test_new_labels_can_take_a_workload_from_its_policy() -> None:
    """And then everybody is let in, the internet too."""
    data = annotated(pod("shop/data", **PORTS), data="pii", clients="web")
    found = (bad("shop/x"), data, WEB, admitting({"from": [app("web")]}))
    shown = prove(case(found, change_of(data, "metadata", "labels", "app", to="free")))
    assert "shop/x → shop/data: every port" in shown.opened
    assert "any pod of a new namespace → shop/data: every port" in shown.opened
    assert "the internet → shop/data: every port" in shown.opened


def test_a_policy_for_nobody_cuts_what_is_needed() -> None:
    """The flow that a configuration asks for is named."""
    told = {"name": "DATA_URL", "value": "http://data:8080"}
    web = pod("shop/web", containers=[{"name": "main", "env": [told]}])
    data, front = pod("shop/data", **PORTS), service("shop/data", {"port": 8080})
    guard = admitting({"from": [app("web")]})
    found = (bad("shop/x"), data, web, front, guard)
    shown = prove(case(found, change_of(guard, "spec", "ingress", to=[])))
    assert shown.cut == ("shop/web → shop/data: TCP 8080",)
    assert not shown.holds


def test_what_may_be_cut_is_a_doubt() -> None:
    """Whether the label of the namespace is there, nobody can tell."""
    told = {"name": "DATA_URL", "value": "http://data.shop:8080"}
    web = pod("far/web", containers=[{"name": "main", "env": [told]}])
    data, front = pod("shop/data", **PORTS), service("shop/data", {"port": 8080})
    guard = admitting({"from": [{"namespaceSelector": {}}]})
    found = (bad("shop/x"), data, web, front, guard)
    rule = {"from": [{"namespaceSelector": {"matchLabels": {"team": "web"}}}]}
    shown = prove(case(found, change_of(guard, "spec", "ingress", to=[rule])))
    assert (shown.cut, shown.kept) == ((), ())
    assert any("namespace far has no Namespace object" in why for why in shown.unproven)
    known = (*found, namespace("far", team="web"), namespace("shop"))
    shown = prove(case(known, change_of(guard, "spec", "ingress", to=[rule])))
    assert shown.kept == ("far/web → shop/data: TCP 8080",)


def test_an_outgoing_rule_can_cut_as_well() -> None:
    """The policies of the client decide, too."""
    told = {"name": "DATA_URL", "value": "http://data:8080"}
    web = pod("shop/web", containers=[{"name": "main", "env": [told]}])
    data, front = pod("shop/data", **PORTS), service("shop/data", {"port": 8080})
    out = admitting()
    out = replace(out, manifest={**out.manifest, "spec": {"podSelector": {}, "ingress": [{}]}})
    found = (bad("shop/x"), data, web, front, out)
    shown = prove(case(found, change_of(out, "spec", "policyTypes", to=["Ingress", "Egress"])))
    assert shown.cut == (
        "shop/web → shop/data: TCP 8080",
        "shop/web → DNS: TCP 53, UDP 53",
    )


def test_a_change_for_the_scheduler_needs_nodes() -> None:
    """Without them nobody can say where the pod would run."""
    one = bad("shop/web")
    change = change_of(one, "spec", "nodeSelector", to={"disk": "fast"})
    shown = prove(case((one,), change))
    assert shown.unproven == ("no Node objects are given, so no pod can be placed",)
    shown = prove(case((one, node("r1-a")), change))
    assert shown.unproven == ()
    assert len(shown.unschedulable) == 1
    assert "shop/web" in shown.unschedulable[0]


def test_leaving_the_network_of_the_node_needs_no_nodes() -> None:
    """The pod takes fewer ports of it; taking more could leave it without a node."""
    ports = [{"containerPort": 80}]
    container = {"name": "m", "ports": ports, "securityContext": {"privileged": True}}
    one = bad("shop/web", hostNetwork=True, containers=[container])
    assert not prove(case((one,), change_of(one, "spec", "hostNetwork", to=False))).unproven
    other = bad("shop/web", containers=[container])
    assert prove(case((other,), change_of(other, "spec", "hostNetwork", to=True))).unproven


def test_a_waiver_that_becomes_superfluous_is_no_doubt() -> None:
    """The fix ends more than one finding, one of which was waived."""
    one = bad("shop/web")
    twin = {"name": "twin", "image": "x", "securityContext": {"privileged": True}}
    one.manifest["spec"]["containers"].append(twin)
    right = [{"name": "main"}, {"name": "twin"}]
    known = case((one,), change_of(one, "spec", "containers", to=right))
    waiver = Waiver(PRIVILEGED, "shop/web", "it is known")
    declared = Settings(waivers=(waiver,))
    before = audit(known.before.audit.snapshot, bench(), declared)
    shown = prove(replace(known, before=Before(before, bench(), declared)))
    assert shown.holds, shown


def test_a_waived_finding_gets_no_fix(tmp_path: Path) -> None:
    """Somebody answers for it."""
    waiver = Waiver(PRIVILEGED, "shop/web", "it is known")
    declared = Settings(waivers=(waiver,))
    found = audit(Snapshot((bad("shop/web"),)), bench(PRIVILEGED), declared)
    answer = with_fixes(found, bench(PRIVILEGED), declared)
    assert [(f.status, f.fix) for f in answer.findings] == [(Status.WAIVED, None)]


def test_a_file_that_cannot_be_edited_leaves_the_fix_unproven() -> None:
    """The objects of a rendering, say."""
    judges = bench(PRIVILEGED)
    answer = with_fixes(audit(Snapshot((bad("shop/web"),)), judges, SETTINGS), judges, SETTINGS)
    (finding,) = answer.findings
    assert finding.fix
    assert not finding.fix.proof.exact
    assert "cannot be edited" in finding.fix.proof.unproven[0]
    assert not finding.fix.proof.holds


@pytest.mark.parametrize("engine", ["regorus", "regopy"])
def test_both_engines_prove_the_same(tmp_path: Path, engine: str) -> None:
    """A fix does not depend on who reads the Rego."""
    file = tmp_path / "all.yaml"
    found = (HOLDER, WEB, REPORT, OTHER, EYE, bad("shop/x"))
    file.write_text(yaml.safe_dump_all([dict(o.manifest) for o in found]), encoding="utf-8")
    judges = bench(PRIVILEGED, ISOLATED, engine=engine)
    answer = audit(FileSource((str(file),)).snapshot(), judges, SETTINGS)
    proofs = [f.fix.proof.holds for f in with_fixes(answer, judges, SETTINGS).findings if f.fix]
    assert proofs == [True, True]


@pytest.mark.parametrize(
    ("kinds", "holds"),
    [(("*",), False), (("Deployment",), False), (("ConfigMap",), False), (("Role",), True)],
)
def test_who_was_not_seen_may_lose_a_flow(
    tmp_path: Path, kinds: tuple[str, ...], holds: bool
) -> None:
    """A broken file may hold a client: then nobody can say that the fix cuts no needed flow."""
    gap = Gap("a.yaml:3", "it is no YAML", Unseen.INCOMPLETE, kinds)
    ((_, fix),) = fixes(tmp_path, (HOLDER, WEB, REPORT, OTHER), ISOLATED, gaps=(gap,))
    assert fix.proof.holds is holds
    if not holds:
        assert fix.proof.unproven == ("a.yaml:3 could not be seen: it is no YAML",)


def _reading_a_secret(name: str) -> Resource:
    """A pod that takes an address from a Secret."""
    key = {"secretKeyRef": {"name": "db", "key": "url"}}
    entry = {"name": "DATABASE_URL", "valueFrom": key}
    return pod(name, containers=[{"name": "main", "image": "app", "env": [entry]}])


def _knowing(name: str, url: str) -> Resource:
    env = [{"name": "DATABASE_URL", "value": url}]
    return pod(name, containers=[{"name": "main", "image": "app", "env": env}])


def test_who_may_be_a_client_by_what_we_do_not_see_is_not_cut_in_silence(tmp_path: Path) -> None:
    """Most database addresses are in Secrets, which nobody gives an auditor."""
    one = annotated(pod("shop/data", **PORTS), data="pii")
    front = service("shop/data", {"port": 80, "targetPort": "http"})
    known, hidden = _knowing("shop/web", "http://data:80"), _reading_a_secret("shop/orders")
    both = admitting({"from": [app("web"), app("orders")]})
    asked = Finding(bench(ISOLATED).policies[0], one.ref, (), "", "x")
    change = change_of(both, "spec", "ingress", to=[{"from": [app("web")]}])
    shown = prove(case((one, front, known, hidden, both), change, asked))
    assert not shown.holds
    (why,) = (why for why in shown.unproven if "may need" in why)
    assert "shop/orders may need shop/data" in why
    assert "Secret db, key url" in why
    declared = annotated(pod("shop/data", **PORTS), data="pii", clients="web")
    ((_, fix),) = fixes(tmp_path, (declared, front, known, hidden), ISOLATED)
    assert fix.safety is Safety.SAFE
    assert fix.proof.holds, fix.proof


def test_no_fix_admits_who_only_names_the_data(tmp_path: Path) -> None:
    """A pod would authorise itself. Nothing is made until the owner of the data says who may ask;
    then the others are cut off, whatever they name.
    """
    front = service("shop/data", {"port": 80, "targetPort": "http"})
    names_it = _knowing("shop/thief", "http://data:80")
    silent = annotated(pod("shop/data", **PORTS), data="pii")
    ((finding, fix),) = fixes(tmp_path, (silent, front, names_it, WEB), ISOLATED)
    assert "shop/thief" in finding.message
    assert fix.safety is Safety.MANUAL
    assert fix.changes == ()
    declared = annotated(pod("shop/data", **PORTS), data="pii", clients="web")
    ((_, fix),) = fixes(tmp_path, (declared, front, names_it, WEB), ISOLATED)
    assert fix.proof.holds, fix.proof
    assert any("shop/thief → shop/data" in flow for flow in fix.proof.closed)
    assert "thief" not in str([change.resource.manifest for change in fix.changes])


def test_a_rule_for_half_of_the_internet_is_seen_to_open_it(tmp_path: Path) -> None:
    """Whatever addresses we ask as the internet must be in what rules speak of."""
    one = annotated(pod("shop/data", **PORTS), data="pii", clients="web")
    front = service("shop/data", {"port": 80, "targetPort": "http"}, type="LoadBalancer")
    closed = admitting({"from": [app("web")]})
    before = (one, WEB, front, closed)
    wide = {"from": [app("web"), {"ipBlock": {"cidr": "64.0.0.0/2"}}]}
    change = change_of(closed, "spec", "ingress", to=[wide])
    asked = Finding(bench(ISOLATED).policies[0], one.ref, (), "", "x")
    shown = prove(case(before, change, asked))
    assert any(flow.startswith("the internet → shop/data") for flow in shown.opened), shown
