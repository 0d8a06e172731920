"""A finding about availability is as grave as its effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.audit import audit
from auditor.model import Settings
from auditor.sources.files import FileSource
from tests.bench import bench

FIXTURES = Path(__file__).parents[2] / "fixtures" / "policies"


@pytest.mark.parametrize(
    ("file", "graveness"),
    [
        ("rollout/fewer_than_needed/fail-all-at-once", {"web": "medium", "queue": "low"}),
        ("rollout/stuck_without_room/fail-one-per-node", {"web": "medium"}),
        ("rollout/daemon_set_many_at_once/fail-half", {"logs": "low", "net": "medium"}),
        ("rollout/daemon_set_fits_no_node/fail-no-node", {"gpu": "low"}),
        ("rollout/daemon_set_fits_no_node/fail-from-before", {"gpu": "high"}),
        ("rollout/selectors_overlap/fail-same-labels", {"web": "medium"}),
        ("rollout/selectors_overlap/fail-nobody-scales", {"web": "low"}),
        ("disruption/evicted_pod_fits_nowhere/fail-one-per-node", {"web": "info", "pin": "medium"}),
        (
            "disruption/budget_allows_nothing/fail-nothing-may-go",
            {"web": "medium", "api": "medium", "shop": "medium", "db": "low"},
        ),
        ("health/pods_that_fail/fail-crash-and-no-node", {"web": "medium", "api": "high"}),
        (
            "health/stateful_set_without_service/fail-no-service",
            {"db": "medium", "mq": "low", "kv": "low"},
        ),
    ],
)
def test_a_finding_is_as_grave_as_its_effect(file: str, graveness: dict[str, str]) -> None:
    """What is lost, who asks for it, and whether something mends it by itself."""
    snapshot = FileSource((str(FIXTURES / f"{file}.yaml"),)).snapshot()
    found = audit(snapshot, bench(file.rpartition("/")[0]), Settings()).findings
    assert {finding.ref.name: finding.severity.value for finding in found} == graveness


def test_what_adds_nodes_mends_an_update_that_finds_none(tmp_path: Path) -> None:
    """The new pod waits until the node is there."""
    policy = "rollout/stuck_without_room"
    text = (FIXTURES / policy / "fail-one-per-node.yaml").read_text("utf-8")
    scaler = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: scaler}
spec:
  template:
    metadata: {labels: {app: scaler}}
    spec: {containers: [{name: app, image: registry.example/cluster-autoscaler:v1.34.0}]}
"""
    file = tmp_path / "nodes.yaml"
    file.write_text(text + scaler, "utf-8")
    (finding,) = audit(
        FileSource((str(file),)).snapshot(), bench(policy), Settings()
    ).findings  # fmt: skip
    assert finding.severity.value == "low"
