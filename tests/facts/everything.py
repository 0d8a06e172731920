"""A cluster in which every kind of object matters to some fact."""

from __future__ import annotations

from typing import Any

from auditor.model import Resource, Snapshot
from tests.bench import objects

from .guarded import GUARDED
from .meshed import MESHED
from .network.cluster import resource

AROUND = """
apiVersion: v1
kind: Namespace
metadata: {name: data}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: web}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {topology.kubernetes.io/rack: r1, kubernetes.io/hostname: n1}}
status: {allocatable: {cpu: "40", memory: 80Gi, pods: "50"}}
---
apiVersion: v1
kind: Node
metadata: {name: n2, labels: {topology.kubernetes.io/rack: r2, kubernetes.io/hostname: n2}}
status: {allocatable: {cpu: "40", memory: 80Gi, pods: "10"}}
---
apiVersion: v1
kind: Node
metadata: {name: n3, labels: {topology.kubernetes.io/rack: r3, kubernetes.io/hostname: n3}}
status: {allocatable: {cpu: "40", memory: 80Gi, pods: "50"}}
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
        - matchExpressions: [{key: topology.kubernetes.io/rack, operator: In, values: [r3]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: shop}
spec: {volumeName: disk}
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
apiVersion: v1
kind: LimitRange
metadata: {name: limits, namespace: shop}
spec: {limits: [{type: Container, defaultRequest: {cpu: 10m}}]}
---
apiVersion: v1
kind: LimitRange
metadata: {name: others, namespace: shop}
spec: {limits: [{type: Container, defaultRequest: {cpu: 20m}}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota, namespace: shop}
spec: {hard: {pods: 20}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {url: "http://data.data:8080", store: "postgres://store:5432/x"}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: guard, namespace: data}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {matchLabels: {team: web}}}]}]
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: floor}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  ingress:
    - action: Deny
      from: [{namespaces: {}}]
      protocols: [{tcp: {destinationPort: {number: 1111}}}]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: floor}
spec:
  priority: 2
  subject: {namespaces: {}}
  ingress:
    - action: Deny
      from: [{namespaces: {}}]
      ports: [{portNumber: {protocol: TCP, port: 2222}}]
---
apiVersion: policy.networking.k8s.io/v1alpha1
kind: BaselineAdminNetworkPolicy
metadata: {name: default}
spec:
  subject: {namespaces: {matchLabels: {baseline: closed}}}
  ingress: [{action: Deny, from: [{namespaces: {}}]}]
  egress: [{action: Deny, to: [{networks: [0.0.0.0/0]}]}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec: {defaultBackend: {service: {name: pod, port: {number: 80}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  gatewayClassName: edge
  listeners:
    - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
    - name: chosen
      port: 81
      protocol: HTTP
      allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: web}}}}
    - {name: tls, port: 443, protocol: TLS, tls: {mode: Passthrough}}
    - {name: tcp, port: 9000, protocol: TCP}
    - {name: udp, port: 53, protocol: UDP}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: far, namespace: data}
spec:
  parentRefs: [{name: edge, namespace: shop}, {name: edge, namespace: shop, sectionName: chosen}]
  rules: [{backendRefs: [{name: statefulset, namespace: shop, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: data, namespace: shop}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: data}]
  to: [{group: "", kind: Service, name: statefulset}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {name: calls, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: deployment, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TLSRoute
metadata: {name: sealed, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  hostnames: [a.example]
  rules: [{backendRefs: [{name: job, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TCPRoute
metadata: {name: streams, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: replicaset, port: 80}]}]
---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: UDPRoute
metadata: {name: packets, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: daemonset, port: 80}]}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: default, namespace: shop}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, name: default, namespace: data}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: shop}
rules: [{apiGroups: [""], resources: [pods], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: reader}
rules: [{apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: proxy, namespace: data}
rules: [{apiGroups: [""], resources: [services/proxy], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: proxy, namespace: data}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: proxy}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: support}]
"""


WATCHED = """
apiVersion: v1
kind: Namespace
metadata: {name: eyes}
---
apiVersion: v1
kind: Namespace
metadata: {name: held, labels: {data-classification: pii}}
---
apiVersion: v1
kind: Pod
metadata: {name: held, namespace: held, annotations: {prometheus.io/scrape: "true"}}
spec:
  nodeSelector: {topology.kubernetes.io/rack: r1}
  containers: [{name: main, image: app, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: held}
data: {crm: "https://crm.example/x", kept: "postgres://kept.eyes:5432/x"}
---
apiVersion: v1
kind: Service
metadata: {name: mail, namespace: held}
spec: {type: ExternalName, externalName: mail.example}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: data, namespace: data}
spec: {selector: {}, endpoints: [{}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: data, namespace: data}
spec: {selector: {}, podMetricsEndpoints: [{portNumber: 9}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: more, namespace: data}
spec: {selector: {}, endpoints: [{targetPort: 8080}]}
---
apiVersion: azmonitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: azure, namespace: shut}
spec: {selector: {}, podMetricsEndpoints: [{portNumber: 11}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: shut, namespace: shut}
spec:
  template:
    metadata: {labels: {app: shut}}
    spec:
      nodeSelector: {topology.kubernetes.io/rack: r1}
      containers: [{name: main, image: app}]
---
apiVersion: v1
kind: ReplicationController
metadata: {name: shut, namespace: shut}
spec:
  template:
    metadata: {labels: {app: shut}}
    spec:
      nodeSelector: {topology.kubernetes.io/rack: r1}
      containers: [{name: main, image: app}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut, namespace: shut}
spec: {podSelector: {}}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: far, namespace: eyes}
spec:
  serviceMonitorSelector: {}
  serviceMonitorNamespaceSelector: {}
  podMonitorSelector: {}
  podMonitorNamespaceSelector: {}
"""


def _service(namespace: str, name: str, port: int) -> Resource:
    spec = {"selector": {"app": name}, "ports": [{"port": port}]}
    metadata = {"name": name, "namespace": namespace}
    return resource({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def _made(kind: str, version: str, name: str, pod: dict[str, Any], **about: Any) -> Resource:
    """A workload ``namespace/name`` of one container; `pod` goes over its specification."""
    namespace, _, short = name.rpartition("/")
    container = {"name": "main", "image": about.pop("image", "app"), **about.pop("container", {})}
    spec: dict[str, Any] = {"containers": [container], **pod}
    labels = {"app": short, **about.pop("labels", {})}
    metadata = {"name": short, "namespace": namespace or "shop", "annotations": about}
    body: dict[str, Any] = {"apiVersion": version, "kind": kind, "metadata": metadata}
    if kind == "Pod":
        return resource({**body, "metadata": {**metadata, "labels": labels}, "spec": spec})
    template = {"metadata": {"labels": labels}, "spec": spec}
    if kind == "PodTemplate":
        return resource({**body, "template": template})
    inner: dict[str, Any] = {"template": template}
    return resource(
        {**body, "spec": {"jobTemplate": {"spec": inner}} if kind == "CronJob" else inner}
    )


RACK = "topology.kubernetes.io/rack"
VERSIONS = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Rollout": "argoproj.io/v1alpha1",
    "Pod": "v1",
    "PodTemplate": "v1",
    "ReplicationController": "v1",
}
HEALTH = {"auditor/health": "8081"}


def _fillers() -> list[Resource]:
    """One of each kind that takes a place in rack r2, declares its health API, and may reach the
    data: with the database there is room for no other.
    """
    bound = {"nodeSelector": {RACK: "r2"}}
    return [
        _made(kind, version, kind.lower(), bound, **HEALTH) for kind, version in VERSIONS.items()
    ]


def _with(name: str, key: str) -> dict[str, Any]:
    chosen = {"configMapKeyRef": {"name": "settings", "key": key}}
    return {"env": [{"name": name, "valueFrom": chosen}]}


def _told(value: str) -> dict[str, Any]:
    return {"env": [{"name": "DATABASE_URL", "value": value}]}


def _people() -> list[Resource]:
    near = {"labelSelector": {"matchLabels": {"app": "store"}}, "topologyKey": RACK}
    near["namespaceSelector"] = {"matchLabels": {"team": "web"}}
    soft = [{"weight": 1, "podAffinityTerm": near}]
    drawn = {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": soft}}
    first = {"matchExpressions": [{"key": RACK, "operator": "In", "values": ["r1"]}]}
    rather = [{"weight": 100, "preference": first}]
    wish = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": rather}}
    late = {"priorityClassName": "late", "runtimeClassName": "box", "affinity": wish}
    scratch = {"volumeClaimTemplate": {"spec": {"storageClassName": "disks"}}}
    disk = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}
    own = {"name": "scratch", "ephemeral": scratch}
    pii = {"labels": {"auditor/data": "pii"}}
    eye = {"image": "prom/prometheus:v3"}
    client = _told("postgres://db:5432/x")
    away = {"nodeSelector": {RACK: "r1"}}
    return [
        _made("StatefulSet", "apps/v1", "data/data", away, **pii, **HEALTH),
        _made("DaemonSet", "apps/v1", "data/more", away, **pii),
        _made("Deployment", "apps/v1", "eye", away, **eye),
        _made("Pod", "v1", "eye-too", away, **eye),
        _made("StatefulSet", "apps/v1", "db", {"nodeSelector": {RACK: "r2"}}, image="postgres"),
        _made("StatefulSet", "apps/v1", "store", {"volumes": [disk]}, image="postgres"),
        _made("Deployment", "apps/v1", "web", late, container=client),
        _made("Rollout", "argoproj.io/v1alpha1", "api", late, container=client),
        _made(
            "Deployment", "apps/v1", "drawn", {"affinity": {**wish, **drawn}},
            container=_told("postgres://store:5432/x"),
        ),
        _made(
            "Deployment", "apps/v1", "far", {**late, "volumes": [own]},
            container=_with("DATABASE_URL", "store"),
        ),
        _made("Deployment", "apps/v1", "asks", away, container=_with("DATA", "url")),
    ]  # fmt: skip


BEHIND = (*(kind.lower() for kind in VERSIONS if kind != "Pod"), "eye")
"""Workloads with a Service; a route leads to some of them."""


def _eyes() -> list[Resource]:
    """A monitor of each kind, in a namespace that may not reach the data."""
    return [
        _made(
            kind,
            version,
            f"eyes/{kind.lower()}",
            {"nodeSelector": {RACK: "r1"}},
            **{"auditor/role": "monitor"},
        )
        for kind, version in VERSIONS.items()
    ]


def _askers() -> list[Resource]:
    """One of each kind that holds data and asks a database of which nothing is said; one that is
    told an address outside by a ConfigMap, and by another name of it.
    """
    away = {"nodeSelector": {RACK: "r1"}}
    asks = _told("postgres://kept.eyes:5432/x")
    kept: dict[str, Any] = {"image": "postgres", "labels": {"app": "kept"}}
    return [
        *(
            _made(kind, version, f"held/{kind.lower()}", away, container=asks)
            for kind, version in VERSIONS.items()
        ),
        _made("StatefulSet", "apps/v1", "eyes/kept", away, **kept),
        _made("Deployment", "apps/v1", "eyes/kept-too", away, **kept),
        _made("Pod", "v1", "held/told", away, container=_with("STORE", "kept")),
        _made("Pod", "v1", "held/out", away, container=_with("CRM_URL", "crm")),
        _made("Pod", "v1", "held/mail", away, container=_told("smtp://mail:25")),
    ]


EVERYTHING = Snapshot(
    (
        *objects(AROUND),
        *objects(WATCHED),
        *_eyes(),
        *_askers(),
        _service("eyes", "kept", 5432),
        _service("data", "data", 8080),
        _service("shop", "db", 5432),
        _service("shop", "store", 5432),
        *(_service("shop", name, 80) for name in BEHIND),
        _service("shop", "pod", 80),
        *_fillers(),
        *_people(),
        *GUARDED,
        *MESHED,
    )
)
"""Everything at once."""
