"""`auditor placement simulate` and `what-if`, whose forms are fixed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command

Manifest = dict[str, Any]

POD: Manifest = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
    "spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": "2"}}}]},
}


def node(name: str, cpu: str) -> Manifest:
    """A node with this much CPU."""
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "10"}
    metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
    status = {"allocatable": allocatable}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}


def written(folder: Path, case: Any) -> Path:
    """A file with the case."""
    file = folder / "case.json"
    file.write_text(case if isinstance(case, str) else json.dumps(case))
    return file


def state(**more: Any) -> Manifest:
    """Two nodes, of which one is too small."""
    nodes = [node("large", "4"), node("small", "1")]
    return {"namespaces": [], "nodes": nodes, "pods": [], "incoming": POD, **more}


def test_simulate_says_where_a_pod_fits_and_why_not_elsewhere(
    auditor: Command, tmp_path: Path
) -> None:
    file = written(tmp_path, state())
    said = auditor("placement", "simulate", "--state", file, "--format", "json")
    answer = json.loads(said.out)
    assert said.code == 0
    assert answer["feasible"] == ["large"]
    assert list(answer["scores"]) == ["large"]
    assert "cpu" in answer["reasons"]["small"].lower()


def test_simulate_says_in_words_what_it_cannot_prove(auditor: Command, tmp_path: Path) -> None:
    spec = {**POD["spec"], "schedulerName": "another"}
    file = written(tmp_path, state(incoming={**POD, "spec": spec}))
    said = auditor("placement", "simulate", "--state", file)
    assert "large: can take it" in said.out
    assert "not provable" in said.err
    assert "another" in said.err


@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        ("{", "is no JSON"),
        ("[]", "has to be one JSON object"),
        ({"nodes": []}, "incoming is missing"),
        (state(nodes=[7]), "nodes[0] has to be an object"),
        (state(nodes={"a": 1}), "nodes has to be a list"),
        (state(pods=[{**POD, "metadata": None}]), "pods[0].metadata has to be an object"),
        (state(incoming={**POD, "kind": "Node"}), "incoming.kind has to be Pod"),
    ],
)
def test_simulate_names_the_field_that_is_wrong(
    case: Any, complaint: str, auditor: Command, tmp_path: Path
) -> None:
    said = auditor("placement", "simulate", "--state", written(tmp_path, case))
    assert said.code == 2
    assert complaint in said.err
    assert "case.json" in said.err


def eviction(least: int, *order: str) -> Manifest:
    """Three ready pods of a StatefulSet under a budget."""
    labels = {"app": "web"}
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running"}
    pods = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"web-{number}", "namespace": "shop", "labels": labels},
            "spec": {"nodeName": "n1"},
            "status": ready,
        }
        for number in range(3)
    ]
    metadata = {"name": "web", "namespace": "shop"}
    spec = {"replicas": 3, "selector": {"matchLabels": labels}}
    workload = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata, "spec": spec}
    budget = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata,
        "spec": {"minAvailable": least, "selector": {"matchLabels": labels}},
    }
    return {"objects": [workload, *pods, budget], "action": {"type": "evict", "order": order}}


def test_what_if_answers_evictions_until_the_budget_is_spent(
    auditor: Command, tmp_path: Path
) -> None:
    file = written(tmp_path, eviction(1, "web-0", "web-1", "web-2"))
    said = auditor("placement", "what-if", "--case", file, "--format", "json")
    answer = json.loads(said.out)
    assert [step["answer"]["code"] for step in answer["steps"]] == [201, 201, 429]
    assert answer["initial"]["web"]["disruptionsAllowed"] == 2


@pytest.mark.parametrize(
    ("case", "complaint"),
    [
        ({"action": {"type": "evict"}}, "objects: has to be a list"),
        ({"objects": [], "action": {}}, "action.type: is missing"),
        ({"objects": [], "action": {"type": "paint"}}, "no model of the action 'paint'"),
        (eviction(1, "web-9"), "there is no pod 'web-9'"),
    ],
)
def test_what_if_names_what_is_wrong(
    case: Any, complaint: str, auditor: Command, tmp_path: Path
) -> None:
    said = auditor("placement", "what-if", "--case", written(tmp_path, case))
    assert said.code == 2
    assert complaint in said.err
