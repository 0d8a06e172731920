"""NetworkPolicy v1 against the tables of cyclonus: 230 cases, 123,669 cells.

A cell says whether one pod reaches another on one port, by ingress, by egress and by both. The
diagonal, a pod and itself, is scored apart: there the tables say what policies would say of another
pod like it, and Kubernetes that a pod always reaches itself.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts.network import SPEC, Direction, Network
from auditor.facts.workloads import Workload, workloads_of
from auditor.model import Origin, Ref, Resource, Snapshot, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "cyclonus"

SIDES: dict[str, tuple[Direction, ...]] = {
    "combined": ("Ingress", "Egress"),
    "ingress": ("Ingress",),
    "egress": ("Egress",),
}

DISAGREEMENTS: dict[tuple[int, int], str] = {}
"""Case and step → why we answer otherwise there. None so far."""

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One answer of the tables beside ours."""

    side: str
    source: str
    target: str
    port: str
    expected: bool
    ours: bool
    certain: bool


@pytest.fixture(scope="module")
def cases() -> list[Path]:
    """The folders of all cases."""
    found = sorted((DATA / "cases").glob("*/expected.json"))
    if not found:
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [file.parent for file in found]


def _resources(file: Path) -> Iterator[Resource]:
    for manifest in yaml.load_all(file.read_text(), Loader=yaml.CSafeLoader):
        metadata = manifest["metadata"]
        namespace = "" if manifest["kind"] == "Namespace" else metadata["namespace"]
        ref = Ref(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])
        yield Resource(ref, manifest, Origin(file.name, NoLines()))


def _network(folder: Path, step: dict[str, Any]) -> Network:
    pods = folder / step["pods"] if "pods" in step else DATA / "pods.yaml"
    objects = (*_resources(pods), *_resources(folder / step["manifests"]))
    snapshot = Snapshot(objects)
    return Network(snapshot, workloads_of(snapshot), SPEC)


def _cells(network: Network, step: dict[str, Any]) -> Iterator[Cell]:
    pods: dict[str, Workload] = {workload.name: workload for workload in network.workloads}
    for port, tables in step["tables"].items():
        protocol, _, number = port.partition("/")
        for side, rows in tables.items():
            for source, row in zip(step["order"], rows, strict=True):
                for target, expected in zip(step["order"], row, strict=True):
                    reach = network.reach(pods[source], pods[target], SIDES[side])
                    yield Cell(
                        side,
                        source,
                        target,
                        port,
                        expected=expected == ".",
                        ours=reach.ports.contains(protocol, int(number)),
                        certain=reach.ports == reach.possible and not reach.unknown,
                    )


def test_every_cell_agrees(cases: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Between different pods our answer is that of the tables, and never uncertain."""
    count: Counter[str] = Counter()
    wrong = []
    for folder in cases:
        expected = json.loads((folder / "expected.json").read_text())
        for step in expected["steps"]:
            for cell in _cells(_network(folder, step), step):
                itself = cell.source == cell.target
                where = f"the diagonal, {cell.side}" if itself else cell.side
                agrees = cell.expected == cell.ours and cell.certain
                count[f"{where}: cells"] += 1
                count[f"{where}: agree"] += agrees
                known = (expected["case"], step["step"]) in DISAGREEMENTS
                if not agrees and not known and not itself:
                    wrong.append((folder.name, step["step"], cell))
    with capsys.disabled():
        for name in (*SIDES, *(f"the diagonal, {side}" for side in SIDES)):
            agree, cells = count[f"{name}: agree"], count[f"{name}: cells"]
            print(f"\ncyclonus {name}: {agree} of {cells} cells agree", end="")  # noqa: T201 the score
    assert not wrong, wrong[:20]
    assert count["combined: cells"] == 109_956
    assert count["the diagonal, combined: cells"] == 13_713
