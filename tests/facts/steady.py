"""A cluster in which every kind of object matters to some fact about updates and budgets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.model import Resource
from tests.bench import objects

from .network.cluster import resource

VERSIONS = {
    "CronJob": "batch/v1",
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "Job": "batch/v1",
    "Pod": "v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Rollout": "argoproj.io/v1alpha1",
    "StatefulSet": "apps/v1",
}

AROUND = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: web}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bounded}
---
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: bounded}
spec: {limits: [{type: Container, defaultRequest: {cpu: 10m}}]}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: late}
value: -5
---
apiVersion: node.k8s.io/v1
kind: RuntimeClass
metadata: {name: box}
handler: box
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: disks}
provisioner: disks.example
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec:
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [full]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: shop}
spec: {volumeName: disk, accessModes: [ReadWriteOnce]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: web
  replicas: 2
  template:
    metadata: {labels: {app: db}}
    spec: {nodeSelector: {nobody: has}, containers: [{name: main, image: app}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 3
  maxReplicas: 9
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: queue, namespace: shop}
spec: {scaleTargetRef: {name: queue}, minReplicaCount: 5}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: wide}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 9}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: queue, namespace: wide}
spec: {scaleTargetRef: {name: queue}}
"""


def _made(
    kind: str, name: str, pod: dict[str, Any], namespace: str = "shop", **spec: Any
) -> Resource:
    labels = {"app": name}
    body = {"containers": [{"name": "main", "image": "app"}], **pod}
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": f"u-{name}"}
    top: dict[str, Any] = {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata}
    if kind == "Pod":
        return resource({**top, "metadata": {**metadata, "labels": labels}, "spec": body})
    inner = {"template": {"metadata": {"labels": labels}, "spec": body}, **spec}
    if kind != "CronJob":
        inner["selector"] = labels if kind == "ReplicationController" else {"matchLabels": labels}
    return resource(
        {**top, "spec": {"jobTemplate": {"spec": inner}} if kind == "CronJob" else inner}
    )


def _node(name: str, pods: int) -> Resource:
    allocatable = {"cpu": "40", "memory": "80Gi", "pods": str(pods)}
    labels = {"kubernetes.io/hostname": name}
    top = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
    return resource({**top, "status": {"allocatable": allocatable}})


def _on(node: str) -> dict[str, Any]:
    return {"nodeSelector": {"kubernetes.io/hostname": node}}


def _crowded() -> Iterator[Resource]:
    """For each kind a node that it fills, so that a Deployment finds no room for its new pod."""
    for kind in VERSIONS:
        name = kind.lower()
        yield _node(name, 2)
        yield _made(kind, f"fills-{name}", _on(name))
        yield _made("Deployment", f"stuck-{name}", _on(name), replicas=1)


def _held() -> Iterator[Resource]:
    """Deployments whose new pods have no room, by what else has to be known to say so."""
    for name in ("full", "also-full"):
        yield _node(name, 2)
        yield _made("Deployment", f"beside-{name}", _on(name), replicas=1)
    disk = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}
    yield _made("Deployment", "keeps", {"volumes": [disk]}, replicas=1)
    scratch = {"volumeClaimTemplate": {"spec": {"storageClassName": "disks"}}}
    own = {"volumes": [{"name": "scratch", "ephemeral": scratch}], **_on("also-full")}
    yield _made("Deployment", "scratch", own, replicas=1)
    for name, pod, namespace in (
        ("late", {"priorityClassName": "late"}, "shop"),
        ("boxed", {"runtimeClassName": "box"}, "shop"),
        ("bounded", {}, "bounded"),
    ):
        yield _node(name, 1)
        yield _made("Deployment", name, {**pod, **_on(name)}, namespace, replicas=1)
    term = {
        "labelSelector": {"matchLabels": {"app": "away"}},
        "topologyKey": "kubernetes.io/hostname",
        "namespaceSelector": {"matchLabels": {"team": "web"}},
    }
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    yield _node("away", 9)
    yield _made("Deployment", "away", {"affinity": apart, **_on("away")}, replicas=1)


def _guarded() -> Iterator[Resource]:
    """A budget over what each kind makes, and over what is scaled; two over one of them."""
    names = [*(f"fills-{kind.lower()}" for kind in VERSIONS), "web", "queue"]
    for name, label in (*zip(names, names, strict=True), ("web-too", "web")):
        spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": label}}}
        metadata = {"name": name, "namespace": "shop"}
        top = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata}
        yield resource({**top, "spec": spec})


def _overlapping() -> Iterator[Resource]:
    """One that means the pods of others of each kind with a selector."""
    for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"):
        one = _made(kind, f"fills-{kind.lower()}", {"nodeSelector": {"nobody": "has"}}, "wide")
        yield one
        for scaler in ("web", "queue"):
            wide = _made("Deployment", scaler, {"nodeSelector": {"nobody": "has"}}, "wide")
            chosen = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
            spec = {**wide.manifest["spec"], "selector": chosen}
            yield resource({**wide.manifest, "spec": spec})


BETWEEN = {"Deployment": "ReplicaSet", "Rollout": "ReplicaSet", "CronJob": "Job"}
"""Kind → the kind of what it makes, which makes the pods."""


def _owned(one: Resource, owner: Resource, suffix: str, **more: Any) -> Resource:
    """The same as if its controller had made it."""
    named = {"apiVersion": owner.ref.api_version, "kind": owner.ref.kind, "name": owner.ref.name}
    reference = {**named, "uid": owner.manifest["metadata"]["uid"], "controller": True}
    name = f"{one.ref.name}-{suffix}"
    metadata = {**one.manifest["metadata"], "name": name, "uid": f"u-{name}"}
    metadata["labels"] = {"app": one.ref.name}
    return resource(
        {**one.manifest, "metadata": {**metadata, "ownerReferences": [reference]}, **more}
    )


def _unwell() -> Iterator[Resource]:
    """A pod that fails of each kind."""
    waits = [{"name": "main", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    nowhere = {"nodeSelector": {"nobody": "has"}}
    for kind in (kind for kind in VERSIONS if kind != "Pod"):
        name = f"unwell-{kind.lower()}"
        owner = _made(kind, name, nowhere)
        yield owner
        if kind in BETWEEN:
            owner = _owned(_made(BETWEEN[kind], name, nowhere), owner, "a")
            yield owner
        yield _owned(_made("Pod", name, {}), owner, "b", status={"containerStatuses": waits})


def _scaled() -> Iterator[Resource]:
    yield _node("scaled", 50)
    for name in ("web", "queue"):
        yield _made("Deployment", name, _on("scaled"), replicas=2)


STEADY = (
    *objects(AROUND), *_crowded(), *_held(), *_guarded(), *_overlapping(), *_scaled(),
)  # fmt: skip
WITH_UNWELL = (*STEADY, *_unwell())
