"""Tells apart what can be in one cluster from what are alternatives of each other.

Two overlays of one base, or a chart with two sets of values, make objects of the same name: only
one of them is ever deployed beside the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from auditor.model import Key, Resource, Snapshot
from auditor.sources.building import Build
from auditor.sources.yaml import Document
from auditor.values import dataclass

_SHARED = frozenset(("Namespace", "CustomResourceDefinition"))
"""What several applications of one cluster may each bring along."""
WRITTEN = "the files as written"


@dataclass(frozen=True, slots=True)
class Variant:
    """One state in which the cluster may be, as the files have it."""

    name: str
    """What it is built from; empty where there is no other."""
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one variant."""

    name: str
    resources: tuple[Resource, ...]


def variants(written: Sequence[Resource], builds: Sequence[Build]) -> list[Objects]:
    """The written objects and the builds, those that exclude each other apart.

    Builds that collide with nothing belong to every variant, and so do the written objects, but
    for files with an object that the variant builds otherwise. Builds that collide are put
    together where they have one label, as ``prod`` of several applications.
    """
    keys = [_keys(build.resources) for build in builds]
    plain = _keys(written)
    counts = Counter(key for mine in keys for key in mine)
    repeated = plain | {key for key, count in counts.items() if count > 1}
    apart = [i for i, mine in enumerate(keys) if mine & repeated]
    together = [build for i, build in enumerate(builds) if i not in apart]
    common = (*written, *(one for build in together for one in build.resources))
    if not apart:
        return [Objects("", _once(common))]
    found = [Objects(WRITTEN, _once(common))] if any(keys[i] & plain for i in apart) else []
    for group in _groups(apart, builds, keys):
        own = [one for i in group for one in builds[i].resources]
        mine = frozenset().union(*(keys[i] for i in group))
        left = _without(common, mine)
        found.append(Objects(", ".join(builds[i].name for i in group), _once((*left, *own))))
    return found


def _keys(resources: Sequence[Resource]) -> frozenset[Key]:
    """The identities that only one build can have."""
    return frozenset(
        one.ref.key
        for one in resources
        if one.ref.kind not in _SHARED and not one.ref.name.endswith("*")
    )


def _groups(
    apart: Sequence[int], builds: Sequence[Build], keys: Sequence[frozenset[Key]]
) -> list[list[int]]:
    """Those that can be in one cluster and say so by one label."""
    groups: list[list[int]] = []
    for i in apart:
        for group in groups:
            alike = builds[group[0]].label == builds[i].label != ""
            if alike and not any(keys[i] & keys[at] for at in group):
                group.append(i)
                break
        else:
            groups.append([i])
    return groups


def _without(common: Sequence[Resource], keys: frozenset[Key]) -> list[Resource]:
    """The objects of the files that have none of `keys`: half a file is nobody's."""
    taken = {one.origin.uri for one in common if one.ref.key in keys}
    return [one for one in common if one.origin.uri not in taken]


def _once(resources: Sequence[Resource]) -> tuple[Resource, ...]:
    """Without what several builds bring along alike."""
    seen: dict[Key, Resource] = {}
    kept = []
    for one in resources:
        same = seen.setdefault(one.ref.key, one) if one.ref.kind in _SHARED else one
        if same is one or same.manifest != one.manifest or isinstance(one.origin.lines, Document):
            kept.append(one)
    return tuple(kept)
