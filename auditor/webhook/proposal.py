"""Reads the change of the cluster that a request asks for. Knows nothing of policies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from auditor.manifests import mapping
from auditor.model import Ref, Resource, Snapshot
from auditor.sources.cluster import Keep, live_resource
from auditor.sources.kinds import KINDS, Kind
from auditor.webhook.review import Review, UndecidableError

MAX_GENERATIONS = 8
"""CronJob, Job and Pod are three; operators add one or two."""
LIKE_THE_OBJECT = frozenset({"", "ephemeralcontainers", "resize"})
"""Subresources that carry, and change, the whole object."""

_KINDS = {(kind.group, kind.plural): kind for kind in KINDS}


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

    def kept(self, keep: Keep) -> Proposal:
        """The same without what nobody reads, as the watched cluster is kept too."""
        before, after = (each and keep(each) for each in (self.before, self.after))
        return replace(self, before=before, after=after)


def proposal_of(review: Review, live: Snapshot) -> Proposal | None:
    """The change that `review` asks for, or None where it is none that policies speak of.

    Raises:
        UndecidableError: the object is none.
    """
    kind = _KINDS.get((review.group, review.resource))
    judged = kind and review.kind == kind.kind and review.subresource in LIKE_THE_OBJECT
    if kind is None or not judged or review.operation == "CONNECT":
        return None
    kind = replace(kind, api_version="/".join(filter(None, (review.group, review.version))))
    if review.operation == "DELETE":
        return _removal(review, kind, live)
    after = _resource(review, kind, review.object)
    before = None if review.operation == "CREATE" else _old(review, kind, live, after.ref)
    return Proposal(after.ref, before, after)


def _removal(review: Review, kind: Kind, live: Snapshot) -> Proposal | None:
    old = review.old_object if isinstance(review.old_object, dict) else None
    name = review.name or str(mapping(mapping(old).get("metadata")).get("name") or "")
    if not name:  # a whole collection; the server asks again for each object of it
        return None
    ref = Ref(kind.api_version, kind.kind, review.namespace if kind.namespaced else "", name)
    before = _resource(review, kind, old) if old else live.find(ref)
    along = () if review.orphaning or before is None else dependents(before, live)
    return Proposal(ref, before, None, along)


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
