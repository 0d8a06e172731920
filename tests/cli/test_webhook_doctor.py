"""`auditor webhook doctor` on manifests: each danger beside the same configuration without it."""

from __future__ import annotations

import copy
import json
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from auditor.sources.cluster import Connection
from auditor.webhook.authority import new_authority
from auditor.webhook.registered import LiveRegistration

from .command import Command

Manifest = dict[str, Any]
Change = Callable[[Manifest], None]
NAME = "kubernetes.io/metadata.name"


def exempting(*namespaces: str) -> Manifest:
    return {"matchExpressions": [{"key": NAME, "operator": "NotIn", "values": list(namespaces)}]}


def hook(**more: Any) -> Manifest:
    """A webhook with which nothing is wrong."""
    bundle = b64encode(new_authority().certificate).decode()
    service = {"namespace": "guard", "name": "w", "port": 443}
    rule = {
        "apiGroups": [""],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["pods", "pods/ephemeralcontainers"],
    }
    return {
        "name": "w.example.org",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "matchPolicy": "Equivalent",
        "timeoutSeconds": 5,
        "failurePolicy": "Fail",
        "clientConfig": {"service": service, "caBundle": bundle},
        "namespaceSelector": exempting("kube-system", "guard"),
        "rules": [rule],
        **more,
    }


def configuration(*hooks: Manifest, kind: str = "Validating", **metadata: Any) -> Manifest:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": "c", **metadata},
        "webhooks": list(hooks),
    }


def found(auditor: Command, folder: Path, *manifests: Manifest) -> set[tuple[str, str]]:
    """Check and severity of each danger."""
    (folder / "all.yaml").write_text(yaml.safe_dump_all(manifests), "utf-8")
    said = auditor("webhook", "doctor", folder, "--format", "json", "--fail-on", "never")
    assert said.code == 0, said.err
    return {(each["check"], each["severity"]) for each in said.report["dangers"]}


def test_nothing_is_said_of_one_that_is_right(auditor: Command, folder: Path) -> None:
    """Neither as a validating nor as a mutating webhook."""
    assert found(auditor, folder, configuration(hook())) == set()
    assert found(auditor, folder, configuration(hook(), kind="Mutating")) == set()


def test_nothing_is_said_of_our_own(auditor: Command, folder: Path) -> None:
    """As it is installed, with Fail as with Ignore."""
    for policy in ("Ignore", "Fail"):
        words = ("--image", "r.example/a@sha256:" + "a" * 64, "--failure-policy", policy)
        said = auditor("webhook", "install", *words)
        (folder / "all.yaml").write_text(said.out, "utf-8")
        doctor = auditor("webhook", "doctor", folder, "--fail-on", "info")
        assert doctor.code == 0, doctor.out
        assert doctor.out == "no dangers in 1 webhook of 1 configuration\n"


def rule(**changes: Any) -> Change:
    return lambda webhook: webhook["rules"][0].update(changes)


def field(**changes: Any) -> Change:
    return lambda webhook: webhook.update(changes)


def _expired(webhook: Manifest) -> None:
    past = datetime(2020, 1, 1, tzinfo=UTC)
    issued = trustme.CA().issue_cert("w", not_before=past - timedelta(days=1), not_after=past)
    bundle = issued.cert_chain_pems[0].bytes()
    webhook["clientConfig"]["caBundle"] = b64encode(bundle).decode()


def _ending(webhook: Manifest) -> None:
    webhook["clientConfig"]["caBundle"] = b64encode(new_authority(days=5).certificate).decode()


def _nonsense(webhook: Manifest) -> None:
    webhook["clientConfig"]["caBundle"] = "AAAA"


LEASES = rule(apiGroups=["*"], resources=["leases", "pods", "pods/*"])


def _slow_leases(webhook: Manifest) -> None:
    LEASES(webhook)
    webhook.update(timeoutSeconds=10, failurePolicy="Ignore", namespaceSelector=exempting("guard"))


@pytest.mark.parametrize(
    ("change", "danger"),
    [
        (rule(apiGroups=["*"], resources=["*/*"]), ("every-resource", "high")),
        (rule(apiGroups=["*"], resources=["*"]), ("every-resource", "high")),
        (field(namespaceSelector=exempting("guard")), ("system-not-exempt", "high")),
        (field(namespaceSelector=None), ("system-not-exempt", "high")),
        (rule(resources=["nodes"]), ("nodes-wait", "high")),
        (field(namespaceSelector=exempting("kube-system")), ("asks-about-itself", "high")),
        (
            field(namespaceSelector=exempting("kube-system"), failurePolicy="Ignore"),
            ("asks-about-itself", "low"),
        ),
        (_slow_leases, ("leases-wait", "high")),
        (field(timeoutSeconds=30), ("waits-long", "low")),
        (_expired, ("ca-bundle", "high")),
        (_ending, ("ca-bundle", "medium")),
        (_nonsense, ("ca-bundle", "high")),
        (rule(resources=["pods"]), ("debuggers-unasked", "medium")),
        (field(matchPolicy="Exact"), ("exact-versions", "medium")),
        (field(sideEffects="Some"), ("side-effects", "medium")),
        (field(sideEffects=["None"]), ("side-effects", "medium")),
    ],
)
def test_each_danger_is_found(
    auditor: Command, folder: Path, change: Change, danger: tuple[str, str]
) -> None:
    """In a configuration that is right but for one change."""
    webhook = hook()
    change(webhook)
    assert danger in found(auditor, folder, configuration(webhook))


@pytest.mark.parametrize(
    ("expression", "resources"),
    [
        ("request.namespace != 'kube-system'", ["pods", "pods/*"]),
        ("!('system:nodes' in request.userInfo.groups)", ["nodes"]),
    ],
)
def test_a_condition_exempts_as_well(
    auditor: Command, folder: Path, expression: str, resources: list[str]
) -> None:
    """What selectors cannot except, matchConditions can."""
    webhook = hook(matchConditions=[{"name": "c", "expression": expression}])
    webhook["rules"][0]["resources"] = resources
    if "namespace" in expression:
        webhook["namespaceSelector"] = exempting("guard")
    assert found(auditor, folder, configuration(webhook)) == set()


def test_labels_that_are_not_known_are_no_danger(auditor: Command, folder: Path) -> None:
    """A selector by another label decides by the namespace, where that is written."""
    other = {"matchExpressions": [{"key": "managed", "operator": "DoesNotExist"}]}
    webhook = hook(namespaceSelector=other)
    assert found(auditor, folder, configuration(webhook)) == set()
    system = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system"}}
    assert found(auditor, folder, configuration(webhook), system) == {("system-not-exempt", "high")}
    system["metadata"]["labels"] = {"managed": "yes"}  # type: ignore[index]
    assert found(auditor, folder, configuration(webhook), system) == set()


def test_a_port_that_the_service_does_not_have(auditor: Command, folder: Path) -> None:
    """Where the Service is written beside it."""
    service: Manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "w", "namespace": "guard"},
        "spec": {"ports": [{"port": 443}]},
    }
    assert found(auditor, folder, configuration(hook()), service) == set()
    service["spec"]["ports"][0]["port"] = 8443
    assert found(auditor, folder, configuration(hook()), service) == {("left-over", "high")}


def test_a_mutating_webhook_does_not_see_what_comes_after_it(
    auditor: Command, folder: Path
) -> None:
    """Unless it is asked again."""
    first, second = hook(name="a.example.org"), hook(name="b.example.org")
    both = configuration(first, second, kind="Mutating")
    assert found(auditor, folder, both) == {("not-asked-again", "low")}
    first["reinvocationPolicy"] = "IfNeeded"
    assert found(auditor, folder, both) == set()


def test_a_glass_that_nobody_mended_is_told(auditor: Command, folder: Path) -> None:
    """While it holds, and worse afterwards, since failurePolicy stays Ignore."""

    def until(moment: datetime) -> Manifest:
        notes = {"until": moment.isoformat(), "reason": "drill", "since": moment.isoformat()}
        notes["failure-policies"] = json.dumps({"w.example.org": "Fail"})
        notes = {f"break-glass.auditor.local/{key}": value for key, value in notes.items()}
        return configuration(hook(), annotations=notes)

    now = datetime.now(UTC)
    assert found(auditor, folder, until(now + timedelta(hours=1))) == {("break-glass", "medium")}
    assert found(auditor, folder, until(now - timedelta(hours=1))) == {("break-glass", "high")}
    said = auditor("webhook", "doctor", folder)
    assert "its failurePolicy stays Ignore, and Fail comes back by --end alone" in said.out


def test_the_exit_code_says_what_was_found(auditor: Command, folder: Path) -> None:
    """As that of an audit: 0, 1, 2, 3 and 4."""
    file = folder / "w.yaml"
    file.write_text(yaml.safe_dump(configuration(hook(matchPolicy="Exact"))), "utf-8")
    said = auditor("webhook", "doctor", folder)
    assert said.code == 0
    assert "has matchPolicy Exact" in said.out
    assert auditor("webhook", "doctor", folder, "--fail-on", "medium").code == 1
    assert auditor("webhook", "doctor", folder / "none").code == 2
    (folder / "broken.yaml").write_text("kind: [", "utf-8")
    assert auditor("webhook", "doctor", folder).code == 4
    file.unlink()
    (folder / "broken.yaml").write_text("kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\n")
    assert auditor("webhook", "doctor", folder).code == 3


@pytest.mark.parametrize(
    "webhooks",
    [
        "x",
        [None],
        [{}],
        [{"clientConfig": [], "rules": {}, "namespaceSelector": "x"}],
        [{"rules": [None, {"resources": "pods", "apiGroups": {"a": 1}}], "timeoutSeconds": "x"}],
        [{"clientConfig": {"service": "x", "caBundle": 7}, "matchConditions": [3]}],
        [{"clientConfig": {"url": "https://[::1"}, "name": "\u202eevil"}],
    ],
)
def test_what_is_misshapen_is_no_traceback(auditor: Command, folder: Path, webhooks: Any) -> None:
    """Whatever somebody wrote there."""
    made = copy.deepcopy(configuration())
    made["webhooks"] = webhooks
    (folder / "w.yaml").write_text(yaml.safe_dump(made), "utf-8")
    said = auditor("webhook", "doctor", folder)
    assert said.code in {0, 1, 3, 4}
    assert "\u202e" not in said.out


@contextmanager
def cluster(folder: Path, known: dict[str, Any]) -> Iterator[Path]:
    """A kubeconfig of a server that gives what is known by its path, and forbids the rest."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = known.get(self.path.partition("?")[0].rpartition("/")[2])
            body = json.dumps(found or {"kind": "Status", "message": "not for you"}).encode()
            self.send_response(200 if found else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = {"server": f"http://127.0.0.1:{server.server_port}"}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": address}], "users": [{"name": "c", "user": {}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }  # fmt: skip
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config), "utf-8")
    try:
        yield file
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _around(made: Manifest, *, ready: list[bool]) -> dict[str, Any]:
    """A cluster with one webhook, its Service, and endpoints that are ready or not."""
    where = {"namespace": "guard", "name": "w"}
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": each}} for each in ready]
    labels = {"kubernetes.io/service-name": "w"}
    return {
        "version": {"major": "1", "minor": "36"},
        "validatingwebhookconfigurations": {"items": [made]},
        "mutatingwebhookconfigurations": {"items": [], "metadata": {}},
        "namespaces": {"items": [], "metadata": {}},
        "services": {"items": [{"metadata": where, "spec": {"ports": [{"port": 443}]}}]},
        "endpointslices": {"items": [{"metadata": {**where, "labels": labels},
                                      "endpoints": endpoints}]},
    }  # fmt: skip


def _ago(**age: float) -> dict[str, str]:
    return {"creationTimestamp": (datetime.now(UTC) - timedelta(**age)).isoformat()}


@pytest.mark.parametrize(
    ("policy", "severity", "code"), [("Ignore", "low", 0), ("Fail", "high", 1)]
)
def test_what_was_just_installed_is_waited_for(
    auditor: Command, tmp_path: Path, policy: str, severity: str, code: int
) -> None:
    """Nobody is told to delete what is about to start."""
    young = configuration(hook(failurePolicy=policy), **_ago(minutes=2))
    with cluster(tmp_path, _around(young, ready=[])) as kubeconfig:
        said = auditor("webhook", "doctor", "--kubeconfig", kubeconfig)
    assert said.code == code
    assert said.out.startswith(f"{severity} ")
    assert "nothing is ready yet: it is 2 min old" in said.out
    assert "wait until its pods are ready; kubectl get pods -n guard" in said.out
    assert "delete" not in said.out


def test_pods_that_are_there_and_not_ready_are_looked_into(
    auditor: Command, tmp_path: Path
) -> None:
    """Their owner is not gone; only where there is none at all may it be."""
    old = configuration(hook(), **_ago(hours=2))
    with cluster(tmp_path, _around(old, ready=[False, False])) as kubeconfig:
        said = auditor("webhook", "doctor", "--kubeconfig", kubeconfig)
    assert (said.code, "none of 2 is ready" in said.out) == (1, True)
    assert "delete" not in said.out
    with cluster(tmp_path, _around(old, ready=[])) as kubeconfig:
        said = auditor("webhook", "doctor", "--kubeconfig", kubeconfig)
    assert "delete the configuration if its owner is gone" in said.out
    with cluster(tmp_path, _around(old, ready=[True, False])) as kubeconfig:
        assert auditor("webhook", "doctor", "--kubeconfig", kubeconfig).code == 0


def test_who_serves_reminds_of_a_glass_that_nobody_mended(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The webhook may not restore what failurePolicy was; it says so, and not every ten seconds."""
    notes = {"until": "2026-01-01T00:00:00Z", "since": "2025-12-31T23:00:00Z", "reason": "drill"}
    made = configuration(hook(), annotations={
        f"break-glass.auditor.local/{key}": value for key, value in notes.items()
    })  # fmt: skip
    with cluster(tmp_path, _around(made, ready=[True])) as kubeconfig:
        registration = LiveRegistration(Connection(str(kubeconfig)), "c")
        for _ in range(3):
            registration()
    assert registration.glass() is None
    unmended = registration.unmended()
    assert unmended is not None
    assert unmended.reason == "drill"
    [told] = [each for each in caplog.records if "was not ended" in each.message]
    assert (told.levelname, "break-glass --end" in told.message) == ("ERROR", True)


def test_what_may_not_be_listed_is_told_and_no_pass(auditor: Command, tmp_path: Path) -> None:
    """A Service that nobody let us see is not called missing."""
    version = {"major": "1", "minor": "36"}
    lists: dict[str, Any] = {
        "version": version,
        "validatingwebhookconfigurations": {"items": [configuration(hook())]},
        "mutatingwebhookconfigurations": {"items": [], "metadata": {}},
        "namespaces": {"items": [], "metadata": {}},
        "endpointslices": {"items": [], "metadata": {}},
    }
    with cluster(tmp_path, lists) as kubeconfig:
        said = auditor("webhook", "doctor", "--kubeconfig", kubeconfig)
        assert said.code == 4
        assert "not seen: list of services: forbidden: not for you" in said.out
        assert "missing" not in said.out
        lists["services"] = {"items": [], "metadata": {}}
        said = auditor("webhook", "doctor", "--kubeconfig", kubeconfig)
    assert said.code == 1
    assert "calls Service guard/w, which is missing" in said.out
