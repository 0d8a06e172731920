"""Which ports of a workload clients ask through its Services."""

from __future__ import annotations

from typing import Any

from auditor.facts import Facts
from auditor.facts.serving import serving
from auditor.model import Settings, Snapshot
from tests.facts.network.cluster import pod, resource


def web(*ports: dict[str, Any]) -> Any:
    """A pod with these ports; several are written with one name."""
    containers = [{"name": "a", "ports": list(ports)}]
    return pod("shop/web", containers=containers)


def service(name: str, *ports: dict[str, Any]) -> Any:
    """One that leads to it."""
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": list(ports)},
        }
    )


def told(*objects: Any) -> list[dict[str, Any] | None]:
    """The fact, of each workload."""
    facts = Facts(Snapshot(objects), Settings())
    return [serving(facts, workload) for workload in facts.workloads]


def test_each_port_comes_with_the_containers_that_declare_it() -> None:
    """Of all Services that lead to it."""
    one = web({"name": "http", "containerPort": 8080})
    plain, more = (
        service("web", {"port": 80, "targetPort": "http"}),
        service("more", {"port": 9090}),
    )
    assert told(one, plain, more) == [
        {
            "services": ["more", "web"],
            "ports": [{"port": 8080, "containers": [0]}, {"port": 9090, "containers": []}],
        }
    ]


def test_two_of_one_name_are_told_of_the_ports_of_both() -> None:
    """Only one of them can be there, and nobody knows which: neither hides a fault of the other."""
    first, second = (
        web({"name": name, "containerPort": port}) for name, port in (("http", 8080), ("web", 9090))
    )
    found = told(first, second, service("web", {"port": 80, "targetPort": "http"}))
    assert [one and one["ports"] for one in found] == [
        [{"port": 8080, "containers": [0]}],
        [{"port": 8080, "containers": []}],
    ]
