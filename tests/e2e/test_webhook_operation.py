"""The webhook in operation, on a real control plane: installing it, locking oneself out and getting
in again, changing its CA under load, and an API server that goes away.
"""

import json
import os
import re
import signal
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.webhook.authority import Authority, new_authority

from .cluster import NoClusterError, Options, TestCluster
from .cluster_local import ControlPlane
from .product import AS_SPECIFIED, PRIVILEGED, auditor, program

pytestmark = pytest.mark.e2e

Manifest = dict[str, Any]
Starter = Callable[[Options], TestCluster]

IMAGE = "registry.example/auditor@sha256:" + "a" * 64
NODE: Manifest = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "n1"}},
    "status": {
        "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "10Gi"},
        "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110", "ephemeral-storage": "10Gi"},
    },
}


def pod(name: str, *, privileged: bool, namespace: str = "default") -> Manifest:
    container = {"name": "c", "image": "r.example/c:1"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"containers": [{**container, "securityContext": {"privileged": privileged}}]},
    }


def plane_of(cluster: TestCluster) -> ControlPlane:
    """The processes of the cluster, where they are ours to restart."""
    if not isinstance(cluster.backing, ControlPlane):
        raise NoClusterError("this test restarts the control plane, which only the built route can")
    return cluster.backing


def create(cluster: TestCluster, manifest: Manifest, *flags: str) -> "tuple[bool, str]":
    """Whether it was created, and what kubectl said."""
    text = yaml.safe_dump(manifest)
    done = cluster.kubectl("create", "-f", "-", *flags, input=text)
    return done.returncode == 0, done.stdout + done.stderr


AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: Metadata
    verbs: [create, update, patch, delete]
    omitStages: [RequestReceived]
"""


@pytest.fixture
def recorded(start_cluster: Starter, tmp_path: Path) -> tuple[TestCluster, Path]:
    """A cluster that writes an audit log."""
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text(AUDIT_POLICY, "utf-8")
    flags = (f"--audit-policy-file={policy}", f"--audit-log-path={log}")
    return start_cluster(Options(api_server=flags)), log


def events(log: Path) -> list[Manifest]:
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


def created(log: Path, name: str) -> Manifest:
    """The event of a pod's creation."""
    [event] = [
        each
        for each in events(log)
        if each["verb"] == "create" and each["responseStatus"]["code"] == 201
        and each["objectRef"].get("name") == name and "subresource" not in each["objectRef"]
    ]  # fmt: skip
    return event


def test_what_install_and_chart_make_is_taken_by_a_real_server(
    cluster: TestCluster, tmp_path: Path
) -> None:
    """Every field is known to it, and Pod Security lets the pods run."""
    words = ("webhook", "install", "--image", IMAGE, "--namespace", "guard")
    printed = auditor(*words)
    assert printed.code == 0, printed.err
    cluster.kubectl("create", "namespace", "guard", check=True)
    strict = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
    cluster.kubectl(*strict, input=printed.out, check=True)
    cluster.kubectl(*strict, input=_chart(), check=True)
    cluster.kubectl("delete", "namespace", "guard", "--wait", check=True)


def _chart() -> str:
    from tests.test_chart import rendered

    return yaml.safe_dump_all(rendered({"image": IMAGE, "createNamespace": True}))


def test_a_cluster_that_locked_itself_out_comes_up_and_is_opened_again(
    recorded: tuple[TestCluster, Path], tmp_path: Path
) -> None:
    """With failurePolicy Fail and no replica that answers, everything starts from cold: nodes come,
    the webhook's pods run. A person breaks the glass, which is told, and mends it again.
    """
    cluster, log = recorded
    plane = plane_of(cluster)
    cluster.apply(NODE, _kubelets())
    config = ("--kubeconfig", str(cluster.kubeconfig))
    # There is no kube-proxy: the Service leads nowhere, as where every replica is dead.
    said = auditor("webhook", "install", "--image", IMAGE, "--failure-policy", "Fail",
                   "--timeout", "2", "--apply", *config)  # fmt: skip
    assert said.code == 0, said.err
    assert said.out.splitlines()[-1] == "applied ValidatingWebhookConfiguration auditor"
    cluster.wait_until("the cluster is locked", lambda: _unlocked(cluster))

    plane.reboot()
    cluster.kubectl("delete", "pods", "-n", "auditor", "--all", "--wait=false", check=True)
    as_kubelet = ("--as=system:node:n2", "--as-group=system:nodes")
    node = {**NODE, "metadata": {"name": "n2", "labels": {"kubernetes.io/hostname": "n2"}}}
    assert "failed calling webhook" in create(cluster, node)[1]  # nobody else may do that unasked
    assert create(cluster, node, *as_kubelet)[0]
    cluster.wait_until("the new node takes pods", lambda: _tainted(cluster, "n2"))
    cluster.wait_until_bound("auditor")
    assert create(cluster, pod("part-of-the-system", privileged=False, namespace="kube-system"))[0]
    assert _unlocked(cluster) == ""

    said = auditor("webhook", "break-glass", "--reason", "nothing answers", "--for", "1h", *config)
    assert said.code == 0, said.err
    cluster.wait_until("the cluster is open", lambda: _locked(cluster))
    assert create(cluster, pod("urgent", privileged=False))[0]
    live = cluster.get("validatingwebhookconfiguration", None, "auditor")
    notes = live["metadata"]["annotations"]
    assert notes["break-glass.auditor.local/reason"] == "nothing answers"
    assert "open until" in auditor("webhook", "break-glass", *config).out
    refused = auditor("webhook", "install", "--image", IMAGE, "--apply", *config)
    assert (refused.code, "break-glass --end" in refused.err) == (2, True), refused.out

    said = auditor("webhook", "break-glass", "--end", *config, "--select", PRIVILEGED)
    assert (said.code, "judges again" in said.out) == (0, True), said.out + said.err
    cluster.wait_until("the cluster is locked again", lambda: _unlocked(cluster))
    written = events(log)
    who = [e["user"]["username"] for e in written
           if e["objectRef"].get("resource") == "validatingwebhookconfigurations"
           and "auditor-break-glass" in e["requestURI"]]  # fmt: skip
    assert len(who) == 2
    let_in = created(log, "urgent")
    assert any(key.startswith("failed-open.validating.") for key in let_in["annotations"])


def _spoil(cluster: TestCluster) -> None:
    """Put the key of another CA into the Secret."""
    key = b64encode(new_authority().key).decode()
    patch = json.dumps({"data": {"ca.key": key}})
    cluster.kubectl("patch", "secret", "auditor-webhook", "-n", "auditor", "-p", patch, check=True)


def test_the_ca_is_kept_until_a_new_one_is_wanted(fresh_cluster: TestCluster) -> None:
    """Then both are trusted. A doctor who comes by has nothing to say, until nobody answers."""
    cluster = fresh_cluster
    config = ("--kubeconfig", str(cluster.kubeconfig))
    words = ("webhook", "install", "--image", IMAGE, "--apply", *config)
    cluster.apply(NODE)
    assert auditor(*words).code == 0
    cluster.wait_until_bound("auditor")
    cluster.wait_until("a doctor is content", lambda: _dangers(cluster))
    first = _published(cluster)
    assert first.count(b"BEGIN CERTIFICATE") == 1
    assert auditor(*words).code == 0
    assert _published(cluster) == first
    assert auditor(*words, "--new-ca").code == 0
    both = _published(cluster)
    assert both.count(b"BEGIN CERTIFICATE") == 2
    assert first in both
    secret = cluster.get("secret", "auditor", "auditor-webhook")["data"]
    assert b64decode(secret["previous.crt"]) == first
    assert b64decode(secret["ca.crt"]) + first == both
    _spoil(cluster)
    refused = auditor(*words)
    assert (refused.code, "with its key in ca.key" in refused.err) == (2, True), refused.err
    assert _published(cluster) == both
    assert auditor(*words, "--new-ca").code == 0
    cluster.kubectl("scale", "deployment", "auditor-webhook", "-n", "auditor", "--replicas=0",
                    check=True)  # fmt: skip
    cluster.kubectl("delete", "service", "-n", "auditor", "auditor-webhook", check=True)
    said = auditor("webhook", "doctor", *config, "--fail-on", "medium")
    assert said.code == 1
    assert "calls Service auditor/auditor-webhook, which is missing" in said.out


def _published(cluster: TestCluster) -> bytes:
    live = cluster.get("validatingwebhookconfiguration", None, "auditor")
    return b64decode(live["webhooks"][0]["clientConfig"]["caBundle"])


def _dangers(cluster: TestCluster) -> str:
    words = ("webhook", "doctor", "--kubeconfig", str(cluster.kubeconfig), "--fail-on", "info")
    said = auditor(*words)
    return "" if said.code == 0 else said.out + said.err


def _kubelets() -> Manifest:
    rbac = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "kubelets"},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "system:node"},
        "subjects": [{"apiGroup": rbac, "kind": "Group", "name": "system:nodes"}],
    }


def _unlocked(cluster: TestCluster) -> str:
    made, said = create(cluster, pod("probe", privileged=False), "--dry-run=server")
    if made:
        return "a pod was let in"
    return "" if "failed calling webhook" in said else said


def _locked(cluster: TestCluster) -> str:
    made, said = create(cluster, pod("probe", privileged=False), "--dry-run=server")
    return "" if made else said


def _tainted(cluster: TestCluster, node: str) -> str:
    return str(cluster.get("Node", None, node)["spec"].get("taints", ""))


@dataclass
class Server:
    """The webhook, serving with a CA of its own."""

    cluster: TestCluster
    folder: Path
    port: int
    log: Path

    def lay(self, authority: Authority) -> None:
        """The CA's files, changed as a Secret is: by turning one link."""
        lay(self.folder, authority)

    def trust(self, *authorities: Authority) -> None:
        """Register whom the API server is to trust."""
        bundle = self.folder / "bundle.pem"
        bundle.write_bytes(b"".join(each.certificate for each in authorities))
        url = f"https://{self.cluster.callback_host}:{self.port}"
        said = auditor("webhook", "registration", "--url", url, "--ca", bundle,
                       "--failure-policy", "Fail")  # fmt: skip
        assert said.code == 0, said.err
        self.cluster.kubectl("apply", "-f", "-", input=said.out, check=True)

    def served_by(self, authority: Authority) -> str:
        """Why we think that it does not serve what this CA signed; empty where it does."""
        context = ssl.create_default_context(cadata=authority.certificate.decode())
        return self.unready(context)

    def unready(self, context: ssl.SSLContext) -> str:
        """Why it is not ready for who trusts so; empty where it is."""
        url = f"https://{self.cluster.callback_host}:{self.port}/readyz"
        try:
            with urllib.request.urlopen(url, context=context, timeout=10) as answer:
                return "" if answer.status == 200 else str(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError as error:
            return str(error)


def lay(folder: Path, authority: Authority) -> None:
    number = len(list(folder.glob("ca-*")))
    data = folder / f"ca-{number}"
    data.mkdir()
    (data / "ca.crt").write_bytes(authority.certificate)
    (data / "ca.key").write_bytes(authority.key)
    (folder / "new").symlink_to(data.name)
    (folder / "new").rename(folder / "ca")


@contextmanager
def serving(cluster: TestCluster, folder: Path, authority: Authority) -> Iterator[Server]:
    """The command serving with this CA, told to deny, and registered with failurePolicy Fail."""
    host = cluster.callback_host
    if host is None:
        raise NoClusterError("nobody told under which address the API server reaches this machine")
    lay(folder, authority)
    log = folder / "webhook.log"
    words = ["--host", host, "--port", "0", "--mode", "deny", "--select", PRIVILEGED, *AS_SPECIFIED]
    words += ["--ca-cert", str(folder / "ca" / "ca.crt"), "--ca-key", str(folder / "ca" / "ca.key")]
    with log.open("w") as file:
        process = subprocess.Popen(
            [program(), "webhook", "serve", "--kubeconfig", str(cluster.kubeconfig), *words,
             "--tls-name", host],
            stderr=file, stdout=file,
            env={key: value for key, value in os.environ.items() if key != "KUBECONFIG"},
        )  # fmt: skip
    try:
        cluster.wait_until("the webhook listens", lambda: _silent(log))
        found = re.search(r"serving on port (\d+)", log.read_text("utf-8"))
        assert found is not None
        server = Server(cluster, folder, int(found[1]), log)
        cluster.wait_until("the webhook is ready", lambda: server.served_by(authority))
        server.trust(authority)
        cluster.wait_until("the webhook is asked", lambda: _denied(cluster))
        yield server
    finally:
        cluster.kubectl("delete", "validatingwebhookconfiguration", "auditor")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text("utf-8")
    assert "Traceback" not in log.read_text("utf-8")


def _silent(log: Path) -> str:
    text = log.read_text("utf-8")
    return "" if "serving on port" in text else text or "-"


def _denied(cluster: TestCluster) -> str:
    made, said = create(cluster, pod("probe", privileged=True), "--dry-run=server")
    if made:
        return "a privileged pod was let in"
    return "" if "denied the request" in said else said


@dataclass
class Load:
    """Requests to the API server that never stop, each of which asks the webhook."""

    cluster: TestCluster
    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self, threads: int = 3) -> Iterator[None]:
        workers = [threading.Thread(target=self._ask_on) for _ in range(threads)]
        for each in workers:
            each.start()
        try:
            yield
        finally:
            self._over.set()
            for each in workers:
                each.join(60)

    def _ask_on(self) -> None:
        config = yaml.safe_load(self.cluster.kubeconfig.read_text("utf-8"))
        server = config["clusters"][0]["cluster"]
        trust = b64decode(server["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=trust)
        token = config["users"][0]["user"]["token"]
        url = f"{server['server']}/api/v1/namespaces/default/pods?dryRun=All"
        while not self._over.is_set():
            for privileged in (False, True):
                body = json.dumps(pod("load", privileged=privileged)).encode()
                headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                request = urllib.request.Request(url, body, headers)  # noqa: S310
                self._judge(request, context, 403 if privileged else 201)

    def _judge(self, request: urllib.request.Request, context: ssl.SSLContext, right: int) -> None:
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:  # noqa: S310
                status, text = answer.status, b""
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        self.asked += 1
        if status != right or (right == 403 and b"denied the request" not in text):
            self.wrong.append(f"{status}: {text.decode()}")


def test_the_ca_changes_under_load_and_no_review_fails(
    cluster: TestCluster, tmp_path: Path
) -> None:
    """Bundle before leaf: the replica goes on with the old CA until the new one is published."""
    old, new = new_authority(), new_authority()
    load = Load(cluster)
    with serving(cluster, tmp_path, old) as server:
        with load.running():
            server.lay(new)
            cluster.wait_until("it waits", lambda: _said(server, "keeping the old certificate"))
            assert server.served_by(old) == ""
            server.trust(old, new)
            cluster.wait_until("the new CA is served", lambda: server.served_by(new))
            server.trust(new)
            before = load.asked
            cluster.wait_until("more is asked", lambda: "" if load.asked > before + 30 else "-")
        assert load.wrong == []
        assert load.asked > 60
        server.trust(old)
        wrong = ssl.create_default_context(cadata=new.certificate.decode())
        cluster.wait_until("it says so", lambda: _trusts(server.unready(wrong)))


def _said(server: Server, words: str) -> str:
    text = server.log.read_text("utf-8")
    return "" if words in text else text[-300:]


def _trusts(said: str) -> str:
    return "" if "does not trust us" in said else said or "ready"


def test_an_api_server_that_restarts_finds_the_webhook_again(
    fresh_cluster: TestCluster, tmp_path: Path
) -> None:
    """What it asks then is judged as before, and no replica had to be restarted."""
    plane = plane_of(fresh_cluster)
    with serving(fresh_cluster, tmp_path, new_authority()) as server:
        plane.restart_api_server()
        assert _denied(fresh_cluster) == ""
        assert create(fresh_cluster, pod("fine", privileged=False))[0]
        assert "serving on port" in server.log.read_text("utf-8")


def test_a_broken_glass_lets_in_and_tells(
    recorded: tuple[TestCluster, Path], tmp_path: Path
) -> None:
    """Of each request that would have been denied: the person is warned, the audit log knows."""
    cluster, log = recorded
    config = ("--kubeconfig", str(cluster.kubeconfig))
    with serving(cluster, tmp_path, new_authority()):
        said = auditor("webhook", "break-glass", "--reason", "drill", "--for", "30m", *config)
        assert said.code == 0, said.err
        cluster.wait_until("the glass is broken", lambda: _not_let_in(cluster))
        made, told = create(cluster, pod("drill", privileged=True))
        assert made
        assert re.search(r"Warning: let in by break-glass until \S+ \(drill\): .*privileged", told)
        live = cluster.get("validatingwebhookconfiguration", None, "auditor")
        assert [each["failurePolicy"] for each in live["webhooks"]] == ["Ignore"]
        ended = auditor("webhook", "break-glass", "--end", *config, "--select", PRIVILEGED)
        assert (ended.code, "1 fault on what was written" in ended.out) == (1, True), ended.out
        assert f"came in: {PRIVILEGED} default/drill" in ended.out
        cluster.wait_until("it judges again", lambda: _denied(cluster))
        live = cluster.get("validatingwebhookconfiguration", None, "auditor")
        assert [each["failurePolicy"] for each in live["webhooks"]] == ["Fail"]
        assert not [key for key in live["metadata"].get("annotations", {}) if "break-glass" in key]
    event = created(log, "drill")
    assert "drill" in event["annotations"]["validate.auditor.local/break-glass"]
    assert PRIVILEGED in event["annotations"]["validate.auditor.local/break-glass-denied"]


def _not_let_in(cluster: TestCluster) -> str:
    made, said = create(cluster, pod("probe", privileged=True), "--dry-run=server")
    return "" if made else said
