"""An autoscaler goes down from ten pods over three zones to three: spreading rules are not read,
and 2-1-0 and even 3-0-0 are reachable.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from auditor.facts.controllers import course_of, what_if
from tests.bench import judged, objects

POLICY = "spread/uneven_after_scale_down"

NODES = "---".join(
    f"""
    apiVersion: v1
    kind: Node
    metadata:
      name: {zone}
      labels: {{kubernetes.io/hostname: {zone}, topology.kubernetes.io/zone: {zone}}}
    status: {{allocatable: {{cpu: "40", memory: 80Gi, pods: "110"}}}}
    """
    for zone in "abc"
)
WEB = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      selector: {matchLabels: {app: web}}
      template:
        metadata: {labels: {app: web}}
        spec:
          topologySpreadConstraints:
            - maxSkew: 1
              topologyKey: topology.kubernetes.io/zone
              whenUnsatisfiable: DoNotSchedule
              labelSelector: {matchLabels: {app: web}}
          containers: [{name: app, image: registry.example/web:1.0.0}]
    """
HPA = """
    apiVersion: autoscaling/v2
    kind: HorizontalPodAutoscaler
    metadata: {name: web, namespace: shop}
    spec:
      scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
      minReplicas: 3
      maxReplicas: 10
    """


def test_the_worst_that_is_left_is_told() -> None:
    """All three in one zone: the loss of it leaves none, where two are needed."""
    found = [each for text in (NODES, WEB, HPA) for each in objects(text)]
    (finding,) = judged(found, POLICY).findings
    assert "from 10 pods to 3" in finding.message
    assert "3-0-0" in finding.message
    assert "the loss of one leaves 0, of which 2 are needed" in finding.message


def test_the_model_of_the_controllers_reaches_it() -> None:
    """Of 4-3-3 the four on the fullest node go first; which of the six others go is chance, so that
    any three of them may be left: 2-1-0 and 3-0-0 among them.
    """
    zones = {
        f"{zone}{n}": zone for zone, many in (("a", 4), ("b", 3), ("c", 3)) for n in range(many)
    }
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "controller": True}
    chosen: dict[str, Any] = {"app": "web"}
    workload = {
        "kind": "ReplicaSet",
        "metadata": {"name": "web-1", "ownerReferences": [owner]},
        "spec": {"replicas": 10, "selector": {"matchLabels": chosen}},
    }
    pods = [
        {
            "kind": "Pod",
            "metadata": {"name": name, "labels": chosen},
            "spec": {"nodeName": zone},
            "attributes": {"phase": "Running", "ready": True, "readySecondsAgo": 600},
        }
        for name, zone in zones.items()
    ]
    action = {"type": "scale", "kind": "ReplicaSet", "name": "web-1", "to": [6, 3]}
    first, second = what_if(course_of({"objects": [workload, *pods], "action": action}))["steps"]
    assert set(first["deleted"]) == {name for name, zone in zones.items() if zone == "a"}
    others = {name for name, zone in zones.items() if zone != "a"}
    assert set(second["undetermined"]) == others
    left = {
        tuple(sorted((sum(zones[n] == z for n in kept) for z in "abc"), reverse=True))
        for kept in combinations(sorted(others), 3)
    }
    assert left == {(3, 0, 0), (2, 1, 0)}
