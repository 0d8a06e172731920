"""What keeps a pod off a node, whoever else is there."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.placement import Pod
from tests.facts.placement.world import affinity, cluster, fits, node, pod

GPU = {"key": "dedicated", "value": "gpu", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("tolerations", "admitted"),
    [
        pytest.param([], False, id="none"),
        pytest.param([{"key": "dedicated", "operator": "Exists"}], True, id="the key"),
        pytest.param([{"key": "dedicated", "value": "gpu"}], True, id="the value, Equal unsaid"),
        pytest.param([{"key": "dedicated", "value": "db"}], False, id="another value"),
        pytest.param([{"operator": "Exists"}], True, id="everything"),
        pytest.param([{"operator": "Exists", "effect": "NoExecute"}], False, id="another effect"),
    ],
)
def test_a_taint_keeps_pods_away(tolerations: list[Any], admitted: bool) -> None:
    """Only a pod that tolerates the taint of a node may run there."""
    simulation = cluster(node("plain"), node("gpu", taints=[GPU]))
    found = fits(simulation, pod("web", tolerations=tolerations))
    assert found == (["plain", "gpu"] if admitted else ["plain"])


def test_a_taint_that_merely_warns_keeps_nobody_away() -> None:
    """PreferNoSchedule makes a node less liked, not forbidden."""
    warned = node("warned", taints=[GPU | {"effect": "PreferNoSchedule"}])
    simulation = cluster(node("plain"), warned)
    assert fits(simulation, pod("web")) == ["plain", "warned"]
    assert _best(simulation, pod("web")) == {"plain"}


def _best(simulation: Any, found: Any) -> set[str]:
    totals = simulation.scores(Pod.from_resource(found))
    return {name for name, total in totals.items() if total == max(totals.values())}


def test_a_node_that_is_not_ready_is_waited_for() -> None:
    """The API server has every pod tolerate such a node for a while."""
    taint = {"key": "node.kubernetes.io/not-ready", "effect": "NoExecute"}
    assert fits(cluster(node("a", taints=[taint])), pod("web")) == ["a"]


def test_a_cordoned_node_takes_no_new_pods() -> None:
    """Only pods that tolerate the unschedulable taint still go there."""
    simulation = cluster(node("a", unschedulable=True))
    agent = {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}
    assert fits(simulation, pod("web")) == []
    assert fits(simulation, pod("agent", tolerations=[agent])) == ["a"]


@pytest.mark.parametrize(
    ("term", "nodes"),
    [
        ({"key": "disk", "operator": "In", "values": ["ssd", "nvme"]}, ["b"]),
        ({"key": "disk", "operator": "NotIn", "values": ["ssd"]}, ["a", "c"]),
        ({"key": "disk", "operator": "Exists"}, ["a", "b"]),
        ({"key": "disk", "operator": "DoesNotExist"}, ["c"]),
        ({"key": "gen", "operator": "Gt", "values": ["4"]}, ["b"]),
        ({"key": "gen", "operator": "Lt", "values": ["5"]}, ["a"]),
    ],
)
def test_node_affinity_chooses_by_label(term: dict[str, Any], nodes: list[str]) -> None:
    """A label that is absent is not in any list, and is no number."""
    simulation = cluster(
        node("a", {"disk": "hdd", "gen": "4"}),
        node("b", {"disk": "ssd", "gen": "10"}),
        node("c", {"gen": "old"}),
    )
    assert fits(simulation, pod("web", affinity=_required({"matchExpressions": [term]}))) == nodes


def _required(*terms: dict[str, Any]) -> dict[str, Any]:
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"nodeAffinity": rule}


def test_terms_are_alternatives_and_an_empty_one_means_no_node() -> None:
    """A term without conditions does not mean "any node"."""
    simulation = cluster(node("a"), node("b"))
    named = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}
    assert fits(simulation, pod("web", affinity=_required({}))) == []
    assert fits(simulation, pod("web", affinity=_required({}, named))) == ["b"]


def test_the_node_selector_counts_beside_node_affinity() -> None:
    """Both must be met."""
    simulation = cluster(node("a", {"x": "1"}), node("b", {"x": "1", "y": "1"}))
    exists = {"matchExpressions": [{"key": "y", "operator": "Exists"}]}
    wanted = pod("web", nodeSelector={"x": "1"}, affinity=_required(exists))
    assert fits(simulation, wanted) == ["b"]


@pytest.mark.parametrize(
    ("port", "nodes"),
    [
        pytest.param({"hostPort": 80}, ["free"], id="the same port"),
        pytest.param({"hostPort": 81}, ["busy", "free"], id="another port"),
        pytest.param({"hostPort": 80, "protocol": "UDP"}, ["busy", "free"], id="another protocol"),
        pytest.param({"hostPort": 80, "hostIP": "10.0.0.9"}, ["free"], id="one address of all"),
    ],
)
def test_a_port_of_the_node_is_taken_once(port: dict[str, Any], nodes: list[str]) -> None:
    """Address, protocol and port together are what two pods cannot share."""
    taken = pod("old", on="busy", ports=[{"containerPort": 80, "hostPort": 80}])
    simulation = cluster(node("busy"), node("free"), taken)
    assert fits(simulation, pod("new", ports=[{"containerPort": 80, **port}])) == nodes


def test_on_the_network_of_the_node_every_port_is_one_of_the_node() -> None:
    """Two pods with hostNetwork and the same container port need two nodes."""
    ports = [{"containerPort": 9100}]
    taken = pod("old", on="a", hostNetwork=True, ports=ports)
    simulation = cluster(node("a"), node("b"), taken)
    assert fits(simulation, pod("new", hostNetwork=True, ports=ports)) == ["b"]


@pytest.mark.parametrize(
    ("requests", "nodes"),
    [
        pytest.param({"cpu": "1"}, ["half", "empty"], id="to the last thousandth"),
        pytest.param({"cpu": "1001m"}, ["empty"], id="a thousandth too much"),
        pytest.param({"memory": "8Gi"}, ["empty"], id="memory"),
        pytest.param({"example.com/gpu": "1"}, [], id="a resource that no node has"),
        pytest.param({}, ["half", "empty"], id="nothing"),
    ],
)
def test_what_is_asked_for_must_be_left(requests: dict[str, str], nodes: list[str]) -> None:
    """The requests of the pods on a node count, not what they use."""
    old = pod("old", on="half", requests={"cpu": "3", "memory": "1Gi"})
    assert fits(cluster(node("half"), node("empty"), old), pod("new", requests=requests)) == nodes


def test_a_node_is_full_when_it_holds_as_many_pods_as_it_takes() -> None:
    """Even pods that ask for nothing count, those that have ended do not."""
    full = [pod(f"p{number}", on="full") for number in range(2)]
    ended = [pod(f"e{number}", on="ended", status={"phase": "Succeeded"}) for number in range(2)]
    small = {"pods": "2"}
    simulation = cluster(node("full", room=small), node("ended", room=small), *full, *ended)
    assert fits(simulation, pod("new")) == ["ended"]


def _containers(*cpus: str, always: bool = False) -> list[dict[str, Any]]:
    policy = {"restartPolicy": "Always"} if always else {}
    return [
        {"name": f"c{n}", "resources": {"requests": {"cpu": cpu}}, **policy}
        for n, cpu in enumerate(cpus)
    ]


@pytest.mark.parametrize(
    ("rest", "needs"),
    [
        pytest.param({"containers": _containers("1", "2")}, 3000, id="containers add up"),
        pytest.param({"initContainers": _containers("3", "2")}, 3000, id="the neediest start"),
        pytest.param({"initContainers": _containers("1", always=True)}, 2000, id="a sidecar stays"),
        pytest.param(
            {"initContainers": _containers("1", always=True) + _containers("3")},
            4000,
            id="a start beside a sidecar",
        ),
        pytest.param({"overhead": {"cpu": "250m"}}, 1250, id="overhead"),
        pytest.param({"resources": {"requests": {"cpu": "500m"}}}, 500, id="of the pod itself"),
        pytest.param({"resources": {"limits": {"cpu": "4"}}}, 1000, id="a limit of the pod alone"),
    ],
)
def test_a_pod_needs_what_its_neediest_moment_needs(rest: dict[str, Any], needs: int) -> None:
    """The example pod has one container that asks for one CPU."""
    found = Pod.from_resource(pod("web"))
    body = {"containers": _containers("1"), **rest}
    shape = type(found.shape)(body, "shop", {}, {})
    assert shape.requests.amounts["cpu"] == needs


def test_a_limit_is_a_request_where_none_is_written() -> None:
    """The API server copies it."""
    found = pod("web", resources={"limits": {"cpu": "4001m"}})
    assert fits(cluster(node("a")), found) == []


def test_a_pod_that_shrinks_holds_its_room_until_it_has_shrunk() -> None:
    """While a resize is under way, the most of what is asked and granted counts."""
    state = {"name": "main", "allocatedResources": {"cpu": "4"}}
    shrinking = pod("old", on="a", requests={"cpu": "1"}, status={"containerStatuses": [state]})
    assert fits(cluster(node("a"), shrinking), pod("new", requests={"cpu": "1"})) == []


def test_the_reason_of_each_node_is_told() -> None:
    """Who asks why a pod is pending gets one reason per node."""
    simulation = cluster(node("a", unschedulable=True), node("b", taints=[GPU]), node("c"))
    wanted = Pod.from_resource(pod("web", requests={"cpu": "5"}))
    assert simulation.feasible(wanted).refused == {
        "a": "is cordoned",
        "b": "has the taint dedicated=gpu:NoSchedule, which the pod does not tolerate",
        "c": "has too little CPU left",
    }


def test_affinity_to_nobody_is_no_condition() -> None:
    """An empty list of terms asks for nothing."""
    assert fits(cluster(node("a")), pod("web", affinity=affinity("podAffinity"))) == ["a"]
