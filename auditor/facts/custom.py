"""Custom kinds: where those that make pods keep them, and which make none.

Of any other kind of somebody's own group nothing is known: it may make pods, which are then not
assessed, and that is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from auditor.facts.workloads import TEMPLATES, WORKLOAD_KINDS, unreadable, workload_of
from auditor.model import Gap, Path, Policy, Resource, Snapshot, Unseen
from auditor.terms import API_GROUPS, BUILT_IN, Opening
from auditor.values import dataclass

OPENINGS: Sequence[Opening] = (
    # https://docs.redhat.com/en/documentation/openshift_container_platform (DeploymentConfig)
    Opening("apps.openshift.io", "DeploymentConfig", ("spec", "template")),
    # https://knative.dev/docs/serving/reference/serving-api/
    Opening("serving.knative.dev", "Service", ("spec", "template")),
    Opening("serving.knative.dev", "Configuration", ("spec", "template")),
    Opening("serving.knative.dev", "Revision", ("spec",), bare=True),
    # https://openkruise.io/docs/user-manuals/cloneset and the pages beside it
    Opening("apps.kruise.io", "CloneSet", ("spec", "template")),
    Opening("apps.kruise.io", "StatefulSet", ("spec", "template")),
    Opening("apps.kruise.io", "DaemonSet", ("spec", "template")),
    Opening("apps.kruise.io", "BroadcastJob", ("spec", "template")),
)
"""Custom kinds whose objects hold a pod template as Kubernetes has it."""

PODLESS: Mapping[str, tuple[str, ...]] = {
    "acid.zalan.do": ("OperatorConfiguration",),
    "acme.cert-manager.io": ("Order",),
    "argoproj.io": ("Application", "ApplicationSet", "AppProject"),
    "autoscaling.k8s.io": ("VerticalPodAutoscaler", "VerticalPodAutoscalerCheckpoint"),
    "bitnami.com": ("SealedSecret",),
    "cert-manager.io": ("Certificate", "CertificateRequest", "ClusterIssuer", "Issuer"),
    "cloud.google.com": ("BackendConfig",),
    "gateway.networking.k8s.io": (
        "BackendTLSPolicy",
        "GatewayClass",
        "GRPCRoute",
        "HTTPRoute",
        "ReferenceGrant",
        "TCPRoute",
        "TLSRoute",
        "UDPRoute",
    ),
    "grafana.integreatly.org": ("GrafanaDashboard", "GrafanaDatasource", "GrafanaFolder"),
    "keda.sh": ("ClusterTriggerAuthentication", "ScaledObject", "TriggerAuthentication"),
    "kyverno.io": ("ClusterPolicy", "Policy", "PolicyException"),
    "monitoring.coreos.com": (
        "AlertmanagerConfig",
        "PodMonitor",
        "Probe",
        "PrometheusRule",
        "ScrapeConfig",
        "ServiceMonitor",
    ),
    "networking.gke.io": ("FrontendConfig", "ManagedCertificate"),
    "secrets-store.csi.x-k8s.io": ("SecretProviderClass",),
}
"""API group → those of its kinds that make no pods."""

PODLESS_GROUPS = frozenset(
    (
        "apiserver.config.k8s.io",
        "audit.k8s.io",
        "cilium.io",
        "client.authentication.k8s.io",
        "config.gatekeeper.sh",
        "constraints.gatekeeper.sh",
        "crd.projectcalico.org",
        "elbv2.k8s.aws",
        "extensions.istio.io",
        "external-secrets.io",
        "helm.toolkit.fluxcd.io",
        "image.toolkit.fluxcd.io",
        "karpenter.k8s.aws",
        "karpenter.sh",
        "kind.x-k8s.io",
        "kubeadm.k8s.io",
        "kubelet.config.k8s.io",
        "kubeproxy.config.k8s.io",
        "kubescheduler.config.k8s.io",
        "kustomize.config.k8s.io",
        "kustomize.toolkit.fluxcd.io",
        "metrics.k8s.io",
        "networking.istio.io",
        "notification.toolkit.fluxcd.io",
        "policy.networking.k8s.io",
        "projectcalico.org",
        "security.istio.io",
        "snapshot.storage.k8s.io",
        "source.toolkit.fluxcd.io",
        "telemetry.istio.io",
        "templates.gatekeeper.sh",
        "traefik.containo.us",
        "traefik.io",
        "wgpolicyk8s.io",
    )
)
"""API groups none of whose kinds makes pods: policies, routes, configuration, and what is rendered
or read as itself."""


def opened(snapshot: Snapshot, openings: Iterable[Opening] = ()) -> Snapshot:
    """The snapshot, each object of a custom kind that is known to make pods marked with where it
    keeps them; `openings` count before those that are known.
    """
    told = {(each.group, each.kind): each for each in openings}
    known = {(each.group, each.kind): each for each in OPENINGS} | told
    marked: list[Resource] = []
    changed = False
    for resource in snapshot.resources:
        key = (resource.ref.group, resource.ref.kind)
        opening = None if resource.opening or key in TEMPLATES else known.get(key)
        changed = changed or opening is not None
        marked.append(replace(resource, opening=opening) if opening else resource)
    return replace(snapshot, resources=tuple(marked)) if changed else snapshot


OPENED = "*"
"""The role of an object of a custom kind that is known to make pods."""


def role_of(resource: Resource) -> str:
    """What policies take it for: its kind, or OPENED; empty for a kind that only has the name of
    one of Kubernetes and is another one.
    """
    group, kind = resource.ref.group, resource.ref.kind
    if resource.opening:
        return OPENED
    foreign = kind in WORKLOAD_KINDS and (group, kind) not in TEMPLATES
    return "" if foreign or group not in BUILT_IN.get(kind, (group,)) else kind


def concerns(policy: Policy, role: str) -> bool:
    """Whether it is asked about objects of that role: of a custom kind, where it is one on whatever
    makes pods.
    """
    if role == OPENED:
        return set(WORKLOAD_KINDS).issubset(policy.kinds)
    return role in policy.kinds


def is_unknown(resource: Resource) -> bool:
    """Whether it is of a custom kind of which it is not known whether it makes pods."""
    group, kind = resource.ref.group, resource.ref.kind
    if "." not in group or group in API_GROUPS or group in PODLESS_GROUPS:
        return False
    return kind not in PODLESS.get(group, ()) and workload_of(resource) is None


def unread(resources: Iterable[Resource], *, live: bool) -> Iterator[Gap]:
    """A gap for each part of a pod template that has not the form of one, and for each custom kind
    that may make pods; and where no other object makes any, for there being nothing assessed.

    In a live cluster pods are read themselves, whoever made them.
    """
    kinds: dict[tuple[str, str], _Kind] = {}
    assessed = False
    for resource in resources:
        assessed = assessed or workload_of(resource) is not None
        unknown = is_unknown(resource)
        parts = [_part(resource, path, why) for path, why in unreadable(resource)]
        if not unknown:
            yield from parts
        elif parts or not live:
            key = (resource.ref.group, resource.ref.kind)
            kinds.setdefault(key, _Kind(*key)).take(resource, parts)
    yield from (kind.gap for kind in kinds.values())
    if kinds and not assessed and not live:
        named = ", ".join(f"{kind.name} ({kind.group})" for kind in kinds.values())
        why = f"no pod was assessed: whether {named} makes any is not known"
        yield Gap("what was read", why, Unseen.INCOMPLETE)


def _part(resource: Resource, path: Path, why: str) -> Gap:
    place = f"{resource.origin.uri}:{resource.origin.span(path).line}"
    what = f"{'.'.join(map(str, path))} of {resource.ref} ({place})"
    return Gap(what, why, _weight(resource), ref=resource.ref)


def _weight(resource: Resource) -> Unseen:
    """A kind of somebody's own may have pods or none, unless somebody said that it has."""
    if resource.opening:
        return Unseen.INCOMPLETE if resource.opening.declared else Unseen.UNKNOWN
    known = (resource.ref.group, resource.ref.kind) in TEMPLATES
    custom = not known and "." in resource.ref.group
    return Unseen.UNKNOWN if custom else Unseen.INCOMPLETE


@dataclass
class _Kind:
    """The objects of one custom kind. Counts, and keeps the first that holds containers."""

    group: str
    name: str
    count: int = 0
    part: Gap | None = None
    first: Resource | None = None

    def take(self, resource: Resource, parts: Sequence[Gap]) -> None:
        self.count += 1
        self.first = self.first or resource
        self.part = self.part or next(iter(parts), None)

    @property
    def gap(self) -> Gap:
        if self.part:
            more = f"; {self.count - 1} more of this kind" if self.count > 1 else ""
            return replace(self.part, why=self.part.why + more)
        objects = "1 object" if self.count == 1 else f"{self.count} objects"
        what = f"{objects} of kind {self.name} ({self.group})"
        why = (
            "may create pods, which are not assessed: audit the cluster, say where it keeps them "
            "(`workloads` in .auditor.yaml), or acknowledge this gap"
        )
        alone = self.first.ref if self.first and self.count == 1 else None
        return Gap(what, why, Unseen.UNKNOWN, ref=alone)
