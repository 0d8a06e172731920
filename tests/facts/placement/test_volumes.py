"""Volumes tie pods to the places where the data is."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.facts.placement import Pod
from auditor.model import Resource
from tests.facts.placement.world import ZONE, cluster, fits, node, pod, pods, thing, workload

NODES = (node("a", {ZONE: "z1"}), node("b", {ZONE: "z2"}))


def claim(name: str = "data", **rest: Any) -> Resource:
    return thing("PersistentVolumeClaim", name, "shop", spec=rest)


def volume(name: str = "pv", labels: dict[str, str] | None = None, **rest: Any) -> Resource:
    return thing("PersistentVolume", name, metadata={"labels": labels or {}}, spec=rest)


def storage(name: str = "fast", mode: str = "WaitForFirstConsumer", **rest: Any) -> Resource:
    rest = {"provisioner": "csi.example.com", "volumeBindingMode": mode} | rest
    return thing("StorageClass", name, **rest)


def db(**rest: Any) -> Resource:
    mounted = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return pod("db", volumes=mounted, **rest)


def in_zone(zone: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": [zone]}]}
    return {"required": {"nodeSelectorTerms": [term]}}


def test_a_pod_runs_where_its_volume_is() -> None:
    """The node affinity of a bound volume counts."""
    bound = (claim(volumeName="pv"), volume(nodeAffinity=in_zone("z2")))
    simulation = cluster(*NODES, *bound)
    assert fits(simulation, db()) == ["b"]
    assert not simulation.unsupported


def test_a_zone_label_of_a_volume_counts_too() -> None:
    """A volume in several zones lists them with two underscores between."""
    bound = claim(volumeName="pv")
    assert fits(cluster(*NODES, bound, volume(labels={ZONE: "z2"})), db()) == ["b"]
    assert fits(cluster(*NODES, bound, volume(labels={ZONE: "z1__z2"})), db()) == ["a", "b"]


def test_a_volume_that_is_made_where_the_pod_goes_holds_nobody_back() -> None:
    """WaitForFirstConsumer without limits lets every node pass."""
    simulation = cluster(*NODES, claim(storageClassName="fast"), storage())
    assert fits(simulation, db()) == ["a", "b"]
    assert not simulation.unsupported


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        pytest.param([], "the PersistentVolumeClaim is not given", id="no claim"),
        pytest.param([claim(volumeName="pv")], "PersistentVolume pv is not given", id="no volume"),
        pytest.param(
            [claim(storageClassName="fast")], "StorageClass fast is not given", id="no class"
        ),
        pytest.param(
            [claim()], "its claim names no StorageClass and none is the default", id="no default"
        ),
        pytest.param(
            [claim(storageClassName="fast"), storage(mode="Immediate")],
            "StorageClass fast chooses the place before the pod has one",
            id="made at once",
        ),
        pytest.param(
            [
                claim(storageClassName="fast"),
                storage(
                    allowedTopologies=[{"matchLabelExpressions": [{"key": "zone", "values": "a"}]}]
                ),
            ],
            "StorageClass fast: allowedTopologies.0.matchExpressions.0.values is no list of texts",
            id="places that cannot be read",
        ),
    ],
)
def test_what_a_provisioner_decides_is_not_proven(resources: list[Resource], why: str) -> None:
    """Where the place of a volume cannot be told, that is said."""
    simulation = cluster(*NODES, *resources)
    fits(simulation, db())
    assert simulation.unsupported == (
        f"where the volume data of pod shop/db can be mounted: {why}",
    )


def test_a_stateful_set_brings_its_own_claims() -> None:
    """Each replica mounts a claim of its name, made of the template or found."""
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}
    own = {"replicas": 2, "volumeClaimTemplates": [template]}
    made = pods(workload("StatefulSet", "db", own=own))
    old = (claim("data-db-0", volumeName="pv"), volume(nodeAffinity=in_zone("z2")))
    simulation = cluster(*NODES, storage(), *old)
    assert simulation.feasible(made[0]).nodes == ("b",)
    assert simulation.feasible(made[1]).nodes == ("a", "b")
    assert not simulation.unsupported


def test_a_volume_for_one_pod_is_for_one_pod() -> None:
    """ReadWriteOncePod keeps a second pod pending."""
    alone = (claim(volumeName="pv", accessModes=["ReadWriteOncePod"]), volume())
    assert fits(cluster(*NODES, *alone), db()) == ["a", "b"]
    taken = pod(
        "old", on="a", volumes=[{"name": "x", "persistentVolumeClaim": {"claimName": "data"}}]
    )
    assert fits(cluster(*NODES, *alone, taken), db()) == []


def attaching(name: str, most: int) -> Resource:
    driver = {"name": "csi.example.com", "allocatable": {"count": most}}
    return thing("CSINode", name, spec={"drivers": [driver]})


def test_claims_that_a_controller_has_yet_to_make_count_towards_what_a_node_attaches() -> None:
    """Of three pods with a volume each, two find a node where each attaches one."""
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}
    own = {"replicas": 3, "volumeClaimTemplates": [template]}
    wanted = pods(workload("StatefulSet", "db", own=own))
    simulation = cluster(*NODES, storage(), attaching("a", 1), attaching("b", 1))
    placed = simulation.place(wanted, 0)
    assert sorted(placed.bound.values()) == ["a", "b"]
    (why,) = placed.unschedulable.values()
    assert why == "no node can take it: a, b has no place left for a volume of csi.example.com"


def test_what_leaves_a_node_is_detached() -> None:
    """And a fork of the cluster attaches on its own."""
    bound = (
        claim(volumeName="pv"),
        volume(csi={"driver": "csi.example.com", "volumeHandle": "v"}),
        claim("other", volumeName="pv2"),
        volume("pv2", csi={"driver": "csi.example.com", "volumeHandle": "w"}),
    )
    mounted = [{"name": "other", "persistentVolumeClaim": {"claimName": "other"}}]
    holder = pod("holder", "a", volumes=mounted)
    simulation = cluster(*NODES, *bound, holder, attaching("a", 1), attaching("b", 1))
    assert fits(simulation, db()) == ["b"]
    free = simulation.fork()
    free.release(Pod.from_resource(holder), "a")
    assert fits(free, db()) == ["a", "b"]
    assert fits(simulation, db()) == ["b"]


def test_a_class_makes_volumes_in_its_places_alone() -> None:
    """One of the terms has to match; a term without any expression matches no node."""
    zones = [{"key": ZONE, "values": ["z2", "z3"]}]
    for terms, nodes in (([{"matchLabelExpressions": zones}], {"b"}), ([{}], set())):
        simulation = cluster(
            *NODES, claim(storageClassName="fast"), storage(allowedTopologies=terms)
        )
        assert set(fits(simulation, db())) == nodes
        assert not simulation.unsupported
