"""`auditor network check`, as the engine that is compared with another one uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command, Said

from .world import POLICY, REFUSED, SHOP, written

Query = dict[str, Any]


def pods(source: str, target: str, port: int = 8080, **more: Any) -> Query:
    """A question about two pods of the shop."""
    ends = [{"namespace": "shop", "pod": name} for name in (source, target)]
    return {"src": ends[0], "dst": ends[1], "protocol": "TCP", "port": port, **more}


def asked(auditor: Command, folder: Path, *lines: Query | str, form: str = "jsonl") -> Said:
    """What the command says of these lines."""
    file = folder.parent / "queries.jsonl"
    texts = (line if isinstance(line, str) else json.dumps(line) for line in lines)
    file.write_text("".join(f"{text}\n" for text in texts))
    return auditor("network", "check", folder, "--queries", file, "--cni", "spec", "--format", form)


def answers(said: Said) -> list[dict[str, Any]]:
    """The answers, one a line."""
    return [json.loads(line) for line in said.out.splitlines()]


def test_one_answer_a_line_in_their_order(auditor: Command, folder: Path) -> None:
    """Each with its verdict, and the rule that decides with its file and line."""
    written(folder, SHOP, POLICY)
    said = asked(
        auditor, folder, pods("web", "customers"), pods("cron", "customers"), pods("cron", "web")
    )
    found = answers(said)
    assert said.code == 0
    assert [answer["verdict"] for answer in found] == ["allowed", "denied", "allowed"]
    [reason] = found[0]["reasons"]
    assert reason["policy"]["name"] == "customers"
    assert reason["rule"] == "spec.ingress[0]"
    assert (Path(reason["file"]).name, reason["line"]) == ("1.yaml", 11)
    assert found[0]["unknown"] == []


def test_a_line_that_is_no_question_is_named_and_the_others_are_answered(
    auditor: Command, folder: Path
) -> None:
    """The error names the line and the field; the exit code tells of it."""
    written(folder, SHOP, POLICY)
    said = asked(
        auditor,
        folder,
        "nonsense",
        pods("web", "customers", port=70000),
        "",
        {"src": {"namespace": "shop", "pod": "wbe"}, "dst": {"ip": "1.2.3.4"}, "port": 1},
        pods("web", "customers"),
    )
    found = answers(said)
    assert said.code == 2
    assert [answer.get("error", {}).get("line") for answer in found] == [1, 2, 4, None]
    assert found[1]["error"]["field"] == "port"
    assert found[2]["error"]["field"] == "src.pod"
    assert "did you mean 'shop/web'?" in found[2]["error"]["message"]
    assert [answer["verdict"] for answer in found] == ["undefined"] * 3 + ["allowed"]
    assert "3 lines" in said.err


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"src": 3}, "src"),
        ({"src": {}}, "src"),
        ({"src": {"pod": "web"}}, "src.namespace"),
        ({"src": {"namespace": 3, "pod": "web"}}, "src.namespace"),
        ({"dst": {"ip": "300.1.1.1"}}, "dst.ip"),
        ({"dst": {"entity": "moon"}}, "dst.entity"),
        ({"port": "http"}, "port"),
        ({"port": True}, "port"),
        ({"port": None}, "port"),
        ({"protocol": 6}, "protocol"),
        ({"transport": "smoke"}, "transport"),
        ({"headers": 3}, "headers"),
        ({"headers": {"x": 3}}, "headers.x"),
        ({"headers": [["x"]]}, "headers"),
        ({"method": ["GET"]}, "method"),
        ({"metod": "GET"}, "metod"),
        ({"src": {"namespce": "shop", "pod": "web"}}, "src.namespce"),
    ],
)
def test_a_wrong_field_is_named(auditor: Command, folder: Path, change: Query, field: str) -> None:
    """Whatever stands there, the answer says which field it is."""
    written(folder, SHOP)
    [answer] = answers(asked(auditor, folder, pods("web", "customers") | change))
    assert answer["error"]["field"] == field


def test_every_form_of_an_end(auditor: Command, folder: Path) -> None:
    """A pod by name, an address (a pod's own is that pod), an entity, and an identity."""
    written(folder, SHOP, POLICY)
    target = {"namespace": "shop", "pod": "customers"}
    ends = [
        {"namespace": "shop", "pod": "cron"},
        {"ip": "10.0.0.9"},
        {"ip": "203.0.113.9"},
        {"entity": "world"},
        {"entity": "host"},
        {"entity": "remote-node"},
        {"namespace": "shop", "serviceAccount": "web", "ip": "203.0.113.9", "trustDomain": "td"},
        {"namespace": "shop", "serviceAccount": "web"},
    ]
    found = answers(
        asked(auditor, folder, *({"src": end, "dst": target, "port": 8080} for end in ends))
    )
    verdicts = [answer["verdict"] for answer in found]
    assert verdicts[:4] == ["denied"] * 4
    assert (
        verdicts[4] == "allowed"
    )  # its own node reaches every pod: kubelet probes come from there
    assert verdicts[5] == "denied"  # no node has the labels of a pod
    assert verdicts[6:] == ["denied", "undefined"]


def test_http_is_taken_as_it_is_recorded(auditor: Command, folder: Path) -> None:
    """Method, path, host, header lines, SNI and transport are all of a question."""
    written(folder, SHOP)
    more: Query = {
        "method": "GET",
        "path": "/healthz?x=1",
        "host": "customers:8080",
        "headers": {"x-token": ["secret", "other"], "accept": "*/*"},
        "sni": "outbound_.8080_._.customers.shop.svc.cluster.local",
        "transport": "mtls",
        "appProtocol": "http",
    }
    said = asked(auditor, folder, pods("web", "customers", **more))
    assert (said.code, answers(said)[0]["verdict"]) == (0, "allowed")


def test_other_protocols_are_left_open_by_the_specification(auditor: Command, folder: Path) -> None:
    """ICMP to a pod that nothing isolates passes; to another one nobody can tell."""
    written(folder, SHOP, POLICY)
    ping = {"protocol": "ICMP", "port": None}
    found = answers(
        asked(auditor, folder, pods("web", "cron") | ping, pods("web", "customers") | ping)
    )
    assert [answer["verdict"] for answer in found] == ["allowed", "undefined"]


LIVE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop, uid: d1}
spec:
  selector: {matchLabels: {app: customers}}
  template:
    metadata: {labels: {app: customers}}
    spec: {containers: [{name: app, image: registry.example/api:1}]}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: api-1
  namespace: shop
  uid: r1
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: api, uid: d1, controller: true}]
spec: {selector: {matchLabels: {app: customers}}}
---
apiVersion: v1
kind: Pod
metadata:
  name: api-1-x
  namespace: shop
  labels: {app: customers, pod-template-hash: "1"}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api-1, uid: r1, controller: true}]
spec: {containers: [{name: app, image: registry.example/api:1}]}
status: {phase: Running, podIP: 10.9.9.9}
"""


def test_a_pod_of_a_deployment_is_asked_about_by_any_name(auditor: Command, folder: Path) -> None:
    """By its own, by that of the Deployment, and by its address."""
    written(folder, SHOP, POLICY, LIVE)
    ends = [{"namespace": "shop", "pod": "api-1-x"}, {"namespace": "shop", "pod": "api"}]
    ends.append({"ip": "10.9.9.9"})
    sources = [{"namespace": "shop", "pod": name} for name in ("web", "cron")]
    questions = [{"src": src, "dst": dst, "port": 8080} for src in sources for dst in ends]
    found = answers(asked(auditor, folder, *questions))
    assert [answer["verdict"] for answer in found] == ["allowed"] * 3 + ["denied"] * 3


BLOCK = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: near
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: customers
  ingress:
    - from:
        - ipBlock:
            cidr: 10.0.0.0/8
"""


def test_nodes_have_addresses_that_are_not_told(auditor: Command, folder: Path) -> None:
    """A block may hold another node; nobody knows of a health endpoint of Cilium."""
    written(folder, SHOP, BLOCK)
    target = {"namespace": "shop", "pod": "customers"}
    ends = [{"entity": name} for name in ("host", "remote-node", "health")]
    questions = [{"src": end, "dst": target, "port": 8080} for end in ends]
    questions += [{"src": target, "dst": end, "port": 8080} for end in ends[:2]]
    questions.append({"src": ends[0], "dst": ends[1], "port": 8080})
    found = answers(asked(auditor, folder, *questions))
    verdicts = [answer["verdict"] for answer in found]
    assert verdicts == ["allowed", "undefined", "undefined", "allowed", "allowed", "undefined"]
    assert "10.0.0.0/8" in found[1]["unknown"][0]
    assert "health" in found[2]["unknown"][0]


AMISS = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: nothing
  namespace: shop
spec:
  action: DENY
"""


def test_what_istio_would_not_take_is_named_with_who_refuses_it(
    auditor: Command, folder: Path
) -> None:
    """On standard error, and in `rejected` with `by`."""
    written(folder, SHOP, AMISS)
    said = asked(auditor, folder, pods("cron", "customers"), form="json")
    [rejected] = said.report["rejected"]
    assert (rejected["policy"]["name"], rejected["by"]) == ("nothing", "webhook")
    assert "rejected: shop/nothing[AuthorizationPolicy] (" in said.err
    assert "istiod's webhook refuses it" in said.err


def test_a_policy_that_is_refused_is_named_and_has_no_effect(
    auditor: Command, folder: Path
) -> None:
    """On standard error, and in `rejected`; what becomes of it is known, so that nothing fails."""
    written(folder, SHOP, REFUSED)
    said = asked(auditor, folder, pods("cron", "customers"), form="json")
    assert said.code == 0
    assert said.report["answers"][0]["verdict"] == "allowed"
    [rejected] = said.report["rejected"]
    assert rejected["policy"]["name"] == "broken"
    assert "rejected: shop/broken[NetworkPolicy]" in said.err
    assert "1.yaml:10" in said.err


def test_a_policy_of_a_dialect_that_is_not_read_gives_no_verdict(
    auditor: Command, folder: Path
) -> None:
    """It may allow what we deny, and deny what we allow; elsewhere it has no say."""
    cilium = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: customers
  namespace: shop
spec: {}
"""
    other = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\nspec: {containers: []}\n"
    written(folder, SHOP, cilium, other)
    here = {"namespace": "b", "pod": "a"}
    elsewhere = {"src": here, "dst": {"ip": "1.1.1.1"}, "port": 80}
    found = answers(asked(auditor, folder, pods("web", "customers"), elsewhere))
    assert [answer["verdict"] for answer in found] == ["undefined", "allowed"]
    assert "shop/customers[CiliumNetworkPolicy]" in found[0]["unknown"][0]


def test_a_file_that_cannot_be_read_is_told_by_the_exit_code(
    auditor: Command, folder: Path
) -> None:
    """A policy may be in it."""
    written(folder, SHOP, "kind: [\n")
    said = asked(auditor, folder, pods("web", "customers"))
    assert said.code == 4
    assert "gap (incomplete)" in said.err
    assert len(said.out.splitlines()) == 1


def test_a_pod_of_a_controller_is_known_by_its_name(auditor: Command, folder: Path) -> None:
    """A policy by address means the one pod that has it, not its siblings."""
    owned = """\
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: api, namespace: shop, uid: u1}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: a, image: a}]}
"""
    pod = """\
---
apiVersion: v1
kind: Pod
metadata:
  name: api-%(n)s
  namespace: shop
  labels: {app: api}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: api, uid: u1, controller: true}]
spec: {containers: [{name: a, image: a}]}
status: {phase: %(phase)s, podIP: 10.0.1.%(n)s}
"""
    block = POLICY.replace(
        "podSelector:\n            matchLabels:\n              app: web", "BLOCK"
    )
    block = block.replace("- BLOCK", '- ipBlock: {cidr: "10.0.1.1/32"}')
    running = "".join(pod % {"n": n, "phase": "Running"} for n in (1, 2))
    over = pod % {"n": 3, "phase": "Succeeded"}
    written(folder, SHOP, block, owned + running + over)
    found = answers(asked(auditor, folder, *(pods(f"api-{n}", "customers") for n in (1, 2, 3))))
    assert found[1]["verdict"] == "denied"
    assert found[0]["verdict"] != "denied"
    assert found[2]["verdict"] == "undefined"
    assert "has ended" in found[2]["unknown"][0]


def test_a_filter_for_the_whole_mesh_leaves_it_open(auditor: Command, folder: Path) -> None:
    """It stands in the root namespace, whatever the mesh calls that."""
    mesh = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "rootNamespace: mesh-config"}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: odd, namespace: %s}
spec: {}
"""
    for home, verdict in (("mesh-config", "undefined"), ("elsewhere", "allowed")):
        written(folder, SHOP, mesh % home)
        [found] = answers(asked(auditor, folder, pods("web", "customers")))
        assert found["verdict"] == verdict


def test_for_people(auditor: Command, folder: Path) -> None:
    """Verdict, question, and why."""
    written(folder, SHOP, POLICY)
    said = asked(auditor, folder, pods("cron", "customers"), form="text")
    assert said.out.startswith("denied    shop/cron → shop/customers TCP 8080\n")
    assert "1.yaml:7" in said.out
    assert said.out.endswith("0 allowed, 1 denied, 0 undefined\n")


def test_names_cannot_act_on_the_terminal(auditor: Command, folder: Path) -> None:
    """What a question says is shown as text."""
    written(folder, SHOP)
    query = {"src": {"namespace": "a", "pod": "\x1b[31m\nx"}, "dst": {"ip": "1.1.1.1"}, "port": 1}
    said = asked(auditor, folder, query, form="text")
    assert "\x1b" not in said.out + said.err


def test_the_manifests_or_the_questions_come_by_standard_input(
    auditor: Command, folder: Path
) -> None:
    """Not both, and one is needed."""
    assert auditor("network", "check", "-", "--queries", "-").code == 2
    written(folder, SHOP)
    missing = auditor("network", "check", folder, "--queries", folder / "none.jsonl")
    assert missing.code == 2
    assert "none.jsonl" in missing.err


def test_an_unknown_profile_is_a_usage_error(auditor: Command, folder: Path) -> None:
    """With the one that was probably meant."""
    written(folder, SHOP)
    file = folder.parent / "q.jsonl"
    file.write_text("")
    said = auditor("network", "check", folder, "--queries", file, "--cni", "cillium")
    assert said.code == 2
    assert "did you mean 'cilium'?" in said.err


def test_a_network_without_enforcement_lets_everything_through(
    auditor: Command, folder: Path
) -> None:
    """The profile decides; it is said on standard error."""
    written(folder, SHOP, POLICY)
    file = folder.parent / "q.jsonl"
    file.write_text(json.dumps(pods("cron", "customers")))
    said = auditor("network", "check", folder, "--queries", file, "--cni", "none")
    assert answers(said)[0]["verdict"] == "allowed"
    assert "network policies: enforced by nothing" in said.err


def test_thousands_of_questions_cost_little(auditor: Command, folder: Path) -> None:
    """The manifests are read once: ten thousand answers in some seconds."""
    import time

    written(folder, SHOP, POLICY)
    start = time.process_time()
    said = asked(auditor, folder, *[pods("web", "customers")] * 10_000)
    assert len(said.out.splitlines()) == 10_000
    assert time.process_time() - start < 8


def test_several_states_have_one_verdict_where_they_agree(auditor: Command, folder: Path) -> None:
    """Two overlays of one base: what only one of them denies depends on which is deployed."""
    import shutil

    if not (shutil.which("kubectl") or shutil.which("kustomize")):
        pytest.skip("no kubectl and no kustomize here to build an overlay with")
    folder.mkdir(exist_ok=True)
    for name, text in (("base", SHOP), ("prod", POLICY), ("test", "")):
        written(folder / name, text)
        above = "" if name == "base" else "../base, "
        own = "0.yaml" if text else ""
        (folder / name / "kustomization.yaml").write_text(f"resources: [{above}{own}]\n")
    said = asked(auditor, folder, pods("cron", "customers"), pods("web", "customers"))
    found = answers(said)
    assert [answer["verdict"] for answer in found] == ["undefined", "allowed"]
    assert "denied in " in found[0]["unknown"][0]
    assert found[0]["reasons"][0]["line"] == 7
