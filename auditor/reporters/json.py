"""The report as JSON, the contract for other programs. Knows nothing of terminals or of SARIF.

Its form is `report.schema.json`, and stays what it is while `format` says ``auditor/1``. The keys
are fixed; what is not known is null. Findings stand worst first. Lines and columns count from 1,
columns count code points, the end is exclusive. A live object has no file: `file` is the made-up
path ``cluster/NAMESPACE/PLURAL/NAME.yaml``, and the region is that of the object written as YAML;
that text is not part of the report, since it may hold credentials.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor import __version__
from auditor.facts.forms import as_object
from auditor.model import (
    Audit,
    Change,
    Evidence,
    Finding,
    Fix,
    Gap,
    Path,
    Proof,
    Snapshot,
    Span,
    Status,
    TextEdit,
    Waiver,
)
from auditor.reporters.assessed import assessed, date, digest
from auditor.reporters.boundaries import (
    authorship_document,
    enforcer_document,
    scope_document,
)
from auditor.reporters.encoded import in_pieces
from auditor.reporters.patches import json_patch
from auditor.reporters.places import (
    Place,
    place_of_evidence,
    place_of_finding,
    worst_first,
)
from auditor.reporters.view import View
from auditor.reporters.words import by_severity, by_unseen, kubernetes_version, trials
from auditor.terms import REPORT


def render(audit: Audit, view: View) -> str:
    """The audit as one JSON document."""
    return "".join(pieces(audit, view))


def pieces(audit: Audit, view: View) -> list[str]:
    """The same in pieces, which takes half the room."""
    return in_pieces(_around(audit, view.paths), "findings", lambda: _findings(audit))


def document(audit: Audit, paths: tuple[str, ...] = ()) -> dict[str, Any]:
    """The audit as mappings and lists, before it is written."""
    return {**_around(audit, paths), "findings": list(_findings(audit))}


def _findings(audit: Audit) -> Iterator[dict[str, Any]]:
    said = _Said()
    for finding in worst_first(audit.findings):
        yield _finding(audit.around(finding), finding, said)


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
        "findings": [],
        "gaps": [_gap(gap) for gap in audit.gaps],
        "summary": {
            "findings": {status.value: by_severity(audit, status) for status in Status},
            "gaps": by_unseen(audit),
            "objectsJudged": audit.judged,
            "policiesAsked": len(audit.policies),
            "workloads": len(audit.workloads),
            "workloadsUnclassified": len(audit.unclassified),
        },
        "waiversAdded": [_waiver(waiver) for waiver in audit.added],
    }


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


class _Said:
    """What many findings have alike, made once: the place of one field, and the reason why several
    cannot be fixed.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[int, Path], dict[str, Any]] = {}
        self._fixes: dict[int, dict[str, Any]] = {}

    def place(self, snapshot: Snapshot, finding: Finding) -> dict[str, Any]:
        """Where the finding stands."""
        resource = finding.resource
        if resource is None:
            return _place(place_of_finding(snapshot, finding))
        key = (id(resource), finding.path)
        if key not in self._places:
            self._places[key] = _place(place_of_finding(snapshot, finding))
        return self._places[key]

    def fix(self, snapshot: Snapshot, fix: Fix) -> dict[str, Any]:
        """The fix. One that changes something is of one finding alone, and is not kept."""
        if fix.changes or fix.edits:
            return _fix(snapshot, fix)
        if id(fix) not in self._fixes:
            self._fixes[id(fix)] = _fix(snapshot, fix)
        return self._fixes[id(fix)]


def _finding(snapshot: Snapshot, finding: Finding, said: _Said) -> dict[str, Any]:
    return {
        "policy": finding.policy.id,
        "severity": finding.severity.value,
        "object": as_object(finding.ref),
        "path": list(finding.path),
        "message": finding.message,
        **said.place(snapshot, finding),
        "fingerprint": finding.fingerprint,
        "status": finding.status.value,
        "waiver": _waiver(finding.waiver) if finding.waiver else None,
        "reason": finding.reason,
        "managedBy": authorship_document(finding.authorship),
        "pods": [as_object(pod) for pod in finding.pods],
        "evidence": [_evidence(snapshot, finding, evidence) for evidence in finding.evidence],
        "fix": said.fix(snapshot, finding.fix) if finding.fix else None,
    }


def _gap(gap: Gap) -> dict[str, Any]:
    told = {"what": gap.what, "why": gap.why, "severity": gap.severity.value}
    return {**told, "acknowledged": gap.acknowledged or None}


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {
        "policy": waiver.policy,
        "object": waiver.object,
        "anchor": waiver.anchor,
        "reason": waiver.reason,
        "until": waiver.until or None,
        "origin": waiver.origin,
    }


def _place(place: Place | None) -> dict[str, Any]:
    if place is None:
        return dict.fromkeys(("file", "line", "column", "endLine", "endColumn"))
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
