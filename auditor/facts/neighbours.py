"""Who stands beside personal data and owns the node: it reads the memory and the volumes of every
pod there, whatever policies say.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from auditor.facts.exposure import owns_node
from auditor.facts.forms import as_object
from auditor.facts.platform import part_of
from auditor.facts.workloads import Workload, resources_by_uid
from auditor.manifests import at, mapping, sequence
from auditor.model import Manifest, Path

if TYPE_CHECKING:
    from auditor.facts.facts import Facts

Told = dict[str, Any]

SOCKETS = (
    "containerd.sock", "crio.sock", "cri-dockerd.sock", "docker.sock", "dockershim.sock",
    "podman.sock",
)  # fmt: skip
"""Who may write to one of these starts what it likes on the node."""

OWNING = (
    "/", "/boot", "/dev", "/etc", "/etc/cron.d", "/etc/kubernetes", "/etc/systemd", "/home",
    "/proc", "/root", "/run", "/usr", "/usr/bin", "/var", "/var/lib", "/var/lib/containerd",
    "/var/lib/docker", "/var/lib/kubelet", "/var/lib/kubelet/pods", "/var/run",
)  # fmt: skip
"""Folders of a node of which a writable one gives the node away, or the volumes of its pods."""

UNPINNED = ("nodeSelector", "affinity", "nodeName", "topologySpreadConstraints")
"""Fields that say where a pod runs."""


def neighbours(facts: Facts, holder: Workload) -> Told | None:
    """The fact `neighbours` for policies, about a workload that holds personal data: ``owners``,
    the workloads on one of its nodes that own it and do not belong to the data, those that surely
    stand there first.

    A declared client belongs to it, and so does a part of the cluster itself. Without live pods it
    is told from constraints: of nodes that are known, those on which both may run; without any,
    of workloads that do not themselves name different nodes. None where there is no such workload.

    Costs one look at each workload that owns its node, and one placing of each where there are
    nodes and no pods.
    """
    data = facts.data.of(holder)
    if data is None:
        return None
    named = facts.data.clients_of(holder) or {}
    clients = {client.ref.key for found in named.values() for client in found}
    belonging = clients | {holder.ref.key}
    found = [
        {"name": one.name, "object": as_object(one.ref), "path": path, "why": why, "surely": surely}
        for one, why, path in facts.keeper.owners
        if one.ref.key not in belonging
        if (surely := beside(facts, holder, one)) is not None
    ]
    if not found:
        return None
    return {
        "data": [name.upper() for name in data.names],
        "declared": {"object": as_object(data.declared.ref), "path": data.declared.path},
        "own": data.declared.ref == holder.ref,
        "owners": sorted(found, key=lambda one: (not one["surely"], one["name"])),
    }


def owners_of_nodes(facts: Facts) -> Iterator[tuple[Workload, str, Path]]:
    """The workloads whose containers own their node, why, and where that is said; parts of the
    cluster itself aside.
    """
    by_uid = resources_by_uid(facts.snapshot)
    for workload, found in facts.told_of_each("owning", _owning):
        if found and part_of(workload.resource, by_uid) is None:
            yield workload, *found


def _owning(workload: Workload) -> tuple[str, Path] | None:
    why = owns_node(workload)
    if why:
        return why, _place(workload, why)
    for index, volume in enumerate(map(mapping, sequence(workload.pod.get("volumes")))):
        path = at(volume, ("hostPath", "path"))
        if isinstance(path, str) and _gives_node(path) and _is_written(workload, volume):
            return f"it may write to {path} of the node", (*workload.pod_path, "volumes", index)
    return None


def _place(workload: Workload, why: str) -> Path:
    if why in ("hostPID", "hostNetwork", "hostIPC"):
        return (*workload.pod_path, why)
    for container in workload.containers:
        path: Path = ("securityContext", "privileged")
        if at(container.spec, path) is True:
            return (*container.path, *path)
    return workload.pod_path


def _gives_node(path: str) -> bool:
    folder = PurePosixPath("/" + path.lstrip("/"))
    return str(folder) in OWNING or folder.name in SOCKETS


def _is_written(workload: Workload, volume: Manifest) -> bool:
    """Whether some container may write to it. What is read alone gives no more than it holds."""
    for container in workload.containers:
        for mount in map(mapping, sequence(container.spec.get("volumeMounts"))):
            if mount.get("name") == volume.get("name") and mount.get("readOnly") is not True:
                return True
    return False


def beside(facts: Facts, holder: Workload, owner: Workload) -> bool | None:
    """Whether it surely stands on a node of the holder; None where it does not, or may not."""
    ours, theirs = _nodes(facts, holder), _nodes(facts, owner)
    if ours and theirs:
        return True if ours & theirs else None
    if facts.topology.nodes:
        # A CronJob may have no pod today, and one beside the data tomorrow.
        mine = ours or set(facts.standing.eligible(holder))
        its = theirs or set(facts.standing.eligible(owner))
        return (owner.ref.kind == "DaemonSet" and mine <= its) if mine & its else None
    if owner.ref.kind == "DaemonSet" and not _is_pinned(owner):
        return True
    return None if _are_apart(holder, owner) else False


def _nodes(facts: Facts, workload: Workload) -> set[str]:
    """The nodes of its live pods."""
    pods = facts.standing.live.get(workload.ref.key, ())
    names = (at(pod.manifest, ("spec", "nodeName")) for pod in pods)
    return {name for name in names if isinstance(name, str) and name}


def _are_apart(one: Workload, other: Workload) -> bool:
    """Whether no node can be that of both: they name two, or two values of one label."""
    ours, theirs = (mapping(each.pod.get("nodeSelector")) for each in (one, other))
    names = {each.pod["nodeName"] for each in (one, other) if each.pod.get("nodeName")}
    return len(names) > 1 or any(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())


def _is_pinned(workload: Workload) -> bool:
    return any(workload.pod.get(field) for field in UNPINNED)
