"""Reads the change of the cluster that a request asks for. Knows nothing of policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from auditor.facts.custom import OPENINGS
from auditor.manifests import mapping
from auditor.model import Ref, Resource, Snapshot
from auditor.sources.cluster import Keep, live_resource
from auditor.sources.kinds import KINDS, Kind
from auditor.terms import Opening
from auditor.values import dataclass
from auditor.webhook.endpoints import FORMS, Form
from auditor.webhook.review import Review, UndecidableError

MAX_GENERATIONS = 8
"""CronJob, Job and Pod are three; operators add one or two."""

_KINDS = {(kind.group, kind.plural): kind for kind in KINDS}
_POD = _KINDS["", "pods"]
_OPENED = frozenset((one.group, one.kind) for one in OPENINGS)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One request as the change of the cluster that it asks for."""

    ref: Ref
    before: Resource | None
    """The object until now, None where there is none."""
    after: Resource | None
    """The object as it would be, None where it would be gone."""
    along: tuple[Ref, ...] = ()
    """What would go with it: the objects that it owns, and those that they own."""
    followed: bool = True
    """Whether the watch will tell of it: not of a custom kind that is not read, and not of an
    eviction, which may still be refused for the sake of a PodDisruptionBudget.
    """

    def kept(self, keep: Keep) -> Proposal:
        """The same without what nobody reads, as the watched cluster is kept too."""
        before, after = (each and keep(each) for each in (self.before, self.after))
        return replace(self, before=before, after=after)


def proposal_of(
    review: Review, live: Snapshot, openings: Iterable[Opening] = ()
) -> Proposal | None:
    """The change that `review` asks for, or None where it is none that policies speak of.
    `openings`: the custom kinds that make pods, beside those that are known.

    Raises:
        UndecidableError: the object is none.
    """
    form = FORMS.get((review.resource_group, review.resource, review.subresource))
    if form is Form.SCALE:
        return _scaled(review, live)
    if form is Form.BINDING:
        return _bound(review, live)
    if form is Form.EVICTION:
        return _evicted(review, live)
    kind = _kind_of(review, form, openings)
    return _change(review, kind, live) if kind else None


def _kind_of(review: Review, form: Form | None, openings: Iterable[Opening]) -> Kind | None:
    """The kind of an object that is carried whole, at the version that was sent."""
    if review.operation == "CONNECT":
        return None
    version = "/".join(filter(None, (review.group, review.version)))
    known = _KINDS.get((review.resource_group, review.resource))
    if known and known.kind == review.kind and form is Form.OBJECT:
        return replace(known, api_version=version)
    opened = _OPENED.union((one.group, one.kind) for one in openings)
    if review.subresource or (review.group, review.kind) not in opened:
        return None
    return Kind(version, review.resource, review.kind, namespaced=bool(review.namespace))


def _change(review: Review, kind: Kind, live: Snapshot) -> Proposal | None:
    followed = (review.resource_group, review.resource) in _KINDS
    if review.operation == "DELETE":
        return _removal(review, kind, live, followed=followed)
    after = _resource(review, kind, review.object)
    before = None if review.operation == "CREATE" else _old(review, kind, live, after.ref)
    return Proposal(after.ref, before, after, followed=followed)


def _removal(review: Review, kind: Kind, live: Snapshot, *, followed: bool) -> Proposal | None:
    old = review.old_object if isinstance(review.old_object, dict) else None
    name = review.name or str(mapping(mapping(old).get("metadata")).get("name") or "")
    if not name:  # a whole collection; the server asks again for each object of it
        return None
    ref = Ref(kind.api_version, kind.kind, review.namespace if kind.namespaced else "", name)
    before = _resource(review, kind, old) if old else live.find(ref)
    along = () if review.orphaning or before is None else dependents(before, live)
    if kind.kind == "Namespace" and not kind.group:
        along = tuple(r.ref for r in live.resources if r.ref.namespace == name)
    return Proposal(ref, before, None, along, followed)


def _scaled(review: Review, live: Snapshot) -> Proposal | None:
    """The parent with that many replicas; None where it is not seen yet."""
    kind = _KINDS[review.resource_group, review.resource]
    parent = live.find(Ref(kind.api_version, kind.kind, review.namespace, review.name))
    replicas = mapping(mapping(review.object).get("spec")).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise UndecidableError("spec.replicas is no number")
    return _with_spec(parent, kind, replicas=replicas) if parent else None


def _bound(review: Review, live: Snapshot) -> Proposal | None:
    """The pod on its node; None where it is not seen yet."""
    binding = mapping(review.object)
    name = review.name or str(mapping(binding.get("metadata")).get("name") or "")
    node = mapping(binding.get("target")).get("name")
    if not isinstance(node, str):
        raise UndecidableError("target.name is no text")
    pod = live.find(Ref(_POD.api_version, _POD.kind, review.namespace, name))
    return _with_spec(pod, _POD, nodeName=node) if pod else None


def _with_spec(resource: Resource, kind: Kind, **fields: Any) -> Proposal:
    manifest = resource.manifest
    after = live_resource(kind, {**manifest, "spec": {**mapping(manifest.get("spec")), **fields}})
    return Proposal(resource.ref, resource, after)


def _evicted(review: Review, live: Snapshot) -> Proposal:
    """The API server deletes the pod, and asks about the eviction alone."""
    ref = Ref(_POD.api_version, _POD.kind, review.namespace, review.name)
    return Proposal(ref, live.find(ref), None, followed=False)


def dependents(owner: Resource, live: Snapshot) -> tuple[Ref, ...]:
    """What the garbage collector takes away after `owner`: objects all of whose owners are gone.

    https://kubernetes.io/docs/concepts/architecture/garbage-collection/
    """
    gone, found = {_uid(owner)}, dict[Ref, None]()
    for _ in range(MAX_GENERATIONS):
        orphans = [r for r in live.resources if r.ref not in found and _owned_by(r, gone)]
        if not orphans:
            break
        found |= dict.fromkeys(orphan.ref for orphan in orphans)
        gone |= {_uid(orphan) for orphan in orphans}
    return tuple(found)


def _owned_by(resource: Resource, gone: set[str]) -> bool:
    owners = mapping(resource.manifest.get("metadata")).get("ownerReferences")
    uids = [mapping(each).get("uid") for each in owners] if isinstance(owners, list) else []
    return bool(uids) and all(isinstance(uid, str) and uid in gone for uid in uids)


def _uid(resource: Resource) -> str:
    return str(mapping(resource.manifest.get("metadata")).get("uid") or "")


def _old(review: Review, kind: Kind, live: Snapshot, ref: Ref) -> Resource | None:
    if isinstance(review.old_object, dict):
        return _resource(review, kind, review.old_object)
    return live.find(ref)


def _resource(review: Review, kind: Kind, item: Any) -> Resource:
    """The object under the name and namespace of the request."""
    if not isinstance(item, dict):
        raise UndecidableError("the object is no mapping")
    if not isinstance(item.get("metadata", {}), dict):
        raise UndecidableError("metadata is no mapping")
    metadata = dict(item.get("metadata", {}))
    metadata["name"] = review.name or metadata.get("name") or _generated(metadata)
    if kind.namespaced:
        metadata["namespace"] = review.namespace
    return live_resource(kind, {**item, "metadata": metadata})


def _generated(metadata: dict[str, Any]) -> str:
    """A stand-in for a name that is still to be generated. No real name has a star, so that it
    cannot pass for an object that exists.
    """
    return f"{metadata.get('generateName') or ''}*"
