"""Two pods that take turns on one rack, and the dependency of both in the other."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from auditor.audit import audit
from auditor.facts.availability import Odds, Places, availability_of, minutes_a_year
from auditor.facts.placement import Topology
from auditor.model import Resource, Settings, Snapshot
from tests.bench import bench
from tests.facts.network.cluster import resource, workload

Q = {"node": 2e-3, "rack": 5e-4, "zone": 1e-4}
ODDS = Odds(Q["node"], Q["rack"], Q["zone"], region=0)


def node(rack: str, name: str) -> Resource:
    """A node of a rack in the only zone."""
    labels = {
        "topology.kubernetes.io/rack": rack,
        "topology.kubernetes.io/zone": "a",
        "kubernetes.io/hostname": f"{rack}-{name}",
    }
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"{rack}-{name}", "labels": labels},
            "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "50"}},
        }
    )


def owned(owner: str, number: int, where: str) -> Resource:
    """A ready pod of a StatefulSet."""
    reference = {"kind": "StatefulSet", "name": owner, "uid": owner, "controller": True}
    metadata: dict[str, Any] = {
        "name": f"{owner}-{number}",
        "namespace": "default",
        "uid": f"{owner}-{number}",
        "labels": {"app": owner},
        "ownerReferences": [{"apiVersion": "apps/v1", **reference}],
    }
    spec = {"nodeName": where, "containers": [{"name": "main", "image": "app"}]}
    ready = [{"type": "Ready", "status": "True"}]
    status = {"phase": "Running", "conditions": ready}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    return resource(pod)


def stateful(name: str, replicas: int, url: str = "") -> Resource:
    """The StatefulSet of these pods."""
    env = [{"name": "URL", "value": url}] if url else []
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "app", "env": env}]},
    }
    selector = {"matchLabels": {"app": name}}
    found = workload("StatefulSet", name, replicas=replicas, selector=selector, template=template)
    metadata = {**found.manifest["metadata"], "uid": name}
    return resource({**found.manifest, "metadata": metadata})


def cluster(active: str, passive: str, store: str = "r2-b") -> Snapshot:
    """The nodes of two pods that take turns and ask a store, and the node of that. The Lease says
    that the first of them works.
    """
    spec = {"selector": {"app": "store"}, "ports": [{"port": 80}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "store"}, "spec": spec}
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "brain", "namespace": "default"},
        "spec": {"holderIdentity": "brain-0_4fd1"},
    }
    return Snapshot(
        (
            *(node(rack, name) for rack in ("r1", "r2") for name in "ab"),
            stateful("brain", 2, "http://store"),
            stateful("store", 1),
            *map(resource, (service, lease)),
            owned("brain", 0, active),
            owned("brain", 1, passive),
            owned("store", 0, store),
        )
    )


def said(snapshot: Snapshot) -> dict[str, str]:
    """What the policies on redundancy say, by their ids."""
    asked = [policy.id for policy in bench().policies if policy.id.startswith("redundancy/")]
    found = audit(snapshot, bench(*asked), Settings()).findings
    return {each.policy.id.partition("/")[2]: each.message for each in found}


def test_both_on_one_rack_are_lost_together() -> None:
    """The rack is named, and that there is another one."""
    found = said(cluster("r1-a", "r1-b"))
    message = found.pop("standby_beside_active")
    assert "active default/brain-0 and all that stands by (default/brain-1)" in message
    assert "are in rack r1, and there are 2 racks" in message
    assert not found


def test_what_it_costs() -> None:
    """Of a pair on one rack at least one is there unless zone, rack or both nodes are lost; on two
    racks, unless the zone or both sides are.
    """
    places = Places.of(Topology.from_snapshot(cluster("r1-a", "r1-b"), Settings()))
    kept_zone = 1 - Q["zone"]
    side = 1 - (1 - Q["rack"]) * (1 - Q["node"])
    together = 1 - kept_zone * (1 - Q["rack"]) * (1 - Q["node"] ** 2)
    apart = 1 - kept_zone * (1 - side**2)
    for nodes, expected in ((("r1-a", "r1-b"), together), (("r1-a", "r2-a"), apart)):
        answer = availability_of(Counter(nodes), 1, places, ODDS)
        assert answer.unavailability == pytest.approx(expected, rel=1e-9)
        assert answer.untold == ("region",)
    assert round(minutes_a_year(together)) == 317
    assert round(minutes_a_year(apart)) == 56


def test_apart_but_the_wrong_one_works() -> None:
    """The store is in rack 2, and so is the one that stands by: 4 hops instead of 2."""
    found = said(cluster("r1-a", "r2-a"))
    message = found.pop("active_far_from_dependency")
    assert "default/brain-0 is 4 hops from default/store in rack r2" in message
    assert "its standby default/brain-1 would be 2: switch over" in message
    assert not found


def test_apart_with_the_right_one_at_work_is_fine() -> None:
    """Nothing is said."""
    assert said(cluster("r2-a", "r1-a")) == {}
