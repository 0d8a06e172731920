"""The kinds of objects by what they have to do with each other."""

from auditor.facts.workloads import WORKLOAD_KINDS

CLUSTER_WIDE = ("ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy")
"""The network policies of a whole cluster."""

ROUTES = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute")
"""What leads requests of a Gateway to Services."""

LEADING = ("Ingress", *ROUTES)
"""What names Services as backends."""

MESH = ("AuthorizationPolicy", "PeerAuthentication")
"""What decides at sidecars."""

POLICING = ("NetworkPolicy", *CLUSTER_WIDE, *MESH)
"""What stops traffic, or lets it pass before anything else is asked."""

REACHING = (*POLICING, "Namespace", "Service", "ConfigMap", *WORKLOAD_KINDS)
"""Who reaches whom: the pod that is not seen may be the one that does. How the mesh is set up, and
what makes a monitor of a pod, is said in ConfigMaps."""

ENTERING = ("Ingress", "Gateway", *ROUTES, "ReferenceGrant")
"""Whom the outside reaches, beside Services."""

WEBHOOKS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
"""What makes the API server call somebody."""

WATCHING = ("ServiceMonitor", "PodMonitor")
"""What asks monitors to fetch something."""

STANDING = tuple(kind for kind in WORKLOAD_KINDS if kind != "PodTemplate")
"""Who stands where: every pod takes room from others. A PodTemplate alone has no pods."""

SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
"""What changes the number of pods of a workload."""

SCHEDULING = (
    "Node", "Service", "Namespace", *SCALERS, "Ingress", *STANDING,
    "PersistentVolumeClaim", "PersistentVolume", "StorageClass",
    "PriorityClass", "RuntimeClass", "LimitRange",
)  # fmt: skip
"""Where pods may run, how many of them, and who asks them."""

POLICIES = ("NetworkPolicy", *CLUSTER_WIDE)
"""Whatever says who reaches whom on ports."""

BEFORE_OTHERS = tuple(kind for kind in POLICIES if kind != "BaselineAdminNetworkPolicy")
"""Those of them that are asked about a pod that NetworkPolicies isolate: what isolates decides
before the baseline is asked."""

BINDINGS = ("RoleBinding", "ClusterRoleBinding")
"""What gives permissions to service accounts."""

ROLES = ("Role", "ClusterRole")
"""What lists rights."""

RIGHTS = (*ROLES, *BINDINGS)
"""What says who may do what through the API server."""

UNPLACED = ("PodDisruptionBudget", *RIGHTS)
"""What neither moves a pod nor changes how many there are."""

UNROUTED = (*UNPLACED, "PriorityClass", "HorizontalPodAutoscaler", "LimitRange", "ResourceQuota")
"""What neither lets traffic pass nor leads it anywhere."""

STORAGE = ("PersistentVolumeClaim", "PersistentVolume", "StorageClass")
ADMISSION = ("PriorityClass", "RuntimeClass", "LimitRange")
"""What the API server reads when it accepts a pod."""

MESHED = (*MESH, "Namespace", "Service", "ConfigMap", *WORKLOAD_KINDS)
"""What a policy of the mesh meets: whom it selects, and what counts there beside it."""

ROUTED = ("Node", "Service", "Namespace", "ConfigMap", *STANDING, *STORAGE, *ADMISSION)
"""Who asks whom through a Service, and where both stand."""

SELECTING = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
"""The controllers of today that know their pods by a selector."""
