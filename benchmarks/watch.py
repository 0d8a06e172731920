"""What a continuous audit costs: CPU seconds for the first audit, and for the next after a change.

``python benchmarks/watch.py [NODES PODS]`` makes the cluster of `scale` (without arguments 100
nodes and 3,000 pods) and audits it with all policies of the default profile, as `auditor watch`
does, in this process: whole; after a pod was scheduled elsewhere; after one Deployment became
privileged; and where nothing has changed. What telling of it takes is measured beside: the numbers,
the log, and which reports have to be written.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from scale import Size, saved

from auditor.cli.options import PolicyOptions, choose
from auditor.continuous.judge import Judge
from auditor.continuous.reports import wanted
from auditor.continuous.story import Story
from auditor.facts.kept import Keep
from auditor.model import Audit, Resource, Snapshot
from auditor.reporters.prometheus import render
from auditor.reporters.view import View
from auditor.sources.saved import load

NODES, PODS = 100, 3_000


def measured(name: str, work: Callable[[], Any]) -> Any:
    """What the work gives; what it took is printed."""
    start = process_time()
    done = work()
    print(f"  {name:36}{process_time() - start:8.2f} s of CPU", flush=True)
    return done


def moved(state: Snapshot) -> Snapshot:
    """One pod on the node of another."""
    one, *_, other = state.of_kind("Pod")
    spec = {**one.manifest["spec"], "nodeName": other.manifest["spec"].get("nodeName")}
    return state.replacing(replace(one, manifest={**one.manifest, "spec": spec}))


def privileged(state: Snapshot) -> Snapshot:
    """One Deployment whose containers are."""
    one: Resource = next(state.of_kind("Deployment"))
    template = one.manifest["spec"]["template"]
    first, *rest = template["spec"]["containers"]
    containers = [{**first, "securityContext": {"privileged": True}}, *rest]
    pod = {**template["spec"], "containers": containers}
    spec = {**one.manifest["spec"], "template": {**template, "spec": pod}}
    return state.replacing(replace(one, manifest={**one.manifest, "spec": spec}))


def told(audit: Audit, story: Story) -> None:
    """What telling of an audit takes."""
    measured("its numbers", lambda: render(audit, View()))
    measured("its log", lambda: story.tell(audit))
    found = measured("its reports", lambda: list(wanted(audit)))
    print(f"  {len(audit.findings):,} findings, {len(found):,} reports")


def main() -> None:
    """Make the cluster, audit it again and again; print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="?", type=int, default=NODES)
    parser.add_argument("pods", nargs="?", type=int, default=PODS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "cluster.snapshot")
        saved(Size(given.nodes, given.pods), file)
        read = load(file)
    state = replace(read, resources=tuple(map(Keep(), read.resources)))
    options = PolicyOptions("recommended", (), (), None, "regorus", None, None, cni=("spec",))
    chosen = choose(options, Path(), workers=False)
    judge, story = Judge(chosen.bench, lambda _: chosen.judging(state), lambda: 136), Story()
    print(f"{given.nodes:,} nodes, {given.pods:,} pods, {len(state.resources):,} objects")
    told(measured("the whole", lambda: judge.audit(state)), story)
    for name, change in {"a pod moved": moved, "a Deployment privileged": privileged}.items():
        state = change(state)
        told(measured(name, partial(judge.audit, state)), story)
    measured("nothing changed", lambda: judge.audit(state))


if __name__ == "__main__":
    main()
