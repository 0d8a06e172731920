"""One fault, one finding, on the object that people can edit.

What a controller made and its template has as well is folded before this. Left are pods and
revisions that differ from the template of today: these are gathered on the topmost object, a
finding for each fault and cause, however many pods have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace
from functools import cached_property

from auditor.facts.workloads import (
    FINISHED,
    Workload,
    chain,
    controller_of,
    resources_by_uid,
    workload_of,
)
from auditor.manifests import at, mapping, sequence
from auditor.model import Evidence, Finding, Path, Ref, Resource, Snapshot
from auditor.scope.causes import Cause, Running, cause_of
from auditor.terms import API_GROUPS
from auditor.values import dataclass

NAMED = 5
"""So many pods are reasons of a finding; all of them are in `Finding.pods`."""

REVISION = Cause(
    "of an older revision that still runs", "an older revision", "the rollout: finish it"
)


def gathered(
    findings: Iterable[Finding], snapshot: Snapshot
) -> tuple[list[Finding], list[Finding]]:
    """The findings with those on running pods gathered, and those that are thereby not told
    themselves: also what a controller made and nothing runs of.
    """
    if not any(map(_names_owners, snapshot.resources)):
        return list(findings), []
    gathering = _Gathering(snapshot)
    for finding in findings:
        gathering.take(finding)
    told = (one if isinstance(one, Finding) else one.told for one in gathering.told)
    return list(told), gathering.folded


@dataclass
class _Group:
    """A finding as it is told, and the running pods that have it. Takes in more pods."""

    finding: Finding
    cause: str = ""
    pods: dict[Ref, Path] = field(default_factory=dict)
    """With the place of the fault in each."""

    @property
    def told(self) -> Finding:
        if not self.cause:
            return self.finding
        reasons = [Evidence(f"pod {ref}", ref, path) for ref, path in self.pods.items()]
        return replace(
            self.finding,
            message=f"{self.finding.message} ({self._where}{self.cause})",
            evidence=(*self.finding.evidence, *reasons[:NAMED]),
            pods=tuple(self.pods),
        )

    @property
    def _where(self) -> str:
        """A fault of pods alone that only one of them has is told on that pod as it is."""
        number = len(self.pods)
        return f"in {number} running pod{'s' if number > 1 else ''}: " if number else ""


@dataclass(frozen=True, slots=True)
class _Owner:
    """What made a pod, where that was not read, and what the pod runs."""

    kind: str
    name: str
    uid: str
    images: tuple[str, ...]
    """Whoever writes a pod can name an owner: only pods that run the same are of one fault."""
    namespace: str


@dataclass(frozen=True, slots=True)
class _Standing:
    """What is above an object."""

    top: Resource | None = None
    """The topmost object that made it."""
    idle: bool = False
    """Whether nothing runs of it."""
    owner: _Owner | None = None
    """What made it, where that was not read."""


class _Gathering:
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._owners = resources_by_uid(snapshot)
        self._standing: dict[int, _Standing] = {}
        self._known: dict[tuple[object, ...], _Group] = {}
        self.told: list[Finding | _Group] = []
        """Most findings are told as they are."""
        self.folded: list[Finding] = []

    def take(self, finding: Finding) -> None:
        resource = finding.resource or self._snapshot.find(finding.ref)
        if resource is None:
            self.told.append(finding)
            return
        standing = self._standing_of(resource)
        if standing.top is None:
            self._take_owned(finding, resource, standing.owner)
        elif standing.idle:
            self.folded.append(finding)
        else:
            self._take_made(finding, resource, standing.top)

    def _standing_of(self, resource: Resource) -> _Standing:
        """Looked up once for all findings on an object."""
        if id(resource) not in self._standing:
            self._standing[id(resource)] = self._looked_up(resource)
        return self._standing[id(resource)]

    def _looked_up(self, resource: Resource) -> _Standing:
        above = list(chain(resource, self._owners))
        if not above:
            return _Standing(owner=_unread_owner(resource, self._owners))
        return _Standing(above[-1], any(_is_idle(one) for one in (resource, *above[:-1])))

    def _take_made(self, finding: Finding, resource: Resource, top: Resource) -> None:
        workload = workload_of(top)
        if workload is None:
            self.told.append(finding)
            return
        cause, pods = REVISION, self._pods.get(_uid(resource), [])
        if resource.ref.kind == "Pod":
            cause = cause_of(finding.path, Running(resource, workload, self._snapshot))
            pods = [resource]
        self.folded.append(finding)
        key = (top.ref.key, finding.policy.id, finding.anchor, finding.message, cause.words)
        group = self._group(key, lambda: _Group(_on(finding, workload, cause), cause.words))
        group.pods |= {pod.ref: finding.path for pod in pods}

    def _take_owned(self, finding: Finding, resource: Resource, owner: _Owner | None) -> None:
        """Pods of one owner that was not read, with the same fault: told on the first of them."""
        if owner is None:
            self.told.append(finding)
            return
        key = (owner, finding.policy.id, finding.anchor, finding.message)
        group = self._group(key, lambda: _Group(finding))
        group.pods[resource.ref] = finding.path
        if len(group.pods) > 1:
            group.cause = f"all of {owner.kind} {resource.ref.namespace}/{owner.name}"
            group.finding = replace(group.finding, remedy=None)
            self.folded.append(finding)

    def _group(self, key: tuple[object, ...], new: Callable[[], _Group]) -> _Group:
        if key not in self._known:
            self._known[key] = new()
            self.told.append(self._known[key])
        return self._known[key]

    @cached_property
    def _pods(self) -> Mapping[str, list[Resource]]:
        """The pods that have not ended, by the uid of the ReplicaSet or Job that made them."""
        made: dict[str, list[Resource]] = {}
        for pod in self._snapshot.of_kind("Pod"):
            owner = None if _is_idle(pod) else controller_of(pod, self._owners)
            if owner:
                made.setdefault(_uid(owner), []).append(pod)
        return made


def _on(finding: Finding, top: Workload, cause: Cause) -> Finding:
    """The finding of a running pod, told on what made it. No edit of that would mend it."""
    return replace(
        finding,
        ref=top.ref,
        path=_path_in(finding, top),
        remedy=None,
        resource=top.resource,
        authorship=cause.authorship,
    )


def _path_in(finding: Finding, top: Workload) -> Path:
    """The container of the same name in the template, or the pod specification."""
    for container in top.containers:
        if container.name and container.name == finding.anchor:
            return container.path
    return top.pod_path


def _unread_owner(resource: Resource, owners: Mapping[str, Resource]) -> _Owner | None:
    """The controller that a pod names, where its template was not read: it is of a custom kind, or
    not among `owners`. A node makes static pods, each with a file of its own.
    """
    references = sequence(at(resource.manifest, ("metadata", "ownerReferences")))
    workload = workload_of(resource) if references else None
    for owner in map(mapping, references):
        group, _, _ = str(owner.get("apiVersion", "")).rpartition("/")
        kind, name, uid = (str(owner.get(key)) for key in ("kind", "name", "uid"))
        unread = group not in API_GROUPS or uid not in owners
        if workload and owner.get("controller") is True and unread and kind != "Node":
            images = tuple(str(container.spec.get("image")) for container in workload.containers)
            return _Owner(kind, name, uid, images, resource.ref.namespace)
    return None


def _names_owners(resource: Resource) -> bool:
    return bool(at(resource.manifest, ("metadata", "ownerReferences")))


def _is_idle(resource: Resource) -> bool:
    """Whether nothing runs of it and nothing will: a pod or Job that has ended, a revision that
    was scaled to nothing.
    """
    status, spec = (mapping(resource.manifest.get(key)) for key in ("status", "spec"))
    if resource.ref.kind == "Pod":
        return status.get("phase") in FINISHED
    if resource.ref.kind == "ReplicaSet":
        return spec.get("replicas") == 0 and not status.get("replicas")
    conditions = map(mapping, sequence(status.get("conditions")))
    return resource.ref.kind == "Job" and any(
        each.get("type") in {"Complete", "Failed"} and each.get("status") == "True"
        for each in conditions
    )


def _uid(resource: Resource) -> str:
    return str(at(resource.manifest, ("metadata", "uid")))
