"""The continuous audit follows a real cluster: what is new is told, what is mended is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import Options, TestCluster
from .cluster_local import write_kubeconfig
from .conftest import Starter
from .crds import definitions
from .product import PEAPODS, PRIVILEGED, ROOT, audit_live, auditor
from .watching import Watching, watching

pytestmark = pytest.mark.e2e

KYVERNO = "github.com/kyverno/kyverno"
OPENREPORTS = "github.com/openreports/reports-api"
SPACE = "watched"
LABEL = "app.kubernetes.io/managed-by=auditor-watch"
Manifest = dict[str, Any]


def _space() -> Manifest:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}


def _deployment(name: str, *, privileged: bool) -> Manifest:
    labels = {"app": name}
    container = {
        "name": "app",
        "image": "registry.example/app:1.0.0",
        "securityContext": {"privileged": privileged},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": labels},
            "template": template,
        },
    }


@pytest.fixture(scope="module")
def place(cluster: TestCluster) -> TestCluster:
    """A cluster that knows reports, as their authors define them."""
    cluster.apply(_space(), *definitions(KYVERNO), *definitions(OPENREPORTS))
    return cluster


@pytest.fixture(scope="module")
def least(place: TestCluster) -> Path:
    """The credentials that deploy/watch.yaml gives, and no more."""
    documents = yaml.safe_load_all((ROOT / "deploy" / "watch.yaml").read_text("utf-8"))
    role = next(each for each in documents if each["kind"] == "ClusterRole")
    return place.kubeconfig_for("watching", role["rules"])


@pytest.fixture
def watch(place: TestCluster, least: Path, tmp_path: Path) -> Iterator[Watching]:
    """One that keeps reports."""
    with watching(place, tmp_path, "--policy-reports", kubeconfig=least) as made:
        yield made


def _reports(cluster: TestCluster, *flags: str) -> dict[str, Manifest]:
    """By the name of the object that each is about."""
    done = cluster.kubectl("get", "policyreports", "-A", "-o", "yaml", *flags, check=True)
    items = yaml.safe_load(done.stdout)["items"]
    return {each["scope"]["name"]: each for each in items}


def _failing(watch: Watching, namespace: str = SPACE) -> float:
    return watch.number(
        "auditor_findings", policy=PRIVILEGED, namespace=namespace, severity="high", status="open"
    )


def _said(watch: Watching, what: str, name: str) -> str:
    about = f"{SPACE}/{name}[Deployment]"
    told = [(line["policy"], line["object"]) for line in watch.lines(what)]
    return "" if (PRIVILEGED, about) in told else f"{what}: {told}"


def _reported(cluster: TestCluster, name: str) -> str:
    report = _reports(cluster, "-l", LABEL).get(name)
    policies = [each["policy"] for each in report["results"]] if report else []
    return "" if PRIVILEGED in policies else f"{name}: {policies}"


def test_a_fault_comes_and_goes(place: TestCluster, watch: Watching) -> None:
    """In the metrics, in the reports and in the log; others' reports stay as they are."""
    foreign = {
        "apiVersion": "wgpolicyk8s.io/v1alpha2",
        "kind": "PolicyReport",
        "metadata": {
            "name": "auditor-watch-of-others",
            "namespace": SPACE,
            "labels": {"app.kubernetes.io/managed-by": "auditor-watch"},
        },
        "scope": {"apiVersion": "v1", "kind": "Pod", "name": "of-others"},
        "results": [{"policy": "theirs", "result": "fail"}],
    }
    place.apply(foreign, _deployment("bad", privileged=True))
    place.wait_until("the metric shows it", lambda: "" if _failing(watch) else "not yet")
    place.wait_until("its report is there", lambda: _reported(place, "bad"))
    assert _said(watch, "new finding", "bad") == ""
    assert _failing(watch) == 1  # its pods are folded into their template

    place.apply(_deployment("bad", privileged=False))
    place.wait_until("the metric is gone", lambda: str(_failing(watch) or ""))
    place.wait_until("it is over", lambda: _said(watch, "resolved finding", "bad"))
    place.wait_until("the report says so", lambda: "" if _reported(place, "bad") else "still there")
    place.kubectl("delete", "deployment", "bad", "-n", SPACE, check=True)
    place.wait_until(
        "its report is gone", lambda: "still there" if "bad" in _reports(place, "-l", LABEL) else ""
    )
    there = _reports(place)["of-others"]
    assert [each["policy"] for each in there["results"]] == ["theirs"]
    assert watch.end() == 0


def test_reports_and_numbers_are_those_of_the_audit(
    place: TestCluster, watch: Watching, least: Path
) -> None:
    """What `auditor audit --cluster` finds at the same time, all of it and nothing else."""
    place.apply(PEAPODS)
    place.wait_until_nodes_ready()
    place.wait_until_bound()

    def differs() -> str:
        found = audit_live(least, "--fail-on", "never", "--no-fixes").report["findings"]
        open_ = {each["fingerprint"] for each in found if each["status"] == "open"}
        told = {
            result["properties"]["fingerprint"]
            for kind in ("policyreports", "clusterpolicyreports")
            for report in place.objects(f"{kind}.wgpolicyk8s.io")
            if report["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by")
            == "auditor-watch"
            for result in report.get("results", ())
            if result["result"] == "fail" and "properties" in result
        }
        counted = watch.number("auditor_findings", status="open")
        if told == open_ and counted == len(found):
            return ""
        return f"{len(told ^ open_)} differ, {counted} counted, {len(found)} found"

    place.wait_until("both say the same", differs, 120)
    assert watch.number("auditor_watch_reports_refused") == 0


def test_what_stays_as_it_is_is_not_written_again(
    place: TestCluster, least: Path, tmp_path: Path
) -> None:
    """Neither by the one who wrote it nor, after a restart, by the next."""
    place.apply(_deployment("same", privileged=True))
    with watching(place, tmp_path, "--policy-reports", kubeconfig=least) as first:
        place.wait_until("it is reported", lambda: _reported(place, "same"))
        assert first.end() == 0
    before = _versions(place)
    assert before
    with watching(place, tmp_path, "--policy-reports", kubeconfig=least) as second:
        place.apply(_deployment("more", privileged=True))
        place.wait_until("the next is reported", lambda: _reported(place, "more"))
        assert second.lines("new finding")
        assert "same" not in str(second.lines("new finding"))
    after = _versions(place)
    assert {name: after[name] for name in before} == before
    place.kubectl("delete", "deployment", "same", "more", "-n", SPACE, check=True)


def _versions(cluster: TestCluster) -> dict[str, str]:
    found = cluster.objects("policyreports.wgpolicyk8s.io", SPACE)
    return {each["metadata"]["name"]: each["metadata"]["resourceVersion"] for each in found}


def test_a_forbidden_list_is_a_gap_that_is_named(place: TestCluster, tmp_path: Path) -> None:
    """From the start: all else is served."""
    blind = place.kubeconfig_for("blind", place.reading_all_but("nodes"))
    with watching(place, tmp_path, kubeconfig=blind) as made:
        assert made.number("auditor_gaps", severity="incomplete") >= 1
        told = [line for line in made.lines("new gap") if line["of"] == "list of nodes"]
        assert [line["why"].startswith("forbidden: ") for line in told] == [True]
        assert made.get("/healthz") == (200, "ok\n")
        assert made.get("/readyz") == (200, "ok\n")
        assert made.end() == 0


def test_what_a_right_was_taken_from_is_not_called_resolved(
    place: TestCluster, tmp_path: Path
) -> None:
    """While it runs: the gap is told, and the fault that is mended meanwhile is over when that can
    be seen.
    """
    everything = place.reading_all_but()
    place.apply(_deployment("hidden", privileged=True))
    seeing = place.kubeconfig_for("dazzled", everything)
    with watching(place, tmp_path, kubeconfig=seeing) as made:
        place.wait_until("the fault is counted", lambda: "" if _failing(made) == 1 else "not yet")
        place.kubeconfig_for("dazzled", place.reading_all_but("deployments.apps"))
        place.wait_until("the gap is told", lambda: _about(made, "new gap", DEPLOYMENTS), 180)
        place.apply(_deployment("hidden", privileged=False), _pod_of("probe"))
        place.wait_until("what came after is seen", lambda: _new(made, f"{SPACE}/probe[Pod]"))
        assert _said(made, "resolved finding", "hidden") != ""
        assert _failing(made) == 2
        place.kubeconfig_for("dazzled", everything)
        place.wait_until("the gap is over", lambda: _about(made, "closed gap", DEPLOYMENTS), 180)
        place.wait_until("so is the fault", lambda: _said(made, "resolved finding", "hidden"))
        assert _said(made, "new finding", "hidden") != ""
        assert made.end() == 0
    place.kubectl("delete", "deployment/hidden", "pod/probe", "-n", SPACE, check=True)


DEPLOYMENTS = "list of deployments.apps"


def _about(watch: Watching, what: str, of: str) -> str:
    told = [line["of"] for line in watch.lines(what)]
    return "" if of in told else f"{what}: {told}"


def _new(watch: Watching, about: str) -> str:
    told = [line["object"] for line in watch.lines("new finding")]
    return "" if about in told else f"{about}: {told}"


def _pod_of(name: str) -> Manifest:
    template = _deployment(name, privileged=True)["spec"]["template"]
    named = {"name": name, "namespace": SPACE}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": named, "spec": template["spec"]}


def test_without_the_definitions_it_says_so_and_goes_on(start_cluster: Any, tmp_path: Path) -> None:
    """A cluster that knows no PolicyReport: one line, a number, and the audit is served."""
    bare = start_cluster(Options())
    with watching(bare, tmp_path, "--policy-reports") as made:
        bare.wait_until(
            "it is counted",
            lambda: "" if made.number("auditor_watch_reports_refused") else "not yet",
        )
        assert len(made.lines("report not written")) == 1
        assert made.get("/readyz")[0] == 200
        assert made.end() == 0


def test_what_nobody_reads_is_not_audited_again(start_cluster: Starter, tmp_path: Path) -> None:
    """A condition of a pod that no fact reads comes, and long after it no audit was made. The
    cluster has no node that could be lost meanwhile.
    """
    place = start_cluster(Options())
    place.apply(_space())
    place.apply(_deployment("quiet", privileged=False))
    place.wait_until("its pod is there", lambda: "" if _pod(place, "quiet") else "no pod")
    with watching(place, tmp_path) as made:
        place.wait_until("it has settled", lambda: _restless(made))
        before = made.number("auditor_watch_audits_total")
        told = '{"status":{"conditions":[{"type":"Told","status":"True","reason":"Nobody"}]}}'
        name = _pod(place, "quiet")
        place.kubectl("patch", "pod", name, "-n", SPACE, "--subresource=status", "-p", told,
                      check=True)  # fmt: skip
        place.wait_until("it is heard of", lambda: "" if _heard(made) < 2 else "not heard of")
        place.wait_until("it is long ago", lambda: "" if _heard(made) > 6 else "not long ago")
        assert made.number("auditor_watch_audits_total") == before
        place.apply(_deployment("quiet", privileged=True))
        place.wait_until("what counts is seen", lambda: _said(made, "new finding", "quiet"))
        assert made.number("auditor_watch_audits_total") > before


def _pod(cluster: TestCluster, app: str) -> str:
    found = [each["metadata"] for each in cluster.objects("pods", SPACE)]
    return next((each["name"] for each in found if each["labels"]["app"] == app), "")


def _heard(made: Watching) -> float:
    """How long ago something was heard of pods."""
    return made.number("auditor_watch_unheard_seconds", kind="Pod")


def _restless(made: Watching) -> str:
    waits, ago = made.number("auditor_watch_unaudited_seconds"), _heard(made)
    return f"{waits} s, {ago} s" if waits or ago < 6 else ""


def test_what_is_shipped_is_taken_and_makes_a_pod(place: TestCluster) -> None:
    """By a real API server, in a namespace that Pod Security holds to *restricted*."""
    place.apply(ROOT / "deploy" / "watch.yaml")

    def no_pod() -> str:
        pods = place.objects("pods", "auditor")
        return "" if pods else str(place.objects("events", "auditor"))

    place.wait_until("it has a pod", no_pod)
    (pod,) = place.objects("pods", "auditor")
    assert pod["spec"]["serviceAccountName"] == "auditor-watch"
    place.kubectl("delete", "namespace", "auditor", "--wait=false", check=True)


@pytest.mark.parametrize(
    ("form", "kinds"),
    [
        ("policyreport", "wgpolicyk8s.io/v1alpha2"),
        ("openreports", "openreports.io/v1alpha1"),
    ],
)
def test_the_api_server_takes_the_reports_of_an_audit(
    place: TestCluster, form: str, kinds: str
) -> None:
    """By the real schemas, strictly, every one of them."""
    said = auditor("audit", PEAPODS, "--format", form, "--fail-on", "never")
    documents = [each for each in yaml.safe_load_all(said.out) if each]
    assert {each["apiVersion"] for each in documents} == {kinds}
    spaces = {each["metadata"].get("namespace") for each in documents} - {None}
    for name in spaces:
        place.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    done = place.kubectl("apply", "--server-side", "--dry-run=server", "--validate=strict",
                         "-f", "-", input=said.out, check=True)  # fmt: skip
    assert len(done.stdout.splitlines()) == len(documents)


def test_no_cluster_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    """And not a service that has nothing to say."""
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, {"server": "https://127.0.0.1:1"}, "nobody", "none")
    answer = auditor("watch", "--kubeconfig", path, "--port", "0")
    assert answer.code == 2
    assert "no cluster answers at https://127.0.0.1:1" in answer.err
