"""What a snapshot shares with the one before it: all that a few changed objects leave as it was."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from auditor.facts.workloads import TEMPLATES, Workload, workload_of, workloads_of
from auditor.manifests import at
from auditor.model import Key, Resource, Snapshot


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
    before: Sequence[Workload], snapshot: Snapshot, changed: Changes
) -> tuple[Workload, ...]:
    """The workloads of `snapshot`, those that did not change as the same objects as `before`."""
    news = {id(change.old): change for change in changed.values() if change.old}
    plain = all(
        change.old and change.new and not change.owned and change.new.ref == change.old.ref
        for change in changed.values()
        if any(_makes_pods(one) for one in change.either) or change.owned
    )
    if not plain:
        known = {id(workload.resource): workload for workload in before}
        return tuple(known.get(id(w.resource), w) for w in workloads_of(snapshot))
    touched = [change for change in changed.values() if any(map(_makes_pods, change.either))]
    if not touched:
        return tuple(before)
    if any(_is_ended(one) or one.opening for change in touched for one in change.either):
        return workloads_of(snapshot)
    replaced = (
        workload_of(change.new) if (change := news.get(id(w.resource))) and change.new else w
        for w in before
    )
    return tuple(workload for workload in replaced if workload)


def _makes_pods(resource: Resource) -> bool:
    return bool(resource.opening) or (resource.ref.group, resource.ref.kind) in TEMPLATES


def _is_ended(resource: Resource) -> bool:
    return resource.ref.kind == "Pod" and at(resource.manifest, ("status", "phase")) in (
        "Succeeded", "Failed",
    )  # fmt: skip
