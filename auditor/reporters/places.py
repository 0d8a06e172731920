"""Finds what a report points at: the object, the file, the region. Every reporter may know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from auditor.model import (
    Audit,
    Evidence,
    Finding,
    Lines,
    Path,
    Ref,
    Resource,
    Snapshot,
    Span,
    Spot,
    by_document,
)
from auditor.values import dataclass

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """A field of an object, and the region in which it is written."""

    resource: Resource
    path: Path
    span: Span
    file: str
    """The file as the user named it; for a live object a made-up path."""
    lines: Lines
    """What knows that file."""

    @property
    def text(self) -> str:
        """The whole text of the file, or "" where it is not at hand."""
        return text_of(self.lines)

    @property
    def is_whole(self) -> bool:
        """Whether the place of every value of the object in this text is known, so that each can
        be hidden.
        """
        told = getattr(self.lines, "is_whole", True)
        return bool(told) and self.file == self.resource.origin.uri


def place_of(snapshot: Snapshot, ref: Ref, path: Path) -> Place | None:
    """Where the field at `path` of that object stands, or None where the object is not known."""
    return _field(snapshot.find(ref), path)


def _field(resource: Resource | None, path: Path) -> Place | None:
    if resource is None:
        return None
    spot = resource.origin.spot(path)
    return Place(resource, path, spot.span, spot.uri, spot.lines)


def place_of_finding(snapshot: Snapshot, finding: Finding) -> Place | None:
    """Where the finding stands: in the object that was judged."""
    return _field(finding.resource or snapshot.find(finding.ref), finding.path)


def spot_of_finding(snapshot: Snapshot, finding: Finding) -> Spot | None:
    """The file and the region alone, for whoever asks for ten thousands."""
    resource = finding.resource or snapshot.find(finding.ref)
    return resource.origin.spot(finding.path) if resource else None


def place_of_evidence(snapshot: Snapshot, finding: Finding, evidence: Evidence) -> Place | None:
    """Where a reason stands. Without an object of its own it is a field of the finding's object;
    without a path either it has no place.
    """
    if evidence.ref:
        return place_of(snapshot, evidence.ref, evidence.path)
    if not evidence.path:
        return None
    return _field(finding.resource or snapshot.find(finding.ref), evidence.path)


def locate(audit: Audit) -> None:
    """Find the places of all findings, one document after the other. A report asks for them in
    another order, and the trees of all documents at once would take too much room.
    """
    known: set[tuple[int, Path]] = set()
    for finding in by_document(audit.findings):
        found = (id(finding.resource), finding.path)  # many findings stand at one place
        if found not in known or finding.resource is None:
            known.add(found)
            place_of_finding(audit.snapshot, finding)
        for evidence in finding.evidence:
            place_of_evidence(audit.snapshot, finding, evidence)


def text_of(lines: Lines | None) -> str:
    """The whole text that `lines` tell places of, or "" where they do not keep it."""
    return str(getattr(lines, "text", ""))


@lru_cache(maxsize=4)
def lines_of(text: str) -> list[str]:
    """The lines of a text without their ends; a report asks for the same few files many times."""
    return text.split("\n")


def worst_first(findings: tuple[Finding, ...]) -> list[Finding]:
    """By severity; findings of one severity stay in the order of the audit."""
    return sorted(findings, key=lambda finding: finding.severity.rank)


def dotted(path: Path) -> str:
    """A path as `kubectl explain` writes it, with indices and odd keys in brackets."""
    return "".join(_dotted(path)).removeprefix(".")


def _dotted(path: Path) -> Iterator[str]:
    for step in path:
        if isinstance(step, int):
            yield f"[{step}]"
        else:
            yield f".{step}" if _WORD.match(step) else f"['{step}']"


def pointer(path: Path) -> str:
    """A path as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
