"""What is put into a cluster so that the webhook runs there: one list of objects, which the chart
in deploy/chart is tested to equal.

The replicas may write one Lease, in which they note that they answer, and nothing else. They read,
sign their own certificates with a CA that lies in a Secret, and answer; whoever installs makes that
CA and the registration.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

from auditor.sources.kinds import KINDS
from auditor.values import dataclass
from auditor.webhook.authority import Authority

Manifest = dict[str, Any]

NAME = "auditor-webhook"
PORT = 8443
CERTIFICATES = "/etc/auditor/certificates"
CONFIGURATION = "/etc/auditor/configuration"
USER = 65532
"""The user of images that have no shell and no root; any number from 10000 on would do."""
MEMORY = "1Gi"
"""For the process that answers, two that judge and one that stands by, each with the cluster."""
DRAIN_SECONDS = 45
"""Longer than a replica goes on serving after SIGTERM, and finishes what it began."""


@dataclass(frozen=True, slots=True)
class Own:
    """Certificates signed by a CA of our own, which lies in a Secret of the installation."""

    authority: Authority
    previous: bytes = b""
    """The certificate of the CA before it, while some may still serve what that one signed."""

    @property
    def bundle(self) -> bytes:
        """Whom the API server is to trust."""
        return self.authority.certificate + self.previous


@dataclass(frozen=True, slots=True)
class Given:
    """A certificate in a Secret of type kubernetes.io/tls that somebody else keeps."""

    secret: str
    bundle: bytes


@dataclass(frozen=True, slots=True)
class CertManager:
    """A certificate of cert-manager, which also tells the API server whom to trust."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What whoever installs has to say. Names are names of Kubernetes objects."""

    image: str
    certificates: Own | Given | CertManager
    namespace: str = "auditor"
    replicas: int = 2
    serve: tuple[str, ...] = ()
    """More flags of `auditor webhook serve`."""
    configuration: str = ""
    """The text of an .auditor.yaml."""
    api_server: tuple[str, ...] = field(default=("0.0.0.0/0", "::/0"))
    """The addresses that the API server calls from."""

    @property
    def host(self) -> str:
        """The name that the API server calls."""
        return f"{NAME}.{self.namespace}.svc"


def objects(installation: Installation) -> list[Manifest]:
    """Everything but the registration, in the order in which it can be created."""
    here = installation.namespace
    return [
        _namespace(here),
        _account(here),
        _reading(),
        _binding(here),
        *_attendance(here),
        *_configuration(installation),
        *_certificates(installation),
        _service(here),
        _network_policy(installation),
        _budget(here),
        _deployment(installation),
    ]


def labels() -> dict[str, str]:
    """By which our own are known."""
    return {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "auditor"}


def reading_rules() -> list[Manifest]:
    """To list and watch every kind that is read, and nothing else."""
    groups: dict[str, dict[str, None]] = {}
    for kind in KINDS:
        groups.setdefault(kind.group, {})[kind.plural] = None
    return [
        {"apiGroups": [group], "resources": list(plurals), "verbs": ["list", "watch"]}
        for group, plurals in groups.items()
    ]


def _object(
    api_version: str, kind: str, namespace: str | None = None, name: str = NAME, **rest: Any
) -> Manifest:
    where = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, **where, "labels": labels()},
        **rest,
    }


def _namespace(name: str) -> Manifest:
    """The webhook is not asked about its own namespace, so Pod Security guards it."""
    made = _object("v1", "Namespace", name=name)
    for mode in ("enforce", "warn", "audit"):
        made["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] = "restricted"
    return made


def _account(namespace: str) -> Manifest:
    return _object("v1", "ServiceAccount", namespace, automountServiceAccountToken=False)


def _reading() -> Manifest:
    return _object("rbac.authorization.k8s.io/v1", "ClusterRole", rules=reading_rules())


def _binding(namespace: str) -> Manifest:
    return _object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    )


def _attendance(namespace: str) -> Iterable[Manifest]:
    """The Lease, and the right to write it. It is made here, so that nobody else need be able to
    make one.
    """
    rbac = "rbac.authorization.k8s.io"
    rule = {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": [NAME],
        "verbs": ["get", "patch"],
    }
    yield _object("coordination.k8s.io/v1", "Lease", namespace)
    yield _object(f"{rbac}/v1", "Role", namespace, rules=[rule])
    yield _object(
        f"{rbac}/v1",
        "RoleBinding",
        namespace,
        roleRef={"apiGroup": rbac, "kind": "Role", "name": NAME},
        subjects=[{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    )


def _configuration(installation: Installation) -> Iterable[Manifest]:
    if installation.configuration:
        data = {"auditor.yaml": installation.configuration}
        yield _object("v1", "ConfigMap", installation.namespace, data=data)


def _certificates(installation: Installation) -> Iterable[Manifest]:
    here = installation.namespace
    match installation.certificates:
        case Own(authority, previous):
            data = {"ca.crt": authority.certificate, "ca.key": authority.key}
            data |= {"previous.crt": previous} if previous else {}
            encoded = {name: b64encode(pem).decode("ascii") for name, pem in data.items()}
            yield _object("v1", "Secret", here, type="Opaque", data=encoded)
        case CertManager():
            api = "cert-manager.io/v1"
            yield _object(api, "Issuer", here, spec={"selfSigned": {}})
            yield _object(api, "Certificate", here, spec=_ordered(installation))
        case _:
            return


def _ordered(installation: Installation) -> Manifest:
    return {
        "secretName": NAME,
        "dnsNames": [installation.host],
        "duration": "2160h",
        "renewBefore": "720h",
        "usages": ["server auth"],
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        "issuerRef": {"kind": "Issuer", "name": NAME},
    }


def _service(namespace: str) -> Manifest:
    port = {"name": "https", "port": 443, "targetPort": "https", "protocol": "TCP"}
    spec = {"type": "ClusterIP", "selector": labels(), "ports": [port]}
    return _object("v1", "Service", namespace, spec=spec)


def _network_policy(installation: Installation) -> Manifest:
    """In: the API server, whose address is no pod's. Out: the API server, by whatever address a
    cluster gives it, and names.
    """
    peers = [{"ipBlock": {"cidr": cidr}} for cidr in installation.api_server]
    dns = [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    api = [{"port": 443, "protocol": "TCP"}, {"port": 6443, "protocol": "TCP"}]
    spec = {
        "podSelector": {"matchLabels": labels()},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": peers, "ports": [{"port": PORT, "protocol": "TCP"}]}],
        "egress": [
            {
                "to": [
                    {
                        "namespaceSelector": _named("kube-system"),
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }
                ],
                "ports": dns,
            },
            {"to": peers, "ports": api},
        ],
    }
    return _object("networking.k8s.io/v1", "NetworkPolicy", installation.namespace, spec=spec)


def _named(namespace: str) -> Manifest:
    return {"matchLabels": {"kubernetes.io/metadata.name": namespace}}


def _budget(namespace: str) -> Manifest:
    """A drain takes one replica at a time, and one that is broken does not stop it."""
    spec = {
        "maxUnavailable": 1,
        "selector": {"matchLabels": labels()},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    return _object("policy/v1", "PodDisruptionBudget", namespace, spec=spec)


def _deployment(installation: Installation) -> Manifest:
    surge = {"maxUnavailable": 0, "maxSurge": 1}
    spec = {
        "replicas": installation.replicas,
        "revisionHistoryLimit": 3,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": surge},
        "selector": {"matchLabels": labels()},
        "template": {"metadata": {"labels": labels()}, "spec": _pod(installation)},
    }
    return _object("apps/v1", "Deployment", installation.namespace, spec=spec)


def _pod(installation: Installation) -> Manifest:
    return {
        "serviceAccountName": NAME,
        "automountServiceAccountToken": True,
        "enableServiceLinks": False,
        "priorityClassName": "system-cluster-critical",
        "terminationGracePeriodSeconds": DRAIN_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            _spread("kubernetes.io/hostname"),
            _spread("topology.kubernetes.io/zone"),
        ],
        "containers": [_container(installation)],
        "volumes": list(_volumes(installation)),
    }


def _spread(key: str) -> Manifest:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels()},
    }


def _container(installation: Installation) -> Manifest:
    return {
        "name": "webhook",
        "image": installation.image,
        "imagePullPolicy": "IfNotPresent",
        "args": list(_arguments(installation)),
        "ports": [{"name": "https", "containerPort": PORT, "protocol": "TCP"}],
        "startupProbe": {**_probe("/healthz"), "periodSeconds": 2, "failureThreshold": 60},
        "livenessProbe": {**_probe("/healthz"), "periodSeconds": 10, "failureThreshold": 6},
        "readinessProbe": {**_probe("/readyz"), "periodSeconds": 2, "failureThreshold": 2},
        "resources": {
            "requests": {"cpu": "250m", "memory": MEMORY, "ephemeral-storage": "64Mi"},
            "limits": {"cpu": "2", "memory": MEMORY, "ephemeral-storage": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": list(_mounts(installation)),
    }


def _probe(path: str) -> Manifest:
    return {"httpGet": {"path": path, "port": "https", "scheme": "HTTPS"}, "timeoutSeconds": 3}


def _arguments(installation: Installation) -> Iterable[str]:
    yield from ("webhook", "serve", f"--port={PORT}", "--registration=auditor")
    yield f"--lease={installation.namespace}/{NAME}"
    if isinstance(installation.certificates, Own):
        yield from (f"--ca-cert={CERTIFICATES}/ca.crt", f"--ca-key={CERTIFICATES}/ca.key")
        yield f"--tls-name={installation.host}"
    else:
        yield from (f"--tls-cert={CERTIFICATES}/tls.crt", f"--tls-key={CERTIFICATES}/tls.key")
    if installation.configuration:
        yield f"--config={CONFIGURATION}/auditor.yaml"
    yield from installation.serve


def _mounts(installation: Installation) -> Iterable[Manifest]:
    yield {"name": "certificates", "mountPath": CERTIFICATES, "readOnly": True}
    if installation.configuration:
        yield {"name": "configuration", "mountPath": CONFIGURATION, "readOnly": True}
    yield {"name": "scratch", "mountPath": "/tmp"}  # noqa: S108 - in a container of its own


def _volumes(installation: Installation) -> Iterable[Manifest]:
    given = installation.certificates
    secret = given.secret if isinstance(given, Given) else NAME
    mounted: Mapping[str, Any] = {"secretName": secret, "defaultMode": 0o440}
    yield {"name": "certificates", "secret": dict(mounted)}
    if installation.configuration:
        yield {"name": "configuration", "configMap": {"name": NAME}}
    yield {"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}}
