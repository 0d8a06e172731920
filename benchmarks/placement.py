"""What answers about placement cost: CPU seconds, each the best of three.

``python benchmarks/placement.py [SECTION…]``: without a name all sections.

availability   the exact probability that enough replicas of one workload survive, for 3 to 1,000
               replicas over three zones of ten racks, and of a call that needs twelve services
proof          what a proof asks of the scheduler for one fix, a hundred pods with twenty seeds, on
               the cluster of ``benchmarks/scale.py``: 5,000 nodes and 150,000 pods

For an audit of a whole cluster see ``benchmarks/scale.py``.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from time import process_time

from scale import NODES as NODES_AT_MOST
from scale import PODS as PODS_AT_MOST
from scale import Size, proved, saved

from auditor.facts.availability import Odds, Places, along_path, availability_of
from auditor.facts.availability.places import Place

ODDS = Odds(node=2e-3, rack=5e-4, zone=1e-4, region=1e-5)
ZONES, RACKS, NODES = 3, 10, 100
BAR = 0.05
"""Seconds for one workload, on two cores that are otherwise idle."""
SIZES = (3, 10, 30, 100, 300, 1000)
CALLED = 12


def placed(number: int) -> Place:
    """The place of a node, in turns over zones and racks."""
    zone, rack = number % ZONES, number // ZONES % RACKS
    return ("region", f"zone{zone}", f"rack{rack}", f"node{number}")


PLACES = Places({f"node{number}": placed(number) for number in range(ZONES * RACKS * NODES)})


def spread(replicas: int, offset: int = 0) -> Mapping[str, int]:
    """One replica on each of so many nodes."""
    return {f"node{offset + number}": 1 for number in range(replicas)}


def best(ask: Callable[[], object]) -> float:
    """The CPU seconds of the fastest of three times."""
    found = []
    for _ in range(3):
        start = process_time()
        ask()
        found.append(process_time() - start)
    return min(found)


def availability() -> None:
    """One workload of each size, then a call."""
    for replicas in SIZES:
        needed = max(1, replicas * 3 // 4)
        standing = spread(replicas)

        def ask(standing: Mapping[str, int] = standing, needed: int = needed) -> object:
            return availability_of(standing, needed, PLACES, ODDS)

        print(f"{replicas:>5} replicas, {needed} needed: {best(ask) * 1000:7.2f} ms (bar: 50 ms)")
    path = [(spread(2, offset * 2), 1) for offset in range(CALLED)]
    taken = best(lambda: along_path(path, PLACES, ODDS))
    told = along_path(path, PLACES, ODDS)
    print(f"a call through {CALLED} services of two replicas: {taken * 1000:.1f} ms, {told}")


def proof() -> None:
    """Of the largest supported cluster; making it takes longer than all the rest."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cluster.snapshot"
        saved(Size(NODES_AT_MOST, PODS_AT_MOST), file)
        print(proved(file))


SECTIONS: Mapping[str, Callable[[], None]] = {"availability": availability, "proof": proof}


def main() -> None:
    """Run the sections that are named."""
    for name in sys.argv[1:] or SECTIONS:
        print(f"{name}:")
        SECTIONS[name]()


if __name__ == "__main__":
    main()
