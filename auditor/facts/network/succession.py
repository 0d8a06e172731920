"""What a snapshot shares with the one before it: all that a few changed objects leave as it was."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from auditor.facts.workloads import (
    TEMPLATES,
    Workload,
    resources_by_uid,
    uid_of,
    uids_after,
    workload_of,
    workloads_of,
)
from auditor.manifests import at
from auditor.model import Key, Resource, Snapshot
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One object, as it was and as it is."""

    old: Resource | None
    """None where it is new."""
    new: Resource | None
    """None where it is gone."""

    @property
    def kind(self) -> str:
        """Its kind."""
        found = self.new or self.old
        assert found is not None
        return found.ref.kind

    @property
    def either(self) -> tuple[Resource, ...]:
        """What there is of both."""
        return tuple(one for one in (self.old, self.new) if one is not None)

    @property
    def owned(self) -> bool:
        """Whether it may have to do with who made which pod. No pod makes another."""
        return any(
            at(one.manifest, ("metadata", "ownerReferences"))
            or (one.ref.kind != "Pod" and at(one.manifest, ("metadata", "uid")))
            for one in self.either
            if _makes_pods(one)
        )


Changes = dict[Key, Change]

MANY = 1000
"""Changed objects from which on everything is made anew."""


def changes(before: Snapshot, after: Snapshot) -> Changes | None:
    """The objects that are not the very same in both; None where an identity that is among them
    is written twice, or where so many are that nothing is won. Costs one look at each object.
    """
    pairs = zip(before.resources, after.resources, strict=False)
    moved = [(old, new) for old, new in pairs if old is not new]
    in_place = len(before.resources) == len(after.resources) and all(
        old.ref.key == new.ref.key for old, new in moved
    )
    gone, come = zip(*moved, strict=True) if in_place and moved else ((), ())
    if not in_place:
        here, there = {id(r) for r in after.resources}, {id(r) for r in before.resources}
        gone = tuple(r for r in before.resources if id(r) not in here)
        come = tuple(r for r in after.resources if id(r) not in there)
    olds, news = {r.ref.key: r for r in gone}, {r.ref.key: r for r in come}
    keys = dict.fromkeys((*olds, *news))
    # What was replaced in its place is written twice in both or in neither.
    looked = (after,) if in_place else (before, after)
    if len(keys) > MANY or any(_is_written_twice(keys, snapshot) for snapshot in looked):
        return None
    return {key: Change(olds.get(key), news.get(key)) for key in keys}


def _is_written_twice(keys: Collection[Key], snapshot: Snapshot) -> bool:
    """Whether one of these identities is."""
    names = {key[-1] for key in keys}  # cheaper to ask first
    meant = [r.ref.key for r in snapshot.resources if r.ref.name in names]
    found = [key for key in meant if key in keys]
    return len(set(found)) < len(found)


def succeeding(
    before: Sequence[Workload], was: Snapshot, snapshot: Snapshot, changed: Changes
) -> tuple[Workload, ...]:
    """The workloads of `snapshot`, those that did not change as the same objects as `before`, which
    are those of the snapshot `was`.
    """
    touched = [change for change in changed.values() if any(map(_makes_pods, change.either))]
    come = [change.new for change in touched if change.new and not change.old]
    keeps = all(_keeps_owners(change, was) for change in changed.values())
    if not keeps or not _are_last(come, snapshot):
        return workloads_of(snapshot, {id(workload.resource): workload for workload in before})
    if all(map(_keeps_uid, changed.values())):
        uids_after(was, snapshot, (c.new for c in changed.values() if c.new))
    if not touched:
        return tuple(before)
    if any(_is_ended(one) or one.opening for change in touched for one in change.either):
        return workloads_of(snapshot)
    return _placed(before, touched)


def _placed(before: Sequence[Workload], touched: Sequence[Change]) -> tuple[Workload, ...]:
    """The workloads, where objects that nobody made changed in their place, or pods came or went.
    Pods are named first.
    """
    olds = {id(change.old): change for change in touched if change.old}
    found: list[Workload] = []
    for workload in before:
        change = olds.get(id(workload.resource))
        if change is None:
            found.append(workload)
        elif now := change.new and workload_of(change.new):
            found.append(now)
    come = [change.new for change in touched if change.new and not change.old]
    new = [made for one in come if (made := workload_of(one))]
    if not new:
        return tuple(found)
    pods = next((i for i, w in enumerate(found) if w.ref.kind != "Pod"), len(found))
    return (*found[:pods], *new, *found[pods:])


def _keeps_owners(change: Change, was: Snapshot) -> bool:
    """Whether it leaves as it was who made which object, and every workload in its place."""
    makes_pods = any(map(_makes_pods, change.either))
    if change.owned or (makes_pods and not change.old and change.kind != "Pod"):
        return False
    if makes_pods and change.new is None and change.kind != "Pod":
        return False
    if change.old and change.new and makes_pods and change.new.ref != change.old.ref:
        return False
    by_uid, uids = resources_by_uid(was), [uid for one in change.either if (uid := uid_of(one))]
    if change.new is None and any(_has_twin(one, was) for one in change.either):
        return False
    return all(by_uid.get(uid, change.old) is change.old for uid in uids)


def _has_twin(resource: Resource, snapshot: Snapshot) -> bool:
    """Whether another object claims its uid. The API server gives it once."""
    uid = uid_of(resource)
    return bool(uid) and any(r is not resource and uid_of(r) == uid for r in snapshot.resources)


def _keeps_uid(change: Change) -> bool:
    """Whether no uid is gone with it."""
    if change.new is None:
        return False
    return change.old is None or uid_of(change.old) in ("", uid_of(change.new))


def _are_last(come: Sequence[Resource], snapshot: Snapshot) -> bool:
    """Whether these stand behind all others."""
    return not come or all(
        one is there for one, there in zip(come, snapshot.resources[-len(come) :], strict=True)
    )


def _makes_pods(resource: Resource) -> bool:
    return bool(resource.opening) or (resource.ref.group, resource.ref.kind) in TEMPLATES


def _is_ended(resource: Resource) -> bool:
    return resource.ref.kind == "Pod" and at(resource.manifest, ("status", "phase")) in (
        "Succeeded", "Failed",
    )  # fmt: skip
