"""The report as SARIF 2.1.0, for code scanning. Knows what each consumer of SARIF reads and where
it stumbles, and nothing of terminals.

One result has one location with all four numbers of its region: DefectDojo makes a finding of each
location, GitHub reads only the first, GitLab refuses a report without. The worst come first, since
GitHub keeps the first five thousand. A fix always has a description, which DefectDojo joins.

A live object has no file. Its location is a made-up path with the base ``CLUSTER`` and the region
in the object written as YAML. Neither that text nor a snippet of it is part of the report: values
of variables may be credentials, and a report travels further than the cluster's own rights do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO

from auditor import __version__
from auditor.model import (
    Audit,
    Finding,
    Fix,
    Gap,
    Policy,
    Ref,
    Snapshot,
    Span,
    Status,
    TextEdit,
    Unseen,
    Waiver,
)
from auditor.reporters.boundaries import authorship_document, scope_document
from auditor.reporters.encoded import encoded
from auditor.reporters.places import (
    Place,
    place_of_evidence,
    place_of_finding,
    pointer,
    worst_first,
)
from auditor.reporters.sarif_rules import LEVELS, rules
from auditor.reporters.uris import BASES, located
from auditor.reporters.words import EFFECT, kubernetes_version, shown_by
from auditor.text import escaped

Node = dict[str, Any]
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LINKED = 5
"""How many reasons the message of a result links to."""


def render(audit: Audit, _paths: tuple[str, ...], _terminal: TextIO | None) -> str:
    """The audit as one SARIF log with one run."""
    return encoded({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(audit)]})


def _run(audit: Audit) -> Node:
    findings = worst_first(audit.findings)
    asked = _asked(audit)
    index = {policy.id: number for number, policy in enumerate(asked)}
    compared = any(finding.status is Status.BASELINE for finding in findings)
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        result = _result(audit.snapshot, finding, index, seen[finding.fingerprint])
        results.append(result | (_compared(finding) if compared else {}))
    return {
        "tool": _tool(audit, asked),
        "automationDetails": {"id": "auditor/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": BASES,
        "invocations": [_invocation(audit)],
        "results": results,
        "properties": {
            "kubernetesVersion": kubernetes_version(audit.kubernetes),
            "scope": scope_document(audit),
        },
    }


def _asked(audit: Audit) -> list[Policy]:
    """The policies of the audit, and any other that a finding names."""
    policies = {policy.id: policy for policy in audit.policies}
    return list((policies | {f.policy.id: f.policy for f in audit.findings}).values())


def _tool(audit: Audit, asked: list[Policy]) -> Node:
    name, version = audit.engine
    driver = {
        "name": "auditor",
        "fullName": f"auditor {__version__}",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": rules(asked),
    }
    engine = [{"name": name, "version": version}] if name and version else []
    return {"driver": driver} | ({"extensions": engine} if engine else {})


def _invocation(audit: Audit) -> Node:
    open_now = [gap for gap in audit.gaps if not gap.acknowledged]
    added = [_note(_waiver(waiver), "waiver-added") for waiver in audit.added]
    return {
        "executionSuccessful": all(gap.severity is not Unseen.INCOMPLETE for gap in open_now),
        "toolExecutionNotifications": [*map(_notification, audit.gaps), *added],
    }


def _note(text: str, identity: str) -> Node:
    return {"descriptor": {"id": identity}, "level": "note", "message": {"text": _sentence(text)}}


def _waiver(waiver: Waiver) -> str:
    what = f"this change adds a waiver of {waiver.policy} for {waiver.object}"
    return f"{what} ({waiver.origin}), which does not count: {waiver.reason}"


def _notification(gap: Gap) -> Node:
    if gap.acknowledged:
        return _note(f"{gap.what}: {gap.why} (acknowledged: {gap.acknowledged})", gap.severity)
    return {
        "descriptor": {"id": gap.severity.value},
        "level": "error" if gap.severity is Unseen.INCOMPLETE else "warning",
        "message": {"text": _sentence(f"{gap.what}: {gap.why}")},
    }


def _result(snapshot: Snapshot, finding: Finding, index: dict[str, int], nth: int) -> Node:
    related = list(_related(snapshot, finding))
    result: Node = {
        "ruleId": finding.policy.id,
        "ruleIndex": index[finding.policy.id],
        "level": "note" if finding.status is Status.UPCOMING else LEVELS[finding.severity],
        "message": {"text": _message(finding, related)},
        "locations": [_location(finding, place_of_finding(snapshot, finding))],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{finding.fingerprint}:{nth}",
            "resourceFingerprint/v1": finding.fingerprint,
        },
        "properties": _properties(finding),
    }
    if related:
        result["relatedLocations"] = related
    if finding.fix and finding.fix.proof.holds and finding.fix.edits:
        result["fixes"] = [_fix(finding.fix)]
    if finding.status in {Status.WAIVED, Status.PLATFORM}:
        result["suppressions"] = [_suppression(finding)]
    return result


def _compared(finding: Finding) -> Node:
    """All results have a baseline state or none; what somebody waived is no news either."""
    return {"baselineState": "new" if finding.status is Status.OPEN else "unchanged"}


def _suppression(finding: Finding) -> Node:
    inline = finding.waiver is not None and finding.waiver.inline
    waived: Node = {"kind": "inSource" if inline else "external", "status": "accepted"}
    return waived | ({"justification": escaped(finding.reason)} if finding.reason else {})


def _message(finding: Finding, related: list[Node]) -> str:
    where = f"{finding.ref.namespace}/" if finding.ref.namespace else ""
    said = _sentence(f"{finding.ref.kind} {where}{finding.ref.name}: {finding.message}")
    links = [f"[{_bare(one['message']['text'])}]({one['id']})" for one in related[:LINKED]]
    return f"{said} Why: {', '.join(links)}." if links else said


def _sentence(text: str) -> str:
    """One line that ends with a full stop and holds no link of its own (SARIF 3.11.6)."""
    line = escaped(text).replace("](", r"\](")
    return line if line.endswith((".", "!", "?")) else line + "."


def _bare(text: str) -> str:
    """The text of a link: brackets in it would end it."""
    return text.translate(str.maketrans("[]", "()")).rstrip(".")


def _location(finding: Finding, place: Place | None) -> Node:
    return _physical(place) | {"logicalLocations": [_logical(finding.ref)]}


def _physical(place: Place | None) -> Node:
    if place is None:
        return {}
    artifact = located(place.file, live=place.resource.origin.live)
    return {"physicalLocation": {"artifactLocation": artifact, "region": _region(place.span)}}


def _region(span: Span) -> Node:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _logical(ref: Ref) -> Node:
    parts = (ref.api_version, ref.kind, ref.namespace, ref.name)
    return {
        "name": escaped(ref.name),
        "fullyQualifiedName": escaped("/".join(part for part in parts if part)),
        "kind": "resource",
    }


def _related(snapshot: Snapshot, finding: Finding) -> Iterator[Node]:
    number = 0
    for evidence in finding.evidence:
        place = place_of_evidence(snapshot, finding, evidence)
        if place:
            number += 1
            message = {"message": {"text": escaped(evidence.message)}}
            yield {"id": number, **_physical(place), **message}


def _fix(fix: Fix) -> Node:
    by_file: dict[str, list[TextEdit]] = {}
    for edit in fix.edits:
        by_file.setdefault(edit.uri, []).append(edit)
    changes = [
        {"artifactLocation": located(uri, live=False), "replacements": list(map(_swap, edits))}
        for uri, edits in by_file.items()
    ]
    described = _sentence(f"{fix.title} ({EFFECT[fix.safety]})")
    return {"description": {"text": described}, "artifactChanges": changes}


def _swap(edit: TextEdit) -> Node:
    return {"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}}


def _properties(finding: Finding) -> Node:
    about: Node = {"path": pointer(finding.path)}
    if finding.status is Status.UPCOMING:
        about["upcoming"] = f"fails from policy set {finding.policy.since} on"
    if finding.authorship and finding.authorship.tool:
        about["managedBy"] = authorship_document(finding.authorship)
    if finding.fix:
        proof = finding.fix.proof
        about["fix"] = {
            "title": finding.fix.title,
            "safety": finding.fix.safety.value,
            "proven": proof.holds,
            "shown": shown_by(proof) if proof.holds else [],
            "unproven": list(proof.unproven),
        }
    return about
