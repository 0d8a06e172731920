"""Judges a request: asks what would be wrong with the cluster that it leads to.

Only what a request adds counts against it: a fault that was there before is the audit's business,
and denying on it would stop every controller that updates the object. Knows no modes: what is to
become of a fault, `decide` knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field

from auditor.facts import facts_of
from auditor.facts.network.enforcement import GAP
from auditor.facts.workloads import GENERATIONS, chain, resources_by_uid
from auditor.known import Known
from auditor.manifests import mapping, sequence
from auditor.model import (
    Audit,
    Finding,
    Gap,
    Manifest,
    Policy,
    Ref,
    Resource,
    Snapshot,
    Unseen,
)
from auditor.sources.kinds import KINDS
from auditor.sources.watch import same_manifest
from auditor.values import dataclass
from auditor.webhook.court import Court
from auditor.webhook.proposal import Proposal
from auditor.webhook.review import Review

OWNERS = "ownerReferences"
"""How a gap begins that is of one policy, of all it says or `` on `` one object."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found out about a request."""

    added: tuple[Finding, ...] = ()
    """What would be wrong and was not, or was less so."""
    copied: tuple[Finding, ...] = ()
    """Of that, what the object of the request has in common with the one that it names as its
    controller: nothing new where that one really made it.
    """
    unasked: tuple[Gap, ...] = ()
    """The policies that lack a list of objects, whatever the request."""
    unsure: tuple[Gap, ...] = ()
    """What the cluster does not tell, and the findings hold with that reservation."""
    undecided: tuple[Gap, ...] = ()
    """What the object of the request makes impossible to judge."""
    policies: tuple[Policy, ...] = ()
    """Those who were to be asked."""
    after: Audit | None = field(default=None, compare=False, repr=False)
    """All that would be wrong; None where nobody was asked."""
    passed_over: str = ""
    """Why nobody was asked; empty where somebody was."""

    def policy_of(self, gap: Gap) -> Policy | None:
        """The policy that a gap is of."""
        return next((each for each in self.policies if each.id == gap.policy), None)


def judge(review: Review, live: Snapshot, court: Court) -> Judgement:
    """What `review` would add to the faults of the cluster that is `live`.

    Raises:
        UndecidableError: the object is none.
    """
    proposal = court.proposal(review, live)
    if proposal is None:
        return Judgement(passed_over=_told_of(review, live, court))
    if review.operation == "DELETE" and _ending(live, review.namespace):
        return Judgement(passed_over="the namespace is going away")
    if proposal.before and proposal.after and _same(proposal.before, proposal.after):
        return Judgement()
    both = _sides_apart if court.stands_alone else sides
    return compared(*both(proposal, live, court), proposal.ref)


def sides(proposal: Proposal, live: Snapshot, court: Court) -> tuple[Audit, Audit]:
    """The audits of the cluster as it is, and as the proposal would make it."""
    proposal = proposal.kept(court.keep)
    before = _before(proposal, live, court)
    future = _after(proposal, before.snapshot)
    return before, court.supposing(before, future, proposal.ref, *proposal.along)


def compared(before: Audit, after: Audit, ref: Ref) -> Judgement:
    """What the audit of the cluster as it would be tells beyond that of the cluster as it is, once
    the object of that name has changed.
    """
    unasked = unasked_policies(after)
    known = {*before.gaps, *unasked}
    new = [gap for gap in after.gaps if gap not in known and gap.what != GAP]
    copies = tuple(finding for finding in after.folded if finding.ref.key == ref.key)
    added = _added(before, (*after.open, *copies))
    return Judgement(
        added=tuple(finding for finding in added if finding not in copies),
        copied=tuple(finding for finding in added if finding in copies),
        unasked=tuple(unasked),
        # What enforces is nothing that the caller's object could tell, or be refused for.
        unsure=tuple(gap for gap in after.gaps if gap.what == GAP),
        undecided=tuple(gap for gap in new if gap.severity is Unseen.INCOMPLETE),
        policies=after.policies,
        after=after,
    )


def unasked_policies(audit: Audit) -> list[Gap]:
    """The policies that could not be asked because a list of objects is missing; less those on
    kinds that are not followed at all, since no request about them is judged.
    """
    followed = {kind.kind for kind in KINDS}
    ids = {policy.id for policy in audit.policies if followed.intersection(policy.kinds)}
    unasked = (gap for gap in audit.gaps if gap.severity is Unseen.INCOMPLETE and not gap.ref)
    return [gap for gap in unasked if gap.policy in ids]


def added_findings(before: Audit, after: Audit) -> list[Finding]:
    """What is wrong after and was not before, or was less so.

    Findings are told apart by fingerprint. Where a policy gives two faults of an object the same
    one, a second fault is still new: they are counted. What was folded was there as well: a
    repaired template leaves it behind on the pods that it made, until they are replaced.
    """
    return _added(before, after.open)


def _added(before: Audit, after: Iterable[Finding]) -> list[Finding]:
    there, after = _differing((*before.open, *before.folded), tuple(after))
    known, left = Known.of(there), Counter(finding.fingerprint for finding in there)
    told = {(finding.fingerprint, finding.message) for finding in there}
    added = []
    for finding in sorted(after, key=lambda f: (f.fingerprint, f.message) not in told):
        if left[finding.fingerprint] and finding in known:
            left[finding.fingerprint] -= 1
        else:
            added.append(finding)
    return added


def _differing(
    there: Sequence[Finding], after: Sequence[Finding]
) -> tuple[Sequence[Finding], Sequence[Finding]]:
    """The findings of both on objects of which they are not the very same ones."""
    one, other = {id(f) for f in there}, {id(f) for f in after}
    keys = {f.ref.key for f in there if id(f) not in other}
    keys |= {f.ref.key for f in after if id(f) not in one}
    return [f for f in there if f.ref.key in keys], [f for f in after if f.ref.key in keys]


def _before(proposal: Proposal, live: Snapshot, court: Court) -> Audit:
    """The audit of the cluster until now. The request knows its object better than the watch."""
    audit, ref = court.live(live), proposal.ref
    seen = live.find(ref)
    if seen is proposal.before or _alike(seen, proposal.before):
        return audit
    return court.supposing(audit, _with(ref, proposal.before, audit.snapshot), ref)


UNREAD = frozenset({"finalizers", "generation", "managedFields", "resourceVersion"})
"""Of metadata: what says nothing of what an object does."""


def _same(one: Resource, other: Resource) -> bool:
    """Whether two states of an object differ in nothing but what must never be held up, as the
    removal of a finalizer, or has an endpoint of its own, as status.
    """
    return _in_effect(one.manifest) == _in_effect(other.manifest)


def _in_effect(manifest: Manifest) -> Manifest:
    metadata = mapping(manifest.get("metadata"))
    kept = {key: value for key, value in metadata.items() if key not in UNREAD}
    return {**manifest, "metadata": kept, "status": None}


def _sides_apart(proposal: Proposal, live: Snapshot, court: Court) -> tuple[Audit, Audit]:
    """The same, of the object and of what made it alone, where copies of its faults are told. To
    policies that read nothing but their object, the rest makes no difference.
    """
    proposal = proposal.kept(court.keep)
    states = (proposal.before, proposal.after)
    # On both sides: else what made it would seem to come with it, and its faults with that.
    made = {r.ref.key: r for state in states if state for r in _above(state, live)}
    made.pop(proposal.ref.key, None)
    was, will_be = (court.whole(_apart(state, made.values(), live)) for state in states)
    return was, will_be


def _apart(resource: Resource | None, made: Iterable[Resource], live: Snapshot) -> Snapshot:
    """A cluster of this object and of what made it."""
    line = (*made,) if resource is None else (resource, *made)
    return Snapshot(line, live.gaps, live.server)


def _above(resource: Resource, live: Snapshot) -> Iterator[Resource]:
    """What claims to have made it, the nearest first; whether it did is for the audit to tell."""
    seen: Resource | None = resource
    for _ in range(GENERATIONS):
        claimed = sequence(mapping(mapping(seen and seen.manifest).get("metadata")).get(OWNERS))
        owners = [mapping(each) for each in claimed if mapping(each).get("controller") is True]
        if not owners:
            return
        version, kind, name = (
            str(owners[0].get(key, "")) for key in ("apiVersion", "kind", "name")
        )
        seen = live.find(Ref(version, kind, resource.ref.namespace, name))
        if seen is None:
            return
        yield seen


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


def _ending(live: Snapshot, namespace: str) -> bool:
    """Whether the namespace is being deleted: what guards it goes together with what it guards,
    in an order that nobody chose, and denying would keep it from ever ending.
    """
    found = live.find(Ref("v1", "Namespace", "", namespace))
    return bool(found and mapping(found.manifest.get("metadata")).get("deletionTimestamp"))


def _told_of(review: Review, live: Snapshot, court: Court) -> str:
    """What the audit log is told of a request that no policy speaks of. Who connects to a pod is
    past every network policy, and the log should say what is to be had there.
    """
    if review.operation != "CONNECT" or review.resource != "pods":
        return review.what
    data = _held_by(live.find(Ref("v1", "Pod", review.namespace, review.name)), live, court)
    return f"{review.what} of a pod that holds personal data ({data})" if data else review.what


def _held_by(pod: Resource | None, live: Snapshot, court: Court) -> str:
    if pod is None:
        return ""
    facts = facts_of(court.live(live).snapshot, court.settings)
    *_, top = pod, *chain(pod, resources_by_uid(facts.snapshot))
    workload = facts.by_key.get(top.ref.key)
    held = workload and facts.data.of(workload)
    return ", ".join(name.upper() for name in held.names) if held else ""
