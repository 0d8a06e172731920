"""Three zones with one pod each, and one of them is lost: which spread lets its pod come back."""

from __future__ import annotations

from tests.facts.placement.world import ZONE, evenly

from .stories import bench, fixed, found, service, web, zones

LOST = "spread/counts_lost_domains"
MINIMUM = "spread/minimum_after_loss"


def test_without_honouring_taints_the_pod_stays_pending() -> None:
    """The lost zone counts as an empty domain: 1/1/0 lets nobody else have two."""
    there = (*zones("a", "b", "c"), service(), web(topologySpreadConstraints=[evenly(ZONE)]))
    assert found(bench(LOST, MINIMUM), *there) == {
        LOST: [
            (
                "after the loss of zone a, 1 of its 3 pods would stay pending: the lost nodes still"
                " count for the constraint over topology.kubernetes.io/zone, as an empty domain"
            )
        ]
    }


def test_its_fix_honours_taints_and_passes() -> None:
    """With ``nodeTaintsPolicy: Honor`` the pod goes to one of the two zones that are left."""
    there = (*zones("a", "b", "c"), service(), web(topologySpreadConstraints=[evenly(ZONE)]))
    after = fixed(bench(LOST), *there)
    spread = after[-1].manifest["spec"]["template"]["spec"]["topologySpreadConstraints"][0]
    assert spread["nodeTaintsPolicy"] == "Honor"
    assert found(bench(LOST, MINIMUM), *after) == {}


def test_with_a_minimum_of_three_it_stays_pending_again() -> None:
    """Two zones are fewer than three: the least count is taken as 0, and nobody may have two."""
    rule = evenly(ZONE, nodeTaintsPolicy="Honor", minDomains=3)
    there = (*zones("a", "b", "c"), service(), web(topologySpreadConstraints=[rule]))
    assert found(bench(LOST, MINIMUM), *there) == {
        MINIMUM: [
            (
                "after the loss of zone a, 1 of its 3 pods would stay pending: fewer than"
                " minDomains 3 of topology.kubernetes.io/zone are left"
            )
        ]
    }
    assert found(bench(LOST, MINIMUM), *fixed(bench(MINIMUM), *there)) == {}


def test_a_fourth_zone_keeps_the_minimum() -> None:
    """With four zones three are left."""
    rule = evenly(ZONE, nodeTaintsPolicy="Honor", minDomains=3)
    there = (*zones("a", "b", "c", "d"), web(topologySpreadConstraints=[rule]))
    assert found(bench(LOST, MINIMUM), *there) == {}
