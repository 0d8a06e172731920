"""One answer about several states in which a cluster may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.model import About, Audit, Evidence, Finding, Fix, Gap, Snapshot, Status
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.audit import Bench
    from auditor.model import Settings
    from auditor.reporters.view import State
    from auditor.sources.variants import Variant

MOST = 3
"""How many variants are named in one sentence."""
"""How gaps about what somebody said to no effect begin."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The audit of each variant, under its name."""

    each: tuple[tuple[str, Audit], ...]

    @classmethod
    def of(cls, variants: Sequence[Variant], bench: Bench, settings: Settings) -> Answers:
        """Every variant judged for itself. What the first one has in common with another is not
        judged twice, where no policy on it reads the rest of the cluster.
        """
        from auditor.audit import audit, audit_changed

        first, *rest = variants
        before = audit(first.snapshot, bench, settings)
        found = [(first.name, before)]
        known = {id(one) for one in first.snapshot.resources}
        for variant in rest:
            new = [r.ref for r in variant.snapshot.resources if id(r) not in known]
            once = not before.snapshot.repeated and not variant.snapshot.repeated
            if once:
                answer = audit_changed(before, variant.snapshot, new, bench, settings)
            else:
                answer = audit(variant.snapshot, bench, settings)
            found.append((variant.name, answer))
        return cls(tuple(found))

    def changed(self, change: Callable[[Audit], Audit]) -> Answers:
        """With the audit of each variant as `change` leaves it."""
        return Answers(tuple((name, change(audit)) for name, audit in self.each))

    def fixed(self, bench: Bench, settings: Settings) -> Answers:
        """With the fixes of every variant; those of what is built in the files it is built from."""
        from auditor.fixes.at_source import fixed_at_source
        from auditor.fixes.offer import with_fixes

        offered = self.changed(lambda one: with_fixes(one, bench, settings))
        audits = fixed_at_source([audit for _, audit in offered.each], bench, settings)
        names = [name for name, _ in self.each]
        return Answers(tuple(zip(names, audits, strict=True)))

    def states(self, settings: Settings) -> tuple[State, ...]:
        """Each variant, for a report that draws it."""
        from auditor.reporters.view import State

        return tuple(State(name, audit, settings) for name, audit in self.each)

    def merged(self) -> Audit:
        """One audit: what several variants have alike is said once, with the variants named where
        not all have it.

        Findings are alike that have one policy, object, anchor and place in the files. A fix is
        as good as it is in the variant where it is worst.
        """
        if len(self.each) == 1:
            return self.each[0][1]
        audits = [audit for _, audit in self.each]
        resources = {id(one): one for audit in audits for one in audit.snapshot.resources}
        gaps = tuple(self._gaps())
        first = audits[0]
        return replace(
            first,
            snapshot=Snapshot(tuple(resources.values()), gaps, first.snapshot.server),
            findings=tuple(self._findings(lambda audit: audit.findings)),
            folded=tuple(self._findings(lambda audit: audit.folded)),
            beyond=tuple(self._findings(lambda audit: audit.beyond)),
            outside=self._outside(),
            gaps=gaps,
            judged=self._judged(),
            added=tuple(dict.fromkeys(one for audit in audits for one in audit.added)),
            workloads=tuple(dict.fromkeys(ref for audit in audits for ref in audit.workloads)),
            unclassified=tuple(
                dict.fromkeys(ref for audit in audits for ref in audit.unclassified)
            ),
        )

    def _judged(self) -> int:
        """How many objects met a policy, those that several variants share once."""
        kinds = {kind for _, audit in self.each for p in audit.policies for kind in p.kinds}
        found = {id(one): one for _, audit in self.each for one in audit.snapshot.resources}
        return sum(one.ref.kind in kinds for one in found.values())

    def _outside(self) -> int:
        """How many objects no variant has within the scope, those that several share once."""
        from auditor.scope.territory import Territory

        found: dict[int, bool] = {}
        for _, audit in self.each:
            territory = Territory(audit.snapshot, audit.scope)
            for one in audit.snapshot.resources:
                found[id(one)] = found.get(id(one), False) or territory.holds(one)
        return list(found.values()).count(False)

    def _findings(self, of: Callable[[Audit], tuple[Finding, ...]]) -> Iterator[Finding]:
        alike: dict[tuple[object, ...], list[tuple[str, Finding]]] = {}
        for name, audit in self.each:
            for finding in of(audit):
                whole = replace(finding, within=audit.snapshot)
                alike.setdefault(_cause(finding), []).append((name, whole))
        merged = [self._finding(same) for same in alike.values()]
        yield from sorted(merged, key=lambda finding: finding.severity.rank)

    def _finding(self, same: list[tuple[str, Finding]]) -> Finding:
        shown = min((finding for _, finding in same), key=_openness)
        names = list(dict.fromkeys(name for name, _ in same))
        if len(names) == len(self.each):
            return shown
        only = Evidence(f"only {_in(names, len(self.each))}")
        return replace(shown, evidence=(*shown.evidence, only))

    def _gaps(self) -> Iterator[Gap]:
        alike: dict[Gap, list[str]] = {}
        for name, audit in self.each:
            for gap in audit.gaps:
                alike.setdefault(gap, []).append(name)
        for gap, found in alike.items():
            names = list(dict.fromkeys(found))
            if len(names) == len(self.each):
                yield gap
            elif gap.about is not About.DECLARATION:  # what fits in another variant is not idle
                yield replace(gap, why=f"{gap.why} ({_in(names, len(self.each))})")


def _cause(finding: Finding) -> tuple[object, ...]:
    """What findings have in common that one change of the files resolves."""
    resource = finding.resource
    spot = resource.origin.spot(finding.path) if resource else None
    place = (spot.uri, spot.span) if spot else finding.path
    return (finding.policy.id, finding.ref.key, finding.anchor, place)


def _openness(finding: Finding) -> tuple[bool, bool]:
    """Sorts what asks for something before what does not, and fixes that fail before others."""
    return finding.status is not Status.OPEN, _holds(finding.fix)


def _holds(fix: Fix | None) -> bool:
    return fix is not None and fix.proof.holds


def _in(names: Sequence[str], of: int) -> str:
    """Some variants of all, as people write them."""
    shown = ", ".join(names[:MOST])
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"in {len(names)} of {of} variants: {shown}{more}"
