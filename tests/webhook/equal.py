"""Compares two ways to the same verdict: the audit of a cluster, and the creation of each of its
objects in the cluster without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

import orjson

from auditor.audit import Bench
from auditor.facts.custom import OPENINGS
from auditor.model import Finding, Ref, Resource, Settings, Snapshot
from auditor.sources.kinds import ADMISSION, KINDS
from auditor.webhook.court import Court
from auditor.webhook.judgement import judge
from auditor.webhook.review import Review, UndecidableError, decode

Said = tuple[str, str, str, str]
"""Policy, object, anchor and message."""

_PLURALS = {(kind.group, kind.kind): kind.plural for kind in KINDS} | {
    (one.group, one.kind): f"{one.kind.lower()}s" for one in OPENINGS
}
_UNASKED = {(kind.group, kind.kind) for kind in ADMISSION}


@dataclass(frozen=True, slots=True)
class Difference:
    """An object about which the two do not say the same."""

    ref: Ref
    audit: tuple[Said, ...]
    """What the audit alone says."""
    admission: tuple[Said, ...]
    """What admission alone says."""
    why: str
    """The reason, where one is known; empty: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of it."""

    objects: int
    findings: int
    differences: tuple[Difference, ...]


def compared(snapshot: Snapshot, bench: Bench, settings: Settings) -> Compared:
    """What the two say of every object. A manifest waives nothing, and no fault is of a change."""
    court = Court(bench, replace(settings, inline=None, held={}, scope=None))
    audit = court.live(snapshot)
    said = _by_object(audit.open)
    differences, findings = [], 0
    for resource in snapshot.resources:
        wanted = _sendable(resource, said.get(resource.ref.key, frozenset()))
        findings += len(wanted)
        found = _sendable(resource, _admitted(resource, snapshot, court))
        if wanted != found:
            why = _why(resource, snapshot)
            alone = tuple(sorted(wanted - found)), tuple(sorted(found - wanted))
            differences.append(Difference(resource.ref, *alone, why))
    return Compared(len(snapshot.resources), findings, tuple(differences))


def _sendable(resource: Resource, said: frozenset[Said]) -> frozenset[Said]:
    """What can be said of a request as well: that has a namespace, where a file may name none."""
    if not _names_no_namespace(resource):
        return said
    return frozenset(each for each in said if each[0] not in OF_NAMESPACES)


OF_NAMESPACES = ("metadata/no_namespace", "metadata/default_namespace")
"""Policies about the namespace that an object names, or does not."""


def _admitted(resource: Resource, snapshot: Snapshot, court: Court) -> frozenset[Said]:
    review = creation(resource)
    if review is None:
        return frozenset()
    without = snapshot.replacing(removing=[resource.ref])
    try:
        judgement = judge(review, without, court)
    except UndecidableError as error:
        return frozenset([("undecidable", str(resource.ref), "", str(error))])
    return _by_object(judgement.added).get(resource.ref.key, frozenset())


def creation(resource: Resource) -> Review | None:
    """The request that would create it; None where the API server would not ask."""
    ref = resource.ref
    plural = _PLURALS.get((ref.group, ref.kind))
    if plural is None or (ref.group, ref.kind) in _UNASKED:
        return None
    version = ref.api_version.rpartition("/")[2]
    request = {
        "uid": "1",
        "kind": {"group": ref.group, "version": version, "kind": ref.kind},
        "resource": {"group": ref.group, "version": version, "resource": plural},
        "name": ref.name,
        "namespace": ref.namespace,
        "operation": "CREATE",
        "object": dict(resource.manifest),
    }
    envelope = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    return decode(orjson.dumps(envelope, default=str))


def _by_object(findings: Iterable[Finding]) -> dict[tuple[str, str, str, str], frozenset[Said]]:
    found: dict[tuple[str, str, str, str], set[Said]] = {}
    for each in findings:
        said = (each.policy.id, str(each.ref), each.anchor, each.message)
        found.setdefault(each.ref.key, set()).add(said)
    return {key: frozenset(said) for key, said in found.items()}


def _names_no_namespace(resource: Resource) -> bool:
    metadata = resource.manifest.get("metadata")
    named = metadata.get("namespace") if isinstance(metadata, dict) else None
    return not isinstance(named, str) or not named


REASONS: Mapping[str, Callable[[Resource, Snapshot], bool]] = {
    "an API that no server has any more": lambda r, _: r.ref.group == "extensions",
    "the API server asks no webhook about webhooks": lambda r, _: (
        (r.ref.group, r.ref.kind) in _UNASKED
    ),
    "a file may name no namespace, and is told so: a request always has one": lambda r, _: (
        r.ref.kind == "NetworkPolicy" and _names_no_namespace(r)
    ),
    "the webhook is not registered for its kind": lambda r, _: (
        (r.ref.group, r.ref.kind) not in _PLURALS
    ),
    "two manifests of one object: a cluster has one": lambda r, s: r.ref.key in s.repeated,
}
"""Why the two may differ, and when that holds."""


def _why(resource: Resource, snapshot: Snapshot) -> str:
    return next((why for why, holds in REASONS.items() if holds(resource, snapshot)), "")


def told(differences: Iterable[Difference]) -> Iterator[str]:
    """The differences without a reason, for people."""
    for each in differences:
        if not each.why:
            yield f"{each.ref}: audit alone {each.audit}, admission alone {each.admission}"


@cache
def everything() -> Bench:
    """Every policy of ours."""
    from tests.bench import bench

    return bench()
