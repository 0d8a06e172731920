"""What is new, worse, resolved or still there between two reports, by fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from auditor.cli.baseline import accepted, anchors_of
from auditor.cli.decoded import Part
from auditor.model import Severity, Status, Unseen
from auditor.values import dataclass

if TYPE_CHECKING:
    from auditor.cli.sides import Side

INCOMPLETE = Unseen.INCOMPLETE.value
OBJECT = ("apiVersion", "kind", "namespace", "name")
"""What a report says of an object."""


@dataclass(frozen=True, slots=True)
class Row:
    """A finding of a report."""

    fingerprint: str
    policy: str
    severity: Severity
    ref: Mapping[str, str]
    message: str
    file: str | None
    line: int | None
    column: int | None
    status: Status
    evidence: tuple[tuple[str, frozenset[str]], ...]
    """Anchor and groups of each reason that has an anchor."""

    def worse_than(self, known: frozenset[str]) -> bool:
        """As `auditor.model.Finding.worse_than`."""
        return any(known.isdisjoint((anchor, *within)) for anchor, within in self.evidence)

    @property
    def rank(self) -> tuple[object, ...]:
        """The worst first, then by object and policy."""
        about = tuple(self.ref[key] for key in ("kind", "namespace", "name", "apiVersion"))
        return (self.severity.rank, *about, self.policy, self.message)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What happened between base and head. Each list has the worst first."""

    new: tuple[Row, ...]
    worse: tuple[Row, ...]
    """Known ones whose evidence is about more than it was."""
    resolved: tuple[Row, ...]
    doubtful: frozenset[str]
    """Fingerprints of resolved ones that might only be out of sight."""
    remaining: tuple[Row, ...]
    new_gaps: tuple[Mapping[str, str], ...]
    """What could be seen in base, and not in head."""
    closed_gaps: tuple[Mapping[str, str], ...]
    """What could not be seen in base: a new finding may have been there already."""

    @property
    def added(self) -> tuple[Row, ...]:
        """What a change is to blame for: the new ones and the worse ones that are open."""
        return tuple(row for row in (*self.new, *self.worse) if row.status is Status.OPEN)


def compare(base: Side, head: Side) -> Comparison:
    """The comparison of two states.

    Raises:
        ConfigError: one of them is no report of ours; with its name and the field.
    """
    parts = [Part(side.report, side.name) for side in (base, head)]
    before, after = map(rows, parts)
    gaps = [dict(map(_gap, part["gaps"].items())) for part in parts]
    seen, known = (anchors_of(f(base.report["findings"])) for f in (list, accepted))
    there = {row.fingerprint for row in after}
    new_gaps = [gap for key, gap in gaps[1].items() if key not in gaps[0]]
    resolved = [row for row in before if row.fingerprint not in there]
    fresh: list[Row] = []
    worse: list[Row] = []
    remaining: list[Row] = []
    for row in after:  # what was waived, and is no longer, is as new as what was not there
        there_before = known if row.status is Status.OPEN else seen
        if row.fingerprint not in there_before:
            fresh.append(row)
        else:
            is_worse = _is_worse(row, there_before[row.fingerprint])
            (worse if is_worse else remaining).append(row)
    return Comparison(
        new=_sorted(fresh),
        worse=_sorted(worse),
        resolved=_sorted(resolved),
        doubtful=frozenset(r.fingerprint for r in resolved if _is_hidden(r, new_gaps)),
        remaining=_sorted(remaining),
        new_gaps=tuple(new_gaps),
        closed_gaps=tuple(gap for key, gap in gaps[0].items() if key not in gaps[1]),
    )


def rows(report: Part) -> list[Row]:
    """The findings of a report.

    Raises:
        ConfigError: it is no report of ours.
    """
    return [_row(finding) for finding in report["findings"].items()]


def _row(finding: Part) -> Row:
    about = finding["object"]
    return Row(
        fingerprint=finding["fingerprint"].text(),
        policy=finding["policy"].text(),
        severity=finding["severity"].one_of(Severity),
        ref={key: about[key].text() for key in OBJECT},
        message=finding["message"].text(),
        file=finding["file"].text_or_none(),
        line=finding["line"].number_or_none(),
        column=finding["column"].number_or_none(),
        status=finding["status"].one_of(Status),
        evidence=tuple(_reasons(finding["evidence"])),
    )


def _reasons(evidence: Part) -> Iterator[tuple[str, frozenset[str]]]:
    for reason in evidence.items():
        anchor = reason["anchor"].text_or_none() if reason.has("anchor") else None
        within = reason["within"].items() if reason.has("within") else []
        groups = frozenset(group.text() for group in within)
        if anchor:
            yield anchor, groups


def _sorted(found: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(found, key=lambda row: row.rank))


def _is_worse(row: Row, known: frozenset[str] | None) -> bool:
    return known is not None and row.worse_than(known)


def _gap(gap: Part) -> tuple[tuple[str, str], Mapping[str, str]]:
    """What tells a gap from others, and what a comparison tells of it: the policy only where it is
    about one, and why somebody answers for it only where one does.
    """
    told = {key: gap[key].text() for key in ("what", "why", "severity")}
    more = ((key, gap[key].text_or_none()) for key in ("policy", "acknowledged") if gap.has(key))
    return (told["what"], told["severity"]), told | {key: said for key, said in more if said}


def _is_hidden(row: Row, gaps: Iterable[Mapping[str, str]]) -> bool:
    """Whether the finding may still be there, behind what can no longer be seen. A gap about a
    policy hides its findings alone; any other may hide whatever it likes, and so may one of an
    older report, which does not say what its gaps are about.
    """
    hiding = (gap for gap in gaps if gap["severity"] == INCOMPLETE)
    return any(gap.get("policy", row.policy) == row.policy for gap in hiding)
