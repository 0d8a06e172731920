"""Audits of the live cluster, kept from one request to the next.

A request changes one object; what it changes is all that should have to be judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from auditor.audit import Bench, Sitting, audit, audit_alone, audit_changed, changes
from auditor.facts import Facts, facts_of
from auditor.facts.catalogue import load
from auditor.fixes.case import Before
from auditor.manifests import mapping
from auditor.model import Audit, Finding, Manifest, Ref, Resource, Settings, Snapshot
from auditor.policies.kept import keep_for
from auditor.webhook.proposal import Proposal, proposal_of
from auditor.webhook.review import Review

COUNTERS = ("generation", "resourceVersion")
"""Of metadata: the server's own count of the changes to an object, which no fact reads."""


class Court:
    """Who judges. Belongs to one thread."""

    def __init__(self, bench: Bench, settings: Settings) -> None:
        self.keep = keep_for(bench.policies)
        """What of an object matters here: all else makes no difference to any answer."""
        self._bench = replace(bench, sitting=Sitting())
        self.settings = settings
        """What the user declared."""
        self._live: Audit | None = None
        self._seen = Snapshot(())
        """What the live audit is of, as it was given: equal to the snapshot of that, which may hold
        the object of a request in the place of the one that was told of afterwards.
        """
        self._supposed: tuple[Audit, Audit] | None = None
        """What was last supposed: an audit, and that of what would become of it."""
        self._nothing: Audit | None = None
        self._proposed: tuple[Review, Snapshot, Proposal | None] | None = None
        self._load()

    def _load(self) -> None:
        """Load now what an audit needs: no request has time for it."""
        load(fact for policy in self._bench.policies for fact in policy.facts)
        audit(Snapshot(()), self._bench, self.settings)

    @property
    def stands_alone(self) -> bool:
        """Whether no policy reads anything but its object: then no two requests can interfere."""
        return not any(policy.facts for policy in self._bench.policies)

    def prepare(self, snapshot: Snapshot, *, mending: bool = False) -> None:
        """Judge ahead what the judgement of any request will need; and, where that is wanted, its
        `mending`.
        """
        if mending or not self.stands_alone:
            self.live(snapshot)

    def whole(self, snapshot: Snapshot) -> Audit:
        """The audit of a small cluster, from scratch. Of none it is kept."""
        if snapshot.resources:
            return audit(snapshot, self._bench, self.settings)
        if self._nothing is None or not _is_followed(self._nothing.snapshot, snapshot):
            self._nothing = audit(snapshot, self._bench, self.settings)
        return self._nothing

    def proposal(self, review: Review, live: Snapshot) -> Proposal | None:
        """See `proposal_of`. The last one is kept.

        Raises:
            UndecidableError: the object is none.
        """
        known = self._proposed
        if known is None or known[0] is not review or known[1] is not live:
            known = review, live, proposal_of(review, live, self.settings.openings)
            self._proposed = known
        return known[2]

    def live(self, snapshot: Snapshot) -> Audit:
        """The audit of the live cluster: asked once for each state of it, and where we can,
        only about what changed since the last one. What was judged as it would be, and then came,
        is not judged once more.
        """
        if self._live is None or not _is_followed(self._seen, snapshot):
            self._live = audit(snapshot, self._bench, self.settings)
        elif self._seen is not snapshot:
            self._live = self._following(self._live, snapshot)
        self._seen = snapshot
        return self._live

    def _following(self, before: Audit, snapshot: Snapshot) -> Audit:
        changed = changes(self._seen, snapshot)
        supposed = self._supposed[1] if self._supposed and self._supposed[0] is before else None
        if supposed and _has_come(changed, before.snapshot, supposed, snapshot):
            return supposed
        after = _with(before.snapshot, changed, snapshot)
        if not _in_order(after, snapshot):  # all was told anew
            return audit(snapshot, self._bench, self.settings)
        return self.supposing(before, after, *changed)

    def supposing(self, before: Audit, after: Snapshot, *changed: Ref) -> Audit:
        """The audit of a cluster that differs from the one audited in `before` in these objects.

        Where each of them is judged as it was, and no fact tells the old state from the new one,
        it is the audit of before: its findings then point into the old state of the object.
        """
        if all(self._indifferent(before, before.snapshot.find(r), after.find(r)) for r in changed):
            facts = Facts(after, self.settings, facts_of(before.snapshot, self.settings))
            return replace(before, snapshot=facts.snapshot)
        found = audit_changed(before, after, changed, self._bench, self.settings)
        self._supposed = before, found
        return found

    def world(self, before: Audit) -> Before:
        """The world of an audit of ours, to try fixes in."""
        return Before(before, self._bench, self.settings)

    def _indifferent(self, before: Audit, old: Resource | None, new: Resource | None) -> bool:
        """Whether the object's new state changes nothing that is said of it or of others. Costs
        what the policies on this object cost.
        """
        if old is None or new is None or old.ref.key in before.snapshot.repeated:
            return False
        facts = facts_of(before.snapshot, self.settings)
        if not facts.same(replace(new, manifest=_counted_as(old.manifest, new.manifest))):
            return False
        alone = audit_alone(new, self._bench, facts)
        findings = (f for f in (*before.findings, *before.folded) if f.ref.key == old.ref.key)
        gaps = {gap for gap in before.gaps if gap.ref and gap.ref.key == old.ref.key}
        return _said(findings) == _said(alone.findings) and gaps == set(alone.gaps)


def _counted_as(old: Manifest, new: Manifest) -> Manifest:
    """The new state under the server's counters of the old one."""
    was, now = mapping(old.get("metadata")), mapping(new.get("metadata"))
    counters = {key: was[key] for key in COUNTERS if key in was}
    kept = {key: value for key, value in now.items() if key not in COUNTERS}
    return {**new, "metadata": {**kept, **counters}}


def _said(findings: Iterable[Finding]) -> Counter[tuple[str, str, frozenset[str]]]:
    return Counter((f.fingerprint, f.message, f.anchors) for f in findings)


def _is_followed(before: Snapshot, after: Snapshot) -> bool:
    """Whether they differ in nothing but their objects."""
    return (before.gaps, before.server) == (after.gaps, after.server)


def _with(before: Snapshot, changed: Sequence[Ref], after: Snapshot) -> Snapshot:
    """The snapshot of before, these objects as they are in the one after."""
    there = [found for ref in changed if (found := after.find(ref))]
    return before.replacing(*there, removing=[ref for ref in changed if not after.find(ref)])


def _in_order(one: Snapshot, other: Snapshot) -> bool:
    """Whether equal objects stand in the same row, each once: who is named first goes by that."""
    return list(one.by_key) == list(other.by_key) and len(other.by_key) == len(other.resources)


def _has_come(changed: Iterable[Ref], before: Snapshot, supposed: Audit, now: Snapshot) -> bool:
    """Whether the cluster `now` is what it was supposed to become when, `before`, these changed.
    Of an object with gaps, its place is told as well, which nobody supposed.
    """
    refs = {ref.key: ref for ref in changed}
    if {ref.key for ref in changes(before, supposed.snapshot)} != refs.keys():
        return False
    if any(gap.ref and gap.ref.key in refs for gap in supposed.gaps):
        return False
    if not _in_order(supposed.snapshot, now):
        return False
    pairs = ((supposed.snapshot.find(ref), now.find(ref)) for ref in refs.values())
    return all(
        one is other or (one and other and (one.ref, one.manifest) == (other.ref, other.manifest))
        for one, other in pairs
    )
