"""The policies of a snapshot, parsed; after a change, only those that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from auditor.facts.network.answers import InvalidPolicy
from auditor.facts.network.cluster_policies import (
    DIALECTS,
    ClusterPolicy,
    is_cluster_policy,
    parse_cluster_policy,
)
from auditor.facts.network.policies import GROUP, KIND, NetPolicy, parse_policy
from auditor.facts.network.profiles import Profile
from auditor.facts.network.succession import Change, Changes
from auditor.model import Key, Ref, Resource, Snapshot

Parsed = NetPolicy | ClusterPolicy | InvalidPolicy


def parsed(
    snapshot: Snapshot, profile: Profile, old: Mapping[Key, Parsed], changed: Changes | None
) -> Mapping[Key, Parsed]:
    """The policies by identity, in the order read. Those of `old` are taken over that are not among
    what `changed` since; none where that is None.
    """
    if changed is None:
        return {one.ref.key: _read(one, profile) for one in _written(snapshot)}
    touched = {key for key, change in changed.items() if is_policy(change)}
    # Without an object that comes or goes, the order stays as it is.
    if all(changed[key].old and changed[key].new for key in touched):
        new = {key: changed[key].new for key in touched}
        return {**old, **{key: _read(one, profile) for key, one in new.items() if one}}
    return {
        one.ref.key: _read(one, profile) if one.ref.key in touched else old[one.ref.key]
        for one in _written(snapshot)
    }


def by_namespace(policies: Iterable[NetPolicy]) -> dict[str, list[NetPolicy]]:
    """NetworkPolicies by where they are, in their order."""
    found: dict[str, list[NetPolicy]] = {}
    for policy in policies:
        found.setdefault(policy.ref.namespace, []).append(policy)
    return found


def _written(snapshot: Snapshot) -> Iterator[Resource]:
    """Each policy of a dialect that is read, once."""
    for resource in snapshot.of_kind(KIND, *DIALECTS):
        if _is_read(resource.ref) and snapshot.find(resource.ref) is resource:
            yield resource


def is_policy(change: Change) -> bool:
    """Whether it is one of a dialect that is read."""
    return any(_is_read(one.ref) for one in change.either)


def _is_read(ref: Ref) -> bool:
    if ref.kind == KIND:
        return ref.group == GROUP  # of extensions/v1beta1 there is none since 1.16
    return ref.kind in DIALECTS and is_cluster_policy(ref)


def _read(resource: Resource, profile: Profile) -> Parsed:
    if resource.ref.kind == KIND:
        return parse_policy(resource)
    return parse_cluster_policy(resource, strict=profile.strict)
