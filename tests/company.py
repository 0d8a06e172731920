"""A small company with something of everything, and a policy that breaks: for tests of the core."""

from __future__ import annotations

import copy
from typing import Any

from auditor.audit import Bench
from auditor.model import Manifest, Policy, Resource, Severity
from auditor.policies.engine import compile_policies
from auditor.policies.loader import load

from .bench import objects
from .facts.network.cluster import resource

COMPANY = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: web}}
---
apiVersion: v1
kind: Namespace
metadata: {name: customers, labels: {auditor/data: pii}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/rack: r1, topology.kubernetes.io/zone: a}}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "50"}}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {topology.kubernetes.io/rack: r2, topology.kubernetes.io/zone: a}}
spec: {taints: [{key: gpu, value: "yes", effect: NoSchedule}]}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "50"}}
---
apiVersion: v1
kind: Node
metadata: {name: n3, labels: {topology.kubernetes.io/rack: r3, topology.kubernetes.io/zone: a}}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "50"}}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
  uid: uid-web
  annotations: {auditor/role: monitor}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      hostPID: true
      initContainers: [{name: init, image: busybox, securityContext: {privileged: true}}]
      containers:
        - name: web
          image: web:1
          securityContext: {privileged: true}
          ports: [{name: http, containerPort: 8080}]
          env:
            - {name: DB_PORT, value: "5432"}
            - {name: DATABASE_URL, value: "postgres://u:p@customers.customers:$(DB_PORT)/x"}
            - {name: OTHER, valueFrom: {configMapKeyRef: {name: settings, key: url}}}
          envFrom: [{configMapRef: {name: settings}}]
          args: ["--db=customers.customers:5432"]
          resources: {requests: {cpu: 100m, memory: 64Mi}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {url: "http://customers.customers"}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: customers
  namespace: customers
  annotations: {auditor/clients: "shop/web, shop/nobody", auditor/health: "health 99999"}
spec:
  selector: {matchLabels: {app: customers}}
  template:
    metadata: {labels: {app: customers, auditor/data: spi}}
    spec:
      nodeSelector: {topology.kubernetes.io/rack: r1}
      containers:
        - name: db
          image: postgres:17
          ports: [{name: sql, containerPort: 5432}, {name: health, containerPort: 8081}]
---
apiVersion: v1
kind: Service
metadata: {name: customers, namespace: customers}
spec:
  type: LoadBalancer
  selector: {app: customers}
  ports: [{name: sql, port: 5432, targetPort: sql}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: some, namespace: customers}
spec:
  podSelector: {matchLabels: {app: customers}}
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {team: web}}
          podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}
        - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}
      ports: [{port: sql}, {port: 8081, endPort: 8090}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: customers}
spec:
  rules:
    - http: {paths: [{path: /, backend: {service: {name: customers, port: {name: sql}}}}]}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: shop}
spec:
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: report}}
        spec:
          containers: [{name: report, image: report, securityContext: {privileged: true}}]
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: web-1
  namespace: shop
  uid: uid-web-1
  labels: {app: web}
  ownerReferences: [{kind: Deployment, name: web, uid: uid-web, controller: true}]
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: web:1, securityContext: {privileged: true}}]
---
apiVersion: v1
kind: Pod
metadata:
  name: web-1-a
  namespace: shop
  uid: uid-web-1-a
  labels: {app: web}
  ownerReferences: [{kind: ReplicaSet, name: web-1, uid: uid-web-1, controller: true}]
spec:
  nodeName: n1
  containers: [{name: web, image: web:1, securityContext: {privileged: true}}]
  ephemeralContainers: [{name: debug, image: busybox, securityContext: {privileged: true}}]
status: {phase: Running, podIP: 10.0.0.1}
"""
"""Something of everything that a fact reads."""

OBJECTS = tuple(objects(COMPANY))


def spoiled(manifest: Manifest, path: tuple[Any, ...], junk: Any) -> dict[str, Any]:
    """The manifest with `junk` at `path`."""
    result: Any = copy.deepcopy(manifest)
    inner = result
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = copy.deepcopy(junk)
    return dict(result)


BRITTLE = """
package policies.test.brittle

deny contains finding if {
	to_number(input.object.metadata.labels.number) > 1
	finding := {"path": ["metadata"], "message": "a large number", "anchor": ""}
}
"""
"""A policy on the object alone that cannot be evaluated where the label is no number."""


def policy(name: str, module: str = "", **changes: Any) -> Policy:
    """A policy of a test on pods."""
    known: dict[str, Any] = {
        "id": name, "title": name, "description": name, "severity": Severity.LOW,
        "profile": "essential", "fix": "none", "kinds": ("Pod", "Deployment", "ReplicaSet"),
        "facts": (), "controls": (), "equivalents": (), "aliases": (), "links": (),
        "file": f"{name}.rego", "module": module,
    }  # fmt: skip
    return Policy(**(known | changes))


def with_brittle() -> Bench:
    """All real policies, and the one that breaks."""
    policies, library = load()
    asked = (*policies, policy("test/brittle", BRITTLE))
    modules = {p.file: p.module for p in asked} | dict(library)
    return Bench(asked, compile_policies("regorus", modules))


BRITTLE_BENCH = with_brittle()


def made(kind: str, name: str, owner: str, labels: dict[str, str], *, bad: bool) -> Resource:
    """An object that makes pods, or a pod, of namespace shop; `owner` is Kind/name."""
    container = {
        "name": "main",
        "image": "app",
        "ports": [{"name": "http", "containerPort": 80}],
        "securityContext": {"privileged": bad},
        "env": [{"name": "DB_HOST", "value": "store"}],
    }
    spec: dict[str, Any] = {"containers": [container]}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": "shop",
        "uid": f"{kind}/{name}",
        "labels": labels,
    }
    if owner:
        owner_kind, owner_name = owner.split("/")
        reference = {"kind": owner_kind, "name": owner_name, "uid": owner, "controller": True}
        metadata["ownerReferences"] = [reference]
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = spec if kind == "Pod" else {"selector": {"matchLabels": labels}, "template": template}
    version = "v1" if kind == "Pod" else "apps/v1"
    return resource({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": body})
