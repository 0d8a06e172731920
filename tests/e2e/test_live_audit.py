"""The audit of a live cluster says what the audit of its manifests says."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import TestCluster
from .cluster_local import write_kubeconfig
from .product import (
    ASKED,
    EXPOSED,
    FAR,
    FIXED,
    OVERREACH,
    PEAPODS,
    POLICIES,
    PRIVILEGED,
    ROOT,
    audit,
    audit_as_found,
    audit_live,
)

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def peapods(cluster: TestCluster) -> TestCluster:
    """The example company, running with its faults."""
    cluster.apply(PEAPODS)
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    return cluster


def test_the_live_audit_has_the_findings_of_the_manifests(peapods: TestCluster) -> None:
    """The same four faults on the same objects in the same words, and nothing unseen."""
    written, live = audit(PEAPODS), audit_live(peapods.kubeconfig)
    assert sorted(policy for policy, _, _ in written.verdicts.values()) == sorted(POLICIES)
    assert live.verdicts == written.verdicts
    assert live.report["gaps"] == written.report["gaps"] == []
    assert (written.code, live.code) == (1, 1)


def test_live_findings_point_into_a_rendering(peapods: TestCluster) -> None:
    """There is no file of the user's, so the report names the object's own page."""
    (finding,) = audit_live(peapods.kubeconfig, "--select", PRIVILEGED).findings
    assert finding["file"] == "cluster/shop/cronjobs/nightly-report.yaml"
    assert finding["line"] > 1
    assert finding["fix"]["proven"]
    assert finding["fix"]["edits"] == []


def test_the_least_role_is_enough(peapods: TestCluster) -> None:
    """Who has what deploy/rbac.yaml grants, and no more, sees everything that is asked for."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text("utf-8"))
    role = next(each for each in documents if each["kind"] == "ClusterRole")
    reader = peapods.kubeconfig_for("reader", role["rules"])
    answer = audit_live(reader)
    assert answer.report["gaps"] == []
    assert answer.verdicts == audit(PEAPODS).verdicts


FORBIDDEN = {
    "networkpolicies.networking.k8s.io": (EXPOSED, OVERREACH),
    "ingresses.networking.k8s.io": (EXPOSED,),
    "configmaps": (EXPOSED, OVERREACH, FAR),
    "nodes": (FAR,),
    "persistentvolumeclaims": (FAR,),
    "cronjobs.batch": (EXPOSED, OVERREACH, FAR),
}
"""A list that may not be read → the policies that can then say nothing: a CronJob that is not seen
may be the one that reaches the data, or that takes the room beside the database."""


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_list_is_a_gap(peapods: TestCluster, name: str) -> None:
    """It is named, what depends on it is not assessed, and the exit code says so."""
    user = f"all-but-{name.partition('.')[0]}"
    blind = peapods.kubeconfig_for(user, peapods.reading_all_but(name))
    answer = audit_live(blind, "--fail-on", "never", *ASKED)
    gaps = {gap["what"]: gap for gap in answer.report["gaps"]}
    assert gaps[f"list of {name}"]["severity"] == "incomplete"
    assert gaps[f"list of {name}"]["why"].startswith("forbidden: ")
    assert set(gaps) == {f"list of {name}", *(f"policy {each}" for each in FORBIDDEN[name])}
    assert answer.code == 4
    found = {policy for policy, _, _ in answer.verdicts.values()}
    unseen = {PRIVILEGED} if name == "cronjobs.batch" else set()
    assert found == set(POLICIES) - unseen - set(FORBIDDEN[name])


def test_who_may_read_nothing_learns_that_nothing_was_seen(peapods: TestCluster) -> None:
    """Every list is a gap; no policy passes."""
    answer = audit_live(peapods.kubeconfig_for("stranger"))
    assert answer.code == 4
    assert not answer.findings
    assert {gap["severity"] for gap in answer.report["gaps"]} == {"incomplete"}


def test_a_cluster_that_does_not_answer_is_no_clean_cluster(tmp_path: Path) -> None:
    """One sentence, exit code 2, and no report."""
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, {"server": "https://127.0.0.1:1"}, "nobody", "none")
    answer = audit_live(path)
    assert answer.code == 2
    assert answer.out == ""
    assert "no cluster answers at https://127.0.0.1:1" in answer.err


def test_the_company_put_right_is_clean(fresh_cluster: TestCluster) -> None:
    """Accepted by the API server, bound by its scheduler, and nothing is found."""
    fresh_cluster.apply(FIXED)
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.wait_until_bound()
    answer = audit_live(fresh_cluster.kubeconfig, "--strict")
    assert (answer.code, answer.verdicts, answer.report["gaps"]) == (0, {}, [])


def test_isolation_is_not_passed_where_nothing_is_seen_to_enforce_it(
    fresh_cluster: TestCluster,
) -> None:
    """No network plugin runs here: the gap says so, in the report and in the exit code."""
    fresh_cluster.apply(FIXED)
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.wait_until_bound()
    answer = audit_as_found(fresh_cluster.kubeconfig)
    [gap] = answer.report["gaps"]
    assert (gap["what"], gap["severity"]) == ("what enforces network policies", "incomplete")
    assert answer.report["networkPolicies"]["how"] == "unknown"
    assert (answer.code, answer.verdicts) == (4, {})


FLANNEL = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: kube-flannel-ds, namespace: kube-system, labels: {app: flannel}}
spec:
  selector: {matchLabels: {app: flannel}}
  template:
    metadata: {labels: {app: flannel}}
    spec:
      hostNetwork: true
      tolerations: [{operator: Exists}]
      containers: [{name: kube-flannel, image: "ghcr.io/flannel-io/flannel:v0.26.1"}]
"""


def test_a_network_that_only_forwards_is_found(fresh_cluster: TestCluster) -> None:
    """Then no policy has an effect, which is a finding on each of them, and no gap."""
    fresh_cluster.apply(FIXED, yaml.safe_load(FLANNEL))
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.wait_until_bound()

    def found() -> dict[str, Any]:
        asked = ("--select", "network/policies_not_enforced", "--fail-on", "high")
        return dict(audit_as_found(fresh_cluster.kubeconfig, *asked).report)

    def unseen() -> str:
        how = found()["networkPolicies"]
        return "" if how["how"] == "detected" else str(how)

    fresh_cluster.wait_until("the agents are ready", unseen, 60)
    report = found()
    assert report["networkPolicies"]["profile"] == "none"
    assert report["networkPolicies"]["product"] == "flannel"
    assert report["gaps"] == []
    policies = {one["metadata"]["name"] for one in fresh_cluster.objects("networkpolicies")}
    assert policies
    assert {one["object"]["name"] for one in report["findings"]} == policies
