"""What makes a node better than another; every expected number is worked out by hand."""

from __future__ import annotations

from auditor.facts.placement import Pod
from auditor.model import Resource
from tests.facts.placement.world import (
    HOST,
    ZONE,
    affinity,
    cluster,
    evenly,
    near,
    node,
    pod,
    thing,
)


def points(found: Resource, plugin: str, *resources: Resource) -> dict[str, int]:
    """The points of one plugin, by node."""
    scores = cluster(*resources).weighted(Pod.from_resource(found))
    return {name: each[plugin] for name, each in scores.items() if plugin in each}


def test_what_is_left_is_worth_its_share() -> None:
    """A quarter of CPU and memory taken leaves 75 of 100."""
    web = pod("web", requests={"cpu": "1", "memory": "2Gi"})
    assert points(web, "NodeResourcesFit", node("a")) == {"a": 75}


def test_a_pod_that_asks_for_nothing_is_assumed_to_take_a_little() -> None:
    """100m of 4 CPU leave 97, 200Mi of 8Gi leave 97."""
    assert points(pod("web"), "NodeResourcesFit", node("a")) == {"a": 97}


def test_an_uneven_pod_makes_an_even_node_worse() -> None:
    """A quarter of the CPU and no memory: 87 after, 100 before, and 75 would be no change."""
    web = pod("web", requests={"cpu": "1"})
    assert points(web, "NodeResourcesBalancedAllocation", node("a")) == {"a": 68}


def test_balance_does_not_matter_to_a_pod_that_asks_for_nothing() -> None:
    """Otherwise all of them would pile up on one node."""
    assert points(pod("web"), "NodeResourcesBalancedAllocation", node("a")) == {}


def test_an_image_that_is_there_is_worth_its_size() -> None:
    """500 MiB on one node of two count as 250, between 23 and 1000."""
    has = node("a")
    images = [{"names": ["app:1"], "sizeBytes": 500 * 2**20}]
    status = {**has.manifest["status"], "images": images}
    has = Resource(has.ref, {**has.manifest, "status": status}, has.origin)
    assert points(pod("web"), "ImageLocality", has, node("b")) == {"a": 23, "b": 0}


def test_preferred_nodes_score_by_the_weight_that_they_meet() -> None:
    """Weights 30 and 10: who meets both has 100 of 100, who meets one its share."""
    prefer = [
        {"weight": weight, "preference": {"matchExpressions": [{"key": key, "operator": "Exists"}]}}
        for key, weight in (("ssd", 30), ("new", 10))
    ]
    wish = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": prefer}}
    nodes = (node("a", {"ssd": "", "new": ""}), node("b", {"ssd": ""}), node("c", {"new": ""}))
    web = pod("web", affinity=wish)
    assert points(web, "NodeAffinity", *nodes) == {"a": 200, "b": 150, "c": 50}


def test_a_placed_pod_that_must_be_near_draws_the_other() -> None:
    """Its hard rule counts as a wish for those that it means."""
    old = pod("api", on="a", affinity=affinity("podAffinity", near(HOST, app="web")))
    found = points(pod("web"), "InterPodAffinity", node("a"), node("b"), old)
    assert found == {"a": 200, "b": 0}


def test_small_sets_of_domains_weigh_less() -> None:
    """Counts times ln(domains + 2): a1 has 3·ln 4 + 3·ln 5 = 9, a2 3·ln 4 = 4, b1 ln 4 + ln 5 = 3,
    and the least is the best.
    """
    nodes = (node("a1", {ZONE: "a"}), node("a2", {ZONE: "a"}), node("b1", {ZONE: "b"}))
    where = ("a1", "a1", "a1", "b1")
    old = [pod(f"w{n}", on=name, labels={"app": "web"}) for n, name in enumerate(where)]
    soft = [evenly(key, whenUnsatisfiable="ScheduleAnyway") for key in (ZONE, HOST)]
    web = pod("new", labels={"app": "web"}, topologySpreadConstraints=soft)
    found = points(web, "PodTopologySpread", *nodes, *old)
    assert found == {"a1": 66, "a2": 176, "b1": 200}


def test_services_give_their_pods_a_wish_of_their_own() -> None:
    """Without constraints of its own, a pod of a Service is drawn to nodes without its like."""
    service = thing("Service", "web", "shop", spec={"selector": {"app": "web"}})
    old = pod("old", on="a", labels={"app": "web"})
    web = pod("new", labels={"app": "web"})
    found = points(web, "PodTopologySpread", node("a"), node("b"), service, old)
    assert found["b"] > found["a"]
    assert points(web, "PodTopologySpread", node("a"), node("b"), old) == {}
