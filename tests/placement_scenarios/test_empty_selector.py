"""A spread constraint with an empty selector: declared, and without effect."""

from __future__ import annotations

from auditor.facts import Facts
from auditor.model import Settings, Snapshot
from tests.facts.placement.world import ZONE, evenly

from .stories import bench, fixed, found, web, zones

POLICY = "spread/selects_nothing"


def test_it_is_told_with_a_counterfactual() -> None:
    """The scheduler puts every pod where it would put it without the constraint."""
    there = (
        *zones("a", "b", "c"),
        web(6, topologySpreadConstraints=[evenly(ZONE, labelSelector={})]),
    )
    assert found(bench(POLICY), *there) == {
        POLICY: [
            (
                "the constraint over topology.kubernetes.io/zone has no effect: its"
                " labelSelector is empty, and so it counts no pod; without it, the"
                " scheduler puts its 6 pods on the same nodes"
            )
        ]
    }


def test_it_only_keeps_pods_from_nodes_without_the_label() -> None:
    """Seven pods on one node of the zones that are full otherwise: no skew holds them back."""
    rule = evenly(ZONE, labelSelector={})
    there = (*zones("a"), web(7, topologySpreadConstraints=[rule]))
    facts = Facts(Snapshot(there), Settings())
    (workload,) = facts.workloads
    assert len(facts.scheduling.replayed(workload)) == 7


def test_its_fix_counts_the_pods() -> None:
    """With the selector of the template the constraint holds, and nothing is told."""
    there = (
        *zones("a", "b", "c"),
        web(6, topologySpreadConstraints=[evenly(ZONE, labelSelector={})]),
    )
    after = fixed(bench(POLICY), *there)
    assert found(bench(POLICY), *after) == {}
    facts = Facts(Snapshot(after), Settings())
    nodes = list(facts.scheduling.replayed(facts.workloads[0]).values())
    assert sorted(nodes.count(name) for name in set(nodes)) == [2, 2, 2]
