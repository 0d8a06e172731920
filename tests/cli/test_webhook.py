"""`auditor webhook`: what the API server is told, and who starts it. What it does: tests/e2e."""

from __future__ import annotations

import base64
import gc
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
import yaml

from auditor.facts.workloads import TEMPLATES
from auditor.webhook.certificates import Pair
from tests.webhook.conftest import write_pair

from .command import Command, Said


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    """The certificate of a CA."""
    file = tmp_path / "ca.crt"
    file.write_bytes(trustme.CA().cert_pem.bytes())
    return file


def test_no_private_key_is_published(auditor: Command, tmp_path: Path) -> None:
    """Whoever may read the registration could sign for the webhook."""
    authority = trustme.CA()
    key = tmp_path / "ca.key"
    key.write_bytes(authority.private_key_pem.bytes() + authority.cert_pem.bytes())
    said = auditor("webhook", "registration", "--url", "https://h", "--ca", key)
    assert said.code == 2
    assert "private key" in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    "text", ["", "hello", "-----BEGIN CERTIFICATE-----\naGk=\n-----END CERTIFICATE-----\n"]
)
def test_what_is_no_certificate_is_refused(auditor: Command, tmp_path: Path, text: str) -> None:
    """Before the API server stumbles over it at every request."""
    file = tmp_path / "ca.crt"
    file.write_text(text, "utf-8")
    said = auditor("webhook", "registration", "--url", "https://h", "--ca", file)
    assert said.code == 2
    assert "--ca" in said.err


def test_every_kind_that_makes_pods_is_asked_about(auditor: Command, ca: Path) -> None:
    """A workload kind that is left out would be the way in; so would a debugger."""
    said = auditor("webhook", "registration", "--url", "https://h:8443/", "--ca", ca)
    assert said.code == 0
    (webhook,) = yaml.safe_load(said.out)["webhooks"]
    asked = {(group, name) for rule in webhook["rules"] for group in rule["apiGroups"]
             for name in rule["resources"]}  # fmt: skip
    wanted = {(group, f"{kind.lower()}s") for group, kind in TEMPLATES if group != "extensions"}
    assert wanted <= asked
    assert ("", "pods/ephemeralcontainers") in asked
    assert ("networking.k8s.io", "networkpolicies") in asked
    assert webhook["matchPolicy"] == "Equivalent"
    assert webhook["failurePolicy"] == "Ignore"
    assert webhook["clientConfig"]["url"] == "https://h:8443/validate"
    assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == ca.read_bytes()


def test_a_service_is_named_with_its_namespace(auditor: Command, ca: Path) -> None:
    """As the API server needs it."""
    said = auditor("webhook", "registration", "--service", "security/auditor", "--ca", ca)
    (webhook,) = yaml.safe_load(said.out)["webhooks"]
    assert webhook["clientConfig"]["service"] == {
        "namespace": "security", "name": "auditor", "path": "/validate", "port": 443,
    }  # fmt: skip


def test_who_adds_to_objects_is_never_a_reason_to_refuse_them(auditor: Command, ca: Path) -> None:
    """Asked for on demand, soon given up, and never about what may not change any more."""
    words = ("--service", "security/auditor", "--ca", ca, "--failure-policy", "Fail", "--mutate")
    said = auditor("webhook", "registration", *words)
    validating, mutating = yaml.safe_load_all(said.out)
    assert validating["webhooks"][0]["failurePolicy"] == "Fail"
    assert mutating["kind"] == "MutatingWebhookConfiguration"
    (webhook,) = mutating["webhooks"]
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 2)
    assert webhook["reinvocationPolicy"] == "IfNeeded"
    assert webhook["clientConfig"]["service"]["path"] == "/mutate"
    (namespaces,) = webhook["namespaceSelector"]["matchExpressions"]
    assert {"kube-system", "kube-public", "kube-node-lease", "security"} <= {*namespaces["values"]}
    asked = {(name, operation) for rule in webhook["rules"] for name in rule["resources"]
             for operation in rule["operations"]}  # fmt: skip
    assert {("pods", "CREATE"), ("jobs", "CREATE"), ("deployments", "UPDATE")} <= asked
    assert not {("pods", "UPDATE"), ("jobs", "UPDATE"), ("deployments", "DELETE")} & asked
    assert not any("/" in name for name, _ in asked)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--url", "https://h", "--service", "a/b"),
        ("--url", "http://h"),
        ("--service", "auditor"),
        ("--service", "a/b/c"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused(
    auditor: Command, ca: Path, flags: tuple[str, ...]
) -> None:
    """Before it stands in a cluster and every request waits for it."""
    assert auditor("webhook", "registration", *flags, "--ca", ca).code == 2


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A certificate and its key."""
    return write_pair(trustme.CA(), tmp_path)


def serve(pair: Pair, *flags: str | Path) -> tuple[str | Path, ...]:
    """The words that start the webhook."""
    return ("webhook", "serve", "--host", "127.0.0.1", "--tls-cert", pair.certificate,
            "--tls-key", pair.key, *flags)  # fmt: skip


def sentence(said: Said) -> str:
    """What a start that was given up says: one line, and exit code 2."""
    assert (said.code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    return line


def test_a_certificate_that_cannot_be_used_is_named(auditor: Command, pair: Pair) -> None:
    """Before the cluster is asked for anything."""
    pair.key.write_text("no key", "utf-8")
    assert str(pair.key) in sentence(auditor(*serve(pair)))
    pair.certificate.unlink()
    assert str(pair.certificate) in sentence(auditor(*serve(pair)))


def test_a_key_of_another_certificate_is_named(auditor: Command, pair: Pair) -> None:
    """Both files are well formed; only together they are of no use."""
    certificate = pair.certificate.read_bytes()
    write_pair(trustme.CA(), pair.key.parent)
    pair.certificate.write_bytes(certificate)
    assert str(pair.key) in sentence(auditor(*serve(pair)))


def test_without_a_cluster_nothing_is_served(auditor: Command, pair: Pair, tmp_path: Path) -> None:
    """The kubeconfig is named, or the address where nobody answers."""
    none = tmp_path / "none"
    assert str(none) in sentence(auditor(*serve(pair, "--kubeconfig", none)))
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    said = auditor(*serve(pair, "--kubeconfig", kubeconfig(tmp_path, port)))
    assert f"127.0.0.1:{port}" in sentence(said)


def kubeconfig(folder: Path, port: int) -> Path:
    """One for a server on that port that asks for no credentials."""
    file = folder / "kubeconfig"
    cluster = {"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "c"}}
    config = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context],
              "users": [{"name": "c", "user": {}}], "current-context": "c"}  # fmt: skip
    file.write_text(yaml.safe_dump(config), "utf-8")
    return file


class Silent(BaseHTTPRequestHandler):
    """An API server that tells its version and then no list, as one that is overloaded."""

    ended = threading.Event()

    def do_GET(self) -> None:
        if self.path != "/version":
            self.ended.wait(30)
            return
        body = b'{"major": "1", "minor": "36"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Not a word."""


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[Path]:
    """The kubeconfig of a cluster that cannot be read."""
    Silent.ended.clear()
    gc.collect()  # an engine that an earlier test left behind must go in the thread that made it
    with ThreadingHTTPServer(("127.0.0.1", 0), Silent) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield kubeconfig(tmp_path, server.server_port)
        Silent.ended.set()
        server.shutdown()


@contextmanager
def process(*words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own: nothing of ours may run in the threads of a server."""
    program = [sys.executable, "-c", "from auditor.cli.main import main; main()", *words]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        yield started


def test_a_port_that_is_taken_is_named(pair: Pair, silent: Path) -> None:
    """Whoever has it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with process(*serve(pair, "--kubeconfig", silent, "--port", port)) as started:
            out, err = started.communicate(timeout=60)
    assert f"127.0.0.1:{port}" in sentence(Said(started.returncode, out, err))


def test_probes_are_answered_while_the_cluster_is_read(pair: Pair, silent: Path) -> None:
    """A large cluster takes longer than a kubelet waits for the first sign of life."""
    with process(*serve(pair, "--kubeconfig", silent, "--port", "0")) as started:
        assert started.stderr is not None
        said = ""
        while "serving on port" not in said:
            line = started.stderr.readline()
            assert line, said
            said += line
        port = int(re.findall(r"serving on port (\d+)", said)[-1])
        assert (_status(port, "/healthz"), _status(port, "/readyz")) == (200, 503)
        started.send_signal(signal.SIGTERM)
        out, err = started.communicate(timeout=60)
    assert (started.returncode, out, err) == (0, "", "")


def _status(port: int, path: str) -> int:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_rule_about_no_policy_at_all_is_an_error(
    auditor: Command, folder: Path, pair: Pair
) -> None:
    """It would protect nothing, and nobody would hear of it."""
    text = "admission:\n  rules:\n    - {mode: deny, policies: [workload/priviledged_container]}\n"
    (folder / ".auditor.yaml").write_text(text, "utf-8")
    config = folder / ".auditor.yaml"
    words = ("--tls-cert", pair.certificate, "--tls-key", pair.key, "--config", config)
    said = auditor("webhook", "serve", *words)
    assert said.code == 2
    assert ".auditor.yaml:3: admission.rules.0.policies: no policy fits" in said.err
    assert "did you mean 'workload/privileged_container'?" in said.err
