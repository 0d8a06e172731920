"""A fix in question: the world before it, what it changes, and the world after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property

from auditor.audit import Bench, Docket, audit_alone, audit_changed, docket
from auditor.facts import Facts, facts_of
from auditor.facts.workloads import Workload
from auditor.known import Known
from auditor.model import Audit, Change, Finding, Gap, Key, Settings, TextEdit, Unseen
from auditor.values import dataclass


@dataclass(frozen=True)
class Before:
    """The world before any fix: one for all proofs of an audit."""

    audit: Audit
    bench: Bench
    settings: Settings

    @cached_property
    def facts(self) -> Facts:
        """What can be said of it."""
        return facts_of(self.audit.snapshot, self.settings)

    @cached_property
    def edges(self) -> tuple[tuple[Key, Key], ...]:
        """Who asks whom."""
        from auditor.fixes.certificates.numbers import edges_of

        return edges_of(self.facts)

    @cached_property
    def docket(self) -> Docket:
        """Which policies are asked about it."""
        return docket(self.bench, self.audit.snapshot)

    @cached_property
    def known(self) -> Known:
        """Everything found. Also what is folded into other findings: a repaired template leaves
        that behind, until its pods are replaced.
        """
        return Known.of((*self.audit.findings, *self.audit.folded, *self.audit.beyond))

    @cached_property
    def told(self) -> frozenset[tuple[str, Key]]:
        """Which policy found something on which object."""
        found = (*self.audit.findings, *self.audit.folded, *self.audit.beyond)
        return frozenset((finding.policy.id, finding.ref.key) for finding in found)

    @cached_property
    def gaps(self) -> frozenset[Gap]:
        """Everything that could not be seen."""
        return frozenset(self.audit.gaps)


@dataclass(frozen=True)
class Case:
    """A finding, what a fix would change, and the world before and after."""

    before: Before
    finding: Finding
    changes: tuple[Change, ...]
    edits: tuple[TextEdit, ...]
    unwritten: str
    """Why the changes could not be written as edits of the user's files; empty where they were."""
    joint: Audit | None = None
    """The audit of the cluster with this fix and others with which it was tried, where it was."""

    @property
    def facts(self) -> Facts:
        """What can be said of the world before."""
        return self.before.facts

    @cached_property
    def alone(self) -> bool:
        """Whether the fix changes nothing but one object, in what no fact reads."""
        return (
            not self.joint and len(self.changes) == 1 and self.facts.same(self.changes[0].resource)
        )

    @cached_property
    def after(self) -> Audit:
        """The audit of the cluster as it would be; where the fix changes one object alone, of
        that object.
        """
        if self.joint:
            return self.joint
        changed = [change.resource for change in self.changes]
        if self.alone:
            before = self.before
            return audit_alone(changed[0], before.bench, self.facts, before.docket)
        snapshot = self.before.audit.snapshot.replacing(*changed)
        refs = [resource.ref for resource in changed]
        bench = self.before.bench
        return audit_changed(self.before.audit, snapshot, refs, bench, self._settings_after)

    @property
    def _settings_after(self) -> Settings:
        """A waiver that a fix makes superfluous is no doubt about the fix; nor are the pods that a
        template has left behind, which a scope would tell on the template.
        """
        return replace(self.before.settings, waivers=(), inline=None, acknowledged=(), scope=None)

    @cached_property
    def concerned(self) -> tuple[Workload, ...]:
        """The workloads that it rewrites, and those that NetworkPolicies which it changes select,
        or may, before or after: as they are before it.
        """
        changed = [change.resource.ref.key for change in self.changes]
        found = set(changed)
        for facts in (self.facts, self.facts_after):
            for key in changed:
                for way in ("Ingress", "Egress"):
                    found.update(one.ref.key for one in facts.selected.get((key, way), ()))
        return tuple(one for one in self.facts.workloads if one.ref.key in found)

    def unseen(self, kinds: Iterable[str]) -> Iterator[str]:
        """What could not be seen and may have been of one of these kinds, a sentence each."""
        wanted = {*kinds, "*"}
        for gap in self.before.audit.snapshot.gaps:
            if gap.severity is Unseen.INCOMPLETE and wanted.intersection(gap.kinds):
                yield f"{gap.what} could not be seen: {gap.why}"

    @cached_property
    def facts_after(self) -> Facts:
        """What can be said of the cluster as it would be."""
        if self.alone:
            return self.facts
        return facts_of(self.after.snapshot, self._settings_after)
