"""Which kinds belong to the cluster as a whole, which to a namespace, and which to no cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from auditor.model import Ref

DEFAULT_NAMESPACE = "default"
"""Where kubectl puts an object that names no namespace."""

_CLUSTER: dict[str, str] = {
    "": "ComponentStatus Namespace Node PersistentVolume",
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration "
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration"
    ),
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "apps": "",
    "authentication.k8s.io": "SelfSubjectReview TokenReview",
    "authorization.k8s.io": "SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview",
    "autoscaling": "",
    "batch": "",
    "certificates.k8s.io": "CertificateSigningRequest ClusterTrustBundle",
    "coordination.k8s.io": "",
    "discovery.k8s.io": "",
    "events.k8s.io": "",
    "extensions": "PodSecurityPolicy",
    "flowcontrol.apiserver.k8s.io": "FlowSchema PriorityLevelConfiguration",
    "internal.apiserver.k8s.io": "StorageVersion",
    "lifecycle.k8s.io": "",
    "metrics.k8s.io": "NodeMetrics",
    "networking.k8s.io": "IPAddress IngressClass ServiceCIDR",
    "node.k8s.io": "RuntimeClass",
    "policy": "PodSecurityPolicy",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "resource.k8s.io": "DeviceClass DeviceTaintRule ResourcePoolStatusRequest ResourceSlice",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment VolumeAttributesClass",
    "storagemigration.k8s.io": "StorageVersionMigration",
    # Extensions that people use without their definitions at hand.
    "apps.kruise.io": "NodeImage NodePodProbe ResourceDistribution SidecarSet",
    "apps.openshift.io": "",
    "argoproj.io": "ClusterWorkflowTemplate",
    "autoscaling.k8s.io": "",
    "cert-manager.io": "ClusterIssuer",
    "cilium.io": (
        "CiliumBGPAdvertisement CiliumBGPClusterConfig CiliumBGPNodeConfig "
        "CiliumBGPNodeConfigOverride CiliumBGPPeerConfig CiliumCIDRGroup "
        "CiliumClusterwideEnvoyConfig CiliumClusterwideNetworkPolicy CiliumEgressGatewayPolicy "
        "CiliumExternalWorkload CiliumIdentity CiliumL2AnnouncementPolicy "
        "CiliumLoadBalancerIPPool CiliumNode CiliumPodIPPool"
    ),
    "gateway.networking.k8s.io": "GatewayClass",
    "keda.sh": "ClusterTriggerAuthentication",
    "monitoring.coreos.com": "",
    "networking.istio.io": "",
    "policy.networking.k8s.io": (
        "AdminNetworkPolicy BaselineAdminNetworkPolicy ClusterNetworkPolicy"
    ),
    "security.istio.io": "",
    "serving.knative.dev": "",
    "telemetry.istio.io": "",
    **dict.fromkeys(
        ("crd.projectcalico.org", "projectcalico.org"),
        "BGPConfiguration BGPFilter BGPPeer BlockAffinity CalicoNodeStatus ClusterInformation "
        "FelixConfiguration GlobalNetworkPolicy GlobalNetworkSet HostEndpoint IPAMBlock "
        "IPAMConfig IPAMHandle IPPool IPReservation KubeControllersConfiguration Profile "
        "StagedGlobalNetworkPolicy Tier",
    ),
}
"""Group → its kinds that belong to the cluster; all others of these groups are in a namespace.
Kubernetes 1.36 and the API references of the extensions.
"""

_CLUSTER_KINDS = {group: frozenset(kinds.split()) for group, kinds in _CLUSTER.items()}

_ELSEWHERE = frozenset(
    (
        "admission.k8s.io",
        "apiserver.config.k8s.io",
        "apiserver.k8s.io",
        "audit.k8s.io",
        "client.authentication.k8s.io",
        "config.k8s.io",
        "config.kubernetes.io",
        "ctlptl.dev",
        "fn.kpt.dev",
        "imagepolicy.k8s.io",
        "k0sctl.k0sproject.io",
        "k3d.io",
        "kind.x-k8s.io",
        "kpt.dev",
        "kubeadm.k8s.io",
        "kubecontrollermanager.config.k8s.io",
        "kubelet.config.k8s.io",
        "kubeproxy.config.k8s.io",
        "kubescheduler.config.k8s.io",
        "kustomize.config.k8s.io",
        "node.config.k8s.io",
        "pod-security.admission.config.k8s.io",
        "resourcequota.admission.k8s.io",
        "skaffold",
        "webhookadmission.config.k8s.io",
    )
)
"""Groups whose files configure programs. None of their kinds is ever stored in a cluster."""

_NAMELESS = ("authentication.k8s.io", "authorization.k8s.io")

Custom = Mapping[tuple[str, str], bool]
"""(group, kind) → whether its objects are in a namespace, as CustomResourceDefinitions say."""


def is_elsewhere(api_version: str, kind: str) -> bool:
    """Whether this is the configuration of a program, and no object of any cluster."""
    group = api_version.rpartition("/")[0]
    return group in _ELSEWHERE or (api_version, kind) == ("v1", "Config")


def needs_name(api_version: str) -> bool:
    """Whether objects of this API are stored. Reviews are only answered."""
    return api_version.rpartition("/")[0] not in _NAMELESS


def custom_scopes(manifests: Iterable[Mapping[str, Any]]) -> Custom:
    """What the CustomResourceDefinitions among `manifests` say of their kinds."""
    found: dict[tuple[str, str], bool] = {}
    for manifest in manifests:
        spec = manifest.get("spec")
        if manifest.get("kind") != "CustomResourceDefinition" or not isinstance(spec, dict):
            continue
        names = spec.get("names")
        kind = names.get("kind") if isinstance(names, dict) else None
        found[str(spec.get("group")), str(kind)] = spec.get("scope") != "Cluster"
    return found


def in_namespace(ref: Ref, custom: Custom) -> Ref:
    """The reference with the namespace that the object would get.

    None for objects of the cluster, `default` where none is written; as it is written where the
    kind is unknown.
    """
    kinds = _CLUSTER_KINDS.get(ref.group)
    if (ref.group, ref.kind) in custom:
        namespaced = custom[ref.group, ref.kind]
    elif kinds is not None:
        namespaced = ref.kind not in kinds
    else:
        return ref
    namespace = (ref.namespace or DEFAULT_NAMESPACE) if namespaced else ""
    return Ref(ref.api_version, ref.kind, namespace, ref.name)
