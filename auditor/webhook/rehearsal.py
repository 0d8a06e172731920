"""Answers reviews that were recorded: what would have been said, and nothing is held up."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import orjson

from auditor.declared import Admission
from auditor.errors import NothingToAuditError, UsageError
from auditor.model import Finding, Snapshot
from auditor.values import dataclass
from auditor.webhook.court import Court
from auditor.webhook.decide import CannotJudgeError, Found, considered, undecidable
from auditor.webhook.proposal import Proposal, proposal_of
from auditor.webhook.review import Decision, RejectedError, Review, UndecidableError, decode

Verdict = Literal["deny", "warn", "audit", "pass", "fail"]
"""deny, warn, audit: what it came to; pass: nothing was said; fail: it could not be judged, and the
operator's failurePolicy decides.
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A review as it came over the wire."""

    origin: str
    """The file, and the line where it has several."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """What would be answered to it."""

    origin: str
    what: str
    """``CREATE pods shop/web``."""
    verdict: Verdict
    found: Found = ()
    """The findings that count, with what becomes of each."""
    why: str = ""
    """Where it is not for findings: what could not be judged, or was not."""

    @property
    def said(self) -> frozenset[tuple[str, str]]:
        """What becomes of which finding, to compare two answers by."""
        told = {(str(mode), line(finding)) for mode, finding in self.found}
        return frozenset(told or {(self.verdict, self.why)})


def line(finding: Finding) -> str:
    """A finding in the words of a denial."""
    return f"{finding.policy.id} {finding.ref}: {finding.message}"


def recorded(named: Iterable[Path]) -> Iterator[Recorded]:
    """The reviews in these files and folders, in their order: each file one AdmissionReview, or one
    in each line; ``-`` is standard input. One may stand in the `body` of a record of its HTTP
    request.

    Raises:
        NothingToAuditError: a folder has no such file.
        UsageError: a file cannot be read, or has something else in it.
    """
    for path in named:
        for file in _files(path):
            name = "standard input" if str(file) == "-" else str(file)
            try:
                text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
            except OSError as error:
                raise UsageError(f"{name}: cannot be read: {error.strerror}") from error
            yield from _of_file(name, text)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if found := sorted(path.glob("*.json*")):
        return found
    raise NothingToAuditError(f"no recorded review in {path} (looked at *.json and *.jsonl)")


def _of_file(file: str, text: bytes) -> Iterator[Recorded]:
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if not text.strip():
            raise UsageError(f"{file}: is empty, and no AdmissionReview") from error
        if text.strip().count(b"\n") == 0:
            raise UsageError(f"{file}: is no JSON: {error.msg}") from error
        for number, one in enumerate(text.splitlines(), 1):
            if one.strip():
                yield _of_line(f"{file}:{number}", one)
    else:
        yield Recorded(file, _body(file, whole))


def _of_line(origin: str, text: bytes) -> Recorded:
    try:
        return Recorded(origin, _body(origin, orjson.loads(text)))
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{origin}: is no JSON: {error.msg}") from error


def _body(origin: str, document: Any) -> bytes:
    if isinstance(document, dict) and isinstance(document.get("body"), dict):
        document = document["body"]
    if not isinstance(document, dict) or document.get("kind") != "AdmissionReview":
        raise UsageError(f"{origin}: is no AdmissionReview")
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise UsageError(f"{origin}: cannot be read: it is nested too deep") from error


def rehearsed(
    reviews: Iterable[Recorded], live: Snapshot, court: Court, terms: Admission
) -> Iterator[Answered]:
    """What would be answered to each, one after the other. They happened, whatever we say of them:
    the cluster changes with every one that was no dry run.

    Raises:
        UsageError: one of them is no review.
    """
    for each in reviews:
        try:
            review = decode(each.body)
        except RejectedError as error:
            raise UsageError(f"{each.origin}: {error}") from error
        except UndecidableError as error:
            yield _answered(each.origin, "", undecidable(terms.strictest(), error), ())
            continue
        yield _asked(each.origin, review, live, court, terms)
        if not review.dry_run:
            live = _happened(review, live, court)


def _asked(origin: str, review: Review, live: Snapshot, court: Court, terms: Admission) -> Answered:
    what = f"{review.operation} {review.what} {_name(review)}"
    try:
        told = considered(review, live, court, terms)
    except CannotJudgeError as error:
        return Answered(origin, what, "fail", why=str(error))
    return _answered(origin, what, told.decision, told.found)


def _answered(origin: str, what: str, decision: Decision, found: Found) -> Answered:
    notes = dict(decision.annotations)
    undecided = notes.get("undecidable", "")
    why = undecided or notes.get("not-judged", "")
    verdict: Verdict = "deny"
    if decision.allowed:
        told: Verdict = "audit" if found or undecided else "pass"
        verdict = "warn" if decision.warnings else told
    return Answered(origin, what, verdict, found, "" if found else why)


def _name(review: Review) -> str:
    metadata = review.object.get("metadata") if isinstance(review.object, dict) else None
    generated = metadata.get("generateName") if isinstance(metadata, dict) else None
    name = review.name or (f"{generated}*" if isinstance(generated, str) else "*")
    return f"{review.namespace}/{name}" if review.namespace else name


def _happened(review: Review, live: Snapshot, court: Court) -> Snapshot:
    try:
        proposal = proposal_of(review, live, court.settings.openings)
    except UndecidableError:
        return live
    return live if proposal is None or not proposal.followed else _changed(proposal, live)


def _changed(proposal: Proposal, live: Snapshot) -> Snapshot:
    if proposal.after is None:
        return live.replacing(removing=(proposal.ref,))
    if proposal.ref.name.endswith("*"):  # what it was called in the end, nobody told us
        return live
    return live.replacing(proposal.after)
