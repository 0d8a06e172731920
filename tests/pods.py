"""Pods that keep or break the Pod Security Standards in every field that these read.

A pod begins plain or hardened and gets a few changes, so that both sides of each rule come up, and
several rules at once. Values are of the types that the API has; a pod for Windows has none of the
Linux settings that the API server refuses there.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from auditor.model import Path

Pod = dict[str, Any]
Values = Sequence[Any]
Choose = Callable[[Values], Any]
"""Gives one of several values: what makes one pod another."""

PROFILES: Values = (
    {"type": "RuntimeDefault"},
    {"type": "Localhost", "localhostProfile": "profiles/strict.json"},
    {"type": "Unconfined"},
    {"type": ""},
    {},
    None,
)
SELINUX: Values = (
    {"type": "container_t"}, {"type": "container_init_t"}, {"type": "container_kvm_t"},
    {"type": "container_engine_t"}, {"type": "spc_t"}, {"type": "container_T"}, {"type": ""},
    {"user": "system_u"}, {"user": ""}, {"role": "sysadm_r"}, {"role": ""}, {"level": "s0:c1"},
    {"type": "container_t", "user": "unconfined_u", "role": "r"}, {}, None,
)  # fmt: skip
CAPABILITIES: Values = (
    [], None, ["ALL"], ["all"], ["NET_RAW"], ["NET_BIND_SERVICE"], ["CHOWN", "NET_BIND_SERVICE"],
    ["CAP_CHOWN"], ["chown"], ["SYS_ADMIN"], ["CAP_SYS_ADMIN", "KILL"], ["NET_ADMIN"],
    ["SYS_CHROOT"],
    ["AUDIT_WRITE", "DAC_OVERRIDE", "FOWNER", "FSETID", "MKNOD", "SETFCAP", "SETGID", "SETPCAP",
     "SETUID"], ["SYS_PTRACE", "SYS_TIME"], ["NET_RAW", "ALL"],
)  # fmt: skip
FLAGS: Values = (True, False, None)
USERS: Values = (0, 1, 10001, None)

CONTEXT: Mapping[str, Values] = {
    "runAsNonRoot": FLAGS,
    "runAsUser": USERS,
    "seccompProfile": PROFILES,
    "appArmorProfile": PROFILES,
    "seLinuxOptions": SELINUX,
    "windowsOptions": ({"hostProcess": True}, {"hostProcess": False}, {"hostProcess": None},
                       {"runAsUserName": "ContainerUser"}, {}, None),
}  # fmt: skip
"""What pods and containers have in common."""

HANDLERS: Values = (
    {"httpGet": {"port": 8080}},
    {"httpGet": {"port": 8080, "host": ""}},
    {"httpGet": {"port": "http", "host": "10.0.0.1"}},
    {"tcpSocket": {"port": 5432, "host": "127.0.0.1"}},
    {"tcpSocket": {"port": 5432}},
    {"exec": {"command": ["true"]}},
    None,
)
OF_CONTAINERS: Mapping[Path, Values] = {
    **{("securityContext", field): values for field, values in CONTEXT.items()},
    ("securityContext",): (None, {}),
    ("securityContext", "privileged"): FLAGS,
    ("securityContext", "allowPrivilegeEscalation"): FLAGS,
    ("securityContext", "procMount"): ("Default", "Unmasked", None),
    ("securityContext", "capabilities"): (None, {}),
    ("securityContext", "capabilities", "add"): CAPABILITIES,
    ("securityContext", "capabilities", "drop"): CAPABILITIES,
    ("ports",): (
        [], None, [{"containerPort": 8080}], [{"containerPort": 8080, "hostPort": 0}],
        [{"containerPort": 8080, "hostPort": 8080, "name": "http"}, {"containerPort": 9090}],
        [{"containerPort": 53, "hostPort": 53, "protocol": "UDP", "hostIP": "127.0.0.1"}],
    ),
    ("livenessProbe",): HANDLERS,
    ("readinessProbe",): HANDLERS,
    ("startupProbe",): HANDLERS,
    ("lifecycle", "postStart"): HANDLERS,
    ("lifecycle", "preStop"): HANDLERS,
}  # fmt: skip
SYSCTLS = (
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem", "net.ipv4.tcp_slow_start_after_idle", "net.ipv4.tcp_notsent_lowat",
    "kernel.msgmax", "net.core.somaxconn", "net/ipv4/tcp_rmem",
)  # fmt: skip
OF_PODS: Mapping[Path, Values] = {
    **{("securityContext", field): values for field, values in CONTEXT.items()},
    ("securityContext",): (None, {}),
    ("securityContext", "sysctls"): (
        None,
        [],
        *([{"name": name, "value": "1"}] for name in SYSCTLS),
        [{"name": "kernel.msgmax", "value": "1"}, {"name": "net.ipv4.tcp_rmem", "value": "1"}],
    ),
    ("hostNetwork",): FLAGS,
    ("hostPID",): FLAGS,
    ("hostIPC",): FLAGS,
    ("hostUsers",): FLAGS,
    ("os",): ({"name": "windows"}, {"name": "linux"}, None),
}
VOLUMES: Values = (
    {"configMap": {"name": "settings"}}, {"csi": {"driver": "csi.example"}}, {"emptyDir": {}},
    {"downwardAPI": {}}, {"secret": {}}, {"projected": {}}, {"ephemeral": {}},
    {"image": {"reference": "registry.example/data:1"}},
    {"persistentVolumeClaim": {"claimName": "data"}}, {"hostPath": {"path": "/var/run"}},
    {"hostPath": {"path": "/", "type": "Directory"}}, {"gcePersistentDisk": {"pdName": "d"}},
    {"awsElasticBlockStore": {"volumeID": "d"}}, {"gitRepo": {"repository": "r"}},
    {"nfs": {"server": "s", "path": "/"}}, {"iscsi": {"targetPortal": "t", "iqn": "i", "lun": 0}},
    {"glusterfs": {"endpoints": "e", "path": "/"}}, {"rbd": {"monitors": ["m"], "image": "i"}},
    {"flexVolume": {"driver": "d"}}, {"cinder": {"volumeID": "d"}}, {"cephfs": {"monitors": ["m"]}},
    {"flocker": {}}, {"fc": {}}, {"azureFile": {"secretName": "s", "shareName": "n"}},
    {"vsphereVolume": {"volumePath": "p"}}, {"quobyte": {"registry": "r", "volume": "v"}},
    {"azureDisk": {"diskName": "n", "diskURI": "u"}}, {"portworxVolume": {"volumeID": "d"}},
    {"photonPersistentDisk": {"pdID": "d"}}, {"storageos": {}},
    {"scaleIO": {"gateway": "g", "system": "s", "secretRef": {}}},
)  # fmt: skip
CONTAINERS = {
    "containers": ("app", "proxy"),
    "initContainers": ("prepare", "migrate"),
    "ephemeralContainers": ("debugger",),
}
NAMES = tuple(name for names in CONTAINERS.values() for name in names)
SECCOMP_OF_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"
ANNOTATIONS: Mapping[str, Values] = dict.fromkeys(
    (SECCOMP_OF_POD, *(p + n for p in (SECCOMP, APP_ARMOR) for n in (*NAMES, "gone"))),
    ("runtime/default", "docker/default", "localhost/strict", "localhost", "unconfined", ""),
)
HARDENED: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
NOT_ON_WINDOWS = ("hostPID", "hostIPC", "hostUsers")
CONTEXT_NOT_ON_WINDOWS = (
    "seLinuxOptions", "seccompProfile", "appArmorProfile", "capabilities", "privileged",
    "procMount", "allowPrivilegeEscalation", "runAsUser", "sysctls",
)  # fmt: skip
"""As the API server checks them: k8s.io/kubernetes/pkg/apis/core/validation, validateWindows."""


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    """A pod in JSON's terms, with metadata and spec; Hypothesis looks for a small one."""
    return made(lambda values: draw(st.sampled_from(values)))


def random_pods(seed: int) -> Iterator[Pod]:
    """As many as one likes, the same ones for a seed, and hardly one of them twice."""
    choose = random.Random(seed).choice  # noqa: S311 - it is no secret
    while True:
        yield made(choose)


def made(choose: Choose) -> Pod:
    """The pod that comes of these choices."""
    spec: Pod = {}
    for key, names in CONTAINERS.items():
        count = choose(range(key == "containers", len(names) + 1))
        if count or choose((True, False)):
            spec[key] = [_container(name) for name in names[:count]]
    everyone = [container for key in CONTAINERS for container in spec.get(key, ())]
    if choose((True, False)):
        for container in everyone:
            container["securityContext"] = copy.deepcopy(dict(HARDENED))
    metadata: Pod = {"name": "generated"}
    for _ in range(choose(range(7))):
        _change(choose, metadata, spec, everyone)
    if spec.get("os") == {"name": "windows"}:
        _leave_out_linux(spec, everyone)
    return {"metadata": metadata, "spec": spec}


def _container(name: str) -> Pod:
    return {"name": name, "image": f"registry.example/{name}:1.0.0"}


def _change(choose: Choose, metadata: Pod, spec: Pod, containers: Sequence[Pod]) -> None:
    """One field of the pod, one of a container, an annotation, or a volume more."""
    match choose(("pod", "container", "container", "annotation", "volume")):
        case "pod":
            _set(spec, *_field(choose, OF_PODS))
        case "container":
            _set(choose(containers), *_field(choose, OF_CONTAINERS))
        case "annotation":
            key, value = _field(choose, ANNOTATIONS)
            metadata.setdefault("annotations", {})[key] = value
        case "volume":
            volumes = spec.setdefault("volumes", [])
            source = choose(VOLUMES)
            volumes.append({"name": f"v{len(volumes)}", **copy.deepcopy(source)})


def _field(choose: Choose, fields: Mapping[Any, Values]) -> tuple[Any, Any]:
    key = choose(list(fields))
    return key, copy.deepcopy(choose(fields[key]))


def _set(target: Pod, path: Path, value: Any) -> None:
    *parents, last = map(str, path)
    for parent in parents:
        if target.get(parent) is None:
            target[parent] = {}
        target = target[parent]
    target[last] = value


def _leave_out_linux(spec: Pod, containers: Sequence[Pod]) -> None:
    for field in NOT_ON_WINDOWS:
        spec.pop(field, None)
    for context in _contexts(spec, containers):
        for field in CONTEXT_NOT_ON_WINDOWS:
            context.pop(field, None)


def _contexts(spec: Pod, containers: Sequence[Pod]) -> Iterator[Pod]:
    for owner in (spec, *containers):
        context = owner.get("securityContext")
        if isinstance(context, dict):
            yield context
