"""What is left out of the watched cluster is nothing that anybody reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.audit import audit
from auditor.facts import FACTS, Facts
from auditor.facts.kept import STATUS, Keep
from auditor.facts.workloads import workload_of
from auditor.model import Audit, Resource, Server, Settings, Snapshot
from auditor.sources.files import FileSource
from auditor.sources.kinds import KINDS
from tests.bench import bench
from tests.company import OBJECTS

from .everything import EVERYTHING
from .network.cluster import NOWHERE, resource

CLUSTERS = Path(__file__).parents[2] / "fixtures" / "clusters"
REALWORLD = (
    Path(os.environ.get("AUDITOR_CONFORMANCE", "../shared/conformance")).parent / "realworld"
)
SERVER = Server(136, frozenset(kind.kind for kind in KINDS))
JUNK = st.sampled_from([None, True, "x", 7, -1, [], {}, {"a": "b"}, [{"name": "x"}], [None], [[3]]])


def _state(name: str, **more: Any) -> dict[str, Any]:
    """What the kubelet says of a container, as servers send it."""
    asked = {"cpu": "100m", "memory": "128Mi"}
    return {
        "name": name, "image": "app:1", "imageID": f"app@sha256:{'0' * 64}", "ready": True,
        "containerID": f"containerd://{'1' * 64}", "started": True, "restartCount": 2,
        "lastState": {}, "state": {"running": {"startedAt": "2026-11-01T10:00:07Z"}},
        "allocatedResources": asked, "resources": {"requests": asked, "limits": asked}, **more,
    }  # fmt: skip


def _pod_status(spec: Any, number: int) -> dict[str, Any]:
    address = f"10.1.{number // 250}.{number % 250 + 1}"
    resize = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    names = [str(each.get("name")) for each in spec.get("containers") or () if each]
    return {
        "phase": ("Running", "Pending", "Succeeded")[number % 7 % 3],
        "conditions": [{"type": "Ready", "status": "True"}, *([resize] * (number % 5 == 1))],
        "hostIP": "192.168.0.1", "podIP": address, "podIPs": [{"ip": address}],
        "startTime": "2026-11-01T10:00:00Z", "qosClass": "Burstable",
        "containerStatuses": [_state(name) for name in names],
    }  # fmt: skip


OTHERS: dict[str, dict[str, Any]] = {
    "Node": {
        "addresses": [{"type": "InternalIP", "address": "192.168.0.1"}],
        "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
        "capacity": {"cpu": "8", "memory": "16Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
        "images": [{"names": ["app@sha256:0", "app:1"], "sizeBytes": 500_000_000}],
        "nodeInfo": {"kubeletVersion": "v1.36.0+k3s1", "osImage": "Linux"},
    },
    "Service": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9", "ipMode": "Proxy"}]}},
    "DaemonSet": {"desiredNumberScheduled": 3, "numberReady": 2, "currentNumberScheduled": 3},
    "ReplicaSet": {"replicas": 1, "readyReplicas": 1, "observedGeneration": 4},
    "Job": {"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 1},
    "Deployment": {"replicas": 2, "readyReplicas": 1, "conditions": [{"type": "Available"}]},
    "Namespace": {"phase": "Active"},
    "PersistentVolumeClaim": {"phase": "Bound", "capacity": {"storage": "1Gi"}},
    "Ingress": {"loadBalancer": {"ingress": [{"ip": "203.0.113.9"}]}},
    "HTTPRoute": {"parents": [{"controllerName": "example.com/gateway"}]},
}
"""Statuses as servers write them: what is read of them, and some that is not."""


def _pods(owner: Resource) -> Iterator[Resource]:
    """Two pods of a workload, as its controller makes them."""
    workload = workload_of(owner)
    if workload is None or owner.ref.kind in {"Pod", "PodTemplate"}:
        return
    uid = f"uid-{owner.ref.kind}-{owner.ref.name}"
    reference = {"kind": owner.ref.kind, "name": owner.ref.name, "uid": uid, "controller": True}
    for number in range(2):
        metadata = {
            "name": f"{owner.ref.name}-{owner.ref.kind.lower()}-{number}", "uid": f"{uid}-{number}",
            "namespace": owner.ref.namespace, "labels": dict(workload.labels),
            "ownerReferences": [{"apiVersion": owner.ref.api_version, **reference}],
        }  # fmt: skip
        spec = {**workload.pod, "nodeName": "n1"}
        yield resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def _with_status(one: Resource, status: Any) -> Resource:
    return replace(one, manifest={**one.manifest, "status": status})


def running(found: Snapshot) -> Snapshot:
    """The cluster with pods, and with a status on whatever has one."""
    pods = [pod for each in found.resources for pod in _pods(each)]
    told = []
    for number, each in enumerate((*found.resources, *pods)):
        status = OTHERS.get(each.ref.kind, {"observedGeneration": 1})
        if each.ref.kind == "Pod":
            status = _pod_status(each.manifest.get("spec") or {}, number)
        told.append(_with_status(each, status) if each.ref.kind != "Namespace" else each)
    return Snapshot(tuple(told), found.gaps, SERVER)


def kept(found: Snapshot) -> Snapshot:
    """The cluster as it is held in memory."""
    return replace(found, resources=tuple(map(Keep(), found.resources)))


def said(answer: Audit) -> list[Any]:
    """All that an audit tells, but for the objects as they were judged."""
    every = (*answer.findings, *answer.folded)
    return [
        *((f.fingerprint, f.path, f.message, f.evidence, f.remedy, f.status) for f in every),
        answer.gaps, answer.judged, answer.unclassified, answer.enforcer,
    ]  # fmt: skip


def verdict(found: Snapshot) -> list[Any]:
    """What all policies say of a cluster."""
    return said(audit(found, bench(), Settings()))


def _cluster(name: str) -> Snapshot:
    if name == "everything":
        return EVERYTHING
    where = CLUSTERS / name if (CLUSTERS / name).is_dir() else REALWORLD / name
    if not where.is_dir():
        pytest.skip(f"{where} is not there: set AUDITOR_CONFORMANCE")
    return FileSource((str(where),)).snapshot()


REAL = ("argo-cd", "guestbook", "ingress-nginx", "kube-prometheus", "online-boutique")


@pytest.mark.parametrize(
    "name",
    [
        "peapods", "peapods-fixed", "peapods-mesh",
        *(pytest.param(name, marks=pytest.mark.conformance) for name in REAL),
    ],
)  # fmt: skip
def test_the_audit_of_what_is_kept_is_the_audit_of_the_whole(name: str) -> None:
    """On clusters with pods that run, where much is left out."""
    whole = running(_cluster(name))
    less = kept(whole)
    assert verdict(less) == verdict(whole)
    left = sum(one is not other for one, other in zip(less.resources, whole.resources, strict=True))
    assert left > len(whole.resources) / 3


class Noted(dict[str, Any]):
    """A status that notes which of its fields somebody reads."""

    def __init__(self, kind: str, fields: dict[str, Any], seen: set[tuple[str, str]]) -> None:
        super().__init__(fields)
        self._kind, self._seen = kind, seen

    def get(self, key: str, default: Any = None) -> Any:
        self._seen.add((self._kind, key))
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self._seen.add((self._kind, key))
        return super().__getitem__(key)


def test_no_fact_reads_what_is_not_kept() -> None:
    """The table of what is read is the one that they go by."""
    seen: set[tuple[str, str]] = set()
    for name in ("everything", "peapods", "peapods-fixed", "peapods-mesh"):
        found = running(_cluster(name))
        noted = tuple(
            _with_status(r, Noted(r.ref.kind, r.manifest.get("status") or {}, seen))
            for r in found.resources
        )
        facts = Facts(replace(found, resources=noted), Settings())
        for each in noted:
            facts.about(each, tuple(FACTS))
        if name != "everything":  # which takes long, and scope is the same
            audit(replace(found, resources=noted), bench(), Settings())
    listed = {(kind, field) for kind, fields in STATUS.items() for field in fields}
    idle = {(kind, "phase") for kind, _ in seen if kind != "Pod"}  # it counts of pods alone
    assert seen - listed - idle == set()
    assert {("Pod", "podIPs"), ("Pod", "containerStatuses"), ("Node", "allocatable")} <= seen


_CONTAINERS = st.sampled_from(["web", "db", "init", "debug", ""])
_AMOUNTS = st.sampled_from(
    [{}, {"cpu": "1"}, {"memory": "70Gi"}, {"cpu": "39", "memory": "1Gi"}, 3]
)
_STATES = st.builds(
    lambda name, granted, used, drop: {
        key: value
        for key, value in _state(name, allocatedResources=granted, resources=used).items()
        if key not in drop
    },
    _CONTAINERS,
    _AMOUNTS,
    st.one_of(JUNK, _AMOUNTS.map(lambda amounts: {"requests": amounts, "limits": amounts})),
    st.sets(st.sampled_from(["allocatedResources", "resources", "name"])),
)
_CONDITIONS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["PodResizePending", "Ready", "Complete", "Failed"]),
        "status": st.sampled_from(["True", "False"]),
    },
    optional={"reason": st.sampled_from(["Infeasible", "Deferred", 3])},
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "phase": st.sampled_from(["Running", "Pending", "Succeeded", "Failed"]),
    "podIP": st.sampled_from(["10.0.0.1", "10.1.0.1", "nowhere"]),
    "podIPs": st.lists(st.builds(dict, ip=st.sampled_from(["10.0.0.1", "fd00::1", 3])), max_size=2),
    "hostIP": st.just("192.168.0.1"),
    "conditions": st.lists(_CONDITIONS, max_size=3),
    "containerStatuses": st.lists(_STATES, max_size=3),
    "initContainerStatuses": st.lists(_STATES, max_size=2),
    "allocatable": st.builds(dict, cpu=st.sampled_from(["4", "1", "x"]), memory=st.just("8Gi")),
    "capacity": st.builds(dict, cpu=st.sampled_from(["4", "0"]), pods=st.just("9")),
    "addresses": st.just(OTHERS["Node"]["addresses"]),
    "images": st.just(OTHERS["Node"]["images"]),
    "nodeInfo": st.just(OTHERS["Node"]["nodeInfo"]),
    "loadBalancer": st.just(OTHERS["Service"]["loadBalancer"]),
    "replicas": st.integers(0, 2),
    "desiredNumberScheduled": st.integers(0, 2),
    "numberReady": st.integers(0, 2),
    "observedGeneration": st.integers(0, 2),
}


@st.composite
def statuses(draw: st.DrawFn) -> Any:
    """A status with any of these fields, a few of them spoiled."""
    names = draw(st.sets(st.sampled_from(sorted(_FIELDS))))
    status = {name: draw(_FIELDS[name]) for name in sorted(names)}
    for name in draw(st.sets(st.sampled_from(sorted(_FIELDS)), max_size=2)):
        status[name] = draw(JUNK)
    return draw(st.sampled_from([status, status, status, status, draw(JUNK)]))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(statuses(), min_size=len(OBJECTS), max_size=len(OBJECTS)))
def test_whatever_a_server_writes_the_audit_is_the_same(written: list[Any]) -> None:
    """Broken statuses included."""
    found = (_with_status(one, status) for one, status in zip(OBJECTS, written, strict=True))
    whole = Snapshot(tuple(found), (), SERVER)
    less = kept(whole)
    assert verdict(less) == verdict(whole)
    assert kept(less) == less


@cache
def _pod() -> Resource:
    status = _pod_status({"containers": [{"name": "web"}]}, 1)
    return Resource(OBJECTS[-1].ref, {**OBJECTS[-1].manifest, "status": status}, NOWHERE)


def test_of_a_running_pod_little_is_kept() -> None:
    """Where it is, whether it runs, and what it was granted."""
    assert Keep()(_pod()).manifest["status"] == {
        "phase": "Pending",
        "podIP": "10.1.0.2",
        "podIPs": [{"ip": "10.1.0.2"}],
        "startTime": "2026-11-01T10:00:00Z",
        "conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "PodResizePending", "reason": "Infeasible"},
        ],
        "containerStatuses": [
            {
                "name": "web",
                "allocatedResources": {"cpu": "100m", "memory": "128Mi"},
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            }
        ],
    }


@pytest.mark.parametrize(("whole", "same"), [((), False), (("Pod",), True), (("*",), True)])
def test_what_policies_of_others_ask_about_is_kept_whole(
    whole: tuple[str, ...], same: bool
) -> None:
    """Nobody knows what they read."""
    assert (Keep(whole)(_pod()) is _pod()) is same
