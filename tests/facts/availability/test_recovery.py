"""How long a pod is away at least when its node is lost."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.availability import Recovery, recovery_of
from auditor.facts.workloads import Workload, workload_of
from auditor.model import Resource
from tests.facts.network.cluster import pod, workload


def known(resource: Resource) -> Workload:
    """The workload that it is."""
    found = workload_of(resource)
    assert found is not None
    return found


def asked(kind: str = "Deployment", version: int = 136, disk: bool = False, **spec: Any) -> str:
    """What is said of a workload with this pod specification."""
    least = spec.pop("minReadySeconds", None)
    template = {"spec": {"containers": [{"name": "main", "image": "app"}], **spec}}
    fields = {"template": template, **({"minReadySeconds": least} if least else {})}
    return str(recovery_of(known(workload(kind, "web", **fields)), version, own_disk=disk))


def toleration(**fields: Any) -> dict[str, Any]:
    """One of the taint of a lost node."""
    return {"key": "node.kubernetes.io/unreachable", "operator": "Exists", **fields}


def test_what_every_pod_waits_for() -> None:
    """50 s until the node counts as lost (40 s before 1.32), and 300 s that are tolerated."""
    told = "at least 350 s (50 s until the node counts as lost + 300 s tolerated)"
    assert asked() == told
    assert asked(version=131).startswith("at least 340 s")


def test_a_disk_of_its_own_has_to_be_detached() -> None:
    """Six minutes more."""
    assert asked(disk=True).startswith("at least 710 s")


def test_what_is_tolerated_for_less() -> None:
    """The shortest of the tolerations counts; one of another taint or effect does not."""
    tolerations = [
        toleration(effect="NoExecute", tolerationSeconds=30),
        toleration(effect="NoExecute"),
        toleration(effect="NoSchedule", tolerationSeconds=1),
        {"key": "gpu", "operator": "Exists", "tolerationSeconds": 2},
    ]
    assert asked(tolerations=tolerations).startswith("at least 80 s")


@pytest.mark.parametrize("one", [toleration(), {"operator": "Exists"}])
def test_what_is_tolerated_for_ever(one: dict[str, Any]) -> None:
    """Also by who tolerates everything."""
    assert asked(tolerations=[one]) == "never by itself: it tolerates a lost node without end"


def test_what_a_new_pod_needs_until_it_counts() -> None:
    """The later of two probes, and the time that it has to be ready."""
    probes = {"readinessProbe": {"initialDelaySeconds": 20}, "startupProbe": {}}
    containers = [{"name": "main", "image": "app", **probes}]
    told = asked(containers=containers, minReadySeconds=15)
    assert told.startswith("at least 385 s")
    assert "20 s before it is asked whether it is ready + 15 s ready before it counts" in told


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("StatefulSet", "a StatefulSet waits for the lost pod to be gone for certain"),
        ("DaemonSet", "a DaemonSet has no pod elsewhere for it"),
    ],
)
def test_what_nothing_replaces(kind: str, why: str) -> None:
    """Somebody has to do something."""
    assert asked(kind) == f"never by itself: {why}"


def test_a_bare_pod_is_gone() -> None:
    """Nothing makes it anew."""
    found = recovery_of(known(pod("web")), 136)
    assert found == Recovery((), "nothing makes a bare pod anew")
