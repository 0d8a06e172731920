"""The simulated scheduler against kube-scheduler 1.36.2: 594 clusters with one pod to place.

Recorded are the nodes that passed all filters, the scores, and the node that was chosen.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from auditor.facts.placement import Pod, Simulation, Topology
from auditor.manifests import texts
from auditor.model import Origin, Ref, Resource, Settings, Snapshot, Span
from auditor.model import Path as Place

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("AUDITOR_CONFORMANCE", ROOT / "../shared/conformance")) / "scheduler"

DISAGREEMENTS: dict[str, str] = {}
"""Case → why we answer otherwise there. None so far."""

pytestmark = pytest.mark.conformance


@dataclass(frozen=True, slots=True)
class NoLines:
    """These manifests are not shown to anyone."""

    def span(self, path: Place) -> Span:
        return Span(1, 1, 1, 1)


def _resource(manifest: Mapping[str, Any]) -> Resource:
    metadata = manifest["metadata"]
    ref = Ref(
        manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"]
    )
    return Resource(ref, manifest, Origin("cases.jsonl", NoLines()))


@dataclass(frozen=True)
class Case:
    """One recorded cluster, and what we say of it."""

    recorded: Mapping[str, Any]

    @property
    def expected(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.recorded["expected"]
        return found

    @cached_property
    def incoming(self) -> Pod:
        return Pod.from_resource(_resource(self.recorded["incoming"]))

    @cached_property
    def simulation(self) -> Simulation:
        lists = ("namespaces", "nodes", "pods")
        snapshot = Snapshot(tuple(_resource(m) for name in lists for m in self.recorded[name]))
        namespaces = {
            r.ref.name: texts(r.manifest["metadata"].get("labels"))
            for r in snapshot.of_kind("Namespace")
        }
        placed = [Pod.from_resource(r) for r in snapshot.of_kind("Pod")]
        topology = Topology.from_snapshot(snapshot, Settings())
        return Simulation(topology, namespaces, placed, snapshot)

    @property
    def same_nodes(self) -> bool:
        ours = self.simulation.feasible(self.incoming).nodes
        return sorted(ours) == sorted(self.expected["feasible"] or ())

    @property
    def totals(self) -> Mapping[str, int]:
        scores = self.expected["scores"] or {}
        return {node: score["total"] for node, score in scores.items()}

    @cached_property
    def ours(self) -> Mapping[str, int]:
        return self.simulation.scores(self.incoming)

    @property
    def plugins_agree(self) -> bool:
        """Whether every plugin that was recorded for a node gave what ours gives."""
        ours = self.simulation.weighted(self.incoming)
        return all(
            ours.get(node, {}).get(plugin, 0) == points
            for node, score in (self.expected["scores"] or {}).items()
            for plugin, points in score["weighted"].items()
        )

    @property
    def chosen_is_best(self) -> bool:
        return self.ours.get(self.expected["chosen"], -1) == max(self.ours.values(), default=0)


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """All recorded cases."""
    file = DATA / "cases.jsonl"
    if not file.exists():
        why = f"no recorded answers in {DATA}; set AUDITOR_CONFORMANCE"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(why)
    return [Case(json.loads(line)) for line in file.read_text().splitlines()]


def test_we_answer_as_the_scheduler_does(
    cases: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same nodes can take the pod, with the same scores, and its choice is one of our best."""
    asked: Counter[str] = Counter()
    wrong: dict[str, list[str]] = {}
    for case in cases:
        name = case.recorded["case"]
        answers = {"feasible nodes": case.same_nodes, "certain": not case.simulation.unsupported}
        if case.totals:
            answers["score totals"] = case.ours == case.totals
            answers["plugin scores"] = case.plugins_agree
        if case.expected["chosen"]:
            answers["choice among our best"] = case.chosen_is_best
        for question, agrees in answers.items():
            asked[question] += 1
            if not agrees:
                wrong.setdefault(question, []).append(name)
    with capsys.disabled():
        for question, count in asked.items():
            agree = count - len(wrong.get(question, ()))
            print(f"\nscheduler {question}: {agree} of {count} cases agree", end="")  # noqa: T201 the score
        print(f"\nscheduler known disagreements: {len(DISAGREEMENTS)}", end="")  # noqa: T201 the score
    unknown = {name for names in wrong.values() for name in names} - DISAGREEMENTS.keys()
    assert not unknown, {q: sorted(set(names) & unknown)[:20] for q, names in wrong.items()}
    assert asked["feasible nodes"] > 500
    assert asked["score totals"] > 200
