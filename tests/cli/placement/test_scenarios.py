"""`auditor placement drain`, `lose` and `rollout` on whole folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import PEAPODS, Command

NODE = """\
apiVersion: v1
kind: Node
metadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}, rack: {rack}}}}}
status: {{allocatable: {{cpu: "4", memory: 8Gi, pods: "10"}}}}
---
"""
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop, labels: {auditor/data: pii}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector: {matchLabels: {app: web}}
      containers: [{name: app, image: registry.example/web:1}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two nodes in two racks, and two pods that may not share one."""
    nodes = NODE.format(name="a", rack="r1") + NODE.format(name="b", rack="r2")
    (tmp_path / "shop.yaml").write_text(nodes + WEB)
    (tmp_path / ".auditor.yaml").write_text("topology: {rack: rack}\n")
    return tmp_path


def test_drain_says_who_is_blocked_down_and_pending(auditor: Command) -> None:
    said = auditor("placement", "drain", "rack2-node1", PEAPODS, "--format", "json")
    report = said.report
    assert said.code == 1
    assert report["result"] == "blocked"
    assert report["blockedOn"][0].startswith("shop/orders-db-0: PodDisruptionBudget")
    assert report["flags"] == ["--delete-emptydir-data"]
    assert report["pods"] == "simulated"
    assert any("volumes of shop/orders-db" in each for each in report["notProvable"])


def test_a_harmless_drain_ends_with_0_and_says_so_in_words(auditor: Command, shop: Path) -> None:
    (shop / "more.yaml").write_text(NODE.format(name="c", rack="r3"))
    said = auditor("placement", "drain", "b", shop)
    assert said.code == 0
    assert said.out.startswith("b can be drained\n")
    assert "pods stand where the simulated scheduler puts them (seed 0)" in said.out
    assert "shop/web       2       1       2" in said.out
    assert "personal data: shop/web holds PII and goes down to 1 of 2" in said.out


def test_a_pod_that_finds_no_node_is_told_with_why(auditor: Command, shop: Path) -> None:
    said = auditor("placement", "drain", "a", shop)
    assert said.code == 1
    assert "shop/web: 1 pod Pending: no node can take it" in said.out
    assert "a is cordoned" in said.out


def test_the_loss_of_a_rack_takes_all_of_its_nodes(auditor: Command, shop: Path) -> None:
    said = auditor("placement", "lose", "rack", "r1", shop, "--format", "json")
    report = said.report
    assert (said.code, report["lostNodes"]) == (1, ["a"])
    (web,) = report["workloads"]
    assert (web["before"], web["lowestAvailable"], web["after"]) == (2, 1, 1)
    assert web["pending"][0]["pods"] == 1
    assert report["personalDataAffected"] == ["shop/web"]
    assert report["servicesWithoutEndpoint"] == []


def test_the_label_of_racks_can_be_named_on_the_command_line(auditor: Command, shop: Path) -> None:
    (shop / ".auditor.yaml").unlink()
    said = auditor("placement", "lose", "rack", "r1", shop)
    assert said.code == 2
    assert "no node has the label topology.kubernetes.io/rack" in said.err
    assert auditor("placement", "lose", "rack", "r1", shop, "--rack-label", "rack").code == 1


def test_a_rollout_that_gets_stuck_says_on_what(auditor: Command, shop: Path) -> None:
    """Two pods that keep apart on two nodes, and none may be away by default."""
    said = auditor("placement", "rollout", "web", shop)
    assert said.code == 1
    assert "the update of shop/web gets stuck; at worst 2 of 2 pods are available" in said.out
    assert "holds pods that this one must be away from" in said.out
    report = auditor("placement", "rollout", "shop/web[Deployment]", shop, "--format=json").report
    assert report["stuck"] is True
    assert report["ends"] == ["stuck"]


def test_new_pods_that_crash_are_asked_about_with_a_flag(auditor: Command) -> None:
    fine = auditor("placement", "rollout", "shop/cart", PEAPODS)
    assert (fine.code, "completes" in fine.out) == (0, True)
    said = auditor("placement", "rollout", "shop/cart", PEAPODS, "--new-pods", "crash")
    assert said.code == 1
    assert "gets stuck" in said.out
    assert "CrashLoopBackOff" in said.out


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (("drain", "rack2-nod1"), "there is no node 'rack2-nod1'; did you mean 'rack2-node1'?"),
        (("lose", "rack", "r3"), "there is no rack 'r3'; there is r1, r2"),
        (("lose", "zone", "north-b"), "there is no zone 'north-b'; did you mean 'north-a'?"),
        (("lose", "node", "x"), "there is no node 'x'; there is rack1-node1"),
        (("rollout", "serch"), "there is no workload 'serch'; did you mean 'shop/search'?"),
        (("rollout", "web/search"), "did you mean 'shop/search'?"),
        (("rollout", "nightly-report"), "is not rolled out: only Deployment"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(
    asked: tuple[str, ...], complaint: str, auditor: Command
) -> None:
    said = auditor("placement", *asked, PEAPODS)
    assert said.code == 2
    assert complaint in said.err


def test_without_any_node_a_drain_says_what_to_declare(auditor: Command, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    said = auditor("placement", "drain", "a", tmp_path)
    assert said.code == 2
    assert "topology.pools" in said.err


def test_without_any_node_an_update_says_what_the_workload_needs(
    auditor: Command, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    said = auditor("placement", "rollout", "web", tmp_path)
    assert said.code == 0
    assert "it is schedulable if at least 2 nodes have room for 1 pod" in said.out
    assert "not provable: no Node object is given" in said.out
    assert auditor("placement", "rollout", "web", tmp_path, "--strict").code == 4


def test_declared_nodes_are_drained_and_said_to_be_declared(
    auditor: Command, tmp_path: Path
) -> None:
    (tmp_path / "web.yaml").write_text(WEB)
    pools = "topology:\n  pools:\n    - {name: 'n{n}', count: 3, allocatable: {cpu: 4, pods: 10}}\n"
    (tmp_path / ".auditor.yaml").write_text(pools)
    said = auditor("placement", "drain", "n1", tmp_path)
    assert said.code == 0
    assert f"nodes: 3, as {tmp_path}/.auditor.yaml:3 declares them" in said.out


def test_a_file_that_cannot_be_read_is_a_gap_and_not_passed_over(
    auditor: Command, shop: Path
) -> None:
    (shop / "more.yaml").write_text(NODE.format(name="c", rack="r3"))
    (shop / "broken.yaml").write_text("kind: [\n")
    said = auditor("placement", "drain", "a", shop)
    assert said.code == 4
    assert "broken.yaml" in said.err
    assert "not provable" in said.out


def test_strict_counts_what_is_not_provable(auditor: Command) -> None:
    node = "rack2-node2"
    relaxed = auditor("placement", "rollout", "shop/cart", PEAPODS)
    assert relaxed.code == 0
    said = auditor("placement", "drain", node, PEAPODS, "--strict", "--format", "json")
    assert said.report["notProvable"]
    assert said.code in (1, 4)


def test_several_of_one_name_have_to_be_told_apart(auditor: Command, shop: Path) -> None:
    other = WEB.partition("---")[0].replace("namespace: shop", "namespace: other")
    (shop / "other.yaml").write_text(other)
    said = auditor("placement", "rollout", "web", shop)
    assert said.code == 2
    assert "may be one of several: " in said.err
    assert "other/web[Deployment]" in said.err


def test_only_the_scope_is_told_and_the_verdict_is_on_all(auditor: Command, shop: Path) -> None:
    said = auditor("placement", "drain", "a", shop, "--exclude", "shop/web[Deployment]")
    assert "shop/web" not in said.out
    assert said.code == 1


def test_names_of_others_cannot_act_on_the_terminal(auditor: Command, shop: Path) -> None:
    hostile = {"name": "\x1b[31m\u202ex", "namespace": "shop", "labels": {"app": "x"}}
    container = {"name": "a", "image": "a", "resources": {"requests": {"cpu": "100"}}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": {
        "metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}}}  # fmt: skip
    manifest = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": hostile, "spec": spec}
    (shop / "hostile.json").write_text(json.dumps(manifest))
    for verb in (("show",), ("drain", "a"), ("lose", "rack", "r1"), ("rollout", "\x1b[31m\u202ex")):
        said = auditor("placement", *verb, shop)
        assert "\x1b[31m" not in said.out + said.err
        assert "\u202e" not in said.out + said.err
