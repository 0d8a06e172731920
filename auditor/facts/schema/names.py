"""The kinds of Kubernetes' own API groups, by name: who writes another there has mistyped one.

https://kubernetes.io/docs/reference/kubernetes-api/, with what older versions had.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache

from auditor.terms import API_GROUPS

KINDS = frozenset(
    [
        "APIService",
        "AdmissionReview",
        "Binding",
        "CSIDriver",
        "CSINode",
        "CSIStorageCapacity",
        "CertificateSigningRequest",
        "ClusterCIDR",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "ConfigMap",
        "ControllerRevision",
        "ConversionReview",
        "CronJob",
        "CustomResourceDefinition",
        "DaemonSet",
        "Deployment",
        "DeploymentRollback",
        "DeviceClass",
        "DeviceTaintRule",
        "EndpointSlice",
        "Endpoints",
        "Event",
        "Eviction",
        "FlowSchema",
        "HorizontalPodAutoscaler",
        "IPAddress",
        "ImageReview",
        "Ingress",
        "IngressClass",
        "Job",
        "JobTemplate",
        "Lease",
        "LeaseCandidate",
        "LimitRange",
        "List",
        "LocalSubjectAccessReview",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "NetworkPolicy",
        "Node",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "Pod",
        "PodCertificateRequest",
        "PodDisruptionBudget",
        "PodGroup",
        "PodPreset",
        "PodSchedulingContext",
        "PodSecurityPolicy",
        "PodStatusResult",
        "PodTemplate",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "RangeAllocation",
        "ReplicaSet",
        "ReplicationController",
        "ReplicationControllerDummy",
        "ResourceClaim",
        "ResourceClaimParameters",
        "ResourceClaimTemplate",
        "ResourceClass",
        "ResourceClassParameters",
        "ResourcePoolStatusRequest",
        "ResourceQuota",
        "ResourceSlice",
        "Role",
        "RoleBinding",
        "RuntimeClass",
        "Scale",
        "ScheduledJob",
        "Secret",
        "SelfSubjectAccessReview",
        "SelfSubjectReview",
        "SelfSubjectRulesReview",
        "SerializedReference",
        "Service",
        "ServiceAccount",
        "ServiceCIDR",
        "StatefulSet",
        "Status",
        "StorageClass",
        "StorageVersion",
        "StorageVersionMigration",
        "SubjectAccessReview",
        "Table",
        "ThirdPartyResource",
        "TokenRequest",
        "TokenReview",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
        "Workload",
    ]
)
NEAR = 0.8
"""How alike a name has to be: a kind that is newer than this list is most likely another word."""


@lru_cache(maxsize=1024)
def meant(group: str, kind: str) -> str | None:
    """The kind that somebody meant who wrote this one of a group of Kubernetes; None where there is
    such a kind, or may be.
    """
    if group not in API_GROUPS or kind in KINDS or kind.removesuffix("List") in KINDS:
        return None
    if alike := [known for known in KINDS if known.lower() == kind.lower()]:
        return alike[0]
    return next(iter(get_close_matches(kind, sorted(KINDS), 1, NEAR)), None)
