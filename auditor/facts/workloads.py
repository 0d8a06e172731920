"""Every pod template of the snapshot, whose it is, and its containers.

The single place that knows where a kind keeps its pods; policies and all other facts ask here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.model import Manifest, Path, Ref, Resource, Snapshot

CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")

TEMPLATES: Mapping[tuple[str, str], Path] = {
    ("", "Pod"): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("extensions", "Deployment"): ("spec", "template"),
    ("extensions", "ReplicaSet"): ("spec", "template"),
    ("extensions", "DaemonSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
    ("argoproj.io", "Rollout"): ("spec", "template"),
}
"""API group and kind → where its pod template stands."""

WORKLOAD_KINDS = tuple(dict.fromkeys(kind for _, kind in TEMPLATES))

FINISHED = ("Succeeded", "Failed")

MADE_BY: Mapping[str, tuple[str, ...]] = {
    "Pod": ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"),
    "ReplicaSet": ("Deployment", "Rollout"),
    "Job": ("CronJob",),
}
"""Kind → the kinds whose controllers make it from a template of theirs."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod template."""

    list: str
    path: Path
    """From the top of the object."""
    spec: Manifest

    @property
    def name(self) -> str:
        """As written; empty where it is missing or no text."""
        name = self.spec.get("name")
        return name if isinstance(name, str) else ""


@dataclass(frozen=True, slots=True)
class Workload:
    """An object that makes pods, or a pod that nobody makes."""

    resource: Resource
    template_path: Path
    """Where the pod template stands; () for a Pod."""
    labels: Mapping[str, str]
    """The labels that its pods carry."""
    pod: Manifest
    """The pod specification."""
    containers: tuple[Container, ...]

    @property
    def ref(self) -> Ref:
        """The object's identity."""
        return self.resource.ref

    @property
    def pod_path(self) -> Path:
        """Where the pod specification stands."""
        return (*self.template_path, "spec")

    @property
    def name(self) -> str:
        """``namespace/name``, as a person would say it."""
        return f"{self.ref.namespace}/{self.ref.name}"

    @property
    def replicas(self) -> int:
        """How many pods are wanted at the same time: 1 where the object does not say."""
        spec = mapping(self.resource.manifest.get("spec"))
        key = {"Job": "parallelism", "CronJob": ""}.get(self.ref.kind, "replicas")
        wanted = spec.get(key, 1)
        return wanted if type(wanted) is int and wanted >= 0 else 1

    @property
    def metadata_paths(self) -> tuple[Path, ...]:
        """Where its labels and annotations stand: the object's own, then its template's."""
        own: Path = ("metadata",)
        template = (*self.template_path, "metadata")
        return (own,) if own == template else (own, template)


def mapping(value: Any) -> Manifest:
    """`value` where it is a mapping, an empty one otherwise: manifests hold anything."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: Any) -> list[Any]:
    """`value` where it is a list, an empty one otherwise."""
    return value if isinstance(value, list) else []


def at(manifest: Any, path: Path) -> Any:
    """The value at `path`, or None where the way there is missing or of another type."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(manifest, list) or not 0 <= step < len(manifest):
                return None
            manifest = manifest[step]
        else:
            manifest = mapping(manifest).get(step)
    return manifest


def workload_of(resource: Resource) -> Workload | None:
    """The workload that `resource` is, or None where it makes no pods."""
    path = TEMPLATES.get((resource.ref.group, resource.ref.kind))
    if path is None:
        return None
    template = mapping(at(resource.manifest, path))
    pod = mapping(template.get("spec"))
    return Workload(
        resource=resource,
        template_path=path,
        labels=texts(mapping(template.get("metadata")).get("labels")),
        pod=pod,
        containers=tuple(_containers(pod, (*path, "spec"))),
    )


def _containers(pod: Manifest, path: Path) -> Iterator[Container]:
    for name in CONTAINER_LISTS:
        for index, spec in enumerate(sequence(pod.get(name))):
            if isinstance(spec, Mapping):
                yield Container(name, (*path, name, index), spec)


def unreadable(resource: Resource) -> Iterator[tuple[Path, str]]:
    """Where a workload has not the form that lets its containers be read, and why. A list of
    containers may be missing; nothing that is there may be of another type.
    """
    if resource.ref.kind not in WORKLOAD_KINDS:
        return
    template = TEMPLATES.get((resource.ref.group, resource.ref.kind))
    if template is None:
        yield ("apiVersion",), f"no {resource.ref.kind} of {resource.ref.api_version} is known"
        return
    spec = (*template, "spec")
    for path in (spec[: length + 1] for length in range(len(spec))):
        value = at(resource.manifest, path)
        if value is not None and not isinstance(value, Mapping):
            yield path, "is no mapping"
            return
    for name in CONTAINER_LISTS:
        yield from _no_containers(resource.manifest, (*spec, name))


def _no_containers(manifest: Manifest, path: Path) -> Iterator[tuple[Path, str]]:
    value = at(manifest, path)
    if value is not None and not isinstance(value, list):
        yield path, "is no list"
    for index, container in enumerate(sequence(value)):
        if not isinstance(container, Mapping):
            yield (*path, index), "is no mapping"


def texts(value: Any) -> Mapping[str, str]:
    """Labels or annotations: the pairs whose value is text, as the API server demands."""
    return {k: v for k, v in mapping(value).items() if isinstance(k, str) and isinstance(v, str)}


def controller_of(resource: Resource, by_uid: Mapping[str, Resource]) -> Resource | None:
    """The object whose template really made `resource`: named by an owner reference with
    ``controller: true``, there under that uid, kind and name in the same namespace, of a kind
    that makes such objects, and with a selector that fits; a controller lets go of what does not
    fit. Whoever writes a pod can write the reference too, and must not hide behind it.
    """
    references = sequence(mapping(resource.manifest.get("metadata")).get("ownerReferences"))
    for owner in map(mapping, references):
        if owner.get("controller") is not True:
            continue
        found = by_uid.get(str(owner.get("uid")))
        named = found and (found.ref.kind, found.ref.name) == (owner.get("kind"), owner.get("name"))
        if found and named and _may_make(found, resource):
            return found
    return None


def _may_make(owner: Resource, made: Resource) -> bool:
    if (owner.ref.group, owner.ref.kind) not in TEMPLATES:
        return False
    if owner.ref.kind not in MADE_BY.get(made.ref.kind, ()):
        return False
    selector = mapping(at(owner.manifest, ("spec", "selector")))
    exact = selector if owner.ref.kind == "ReplicationController" else selector.get("matchLabels")
    labels = texts(at(made.manifest, ("metadata", "labels")))
    return owner.ref.namespace == made.ref.namespace and texts(exact).items() <= labels.items()


def resources_by_uid(snapshot: Snapshot) -> Mapping[str, Resource]:
    """Every live object by its uid."""
    found = {}
    for resource in snapshot.resources:
        uid = mapping(resource.manifest.get("metadata")).get("uid")
        if isinstance(uid, str) and uid:
            found[uid] = resource
    return found


def workloads_of(snapshot: Snapshot) -> tuple[Workload, ...]:
    """Every workload that people edit: those that no other object of the snapshot controls,
    less pods that have ended.
    """
    owners = resources_by_uid(snapshot)
    found = []
    for resource in snapshot.of_kind(*WORKLOAD_KINDS):
        workload = workload_of(resource)
        if workload and not controller_of(resource, owners) and not _ended(resource):
            found.append(workload)
    return tuple(found)


def _ended(resource: Resource) -> bool:
    phase = mapping(resource.manifest.get("status")).get("phase")
    return resource.ref.kind == "Pod" and phase in FINISHED
