"""Whom the real kube-scheduler evicts, and where it puts the pod: what the simulation says.

Each case is a pool of nodes of its own, so that one cluster holds them all. What the model reads is
what the API server tells once all is settled. The times of starts are given, no two alike: among
pods of one second the scheduler follows no order that could be told.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from auditor.facts.placement import Pod
from auditor.facts.placement.preemption import chosen
from tests.facts.placement.world import cluster as simulated
from tests.facts.placement.world import resource

from .cluster import TestCluster
from .cluster_settled import unsettled

pytestmark = pytest.mark.e2e

NAMESPACE = "preempting"
CLASSES = {"low": 10, "middle": 100, "high": 1000}
POOL = "auditor.example/pool"
RANDOM_CASES, SEED = 24, 20261127

Manifest = dict[str, Any]


@dataclass
class Case:
    """Some nodes, the pods on them, and one that asks for room."""

    name: str
    nodes: list[Manifest] = field(default_factory=list)
    pods: list[Manifest] = field(default_factory=list)
    budgets: list[Manifest] = field(default_factory=list)
    asking: Manifest = field(default_factory=dict)

    def node(self, name: str, cpu: int) -> None:
        full = f"{self.name}-{name}"
        labels = {"kubernetes.io/hostname": full, POOL: self.name}
        room = {"cpu": str(cpu), "memory": "8Gi", "pods": "20"}
        metadata = {"name": full, "labels": labels, "annotations": {"kwok.x-k8s.io/node": "fake"}}
        status = {"allocatable": room, "capacity": room}
        made = {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status}
        self.nodes.append(made)

    def pod(self, name: str, on: str, priority: str, cpu: int = 1, **rest: Any) -> None:
        app = rest.pop("app", "filler")
        rest["nodeName"] = f"{self.name}-{on}"
        self.pods.append(self._pod(name, app, priority, cpu, rest))

    def asks(self, priority: str = "high", cpu: int = 1, **rest: Any) -> None:
        rest["nodeSelector"] = {POOL: self.name}
        self.asking = self._pod("asking", "asking", priority, cpu, rest)

    def budget(self, app: str, least: int) -> None:
        labels = {"app": app, "case": self.name}
        spec = {"minAvailable": least, "selector": {"matchLabels": labels}}
        metadata = {"name": f"{self.name}-{app}", "namespace": NAMESPACE}
        made = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget"}
        self.budgets.append({**made, "metadata": metadata, "spec": spec})

    def _pod(self, name: str, app: str, priority: str, cpu: int, rest: Manifest) -> Manifest:
        container = {"name": "main", "image": "app:1", "resources": {"requests": {"cpu": str(cpu)}}}
        if ports := rest.pop("ports", None):
            container["ports"] = ports
        labels = {"app": app, "case": self.name}
        metadata = {"name": f"{self.name}-{name}", "namespace": NAMESPACE, "labels": labels}
        grace = {"terminationGracePeriodSeconds": 0}
        spec = {"containers": [container], "priorityClassName": priority, **grace, **rest}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _cases() -> Iterator[Case]:
    one = Case("lowest")
    for name, priority in (("a", "middle"), ("b", "low"), ("c", "middle")):
        one.node(name, 2)
        one.pod(f"on-{name}", name, priority, 2)
    one.asks()
    yield one
    spared = Case("spared")
    spared.node("a", 3)
    spared.pod("small", "a", "low", 1)
    spared.pod("large", "a", "low", 1)
    spared.pod("dear", "a", "middle", 1)
    spared.asks(cpu=1)
    yield spared
    guarded = Case("guarded")
    for name in "ab":
        guarded.node(name, 2)
    guarded.pod("protected", "a", "low", 2, app="protected")
    guarded.pod("dear", "b", "middle", 2)
    guarded.budget("protected", 1)
    guarded.asks()
    yield guarded
    broken = Case("broken")
    broken.node("a", 2)
    broken.pod("protected", "a", "low", 2, app="protected")
    broken.budget("protected", 1)
    broken.asks()
    yield broken
    yield from _of_rules()


def _of_rules() -> Iterator[Case]:
    away = Case("away")
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": "noisy", "case": "away"}},
    }
    for name in "ab":
        away.node(name, 4)
    away.pod("noisy-a", "a", "low", app="noisy")
    away.pod("noisy-b", "b", "middle", app="noisy")
    rules = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    away.asks(affinity={"podAntiAffinity": rules})
    yield away
    port = Case("port")
    port.node("a", 4)
    taken = [{"containerPort": 8080, "hostPort": 8080}]
    port.pod("holder", "a", "low", ports=taken)
    port.pod("bystander", "a", "low")
    port.asks(ports=taken)
    yield port
    even = Case("even")
    for name in "ab":
        even.node(name, 2)
    even.pod("one", "a", "low", app="asking")
    even.pod("full", "b", "middle", 2)
    constraint = {
        "topologyKey": "kubernetes.io/hostname",
        "maxSkew": 1,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "asking", "case": "even"}},
    }
    even.asks(topologySpreadConstraints=[constraint])
    yield even
    yield from map(_by_chance, range(RANDOM_CASES))


def _by_chance(number: int) -> Case:
    chance = random.Random(SEED + number)  # noqa: S311 the same cases in every run
    case = Case(f"r{number}")
    apps = ["red", "blue"]
    for name in "abcd"[: chance.randint(2, 4)]:
        free = chance.randint(3, 6)
        case.node(name, free)
        while free > 0:
            cpu = chance.randint(1, min(free, 3))
            priority = chance.choice(["low", "low", "middle", "high"])
            case.pod(f"{name}{free}", name, priority, cpu, app=chance.choice(apps))
            free -= cpu
    for app in apps:
        if chance.random() < 0.5:
            here = sum(pod["metadata"]["labels"]["app"] == app for pod in case.pods)
            case.budget(app, max(here - chance.randint(0, 1), 0))
    case.asks(cpu=chance.randint(1, 4))
    return case


def _settled(cluster: TestCluster, cases: list[Case]) -> str:
    if waiting := unsettled(cluster.objects("nodes")):
        return "; ".join(waiting)
    pods = {p["metadata"]["name"]: p for p in cluster.objects("pods", NAMESPACE)}
    running = [p for p in pods.values() if p["status"].get("phase") == "Running"]
    if len(running) < sum(len(case.pods) for case in cases):
        return f"{len(running)} pods run"
    for each in cluster.objects("poddisruptionbudgets", NAMESPACE):
        status, wanted = each.get("status", {}), each["spec"]["selector"]["matchLabels"].items()
        meant = sum(wanted <= pod["metadata"]["labels"].items() for pod in running)
        counted = {status.get("expectedPods", 0), status.get("currentHealthy", 0)}
        if counted != {meant} or status.get("observedGeneration") != each["metadata"]["generation"]:
            return f"budget {each['metadata']['name']} is not worked out"
    return ""


def _date(cluster: TestCluster, pods: list[Manifest]) -> None:
    """Give each pod a time of its own at which it started."""
    minutes = random.Random(SEED).sample(range(24 * 60), len(pods))  # noqa: S311
    items = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": pod["metadata"]["name"], "namespace": NAMESPACE},
            "status": {"startTime": f"2026-01-01T{minute // 60:02}:{minute % 60:02}:00Z"},
        }
        for pod, minute in zip(pods, minutes, strict=True)
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    how = ("--server-side", "--force-conflicts", "--subresource=status", "-f", "-")
    cluster.kubectl("apply", *how, input=text, check=True)


def _expected(case: Case, there: list[Manifest]) -> set[tuple[str, frozenset[str]]]:
    """Each node that may be chosen, with whoever leaves it."""
    mine = [m for m in there if m["kind"] != "Node" or m["metadata"]["labels"][POOL] == case.name]
    simulation = simulated(*map(resource, mine), namespaces={NAMESPACE: {}})
    asking = Pod.from_resource(resource(case.asking))
    if free := simulation.feasible(asking).nodes:
        return {(node, frozenset()) for node in free}
    found = chosen(simulation.victims(asking))
    return {(each.node, frozenset(pod.name for pod in each.victims)) for each in found}


def _answer(case: Case, pods: Mapping[str, Manifest]) -> tuple[str, frozenset[str]] | None:
    """The node of the asking pod and who is gone; None where it has none."""
    asking = pods[case.asking["metadata"]["name"]]
    node = asking["spec"].get("nodeName")
    names = {pod["metadata"]["name"] for pod in case.pods}
    return (node, frozenset(names - pods.keys())) if node else None


def test_the_scheduler_evicts_whom_the_model_says(
    cluster: TestCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every pool, the node and its victims are among those that the model allows; where it
    allows none, nobody is evicted.
    """
    cases = list(_cases())
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    cluster.apply(namespace, *map(_class, CLASSES.items()), *(n for c in cases for n in c.nodes))
    cluster.apply(*(m for case in cases for m in (*case.pods, *case.budgets)))
    cluster.wait_until("all pods run", lambda: _settled(cluster, cases))
    _date(cluster, [pod for case in cases for pod in case.pods])
    kinds = "pods,poddisruptionbudgets,nodes,priorityclasses"
    there = [m for m in cluster.objects(kinds) if _is_ours(m)]
    expected = {case.name: _expected(case, there) for case in cases}
    cluster.apply(*(case.asking for case in cases))
    cluster.wait_until("whoever can is bound", lambda: _waits(cluster, cases, expected))
    pods = {p["metadata"]["name"]: p for p in cluster.objects("pods", NAMESPACE)}
    wrong = {}
    for case in cases:
        answer = _answer(case, pods)
        if (answer not in expected[case.name]) if expected[case.name] else (answer is not None):
            wrong[case.name] = (answer, expected[case.name])
    with capsys.disabled():
        print(f"\npreemption: {len(cases) - len(wrong)} of {len(cases)} as the model says", end="")  # noqa: T201
    assert wrong == {}
    assert sum(bool(found) for found in expected.values()) > len(cases) // 2


def _class(item: tuple[str, int]) -> Manifest:
    made = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
    return {**made, "metadata": {"name": item[0]}, "value": item[1]}


def _is_ours(manifest: Manifest) -> bool:
    metadata = manifest["metadata"]
    if manifest["kind"] == "Node":
        return bool(POOL in metadata.get("labels", {}))
    return bool(metadata.get("namespace", NAMESPACE) == NAMESPACE)


def _waits(cluster: TestCluster, cases: list[Case], expected: Mapping[str, Any]) -> str:
    pods = {p["metadata"]["name"]: p for p in cluster.objects("pods", NAMESPACE)}
    waiting = [c.name for c in cases if expected[c.name] and _answer(c, pods) is None]
    conditions = [_unschedulable(pods[c.asking["metadata"]["name"]]) for c in cases]
    bound = [bool(pods[c.asking["metadata"]["name"]]["spec"].get("nodeName")) for c in cases]
    asked = all(told or node for told, node in zip(conditions, bound, strict=True))
    return f"{', '.join(waiting)} wait" if waiting else "" if asked else "some were not asked yet"


def _unschedulable(pod: Manifest) -> bool:
    return any(c.get("type") == "PodScheduled" for c in pod["status"].get("conditions", ()))
