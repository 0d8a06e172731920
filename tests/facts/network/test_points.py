"""Pods as policies see them."""

from __future__ import annotations

from typing import Any

from auditor.facts.network.points import Points, Questions, pods_by_owner
from auditor.facts.network.policies import NetPolicy, parse_policy
from auditor.facts.workloads import workloads_of
from auditor.model import Resource, Snapshot

from .cluster import pod, policy, resource, serving, workload


def points_of(*objects: Resource) -> int:
    """Into how many points the workloads fall."""
    snapshot = Snapshot(objects)
    parsed = [parse_policy(found) for found in snapshot.of_kind("NetworkPolicy")]
    points = Points(snapshot, Questions.of(p for p in parsed if isinstance(p, NetPolicy)))
    return len({point for w in workloads_of(snapshot) for point in points.of(w)})


PODS = [
    pod(f"p{i}", ip=f"10.0.0.{i}", **serving({"name": "x", "containerPort": i + 1}))
    for i in range(20)
]


def test_pods_that_no_policy_tells_apart_are_one() -> None:
    """Labels, addresses and ports count only where some policy asks for them."""
    assert points_of(*PODS) == 1
    assert points_of(*PODS, policy("{podSelector: {}, ingress: [{ports: [{port: y}]}]}")) == 1


def test_pods_are_told_apart_by_what_policies_ask() -> None:
    """By a label, by an address in a block, by a port of that name, by their namespace."""
    label = "{podSelector: {matchLabels: {app: p3}}}"
    assert points_of(*PODS, policy(label)) == 20
    block = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/29}}]}]}"
    assert points_of(*PODS, policy(block)) == 2
    name = "{podSelector: {}, ingress: [{ports: [{port: x}]}]}"
    assert points_of(*PODS, policy(name)) == 20
    assert points_of(*PODS, pod("other/p")) == 2


def test_a_workload_is_one_point_without_live_pods() -> None:
    """However many replicas it has."""
    label = "{podSelector: {matchLabels: {pod-template-hash: x}}}"
    assert points_of(workload("Deployment", "web", replicas=9), policy(label)) == 1


def test_owners_that_own_each_other_are_survived() -> None:
    """Manifests may claim anything."""

    def owned(name: str, uid: str, owner: str, owner_uid: str) -> Resource:
        reference = {"kind": "Pod", "name": owner, "uid": owner_uid, "controller": True}
        metadata: dict[str, Any] = {"name": name, "namespace": "default", "uid": uid}
        metadata["ownerReferences"] = [reference]
        return resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}})

    found = pods_by_owner(Snapshot((owned("a", "1", "b", "2"), owned("b", "2", "a", "1"))))
    assert sum(len(pods) for pods in found.values()) == 2
