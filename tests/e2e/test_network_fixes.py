"""Fixes that policies of a mesh carry, and what else of its kind an audit reads of a live cluster.

The objects are judged by the API server with the schemas and rules that their authors publish.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .cluster import RefusedError, TestCluster
from .crds import definitions
from .product import (
    CLUSTERS,
    EXPOSED,
    OVERREACH,
    PEAPODS,
    ROOT,
    audit,
    audit_live,
    auditor,
    name_of,
)

pytestmark = pytest.mark.e2e

MESH = CLUSTERS / "peapods-mesh"
GUARD, OF_THE_MESH = "NetworkPolicy", ("AuthorizationPolicy", "PeerAuthentication")
MODULES = ("istio.io/api", "sigs.k8s.io/gateway-api", "sigs.k8s.io/network-policy-api")
PROXY = {
    "name": "istio-proxy",
    "image": "docker.io/istio/proxyv2:1.31.4",
    "restartPolicy": "Always",
}


def _documents(*files: Path) -> Iterator[dict[str, Any]]:
    for file in files:
        yield from yaml.safe_load_all(file.read_text("utf-8"))


def _delete(cluster: TestCluster, made: list[dict[str, Any]]) -> None:
    for each in made:
        name = (each["kind"].lower(), each["metadata"]["name"])
        cluster.kubectl("delete", *name, "-n", "customers", check=True)


def _injected(folder: Path) -> Iterator[dict[str, Any]]:
    """What a folder holds, each pod with the sidecar that Istio's webhook would add: no Istio runs
    in a test cluster, only the API server that stores its objects.
    """
    for each in _documents(*sorted(folder.glob("*.yaml"))):
        if each["kind"] == "Deployment":
            each["spec"]["template"]["spec"]["initContainers"] = [PROXY]
        yield each


@pytest.fixture(scope="module")
def meshed(cluster: TestCluster) -> TestCluster:
    """The example company's customers in a mesh, whose kinds the API server knows."""
    cluster.apply(*(each for module in MODULES for each in definitions(module)))
    cluster.apply(PEAPODS / "nodes.yaml", *_injected(MESH))
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    return cluster


@pytest.fixture(scope="module")
def reader(meshed: TestCluster) -> Path:
    """The credentials of somebody who may do exactly what deploy/rbac.yaml grants."""
    documents = _documents(ROOT / "deploy" / "rbac.yaml")
    (role,) = [each for each in documents if each["kind"] == "ClusterRole"]
    return meshed.kubeconfig_for("reader", role["rules"])


def test_a_monitor_is_kept_to_the_health_api_by_the_mesh(
    meshed: TestCluster, reader: Path, tmp_path: Path
) -> None:
    """The API server takes both objects that the command writes; live the finding is gone, and
    nothing else has come.
    """
    checkout = Path(shutil.copytree(MESH, tmp_path / "mesh"))
    (finding,) = [f for f in audit(checkout).findings if f["policy"] == OVERREACH]
    assert finding["fix"]["proven"], finding["fix"]
    before = audit_live(reader)
    assert finding["fingerprint"] in before.verdicts
    done = auditor("fix", checkout, "--select", OVERREACH, "--write")
    assert done.code == 0, done.err
    known = list(_documents(MESH / "customers.yaml"))
    made = [each for each in _documents(checkout / "customers.yaml") if each not in known]
    assert sorted(each["kind"] for each in made) == list(OF_THE_MESH)
    meshed.apply(*made)
    after = audit_live(reader)
    assert finding["fingerprint"] not in after.verdicts
    assert set(after.verdicts) <= set(before.verdicts)
    assert after.report["gaps"] == before.report["gaps"] == []
    _delete(meshed, made)


def test_personal_data_is_isolated_and_its_monitor_kept_to_health_at_once(
    meshed: TestCluster, reader: Path, tmp_path: Path
) -> None:
    """Where nothing isolates the service yet: one NetworkPolicy and two policies of the mesh, taken
    by the API server; live nobody but its client reaches the data, and the monitor reads health.
    """
    checkout = Path(shutil.copytree(MESH, tmp_path / "open"))
    known = [each for each in _documents(MESH / "customers.yaml") if each["kind"] != GUARD]
    (checkout / "customers.yaml").write_text(yaml.safe_dump_all(known, sort_keys=False), "utf-8")
    meshed.kubectl("delete", "networkpolicy", "customers", "-n", "customers", check=True)
    (finding,) = [f for f in audit(checkout).findings if f["policy"] == EXPOSED]
    assert finding["fix"]["proven"], finding["fix"]
    assert finding["fix"]["safety"] == "safe"
    before = audit_live(reader)
    assert finding["fingerprint"] in before.verdicts
    done = auditor("fix", checkout, "--select", EXPOSED, "--write")
    assert done.code == 0, done.err
    made = [each for each in _documents(checkout / "customers.yaml") if each not in known]
    assert sorted(each["kind"] for each in made) == sorted((GUARD, *OF_THE_MESH))
    meshed.apply(*made)
    after = audit_live(reader)
    assert {policy for policy, _, _ in after.verdicts.values()}.isdisjoint((EXPOSED, OVERREACH))
    assert after.report["gaps"] == before.report["gaps"] == []
    _delete(meshed, made)
    meshed.apply(*(each for each in _documents(MESH / "customers.yaml") if each["kind"] == GUARD))


ADMIN = {
    "apiVersion": "policy.networking.k8s.io/v1alpha2",
    "kind": "ClusterNetworkPolicy",
    "metadata": {"name": "monitors-see-health-alone"},
    "spec": {
        "tier": "Admin",
        "priority": 10,
        "subject": {
            "namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "customers"}},
        },
        "ingress": [
            {
                "name": "no-monitors",
                "action": "Deny",
                "from": [
                    {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
                ],
            }
        ],
    },
}
ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "customers", "namespace": "customers"},
    "spec": {
        "parentRefs": [{"name": "front"}],
        "rules": [{"backendRefs": [{"name": "nobody", "port": 8080}]}],
    },
}


def test_the_role_that_we_deploy_reads_every_kind_of_policy(
    meshed: TestCluster, reader: Path
) -> None:
    """No list is refused, and what stands in the objects is known: a cluster-wide policy that keeps
    the monitor out ends what it could see.
    """
    meshed.apply(ROUTE)
    before = audit_live(reader, "--no-fixes")
    assert before.report["gaps"] == []
    assert OVERREACH in {policy for policy, _, _ in before.verdicts.values()}
    named = {name_of(finding["object"]) for finding in before.findings}
    assert "customers/customers[HTTPRoute]" in named
    meshed.apply(ADMIN)
    after = audit_live(reader, "--no-fixes")
    meshed.kubectl("delete", "clusternetworkpolicy", "monitors-see-health-alone", check=True)
    assert after.report["gaps"] == []
    assert OVERREACH not in {policy for policy, _, _ in after.verdicts.values()}


def test_a_policy_of_the_mesh_that_is_none_is_refused(meshed: TestCluster) -> None:
    """The server does ask the rules that Istio publishes, or to take ours would mean nothing."""
    wrong = {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "wrong", "namespace": "customers"},
        "spec": {"action": "FORBID", "rules": [{}]},
    }
    with pytest.raises(RefusedError, match="FORBID"):
        meshed.apply(wrong)
