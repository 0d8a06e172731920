"""What has to be so, and cannot be shown, for a fix to harm nobody.

A proof can only keep the flows that it knows. It knows all of them where the owner of the data says
who its clients are, or where it was observed over a stated time who asks whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.facts import Facts
from auditor.facts.network import Direction
from auditor.facts.workloads import Workload
from auditor.fixes.case import Case
from auditor.fixes.needs import is_wanted, observed

SHOWN = 20
"""Up to so many workloads of which the same is taken for granted are named each."""


def assumptions(case: Case) -> Iterator[str]:
    """What the fix takes for granted, a sentence each without full stop; none where it is safe."""
    unsaid: list[str] = []
    for was in case.concerned:
        now = case.facts_after.by_key.get(was.ref.key, was)
        if was.labels != now.labels:
            yield f"that all pods of {was.name} were replaced, so that they have the new label"
        if newly(case, was, now, "Ingress"):
            yield from _asked(case.facts, was)
            if case.facts.data.clients_of(was) is None and not window(case.facts):
                unsaid.append(was.name)
        if newly(case, was, now, "Egress"):
            yield from _asking(case.facts, was)
    yield from _unsaid(unsaid)


def _unsaid(names: Sequence[str]) -> Iterator[str]:
    """That all who ask are known, of those of whom nobody says it."""
    if len(names) > SHOWN:
        first = ", ".join(names[:3])
        yield (
            f"that nobody else needs one of {len(names):,} workloads ({first} and others): nobody"
            " says who their clients are"
        )
        return
    for name in names:
        yield f"that nobody else needs {name}: nobody says who its clients are"


def window(facts: Facts) -> str:
    """The time over which flows were observed, in words; empty where none is stated."""
    told = [
        f"{one.since} to {one.until}" for one in facts.settings.flows if one.since and one.until
    ]
    return " and ".join(told) if len(told) == len(facts.settings.flows) else ""


def newly(case: Case, was: Workload, now: Workload, direction: Direction) -> bool:
    """Whether policies isolate it, or may, and none surely did before."""
    before = case.facts.network.isolating(was, direction)
    return not before and bool(case.facts_after.network.isolating(now, direction, possibly=True))


def _asked(facts: Facts, target: Workload) -> Iterator[str]:
    """What is taken for granted of who asks the target."""
    for name, found in (facts.data.clients_of(target) or {}).items():
        if not found:
            yield f"that {name}, a declared client of {target.name} that is not here, is nowhere"
    for edge in observed(facts, target):
        source = edge.source
        if isinstance(source, Workload) and not is_wanted(facts, source, target):
            yield f"that {source.name}, which {edge.told} and is no declared client, may be cut off"


def _asking(facts: Facts, source: Workload) -> Iterator[str]:
    """What is taken for granted of whom the source asks: no declaration says that."""
    if not window(facts):
        yield (
            f"that {source.name} asks nobody but whom its configuration names: it was not observed"
            " over a stated time (--flows)"
        )
    for unread in facts.unread.get(source.ref.key, ()):
        yield f"that {source.name} is told of nobody else by {unread}, which was not read"
