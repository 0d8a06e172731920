"""Each fix, written by the command and applied to a real cluster, does what its proof said."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .cluster import TestCluster
from .product import AS_SPECIFIED, ASKED, FAR, PEAPODS, POLICIES, audit, audit_live, auditor

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def peapods(cluster: TestCluster) -> TestCluster:
    """The example company, running with its faults."""
    cluster.apply(PEAPODS)
    cluster.wait_until_nodes_ready()
    cluster.wait_until_bound()
    return cluster


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the company's manifests that may be written to."""
    return Path(shutil.copytree(PEAPODS, tmp_path / "peapods"))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_fix_is_accepted_and_resolves_its_finding(
    peapods: TestCluster, checkout: Path, policy: str
) -> None:
    """The API server takes it, the live audit no longer finds the fault, every pod has a node."""
    before = audit_live(peapods.kubeconfig).verdicts
    (finding,) = [f for f in audit(checkout).findings if f["policy"] == policy]
    assert finding["fix"]["proven"], finding["fix"]
    old = {file.name: file.read_bytes() for file in checkout.iterdir() if file.is_file()}
    done = auditor("fix", checkout, "--select", policy, "--write", "--unsafe")
    assert done.code == 0, done.err
    changed = [f for f in checkout.iterdir() if f.is_file() and f.read_bytes() != old[f.name]]
    assert changed
    peapods.apply(*changed)
    peapods.wait_until_bound()
    after = audit_live(peapods.kubeconfig).verdicts
    assert finding["fingerprint"] in before
    assert finding["fingerprint"] not in after
    assert set(after) <= set(before)


def test_the_service_drawn_near_runs_beside_its_database(
    peapods: TestCluster, checkout: Path
) -> None:
    """The real scheduler follows the preference that the simulated one followed."""
    (finding,) = [f for f in audit(checkout).findings if f["policy"] == FAR]
    promised = finding["fix"]["proof"]["scheduled"]
    assert promised
    assert all("rack2-" in line for line in promised), promised
    done = auditor("fix", checkout, "--select", FAR, "--write")
    assert done.code == 0, done.err
    peapods.apply(checkout / "orders.yaml")
    peapods.wait_until_bound("shop")
    pods = [
        p for p in peapods.objects("pods", "shop") if p["metadata"]["labels"]["app"] == "orders"
    ]
    nodes = {pod["spec"]["nodeName"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}
    assert nodes
    assert all(node.startswith("rack2-") for node in nodes), nodes


def test_the_commands_for_the_live_cluster_mend_it(peapods: TestCluster, tmp_path: Path) -> None:
    """Nothing is applied unasked; the API server agrees beforehand; run as they are, they help."""
    peapods.apply(PEAPODS)
    peapods.wait_until_bound()
    before = audit_live(peapods.kubeconfig).verdicts
    asked = ("--cluster", "--kubeconfig", peapods.kubeconfig, "--unsafe", "--server-dry-run")
    shown = auditor("fix", *asked, *AS_SPECIFIED, *ASKED)
    assert audit_live(peapods.kubeconfig).verdicts == before
    assert shown.out.count("# the API server agrees") == shown.out.count("kubectl ") >= len(before)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(tmp_path)}
    subprocess.run(["bash", "-e"], input=shown.out, text=True, check=True, env=environment)
    peapods.wait_until_bound()
    assert audit_live(peapods.kubeconfig).verdicts == {}
