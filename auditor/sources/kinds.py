"""The kinds of objects that are read from a cluster, and where the API server lists them."""

from __future__ import annotations

from urllib.parse import quote

from auditor.model import Ref
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects that is read from the cluster."""

    api_version: str
    plural: str
    kind: str
    namespaced: bool = True
    optional: bool = False
    """Of an extension: nothing is missing where the server does not know it."""
    within: str = ""
    """The namespace that it is listed in; empty for all."""

    @property
    def group(self) -> str:
        """The API group, empty for core/v1."""
        return self.api_version.rpartition("/")[0]

    @property
    def path(self) -> str:
        """Where the API server lists the objects, of all namespaces or of one."""
        root = "apis" if self.group else "api"
        where = f"namespaces/{quote(self.within, safe='')}/" if self.within else ""
        return f"/{root}/{self.api_version}/{where}{self.plural}"

    @property
    def what(self) -> str:
        """What a gap calls it: ``list of networkpolicies.networking.k8s.io``."""
        return f"list of {self.plural}{'.' if self.group else ''}{self.group}"


OTHER_DIALECTS = tuple(
    Kind(version, plural, kind, namespaced=namespaced, optional=True)
    for version, plural, kind, namespaced in (
        ("policy.networking.k8s.io/v1alpha1", "adminnetworkpolicies", "AdminNetworkPolicy", False),
        (
            "policy.networking.k8s.io/v1alpha1",
            "baselineadminnetworkpolicies",
            "BaselineAdminNetworkPolicy",
            False,
        ),
        (
            "policy.networking.k8s.io/v1alpha2",
            "clusternetworkpolicies",
            "ClusterNetworkPolicy",
            False,
        ),
        ("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy", True),
        (
            "cilium.io/v2",
            "ciliumclusterwidenetworkpolicies",
            "CiliumClusterwideNetworkPolicy",
            False,
        ),
        ("crd.projectcalico.org/v1", "networkpolicies", "NetworkPolicy", True),
        ("crd.projectcalico.org/v1", "globalnetworkpolicies", "GlobalNetworkPolicy", False),
    )
)
"""Dialects of network policy beside NetworkPolicy. Those of Cilium and Calico are not understood
yet: they are read so that each is told as a gap."""

MESH = tuple(
    Kind(version, plural, kind, optional=True)
    for version, plural, kind in (
        ("security.istio.io/v1", "authorizationpolicies", "AuthorizationPolicy"),
        ("security.istio.io/v1", "peerauthentications", "PeerAuthentication"),
        ("security.istio.io/v1", "requestauthentications", "RequestAuthentication"),
        ("networking.istio.io/v1", "destinationrules", "DestinationRule"),
        ("networking.istio.io/v1", "sidecars", "Sidecar"),
        ("networking.istio.io/v1alpha3", "envoyfilters", "EnvoyFilter"),
    )
)
"""What decides on requests at Istio's sidecars."""

_GATEWAY_API = "gateway.networking.k8s.io"

GATEWAYS = tuple(
    Kind(f"{_GATEWAY_API}/{version}", plural, kind, namespaced=namespaced, optional=True)
    for version, plural, kind, namespaced in (
        ("v1", "gatewayclasses", "GatewayClass", False),
        ("v1", "gateways", "Gateway", True),
        ("v1", "httproutes", "HTTPRoute", True),
        ("v1", "grpcroutes", "GRPCRoute", True),
        ("v1alpha2", "tlsroutes", "TLSRoute", True),
        ("v1alpha2", "tcproutes", "TCPRoute", True),
        ("v1alpha2", "udproutes", "UDPRoute", True),
        ("v1beta1", "referencegrants", "ReferenceGrant", True),
    )
)
"""The Gateway API, each kind at a version that every release since it was there has served."""

ADMISSION = tuple(
    Kind("admissionregistration.k8s.io/v1", plural, kind, namespaced=False)
    for plural, kind in (
        ("validatingwebhookconfigurations", "ValidatingWebhookConfiguration"),
        ("mutatingwebhookconfigurations", "MutatingWebhookConfiguration"),
    )
)
"""Which webhooks the API server calls."""

KINDS = (
    Kind("v1", "namespaces", "Namespace", namespaced=False),
    Kind("v1", "nodes", "Node", namespaced=False),
    Kind("v1", "persistentvolumes", "PersistentVolume", namespaced=False),
    Kind("v1", "pods", "Pod"),
    Kind("v1", "replicationcontrollers", "ReplicationController"),
    Kind("v1", "podtemplates", "PodTemplate"),
    Kind("v1", "services", "Service"),
    Kind("v1", "configmaps", "ConfigMap"),
    Kind("v1", "persistentvolumeclaims", "PersistentVolumeClaim"),
    Kind("v1", "serviceaccounts", "ServiceAccount"),
    Kind("v1", "limitranges", "LimitRange"),
    Kind("v1", "resourcequotas", "ResourceQuota"),
    Kind("apps/v1", "deployments", "Deployment"),
    Kind("apps/v1", "replicasets", "ReplicaSet"),
    Kind("apps/v1", "statefulsets", "StatefulSet"),
    Kind("apps/v1", "daemonsets", "DaemonSet"),
    Kind("batch/v1", "jobs", "Job"),
    Kind("batch/v1", "cronjobs", "CronJob"),
    Kind("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    Kind("networking.k8s.io/v1", "ingresses", "Ingress"),
    Kind("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    Kind("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    Kind("discovery.k8s.io/v1", "endpointslices", "EndpointSlice"),
    Kind("rbac.authorization.k8s.io/v1", "roles", "Role"),
    Kind("rbac.authorization.k8s.io/v1", "clusterroles", "ClusterRole", namespaced=False),
    Kind("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
    Kind(
        "rbac.authorization.k8s.io/v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
        namespaced=False,
    ),
    Kind("storage.k8s.io/v1", "storageclasses", "StorageClass", namespaced=False),
    Kind("storage.k8s.io/v1", "csinodes", "CSINode", namespaced=False),
    Kind("scheduling.k8s.io/v1", "priorityclasses", "PriorityClass", namespaced=False),
    Kind("node.k8s.io/v1", "runtimeclasses", "RuntimeClass", namespaced=False),
    *ADMISSION,
    Kind("argoproj.io/v1alpha1", "rollouts", "Rollout", optional=True),
    Kind("keda.sh/v1alpha1", "scaledobjects", "ScaledObject", optional=True),
    *GATEWAYS,
    Kind("monitoring.coreos.com/v1", "servicemonitors", "ServiceMonitor", optional=True),
    Kind("monitoring.coreos.com/v1", "podmonitors", "PodMonitor", optional=True),
    Kind("monitoring.coreos.com/v1", "prometheuses", "Prometheus", optional=True),
    *OTHER_DIALECTS,
    *MESH,
)
"""What is read. Never Secrets: no question of ours needs their contents."""
_BY_NAME = {(kind.api_version, kind.kind): kind for kind in KINDS}


def kind_of(ref: Ref) -> Kind:
    """The kind that an object is read as.

    Raises:
        KeyError: none is.
    """
    return _BY_NAME[ref.api_version, ref.kind]
