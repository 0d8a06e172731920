"""The test cluster keeps its promises: without these, no other e2e test proves anything."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import textwrap
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from kubernetes import client, config

from . import cluster as test_cluster
from .cluster import ClusterError, NoClusterError, Options, RefusedError, Route, TestCluster
from .cluster_processes import wait_until
from .cluster_route import route
from .cluster_sweep import census
from .conftest import Starter

pytestmark = pytest.mark.e2e
built_route = pytest.mark.skipif(route() is not Route.BUILT, reason="the processes are not ours")

ROOT = Path(__file__).parents[2]
ZONES = ("a", "b", "c")


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def node(name: str, zone: str, cpu: str = "8") -> dict[str, Any]:
    sizes = {"cpu": cpu, "memory": "16Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"topology.kubernetes.io/zone": zone, "kubernetes.io/hostname": name},
        },
        "status": {"capacity": sizes, "allocatable": sizes},
    }


def deployment(name: str, where: str, replicas: int, cpu: str = "100m") -> dict[str, Any]:
    labels = {"app": name}
    requests = {"requests": {"cpu": cpu}}
    container = {"name": "web", "image": "registry.example/web:1", "resources": requests}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": where},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def six_nodes() -> list[dict[str, Any]]:
    return [node(f"n{number}", ZONES[number % 3]) for number in range(6)]


def gone(process_id: int) -> bool:
    """Whether no process has this id any more; one that only waits to be buried is gone."""
    try:
        os.kill(process_id, 0)
        return (
            Path(f"/proc/{process_id}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
        )
    except (ProcessLookupError, FileNotFoundError):
        return True


class Denial(BaseHTTPRequestHandler):
    """An admission webhook that denies whatever it is asked about."""

    def do_POST(self) -> None:
        review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        verdict = {"allowed": False, "status": {"message": "not on my watch"}}
        review["response"] = {"uid": review.pop("request")["uid"], **verdict}
        body = json.dumps(review).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the screen belongs to the test."""


@contextmanager
def webhook(host: str) -> Iterator[dict[str, str]]:
    """A running webhook, as the ``clientConfig`` by which it is registered."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    with ThreadingHTTPServer((host, 0), Denial) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            vouched = b64encode(authority.cert_pem.bytes()).decode()
            yield {"url": f"https://{host}:{server.server_port}/review", "caBundle": vouched}
        finally:
            server.shutdown()
            thread.join()


def registration(webhook: dict[str, str]) -> dict[str, Any]:
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"]}
    hook = {
        "name": "deny.auditor.example",
        "clientConfig": webhook,
        "rules": [{**rule, "resources": ["configmaps"]}],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "failurePolicy": "Fail",
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "deny"},
        "webhooks": [hook],
    }


def config_map(where: str) -> dict[str, Any]:
    metadata = {"name": "settings", "namespace": where}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}


def test_nodes_become_ready_and_the_real_scheduler_binds_pods(cluster: TestCluster) -> None:
    """Six Node objects are Ready with the capacity they were given, and ten pods run on them."""
    nodes = six_nodes()
    cluster.apply(*nodes)
    cluster.wait_until_nodes_ready()  # or the first node to be ready gets them all
    cluster.apply(namespace("shop"), deployment("web", "shop", 10))
    cluster.wait_until_bound("shop")
    assert cluster.get("node", None, "n0")["status"]["allocatable"]["cpu"] == "8"
    pods = cluster.objects("pods", "shop")
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 10
    homes = {pod["spec"]["nodeName"] for pod in pods}
    assert len(homes) > 1
    assert homes <= {each["metadata"]["name"] for each in nodes}


def test_a_pod_that_fits_nowhere_is_not_called_bound(cluster: TestCluster) -> None:
    """Waiting for a pod that no node can hold ends with the words of the scheduler."""
    cluster.apply(*six_nodes(), namespace("large"), deployment("db", "large", 1, cpu="64"))
    with pytest.raises(ClusterError, match=r"Pod large/db-.*has no node; .*Insufficient cpu"):
        cluster.wait_until_bound("large", timeout=3)


def test_a_user_is_refused_what_the_rules_leave_out(cluster: TestCluster) -> None:
    """Who may list all but secrets lists pods, and gets 403 for secrets."""
    rules = cluster.reading_all_but("secrets")
    kubeconfig = cluster.kubeconfig_for("reader", rules)
    with config.new_client_from_config(config_file=str(kubeconfig)) as api:
        core = client.CoreV1Api(api)
        core.list_pod_for_all_namespaces()
        with pytest.raises(client.ApiException) as refusal:
            core.list_secret_for_all_namespaces()
    assert refusal.value.status == 403


def test_what_the_server_refuses_is_raised_in_its_words(cluster: TestCluster) -> None:
    """A manifest that the API server does not take raises what it said."""
    broken = deployment("web", "default", -1)
    with pytest.raises(RefusedError, match="must be greater than or equal to 0"):
        cluster.apply(broken)


def test_a_webhook_registered_by_url_is_called(cluster: TestCluster) -> None:
    """The API server asks a webhook on this machine, and passes on why it says no."""
    if cluster.callback_host is None:
        pytest.skip("nobody says under which address this cluster reaches us")
    with webhook(cluster.callback_host) as hook:
        cluster.apply(namespace("watched"), registration(hook))

        def why_not() -> str:
            text = json.dumps(config_map("watched"))
            done = cluster.kubectl("create", "--dry-run=server", "-f", "-", input=text)
            return "" if "denied the request: not on my watch" in done.stderr else str(done)

        try:
            cluster.wait_until("the webhook is asked", why_not, 30)
        finally:
            cluster.kubectl("delete", "validatingwebhookconfiguration", "deny", check=True)


def test_after_a_reset_nothing_is_left(cluster: TestCluster) -> None:
    """What a test made is gone after a reset, and the cluster can be used at once."""
    cluster.apply(*six_nodes(), namespace("gone"), deployment("web", "gone", 2))
    cluster.reset()
    assert "gone" not in {each["metadata"]["name"] for each in cluster.objects("namespaces")}
    assert "n0" not in {each["metadata"]["name"] for each in cluster.objects("nodes")}
    cluster.apply(node("n0", "a"), namespace("gone"), deployment("api", "gone", 1))
    cluster.wait_until_bound("gone")


@built_route
def test_pods_can_be_given_other_lives(start_cluster: Starter) -> None:
    """With stages in which a pod never starts, it is bound and stays Pending."""
    never = {"durationMilliseconds": 3_600_000}
    stage = {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": "pod-never-starts"},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {"matchLabels": {"app": "web"}},
            "delay": never,
            "next": {"statusTemplate": "phase: Running"},
        },
    }
    cluster = start_cluster(Options(pod_stages=json.dumps(stage)))
    cluster.apply(node("n0", "a"), namespace("slow"), deployment("web", "slow", 1))
    with pytest.raises(ClusterError, match="is Pending on n0"):
        cluster.wait_until_bound("slow", timeout=4)


@built_route
def test_a_stopped_cluster_leaves_nothing_behind() -> None:
    """After ``stop`` there is no process, no folder and no log."""
    stopped = test_cluster.start()
    ids, folder, logs = ids_of(stopped), stopped.kubeconfig.parent, stopped.logs
    assert len(ids) == 5
    assert not any(gone(each) for each in ids)
    stopped.stop()
    stopped.stop()
    assert all(gone(each) for each in ids)
    assert not folder.exists()
    assert logs is not None
    assert not logs.exists()


def ids_of(cluster: TestCluster) -> list[int]:
    return [running.process.pid for running in cluster.processes]


@built_route
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="the kernel is asked by setpriv")
def test_a_killed_test_run_leaves_no_process() -> None:
    """When the test run itself is killed, the kernel ends the processes of its cluster."""
    script = """
        import sys, time
        from tests.e2e import cluster
        made = cluster.start()
        print(made.kubeconfig.parent, made.scratch, made.logs)
        print(*(each.process.pid for each in made.processes), flush=True)
        time.sleep(600)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folders = [Path(each) for each in run.stdout.readline().split()]
        ids = [int(each) for each in run.stdout.readline().split()]
        run.kill()
    try:
        assert len(ids) == 5
        wait_until("all are gone", lambda: "" if all(map(gone, ids)) else f"{ids}", 5)
    finally:
        for folder in folders:
            shutil.rmtree(folder)


@built_route
def test_a_failed_start_says_where_its_logs_are() -> None:
    """A flag that the API server does not know ends the start with its words and its logs."""
    with pytest.raises(ClusterError, match="unknown flag: --no-such-flag") as failure:
        test_cluster.start(Options(api_server=("--no-such-flag=1",)))
    found = re.search(r"its logs: (\S+)", str(failure.value))
    assert found is not None
    logs = Path(found[1])
    assert "no-such-flag" in (logs / "kube-apiserver.log").read_text("utf-8")
    shutil.rmtree(logs)


@built_route
def test_a_lent_cluster_is_left_as_it_was(
    cluster: TestCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a cluster that is lent, a test writes to its own namespaces, and they go when it ends."""
    cluster.apply(namespace("theirs"), config_map("theirs"))
    before = census(cluster._kubectl)
    monkeypatch.setenv("AUDITOR_E2E_KUBECONFIG", str(cluster.kubeconfig))
    borrowed = test_cluster.start()
    assert borrowed.route is Route.LENT
    for refused in (node("n9", "a"), config_map("theirs"), namespace("theirs")):
        with pytest.raises(NoClusterError):
            borrowed.apply(refused)
    borrowed.kubeconfig_for("guest", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}])
    borrowed.apply(namespace("ours"), config_map("ours"), registration({"url": "https://[::1]/"}))
    assert census(cluster._kubectl) > before
    borrowed.stop()
    assert census(cluster._kubectl) == before
