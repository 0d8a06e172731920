"""What `auditor fix` neither writes nor shows, and why; to standard error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from auditor.cli.screen import say

if TYPE_CHECKING:
    from auditor.model import Audit, Finding

IsProven = Callable[["Finding"], bool]
MOST = 5
"""How many places of one policy are named in a line."""


def is_proven(finding: Finding) -> bool:
    """Whether its fix holds, and was written as edits of files."""
    return bool(finding.fix and finding.fix.proof.holds and finding.fix.edits)


def is_proven_live(finding: Finding) -> bool:
    """Whether its fix holds; of a live object there is no file to edit."""
    return bool(finding.fix and finding.fix.proof.holds and finding.fix.changes)


def say_nothing(answer: Audit, is_proven: IsProven) -> None:
    """Why there is nothing to fix: what is proven here was not wanted."""
    from auditor.reporters.words import counted

    total, proven = len(answer.open), sum(map(is_proven, answer.open))
    why = f"{counted(total, 'finding')}, none with a proven fix"
    if proven:
        have = "has a proven one" if proven == 1 else "have a proven one"
        why = f"no safe fix; {proven} of {counted(total, 'finding')} {have} that may change"
        why += " behaviour: --unsafe"
    say(f"nothing to fix: {why if total else 'no findings'}", err=True)


def say_left(
    answer: Audit, wanted: Sequence[Finding], is_proven: IsProven, clashing: Mapping[int, str]
) -> None:
    """What is left alone, a line for each policy and reason, and what is not known. `clashing` says
    by the `id` of a finding why its fix does not go together with those that are taken.
    """
    from auditor.reporters.gaps import heading

    taken = set(map(id, wanted))
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in answer.open:
        if id(finding) not in taken:
            why = clashing.get(id(finding)) or _why(finding, is_proven=is_proven(finding))
            key = (finding.policy.id, why)
            alike.setdefault(key, []).append(finding)
    for (policy, why), found in alike.items():
        say(f"left alone: {policy} {_places(answer, found)}: {why}", err=True)
    for gap in answer.gaps:
        if not gap.acknowledged:
            say(f"{heading(gap)}: {gap.what}: {gap.why}", err=True)


def say_end(answer: Audit, code: int, is_proven: IsProven, clashing: Mapping[int, str]) -> None:
    """Why the run ends so, in one line, where that is not with 0."""
    from auditor.cli.audit import counting
    from auditor.model import Severity
    from auditor.reporters.words import counted

    if code == 4:
        gaps = counted(counting(answer, strict=False), "gap")
        say(f"exit 4: {gaps}: something could not be seen", err=True)
    if code != 1:
        return
    found = [finding for finding in answer.open if finding.severity.at_least(Severity.HIGH)]
    apart = sum(id(finding) in clashing for finding in found)
    unsafe = sum(is_proven(finding) for finding in found if id(finding) not in clashing)
    none = len(found) - unsafe - apart
    parts = [f"{none} without a proven fix"] if none else []
    parts += [f"{apart} whose fixes do not go together with others"] if apart else []
    parts += [f"{unsafe} with a proven fix that may change behaviour (--unsafe)"] if unsafe else []
    left = f"{counted(len(found), 'finding')} of severity high or above"
    say(f"exit 1: {left} {'is' if len(found) == 1 else 'are'} left: {', '.join(parts)}", err=True)


def say_assumed(wanted: Sequence[Finding]) -> None:
    """What the fixes that are shown or written take for granted, and how to try them first."""
    from auditor.reporters.words import trials

    fixes = [finding.fix for finding in wanted if finding.fix]
    for finding in wanted:
        for assumed in finding.fix.proof.assumes if finding.fix else ():
            say(f"assumed: {finding.policy.id} {finding.ref}: {assumed}", err=True)
    for trial in dict.fromkeys(line for fix in fixes for line in trials(fix)):
        say(f"try it first: {trial}", err=True)


def _why(finding: Finding, *, is_proven: bool) -> str:
    from auditor.reporters.words import objections

    if is_proven:
        return "its fix may change behaviour (--unsafe)"
    if finding.fix:
        return "; ".join(objections(finding.fix)) or "its fix could not be proven"
    return "no fix is known"


def _places(answer: Audit, found: Sequence[Finding]) -> str:
    """The objects, the parts of them, and the lines; how many where there are several."""
    names = ", ".join(_place(answer, one) for one in found[:MOST])
    if len(found) == 1:
        return names
    more = f" and {len(found) - MOST} more" if len(found) > MOST else ""
    return f"in {len(found)} places: {names}{more}"


def _place(answer: Audit, finding: Finding) -> str:
    from auditor.reporters.places import place_of_finding

    part = f" '{finding.anchor}'" if finding.anchor else ""
    place = place_of_finding(answer.around(finding), finding)
    if place is None or place.resource.origin.live:
        return f"{finding.ref}{part}"
    return f"{finding.ref}{part} ({place.file}:{place.span.line})"
