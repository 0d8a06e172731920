"""Namespaces in which the sidecars of a mesh decide, and one that a baseline closes."""

from __future__ import annotations

from typing import Any

from auditor.model import Resource
from tests.bench import objects

from .guarded import NOWHERE, made, service

AROUND = """
apiVersion: v1
kind: Namespace
metadata: {name: meshed, labels: {istio-injection: enabled}}
---
apiVersion: v1
kind: Namespace
metadata: {name: based, labels: {baseline: closed}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "trustDomain: shop.example"}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: meshed}
spec: {selector: {matchLabels: {mesh: closed}}}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: named, namespace: meshed}
spec:
  selector: {matchLabels: {mesh: named}}
  rules: [{from: [{source: {principals: [shop.example/ns/eyes/*]}}]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: strict, namespace: meshed}
spec: {selector: {matchLabels: {mesh: strict}}, mtls: {mode: STRICT}}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: meshed, namespace: meshed}
spec: {selector: {}, podMetricsEndpoints: [{portNumber: 80}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: based, namespace: based}
spec: {selector: {}, podMetricsEndpoints: [{portNumber: 80}]}
"""


def _home(namespace: str, name: str, **labels: str) -> list[Resource]:
    """Data, a service with a health API, and a client of data elsewhere; each with a Service."""
    about: dict[str, dict[str, Any]] = {
        "data": {"labels": {**labels, "auditor/data": "pii"}},
        "health": {"labels": labels, "auditor/health": "8081"},
        "client": {"labels": labels},
    }
    found = []
    for role, said in about.items():
        short = f"{name}-{role}"
        found += [made("Pod", f"{namespace}/{short}", NOWHERE, **said), service(namespace, short)]
    return found


def _watcher() -> Resource:
    """A monitor that proves who it is."""
    labels = {"sidecar.istio.io/inject": "true"}
    return made("Pod", "eyes/proxied", NOWHERE, labels=labels, **{"auditor/role": "monitor"})


WAYS = ("closed", "named", "strict")
MESHED = (
    *objects(AROUND),
    *(one for way in WAYS for one in _home("meshed", way, mesh=way)),
    *_home("based", "base"),
    _watcher(),
)
