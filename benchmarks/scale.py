"""What placement costs on a cluster of the largest supported size: CPU seconds and memory.

``python benchmarks/scale.py [NODES PODS] [--smaller N]`` makes, without arguments, 5,000 nodes and
150,000 pods, the limits of https://kubernetes.io/docs/setup/best-practices/cluster-large/: three
zones of fifty racks, Deployments of thirty pods, half of them behind a Service, a third with a
budget, every tenth a database. It is saved as `auditor snapshot` saves a cluster. Measured are,
each in a process of its own, the audit of that file by the policies about placement and
availability, phase by phase and beside that of a cluster N times smaller, and what a proof asks of
the scheduler for one fix: a hundred pods, twenty seeds. CPU seconds can be compared on a machine
that does other work; wall seconds cannot.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

NODES, PODS = 5_000, 150_000
ZONES, RACKS, REPLICAS, SPACES = 3, 150, 30, 250
FOLDERS = "placement capacity spread redundancy rollout disruption routing scaling health"
"""The policies that are measured."""
BARS = {"audit": "60 s and 4 GB on two cores that are otherwise idle", "proof": "2 s"}
HUNDRED, SEEDS = 100, 20
WHERE = "topology.kubernetes.io"
Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How large the cluster is."""

    nodes: int
    pods: int

    def objects(self) -> Iterator[Manifest]:
        """Everything, as an API server lists it; always the same."""
        for number in range(SPACES):
            yield made("v1", "Namespace", f"ns{number}")
        for number in range(self.nodes):
            yield node(number)
        count = max(1, self.pods // REPLICAS)
        for number in range(count):
            yield from App(number, count, self.nodes).objects()


@dataclass(frozen=True, slots=True)
class App:
    """One Deployment with what belongs to it."""

    number: int
    among: int
    nodes: int

    @property
    def name(self) -> str:
        """Its name, and the value of its label."""
        return f"app{self.number}"

    @property
    def home(self) -> str:
        """Its namespace."""
        return f"ns{self.number % SPACES}"

    @property
    def chosen(self) -> Manifest:
        """What selects its pods."""
        return {"matchLabels": {"app": self.name}}

    def objects(self) -> Iterator[Manifest]:
        """The Deployment, its ReplicaSet, its pods, its Service and its budget."""
        labels = {"app": self.name, "pod-template-hash": f"h{self.number}"}
        yield self._deployment()
        yield self._replica_set(labels)
        for index in range(REPLICAS):
            yield self._pod(index, labels)
        if self.number % 2 == 0:
            spec = {"selector": {"app": self.name}, "ports": [{"port": 80, "targetPort": 8080}]}
            yield made("v1", "Service", self.name, self.home, spec=spec)
        if self.number % 3 == 0:
            budget: Manifest = {"selector": self.chosen, "maxUnavailable": 1}
            status = {"disruptionsAllowed": 1}
            yield made(
                "policy/v1", "PodDisruptionBudget", self.name, self.home, spec=budget, status=status
            )

    def _deployment(self) -> Manifest:
        template = {"metadata": {"labels": {"app": self.name}}, "spec": self._template()}
        spec = {"replicas": REPLICAS, "selector": self.chosen, "template": template}
        return made("apps/v1", "Deployment", self.name, self.home, spec=spec)

    def _replica_set(self, labels: Manifest) -> Manifest:
        template = {"metadata": {"labels": labels}, "spec": self._template()}
        spec = {"replicas": REPLICAS, "selector": {"matchLabels": labels}, "template": template}
        status = {"replicas": REPLICAS}
        name = f"{self.name}-h{self.number}"
        found = made("apps/v1", "ReplicaSet", name, self.home, spec=spec, status=status)
        found["metadata"]["labels"] = labels
        return owned(found, "Deployment", self.home, self.name)

    def _pod(self, index: int, labels: Manifest) -> Manifest:
        where = (self.number * REPLICAS + index * 167) % self.nodes
        maker = f"{self.name}-h{self.number}"
        source = {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}
        token = {"name": f"kube-api-access-{index:05x}", "projected": {"sources": [source]}}
        more = {"nodeName": f"node{where}", "volumes": [token], "tolerations": TOLERATIONS}
        ready = [{"type": "Ready", "status": "True"}]
        address = f"10.{where >> 8}.{where & 255}.{self.number % 250}"
        status = {"phase": "Running", "podIP": address, "conditions": ready}
        spec = {**self._template(), **more}
        found = made("v1", "Pod", f"{maker}-{index:05x}", self.home, spec=spec, status=status)
        found["metadata"]["labels"] = labels
        return owned(found, "ReplicaSet", self.home, maker)

    def _template(self) -> Manifest:
        called = f"app{(self.number + SPACES * 2) % self.among}.{self.home}.svc"
        requests = {
            "cpu": f"{(self.number % 4 + 1) * 100}m",
            "memory": f"{(self.number % 3 + 1) * 128}Mi",
        }
        container = {
            "name": "app",
            "image": "postgres:17" if self.number % 10 == 0 else f"registry.example/{self.name}:1",
            "ports": [{"containerPort": 8080}],
            "env": [{"name": "UPSTREAM", "value": f"http://{called}:80"}],
            "resources": {"requests": requests},
            "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080}},
        }
        spread = {
            "maxSkew": 1,
            "topologyKey": f"{WHERE}/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": self.chosen,
        }
        return {"containers": [container], "topologySpreadConstraints": [spread]}


TOLERATIONS = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute"}
    for key in ("not-ready", "unreachable")
]


def node(number: int) -> Manifest:
    """One node, in its rack and its zone."""
    holds = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "500Gi"}
    found = made("v1", "Node", f"node{number}", spec={}, status={"allocatable": holds})
    found["metadata"]["labels"] = {
        "kubernetes.io/hostname": f"node{number}",
        f"{WHERE}/region": "region",
        f"{WHERE}/zone": f"zone{number % ZONES}",
        f"{WHERE}/rack": f"rack{number % RACKS}",
    }
    return found


def made(version: str, kind: str, name: str, space: str = "", **more: Any) -> Manifest:
    """An object as a server lists it."""
    metadata = {"name": name, "uid": f"{kind}-{space}-{name}"}
    if space:
        metadata["namespace"] = space
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **more}


def owned(found: Manifest, kind: str, space: str, name: str) -> Manifest:
    """The object, with what controls it."""
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": True}
    found["metadata"]["ownerReferences"] = [{**owner, "uid": f"{kind}-{space}-{name}"}]
    return found


def saved(size: Size, path: Path) -> None:
    """Write the cluster as `auditor snapshot` does."""
    from auditor.model import Origin, Ref, Resource, Server, Snapshot
    from auditor.sources.kinds import KINDS
    from auditor.sources.rendered import Rendered
    from auditor.sources.saved import save

    found = []
    for manifest in size.objects():
        metadata = manifest["metadata"]
        space = metadata.get("namespace", "")
        ref = Ref(manifest["apiVersion"], manifest["kind"], space, metadata["name"])
        uri = f"cluster/{space or '_cluster'}/{ref.kind.lower()}s/{ref.name}.yaml"
        found.append(Resource(ref, manifest, Origin(uri, Rendered(uri, manifest), live=True)))
    server = Server(136, frozenset(kind.kind for kind in KINDS))
    save(Snapshot(tuple(found), (), server), path)


def audited(file: Path, selected: Sequence[str]) -> tuple[dict[str, float], int]:
    """What the audit of the file took, by phase (see `phases`), and how much it found."""
    options = ["--format", "json", "--no-fixes", "--no-cache", "--fail-on", "never"]
    chosen = [word for name in selected for word in ("--select", name)]
    runner = str(Path(__file__).with_name("phases.py"))
    command = [sys.executable, runner, "audit", str(file), *options, *chosen]
    answer = subprocess.run(command, capture_output=True, check=True)
    spent: dict[str, float] = json.loads(answer.stderr.splitlines()[-1])
    spent["CPU"] = sum(spent[phase] for phase in CPU)
    found = json.loads(answer.stdout)
    for gap in found["gaps"]:
        print(f"  not told: {gap['what']}: {gap['why']}")
    return spent, len(found["findings"])


CPU = ("load", "facts", "policies", "rest", "workers")
"""The phases that CPU seconds are measured of."""


def told(spent: dict[str, float], smaller: dict[str, float] | None) -> str:
    """One line for each phase, with how many times that of the smaller cluster it is."""
    rows = []
    for phase, amount in spent.items():
        unit = "MB" if phase == "memory" else "s"
        ratio = f"  {amount / smaller[phase]:6.1f} times" if smaller and smaller[phase] else ""
        rows.append(f"  {phase:9}{amount:9.1f} {unit:2}{ratio}")
    return "\n".join(rows)


def proved(file: Path) -> str:
    """What the scheduler takes for one proof, once the cluster is known."""
    from auditor.facts import facts_of
    from auditor.facts.placement import pods_of
    from auditor.model import Settings
    from auditor.sources.saved import load

    facts = facts_of(load(file), Settings())
    workload = next(each for each in facts.workloads if each.ref.kind == "Deployment")
    facts.standing.simulation()
    (first, *_) = pods_of(workload)
    pods = [replace(first, name=f"{first.name}-{index}") for index in range(HUNDRED)]
    start = process_time()
    for seed in range(SEEDS):
        placement = facts.standing.simulation(without=workload).place(pods, seed)
        assert not placement.unschedulable
    used = process_time() - start
    return f"{HUNDRED} pods, {SEEDS} seeds: {used:.2f} s of CPU (bar: {BARS['proof']})"


def main() -> None:
    """Make the cluster, audit it, prove one fix; print what that took."""
    folders = [name for name in FOLDERS.split() if (Path("policies") / name).is_dir()]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("nodes", nargs="?", type=int, default=NODES)
    parser.add_argument("pods", nargs="?", type=int, default=PODS)
    parser.add_argument("--select", nargs="*", default=folders)
    parser.add_argument("--smaller", type=int, default=10, help="times; 0: no such audit")
    parser.add_argument("--keep", type=Path, help="the snapshot; made where it is missing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = None
        if given.smaller:
            size = Size(given.nodes // given.smaller, given.pods // given.smaller)
            print(f"{size.nodes:,} nodes, {size.pods:,} pods")
            saved(size, Path(folder) / "small.snapshot")
            small, _ = audited(Path(folder) / "small.snapshot", given.select)
            print(told(small, None))
        file = given.keep or Path(folder) / "cluster.snapshot"
        if not file.exists():
            saved(Size(given.nodes, given.pods), file)
        print(f"{given.nodes:,} nodes, {given.pods:,} pods")
        spent, findings = audited(file, given.select)
        print(told(spent, small))
        print(f"audit: {findings} findings (bar: {BARS['audit']})")
        print("proof:", proved(file))


if __name__ == "__main__":
    main()
