"""What is new, worse, resolved or still there between two reports, by fingerprint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from auditor.cli.baseline import accepted, anchors_of
from auditor.errors import ConfigError
from auditor.model import Severity, Status, Unseen

INCOMPLETE = Unseen.INCOMPLETE.value


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


def compare(base: Mapping[str, Any], head: Mapping[str, Any]) -> Comparison:
    """The comparison of two reports.

    Raises:
        ConfigError: one of them is no report of ours.
    """
    try:
        before, after = rows(base), rows(head)
        seen, known = (anchors_of(f(base["findings"])) for f in (list, accepted))
        gaps = [{_gap(gap): _known_keys(gap) for gap in report["gaps"]} for report in (base, head)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"a saved report is not whole: {error!r}") from error
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


def rows(report: Mapping[str, Any]) -> list[Row]:
    """The findings of a report."""
    return [_row(finding) for finding in report["findings"]]


def _row(finding: Mapping[str, Any]) -> Row:
    return Row(
        fingerprint=finding["fingerprint"],
        policy=finding["policy"],
        severity=Severity(finding["severity"]),
        ref=dict(finding["object"]),
        message=finding["message"],
        file=finding["file"],
        line=finding["line"],
        column=finding["column"],
        status=Status(finding["status"]),
        evidence=tuple(
            (reason["anchor"], frozenset(reason.get("within", ())))
            for reason in finding["evidence"]
            if reason.get("anchor")
        ),
    )


def _sorted(found: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(found, key=lambda row: row.rank))


def _is_worse(row: Row, known: frozenset[str] | None) -> bool:
    return known is not None and row.worse_than(known)


def _gap(gap: Mapping[str, str]) -> tuple[str, str]:
    return gap["what"], gap["severity"]


def _known_keys(gap: Mapping[str, str]) -> Mapping[str, str]:
    """What a comparison tells of a gap; why somebody answers for it only where one does."""
    told = {key: gap[key] for key in ("what", "why", "severity")}
    known = gap.get("acknowledged")
    return told | ({"acknowledged": known} if known else {})


def _is_hidden(row: Row, gaps: Iterable[Mapping[str, str]]) -> bool:
    """Whether the finding may still be there, behind what can no longer be seen. A gap that names
    a policy hides its findings alone; any other may hide whatever it likes.
    """
    for gap in gaps:
        if gap["severity"] != INCOMPLETE:
            continue
        policy = gap["what"].removeprefix("policy ").partition(" on ")[0]
        if not gap["what"].startswith("policy ") or policy == row.policy:
            return True
    return False
