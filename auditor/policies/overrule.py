"""What becomes of findings and gaps once everybody who answers for some was heard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from auditor.declared import Inline
from auditor.model import Finding, Gap, Settings, Snapshot, Status, Waiver
from auditor.policies.foreign import foreign_marks
from auditor.policies.inline import Mark, marked_inline, marks
from auditor.policies.waivers import Looked, acknowledged, waived


def overruled(
    snapshot: Snapshot,
    findings: Sequence[Finding],
    gaps: Sequence[Gap],
    looked: Looked,
    settings: Settings,
) -> tuple[list[Finding], list[Gap], tuple[Waiver, ...]]:
    """The findings with their status; the gaps, with those that waivers of no use add; and the
    waivers that the audited change adds, none of which counts.

    The central configuration comes first; a mark in a manifest counts only where it lets it.
    """
    told, idle = waived(findings, settings.waivers, looked)
    more: list[Gap] = []
    added = settings.added
    if settings.inline is not None:
        counted, new = _sorted(all_marks(snapshot, looked, settings.inline), settings.inline)
        told, more = marked_inline(told, counted, settings, settings.inline)
        added += tuple(mark.written for mark in new)
    if settings.policy_set:
        told = [_upcoming(finding, settings.policy_set) for finding in told]
    all_gaps = [*gaps, *idle, *more]
    return told, acknowledged(all_gaps, settings.acknowledged, whole=looked.whole), added


def all_marks(snapshot: Snapshot, looked: Looked, inline: Inline) -> Iterator[Mark]:
    """Every waiver in the manifests of the snapshot: ours, and those of the tools to honour."""
    yield from marks(snapshot, looked.asked, looked.known)
    yield from foreign_marks(snapshot, looked.asked, inline)


def _sorted(found: Iterable[Mark], inline: Inline) -> tuple[list[Mark], list[Mark]]:
    """The marks that were there before the change, and those that it adds."""
    old: list[Mark] = []
    new: list[Mark] = []
    for mark in found:
        known = inline.accepted is None or mark.identify() in inline.accepted
        (old if known else new).append(mark)
    return old, new


def _upcoming(finding: Finding, pinned: int) -> Finding:
    """A policy that is newer than the pinned set warns, and fails nothing yet."""
    if finding.policy.since > pinned and finding.status is Status.OPEN:
        return replace(finding, status=Status.UPCOMING)
    return finding
