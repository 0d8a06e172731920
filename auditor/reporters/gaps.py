"""Gaps as people read them: many that are alike, of a cluster that may not be listed say, are one
line. Programs are told each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from auditor.credentials import told
from auditor.model import About, Gap, Unseen
from auditor.reporters.words import counted

ALIKE = 5
"""So many gaps of one sort have a line each; more of them share one."""
NAMED = 5
"""So many of those are named in it."""
SORTS = frozenset((About.LIST, About.POLICY, About.CONTROL))
"""Of all others, each matters by itself."""


def gap_documents(gaps: Iterable[Gap]) -> list[dict[str, Any]]:
    """Each gap for programs, without the credentials that it may quote."""
    return [
        {"what": told(gap.what), "why": told(gap.why), "severity": gap.severity.value}
        | ({"acknowledged": told(gap.acknowledged)} if gap.acknowledged else {})
        for gap in gaps
    ]


DECLARED = frozenset((About.DECLARATION, About.MARK))
USELESS = "declared, and of no use"
"""The heading of waivers and acknowledgements that ended or fit nothing: all of that is known."""
HEADINGS = {
    Unseen.INCOMPLETE: "could not be seen",
    Unseen.UNKNOWN: "cannot be told from what was read",
}


def heading(gap: Gap) -> str:
    """Under which words people look for it."""
    return USELESS if gap.about in DECLARED else HEADINGS[gap.severity]


def sections(gaps: Iterable[Gap]) -> Iterator[tuple[str, list[Gap]]]:
    """The gaps that nobody answers for, by their heading, in the order of headings."""
    open_ = [gap for gap in gaps if not gap.acknowledged]
    for title in (*HEADINGS.values(), USELESS):
        if found := [gap for gap in open_ if heading(gap) == title]:
            yield title, found


def gap_lines(gaps: Iterable[Gap], names: str = "--format json") -> list[str]:
    """A line for each gap, or for many that are alike, in the order of the first. `names`: what
    names each of them.
    """
    sorts: dict[tuple[str, str], list[Gap]] = {}
    for gap in gaps:
        sorts.setdefault(_sort(gap), []).append(gap)
    return [line for alike in sorts.values() for line in _lines(alike, names)]


def _sort(gap: Gap) -> tuple[str, str]:
    """What is alike: lists, or policies, for which the same is said first; controls for which all
    of it is the same.
    """
    reason = gap.why if gap.about is About.CONTROL else gap.why.partition(":")[0]
    return (gap.about.value, reason) if gap.about in SORTS else (gap.what, gap.why)


def _lines(alike: Sequence[Gap], names: str) -> list[str]:
    if len(alike) <= ALIKE:
        return [f"{gap.what}: {gap.why}" for gap in alike]
    word, reason = _sort(alike[0])
    missing = [gap.what.removeprefix(f"{word} ").removeprefix("of ") for gap in alike]
    first = f"{', '.join(missing[:NAMED])} and {len(missing) - NAMED} more ({names} names each)"
    example = alike[0].why.removeprefix(reason).removeprefix(": ")
    one = f"; of {missing[0]}: {example}" if example else ""
    return [f"{counted(len(alike), word)}: {reason}: {first}{one}"]
