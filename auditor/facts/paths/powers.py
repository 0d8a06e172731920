"""What the rights of a role let their holder do to a workload, a service account or a namespace.

The verbs are those of the API server's own authorization of subresources:
https://kubernetes.io/docs/reference/access-authn-authz/rbac/ and
https://kubernetes.io/docs/concepts/security/rbac-good-practices/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts.access.requests import Request
from auditor.facts.access.rules import Rule
from auditor.values import dataclass

WRITE = ("update", "patch")
ANY = ("get", "create", "update", "patch", "delete")
READ = ("get", "list", "watch")


@dataclass(frozen=True, slots=True)
class Power:
    """One thing that rights may allow."""

    verbs: tuple[str, ...]
    """Any one of them is enough."""
    group: str
    resource: str
    told: str
    """What the holder does with it."""
    controls: bool = True
    """Whether that is to control it; else it is to speak to it, or to get at what it holds."""

    @property
    def combined(self) -> str:
        """``create pods/exec``: how it is said."""
        return f"{self.verbs[0]} {self.resource}"


ON_PODS = (
    Power(("create",), "", "pods/exec", "runs commands in its pods"),
    Power(("create",), "", "pods/attach", "attaches to its containers"),
    Power(WRITE, "", "pods/ephemeralcontainers", "puts a container of its own into its pods"),
    Power(("create",), "", "pods/portforward", "speaks to its ports, past NetworkPolicies", False),
    Power(ANY, "", "pods/proxy", "speaks to its ports through the API server", False),
    Power(WRITE, "", "pods", "changes the image of its pods"),
)
BY_GET = (
    Power(("get",), "", "pods/exec", "runs commands in its pods, before Kubernetes 1.35"),
    Power(("get",), "", "pods/attach", "attaches to its containers, before Kubernetes 1.35"),
    Power(
        ("get",), "", "pods/portforward", "speaks to its ports, before Kubernetes 1.35", False
    ),
)  # fmt: skip
"""A connection that is upgraded from GET was asked for ``get`` alone, until
AuthorizePodWebsocketUpgradeCreatePermission."""
ON_SERVICES = (
    Power(
        ANY, "", "services/proxy",
        "speaks to its ports through the API server", False,
    ),
)  # fmt: skip
ON_NODES = (
    Power(ANY, "", "nodes/proxy", "runs commands in every pod, through the kubelet of its node"),
)
ON_SECRETS = (Power(READ, "", "secrets", "reads its credentials", False),)
ON_POLICIES = (
    Power(
        ("create", "update", "patch", "delete", "deletecollection"), "networking.k8s.io",
        "networkpolicies", "opens its NetworkPolicies", False,
    ),
)  # fmt: skip
ON_NAMESPACES = (
    Power(
        WRITE, "", "namespaces",
        "changes the labels of its namespace: data classes, Pod Security, whom policies admit",
        False,
    ),
)  # fmt: skip
STARTING = (
    Power(("create",), "", "pods", "starts a pod"),
    *(
        Power(("create", *WRITE), "apps", kind, "starts pods")
        for kind in ("deployments", "statefulsets", "daemonsets", "replicasets")
    ),
    *(Power(("create", *WRITE), "batch", kind, "starts pods") for kind in ("jobs", "cronjobs")),
    Power(("create", *WRITE), "", "replicationcontrollers", "starts pods"),
)
ON_TEMPLATES = {
    ("apps", "Deployment"): "deployments",
    ("apps", "StatefulSet"): "statefulsets",
    ("apps", "DaemonSet"): "daemonsets",
    ("apps", "ReplicaSet"): "replicasets",
    ("batch", "Job"): "jobs",
    ("batch", "CronJob"): "cronjobs",
    ("", "ReplicationController"): "replicationcontrollers",
}
AS_ACCOUNT = (
    Power(("create",), "", "serviceaccounts/token", "makes a token of it"),
    Power(("impersonate",), "", "serviceaccounts", "acts as it"),
)
AS_USER = (Power(("impersonate",), "", "users", "acts as it"),)
AS_GROUP = (Power(("impersonate",), "", "groups", "acts as a member of it"),)
RBAC = "rbac.authorization.k8s.io"
RAISING = (
    (
        Power(("bind",), RBAC, "clusterroles", ""),
        Power(("create",), RBAC, "clusterrolebindings", ""),
    ),
    (Power(("escalate",), RBAC, "clusterroles", ""), Power(WRITE, RBAC, "clusterroles", "")),
)
"""Each pair together gives its holder whatever rights it likes, in the whole cluster."""
RAISING_INSIDE = (
    (Power(("bind",), RBAC, "clusterroles", ""), Power(("create",), RBAC, "rolebindings", "")),
    (Power(("escalate",), RBAC, "roles", ""), Power(WRITE, RBAC, "roles", "")),
)
"""The same in one namespace."""


def held(
    rules: Sequence[Rule], powers: Sequence[Power], namespace: str, names: Sequence[str]
) -> Iterator[Power]:
    """Those of the powers that the rules give over one of the objects of these names."""
    for power in powers:
        if any(allows(rules, power, namespace, name) for name in names):
            yield power


def allows(rules: Sequence[Rule], power: Power, namespace: str, name: str) -> bool:
    """Whether the rules give a power over one object; an empty name is one that nobody knows."""
    resource, _, subresource = power.resource.partition("/")
    asked = (
        Request("", frozenset(), verb, namespace, power.group, resource, subresource, name)
        for verb in power.verbs
    )
    return any(rule.allows(request) for request in asked for rule in rules)
