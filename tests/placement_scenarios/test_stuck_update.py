"""Three nodes, three replicas, one pod a node, the default strategy: the update never ends, and the
offered strategy ends it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor.audit import Bench, audit
from auditor.facts import Facts
from auditor.facts.controllers import course_of, what_if
from auditor.fixes.offer import with_fixes
from auditor.fixes.patch import apply
from auditor.model import Settings
from auditor.sources.files import FileSource
from tests.bench import bench

POLICY = "rollout/stuck_without_room"

NODE = """
apiVersion: v1
kind: Node
metadata: {{name: {0}, labels: {{kubernetes.io/hostname: {0}}}}}
status: {{allocatable: {{cpu: "4", memory: 8Gi, pods: "110"}}}}
"""
WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - labelSelector: {matchLabels: {app: web}}
              topologyKey: kubernetes.io/hostname
      containers: [{name: app, image: registry.example/web:1.0.0}]
"""


def cluster(nodes: int, replicas: int = 3) -> str:
    """So many nodes, and the Deployment with so many replicas."""
    web = WEB.replace("replicas: 3", f"replicas: {replicas}")
    return "---".join([*(NODE.format(f"n{n}") for n in range(nodes)), web])


def modelled(text: str, deployment: dict[str, Any]) -> Any:
    """What the model of the controllers makes of the next update, without any policy."""
    objects = [o for o in yaml.safe_load_all(text) if o]
    before = [o for o in objects if o["kind"] != "Deployment"]
    after = yaml.safe_load(yaml.safe_dump(deployment))
    after["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.example/web:2.0.0"
    action = {"type": "update", "object": after}
    return what_if(course_of({"objects": [*before, deployment], "action": action}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The manifests of the scenario."""
    found = tmp_path / "shop.yaml"
    found.write_text(cluster(3), "utf-8")
    return found


def _asked(file: Path) -> tuple[Any, Bench]:
    chosen = bench(POLICY)
    return audit(FileSource((str(file),)).snapshot(), chosen, Settings()), chosen


def test_the_stuck_state_is_told_exactly(file: Path) -> None:
    """Three old pods go on, one new one has no node, and no order of events ends otherwise."""
    (finding,) = _asked(file)[0].findings
    assert finding.message.startswith(
        "its next update ends stuck with 3 old pods available and 1 new pending"
    )
    snapshot = FileSource((str(file),)).snapshot()
    facts = Facts(snapshot, Settings())
    update = facts.updates.of(next(w for w in facts.workloads if w.ref.name == "web"))
    assert update is not None
    assert update.stuck is not None
    assert (update.stuck.available, update.stuck.waiting, update.stuck.certain) == (3, 1, True)


def test_the_offered_strategy_goes_through(file: Path) -> None:
    """Written into the file and read again, the model of the controllers ends complete, and never
    below two.
    """
    answer, chosen = _asked(file)
    (finding,) = with_fixes(answer, chosen, Settings()).findings
    assert finding.fix is not None
    assert finding.fix.proof.holds
    fixed = apply(file.read_text("utf-8"), finding.fix.edits)
    (web,) = (o for o in yaml.safe_load_all(fixed) if o and o["kind"] == "Deployment")
    assert web["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    told = modelled(fixed, web)
    assert (told["ends"], told["minAvailable"]) == (["complete"], 2)


@pytest.mark.parametrize(
    ("nodes", "replicas", "found"),
    [(3, 3, True), (4, 3, False), (4, 4, False), (2, 2, True), (1, 1, True), (5, 5, False)],
)
def test_it_is_told_exactly_where_the_model_is_stuck(
    tmp_path: Path, nodes: int, replicas: int, found: bool
) -> None:
    """25% of up to three replicas is none that may be away; a spare node is enough."""
    text = cluster(nodes, replicas)
    file = tmp_path / "shop.yaml"
    file.write_text(text, "utf-8")
    (web,) = (o for o in yaml.safe_load_all(text) if o and o["kind"] == "Deployment")
    assert (modelled(text, web)["ends"] == ["stuck"]) is found
    assert bool(_asked(file)[0].findings) is found


def test_no_strategy_is_offered_where_no_pod_can_be_spared(tmp_path: Path) -> None:
    """Whoever needs all three is told, and is not made to lose one."""
    file = tmp_path / "shop.yaml"
    needs = cluster(3).replace("{name: web,", '{name: web, annotations: {auditor/needs: "3"},')
    file.write_text(needs, "utf-8")
    answer, chosen = _asked(file)
    (finding,) = with_fixes(answer, chosen, Settings()).findings
    assert finding.fix is None
