"""Faults and gaps that somebody answers for: counted, shown, and no longer failing the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from auditor.declared import Acknowledgement
from auditor.model import About, Finding, Gap, Key, Policy, Ref, Status, Unseen, Waiver
from auditor.policies.statements import today
from auditor.values import dataclass


@dataclass(frozen=True, slots=True)
class Looked:
    """How far the audit looked: what nobody looked at says nothing about a waiver."""

    asked: Sequence[Policy]
    """The policies that could be asked."""
    known: Sequence[Policy] = ()
    """All that there are; empty where that is not known."""
    refs: frozenset[Ref] | None = None
    """The objects that were read; None where that is not known."""
    failed: frozenset[tuple[str, Key]] = frozenset()
    """Policy and object of each question that got no answer."""
    whole: bool = True
    """Whether every object that may be meant was read."""


def waived(
    findings: Iterable[Finding], waivers: Sequence[Waiver], looked: Looked
) -> tuple[list[Finding], list[Gap]]:
    """The findings, those that a waiver fits marked; and a gap for each waiver that has ended, or
    that fits nothing of what was looked at. A waiver holds through the whole of its last day, UTC.
    """
    day = today().isoformat()
    live = [waiver for waiver in waivers if not waiver.until or waiver.until >= day]
    used: set[Waiver] = set()
    marked = list(findings)
    for number, finding in enumerate(marked if live else ()):
        fitting = [waiver for waiver in live if _fits(waiver, finding)]
        used.update(fitting)
        if fitting:
            marked[number] = _marked(finding, fitting[0])
    idle = [(waiver, _idle(waiver, looked, live)) for waiver in waivers if waiver not in used]
    return marked, [_gap(waiver, why) for waiver, why in idle if why]


def _marked(finding: Finding, waiver: Waiver) -> Finding:
    return replace(finding, status=Status.WAIVED, reason=waiver.reason, waiver=waiver)


def _fits(waiver: Waiver, finding: Finding) -> bool:
    if waiver.anchor and not like(finding.anchor, waiver.anchor):
        return False
    return _is_of(waiver, finding.policy) and _is_about(waiver, finding.ref)


def _is_about(waiver: Waiver, ref: Ref) -> bool:
    full = str(ref)
    return any(like(n, waiver.object) for n in (full, full.removesuffix(f"[{ref.kind}]")))


def _is_of(waiver: Waiver, policy: Policy) -> bool:
    return any(like(name, waiver.policy) for name in policy.names)


def like(name: str, pattern: str) -> bool:
    """Whether the pattern fits: ``*`` and ``?`` stand for others, brackets for themselves, since
    every object's name has some.
    """
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _gap(waiver: Waiver, why: str) -> Gap:
    where = f" ({waiver.origin})" if waiver.origin else ""
    about = f"{waiver.object}, {waiver.anchor}" if waiver.anchor else waiver.object
    return _of_declaration(f"waiver of {waiver.policy} for {about}{where}", why)


def _idle(waiver: Waiver, looked: Looked, live: Sequence[Waiver]) -> str:
    """What is wrong with a waiver that was of no use; empty where it may be of use elsewhere."""
    if waiver not in live:
        return f"it ended on {waiver.until}"
    asked = [policy for policy in looked.asked if _is_of(waiver, policy)]
    if asked:
        return _unused(waiver, asked, looked)
    if any(_is_of(waiver, policy) for policy in looked.known):
        return ""
    return "there is no such policy" if looked.known else "no policy of this name was asked"


def _unused(waiver: Waiver, asked: Sequence[Policy], looked: Looked) -> str:
    useless = "it fits no finding: remove it"
    if looked.refs is None:
        return useless
    about = [ref for ref in looked.refs if _is_about(waiver, ref)]
    if not about:
        return "there is no such object: remove it" if looked.whole else ""
    failed = any((policy.id, ref.key) in looked.failed for policy in asked for ref in about)
    return "" if failed else useless


def acknowledged(
    gaps: Sequence[Gap], entries: Sequence[Acknowledgement], *, whole: bool = True
) -> list[Gap]:
    """The gaps, those that somebody answers for marked; and one more for each entry that has
    ended, or that fits no gap though the `whole` was asked for.
    """
    day = today().isoformat()
    live = [entry for entry in entries if not entry.until or entry.until >= day]
    used: set[Acknowledgement] = set()
    marked = []
    for gap in gaps:
        fitting = [entry for entry in live if _answers(entry, gap)]
        used.update(fitting)
        marked.append(replace(gap, acknowledged=fitting[0].reason) if fitting else gap)
    idle = [entry for entry in entries if entry not in used]
    told = [e for e in idle if e not in live or (whole and _was_asked(e, gaps))]
    return [*marked, *(_of_no_use(entry, live) for entry in told)]


def _was_asked(entry: Acknowledgement, gaps: Sequence[Gap]) -> bool:
    """Whether such a gap could have come up: those of controls do where a framework was asked."""
    controls = entry.gap.startswith("control ")
    return not controls or any(gap.about is About.CONTROL for gap in gaps)


def _answers(entry: Acknowledgement, gap: Gap) -> bool:
    return like(gap.what, entry.gap) and (not entry.why or like(gap.why, entry.why))


def _of_no_use(entry: Acknowledgement, live: Sequence[Acknowledgement]) -> Gap:
    where = f" ({entry.origin})" if entry.origin else ""
    why = "it fits no gap: remove it" if entry in live else f"it ended on {entry.until}"
    return _of_declaration(f"acknowledgement of {entry.gap}{where}", why)


def _of_declaration(what: str, why: str) -> Gap:
    return Gap(what, why, Unseen.UNKNOWN, about=About.DECLARATION)
