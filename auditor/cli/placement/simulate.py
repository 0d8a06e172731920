"""`auditor placement simulate`: one pod, one cluster, and what kube-scheduler would make of it.

The form of its JSON is fixed: recorded answers of real schedulers are compared with it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.gathered import answer_form
from auditor.cli.placement.state import case_file, read_case

if TYPE_CHECKING:
    from auditor.cli.placement.state import CaseFile
    from auditor.facts.placement import Pod, Simulation

LISTS = ("namespaces", "nodes", "pods")
"""The lists of a case that are always read; `objects` may hold whatever else matters."""


@click.command(short_help="Say which nodes can take a pod, and how they score.")
@click.option(
    "--state",
    "file",
    type=case_file,
    required=True,
    help='The cluster and the pod: {"namespaces", "nodes", "pods", "incoming"}; - for stdin.',
)
@answer_form("text", "json")
def simulate(file: Path, form: str) -> int:
    """Say which nodes of a cluster can take one more pod, how they score, and why others cannot.

    The state is one JSON object: "namespaces", "nodes" and "pods" are what is there, "objects"
    whatever else counts (volumes and claims, classes), "incoming" is the pod. Filters, scores and
    weights are those of kube-scheduler 1.36 with its default profile.
    """
    case = read_case(file)
    pod, simulation = _simulated(case)
    answer = _answer(pod, simulation)
    if form == "json":
        from auditor.reporters.encoded import encoded

        click.echo(encoded(answer), nl=False)
    else:
        _tell(answer)
    return 0


def _simulated(case: CaseFile) -> tuple[Pod, Simulation]:
    from auditor.facts.placement import Pod, Simulation, Topology
    from auditor.manifests import mapping, texts
    from auditor.model import Settings, Snapshot

    incoming = case.resource("incoming")
    if incoming.ref.kind != "Pod":
        raise case.wrong("incoming.kind", "has to be Pod")
    found = (r for key in (*LISTS, "objects") for r in case.resources(key))
    snapshot = Snapshot(tuple(found))
    spaces = {
        r.ref.name: texts(mapping(r.manifest.get("metadata")).get("labels"))
        for r in snapshot.of_kind("Namespace")
    }
    placed = [Pod.from_resource(r) for r in snapshot.of_kind("Pod")]
    topology = Topology.from_snapshot(snapshot, Settings())
    return Pod.from_resource(incoming), Simulation(topology, spaces, placed, snapshot)


def _answer(pod: Pod, simulation: Simulation) -> dict[str, Any]:
    """The fixed form; what keeps the answer from being a proof stands beside it, if anything."""
    feasible = simulation.feasible(pod)
    answer = {
        "feasible": list(feasible.nodes),
        "scores": dict(simulation.scores(pod)),
        "reasons": dict(feasible.refused),
    }
    unproven = simulation.unsupported
    return {**answer, "notProvable": list(unproven)} if unproven else answer


def _tell(answer: dict[str, Any]) -> None:
    from auditor.cli.screen import say

    scores = answer["scores"]
    for node in sorted(answer["feasible"], key=lambda name: -scores[name]):
        say(f"{node}: can take it, score {scores[node]}")
    for node, why in answer["reasons"].items():
        say(f"{node}: {why}")
    if not answer["feasible"] and not answer["reasons"]:
        say("there is no node")
    for sentence in answer.get("notProvable", ()):
        say(f"not provable: {sentence}", err=True)
