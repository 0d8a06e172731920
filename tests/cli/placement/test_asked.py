"""What `auditor placement what-if` says of a case that does not say what it means."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.controllers.case import CaseError, seconds_of
from tests.cli.command import Command
from tests.cli.placement.test_placement import Manifest, node, written

WEB: Manifest = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "web:1"}]},
        },
    },
}
POD = {"name": "web-7f-x", "node": "n1", "ready": True}


def case(action: Any, *objects: Any, **more: Any) -> Manifest:
    """Two pods of a Deployment and one node, unless other objects are named."""
    return {"objects": list(objects or (WEB, node("n1", "4"))), "action": action, **more}


def drain(*arguments: str, node: str = "n1") -> Manifest:
    """A drain of one node."""
    return {"type": "kubectl-drain", "steps": [{"node": node, "args": [*arguments]}]}


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        (
            case({"type": "updat"}),
            "case.json: no model of the action 'updat' on Deployment; did you mean 'update'?",
        ),
        (case({"type": "paint"}), "there are create, evict, lose-node, kubectl-drain"),
        (case({"type": "scale", "kind": "Job"}), "known on Deployment, StatefulSet, DaemonSet"),
        (
            case({"type": "create", "object": {"apiVersion": "batch/v1", "kind": "Job"}}),
            "whether an API server takes a Job cannot be told",
        ),
        (case({"type": "update"}), "action.object: is missing"),
        (case({"type": "update", "object": 7}), "action.object: has to be an object"),
        (case({"type": "update", "object": WEB, "objct": WEB}), "did you mean 'object'?"),
        (case({"type": "scale", "kind": "ReplicaSet", "name": "a", "to": [1]}), "no ReplicaSet"),
        (case({"type": "scale", "replicas": 5}), "action.object: is missing"),
        (case({"type": "update", "object": WEB}, node("n1", "4")), "there is no Deployment"),
        (case({"type": "update", "object": WEB}, WEB, {}), "objects[1].kind"),
        (
            case({"type": "update", "object": {**WEB, "spec": {"replicas": "five"}}}),
            "spec.replicas",
        ),
        (case({"type": "kubectl-drain", "nodes": ["n1"]}), "action.steps: is missing"),
        (case(drain()), "initialPods: has to list"),
        (case(drain(node="n9"), initialPods=[POD]), "there is no node 'n9'"),
        (case(drain("--timeout=soon"), initialPods=[POD]), "'soon' is no time"),
        (case({"type": "lose-node", "how": "lease", "nodes": ["n1"]}), "initialPods: has to list"),
        (case({"type": "delete-pod", "pod": "web-0"}), "there is no StatefulSet"),
        (case({"type": "observe"}), "there is no Service"),
        (case({"type": "create"}), "action.object: is missing"),
    ],
)
def test_a_case_that_says_too_little_gets_no_answer(
    asked: Any, complaint: str, auditor: Command, tmp_path: Path
) -> None:
    said = auditor("placement", "what-if", "--case", written(tmp_path, asked))
    assert (said.code, said.out) == (2, "")
    assert complaint in said.err


@pytest.mark.parametrize(
    "words",
    [
        ("--timeout=30s",),
        ("--timeout=90",),
        ("--timeout=5m",),
        ("--timeout=1h2m3.5s",),
        ("--timeout=1500ms",),
        ("--timeout", "1m30s"),
    ],
)
def test_a_drain_takes_the_times_that_kubectl_takes(
    words: tuple[str, ...], auditor: Command, tmp_path: Path
) -> None:
    asked = case(drain("drain", "n1", *words), initialPods=[POD])
    said = auditor("placement", "what-if", "--case", written(tmp_path, asked))
    assert json.loads(said.out)["steps"][0]["result"] == "completed"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [("5s", 5), ("90", 90), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("250ms", 0.25)],
)
def test_times_are_read_as_go_reads_them(time: str, seconds: float) -> None:
    assert seconds_of(time) == seconds


@pytest.mark.parametrize("time", ["", "5 m", "m", "-5s", "5x", "1e3s", "5m5", "9" * 12 + "h"])
def test_what_is_no_time_is_none(time: str) -> None:
    with pytest.raises(CaseError, match="is no time as 5s"):
        seconds_of(time)


def test_a_lost_node_takes_its_pod_along(auditor: Command, tmp_path: Path) -> None:
    action = {"type": "lose-node", "how": "delete", "nodes": ["n1"]}
    asked = case(action, initialPods=[POD])
    said = auditor("placement", "what-if", "--case", written(tmp_path, asked))
    assert json.loads(said.out) == {"podsOfLostNodes": {"web-7f-x@n1": ["gone"]}}


def test_the_examples_of_the_page_are_answered(auditor: Command, tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "placement.md"
    state, asked = re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL)
    said = auditor("placement", "simulate", "--state", written(tmp_path, state))
    assert (said.code, said.out.startswith("n1: can take it")) == (0, True)
    said = auditor("placement", "what-if", "--case", written(tmp_path, asked))
    assert json.loads(said.out)["steps"] == [{"result": "completed", "stillBlockedOn": []}]
