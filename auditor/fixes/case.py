"""A fix in question: the world before it, what it changes, and the world after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from auditor.audit import Bench, audit_alone, audit_changed
from auditor.facts import Facts
from auditor.model import Audit, Change, Finding, Gap, Settings, TextEdit


@dataclass(frozen=True)
class Before:
    """The world before any fix: one for all proofs of an audit."""

    audit: Audit
    bench: Bench
    settings: Settings

    @cached_property
    def facts(self) -> Facts:
        """What can be said of it."""
        return Facts(self.audit.snapshot, self.settings)

    @cached_property
    def fingerprints(self) -> frozenset[str]:
        """Of everything found. Also of findings that are folded into others: a repaired template
        leaves them behind, until its pods are replaced.
        """
        return frozenset(f.fingerprint for f in (*self.audit.findings, *self.audit.folded))

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

    @property
    def facts(self) -> Facts:
        """What can be said of the world before."""
        return self.before.facts

    @cached_property
    def alone(self) -> bool:
        """Whether the fix changes nothing but one object, in what no fact reads."""
        return len(self.changes) == 1 and self.facts.same(self.changes[0].resource)

    @cached_property
    def after(self) -> Audit:
        """The audit of the cluster as it would be; where the fix changes one object alone, of
        that object.
        """
        changed = [change.resource for change in self.changes]
        if self.alone:
            return audit_alone(changed[0], self.before.bench, self.facts)
        snapshot = self.before.audit.snapshot.replacing(*changed)
        refs = [resource.ref for resource in changed]
        # A waiver that a fix makes superfluous is no doubt about the fix.
        settings = replace(self.before.settings, waivers=())
        return audit_changed(self.before.audit, snapshot, refs, self.before.bench, settings)

    @cached_property
    def facts_after(self) -> Facts:
        """What can be said of the cluster as it would be."""
        if self.alone:
            return self.facts
        return Facts(self.after.snapshot, self.before.settings)
