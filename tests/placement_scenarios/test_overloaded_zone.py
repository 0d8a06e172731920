"""Traffic is kept in its zone; the clients are where the instances are not.

Three zones with 1, 1 and 4 instances, and with 4, 1 and 1 clients: by the formula, an instance in
zone a gets a_z / b_z = (4/6) / (1/6) = 4 times its share.
"""

from __future__ import annotations

import pytest

from auditor.audit import audit
from auditor.facts import Facts
from auditor.facts.routing import load_of, served_by
from auditor.model import Resource, Settings, Snapshot
from tests.bench import bench
from tests.facts.network.cluster import resource, workload

ZONES = ("a", "b", "c")


def node(zone: str) -> Resource:
    """The node of a zone."""
    labels = {"topology.kubernetes.io/zone": zone, "kubernetes.io/hostname": f"n-{zone}"}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"n-{zone}", "labels": labels},
            "status": {"allocatable": {"cpu": "8", "memory": "16Gi", "pods": "50"}},
        }
    )


def pods(app: str, zone: str, replicas: int, **env: str) -> Resource:
    """So many pods of an application in one zone."""
    container = {
        "name": app,
        "image": app,
        "env": [{"name": name, "value": value} for name, value in env.items()],
    }
    template = {
        "metadata": {"labels": {"app": app}},
        "spec": {"nodeName": f"n-{zone}", "containers": [container]},
    }
    selector = {"matchLabels": {"app": app}}
    name = f"{app}-{zone}"
    return workload("Deployment", name, replicas=replicas, selector=selector, template=template)


def cluster(instances: tuple[int, ...], distribution: str = "PreferSameZone") -> Snapshot:
    """Clients 4, 1, 1 and these instances in zones a, b, c."""
    spec = {"selector": {"app": "api"}, "ports": [{"port": 80}]}
    spec |= {"trafficDistribution": distribution} if distribution else {}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api"}, "spec": spec}
    behind = [pods("api", zone, n) for zone, n in zip(ZONES, instances, strict=True)]
    asking = [
        pods("web", zone, n, API="http://api") for zone, n in zip(ZONES, (4, 1, 1), strict=True)
    ]
    return Snapshot((*map(node, ZONES), *behind, *asking, resource(service)))


def findings(snapshot: Snapshot) -> list[tuple[str, str]]:
    """What the policies on routing say."""
    asked = [policy.id for policy in bench().policies if policy.id.startswith("routing/")]
    found = audit(snapshot, bench(*asked), Settings()).findings
    return [(each.policy.id, each.message) for each in found]


def test_an_instance_in_zone_a_gets_four_times_its_share() -> None:
    """The load is 4 there, 1 in zone b and a quarter in zone c; nothing leaves its zone."""
    facts = Facts(cluster((1, 1, 4)), Settings())
    (service,) = facts.snapshot.of_kind("Service")
    served = served_by(facts, service)
    load = load_of(served.clients, served.routed(), facts.topology)
    assert load.zones == pytest.approx({"a": 4, "b": 1, "c": 0.25})
    assert load.cross_zone == pytest.approx(0)


def test_the_verdict_says_so() -> None:
    """In numbers that an operator can check by counting."""
    ((policy, message),) = findings(cluster((1, 1, 4)))
    assert policy == "routing/zone_overloaded"
    assert "an instance in zone a gets 4 times its share" in message
    assert "1 of its 6 instances are there, beside 4 of the 6 pods that ask" in message


def test_the_way_out_is_to_spread_first() -> None:
    """With the instances where the clients are, the load is even, and nothing is said."""
    assert findings(cluster((4, 1, 1))) == []


def test_keeping_traffic_near_is_not_proposed_where_it_would_overload() -> None:
    """The field is unset, half of the requests leave their zone, and still nobody is told to set
    it.
    """
    assert findings(cluster((1, 1, 4), "")) == []


def test_it_is_proposed_where_the_instances_are_spread_like_the_clients() -> None:
    """P = 1 − (4·4 + 1 + 1) / 36 = 1/2 of the requests cross."""
    ((policy, message),) = findings(cluster((4, 1, 1), ""))
    assert policy == "routing/crosses_zones"
    assert message.startswith("50% of the requests of its clients leave their zone, and 0% would")
