"""Updates that are said to be stuck are stuck on a real control plane, in the state that was told;
with the strategy that is offered they go through, and never below what was proven.

Every state of every pod is seen, by a watch: what is counted is the fewest that were available at
any moment.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.facts import Facts
from auditor.facts.controllers.budgets import is_ready
from auditor.facts.updating import Update
from auditor.model import Settings
from auditor.sources.files import FileSource

from .cluster import TestCluster
from .cluster_kubectl import _program
from .product import auditor

pytestmark = pytest.mark.e2e

APART = """
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - topologyKey: kubernetes.io/hostname
              labelSelector: {matchLabels: {app: web}}
"""
PORT = "          ports: [{containerPort: 80, hostPort: 80}]\n"
HALF = '          resources: {requests: {cpu: "2"}}\n'


@dataclass(frozen=True, slots=True)
class Story:
    """A Deployment on nodes of its own."""

    name: str
    nodes: int
    replicas: int
    pod: str = ""
    container: str = ""
    spec: str = ""
    needs: str = ""

    def write(self, folder: Path) -> Path:
        """Its nodes and manifests, as files."""
        folder.mkdir()
        nodes = [self._node(f"{self.name}-{n}") for n in range(self.nodes)]
        (folder / "nodes.yaml").write_text("---\n".join(nodes), "utf-8")
        (folder / "web.yaml").write_text(self._web(), "utf-8")
        return folder

    def _node(self, name: str) -> str:
        labels = f"{{kubernetes.io/hostname: {name}, story: {self.name}}}"
        return (
            f"apiVersion: v1\nkind: Node\nmetadata: {{name: {name}, labels: {labels}}}\n"
            'status: {allocatable: {cpu: "4", memory: 8Gi, pods: "20"}}\n'
        )

    def _web(self) -> str:
        notes = f', annotations: {{auditor/needs: "{self.needs}"}}' if self.needs else ""
        return f"""apiVersion: v1
kind: Namespace
metadata: {{name: {self.name}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {self.name}{notes}}}
spec:
  replicas: {self.replicas}
  progressDeadlineSeconds: 5
{self.spec}  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      nodeSelector: {{story: {self.name}}}{self.pod}
      containers:
        - name: app
          image: registry.example/web:1.0.0
{self.container}"""


ONE_PER_NODE = Story("one-per-node", 3, 3, pod=APART.rstrip())
PORT_TAKEN = Story("port-taken", 2, 2, container=PORT)
NODE_FULL = Story("node-full", 1, 2, container=HALF)
ALL_AT_ONCE = Story(
    "all-at-once", 2, 4, needs="3",
    spec="  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 100%}}\n",
)  # fmt: skip
STUCK = (ONE_PER_NODE, PORT_TAKEN, NODE_FULL)


def predicted(folder: Path) -> Update:
    """What is said of the next update of what stands in the files."""
    facts = Facts(FileSource((str(folder),)).snapshot(), Settings())
    (web,) = facts.workloads
    found = facts.updates.of(web)
    assert found is not None
    return found


@contextmanager
def watched(cluster: TestCluster, namespace: str, log: Path) -> Iterator[None]:
    """Write every event of a pod into `log`."""
    words = ("get", "pods", "-n", namespace, "--watch", "--output-watch-events", "-o", "json")
    with log.open("w") as out:
        process = subprocess.Popen(
            [_program(), f"--kubeconfig={cluster.kubeconfig}", *words], stdout=out
        )
        try:
            cluster.wait_until(
                "the watch has begun", lambda: "" if log.stat().st_size else "not yet"
            )
            yield
        finally:
            process.terminate()
            process.wait()


def fewest_available(log: Path) -> int:
    """Of all moments that a watch saw, once all pods of the start had been listed."""
    text, decoder, at = log.read_text("utf-8"), json.JSONDecoder(), 0
    ready: dict[str, bool] = {}
    counts: list[int] = []
    while at < len(text) and (rest := text[at:].lstrip()):
        event, used = decoder.raw_decode(rest)
        at = len(text) - len(rest) + used
        pod = event["object"]
        gone = event["type"] == "DELETED" or "deletionTimestamp" in pod["metadata"]
        ready[pod["metadata"]["name"]] = not gone and is_ready(pod)
        counts.append(sum(ready.values()))
    start = counts.index(max(counts))
    return min(counts[start:])


def updated(cluster: TestCluster, story: Story) -> None:
    """Ask for the next version."""
    image = "app=registry.example/web:2.0.0"
    cluster.kubectl("set", "image", "deployment/web", image, "-n", story.name, check=True)


def condition(cluster: TestCluster, story: Story, kind: str) -> dict[str, Any]:
    """What the Deployment says of itself."""
    found = cluster.get("deployment", story.name, "web")["status"].get("conditions", ())
    return next((dict(each) for each in found if each["type"] == kind), {})


def has_given_up(cluster: TestCluster, story: Story) -> str:
    """Why the update is not yet said to make no progress; empty once it is."""
    said = condition(cluster, story, "Progressing")
    return "" if said.get("reason") == "ProgressDeadlineExceeded" else str(said)


def is_through(cluster: TestCluster, story: Story) -> str:
    """Why the update is not through; empty once all pods are new and available."""
    found = cluster.get("deployment", story.name, "web")
    status, wanted = found["status"], found["spec"]["replicas"]
    told = [status.get(k) for k in ("updatedReplicas", "availableReplicas", "replicas")]
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return "" if seen and told == [wanted] * 3 else str(status)


@pytest.fixture
def stories(fresh_cluster: TestCluster, tmp_path: Path) -> TestCluster:
    """All of them, running in their first version."""
    for story in (*STUCK, ALL_AT_ONCE):
        folder = story.write(tmp_path / story.name)
        fresh_cluster.apply(folder)
    fresh_cluster.wait_until_nodes_ready()
    fresh_cluster.wait_until_bound()
    for story in (*STUCK, ALL_AT_ONCE):
        fresh_cluster.wait_until(
            f"{story.name} is there", partial(is_through, fresh_cluster, story)
        )
    return fresh_cluster


def test_real_updates_end_as_predicted_and_the_fixed_ones_never_below_what_was_proven(
    stories: TestCluster, tmp_path: Path
) -> None:
    """First each update as it is: the real controllers leave exactly the pods that were told. Then
    the files are mended by the command, applied, and the same update goes through.
    """
    told = {story: predicted(tmp_path / story.name) for story in STUCK}
    for story, update in told.items():
        assert update.stuck is not None, story.name
        assert update.stuck.certain, story.name
        updated(stories, story)
    for story, update in told.items():
        stories.wait_until(f"{story.name} is stuck", partial(has_given_up, stories, story))
        pods = stories.objects("pods", story.name)
        assert update.stuck is not None
        waiting = [pod for pod in pods if "nodeName" not in pod["spec"]]
        ready = [pod for pod in pods if is_ready(pod)]
        found = (len(ready), len(waiting))
        assert found == (update.stuck.available, update.stuck.waiting), story.name
        assert {p["spec"]["containers"][0]["image"] for p in ready} == {
            "registry.example/web:1.0.0"
        }
    for story in (*STUCK, ALL_AT_ONCE):
        _mended(stories, story, tmp_path)


def _mended(cluster: TestCluster, story: Story, tmp_path: Path) -> None:
    """Apply what the command writes, and look at the update."""
    folder = Path(shutil.copytree(tmp_path / story.name, tmp_path / f"{story.name}-fixed"))
    chosen = ("--select", "rollout/stuck_without_room", "--select", "rollout/fewer_than_needed")
    done = auditor("fix", folder, *chosen, "--write", "--unsafe")
    assert done.code == 0, done.err
    update = predicted(folder)
    assert update.stuck is None, story.name
    assert update.lowest >= update.needed.count
    (web,) = (
        o for o in yaml.safe_load_all((folder / "web.yaml").read_text()) if o["kind"] != "Namespace"
    )
    web["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/web:3.0.0"
    log = tmp_path / f"{story.name}.json"
    with watched(cluster, story.name, log):
        cluster.apply(web)
        cluster.wait_until(f"{story.name} is through", lambda: is_through(cluster, story))
    assert fewest_available(log) >= update.lowest, story.name
