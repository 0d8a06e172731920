"""ClusterNetworkPolicy against the conformance tests of network-policy-api: 24 tests, 301 probes.

A probe says whether one pod reaches another on one port, in the state that a step leaves.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts.network import Network, Request, Verdict
from auditor.facts.workloads import workloads_of
from auditor.model import Origin, Ref, Resource, Snapshot, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance"))
DATA = SHARED / "network-policy-api-conformance"
CLUSTER_WIDE = ("Namespace", "Node", "ClusterNetworkPolicy")

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


@pytest.fixture(scope="module")
def cases() -> list[Path]:
    """The folders of all tests."""
    found = sorted((DATA / "cases").glob("*/expected.json"))
    if not found:
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [file.parent for file in found]


def _resources(file: Path) -> Iterator[Resource]:
    for manifest in yaml.load_all(file.read_text("utf-8"), Loader=yaml.CSafeLoader):
        metadata = manifest["metadata"]
        namespace = "" if manifest["kind"] in CLUSTER_WIDE else metadata["namespace"]
        ref = Ref(manifest["apiVersion"], manifest["kind"], namespace, metadata["name"])
        yield Resource(ref, manifest, Origin(file.name, NoLines()))


def _network(folder: Path, step: dict[str, Any]) -> Network:
    objects = (*_resources(DATA / "topology.yaml"), *_resources(folder / step["manifests"]))
    snapshot = Snapshot(objects)
    return Network(snapshot, workloads_of(snapshot))


def test_every_probe_agrees(cases: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    """Our verdict is the expected one, and never undefined."""
    probes, wrong = 0, []
    for folder in cases:
        for step in json.loads((folder / "expected.json").read_text("utf-8"))["steps"]:
            network = _network(folder, step)
            assert not network.invalid
            assert not network.gaps
            pods = {workload.name: workload for workload in network.workloads}
            for probe in step["probes"]:
                request = Request(probe["port"], probe["protocol"])
                ruling = network.ruling(pods[probe["src"]], pods[probe["dst"]], request)
                expected = Verdict.ALLOWED if probe["allowed"] else Verdict.DENIED
                probes += 1
                if ruling.verdict is not expected:
                    wrong.append((folder.name, step["step"], probe, ruling))
    with capsys.disabled():
        print(f"\nnetwork-policy-api: {probes - len(wrong)} of {probes} probes agree")  # noqa: T201 the score
    assert not wrong, wrong[:10]
    assert probes > 300
