"""Namespaces whose policies and data give the facts about them something to say of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.model import Resource
from tests.bench import objects

from .network.cluster import resource

RACK = "topology.kubernetes.io/rack"
NOWHERE = {"nodeSelector": {RACK: "nowhere"}}
"""No node is there: what runs there takes room from nobody."""
RUNNING = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Rollout": "argoproj.io/v1alpha1",
    "Pod": "v1",
    "ReplicationController": "v1",
}
"""Kinds that run pods, and their versions."""
VERSIONS = {**RUNNING, "PodTemplate": "v1"}
ROUTES = {
    "HTTPRoute": "v1",
    "GRPCRoute": "v1",
    "TLSRoute": "v1alpha2",
    "TCPRoute": "v1alpha2",
    "UDPRoute": "v1alpha2",
}
"""Kinds of routes of the Gateway API, and their versions."""
ELSEWHERE = ("meshed/closed-client", "meshed/strict-client", "based/base-client")
"""Clients of the data for whom others than NetworkPolicies decide."""

AROUND = """
apiVersion: v1
kind: Namespace
metadata: {name: asking}
---
apiVersion: v1
kind: Namespace
metadata: {name: kube-system, labels: {names: far}}
---
apiVersion: v1
kind: Namespace
metadata: {name: openshift-dns, labels: {names: far}}
---
apiVersion: v1
kind: Namespace
metadata: {name: kept, labels: {auditor/data: pii}}
---
apiVersion: v1
kind: Namespace
metadata: {name: edge}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: no-names, namespace: asking}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress:
    - to: [{namespaceSelector: {matchLabels: {names: here}}}]
    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kept}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: kept, namespace: kept}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - namespaceSelector:
            matchExpressions:
              - {key: kubernetes.io/metadata.name, operator: In, values: [asking, meshed, based]}
  egress: [{}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: inner, namespace: asking}
spec:
  podSelector: {matchLabels: {inner: "yes"}}
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: edge}}}]}]
---
apiVersion: v1
kind: Service
metadata: {name: shifted, namespace: asking}
spec: {selector: {app: target-pod}, ports: [{port: 81, targetPort: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: edge}
spec: {defaultBackend: {service: {name: front, port: {number: 80}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: edge}
spec:
  gatewayClassName: edge
  listeners:
    - {name: http, port: 80, protocol: HTTP, allowedRoutes: &all {namespaces: {from: All}}}
    - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}, allowedRoutes: *all}
    - {name: tcp, port: 9000, protocol: TCP, allowedRoutes: *all}
    - {name: udp, port: 53, protocol: UDP, allowedRoutes: *all}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: granted, namespace: edge}
spec:
  parentRefs: [{name: front}]
  rules: [{backendRefs: [{name: by-grant, namespace: asking, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: edge, namespace: asking}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: edge}]
  to: [{group: "", kind: Service, name: by-grant}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: checks}
webhooks: [{clientConfig: {service: {namespace: asking, name: inner, port: 80}}}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: changes}
webhooks: [{clientConfig: {service: {namespace: asking, name: inner-too, port: 80}}}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: edge}
data: {url: "http://inner.asking:80"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: asking}
data: {url: "http://target-pod.asking:80"}
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: apart}
spec:
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{key: topology.kubernetes.io/rack, operator: In, values: [r1]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: apart, namespace: own}
spec: {volumeName: apart}
"""


def made(kind: str, name: str, pod: Mapping[str, Any], **about: Any) -> Resource:
    """A workload ``namespace/name`` with label app=name."""
    namespace, _, short = name.partition("/")
    labels = {"app": short, **about.pop("labels", {})}
    container = {"name": "main", "image": "app", **about.pop("container", {})}
    spec = {"containers": [container], **pod}
    metadata = {"name": short, "namespace": namespace, "annotations": about}
    body: dict[str, Any] = {"apiVersion": VERSIONS[kind], "kind": kind, "metadata": metadata}
    if kind == "Pod":
        return resource({**body, "metadata": {**metadata, "labels": labels}, "spec": spec})
    template = {"metadata": {"labels": labels}, "spec": spec}
    if kind == "PodTemplate":
        return resource({**body, "template": template})
    inner: dict[str, Any] = {"template": template}
    if kind == "CronJob":
        inner = {"jobTemplate": {"spec": inner}}
    return resource({**body, "spec": inner})


def service(namespace: str, name: str) -> Resource:
    """A Service on port 80 for the pods with label app=name."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    metadata = {"name": name, "namespace": namespace}
    return resource({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def _told(value: str) -> dict[str, Any]:
    return {"env": [{"name": "PEER_URL", "value": value}]}


def _by_config() -> dict[str, Any]:
    chosen = {"configMapKeyRef": {"name": "settings", "key": "url"}}
    return {"env": [{"name": "PEER_URL", "valueFrom": chosen}]}


def _asking() -> list[Resource]:
    """One of each kind that is asked, and somebody of another kind who asks it by its name without
    being able to find it.
    """
    found = []
    for kind in VERSIONS:
        name = f"target-{kind.lower()}"
        asker = "Deployment" if kind == "Pod" else "Pod"
        told = _told(f"http://{name}.asking:80")
        found += [
            made(kind, f"asking/{name}", NOWHERE),
            service("asking", name),
            made(asker, f"asking/asks-{kind.lower()}", NOWHERE, container=told),
        ]
    return [*found, made("Pod", "asking/by-config", NOWHERE, container=_by_config())]


def _policy() -> Resource:
    """A policy for nobody that names one of each kind, one by a slip, and the port of a Service."""
    peers = [{"podSelector": {"matchLabels": {"app": f"target-{k.lower()}"}}} for k in VERSIONS]
    slip = {
        "namespaceSelector": {"matchLabels": {"names": "far"}},
        "podSelector": {"matchLabels": {"app": "resolvr"}},
    }
    asked = {"to": [peers[list(VERSIONS).index("Pod")]], "ports": [{"port": 81}]}
    return resource(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "for-nobody", "namespace": "asking"},
            "spec": {
                "podSelector": {"matchLabels": {"app": "nobody"}},
                "ingress": [{"from": [*peers, slip]}],
                "egress": [asked],
            },
        }
    )


def _kept() -> list[Resource]:
    """Data of two kinds, its clients, and two more whom the internet reaches through somebody."""
    targets = [f"asking/target-{kind.lower()}" for kind in VERSIONS]
    led = [f"asking/by-{name.lower()}" for name in (*ROUTES, "grant")]
    clients = [*targets, *led, "asking/inner", "asking/inner-too", *ELSEWHERE]
    declared = {"auditor/clients": ", ".join(clients)}
    there = {"nodeSelector": {RACK: "r3"}}
    inner = {"labels": {"inner": "yes"}}
    return [
        made("StatefulSet", "kept/kept", there, **declared),
        made("Pod", "kept/kept-too", there, **declared),
        made("Deployment", "asking/inner", NOWHERE, **inner),
        made("Deployment", "asking/inner-too", NOWHERE, **inner),
        service("asking", "inner"),
        service("asking", "inner-too"),
        made("Deployment", "edge/front", NOWHERE, container=_by_config()),
        service("edge", "front"),
        made("Pod", "kube-system/resolver", NOWHERE),
        made("Deployment", "kube-system/resolver-too", NOWHERE, labels={"app": "resolver"}),
    ]


def _led() -> list[Resource]:
    """Clients to whom nothing but a route leads the internet, one for each kind of route."""
    found = [made("Pod", "asking/by-grant", NOWHERE), service("asking", "by-grant")]
    for kind, version in ROUTES.items():
        name = f"by-{kind.lower()}"
        spec: dict[str, Any] = {
            "parentRefs": [{"name": "front", "namespace": "edge"}],
            "rules": [{"backendRefs": [{"name": name, "port": 80}]}],
        }
        about = {"name": name, "namespace": "asking"}
        api = f"gateway.networking.k8s.io/{version}"
        route = {"apiVersion": api, "kind": kind, "metadata": about, "spec": spec}
        found += [
            made("Pod", f"asking/{name}", NOWHERE),
            service("asking", name),
            resource(route),
        ]
    return found


def _owners() -> list[Resource]:
    """One of each kind that owns its node beside the data, and one whose disk keeps it apart."""
    owns = {"hostPID": True, "nodeSelector": {RACK: "r3"}}
    claim = {"name": "disk", "persistentVolumeClaim": {"claimName": "apart"}}
    return [
        *(made(kind, f"own/{kind.lower()}", owns) for kind in RUNNING),
        made("Deployment", "own/bound", {"hostPID": True, "volumes": [claim]}),
    ]


def _gated() -> list[Resource]:
    """Data, and somebody who asks, behind each cluster-wide policy: it closes them to everybody,
    and lets them ask for names.
    """
    names = {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}
    anywhere = [{"networks": ["0.0.0.0/0"]}]
    found = []
    for kind, version, accept in (
        ("ClusterNetworkPolicy", "v1alpha2", "Accept"),
        ("AdminNetworkPolicy", "v1alpha1", "Allow"),
    ):
        home = f"gated-{kind.lower()}"
        subject = {"namespaces": {"matchLabels": {"kubernetes.io/metadata.name": home}}}
        spec: dict[str, Any] = {
            "priority": 3,
            "subject": subject,
            "ingress": [{"action": "Deny", "from": [{"namespaces": {}}]}],
            "egress": [
                {"action": accept, "to": [{"namespaces": names}]},
                {"action": "Deny", "to": anywhere},
            ],
        }
        tier = {"tier": "Admin"} if kind == "ClusterNetworkPolicy" else {}
        api = f"policy.networking.k8s.io/{version}"
        metadata = {"name": home, "namespace": ""}
        gate = {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": {**spec, **tier}}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}}
        closed = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "asks", "namespace": home},
            "spec": {"podSelector": {"matchLabels": {"app": "asks"}}, "policyTypes": ["Egress"]},
        }
        told = _told("http://target-pod.asking:80")
        found += [
            *map(resource, (gate, space, closed)),
            made("Pod", f"{home}/data", NOWHERE, labels={"auditor/data": "pii"}),
            made("Pod", f"{home}/asks", NOWHERE, container=told),
        ]
    return found


GUARDED = (*objects(AROUND), _policy(), *_asking(), *_kept(), *_led(), *_owners(), *_gated())
