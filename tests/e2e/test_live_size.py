"""A live audit of two thousand pods: every object is seen, in bounded memory."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.measured import measured

from .cluster import TestCluster
from .product import ROOT, program

pytestmark = pytest.mark.e2e

WORKLOADS, REPLICAS, NODES, NAMESPACES = 200, 10, 20, 20
MOST_MEGABYTES = 300
"""What the whole process may take at its peak."""


def _node(number: int) -> dict[str, Any]:
    size = {"cpu": "256", "memory": "1Ti", "pods": "250"}
    labels = {
        "kubernetes.io/hostname": f"n{number}",
        "topology.kubernetes.io/zone": f"z{number % 3}",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": f"n{number}",
            "labels": {"type": "kwok", **labels},
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"capacity": size, "allocatable": size},
    }


def _application(number: int) -> list[dict[str, Any]]:
    """A Deployment as people write it, with its Service, ConfigMap and account; every fifth runs a
    privileged container.
    """
    name, place = f"app{number}", f"team{number % NAMESPACES}"
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": place}
    probe = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10}
    container = {
        "name": "app",
        "image": f"registry.example/{place}/{name}:1.{number}.0",
        "args": ["--listen=:8080", "--log-level=info"],
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [
            {"name": "NEXT_URL", "value": f"http://app{(number + 20) % WORKLOADS}:8080"},
            {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        ],
        "envFrom": [{"configMapRef": {"name": name}}],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"memory": "64Mi"},
        },
        "readinessProbe": probe,
        "livenessProbe": probe,
        "securityContext": {"privileged": number % 5 == 0},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the container
    }
    template = {
        "metadata": {"labels": labels},
        "spec": {
            "serviceAccountName": name,
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {}}],
        },
    }
    deployment = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
    service = {"selector": labels, "ports": [{"port": 8080, "targetPort": "http"}]}
    rest: list[tuple[str, str, dict[str, Any]]] = [
        ("v1", "ServiceAccount", {}),
        ("v1", "ConfigMap", {"data": {"LOG": "info", "app.properties": "threads=4\n" * 100}}),
        ("v1", "Service", {"spec": service}),
        ("apps/v1", "Deployment", {"spec": deployment}),
    ]
    named = {"metadata": {"name": name, "namespace": place, "labels": labels}}
    return [{"apiVersion": version, "kind": kind, **named, **more} for version, kind, more in rest]


@pytest.fixture(scope="module")
def many(cluster: TestCluster) -> TestCluster:
    """A cluster with 2,000 running pods in 200 workloads."""
    spaces = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team{n}"}}
        for n in range(NAMESPACES)
    ]
    cluster.apply(*map(_node, range(NODES)), *spaces)
    cluster.wait_until_nodes_ready()
    cluster.apply(*(each for n in range(WORKLOADS) for each in _application(n)))

    def why_not() -> str:
        pods = cluster.objects("pods")
        running = sum(pod["status"].get("phase") == "Running" for pod in pods)
        return "" if running == WORKLOADS * REPLICAS else f"{running} pods run"

    cluster.wait_until("all pods run", why_not, 420)
    return cluster


@dataclass(frozen=True, slots=True)
class Run:
    """One audit in a process of its own."""

    report: dict[str, Any]
    megabytes: float
    seconds: float
    code: int


def _audited(kubeconfig: Path, out: Path, *arguments: str) -> Run:
    command = [program(), "audit", "--cluster", "--kubeconfig", str(kubeconfig), "--format", "json"]
    took = measured(out, *command, *arguments, folder=ROOT)
    return Run(json.loads(out.read_text("utf-8")), took.megabytes, took.seconds, took.code)


def _readable(cluster: TestCluster) -> Iterator[str]:
    """What our role lets us list, of what this cluster has."""
    role = next(yaml.safe_load_all((ROOT / "deploy" / "rbac.yaml").read_text("utf-8")))
    known = set(cluster.kubectl("api-resources", "-o", "name", check=True).stdout.split())
    for rule in role["rules"]:
        names = (f"{name}.{rule['apiGroups'][0]}".rstrip(".") for name in rule.get("resources", ()))
        yield from known.intersection(names)


FLAGS = [(), ("--cached",), ("--profile", "strict", "--no-fixes")]
"""A thousand proofs about a cluster of this size take minutes, and see nothing more of it."""


@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_two_thousand_pods_are_all_seen_in_bounded_memory(
    many: TestCluster, tmp_path: Path, flags: tuple[str, ...], record_property: Any
) -> None:
    """As many objects as kubectl counts, and a finding on each workload that deserves one."""
    run = _audited(many.kubeconfig, tmp_path / "report.json", *flags)
    source = run.report["source"]
    told = f"{run.megabytes:.0f} MB, {run.seconds:.1f} s CPU, {source}"
    record_property("told", told)
    sys.stdout.write(f"{told}\n")
    counted = {kind: len(many.objects(kind)) for kind in ("pods", "replicasets", "deployments")}
    assert counted == {
        "pods": WORKLOADS * REPLICAS,
        "replicasets": WORKLOADS,
        "deployments": WORKLOADS,
    }
    privileged = {
        (each["object"]["kind"], each["object"]["name"])
        for each in run.report["findings"]
        if each["policy"] == "workload/privileged_container"
    }
    assert privileged == {("Deployment", f"app{n}") for n in range(0, WORKLOADS, 5)}
    assert source["objects"] == sum(len(many.objects(kind)) for kind in _readable(many))
    assert run.megabytes < MOST_MEGABYTES, told
