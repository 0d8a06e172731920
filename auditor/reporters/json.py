"""The report as JSON, the contract for other programs. Knows nothing of terminals or of SARIF.

Its form is `report.schema.json`, and stays what it is while `format` says ``auditor/1``. The keys
are fixed; what is not known is null. Findings stand worst first. Lines and columns count from 1,
columns count code points, the end is exclusive. A live object has no file: `file` is the made-up
path ``cluster/NAMESPACE/PLURAL/NAME.yaml``, and the region is that of the object written as YAML;
that text is not part of the report, since it may hold credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import cached_property, partial
from typing import Any

from auditor import __version__
from auditor.facts.forms import as_object
from auditor.facts.inventory import declared, words
from auditor.model import (
    Audit,
    Change,
    Evidence,
    Finding,
    Fix,
    Gap,
    Path,
    Proof,
    Resource,
    Snapshot,
    Span,
    Status,
    TextEdit,
    Waiver,
    by_document,
)
from auditor.reporters.assessed import assessed, date, digest
from auditor.reporters.boundaries import (
    authorship_document,
    enforcer_document,
    scope_document,
)
from auditor.reporters.encoded import BETWEEN, Item, Shared, in_pieces, members, whole
from auditor.reporters.patches import json_patch
from auditor.reporters.places import (
    Place,
    place_of_evidence,
    spot_of_finding,
    worst_first,
)
from auditor.reporters.view import View
from auditor.reporters.words import by_status, by_unseen, kubernetes_version, trials
from auditor.terms import REPORT
from auditor.values import dataclass


def render(audit: Audit, view: View) -> str:
    """The audit as one JSON document."""
    return "".join(pieces(audit, view))


def pieces(audit: Audit, view: View) -> list[str]:
    """The same in pieces, which takes half the room."""
    items, texts = partial(_findings, audit), partial(_texts, audit)
    return in_pieces(_around(audit, view.paths), "findings", items, texts)


def document(audit: Audit, paths: tuple[str, ...] = ()) -> dict[str, Any]:
    """The audit as mappings and lists, before it is written."""
    return {**_around(audit, paths), "findings": list(map(whole, _findings(audit)))}


def _findings(audit: Audit) -> Iterator[Item]:
    said = _Said(audit)
    for finding in worst_first(audit.findings):
        yield said.finding(finding)


def _texts(audit: Audit) -> Iterator[str]:
    """The same, written."""
    said = _Said(audit)
    return map(said.text, worst_first(audit.findings))


def _around(audit: Audit, paths: tuple[str, ...]) -> dict[str, Any]:
    """The document without its findings."""
    name, version = audit.engine
    return {
        "format": REPORT,
        "auditor": __version__,
        "engine": {"name": name, "version": version},
        "kubernetesVersion": kubernetes_version(audit.kubernetes),
        "evidence": _extent(audit, paths),
        "scope": scope_document(audit),
        "source": _source(audit.snapshot),
        "networkPolicies": enforcer_document(audit),
        **_nodes(audit.snapshot),
        "findings": [],
        "gaps": [_gap(gap) for gap in audit.gaps],
        "summary": {
            "findings": by_status(audit),
            "gaps": by_unseen(audit),
            "objectsJudged": audit.judged,
            "policiesAsked": len(audit.policies),
            "workloads": len(audit.workloads),
            "workloadsUnclassified": len(audit.unclassified),
        },
        "waiversAdded": [_waiver(waiver) for waiver in audit.added],
    }


def _nodes(snapshot: Snapshot) -> dict[str, Any]:
    """That the nodes are declared, where they are."""
    found = declared(snapshot)
    if not found:
        return {}
    span = found[0].origin.span(())
    place = {"file": found[0].origin.uri, "line": span.line}
    return {"nodes": {"declared": len(found), **place, "words": words(snapshot)}}


def _extent(audit: Audit, paths: tuple[str, ...]) -> dict[str, Any]:
    """How far the answer goes."""
    told = assessed(audit)
    return {
        "date": date(),
        "paths": list(paths),
        "policiesDigest": f"sha256:{digest(audit.policies)}",
        "objects": told.objects,
        "questions": told.questions,
        "unanswered": told.unanswered,
        "notAssessed": told.share,
    }


def _source(snapshot: Snapshot) -> dict[str, Any] | None:
    reading = snapshot.server.reading if snapshot.server else None
    if reading is None:
        return None
    return {
        "kind": "cluster",
        "readAt": reading.at,
        "objects": reading.objects,
        "requests": reading.requests,
        "bytes": reading.bytes,
    }


_NO_PLACE = dict.fromkeys(("file", "line", "column", "endLine", "endColumn"))


@dataclass(frozen=True)
class _Where:
    """Of which object a finding is, and where that is written."""

    named: Shared
    place: tuple[Shared, ...]

    @cached_property
    def text(self) -> str:
        """The place, written. What is named is written once for all of its places."""
        return "".join(map(_line, self.place))


@dataclass(frozen=True)
class _Told:
    """By whom a finding is, what it is, and what becomes of it."""

    head: Mapping[str, Any]
    fault: Mapping[str, Any]
    rest: Mapping[str, Any]

    @property
    def parts(self) -> tuple[Mapping[str, Any], ...]:
        """All, in their order."""
        return self.head, self.fault, self.rest

    @cached_property
    def texts(self) -> tuple[str, str, str]:
        """The same, written."""
        return _line(self.head), _line(self.fault), members(self.rest)


def _line(part: Mapping[str, Any]) -> str:
    return members(part) + BETWEEN


class _Said:
    """What many findings have alike, made once."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._parts: dict[Hashable, Shared] = {}
        self._alike: dict[Hashable, _Told] = {}
        self._places = self._located()

    def finding(self, finding: Finding) -> Item:
        """The finding, in parts."""
        where, (head, fault, rest) = self._places[id(finding)], self._told(finding).parts
        mark = {"fingerprint": finding.fingerprint}
        return (head, where.named, fault, *where.place, mark, rest)

    def text(self, finding: Finding) -> str:
        """The same, written."""
        where = self._places[id(finding)]
        head, fault, rest = self._told(finding).texts
        mark = f'      "fingerprint": "{finding.fingerprint}"{BETWEEN}'
        return f"{head}{where.named.text}{BETWEEN}{fault}{where.text}{mark}{rest}"

    def _located(self) -> dict[int, _Where]:
        """The object of each finding and where it stands, one document after the other: the trees
        of all at once would take too much room.
        """
        found: dict[int, _Where] = {}
        resource: Resource | None = None
        known: dict[Path, _Where] = {}
        for finding in by_document(self._audit.findings):
            if finding.resource is None or finding.resource is not resource:
                resource, known = finding.resource, {}
            if finding.path not in known:
                known[finding.path] = self._place(finding)
            found[id(finding)] = known[finding.path]
            for evidence in finding.evidence:
                place_of_evidence(self._audit.around(finding), finding, evidence)
        return found

    def _place(self, finding: Finding) -> _Where:
        """The object, the file and the region."""
        ref, spot = finding.ref, spot_of_finding(self._audit.around(finding), finding)
        named = self._once((ref.api_version, ref.key), lambda: {"object": as_object(ref)})
        if spot is None:
            return _Where(named, (self._once(None, lambda: _NO_PLACE),))
        span = spot.span
        # What makes up a region is compared faster than a region is.
        numbers = (span.line, span.column, span.end_line, span.end_column)
        file = self._once(spot.uri, lambda: {"file": spot.uri})
        return _Where(named, (file, self._once(numbers, lambda: _region(span))))

    def _once(self, key: Hashable, make: Callable[[], Mapping[str, Any]]) -> Shared:
        found = self._parts.get(key)
        if found is None:
            found = self._parts[key] = Shared(make())
        return found

    def _told(self, finding: Finding) -> _Told:
        """By whom, what, and what becomes of it: alike where nobody answered for it yet, and where
        nothing can be changed.
        """
        fix = finding.fix
        if (
            finding.status is not Status.OPEN or finding.authorship
            or finding.pods or finding.evidence or (fix and (fix.changes or fix.edits))
        ):  # fmt: skip
            return _Told(*self._parts_of(finding))
        key = (finding.policy.id, finding.severity, finding.path, finding.message, id(fix))
        if key not in self._alike:
            self._alike[key] = _Told(*self._parts_of(finding))
        return self._alike[key]

    def _parts_of(self, finding: Finding) -> tuple[dict[str, Any], ...]:
        return _head(finding), _fault(finding), _rest(self._audit.around(finding), finding)


def _head(finding: Finding) -> dict[str, Any]:
    return {"policy": finding.policy.id, "severity": finding.severity.value}


def _fault(finding: Finding) -> dict[str, Any]:
    return {"path": list(finding.path), "message": finding.message}


def _rest(snapshot: Snapshot, finding: Finding) -> dict[str, Any]:
    return {
        "status": finding.status.value,
        "waiver": _waiver(finding.waiver) if finding.waiver else None,
        "reason": finding.reason,
        "managedBy": authorship_document(finding.authorship),
        "pods": [as_object(pod) for pod in finding.pods],
        "evidence": [_evidence(snapshot, finding, evidence) for evidence in finding.evidence],
        "fix": _fix(snapshot, finding.fix) if finding.fix else None,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    told = {"what": gap.what, "why": gap.why, "severity": gap.severity.value}
    of = {"about": gap.about.value, "policy": gap.policy or None}
    return {**told, **of, "acknowledged": gap.acknowledged or None}


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "policy": waiver.policy,
        "object": waiver.object,
        "anchor": waiver.anchor,
        "reason": waiver.reason,
        "until": waiver.until or None,
        "origin": waiver.origin,
    }


def _place(place: Place | None) -> Mapping[str, Any]:
    if place is None:
        return _NO_PLACE
    return {"file": place.file, **_region(place.span)}


def _region(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _evidence(snapshot: Snapshot, finding: Finding, evidence: Evidence) -> dict[str, Any]:
    return {
        "message": evidence.message,
        "anchor": evidence.anchor,
        "within": list(evidence.within),
        "object": as_object(evidence.ref) if evidence.ref else None,
        "path": list(evidence.path),
        **_place(place_of_evidence(snapshot, finding, evidence)),
    }


def _fix(snapshot: Snapshot, fix: Fix) -> dict[str, Any]:
    return {
        "title": fix.title,
        "safety": fix.safety.value,
        "proven": fix.proof.holds,
        "proof": _proof(fix.proof),
        "trial": trials(fix),
        "edits": [_edit(edit) for edit in fix.edits],
        "patch": [_patch(snapshot, change) for change in fix.changes],
    }


def _edit(edit: TextEdit) -> dict[str, Any]:
    return {"file": edit.uri, **_region(edit.span), "text": edit.text}


def _patch(snapshot: Snapshot, change: Change) -> dict[str, Any]:
    """A new object as its whole manifest under "create"; a changed one as RFC 6902 operations."""
    named = {"object": as_object(change.resource.ref)}
    before = snapshot.find(change.resource.ref)
    if change.beside or before is None:
        return {**named, "create": change.resource.manifest}
    return {**named, "operations": json_patch(before.manifest, change.operations)}


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "holds": proof.holds,
        "resolved": proof.resolved,
        "introduced": proof.introduced,
        "opened": proof.opened,
        "closed": proof.closed,
        "kept": proof.kept,
        "cut": proof.cut,
        "scheduled": proof.scheduled,
        "unschedulable": proof.unschedulable,
        "invalid": proof.invalid,
        "stable": proof.stable,
        "exact": proof.exact,
        "unproven": proof.unproven,
        "selected": proof.selected,
        "assumes": proof.assumes,
    }
