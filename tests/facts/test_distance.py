"""A service that may run far from its database, although there is room beside it."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts import Facts
from auditor.facts.distance import distance, fars
from auditor.model import Resource, Settings, Snapshot

from .network.cluster import namespace, resource, workload
from .test_dependencies import service

RACK = "topology.kubernetes.io/rack"
ZONE = "topology.kubernetes.io/zone"


def node(name: str, *, cpu: str = "4", zone: str = "a", **spec: Any) -> Resource:
    """A node ``rack-name`` of a rack."""
    labels = {RACK: name.partition("-")[0], ZONE: zone, "kubernetes.io/hostname": name}
    return resource(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
            "status": {"allocatable": {"cpu": cpu, "memory": "8Gi", "pods": "50"}},
        }
    )


def template(name: str, **fields: Any) -> dict[str, Any]:
    """A pod template app=name; the fields go over its specification."""
    return {"metadata": {"labels": {"app": name}}, "spec": fields}


def maker(kind: str, name: str, replicas: int = 1, **fields: Any) -> Resource:
    """A workload with a selector."""
    selector = {"matchLabels": {"app": name}}
    return workload(
        kind, name, replicas=replicas, selector=selector, template=template(name, **fields)
    )


def database(**fields: Any) -> Resource:
    """A database that its node selector binds to rack r2."""
    own = {"containers": [{"name": "db", "image": "postgres:17"}], "nodeSelector": {RACK: "r2"}}
    return maker("StatefulSet", "db", **(own | fields))


def orders(kind: str = "Deployment", replicas: int = 2, cpu: str = "1", **fields: Any) -> Resource:
    """A service that names the database."""
    container = {
        "name": "orders",
        "image": "orders",
        "env": [{"name": "DATABASE_URL", "value": "postgres://db:5432/x"}],
        "resources": {"requests": {"cpu": cpu}},
    }
    return maker(kind, "orders", replicas, containers=[container], **fields)


NODES = (node("r1-a"), node("r1-b"), node("r2-a"), node("r2-b"))
SERVICE = service("default/db", {"port": 5432})


def known(*found: Resource) -> Facts:
    """The facts of a cluster."""
    return Facts(Snapshot((SERVICE, *found)), Settings())


def far(*found: Resource) -> list[str]:
    """Database, rack and hops of everything that orders is needlessly far from."""
    facts = known(*found)
    client = next(w for w in facts.workloads if w.ref.name == "orders")
    return [
        f"{one.edge.target.name} in {one.rack}: {one.hops} instead of {one.near_hops}"
        for one in fars(facts, client)
    ]


FAR = ["default/db in r2: 4 instead of 2"]


def test_nothing_keeps_the_service_in_the_rack() -> None:
    """Two links to another node of the rack, four to another rack of the zone."""
    assert far(*NODES, database(), orders()) == FAR
    assert far(*NODES, node("r3-a", zone="b"), database(), orders()) == [
        "default/db in r2: 6 instead of 2"
    ]


def near(kind: str, key: str = RACK, app: str = "db", **term: Any) -> dict[str, Any]:
    """An affinity to the pods of the database, as a must or as a wish."""
    found = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key, **term}
    if kind == "hard":
        return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [found]}}
    soft = [{"weight": 1, "podAffinityTerm": found}]
    return {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}}


@pytest.mark.parametrize(
    "affinity",
    [
        near("hard"),
        near("soft"),
        near("hard", "kubernetes.io/hostname"),
        near("soft", namespaces=["default"]),
        near("soft", namespaceSelector={}),
    ],
)
def test_an_affinity_draws_the_service_near(affinity: dict[str, Any]) -> None:
    """As a must or as a wish, to its rack or to its node."""
    assert far(*NODES, namespace("default"), database(), orders(affinity=affinity)) == []


@pytest.mark.parametrize(
    "affinity",
    [near("soft", ZONE), near("soft", app="other"), near("soft", namespaces=["other"]), {}, 3],
)
def test_an_affinity_to_something_else_does_not(affinity: Any) -> None:
    """To the zone, to other pods, to another namespace."""
    assert far(*NODES, namespace("default"), database(), orders(affinity=affinity)) == FAR


def node_affinity(kind: str, rack: str) -> dict[str, Any]:
    """A node affinity to a rack."""
    term = {"matchExpressions": [{"key": RACK, "operator": "In", "values": [rack]}]}
    if kind == "hard":
        terms = {"nodeSelectorTerms": [term]}
        return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    soft = [{"weight": 1, "preference": term}]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}}


def test_the_rack_itself_may_be_asked_for() -> None:
    """By a node affinity or a node selector."""
    for kind in ("hard", "soft"):
        assert far(*NODES, database(), orders(affinity=node_affinity(kind, "r2"))) == []
    assert far(*NODES, database(), orders(nodeSelector={RACK: "r2"})) == []
    assert far(*NODES, database(), orders(affinity=node_affinity("soft", "r1"))) == FAR


def wishes(*wanted: tuple[int, list[str]]) -> dict[str, Any]:
    """Node affinity with a weight for each set of racks."""
    soft = [
        {
            "weight": weight,
            "preference": {"matchExpressions": [{"key": RACK, "operator": "In", "values": racks}]},
        }
        for weight, racks in wanted
    ]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}}


@pytest.mark.parametrize(
    ("wanted", "near_enough"),
    [
        ([(1, ["r2"])], True),
        ([(100, ["r2"])], True),
        ([(50, ["r1", "r2"])], False),
        ([(50, ["r1", "r2"]), (1, ["r2"])], True),
        ([(50, ["r1"]), (1, ["r2"])], False),
        ([(50, ["r2", "r3"])], True),
    ],
)
def test_a_wish_counts_by_where_it_leads(wanted: Any, near_enough: bool) -> None:
    """A scheduler adds the weights: who likes two racks alike is kept in none of them."""
    found = far(*NODES, database(), orders(affinity=wishes(*wanted)))
    assert found == ([] if near_enough else FAR)


def test_a_wish_by_another_label_of_the_rack_counts() -> None:
    """Whatever names the nodes of the rack."""
    names = ["r2-a", "r2-b"]
    one = {"key": "kubernetes.io/hostname", "operator": "In", "values": names}
    term = {"matchExpressions": [one]}
    soft = [{"weight": 1, "preference": term}]
    wish = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}}
    assert far(*NODES, database(), orders(affinity=wish)) == []


def colored(one: Resource, color: str) -> Resource:
    """The workload with one more label on its pods."""
    spec: Any = one.manifest["spec"]
    labels = {**spec["template"]["metadata"]["labels"], "color": color}
    template = {**spec["template"], "metadata": {"labels": labels}}
    return resource({**one.manifest, "spec": {**spec, "template": template}})


@pytest.mark.parametrize(("color", "found"), [("blue", []), ("red", FAR)])
def test_match_label_keys_count(color: str, found: list[str]) -> None:
    """They ask for the value that the service's own pods have, which a database need not have."""
    drawn = orders(affinity=near("soft", matchLabelKeys=["color"]))
    assert far(*NODES, colored(database(), "blue"), colored(drawn, color)) == found


def test_a_service_that_cannot_run_in_the_rack_has_no_choice() -> None:
    """It needs to be elsewhere."""
    assert far(*NODES, database(), orders(nodeSelector={RACK: "r1"})) == []


def test_a_rack_without_room_is_no_reproach() -> None:
    """Two pods of three CPUs fit on two nodes of four; three of them, or pods of five, do not."""
    assert far(*NODES, database(), orders(cpu="3")) == FAR
    assert far(*NODES, database(), orders(replicas=3, cpu="3")) == []
    assert far(*NODES, database(), orders(cpu="5")) == []


def test_a_database_that_may_be_anywhere_is_not_far() -> None:
    """It could be scheduled beside the service as well."""
    assert far(*NODES, database(nodeSelector={}), orders()) == []
    assert (
        far(*NODES, database(affinity=node_affinity("soft", "r2"), nodeSelector={}), orders()) == []
    )


def test_who_has_no_pods_is_not_far() -> None:
    """Scaled to nothing, on either side."""
    assert far(*NODES, database(), orders(replicas=0)) == []
    facts = known(*NODES, maker("StatefulSet", "db", 0, nodeSelector={RACK: "r2"}), orders())
    assert [distance(facts, client) for client in facts.workloads] == [None, None]


def test_a_cordoned_node_does_not_decide_where_a_database_may_run() -> None:
    """It will be back; a taint that somebody set is there to stay."""
    free = database(nodeSelector={}, tolerations=[{"key": "db", "operator": "Exists"}])
    taint = [{"key": "db", "effect": "NoSchedule"}]
    cordon = [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]
    away = [node("r1-a", unschedulable=True, taints=cordon)]
    assert far(*away, node("r2-a"), node("r2-b"), free, orders()) == []
    bound = [node("r1-a"), node("r2-a", unschedulable=True, taints=cordon), node("r2-b")]
    assert far(*bound, database(), orders(replicas=1)) == FAR
    assert far(node("r1-a"), node("r1-b"), node("r2-a", taints=taint), free, orders()) == []


def live(one: Resource, owner: str = "", node_name: str = "", cpu: str = "") -> Resource:
    """The object with a uid, and on a node."""
    metadata = {**one.manifest["metadata"], "uid": f"{one.ref.kind}/{one.ref.name}"}
    if owner:
        kind, name = owner.split("/")
        metadata["ownerReferences"] = [
            {"kind": kind, "name": name, "uid": owner, "controller": True}
        ]
    spec = dict(one.manifest["spec"])
    if node_name:
        request = {"requests": {"cpu": cpu}} if cpu else {}
        spec |= {"nodeName": node_name, "containers": [{"name": "m", "resources": request}]}
    return resource({**one.manifest, "metadata": metadata, "spec": spec})


def running(name: str, owner: str, node_name: str, cpu: str) -> Resource:
    """A live pod app=NAME of a controller."""
    bare = resource(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"{name}-{node_name}", "labels": {"app": name}},
            "spec": {},
        }
    )
    return live(bare, owner, node_name, cpu)


def test_its_own_pods_do_not_take_the_room_of_the_service() -> None:
    """What it has today is free for it when it moves; the pods of others are not."""
    own = (live(orders("ReplicaSet", cpu="3")), database(), *NODES)
    mine = [running("orders", "ReplicaSet/orders", f"r2-{n}", "3") for n in "ab"]
    assert far(*own, *mine) == FAR
    other = live(maker("ReplicaSet", "other"))
    theirs = [running("other", "ReplicaSet/other", f"r2-{n}", "3") for n in "ab"]
    assert far(*own, other, *theirs) == []


def test_where_it_runs_today_is_evidence() -> None:
    """Beside the place where it names the database."""
    pods = [running("orders", "ReplicaSet/orders", name, "1") for name in ("r1-a", "gone")]
    facts = known(live(orders("ReplicaSet")), database(), *NODES, *pods)
    client = next(w for w in facts.workloads if w.ref.name == "orders")
    told = distance(facts, client)
    assert told
    assert [reason["message"] for reason in told[0]["evidence"]] == [
        "names Service default/db",
        "orders-r1-a runs on r1-a, rack r1",
        "orders-gone runs on gone",
    ]


def bare(name: str) -> Resource:
    """A node without a rack."""
    return resource({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})


@pytest.mark.parametrize(
    ("nodes", "why"),
    [((), "no Node objects are given"), ((bare("n1"),), f"no node has the label {RACK}")],
)
def test_without_nodes_or_racks_it_cannot_be_told(nodes: Any, why: str) -> None:
    """Which is a gap, and only where somebody uses a database."""
    facts = known(*nodes, database(), orders())
    client = next(w for w in facts.workloads if w.ref.name == "orders")
    assert distance(facts, client) == []
    assert [gap.why for gap in facts.gaps.values()] == [why]
    quiet = known(*nodes, database())
    assert [distance(quiet, w) for w in quiet.workloads] == [None]
    assert quiet.gaps == {}
