"""What the network engine costs: CPU seconds for a cluster of pods and policies.

``python benchmarks/network.py [PODS…] [--alike N]`` makes, for each number of pods (400 and 10,000
without an argument), a cluster with 1.05 policies a pod, of two ingress and two egress rules each,
and measures in a process of its own: to load it, to know all pairs, to find what the policies of
`network` and `data` find, and what one changed policy and one changed pod cost. Of all pods, N (4
without an argument) share every label that a policy asks for: 10,000 pods are 2,500 classes, and
the cost follows the classes. Every 200th application holds personal data and names a client, and
one in each thousand pods is a monitor.

``--curve`` measures load and pairs alone, from 1,000 to 100,000 pods: with 250 classes throughout
then with a class for each four pods.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import Any

APPS_A_NAMESPACE = 10
TEAMS = 7
PORTS = (80, 443, 5432, 8080)
CURVE = (1_000, 3_000, 10_000, 30_000, 100_000)
FIXED = 250
"""Classes on the part of the curve where their number is the same throughout."""
CHANGED = 0.1
"""CPU seconds for the verdicts that one changed object changes."""
BARS = {400: 1.0, 10_000: 15.0}
"""CPU seconds for all of load, pairs and findings, on two cores that are otherwise idle."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the cluster is."""

    pods: int
    alike: int

    @property
    def apps(self) -> int:
        """How many classes of pods there are."""
        return max(1, self.pods // self.alike)

    @property
    def spaces(self) -> int:
        """How many namespaces there are."""
        return max(1, self.apps // APPS_A_NAMESPACE)

    def home(self, app: int) -> str:
        """The namespace of an application."""
        return f"ns{app % self.spaces}"

    def objects(self, seed: int = 1) -> Iterator[dict[str, Any]]:
        """Namespaces, pods, policies; the same ones for the same seed."""
        chance = random.Random(seed)  # noqa: S311 - no secret
        for n in range(self.spaces):
            labels = {"team": f"team{n % TEAMS}", "kubernetes.io/metadata.name": f"ns{n}"}
            metadata = {"name": f"ns{n}", "labels": labels}
            yield {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        for n in range(self.pods):
            yield self.pod(n)
        for n in range(self.pods + self.pods // 20):
            yield self.policy(n, chance)

    def pod(self, number: int) -> dict[str, Any]:
        """One pod of the application that its number falls to."""
        app = number % self.apps
        labels = {
            "app": f"app{app}",
            "tier": ("web", "api", "db")[app % 3],
            "pod-template-hash": f"h{app}",
        }
        ports = [{"containerPort": 8080, "name": "http"}, {"containerPort": 5432, "name": "db"}]
        monitors = app % 250 == 1
        image = "quay.io/prometheus/prometheus:v3.1.0" if monitors else "registry.example/app:1"
        container = {"name": "app", "image": image, "ports": ports}
        metadata = {"name": f"pod{number}", "namespace": self.home(app), "labels": labels}
        if app % 200 == 0:
            labels["auditor/data"] = "pii"
            client = (app + self.spaces) % self.apps
            metadata["annotations"] = {"auditor/clients": f"Pod/pod{client}"}
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"containers": [container]},
            "status": {"phase": "Running", "podIP": _address(number)},
        }

    def policy(self, number: int, chance: random.Random) -> dict[str, Any]:
        """A policy for one application: two peers of its own and a tier of a team, each way."""
        app = number % self.apps
        spec = {
            "podSelector": {"matchLabels": {"app": f"app{app}"}},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": self._rules("from", chance),
            "egress": self._rules("to", chance),
        }
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"policy{number}", "namespace": self.home(app)},
            "spec": spec,
        }

    def _rules(self, field: str, chance: random.Random) -> list[dict[str, Any]]:
        ports = [{"port": chance.choice(PORTS)}, {"port": "http"}]
        team = {"matchLabels": {"team": f"team{chance.randrange(TEAMS)}"}}
        tier = {"namespaceSelector": team, "podSelector": {"matchLabels": {"tier": "api"}}}
        peers = [self._peer(chance), self._peer(chance)]
        return [{field: peers, "ports": ports}, {field: [tier], "ports": ports[:1]}]

    def _peer(self, chance: random.Random) -> dict[str, Any]:
        app = chance.randrange(self.apps)
        home = {"matchLabels": {"kubernetes.io/metadata.name": self.home(app)}}
        return {"namespaceSelector": home, "podSelector": {"matchLabels": {"app": f"app{app}"}}}


def _address(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def measure(shape: Shape, file: Path, *, only_pairs: bool = False) -> None:
    """Print what each step costs. In a process of its own: nothing is warm but the modules."""
    import auditor.audit  # noqa: F401 - what it imports is no cost of the engine
    from auditor.facts import facts_of
    from auditor.model import Settings
    from auditor.sources.files import FileSource

    start = process_time()
    snapshot = FileSource((str(file),)).snapshot()
    loaded = process_time()
    facts = facts_of(snapshot, Settings())
    network = facts.network
    size = Counter(point for each in facts.workloads for point in network.points_of(each))
    pairs = sum(
        size[target] * sum(size[source] for source in network.matrix.members(flow.sources))
        for target, flow in network.pairs()
    )
    known = process_time()
    if only_pairs:
        told = f"{shape.pods:>8,} pods {len(network.matrix.points):>7,} classes {pairs:>14,} pairs"
        peak = f"{getrusage(RUSAGE_SELF).ru_maxrss / 1024:7.0f} MB"
        _say(f"{told}  load {loaded - start:7.2f} s  pairs {known - loaded:7.2f} s CPU  {peak}")
        return
    found = _findings(snapshot)
    judged = process_time()
    _told(shape, len(network.matrix.points), f"{pairs:,} pairs flow, {found:,} findings")
    for what, seconds in (
        ("load", loaded - start),
        ("all pairs", known - loaded),
        ("findings", judged - known),
        ("together", judged - start),
    ):
        bar = f"  (bar {BARS[shape.pods]:g} s)" if what == "together" and shape.pods in BARS else ""
        _say(f"  {what:<12}{seconds:8.2f} s CPU{bar}")
    for what, changed in _changed(snapshot):
        _say(f"  {what:<12}{_delta(network, changed):8.3f} s CPU  (bar {CHANGED:g} s)")
    _say(f"  {'memory':<12}{getrusage(RUSAGE_SELF).ru_maxrss / 1024:8.0f} MB")


def _changed(snapshot: Any) -> Iterator[tuple[str, Any]]:
    """One policy that admits another port, and one pod with another label, in their snapshots."""
    policy = next(r for r in snapshot.of_kind("NetworkPolicy") if r.ref.name == "policy7")
    manifest = json.loads(json.dumps(policy.manifest))
    manifest["spec"]["ingress"][0].pop("ports")
    yield "one policy", snapshot.replacing(replace(policy, manifest=manifest))
    pod = next(r for r in snapshot.of_kind("Pod") if r.ref.name == "pod7")
    manifest = json.loads(json.dumps(pod.manifest))
    manifest["metadata"]["labels"]["tier"] = "db"
    yield "one pod", snapshot.replacing(replace(pod, manifest=manifest))


def _delta(network: Any, snapshot: Any) -> float:
    """CPU seconds to know the flows that a change opens and closes."""
    from auditor.facts.network.delta import delta

    assert network.grouping.at, "known before, as all pairs are"
    start = process_time()
    assert delta(network, network.after(snapshot)) is not None
    return process_time() - start


def _findings(snapshot: Any) -> int:
    from auditor.audit import Bench, audit
    from auditor.model import Settings
    from auditor.policies.engine import compile_policies
    from auditor.policies.loader import load

    policies, library = load()
    chosen = tuple(p for p in policies if p.id.startswith(("network/", "data/")))
    modules = {**library, **{policy.file: policy.module for policy in chosen}}
    bench = Bench(chosen, compile_policies("regorus", modules))
    return len(audit(snapshot, bench, Settings()).findings)


def _told(shape: Shape, classes: int, found: str) -> None:
    _say(f"{shape.pods:,} pods in {classes:,} classes: {found}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Each size in a process of its own."""
    parser = argparse.ArgumentParser()
    parser.add_argument("pods", type=int, nargs="*", default=[400, 10_000])
    parser.add_argument("--alike", type=int, default=4)
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--file", type=Path)
    asked = parser.parse_args()
    if asked.file:
        measure(Shape(asked.pods[0], asked.alike), asked.file, only_pairs=asked.curve)
        return
    if asked.curve:
        for alike in ([pods // FIXED for pods in CURVE], [asked.alike] * len(CURVE)):
            _run([Shape(*each) for each in zip(CURVE, alike, strict=True)], "--curve")
    else:
        _run([Shape(pods, asked.alike) for pods in asked.pods])


def _run(shapes: Sequence[Shape], *flags: str) -> None:
    for shape in shapes:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"apiVersion": "v1", "kind": "List", "items": list(shape.objects())}, file)
            file.flush()
            told = ["--file", file.name, "--alike", str(shape.alike), *flags]
            subprocess.run([sys.executable, __file__, str(shape.pods), *told], check=True)


if __name__ == "__main__":
    main()
