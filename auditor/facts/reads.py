"""What of an object the facts read: a change of anything else changes no fact.

Listed is what they do *not* read, so that a field nobody thought of counts as read.
"""

from __future__ import annotations

from typing import Any

from auditor.facts.workloads import CONTAINER_LISTS, Workload, workload_of
from auditor.manifests import mapping
from auditor.model import Resource

POD_UNREAD = frozenset(
    (
        "activeDeadlineSeconds",
        "automountServiceAccountToken",
        "dnsConfig",
        "enableServiceLinks",
        "hostAliases",
        "hostUsers",
        "imagePullSecrets",
        "os",
        "securityContext",
        "setHostnameAsFQDN",
        "shareProcessNamespace",
    )
)
CONTAINER_UNREAD = frozenset(
    (
        "imagePullPolicy",
        "lifecycle",
        "livenessProbe",
        "readinessProbe",
        "securityContext",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "workingDir",
    )
)


def alike(one: Resource, other: Resource, *, privileges: bool, probes: bool = False) -> bool:
    """Whether no fact tells two states of an object apart.

    `privileges` says whether it matters who runs privileged: it does where somebody holds personal
    data, since then it is told who owns the node beside it. `probes` says the same of what the
    kubelet asks for: that is health, where the object itself holds such data.
    """
    was, now = workload_of(one), workload_of(other)
    if was is None or now is None:
        return bool(one.manifest == other.manifest)
    how = {"privileges": privileges, "probes": probes}
    return _read(was, **how) == _read(now, **how)


def _read(workload: Workload, *, privileges: bool, probes: bool) -> object:
    pod = {key: value for key, value in workload.pod.items() if key not in POD_UNREAD}
    for name in CONTAINER_LISTS:
        pod.pop(name, None)
    containers = [
        (
            c.list,
            _without(c.spec, CONTAINER_UNREAD),
            privileges and _privileged(c.spec),
            probes and _probes(c.spec),
        )
        for c in workload.containers
    ]
    return _around(workload.resource.manifest, workload.pod_path), pod, containers


def _privileged(container: Any) -> Any:
    return mapping(container.get("securityContext")).get("privileged")


def _probes(container: Any) -> Any:
    return [container.get(name) for name in ("livenessProbe", "readinessProbe", "startupProbe")]


def _without(value: Any, keys: frozenset[str]) -> dict[str, Any]:
    return {key: inside for key, inside in value.items() if key not in keys}


def _around(manifest: Any, path: tuple[str | int, ...]) -> Any:
    """The manifest without what stands at `path`."""
    if not path:
        return None
    step, *rest = path
    inside = mapping(manifest)
    return {key: _around(v, tuple(rest)) if key == step else v for key, v in inside.items()}
