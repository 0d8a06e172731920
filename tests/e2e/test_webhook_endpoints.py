"""By whichever endpoint of a real API server a fault comes: it is denied, warned of or let pass as
its namespace says; and what must go on, goes on.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import RefusedError, TestCluster
from .product import AS_SPECIFIED, EXPOSED, PRIVILEGED, auditor
from .test_webhook import serving

pytestmark = pytest.mark.e2e

Manifest = dict[str, Any]

MODES = {"denied": "deny", "warned": "warn", "audited": "audit"}
"""Namespace → what becomes of faults there."""
CONFIG = """
admission:
  failOn: medium
  rules:
    - {mode: deny, namespaces: [denied]}
    - {mode: warn, namespaces: [warned]}
workloads:
  - {group: example.com, kind: Runner, template: spec.template}
"""
SINGLE = """\
# METADATA
# title: One replica
# description: A rollout or a node that ends is an outage.
# custom:
#   severity: high
#   fix: manual
#   kinds: [Deployment]
package policies.test.single

deny contains finding if {
	input.object.spec.replicas == 1
	finding := {"path": ["spec", "replicas"], "message": "has one replica alone"}
}
"""
BESIDE, EARLY = "data/beside_node_owner", "network/selects_no_pod"
SELECTED = (PRIVILEGED, EXPOSED, BESIDE, EARLY, "test/single")


def pod(namespace: str, name: str, *, bad: bool = True, **metadata: Any) -> Manifest:
    """A pod, privileged where it is bad."""
    container = {"name": "app", "image": "app:1", "securityContext": {"privileged": bad}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"containers": [container], "schedulerName": "nobody"},
    }


def deployment(namespace: str, name: str, *, bad: bool, replicas: int = 2) -> Manifest:
    """A Deployment of such pods."""
    labels = {"app": name}
    spec = pod(namespace, name, bad=bad)["spec"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def custom(kind: str, namespace: str, name: str) -> Manifest:
    """An object of a custom kind with a template of privileged pods."""
    return {
        "apiVersion": "example.com/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"template": {"spec": pod(namespace, name)["spec"]}},
    }


def definition(kind: str) -> Manifest:
    """The CRD of such a kind."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"plural": plural, "kind": kind},
            "versions": [{**version, "schema": {"openAPIV3Schema": schema}}],
        },
    }


def guard(namespace: str, **selector: str) -> Manifest:
    """A NetworkPolicy that lets nobody in."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "guard", "namespace": namespace},
        "spec": {"podSelector": {"matchLabels": selector}, "policyTypes": ["Ingress"]},
    }


def node(name: str) -> Manifest:
    """A node that kwok keeps alive."""
    room = {"cpu": "8", "memory": "32Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"allocatable": room, "capacity": room},
    }


OLD = "old"
"""A Deployment of privileged pods that was there before the webhook."""


@pytest.fixture(scope="module")
def asked(cluster: TestCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestCluster]:
    """A cluster with a namespace of each mode and failurePolicy Fail, which had faults before."""
    folder = tmp_path_factory.mktemp("endpoints")
    before = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": n}} for n in MODES]
    before += [definition("Runner"), definition("Widget"), node("n1"), node("n2")]
    cluster.apply(*before)
    cluster.apply(*(deployment(namespace, OLD, bad=True) for namespace in MODES))
    with serving(cluster, folder, told=_told(folder)) as port:
        url = f"https://{cluster.callback_host}:{port}"
        said = auditor("webhook", "registration", "--url", url, "--ca", folder / "ca.crt",
                       "--failure-policy", "Fail", "--config", folder / "config.yaml")  # fmt: skip
        assert said.code == 0, said.err
        cluster.kubectl("apply", "-f", "-", input=said.out, check=True)
        cluster.wait_until("the webhook is asked", lambda: _unasked(cluster))
        try:
            yield cluster
        finally:
            cluster.kubectl("delete", "validatingwebhookconfiguration", "auditor", check=True)


def _told(folder: Path) -> tuple[str, ...]:
    config, policy = folder / "config.yaml", folder / "policies" / "test" / "single.rego"
    config.write_text(CONFIG, "utf-8")
    policy.parent.mkdir(parents=True)
    policy.write_text(SINGLE, "utf-8")
    selected = [word for each in SELECTED for word in ("--select", each)]
    folders = ("--config", str(config), "--policies", str(folder / "policies"))
    return (*folders, *selected, *AS_SPECIFIED)


def _unasked(cluster: TestCluster) -> str:
    answer = create(cluster, pod("denied", "probe"), "--dry-run=server")
    return "" if answer == "deny" else answer


def kubectl(cluster: TestCluster, *words: str, text: str | None = None) -> str:
    """What became of a call: deny, warn or audit, which nobody sees.

    Raises RefusedError where it failed in another way.
    """
    done = cluster.kubectl(*words, input=text)
    if done.returncode == 0:
        return "warn" if "Warning: " in done.stderr else "audit"
    if "denied the request" in done.stderr:
        return "deny"
    raise RefusedError(done.stderr)


def create(cluster: TestCluster, manifest: Manifest, *flags: str) -> str:
    """What becomes of the creation of an object."""
    return kubectl(cluster, "create", "-f", "-", *flags, text=yaml.safe_dump(manifest))


def raw(cluster: TestCluster, verb: str, path: str, body: Manifest) -> str:
    """What becomes of a call to an endpoint."""
    return kubectl(cluster, verb, "--raw", path, "-f", "-", text=json.dumps(body))


in_each_namespace = pytest.mark.parametrize(("namespace", "mode"), MODES.items())


@in_each_namespace
def test_create(asked: TestCluster, namespace: str, mode: str) -> None:
    """With a name, and with one that is still to be generated; what is sound passes in silence."""
    assert create(asked, pod(namespace, "made")) == mode
    generated = pod(namespace, "x")
    generated["metadata"] = {"generateName": "made-", "namespace": namespace}
    assert create(asked, generated) == mode
    assert create(asked, pod(namespace, "good", bad=False)) == "audit"


@in_each_namespace
def test_update(asked: TestCluster, namespace: str, mode: str) -> None:
    """By a replacement, a patch and an apply of fields; what is repaired passes."""
    manifest = deployment(namespace, "changed", bad=False)
    assert create(asked, manifest) == "audit"
    worse = deployment(namespace, "changed", bad=True)
    apply = ("apply", "--server-side", "--force-conflicts", "-f", "-", "--dry-run=server")
    assert kubectl(asked, *apply, text=yaml.safe_dump(worse)) == mode
    assert kubectl(asked, "replace", "-f", "-", text=yaml.safe_dump(worse)) == mode
    assert kubectl(asked, "replace", "-f", "-", text=yaml.safe_dump(manifest)) == "audit"


@in_each_namespace
def test_a_dry_run_leaves_no_trace(asked: TestCluster, namespace: str, mode: str) -> None:
    """What was only tried is no old fault the next time."""
    ghost = pod(namespace, "ghost")
    for flags in (("--dry-run=server",), ("--dry-run=server",), ()):
        assert create(asked, ghost, *flags) == mode


@in_each_namespace
def test_scale(asked: TestCluster, namespace: str, mode: str) -> None:
    """The parent is judged with so many replicas."""
    create(asked, deployment(namespace, "scaled", bad=False))
    scale = ("scale", "deployment", "scaled", "-n", namespace)
    assert kubectl(asked, *scale, "--replicas=3") == "audit"
    assert kubectl(asked, *scale, "--replicas=1") == mode


@in_each_namespace
def test_ephemeral_containers(asked: TestCluster, namespace: str, mode: str) -> None:
    """A debugger comes by an endpoint of its own."""
    create(asked, pod(namespace, "debugged", bad=False))
    manifest = asked.get("pod", namespace, "debugged")
    debugger = {"name": "debug", "image": "x:1", "securityContext": {"privileged": True}}
    manifest["spec"]["ephemeralContainers"] = [debugger]
    path = f"/api/v1/namespaces/{namespace}/pods/debugged/ephemeralcontainers"
    assert raw(asked, "replace", path, manifest) == mode


@in_each_namespace
def test_delete(asked: TestCluster, namespace: str, mode: str) -> None:
    """Of what guards personal data: by its name, and with all of its kind."""
    asked.kubectl("delete", "pod", "store", "-n", namespace, "--ignore-not-found", check=True)
    labels = {"app": "store", "auditor/data": "pii"}
    assert create(asked, guard(namespace, app="store")) == ("warn" if mode != "audit" else mode)
    assert create(asked, pod(namespace, "store", bad=False, labels=labels)) == "audit"
    path = f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
    try:
        assert kubectl(asked, "delete", "--raw", path) == mode
        if mode != "deny":
            create(asked, guard(namespace, app="store"))
        assert kubectl(asked, "delete", "networkpolicy", "guard", "-n", namespace) == mode
    finally:
        asked.kubectl("delete", "pod", "store", "-n", namespace, check=True)
        asked.kubectl("delete", "networkpolicy", "--all", "-n", namespace, check=True)


@in_each_namespace
def test_eviction_and_connections_pass(asked: TestCluster, namespace: str, mode: str) -> None:
    """Nobody is kept from draining a node, nor from looking into a pod."""
    create(asked, pod(namespace, "leaving", bad=False))
    exec_ = asked.kubectl("exec", "leaving", "-n", namespace, "--", "true")
    assert "denied the request" not in exec_.stderr, mode
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "leaving", "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/leaving/eviction"
    assert raw(asked, "create", path, eviction) == "audit"


@in_each_namespace
def test_custom_resources(asked: TestCluster, namespace: str, mode: str) -> None:
    """The kind whose pods the configuration knows is judged; of the other nobody knows."""
    assert create(asked, custom("Runner", namespace, "runner")) == mode
    assert create(asked, custom("Widget", namespace, "widget")) == "audit"


def test_a_binding_beside_personal_data(asked: TestCluster) -> None:
    """The node is what hurts, and the namespace that is hurt says what becomes of it."""
    labels = {"app": "kept", "auditor/data": "pii"}
    create(asked, guard("denied", app="kept"))
    data = pod("denied", "kept", bad=False, labels=labels)
    data["spec"]["nodeName"] = "n1"
    assert create(asked, data) == "audit"
    assert create(asked, pod("audited", "owner")) == "audit"
    path = "/api/v1/namespaces/audited/pods/owner/binding"
    answers = []
    for name in ("n1", "n2"):
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": "owner", "namespace": "audited"},
            "target": {"kind": "Node", "name": name},
        }
        answers.append(raw(asked, "create", path, binding))
    assert answers == ["deny", "audit"]


def test_controllers_go_on_and_nobody_passes_for_one(asked: TestCluster) -> None:
    """A pod of the old, faulty Deployment is replaced; one that only names its ReplicaSet is not
    let in.
    """
    (first, *_) = _pods_of(asked, OLD)
    name = first["metadata"]["name"]
    asked.kubectl("delete", "pod", name, "-n", "denied", "--wait", "--force", check=True)
    asked.wait_until("another pod is there", lambda: _missing(asked, name))
    forged = pod(
        "denied", "forged",
        labels=first["metadata"]["labels"],
        ownerReferences=first["metadata"]["ownerReferences"],
    )  # fmt: skip
    assert create(asked, forged) == "deny"


def _pods_of(cluster: TestCluster, app: str) -> Sequence[Manifest]:
    pods = cluster.objects("pods", "denied")
    return [each for each in pods if each["metadata"].get("labels", {}).get("app") == app]


def _missing(cluster: TestCluster, gone: str) -> str:
    names = {each["metadata"]["name"] for each in _pods_of(cluster, OLD)} - {gone}
    return "" if len(names) == 2 else f"there is {sorted(names)}"


def test_what_was_faulty_before_can_be_operated_and_ends(asked: TestCluster) -> None:
    """Labels, scale, finalizers, deletion; then the whole namespace."""
    where = ("deployment", OLD, "-n", "denied")
    assert kubectl(asked, "label", *where, "seen=yes") == "audit"
    assert kubectl(asked, "scale", *where, "--replicas=3") == "audit"
    hold = json.dumps({"metadata": {"finalizers": ["example.com/hold"]}})
    release = json.dumps({"metadata": {"finalizers": None}})
    assert kubectl(asked, "patch", *where, "--type=merge", "-p", hold) == "audit"
    assert kubectl(asked, "delete", *where, "--wait=false") == "audit"
    assert kubectl(asked, "patch", *where, "--type=merge", "-p", release) == "audit"
    asked.kubectl("delete", "namespace", "denied", "--wait", check=True)
    with pytest.raises(RefusedError, match="not found"):
        asked.get("namespace", None, "denied")
