"""Decides about a request by asking what would be wrong with the cluster that it leads to.

Only what a request adds counts against it: a fault that was there before is the audit's business,
and denying on it would stop every controller that updates the object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from auditor.facts.network.enforcement import GAP
from auditor.manifests import mapping
from auditor.model import Audit, Finding, Gap, Known, Ref, Resource, Severity, Snapshot, Unseen
from auditor.sources.cluster import live_resource
from auditor.sources.kinds import KINDS, Kind
from auditor.sources.watch import same_manifest
from auditor.text import escaped
from auditor.webhook.court import Court
from auditor.webhook.review import Decision, Review, UndecidableError

WARNING_LENGTH = 200
"""Code points of one warning: the API server cuts at 256 once all together pass 4096."""
WARNINGS = 15
FINDINGS = 50
"""So many findings are named in a denial; the rest is counted."""
ANNOTATION_LENGTH = 2000
MAX_GENERATIONS = 8
"""CronJob, Job and Pod are three; operators add one or two."""
LIKE_THE_OBJECT = frozenset({"", "ephemeralcontainers", "resize"})
"""Subresources that carry, and change, the whole object."""

_KINDS = {(kind.group, kind.plural): kind for kind in KINDS}


class Mode(StrEnum):
    """What happens to a request that adds a fault."""

    DENY = "deny"
    WARN = "warn"
    AUDIT = "audit"


class CannotJudgeError(Exception):
    """We cannot answer, for no fault of the request: the operator's failurePolicy decides."""


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


def decide(review: Review, live: Snapshot, court: Court, mode: Mode, fail_on: Severity) -> Decision:
    """What to answer to `review` when the cluster is `live`.

    Raises:
        CannotJudgeError: in mode deny, where policies lack what they need to see.
        UndecidableError: the object is built so that it cannot be judged.
    """
    proposal = proposal_of(review, live)
    if proposal is None:
        return unjudged(review)
    if review.operation == "DELETE" and _ending(live, review.namespace):
        return Decision(allowed=True, annotations=(("not-judged", "the namespace is going away"),))
    before = _before(proposal, live, court)
    future = _after(proposal, before.snapshot)
    after = court.supposing(before, future, proposal.ref, *proposal.along)
    missed = unasked_policies(after)
    unasked = _told(missed)
    if unasked and mode is Mode.DENY:
        raise CannotJudgeError(unasked)
    # What enforces is nothing that the caller's object could tell, and nothing to refuse it for.
    unsure = _told([gap for gap in after.gaps if gap.what == GAP])
    known = {*before.gaps, *missed}
    unable = [g for g in after.gaps if g not in known and g.what != GAP]
    if told := _told([g for g in unable if g.severity is Unseen.INCOMPLETE]):
        raise UndecidableError(told)
    added = [f for f in added_findings(before, after) if f.severity.at_least(fail_on)]
    left = "; ".join(filter(None, (unasked, unsure)))
    notes = (("not-assessed", _annotation(left)),) if left else ()
    return _verdict(added, mode, notes)


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


def unjudged(review: Review) -> Decision:
    """Allowed, with a word for the audit log where somebody may have expected a judgement."""
    if review.subresource == "status":
        return Decision(allowed=True)
    return Decision(allowed=True, annotations=(("not-judged", _annotation(review.what)),))


def undecidable(mode: Mode, error: UndecidableError) -> Decision:
    """The answer to what the caller's own object makes impossible to judge."""
    text = escaped(f"auditor cannot judge this object: {error}")
    notes = (("undecidable", _annotation(str(error))),)
    if mode is Mode.DENY:
        return Decision(allowed=False, message=text, code=error.code, annotations=notes)
    warnings = (warning(text),) if mode is Mode.WARN else ()
    return Decision(allowed=True, warnings=warnings, annotations=notes)


def unasked_policies(audit: Audit) -> list[Gap]:
    """The policies that could not be asked because a list of objects is missing; less those on
    kinds that are not followed at all, since no request about them is judged.
    """
    followed = {kind.kind for kind in KINDS}
    names = {f"policy {p.id}" for p in audit.policies if followed.intersection(p.kinds)}
    return [g for g in audit.gaps if g.severity is Unseen.INCOMPLETE and g.what in names]


def added_findings(before: Audit, after: Audit) -> list[Finding]:
    """What is wrong after and was not before, or was less so.

    Findings are told apart by fingerprint. Where a policy gives two faults of an object the same
    one, a second fault is still new: they are counted. What was folded was there as well: a
    repaired template leaves it behind on the pods that it made, until they are replaced.
    """
    there = (*before.open, *before.folded)
    known, left = Known.of(there), Counter(finding.fingerprint for finding in there)
    told = {(finding.fingerprint, finding.message) for finding in there}
    added = []
    for finding in sorted(after.open, key=lambda f: (f.fingerprint, f.message) not in told):
        if left[finding.fingerprint] and finding in known:
            left[finding.fingerprint] -= 1
        else:
            added.append(finding)
    return added


def warning(text: str) -> str:
    """`text` as a warning that the API server passes on: it drops, without a word, any that
    holds a control character.
    """
    clean = escaped(text)
    return clean if len(clean) <= WARNING_LENGTH else clean[: WARNING_LENGTH - 1] + "…"


def _before(proposal: Proposal, live: Snapshot, court: Court) -> Audit:
    """The audit of the cluster until now. The request knows its object better than the watch."""
    audit, ref = court.live(live), proposal.ref
    seen = live.find(ref)
    if seen is proposal.before or _alike(seen, proposal.before):
        return audit
    return court.supposing(audit, _with(ref, proposal.before, live), ref)


def _alike(one: Resource | None, other: Resource | None) -> bool:
    return bool(one and other and same_manifest(one.manifest, other.manifest))


def _after(proposal: Proposal, before: Snapshot) -> Snapshot:
    if proposal.after is None:
        return before.replacing(removing=(proposal.ref, *proposal.along))
    return before.replacing(proposal.after)


def _with(ref: Ref, resource: Resource | None, snapshot: Snapshot) -> Snapshot:
    if resource is None:
        return snapshot.replacing(removing=[ref])
    return snapshot.replacing(resource)


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


def _ending(live: Snapshot, namespace: str) -> bool:
    """Whether the namespace is being deleted: what guards it goes together with what it guards,
    in an order that nobody chose, and denying would keep it from ever ending.
    """
    found = live.find(Ref("v1", "Namespace", "", namespace))
    return bool(found and mapping(found.manifest.get("metadata")).get("deletionTimestamp"))


def _told(gaps: Sequence[Gap]) -> str:
    return "; ".join(f"{gap.what}: {gap.why}" for gap in gaps)


def _verdict(added: Sequence[Finding], mode: Mode, notes: tuple[tuple[str, str], ...]) -> Decision:
    if not added:
        return Decision(allowed=True, annotations=notes)
    lines = [escaped(f"{f.policy.id} {f.ref}: {f.message}") for f in added]
    notes = (*notes, ("findings", _annotation("; ".join(lines))))
    if mode is Mode.DENY:
        text = "\n".join(_first(lines, FINDINGS))
        return Decision(allowed=False, message=text, annotations=notes)
    shown = _first(lines, WARNINGS) if mode is Mode.WARN else []
    return Decision(allowed=True, warnings=tuple(map(warning, shown)), annotations=notes)


def _first(lines: list[str], most: int) -> list[str]:
    left = len(lines) - most
    return lines if left <= 0 else [*lines[:most], f"and {left} more"]


def _annotation(text: str) -> str:
    return escaped(text)[:ANNOTATION_LENGTH]
