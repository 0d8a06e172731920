"""The cluster as it would be with every proven fix in place: what a page shows as *after*."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.facts import Facts
from auditor.fixes.together import ClashError, merged
from auditor.model import Audit, Change, Fix, Snapshot
from auditor.reporters.words import counted
from auditor.values import dataclass

PATIENCE = 200
"""Of so many fixes that exclude each other, those that go together are looked for."""


@dataclass(frozen=True, slots=True)
class Remedied:
    """It, and what it is made of."""

    facts: Facts
    fixes: int
    left_out: int
    """Proven fixes that do not go together with the others."""

    @property
    def words(self) -> str:
        """What stands over it."""
        some = f", without {self.left_out} that do not go with them" if self.left_out else ""
        return f"with {counted(self.fixes, 'proven fix')}{some}"


def remedied(audit: Audit, before: Facts) -> Remedied | None:
    """None where no fix is proven, or none can be told from another."""
    found = [f.fix for f in audit.open if f.fix and f.fix.proof.holds and f.fix.changes]
    taken, changes = _fitting(before.snapshot, found)
    if not changes:
        return None
    after = before.snapshot.replacing(*(change.resource for change in changes))
    return Remedied(Facts(after, before.settings), len(taken), len(found) - len(taken))


def _fitting(snapshot: Snapshot, found: list[Fix]) -> tuple[list[Fix], tuple[Change, ...]]:
    """The fixes, or those of few that go together, the first of two that do not."""
    try:
        return found, merged(snapshot, found)
    except ClashError:
        return _one_by_one(snapshot, found) if len(found) <= PATIENCE else ([], ())


def _one_by_one(snapshot: Snapshot, found: Iterable[Fix]) -> tuple[list[Fix], tuple[Change, ...]]:
    taken: list[Fix] = []
    changes: tuple[Change, ...] = ()
    for fix in found:
        try:
            changes = merged(snapshot, [*taken, fix])
        except ClashError:
            continue
        taken.append(fix)
    return taken, changes
