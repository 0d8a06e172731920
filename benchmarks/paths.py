"""What the paths to personal data cost: CPU seconds for a cluster of pods, policies and bindings.

``python benchmarks/paths.py [PODS…] [--alike N]`` makes the clusters of ``benchmarks/network.py``
(400 and 10,000 pods without an argument) and adds a service account for each application, a role in
its namespace that reads ConfigMaps, a binding that lets every 100th run commands there, and a
monitor with the proxy of all pods. Measured in a process of its own: to load it, to put the graph
together, and to find all paths and cuts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from network import Shape

BAR = 20.0
"""CPU seconds for all of it with 10,000 pods, on two cores that are otherwise idle."""
RBAC = "rbac.authorization.k8s.io"
EXEC_EVERY = 100
OWNER_EVERY = 500


def objects(shape: Shape) -> Iterator[dict[str, Any]]:
    """The cluster with accounts, roles and bindings, and a few pods that own their node."""
    for one in shape.objects():
        if one["kind"] == "Pod":
            number = int(one["metadata"]["name"].removeprefix("pod"))
            one["spec"]["serviceAccountName"] = f"app{number % shape.apps}"
            if number % OWNER_EVERY == 7:
                one["spec"]["containers"][0]["securityContext"] = {"privileged": True}
        yield one
    for space in range(shape.spaces):
        yield _role(f"ns{space}", "reader", ["configmaps"], ["get"])
        yield _role(f"ns{space}", "debugger", ["pods/exec"], ["create"])
    for app in range(shape.apps):
        yield _binding(shape, app, "reader")
        if app % EXEC_EVERY == 3:
            yield _binding(shape, app, "debugger")
    yield {**_role("", "proxy", ["pods/proxy"], ["get"]), "kind": "ClusterRole"}
    yield {**_binding(shape, 1, "proxy"), "kind": "ClusterRoleBinding"}


def _role(space: str, name: str, resources: list[str], verbs: list[str]) -> dict[str, Any]:
    rule = {"apiGroups": [""], "resources": resources, "verbs": verbs}
    metadata = {"name": name, "namespace": space}
    return {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": [rule]}


def _binding(shape: Shape, app: int, role: str) -> dict[str, Any]:
    space = shape.home(app)
    kind = "ClusterRole" if role == "proxy" else "Role"
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"app{app}-{role}", "namespace": space},
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": f"app{app}", "namespace": space}],
    }


def measure(shape: Shape, file: Path) -> None:
    """Print what each step costs. In a process of its own: nothing is warm but the modules."""
    import auditor.facts.paths.findings
    from auditor.facts import facts_of
    from auditor.model import Settings
    from auditor.sources.files import FileSource

    start = process_time()
    snapshot = FileSource((str(file),)).snapshot()
    loaded = process_time()
    graph = auditor.facts.paths.PathGraph(facts_of(snapshot, Settings()))
    means = len(graph.means)
    known = process_time()
    found = [auditor.facts.paths.findings.paths_to(graph, store) for store in graph.stores]
    ended = process_time()
    paths = sum(len(one.paths) for one in found)
    cuts = sum(len(one.cut.taken) for one in found)
    _say(f"{shape.pods:,} pods, {len(found):,} stores: {means:,} means, {paths:,} paths")
    _say(f"  cuts of {cuts:,} things, {sum(one.cut.closes for one in found)} close all")
    for what, seconds in (
        ("load", loaded - start),
        ("graph", known - loaded),
        ("paths", ended - known),
        ("together", ended - start),
    ):
        bar = f"  (bar {BAR:g} s)" if what == "together" and shape.pods == 10_000 else ""
        _say(f"  {what:<12}{seconds:8.2f} s CPU{bar}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Each size in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pods", type=int, nargs="*", default=[400, 10_000])
    parser.add_argument("--alike", type=int, default=4)
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.file:
        measure(Shape(asked.pods[0], asked.alike), asked.file)
        return
    for pods in asked.pods:
        shape = Shape(pods, asked.alike)
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"apiVersion": "v1", "kind": "List", "items": list(objects(shape))}, file)
            file.flush()
            told = ["--file", file.name, "--alike", str(shape.alike)]
            subprocess.run([sys.executable, __file__, str(pods), *told], check=True)


if __name__ == "__main__":
    main()
