"""A database with a disk of one zone, and the zone is lost."""

from __future__ import annotations

from typing import Any

from auditor.model import Resource
from tests.facts.placement.world import ZONE, workload

from .stories import bench, found, service, volume, zones

POLICY = "placement/bound_to_lost_volume"
TEMPLATE = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


def database(**fields: Any) -> Resource:
    own = {"replicas": 1, "volumeClaimTemplates": [TEMPLATE]}
    return workload("StatefulSet", "db", own=own, **fields)


def test_it_stays_pending_and_no_affinity_mends_that() -> None:
    """The disk is in zone a alone, whatever the pod wishes."""
    there = (*zones("a", "b"), *volume("disk", "data-db-0", "a"), service("db"))
    said = [
        (
            "after the loss of zone a, 1 of its 1 pods stay pending: the volume is there and"
            " nowhere else, which cannot be fixed by affinity"
        )
    ]
    assert found(bench(POLICY), *there, database()) == {POLICY: said}
    rule = {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["b"]}]}
    wish = {
        "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 100, "preference": rule}]
    }
    drawn = database(affinity={"nodeAffinity": wish})
    assert found(bench(POLICY), *there, drawn) == {POLICY: said}


def test_a_disk_that_both_zones_reach_comes_back() -> None:
    """A regional disk outlives the zone."""
    there = (*zones("a", "b"), *volume("disk", "data-db-0", "a", "b"), service("db"))
    assert found(bench(POLICY), *there, database()) == {}
