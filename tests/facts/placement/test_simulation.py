"""One pod after the other finds its node, or is told why not."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from auditor.facts.placement import Pod
from auditor.model import Resource
from tests.facts.placement.world import (
    HOST,
    RACK,
    affinity,
    cluster,
    evenly,
    near,
    node,
    pod,
    pods,
    resource,
    thing,
    workload,
)


def test_a_full_rack_has_no_room() -> None:
    """Two nodes of the rack take two pods each; the fifth replica stays pending."""
    rack = {RACK: "r1"}
    nodes = (node("a", rack), node("b", rack), node("elsewhere"))
    made = pods(
        workload("Deployment", "web", own={"replicas": 5}, nodeSelector=rack, requests={"cpu": "2"})
    )
    placement = cluster(*nodes).place(made, seed=3)
    assert sorted(placement.bound.values()) == ["a", "a", "b", "b"]
    assert placement.unschedulable == {
        "shop/web-4": "no node can take it: a, b has too little CPU left; "
        "elsewhere is not among the nodes that the pod selects"
    }


def test_without_nodes_nothing_can_be_placed() -> None:
    """And that is the reason."""
    placement = cluster().place(pods(workload("Deployment", "web")), seed=0)
    assert placement.unschedulable == {"shop/web-0": "there is no node"}


def test_the_emptier_node_is_chosen() -> None:
    """Nothing else being different, free CPU and memory decide."""
    busy = pod("old", on="a", requests={"cpu": "2", "memory": "4Gi"})
    small = pods(workload("Deployment", "web", requests={"cpu": "100m", "memory": "200Mi"}))
    for seed in range(5):
        assert cluster(node("a"), node("b"), busy).place(small, seed).bound == {"shop/web-0": "b"}


def test_a_seed_decides_between_equal_nodes_and_repeats_itself() -> None:
    """Every equal node is chosen by some seed; the same seed always chooses the same."""
    nodes = [node(name) for name in "abc"]
    made = pods(workload("Deployment", "web"))
    once, twice = ([cluster(*nodes).place(made, s).bound for s in range(20)] for _ in range(2))
    assert once == twice
    assert {bound["shop/web-0"] for bound in once} == {"a", "b", "c"}


def test_the_highest_priority_comes_first() -> None:
    """With room for one, the important pod gets it although it came last."""
    important = thing("PriorityClass", "important", value=1000)
    usual = pods(workload("Deployment", "web", requests={"cpu": "3"}))
    first = pods(workload("Deployment", "db", requests={"cpu": "3"}, priorityClassName="important"))
    placement = cluster(node("a"), important).place((*usual, *first), seed=0)
    assert placement.bound == {"shop/db-0": "a"}


def test_a_pod_that_names_its_node_passes_by_the_scheduler() -> None:
    """A cordon does not stop it; a lack of room does."""
    nodes = (node("a", unschedulable=True), node("full", room={"cpu": "0"}))
    named = pods(workload("Deployment", "web", nodeName="a"))
    late = pods(workload("Deployment", "api", nodeName="full", requests={"cpu": "1"}))
    lost = pods(workload("Deployment", "old", nodeName="gone"))
    placement = cluster(*nodes).place((*named, *late, *lost), seed=0)
    assert placement.bound == {"shop/web-0": "a"}
    assert placement.unschedulable == {
        "shop/api-0": "node full has too little CPU left",
        "shop/old-0": "it names node gone, which is not given",
    }


def test_a_gated_pod_waits() -> None:
    """Nobody places it while it has a scheduling gate."""
    gated = pods(workload("Deployment", "web", schedulingGates=[{"name": "example.com/quota"}]))
    placement = cluster(node("a")).place(gated, seed=0)
    assert placement.unschedulable == {"shop/web-0": "it waits until example.com/quota is lifted"}


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ({"schedulerName": "volcano"}, "is placed by 'volcano'"),
        ({"resourceClaims": [{"name": "gpu"}]}, "claims devices"),
        ({"resources": {"claims": [{"name": "gpu"}]}}, "claims devices"),
        ({"workloadRef": {"name": "train"}}, "part of a group of pods"),
        ({"priorityClassName": "gold"}, "PriorityClass 'gold', which is not given"),
        ({"runtimeClassName": "gvisor"}, "RuntimeClass 'gvisor', which is not given"),
        ({"requests": {"cpu": "plenty"}}, "main.resources.requests.cpu: 'plenty' is no quantity"),
        ({"requests": {"cpu": "-1"}}, "is below zero"),
        ({"nodeSelector": {"a": 1}}, "spec.nodeSelector is no mapping of texts"),
        ({"tolerations": [{"key": 1}]}, "spec.tolerations.0 is no toleration"),
        ({"topologySpreadConstraints": [evenly(HOST, maxSkew=0)]}, "maxSkew is no number from 1"),
    ],
)
def test_what_is_not_modelled_is_told(rest: dict[str, Any], said: str) -> None:
    """The answer may be wrong then, and says so."""
    simulation = cluster(node("a"))
    simulation.feasible(Pod.from_resource(pod("web", **rest)))
    (only,) = simulation.unsupported
    assert said in only


def test_an_ordinary_pod_is_judged_without_reserve() -> None:
    """Nothing is said to be unmodelled where nothing is."""
    simulation = cluster(node("a"))
    simulation.place(pods(workload("Deployment", "web", requests={"cpu": "1"})), seed=0)
    assert simulation.unsupported == ()


def test_a_node_that_does_not_say_what_it_holds_proves_nothing() -> None:
    """It refuses no pod for lack of room, and the answer is not proven."""
    simulation = cluster(thing("Node", "a", metadata={"labels": {HOST: "a"}}))
    placement = simulation.place(pods(workload("Deployment", "web")), seed=0)
    assert placement.bound == {"shop/web-0": "a"}
    assert simulation.unsupported == ("nodes do not say what they can hold: a",)


def test_a_nonsense_quantity_of_a_node_is_named() -> None:
    """The node is found by name."""
    simulation = cluster(node("a", room={"cpu": "many"}))
    assert simulation.unsupported == ("Node a: status.allocatable.cpu: 'many' is no quantity",)


RICH_NODE = node("a", {RACK: "r"}, taints=[{"key": "x", "value": "y", "effect": "NoSchedule"}])
MORE = {
    "namespaces": ["data"],
    "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["db"]}]},
}
RICH_POD = pod(
    "web",
    on="a",
    requests={"cpu": "1"},
    ports=[{"containerPort": 80, "hostPort": 80}],
    nodeSelector={RACK: "r"},
    tolerations=[{"key": "x", "operator": "Exists"}],
    topologySpreadConstraints=[evenly(RACK), evenly(HOST, whenUnsatisfiable="ScheduleAnyway")],
    affinity={
        **affinity("podAffinity", near(RACK, app="web") | {"namespaceSelector": {}}),
        **affinity("podAntiAffinity", near(HOST, app="db") | MORE),
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": RACK, "operator": "Exists"}]}]
            },
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 1,
                    "preference": {
                        "matchExpressions": [{"key": RACK, "operator": "Gt", "values": ["1"]}]
                    },
                }
            ],
        },
    },
    volumes=[{"name": "d", "persistentVolumeClaim": {"claimName": "d"}}],
    status={"containerStatuses": [{"name": "main", "allocatedResources": {"cpu": "1"}}]},
)
NONSENSE: tuple[Any, ...] = (None, True, -1, 16**6000, 0.5, "", "🙂", [], [None], {}, {"a": [1]})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from _places(inner, (*path, key))


def _with(found: Resource, path: tuple[Any, ...], value: Any) -> Resource:
    manifest: Any = copy.deepcopy(found.manifest)
    inner = manifest
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return Resource(found.ref, manifest, found.origin)


@pytest.mark.parametrize("rich", [RICH_NODE, RICH_POD], ids=["node", "pod"])
def test_nonsense_anywhere_is_survived(rich: Resource) -> None:
    """Whatever stands at any place of a node or a pod, an answer comes back."""
    for path in _places(rich.manifest):
        for value in NONSENSE:
            broken = _with(rich, path, value)
            others = (RICH_NODE,) if rich is RICH_POD else (RICH_POD,)
            simulation = cluster(broken, *others, node("b"))
            incoming = broken if rich is RICH_POD else RICH_POD
            wanted = Pod.from_resource(incoming).on("")
            simulation.place([wanted], seed=0)
            simulation.weighted(wanted)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"])
def test_nonsense_anywhere_in_a_workload_is_survived(kind: str) -> None:
    """Whatever stands at any place of a workload, its pods are placed or told about."""
    claims = [{"metadata": {"name": "d"}, "spec": {"storageClassName": "fast"}}]
    own = {"replicas": 2, "parallelism": 2, "completions": 2, "volumeClaimTemplates": claims}
    rich = workload(kind, "web", own=own, requests={"cpu": "1"}, nodeName="b")
    service = thing("Service", "web", "shop", spec={"selector": {"app": "web"}})
    for path in _places(rich.manifest):
        for value in NONSENSE:
            made = pods(_with(rich, path, value))
            cluster(RICH_NODE, node("b"), service).place(made[:2], seed=0)


def test_a_pod_is_read_the_same_from_a_file_and_from_the_cluster() -> None:
    """What the API server adds to a pod changes nothing here."""
    plain = pod("web", requests={"cpu": "1"})
    added = {"tolerations": [], "schedulerName": "default-scheduler", "priority": 0}
    live = resource({**plain.manifest, "spec": {**plain.manifest["spec"], **added}}, live=True)
    simulation = cluster(node("a"), node("b"))
    one, other = (simulation.weighted(Pod.from_resource(found)) for found in (plain, live))
    assert one == other
