"""The API server has objects completed: they come out with what they lacked, and stay in peace."""

from __future__ import annotations

import copy
import json
import os
import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from auditor.manifests import at
from auditor.webhook.registration import Terms, mutating, registered

from .cluster import NoClusterError, RefusedError, TestCluster
from .injector import injecting
from .product import program
from .test_webhook import _port, _unready

pytestmark = pytest.mark.e2e

Manifest = dict[str, Any]

NON_ROOT = "workload/non_root_not_enforced"
ASKED = ("--select", NON_ROOT)
SPACE = "mending"
MACHINE = {"cpu": "8", "memory": "32Gi", "pods": "110"}
GROUND: tuple[Manifest, ...] = (
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}},
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "one", "labels": {"kubernetes.io/os": "linux"}},
        "status": {"capacity": MACHINE, "allocatable": MACHINE},
    },
)


@contextmanager
def serving(cluster: TestCluster, folder: Path, *words: str | Path) -> Iterator[str]:
    """The command serving, told to complete what it can and to deny the rest; its URL."""
    host = cluster.callback_host
    if host is None:
        raise NoClusterError("nobody told under which address the API server reaches this machine")
    authority = trustme.CA()
    issued = authority.issue_cert(host)
    (folder / "ca.crt").write_bytes(authority.cert_pem.bytes())
    (folder / "tls.crt").write_bytes(b"".join(b.bytes() for b in issued.cert_chain_pems))
    (folder / "tls.key").write_bytes(issued.private_key_pem.bytes())
    (folder / "auditor.yaml").write_text("admission: {mode: deny, failOn: info, mutate: true}\n")
    log = folder / "webhook.log"
    options: list[str | Path] = [
        *("--kubeconfig", cluster.kubeconfig, "--host", host, "--port", "0", "--cni", "spec"),
        *("--config", folder / "auditor.yaml"),
        *("--tls-cert", folder / "tls.crt", "--tls-key", folder / "tls.key"),
    ]
    with log.open("w") as file:
        process = subprocess.Popen(
            [program(), "webhook", "serve", *map(str, (*options, *words))],
            stderr=file,
            stdout=file,
            env={key: value for key, value in os.environ.items() if key != "KUBECONFIG"},
        )
    try:
        port = _port(cluster, log)
        context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        cluster.wait_until("the webhook is ready", lambda: _unready(host, port, context))
        yield f"https://{host}:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text("utf-8")
    assert "Traceback" not in log.read_text("utf-8")


def patient(configuration: Manifest) -> Manifest:
    """The same, waited for as long as the API server would: machines of tests may be busy."""
    (webhook,) = configuration["webhooks"]
    return configuration | {"webhooks": [webhook | {"timeoutSeconds": 30}]}


@contextmanager
def asked(cluster: TestCluster, *configurations: Manifest) -> Iterator[None]:
    """These webhooks registered, and the API server knowing of it."""
    text = yaml.safe_dump_all(configurations)
    cluster.kubectl("apply", "-f", "-", input=text, check=True)
    try:
        yield
    finally:
        cluster.kubectl("delete", "-f", "-", input=text, check=True)


@pytest.fixture(scope="module")
def mending(
    cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestCluster]:
    """A cluster whose workloads may not lack runAsNonRoot, and are given it."""
    folder = tmp_path_factory.mktemp("webhook")
    cluster.apply(*GROUND)
    cluster.wait_until_nodes_ready()
    with serving(cluster, folder, *ASKED) as url:
        ca = (folder / "ca.crt").read_bytes()
        both = registered(ca, Terms("Fail"), url=url), mutating(ca, url=url)
        with asked(cluster, *map(patient, both)):
            cluster.wait_until("the webhook is asked", lambda: _unasked(cluster))
            yield cluster


def _unasked(cluster: TestCluster) -> str:
    """Why we think that the API server does not ask both yet: it takes a second to hear of it."""
    root = pod("root", runAsUser=1000)
    root["spec"]["securityContext"] = {"runAsNonRoot": False}
    words = ("create", "-f", "-", "--dry-run=server", "-o", "json")
    if cluster.kubectl(*words, input=json.dumps(root)).returncode == 0:
        return "what has to be denied is let in"
    said = cluster.kubectl(*words, input=json.dumps(pod("user", runAsUser=1000)))
    return "" if said.returncode == 0 else said.stderr


def pod(name: str, **context: Any) -> Manifest:
    container = {"name": "app", "image": "registry.example/app:1.0.0"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": SPACE, "labels": {"app": name}},
        "spec": {"containers": [container | ({"securityContext": context} if context else {})]},
    }


def _deployment(name: str) -> Manifest:
    template = pod(name, runAsUser=1000)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": SPACE},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": template["spec"]},
        },
    }


def _is_mended(spec: Manifest) -> bool:
    return all(at(c, ("securityContext", "runAsNonRoot")) is True for c in spec["containers"])


def _created(cluster: TestCluster, manifest: Manifest) -> str:
    """What kubectl says beside; the object is created."""
    done = cluster.kubectl("create", "-f", "-", input=json.dumps(manifest), check=True)
    return re.sub(r"\s+", " ", done.stderr)


def test_a_pod_comes_out_complete(mending: TestCluster) -> None:
    """What would be denied as it was sent passes, and whoever sent it is told why."""
    said = _created(mending, pod("alone", runAsUser=1000))
    field = "spec.containers[app].securityContext.runAsNonRoot"
    assert said.startswith(f"Warning: auditor added: set {field}: true ({NON_ROOT})")
    assert _is_mended(mending.get("Pod", SPACE, "alone")["spec"])


def test_what_cannot_be_completed_is_denied_with_the_way_out(mending: TestCluster) -> None:
    """The submitter's word stays, and the answer says what to write instead."""
    stubborn = pod("stubborn", runAsUser=1000, runAsNonRoot=False)
    with pytest.raises(RefusedError) as refused:
        _created(mending, stubborn)
    text = str(refused.value)
    assert "denied the request" in text
    assert "fix: set spec.containers[app].securityContext.runAsNonRoot: true" in text


def test_a_deployment_comes_out_complete_and_stays_in_peace(mending: TestCluster) -> None:
    """Its pods come of the completed template; no edit of it starts more rollouts than it asks
    for, and whoever sends the old file again changes nothing.
    """
    _created(mending, _deployment("web"))
    mending.wait_until_bound(SPACE)
    made = mending.get("Deployment", SPACE, "web")
    assert _is_mended(made["spec"]["template"]["spec"])
    pods = [p for p in mending.objects("pods", SPACE) if p["metadata"]["labels"]["app"] == "web"]
    assert len(pods) == 2
    assert all(_is_mended(pod["spec"]) for pod in pods)
    where = ("-n", SPACE)
    mending.kubectl("label", "deployment", "web", "seen=yes", *where, check=True)
    _replaced(mending, _deployment("web"))
    assert mending.get("Deployment", SPACE, "web")["spec"] == made["spec"]
    assert _revisions(mending, "web") == 1
    image = "app=registry.example/app:1.0.1"
    mending.kubectl("set", "image", "deployment/web", image, *where, check=True)
    mending.kubectl("rollout", "status", "deployment/web", "--timeout=60s", *where, check=True)
    after = mending.get("Deployment", SPACE, "web")
    assert _is_mended(after["spec"]["template"]["spec"])
    assert after["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    assert _revisions(mending, "web") == 2


def _replaced(cluster: TestCluster, manifest: Manifest) -> None:
    """Sent as it is, whatever its controller has written meanwhile: ``kubectl replace`` alone asks
    for the version first, and is refused where the status changes between.
    """
    path = f"/apis/apps/v1/namespaces/{SPACE}/deployments/{manifest['metadata']['name']}"
    cluster.kubectl("replace", "--raw", path, "-f", "-", input=json.dumps(manifest), check=True)


def _revisions(cluster: TestCluster, app: str) -> int:
    """How many ReplicaSets the Deployment has made."""
    found = cluster.objects("replicasets", SPACE)
    return sum(each["metadata"]["labels"]["app"] == app for each in found)


def test_a_new_container_is_completed_and_an_old_one_left(mending: TestCluster) -> None:
    """By its own place in the list as it is sent."""
    _created(mending, _deployment("more"))
    deployment = _deployment("more")
    containers = deployment["spec"]["template"]["spec"]["containers"]
    containers.insert(0, containers[0] | {"name": "first"})
    _replaced(mending, deployment)
    spec = mending.get("Deployment", SPACE, "more")["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["containers"]] == ["first", "app"]
    assert _is_mended(spec)


def _apply(cluster: TestCluster, manifest: Manifest, manager: str) -> Manifest:
    """Server-side apply that fails on any conflict."""
    words = ("apply", "--server-side", "--field-manager", manager, "-f", "-")
    cluster.kubectl(*words, input=json.dumps(manifest), check=True)
    name = manifest["metadata"]["name"]
    shown = ("get", "deployment", name, "-n", SPACE, "-o", "json", "--show-managed-fields")
    found: Manifest = json.loads(cluster.kubectl(*shown, check=True).stdout)
    return found


def test_server_side_apply_meets_no_conflict(mending: TestCluster) -> None:
    """What was added belongs to nobody who applies: applied again, nothing changes, and another
    manager may take the field over.
    """
    once = _apply(mending, _deployment("applied"), "gitops")
    again = _apply(mending, _deployment("applied"), "gitops")
    assert again["spec"] == once["spec"]
    assert _is_mended(again["spec"]["template"]["spec"])
    managed = {entry["manager"]: json.dumps(entry) for entry in again["metadata"]["managedFields"]}
    assert "f:runAsUser" in managed["gitops"]
    assert "f:runAsNonRoot" not in managed["gitops"]
    other = copy.deepcopy(_deployment("applied"))
    other["spec"].pop("replicas")
    (container,) = other["spec"]["template"]["spec"]["containers"]
    container["securityContext"] = {"runAsNonRoot": True}
    taken = _apply(mending, other, "other")
    assert taken["spec"] == once["spec"]


def test_what_another_webhook_injects_is_completed_as_well(
    mending: TestCluster, tmp_path: Path
) -> None:
    """It comes after ours by its name, and the API server asks ours again."""
    container = {
        "name": "mesh",
        "image": "registry.example/mesh:1.0.0",
        "securityContext": {"runAsUser": 1337},
    }
    with injecting(mending, tmp_path, container) as configuration, asked(mending, configuration):
        mending.wait_until("the mesh injects", lambda: _uninjected(mending))
        _created(mending, pod("meshed", runAsUser=1000))
    spec = mending.get("Pod", SPACE, "meshed")["spec"]
    assert [each["name"] for each in spec["containers"]] == ["app", "mesh"]
    assert _is_mended(spec)


def _uninjected(cluster: TestCluster) -> str:
    words = ("create", "-f", "-", "--dry-run=server", "-o", "json")
    said = cluster.kubectl(*words, input=json.dumps(pod("probe", runAsUser=1000)))
    return "" if '"mesh"' in said.stdout else "no container is injected" + said.stderr
