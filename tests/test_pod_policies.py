"""What the policies on pods read beyond the standards may hold anything: no value breaks one."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.model import Origin, Ref, Resource, Settings, Snapshot
from tests.bench import bench

from .test_pod_standards import ODD, POLICIES, NoLines, _places, _put, told

NEW = tuple(
    policy.id
    for policy in POLICIES
    if policy.id.startswith("workload/") and not any("pss-" in each for each in policy.controls)
)
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "all", "namespace": "shop", "annotations": {"a": "b"}},
    "spec": {
        "serviceAccount": "shop",
        "serviceAccountName": "store",
        "automountServiceAccountToken": True,
        "hostAliases": [{"ip": "10.0.0.1", "hostnames": ["db"]}],
        "runtimeClassName": "",
        "hostUsers": True,
        "securityContext": {
            "runAsUser": 1, "runAsGroup": 0, "fsGroup": 0, "supplementalGroups": [1, 10001],
            "windowsOptions": {"runAsUserName": "ContainerAdministrator"},
        },
        "containers": [
            {
                "name": "app",
                "image": "kubernetesui/dashboard:v2",
                "command": ["sudo", "--password", "hunter2", "kubectl"],
                "args": ["--token=abcdef123456", "redis://:hunter2@cache", "http://169.254.169.254"],
                "env": [
                    {"name": "DB_PASSWORD", "value": "hunter2"},
                    {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}},
                ],
                "envFrom": [{"secretRef": {"name": "db"}}],
                "ports": [{"containerPort": 22, "name": "ssh"}, {"containerPort": 80}],
                "stdin": True,
                "tty": True,
                "volumeMounts": [{"name": n, "mountPath": f"/{n}"} for n in "ab"],
                "volumeDevices": [{"name": "c", "devicePath": "/dev/c"}],
                "securityContext": {"readOnlyRootFilesystem": False},
            }
        ],
        "volumes": [
            {"name": "a", "hostPath": {"path": "/mnt/a", "type": "Directory"}},
            {"name": "b", "hostPath": {"path": "/var/run/docker.sock"}},
            {"name": "c", "hostPath": {"path": "/etc"}},
        ],
    },
}  # fmt: skip


def judged(pod: dict[str, Any], *names: str, engine: str = "regorus") -> dict[str, Any]:
    """What is said of a pod, and which policies could not be asked."""
    resource = Resource(Ref("v1", "Pod", "shop", "all"), pod, Origin("pod.yaml", NoLines()))
    return told(audit(Snapshot((resource,)), bench(*names, engine=engine), Settings()))


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_no_value_breaks_a_policy(odd: Any) -> None:
    """In any place at which one of them looks."""
    for place in _places(POD):
        if place[0] == "spec":
            pod = copy.deepcopy(POD)
            _put(pod, place, copy.deepcopy(odd))
            assert judged(pod)["gaps"] == [], place


@settings(max_examples=10, deadline=None)
@given(st.sampled_from([p for p in _places(POD) if p[0] == "spec"]), st.sampled_from(ODD))
def test_both_engines_agree(place: Any, odd: Any) -> None:
    """Same findings, same words, same places, same fixes."""
    pod = copy.deepcopy(POD)
    _put(pod, place, copy.deepcopy(odd))
    assert judged(pod, *NEW) == judged(pod, *NEW, engine="regopy")
