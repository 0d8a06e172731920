"""Every pod template of the snapshot, whose it is, and its containers.

The single place that knows where a kind keeps its pods; policies and all other facts ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, TypeGuard

from auditor.facts.selectors import Labels, RefusedError, Truth, parse_selector
from auditor.manifests import at, mapping, sequence, texts
from auditor.memory import collector_paused
from auditor.model import Manifest, Path, Ref, Resource, Snapshot
from auditor.terms import Opening
from auditor.values import dataclass

MAX_DEPTH = 10
"""How deep in an object of an unknown kind a pod specification is looked for."""
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

PORT_PROTOCOLS = ("TCP", "UDP", "SCTP")
LAST_PORT = 65535

MADE_BY: Mapping[str, tuple[str, ...]] = {
    "Pod": ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet", "Job"),
    "ReplicaSet": ("Deployment", "Rollout"),
    "Job": ("CronJob",),
}
"""Kind → the kinds whose controllers make it from a template of theirs."""

GENERATED = ("Job", "CronJob")
"""Of those, the kinds that need not have a selector: they know by a uid what they made."""

REVISION_LABELS: Mapping[str, str] = {
    "Deployment": "pod-template-hash",
    "Rollout": "rollouts-pod-template-hash",
    "StatefulSet": "controller-revision-hash",
    "DaemonSet": "controller-revision-hash",
}
"""Kind → the label by which its controller tells the pods of one revision from those of another."""

JOB_NAME_LABELS = ("batch.kubernetes.io/job-name", "job-name")
"""The labels with the name of the Job that made a pod."""


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
    bare: bool = False
    """Whether the pod specification itself stands at `template_path`, without a template."""
    ref: Ref = field(init=False, repr=False, compare=False)
    """The object's identity. Asked for again and again."""
    _marked: frozenset[str] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ref", self.resource.ref)

    @property
    def marked(self) -> frozenset[str]:
        """The keys of all labels and annotations, its own and those of its template. Looked for
        once: a dozen of them are asked for.
        """
        if self._marked is None:
            object.__setattr__(self, "_marked", frozenset(self._marks()))
        return self._marked or frozenset()

    def _marks(self) -> Iterator[str]:
        for path in self.metadata_paths:
            metadata = mapping(at(self.resource.manifest, path))
            yield from mapping(metadata.get("labels"))
            yield from mapping(metadata.get("annotations"))

    @property
    def pod_path(self) -> Path:
        """Where the pod specification stands."""
        return self.template_path if self.bare else (*self.template_path, "spec")

    @property
    def name(self) -> str:
        """``namespace/name``, as a person would say it."""
        return f"{self.ref.namespace}/{self.ref.name}"

    @property
    def replicas(self) -> int:
        """How many pods are wanted at the same time: 1 where the object does not say. A CronJob
        says when, and its Jobs how many.
        """
        if self.ref.kind == "CronJob":
            return 1
        key = "parallelism" if self.ref.kind == "Job" else "replicas"
        wanted = mapping(self.resource.manifest.get("spec")).get(key, 1)
        return wanted if type(wanted) is int and wanted >= 0 else 1

    @property
    def metadata_paths(self) -> tuple[Path, ...]:
        """Where its labels and annotations stand: the object's own, then its template's."""
        own: Path = ("metadata",)
        template = (*self.template_path, "metadata")
        return (own,) if self.bare or own == template else (own, template)


def workload_of(resource: Resource) -> Workload | None:
    """The workload that `resource` is, or None where it makes no pods."""
    path = TEMPLATES.get((resource.ref.group, resource.ref.kind))
    if path is None:
        return _opened(resource, resource.opening) if resource.opening else None
    return _at(resource, path, bare=False)


def _opened(resource: Resource, opening: Opening) -> Workload | None:
    """None where nothing stands where such an object keeps its pods."""
    if not isinstance(at(resource.manifest, opening.path), Mapping):
        return None
    return _at(resource, opening.path, bare=opening.bare)


def _at(resource: Resource, path: Path, *, bare: bool) -> Workload:
    template = mapping(at(resource.manifest, path))
    pod = template if bare else mapping(template.get("spec"))
    labels = {} if bare else texts(mapping(template.get("metadata")).get("labels"))
    way = path if bare else (*path, "spec")
    return Workload(resource, path, labels, pod, tuple(_containers(pod, way)), bare)


def _containers(pod: Manifest, path: Path) -> Iterator[Container]:
    for name in CONTAINER_LISTS:
        for index, spec in enumerate(sequence(pod.get(name))):
            if isinstance(spec, Mapping):
                yield Container(name, (*path, name, index), spec)


def declared_ports(pod: Manifest) -> Iterator[tuple[Path, Manifest]]:
    """Every entry of the ports of the containers that run as long as the pod, with its path from
    the pod specification: those of ordinary containers, then those of sidecars, which are init
    containers that are restarted.
    """
    for name in ("containers", "initContainers"):
        for index, container in enumerate(map(mapping, sequence(pod.get(name)))):
            if name == "containers" or container.get("restartPolicy") == "Always":
                for number, port in enumerate(map(mapping, sequence(container.get("ports")))):
                    yield (name, index, "ports", number), port


def container_ports(workload: Workload) -> Iterator[tuple[int, str, str, Path]]:
    """Number, protocol, name and path of every port that the containers declare. What is no port
    is left out.
    """
    for path, port in declared_ports(workload.pod):
        number, name = port.get("containerPort"), port.get("name")
        protocol = port.get("protocol") or "TCP"
        if is_port(number) and protocol in PORT_PROTOCOLS:
            text = name if isinstance(name, str) else ""
            yield number, protocol, text, (*workload.pod_path, *path)


def is_port(value: Any) -> TypeGuard[int]:
    """Whether it is a port number."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= LAST_PORT


def unreadable(resource: Resource) -> Iterator[tuple[Path, str]]:
    """Where a workload has not the form that lets its containers be read, and why. A list of
    containers may be missing; nothing that is there may be of another type.
    """
    if resource.opening and (resource.ref.group, resource.ref.kind) not in TEMPLATES:
        yield from _ill_formed(resource, resource.opening.path, bare=resource.opening.bare)
        return
    if resource.ref.kind not in WORKLOAD_KINDS:
        path = _containers_within(resource.manifest, ())
        if path:
            yield (
                path,
                f"holds containers, and what a {resource.ref.kind} makes of them is not known",
            )
        return
    template = TEMPLATES.get((resource.ref.group, resource.ref.kind))
    if template is None:
        yield ("apiVersion",), f"no {resource.ref.kind} of {resource.ref.api_version} is known"
        return
    yield from _ill_formed(resource, template, bare=False)


def is_ill_formed(resource: Resource) -> bool:
    """Whether there is anything `unreadable` about it."""
    return next(unreadable(resource), None) is not None


def _ill_formed(resource: Resource, template: Path, *, bare: bool) -> Iterator[tuple[Path, str]]:
    spec = template if bare else (*template, "spec")
    for path in (spec[: length + 1] for length in range(len(spec))):
        value = at(resource.manifest, path)
        if value is not None and not isinstance(value, Mapping):
            yield path, "is no mapping"
            return
    if resource.opening and at(resource.manifest, spec) is None:
        yield spec, f"is not there, and a {resource.ref.kind} keeps its pods there"
        return
    for name in CONTAINER_LISTS:
        yield from _no_containers(resource.manifest, (*spec, name))


def _containers_within(value: Any, path: Path) -> Path | None:
    """Where an object of another kind has a list of containers, as custom resources of operators
    have that make pods.
    """
    for key, inside in mapping(value).items() if len(path) < MAX_DEPTH else ():
        if key in CONTAINER_LISTS and any("image" in mapping(each) for each in sequence(inside)):
            return (*path, key)
        if found := _containers_within(inside, (*path, key)):
            return found
    return None


def _no_containers(manifest: Manifest, path: Path) -> Iterator[tuple[Path, str]]:
    value = at(manifest, path)
    if value is not None and not isinstance(value, list):
        yield path, "is no list"
    for index, container in enumerate(sequence(value)):
        if not isinstance(container, Mapping):
            yield (*path, index), "is no mapping"


def names_controller(metadata: Any) -> bool:
    """Whether the metadata of an object names a controller, be it a real one or not."""
    owners = sequence(mapping(metadata).get("ownerReferences"))
    return any(mapping(owner).get("controller") for owner in owners)


def controller_of(resource: Resource, by_uid: Mapping[str, Resource]) -> Resource | None:
    """The object whose template really made `resource`: named by an owner reference with
    ``controller: true``, there under that uid, kind and name in the same namespace, of a kind
    that makes such objects, and with a selector that fits; a controller lets go of what does not
    fit. Whoever writes a pod can write the reference too, and must not hide behind it.
    """
    if not isinstance(by_uid, _ByUid):
        return _controller_of(resource, by_uid)
    known = by_uid.controllers.get(id(resource))
    if known is not None and known[0] is resource:
        return known[1]
    found = _controller_of(resource, by_uid)
    if by_uid.get(uid_of(resource)) is resource:  # else requests would fill it up
        by_uid.controllers[id(resource)] = resource, found
    return found


class _ByUid(dict[str, Resource]):
    """Objects by their uid. Not changed once it is filled, so that it remembers what controls
    whom: by the `id` of the object, which each entry keeps from becoming another's.
    """

    __slots__ = ("controllers",)

    def __init__(self, found: Mapping[str, Resource]) -> None:
        super().__init__(found)
        self.controllers: dict[int, tuple[Resource, Resource | None]] = {}


def _controller_of(resource: Resource, by_uid: Mapping[str, Resource]) -> Resource | None:
    references = sequence(mapping(resource.manifest.get("metadata")).get("ownerReferences"))
    for owner in map(mapping, references):
        if owner.get("controller") is not True:
            continue
        found = by_uid.get(str(owner.get("uid")))
        named = found and (found.ref.kind, found.ref.name) == (owner.get("kind"), owner.get("name"))
        if found and named and _may_make(found, resource):
            return found
    return None


GENERATIONS = 5
"""No chain of owners of Kubernetes is longer: CronJob, Job, Pod."""


def chain(resource: Resource, owners: Mapping[str, Resource]) -> Iterator[Resource]:
    """What made it, the nearest first."""
    seen = {id(resource)}
    for _ in range(GENERATIONS):
        owner = controller_of(resource, owners)
        if owner is None or id(owner) in seen:
            return
        yield owner
        seen.add(id(owner))
        resource = owner


def _may_make(owner: Resource, made: Resource) -> bool:
    if any((one.ref.group, one.ref.kind) not in TEMPLATES for one in (owner, made)):
        return False
    if owner.ref.kind not in MADE_BY.get(made.ref.kind, ()):
        return False
    return owner.ref.namespace == made.ref.namespace and _fits(owner, made)


def _fits(owner: Resource, made: Resource) -> bool:
    """Whether the owner's selector matches what it is said to have made. One that is missing,
    empty or refused matches nothing, but for kinds whose selector the API server generates.
    """
    selector = at(owner.manifest, ("spec", "selector"))
    if selector is None and owner.ref.kind in GENERATED:
        return True
    if owner.ref.kind == "ReplicationController":
        selector = {"matchLabels": selector}
    try:
        parsed = parse_selector(selector, ())
    except RefusedError:
        return False
    labels = Labels(texts(at(made.manifest, ("metadata", "labels"))))
    return bool(parsed.requirements) and parsed.truth(labels) is Truth.YES


def resources_by_uid(snapshot: Snapshot) -> Mapping[str, Resource]:
    """Every live object by its uid. Found once for a snapshot, and kept in it."""
    known: Mapping[str, Resource] | None = vars(snapshot).get(_BY_UID)
    if known is None:
        known = _ByUid({uid: one for one in snapshot.resources if (uid := uid_of(one))})
        vars(snapshot)[_BY_UID] = known
    return known


def uids_after(before: Snapshot, after: Snapshot, new: Iterable[Resource]) -> None:
    """Have `resources_by_uid` of `after` taken over from `before`, which has all of its objects but
    these, under no uid that is among the others' there.
    """
    if _BY_UID in vars(before) and _BY_UID not in vars(after):
        found = {uid: one for one in new if (uid := uid_of(one))}
        vars(after)[_BY_UID] = _ByUid({**vars(before)[_BY_UID], **found})


def uid_of(resource: Resource) -> str:
    """What the API server knows the object by; empty where it does not say."""
    uid = mapping(resource.manifest.get("metadata")).get("uid")
    return uid if isinstance(uid, str) else ""


_BY_UID = "_by_uid"


@collector_paused()
def workloads_of(
    snapshot: Snapshot, known: Mapping[int, Workload] | None = None
) -> tuple[Workload, ...]:
    """Every workload that people edit: those that no other object of the snapshot controls,
    less pods that have ended. `known`: those that were made before, by the `id` of their object.
    """
    known, owners = known or {}, resources_by_uid(snapshot)
    found = []
    custom = (resource for resource in snapshot.resources if resource.opening)
    for resource in {id(r): r for r in (*snapshot.of_kind(*WORKLOAD_KINDS), *custom)}.values():
        if controller_of(resource, owners) or _ended(resource):
            continue
        if workload := known.get(id(resource)) or workload_of(resource):
            found.append(workload)
    return tuple(found)


def _ended(resource: Resource) -> bool:
    phase = mapping(resource.manifest.get("status")).get("phase")
    return resource.ref.kind == "Pod" and phase in FINISHED
