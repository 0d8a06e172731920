"""The API server asks the webhook: faults do not get in, in the words that the audit would use."""

import copy
import json
import os
import re
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from .cluster import NoClusterError, RefusedError, TestCluster
from .product import (
    AS_SPECIFIED,
    ASKED,
    EXPOSED,
    FAR,
    FIXED,
    OVERREACH,
    PEAPODS,
    POLICIES,
    PRIVILEGED,
    audit,
    auditor,
    name_of,
    program,
)

pytestmark = pytest.mark.e2e

Manifest = dict[str, Any]


def objects(folder: Path) -> dict[tuple[str, str], Manifest]:
    """Every object of a folder by kind and name."""
    found = [
        each
        for file in sorted(folder.glob("*.yaml"))
        for each in yaml.safe_load_all(file.read_text("utf-8"))
    ]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


FAULTY, RIGHT = objects(PEAPODS), objects(FIXED)


@dataclass(frozen=True, slots=True)
class Fault:
    """An object that brings a fault into the company put right."""

    create: tuple[str, str]
    """Its kind and name, as it is in the faulty company."""
    gone: tuple[tuple[str, str], ...] = ()
    """What is taken away before, beside the object itself."""
    instead: tuple[tuple[str, str], ...] = field(default=())
    """What is put in place before, as it is in the faulty company."""


FAULTS = {
    PRIVILEGED: Fault(("CronJob", "nightly-report")),
    EXPOSED: Fault(("Deployment", "customers"), gone=(("NetworkPolicy", "customers-clients"),)),
    OVERREACH: Fault(("Deployment", "prometheus"), instead=(("NetworkPolicy", "diets"),)),
    FAR: Fault(("Deployment", "orders")),
}


def expected(policy: str, fault: Fault, folder: Path) -> str:
    """What the audit by that policy says of the manifests of that state, as a denial's line."""
    state = {key: each for key, each in RIGHT.items() if key not in fault.gone}
    for key in (fault.create, *fault.instead):
        state[key] = FAULTY[key]
    (folder / "state.yaml").write_text(yaml.safe_dump_all(state.values()), "utf-8")
    found = audit(folder, "--fail-on", "never").findings
    (finding,) = (each for each in found if each["policy"] == policy)
    return f"{policy} {name_of(finding['object'])}: {finding['message']}"


DENYING = ("--mode", "deny", "--fail-on", "medium", *ASKED, *AS_SPECIFIED)
"""The four policies, told to deny."""


@contextmanager
def serving(
    cluster: TestCluster, folder: Path, *flags: str, told: tuple[str, ...] = DENYING
) -> Iterator[int]:
    """The command serving on a free port, told so and by these flags, until it has seen the
    cluster.
    """
    host = cluster.callback_host
    if host is None:
        raise NoClusterError("nobody told under which address the API server reaches this machine")
    authority = trustme.CA()
    issued = authority.issue_cert(host)
    (folder / "ca.crt").write_bytes(authority.cert_pem.bytes())
    chain = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
    (folder / "tls.crt").write_bytes(chain)
    (folder / "tls.key").write_bytes(issued.private_key_pem.bytes())
    words = ["--host", host, "--port", "0", *told, *flags]
    pair = ["--tls-cert", str(folder / "tls.crt"), "--tls-key", str(folder / "tls.key")]
    log = folder / "webhook.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [program(), "webhook", "serve", "--kubeconfig", str(cluster.kubeconfig), *words, *pair],
            stderr=file,
            stdout=file,
            env={key: value for key, value in os.environ.items() if key != "KUBECONFIG"},
        )
    try:
        port = _port(cluster, log)
        context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
        cluster.wait_until("the webhook is ready", lambda: _unready(host, port, context))
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0, log.read_text("utf-8")
    assert "Traceback" not in log.read_text("utf-8")


def _port(cluster: TestCluster, log: Path) -> int:
    def why_not() -> str:
        return "" if "serving on port" in log.read_text("utf-8") else log.read_text("utf-8") or "-"

    cluster.wait_until("the webhook listens", why_not)
    found = re.search(r"serving on port (\d+)", log.read_text("utf-8"))
    assert found is not None
    return int(found[1])


def _unready(host: str, port: int, context: ssl.SSLContext) -> str:
    try:
        with urllib.request.urlopen(f"https://{host}:{port}/readyz", context=context) as answer:
            return "" if answer.status == 200 else str(answer.status)
    except (urllib.error.URLError, OSError) as error:
        return str(error)


@pytest.fixture(scope="module")
def guarded(
    cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestCluster]:
    """The company put right, let in object by object by the webhook that now guards it."""
    folder = tmp_path_factory.mktemp("webhook")
    with serving(cluster, folder) as port:
        url = f"https://{cluster.callback_host}:{port}"
        said = auditor("webhook", "registration", "--url", url, "--ca", folder / "ca.crt",
                       "--failure-policy", "Fail")  # fmt: skip
        assert said.code == 0, said.err
        cluster.kubectl("apply", "-f", "-", input=said.out, check=True)
        cluster.wait_until("the webhook is asked", lambda: _unasked(cluster))
        try:
            cluster.apply(FIXED)
            cluster.wait_until_nodes_ready()
            cluster.wait_until_bound()
            yield cluster
        finally:
            cluster.kubectl("delete", "validatingwebhookconfiguration", "auditor", check=True)


PROBE: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "probe", "namespace": "default"},
    "spec": {
        "containers": [
            {"name": "probe", "image": "probe:1", "securityContext": {"privileged": True}}
        ]
    },
}


def _unasked(cluster: TestCluster) -> str:
    """Why we think that the API server does not ask yet: it takes a second to hear of it."""
    try:
        cluster.kubectl("create", "-f", "-", "--dry-run=server", input=_text(PROBE), check=True)
    except RefusedError as refused:
        return "" if "denied the request" in str(refused) else str(refused)
    return "a privileged pod was let in"


def _text(*manifests: Manifest) -> str:
    return yaml.safe_dump_all(manifests)


def _delete(cluster: TestCluster, manifest: Manifest) -> None:
    name, namespace = manifest["metadata"]["name"], manifest["metadata"]["namespace"]
    cluster.kubectl(
        "delete",
        manifest["kind"],
        name,
        "-n",
        namespace,
        "--cascade=foreground",
        "--wait",
        check=True,
    )


@contextmanager
def brought(cluster: TestCluster, fault: Fault) -> Iterator[None]:
    """Everything in place for the fault but the object that brings it; put right afterwards."""
    _delete(cluster, RIGHT[fault.create])
    for key in fault.gone:
        _delete(cluster, RIGHT[key])
    if fault.instead:
        changed = _text(*(FAULTY[key] for key in fault.instead))
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=changed,
                        check=True)  # fmt: skip
    try:
        yield
    finally:
        for key in (*fault.gone, *fault.instead, fault.create):
            cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-",
                            input=_text(RIGHT[key]), check=True)  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES)
def test_a_fault_does_not_get_in(guarded: TestCluster, tmp_path: Path, policy: str) -> None:
    """Creating it is denied in the words of the audit; the same object put right is let in."""
    fault = FAULTS[policy]
    line = expected(policy, fault, tmp_path)
    with brought(guarded, fault), pytest.raises(RefusedError) as refused:
        guarded.kubectl("create", "-f", "-", input=_text(FAULTY[fault.create]), check=True)
    assert 'admission webhook "validate.auditor.local" denied the request' in str(refused.value)
    assert line in str(refused.value)


def _open_to_all(policy: Manifest) -> None:
    policy["spec"]["ingress"][0].pop("from")


def _select_nobody(policy: Manifest) -> None:
    policy["spec"]["podSelector"] = {"matchLabels": {"app": "nobody"}}


@pytest.mark.parametrize("edit", [_open_to_all, _select_nobody])
def test_an_edit_that_opens_personal_data_is_denied(
    guarded: TestCluster, edit: Callable[[Manifest], None]
) -> None:
    """The fault is on the service, far from the object that is edited."""
    policy = copy.deepcopy(RIGHT["NetworkPolicy", "customers-clients"])
    edit(policy)
    with pytest.raises(RefusedError, match=f"{EXPOSED} customers/customers"):
        guarded.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-",
                        input=_text(policy), check=True)  # fmt: skip


def test_taking_the_guard_away_is_denied(guarded: TestCluster) -> None:
    """Deleting a NetworkPolicy opens as much as editing it."""
    with pytest.raises(RefusedError, match=f"{EXPOSED} customers/customers"):
        _delete(guarded, RIGHT["NetworkPolicy", "customers-clients"])


def test_an_edit_that_opens_nothing_passes(guarded: TestCluster) -> None:
    """Labels, scale and a rule for a declared client are nobody's business here."""
    policy = RIGHT["NetworkPolicy", "customers-clients"]["metadata"]
    where = ("-n", policy["namespace"])
    guarded.kubectl("label", "networkpolicy", policy["name"], *where, "seen=yes", check=True)
    guarded.kubectl("scale", "deployment", "cart", "-n", "shop", "--replicas=3", check=True)
    guarded.wait_until_bound("shop")


def test_a_privileged_debugger_does_not_get_into_a_running_pod(guarded: TestCluster) -> None:
    """Ephemeral containers come by a subresource of their own."""
    pod = next(
        each
        for each in guarded.objects("pods", "shop")
        if each["metadata"]["labels"].get("app") == "cart"
    )
    pod["spec"]["ephemeralContainers"] = [
        {"name": "debugger", "image": "shell:1", "securityContext": {"privileged": True}}
    ]
    name = pod["metadata"]["name"]
    path = f"/api/v1/namespaces/shop/pods/{name}/ephemeralcontainers"
    with pytest.raises(RefusedError, match="container 'debugger' runs privileged"):
        guarded.kubectl("replace", "--raw", path, "-f", "-", input=json.dumps(pod), check=True)


def test_what_was_there_before_can_still_be_operated(guarded: TestCluster) -> None:
    """Namespaces end, nodes are cordoned, finalizers are removed: no fault is added by that."""
    guarded.kubectl("cordon", "rack1-node1", check=True)
    guarded.kubectl("uncordon", "rack1-node1", check=True)
    guarded.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "passing"}})
    guarded.kubectl("delete", "namespace", "passing", "--wait", check=True)
