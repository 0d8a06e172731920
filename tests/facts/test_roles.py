"""Who works and who stands by."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts
from auditor.facts.roles import is_role, roles_of
from auditor.model import Resource, Settings, Snapshot
from tests.facts.network.cluster import resource, workload

NODE = resource(
    {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n", "labels": {}},
        "status": {"allocatable": {"cpu": "8", "memory": "8Gi", "pods": "9"}},
    }
)


def member(number: int, labels: dict[str, str] | None = None) -> Resource:
    """A pod of the StatefulSet."""
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "db"}
    metadata: dict[str, Any] = {
        "name": f"db-{number}",
        "namespace": "default",
        "uid": f"db-{number}",
        "labels": {"app": "db", **(labels or {})},
        "ownerReferences": [{**owner, "controller": True}],
    }
    spec = {"nodeName": "n", "containers": [{"name": "main", "image": "app"}]}
    return resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def stateful() -> Resource:
    """The StatefulSet of two pods."""
    template = {
        "metadata": {"labels": {"app": "db"}},
        "spec": {"containers": [{"name": "main", "image": "app"}]},
    }
    selector = {"matchLabels": {"app": "db"}}
    found = workload("StatefulSet", "db", replicas=2, selector=selector, template=template)
    metadata = {**found.manifest["metadata"], "uid": "db"}
    return resource({**found.manifest, "metadata": metadata})


def lease(holder: str, namespace: str = "default") -> Resource:
    """A Lease that somebody holds."""
    return resource(
        {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": "db", "namespace": namespace},
            "spec": {"holderIdentity": holder},
        }
    )


def roles(*found: Resource) -> str:
    """Who works, who stands by, and who says so."""
    facts = Facts(Snapshot((NODE, stateful(), *found)), Settings())
    (one,) = facts.workloads
    told = roles_of(facts, one)
    if told is None:
        return ""
    active, passive = ([pod.name for pod in pods] for pods in (told.active, told.passive))
    return f"{' '.join(active)} | {' '.join(passive)} by {told.told}"


@pytest.mark.parametrize(
    ("key", "active", "passive"),
    [
        ("cnpg.io/instanceRole", "primary", "replica"),
        ("spilo-role", "master", "replica"),
        ("role", "Master", "Replica"),
        ("vault-active", "true", "false"),
        ("redis-role", "master", "slave"),
    ],
)
def test_labels_tell(key: str, active: str, passive: str) -> None:
    """Those of well known operators, in whatever case."""
    found = roles(member(0, {key: passive}), member(1, {key: active}))
    assert found == f"db-1 | db-0 by label {key}"


def test_a_lease_tells() -> None:
    """Its holder is a pod by name, with or without an id after it."""
    pods = member(0), member(1)
    assert roles(*pods, lease("db-1")) == "db-1 | db-0 by Lease default/db"
    assert roles(*pods, lease("db-0_6f1c")) == "db-0 | db-1 by Lease default/db"


@pytest.mark.parametrize("one", [lease("db-2"), lease("db-0", "other"), lease("")])
def test_a_lease_of_somebody_else_tells_nothing(one: Resource) -> None:
    """Another pod's, or one of another namespace."""
    assert roles(member(0), member(1), one) == ""


def test_the_pods_of_an_operator_are_one_pair() -> None:
    """They are no workload's but those of a custom object; it is told of the one that works."""
    reference = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "db", "uid": "u"}
    found = []
    for number, role in enumerate(("replica", "primary")):
        one = member(number, {"cnpg.io/instanceRole": role}).manifest
        owner = [{**reference, "controller": True}]
        found.append(resource({**one, "metadata": {**one["metadata"], "ownerReferences": owner}}))
    facts = Facts(Snapshot((NODE, *found)), Settings())
    told = {each.ref.name: roles_of(facts, each) for each in facts.workloads}
    assert told["db-0"] is None
    assert told["db-1"]
    assert [pod.name for pod in told["db-1"].passive] == ["db-0"]


def test_one_role_alone_is_no_pair() -> None:
    """Two that work have nobody who stands by."""
    assert roles(member(0, {"role": "primary"}), member(1, {"role": "primary"})) == ""


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [("role", "primary", True), ("role", "frontend", False), ("tier", "primary", False)],
)
def test_a_selector_that_asks_for_a_role(key: str, value: str, expected: bool) -> None:
    """By a known label, and a known word."""
    assert is_role(key, value) is expected
