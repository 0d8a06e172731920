"""How many volumes of a driver a node can attach: kube-scheduler plugin nodevolumelimits.

What a CSINode does not limit is not limited. Volumes of the drivers that were once part of
Kubernetes are not counted, nor what a VolumeAttachment alone tells of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from auditor.facts.placement.columns import Bools
from auditor.facts.placement.filters import Verdict
from auditor.facts.placement.occupancy import Occupancy
from auditor.facts.wording import text
from auditor.manifests import at, mapping, sequence
from auditor.model import Resource
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Attached:
    """A volume as a node attaches it: once, however many pods mount it."""

    driver: str
    volume: str


Finder = Callable[[str, str], Attached | None]
"""The volume of a claim, by its namespace and name; None where no driver is known of it."""


def limits_of(csi_nodes: Iterable[Resource]) -> Mapping[str, Mapping[str, int]]:
    """Driver → node → how many of its volumes the node attaches at most."""
    found: dict[str, dict[str, int]] = {}
    for each in csi_nodes:
        for driver in map(mapping, sequence(at(each.manifest, ("spec", "drivers")))):
            most = at(driver, ("allocatable", "count"))
            if isinstance(most, int):
                found.setdefault(text(driver.get("name")), {})[each.ref.name] = most
    return found


def attachable(
    wanted: frozenset[Attached],
    limits: Mapping[str, Mapping[str, int]],
    occupancy: Occupancy,
    volume_of: Finder,
) -> Iterator[Verdict]:
    """One verdict for each driver that is limited on some node. Costs a look at each claim that is
    mounted on such a node.
    """
    for driver in sorted({each.driver for each in wanted} & limits.keys()):
        mine = {each for each in wanted if each.driver == driver}
        yield _verdict(driver, mine, limits[driver], occupancy, volume_of)


def _verdict(
    driver: str,
    mine: set[Attached],
    most: Mapping[str, int],
    occupancy: Occupancy,
    volume_of: Finder,
) -> Verdict:
    passes: Bools = occupancy.columns.all.copy()
    for node in most.keys() & occupancy.index.keys():
        index = occupancy.index[node]
        found = (volume_of(*claim) for claim in occupancy.mounted.get(index, ()))
        there = {each for each in found if each and each.driver == driver}
        passes[index] = mine <= there or len(mine | there) <= most[node]
    return Verdict(passes, lambda _: f"has no place left for a volume of {driver}")
