"""What the tests of kube-scheduler say of its filters, asked of the simulation.

The cases are told anew in ``upstream/``: taints, ports, node affinity, resources, topology spread,
affinity between pods, volumes. Expected are the nodes that the whole scheduler lets pass, by the
tables of Kubernetes 1.20 to 1.36. Left out is what they ask of single functions, of plugins with
arguments, of disks that were once part of Kubernetes, and of feature gates that are off.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from .told import Case

FOLDER = Path(__file__).with_name("upstream")


def cases() -> dict[str, Case]:
    """All cases by the file and the words that name them."""
    found: dict[str, Case] = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        for told in yaml.safe_load(file.read_text("utf-8")):
            name = f"{file.stem}: {told['case']}"
            assert name not in found, f"two cases are called {name}"
            found[name] = Case(told)
    return found


CASES = cases()


@pytest.mark.parametrize("name", CASES)
def test_the_same_nodes_pass(name: str) -> None:
    """The nodes that the tables name, and no others; or it is said that nothing is proven."""
    case = CASES[name]
    nodes, unsupported = case.answer()
    assert bool(unsupported) == case.unproven, unsupported
    if not case.unproven:
        assert nodes == sorted(case.fits)


def test_there_are_enough() -> None:
    """Of each plugin cases on both sides; what is not proven is not counted."""
    assert sum(not case.unproven for case in CASES.values()) >= 300
    for file in FOLDER.glob("*.yaml"):
        mine = [case for name, case in CASES.items() if name.startswith(f"{file.stem}: ")]
        assert any(case.fits for case in mine)
        assert any(not case.fits for case in mine)
