"""Audits of the live cluster, kept from one request to the next.

A request changes one object; what it changes is all that should have to be judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from auditor.audit import Bench, audit, audit_alone, audit_changed
from auditor.facts import Facts
from auditor.facts.kept import Keep
from auditor.fixes.case import Before
from auditor.manifests import mapping
from auditor.model import Audit, Finding, Manifest, Policy, Ref, Resource, Settings, Snapshot
from auditor.policies.ours import is_ours

COUNTERS = ("generation", "resourceVersion")
"""Of metadata: the server's own count of the changes to an object, which no fact reads."""


class Court:
    """Who judges. Belongs to one thread."""

    def __init__(self, bench: Bench, settings: Settings) -> None:
        self.keep = keep_for(bench.policies)
        """What of an object matters here: all else makes no difference to any answer."""
        self._bench = bench
        self.settings = settings
        """What the user declared."""
        self._live: Audit | None = None
        self._facts = Facts(Snapshot(()), settings)

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
        """The audit of a cluster, from scratch."""
        return audit(snapshot, self._bench, self.settings)

    def live(self, snapshot: Snapshot) -> Audit:
        """The audit of the live cluster: asked once for each state of it, and where we can,
        only about what changed since the last one.
        """
        if self._live is None or snapshot.gaps != self._live.snapshot.gaps:
            self._live = audit(snapshot, self._bench, self.settings)
        elif self._live.snapshot is not snapshot:
            changed = changes(self._live.snapshot, snapshot)
            self._live = self.supposing(self._live, snapshot, *changed)
        return self._live

    def supposing(self, before: Audit, after: Snapshot, *changed: Ref) -> Audit:
        """The audit of a cluster that differs from the one audited in `before` in these objects.

        Where each of them is judged as it was, and no fact tells the old state from the new one,
        it is the audit of before: its findings then point into the old state of the object.
        """
        if all(self._indifferent(before, before.snapshot.find(r), after.find(r)) for r in changed):
            return replace(before, snapshot=after)
        return audit_changed(before, after, changed, self._bench, self.settings)

    def world(self, before: Audit) -> Before:
        """The world of an audit of ours, to try fixes in."""
        return Before(before, self._bench, self.settings)

    def _indifferent(self, before: Audit, old: Resource | None, new: Resource | None) -> bool:
        """Whether the object's new state changes nothing that is said of it or of others. Costs
        what the policies on this object cost.
        """
        if old is None or new is None or old.ref.key in before.snapshot.repeated:
            return False
        facts = self._facts_of(before.snapshot)
        if not facts.same(replace(new, manifest=_counted_as(old.manifest, new.manifest))):
            return False
        alone = audit_alone(new, self._bench, facts)
        findings = (f for f in (*before.findings, *before.folded) if f.ref.key == old.ref.key)
        gaps = {gap for gap in before.gaps if gap.ref and gap.ref.key == old.ref.key}
        return _said(findings) == _said(alone.findings) and gaps == set(alone.gaps)

    def _facts_of(self, snapshot: Snapshot) -> Facts:
        if self._facts.snapshot is not snapshot:
            self._facts = Facts(snapshot, self.settings)
        return self._facts


def keep_for(policies: Iterable[Policy]) -> Keep:
    """What of an object these policies and the facts read. What policies of others read, nobody
    knows: their kinds are kept whole.
    """
    return Keep(kind for each in policies if not is_ours(each.file) for kind in each.kinds)


def _counted_as(old: Manifest, new: Manifest) -> Manifest:
    """The new state under the server's counters of the old one."""
    was, now = mapping(old.get("metadata")), mapping(new.get("metadata"))
    counters = {key: was[key] for key in COUNTERS if key in was}
    kept = {key: value for key, value in now.items() if key not in COUNTERS}
    return {**new, "metadata": {**kept, **counters}}


def _said(findings: Iterable[Finding]) -> Counter[tuple[str, str, frozenset[str]]]:
    return Counter((f.fingerprint, f.message, f.anchors) for f in findings)


def changes(before: Snapshot, after: Snapshot) -> tuple[Ref, ...]:
    """The objects that were added, replaced or removed between two snapshots of one watcher,
    which keeps the very same value of whatever did not change.
    """
    old, new = before.by_key, after.by_key
    removed = [resource.ref for key, resource in old.items() if key not in new]
    return (*(r.ref for key, r in new.items() if old.get(key) is not r), *removed)
