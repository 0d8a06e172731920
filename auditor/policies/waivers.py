"""Faults that somebody answers for: counted, shown, and no longer failing the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from auditor.model import Finding, Gap, Policy, Status, Unseen, Waiver


def waived(
    findings: Iterable[Finding], waivers: Sequence[Waiver], policies: Sequence[Policy]
) -> tuple[list[Finding], list[Gap]]:
    """The findings of `policies`, those that a waiver fits marked; and a gap for each waiver that
    has ended or that fits nothing. A waiver holds through the whole of its last day, UTC.
    """
    today = datetime.now(UTC).date().isoformat()
    live = [waiver for waiver in waivers if not waiver.until or waiver.until >= today]
    used: set[Waiver] = set()
    marked = []
    for finding in findings:
        fitting = [waiver for waiver in live if _fits(waiver, finding)]
        used.update(fitting)
        marked.append(_marked(finding, fitting[0]) if fitting else finding)
    return marked, [_idle(w, policies, ended=w not in live) for w in waivers if w not in used]


def _marked(finding: Finding, waiver: Waiver) -> Finding:
    return replace(finding, status=Status.WAIVED, reason=waiver.reason)


def _fits(waiver: Waiver, finding: Finding) -> bool:
    full = str(finding.ref)
    objects = (full, full.removesuffix(f"[{finding.ref.kind}]"))
    return _is_of(waiver, finding.policy) and any(_like(name, waiver.object) for name in objects)


def _is_of(waiver: Waiver, policy: Policy) -> bool:
    return any(_like(name, waiver.policy) for name in (policy.id, *policy.aliases))


def _like(name: str, pattern: str) -> bool:
    """Whether the pattern fits: ``*`` and ``?`` stand for others, brackets for themselves, since
    every object's name has some.
    """
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _idle(waiver: Waiver, policies: Sequence[Policy], *, ended: bool) -> Gap:
    if ended:
        why = f"it ended on {waiver.until}"
    elif any(_is_of(waiver, policy) for policy in policies):
        why = "it fits no finding: remove it"
    else:
        why = "no policy of this name was asked"
    return Gap(f"waiver of {waiver.policy} for {waiver.object}", why, Unseen.UNKNOWN)
