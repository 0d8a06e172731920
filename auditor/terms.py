"""More of the vocabulary: names and versions that several parts go by, which kinds are those of
Kubernetes, who keeps an object, what an audit is about, and what a cluster's server told. Imports
nothing of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from auditor.values import dataclass

CONFIGURATION = ".auditor.yaml"
"""The file in which a user declares what there is to declare."""
REPORT = "auditor/1"
"""What a saved JSON report says that it is."""
KUBERNETES = 136
"""The version that is judged for where nothing says which, as 100 × major + minor."""
CHART = "Chart.yaml"
"""The file that makes a folder a Helm chart."""
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""Those that make it a kustomization, the first one first."""

HOSTNAME = "kubernetes.io/hostname"
"""The label with its name that a kubelet writes on its node."""

Profile = Literal["essential", "recommended", "strict"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
"""How many policies are asked, the fewest first: each has those of the one before."""
PROFILE: Profile = "recommended"
"""The one where nobody says which."""

Tool = Literal["checkov", "kube-linter", "kubescape", "polaris", "trivy"]
TOOLS: tuple[Tool, ...] = get_args(Tool)
"""The tools whose waivers can be honoured."""

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ),
        ("",),
    ),
    **dict.fromkeys(
        ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"),
        ("rbac.authorization.k8s.io",),
    ),
    **dict.fromkeys(("CSINode", "StorageClass"), ("storage.k8s.io",)),
    "EndpointSlice": ("discovery.k8s.io",),
    "HorizontalPodAutoscaler": ("autoscaling",),
    "Ingress": ("networking.k8s.io", "extensions"),
    "NetworkPolicy": ("networking.k8s.io", "extensions"),
    "PodDisruptionBudget": ("policy",),
    "PriorityClass": ("scheduling.k8s.io",),
    "RuntimeClass": ("node.k8s.io",),
}
"""Kind → the API groups in which it is the one of Kubernetes. Anybody may define a kind of the same
name in a group of their own; it is another kind."""

ACCESS_VOLUME = "kube-api-access-"
"""How the name of the volume begins that the ServiceAccount admission adds to each pod."""

API_GROUPS = frozenset(
    (
        "",
        "apps",
        "autoscaling",
        "batch",
        "extensions",
        "policy",
        *(
            f"{name}.k8s.io"
            for name in (
                "admissionregistration",
                "apiextensions",
                "apiregistration",
                "auditregistration",
                "authentication",
                "authorization",
                "certificates",
                "coordination",
                "discovery",
                "events",
                "flowcontrol.apiserver",
                "imagepolicy",
                "internal.apiserver",
                "networking",
                "node",
                "policy",
                "rbac.authorization",
                "resource",
                "scheduling",
                "settings",
                "storage",
                "storagemigration",
            )
        ),
    )
)
"""The API groups of Kubernetes itself, at any version."""


@dataclass(frozen=True, slots=True)
class Enforcer:
    """What an audit took to enforce network policies."""

    profile: str
    how: Literal["stated", "assumed", "detected", "unknown"]
    words: str
    """One line for people."""
    product: str = ""
    """What is installed in the cluster, where that was found."""
    version: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    shown: tuple[str, ...] = ()
    """What in the cluster shows it, a sentence each."""


@dataclass(frozen=True, slots=True)
class Writer:
    """One entry of the field managers of a live object."""

    name: str
    operation: str = "Update"
    """Update or Apply."""
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who keeps a live object: where a change has to be made so that it lasts."""

    tool: str = ""
    """helm, argo-cd, flux, operator, olm, addon-manager, kubectl; empty where nothing tells."""
    name: str = ""
    """The release, application or owner, in words: ``Helm release shop/web``."""
    undoes: bool = False
    """Whether it would undo a change of the live object, now or at its next run."""
    mend: str = ""
    """Where to make the change instead; empty where the live object itself is the place."""
    doubt: str = ""
    """Why it may not be true: labels that the field managers contradict."""
    writers: tuple[Writer, ...] = ()
    """The field managers; none where the server told none."""


NOBODY = Authorship()
"""Of a file, and of a live object of which nothing tells."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where the objects of a custom kind keep their pods."""

    group: str
    kind: str
    path: tuple[str | int, ...]
    """Where the pod template stands, or with `bare` the pod specification itself."""
    bare: bool = False
    declared: bool = False
    """Whether the configuration says so: an object without any pods there is then a fault."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What an audit is about. Facts are of everything that was read; findings and gaps about
    objects are told of these alone.
    """

    namespaces: tuple[str, ...] = ()
    """Patterns; none where all are meant."""
    selector: str = ""
    """A label selector as kubectl takes it."""
    include: tuple[str, ...] = ()
    """Patterns of objects (``namespace/name[Kind]``) or files; none where all are meant."""
    exclude: tuple[str, ...] = ()
    workloads: str = "workloads"
    """workloads: those of the platform are folded; platform: those alone; all: no difference."""

    @property
    def limits(self) -> bool:
        """Whether it leaves anything out."""
        declared = self.namespaces or self.selector or self.include or self.exclude
        return bool(declared) or self.workloads == "platform"


@dataclass(frozen=True, slots=True)
class Reading:
    """What it took to read a cluster."""

    at: str
    """When it began, in UTC as RFC 3339: ``2026-03-01T10:00:00Z``."""
    objects: int
    requests: int
    """All that were sent, those that had to be repeated among them."""
    bytes: int
    """Of the bodies of all answers."""


@dataclass(frozen=True, slots=True)
class Server:
    """The API server that a snapshot was read from."""

    version: int
    """As 100 × major + minor; 0 where it would not tell."""
    kinds: frozenset[str]
    """The kinds that were asked for: of any other, nothing is known."""
    reading: Reading | None = None
    """None where the cluster is followed, and not read at one time."""


LOOKED_UP = "auditor.looked_up"
"""The audit event (PEP 578) of who looks for files that may not be there: Python raises none."""
