"""A small shop as people write it, for the tests of `auditor network`."""

from __future__ import annotations

from pathlib import Path

SHOP = """\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: customers
  namespace: shop
  labels:
    auditor/data: pii
  annotations:
    auditor/clients: shop/web
spec:
  selector:
    matchLabels:
      app: customers
  template:
    metadata:
      labels:
        app: customers
    spec:
      containers:
        - name: app
          image: registry.example/customers:1
          ports:
            - name: http
              containerPort: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: app
          image: registry.example/web:1
          ports:
            - name: http
              containerPort: 8080
---
apiVersion: v1
kind: Pod
metadata:
  name: cron
  namespace: shop
  labels:
    app: cron
spec:
  containers:
    - name: app
      image: registry.example/cron:1
status:
  phase: Running
  podIP: 10.0.0.9
---
apiVersion: v1
kind: Service
metadata:
  name: api
  namespace: shop
spec:
  selector:
    app: customers
  ports:
    - name: web
      port: 80
      targetPort: http
"""

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: customers
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: customers
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: web
      ports:
        - port: 8080
"""

REFUSED = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: broken
  namespace: shop
spec:
  podSelector: {}
  ingress:
    - from:
        - {}
"""


def written(folder: Path, *texts: str) -> Path:
    """A folder with each text in a file of its own: ``0.yaml``, ``1.yaml``."""
    folder.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text)
    return folder
