"""The report as SARIF 2.1.0, for code scanning. Knows what each consumer of SARIF reads and where
it stumbles, and nothing of terminals.

One result has one location with all four numbers of its region: DefectDojo makes a finding of each
location, GitHub reads only the first, GitLab refuses a report without. The worst come first, since
GitHub keeps the first five thousand. A fix always has a description, which DefectDojo joins.

A live object has no file. Its location is a made-up path with the base ``CLUSTER`` and the region
in the object written as YAML, which is part of the report where its reader has use for it: with a
star for each character that may be of a credential, since a report travels further than the
cluster's own rights do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from auditor import __version__
from auditor.model import (
    Audit,
    Finding,
    Fix,
    Gap,
    Policy,
    Ref,
    Resource,
    Snapshot,
    Span,
    Status,
    TextEdit,
    Unseen,
    Waiver,
)
from auditor.reporters.assessed import assessed, date, digest
from auditor.reporters.boundaries import (
    authorship_document,
    enforcer_document,
    scope_document,
)
from auditor.reporters.contents import contents
from auditor.reporters.places import (
    Place,
    place_of_evidence,
    place_of_finding,
    pointer,
    worst_first,
)
from auditor.reporters.sarif_profiles import PROFILES, RANKS, Profile, automation, fitted, told
from auditor.reporters.sarif_rules import LEVELS, rules
from auditor.reporters.sarif_taxonomies import Controls, controls_of, taxonomies
from auditor.reporters.uris import BASES, located
from auditor.reporters.view import View
from auditor.reporters.words import EFFECT, counted, kubernetes_version, shown_by
from auditor.text import escaped
from auditor.values import dataclass

Node = dict[str, Any]
SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
LINKED = 5
"""How many reasons the message of a result links to."""


def render(audit: Audit, view: View) -> str:
    """The audit as one SARIF log, with one run unless the consumer takes no run of that size."""
    profile = PROFILES[view.sarif]
    findings = worst_first(tuple(told(audit, profile)))
    asked = _asked(audit, audit.findings, whole=True)
    writer = _Writer(audit, profile, controls_of(asked) if profile.taxonomies else {})
    text, left_out = fitted(findings, profile, writer.log)
    if left_out:
        view.say(_left_out(left_out))
    return text


def _left_out(number: int) -> str:
    return (
        f"{counted(number, 'result')} of the least severity left out of SARIF: whom it is for "
        "takes no more; the JSON report has all"
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes results for one consumer."""

    audit: Audit
    profile: Profile
    controls: Controls

    def log(self, runs: list[list[Finding]], left_out: int) -> Node:
        seen: Counter[str] = Counter()
        written = [self.run(findings, number, seen) for number, findings in enumerate(runs)]
        if left_out:
            [invocation] = written[0]["invocations"]
            invocation["toolExecutionNotifications"].append(_warning(_left_out(left_out)))
        return {"$schema": SCHEMA, "version": "2.1.0", "runs": written}

    def run(self, findings: list[Finding], number: int, seen: Counter[str]) -> Node:
        asked = _asked(self.audit, findings, whole=number == 0)
        index = {policy.id: number for number, policy in enumerate(asked)}
        compared = any(finding.status is Status.BASELINE for finding in self.audit.findings)
        results = []
        for finding in findings:
            seen[finding.fingerprint] += 1
            result = self.result(finding, index, seen[finding.fingerprint])
            results.append(result | (_compared(finding) if compared else {}))
        return {
            "tool": _tool(self.audit, asked, self.controls),
            "automationDetails": automation(self.profile, number),
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": BASES,
            "invocations": [
                _invocation(self.audit if number == 0 else replace(self.audit, gaps=(), added=()))
            ],
            **({"taxonomies": taxonomies(self.controls)} if self.controls else {}),
            **self.artifacts(findings),
            "results": results,
            "properties": _extent(self.audit),
        }

    def around(self, finding: Finding) -> Snapshot:
        """The snapshot that the finding was made in."""
        return self.audit.around(finding)

    def artifacts(self, findings: list[Finding]) -> Node:
        """The live objects that the results point into, each once."""
        if not self.profile.contents:
            return {}
        live: dict[str, Resource] = {}
        for finding in findings:
            around = self.around(finding)
            places = [place_of_finding(around, finding)]
            places += [place_of_evidence(around, finding, one) for one in finding.evidence]
            for place in filter(None, places):
                if place.resource.origin.live:
                    live.setdefault(place.file, place.resource)
        found = [
            {
                "location": located(uri, live=True),
                "mimeType": "application/yaml",
                "contents": {"text": contents(resource)},
            }
            for uri, resource in live.items()
        ]
        return {"artifacts": found} if found else {}

    def result(self, finding: Finding, index: dict[str, int], nth: int) -> Node:
        snapshot = self.around(finding)
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
        if self.profile.rank:
            result["rank"] = RANKS[finding.severity]
        if related:
            result["relatedLocations"] = related
        fix = finding.fix
        if self.profile.fixes and fix and fix.proof.holds and fix.edits:
            result["fixes"] = [_fix(fix)]
        if finding.status in {Status.WAIVED, Status.PLATFORM}:
            result["suppressions"] = [_suppression(finding)]
        return result


def _extent(audit: Audit) -> Node:
    """How far the answer goes."""
    extent = assessed(audit)
    return {
        "kubernetesVersion": kubernetes_version(audit.kubernetes),
        "date": date(),
        "policiesDigest": f"sha256:{digest(audit.policies)}",
        "notAssessed": extent.share,
        "scope": scope_document(audit),
        "networkPolicies": enforcer_document(audit),
    }


def _asked(audit: Audit, findings: Iterable[Finding], *, whole: bool) -> list[Policy]:
    """The policies of the audit if it is `whole`, and any other that a finding names."""
    policies = {policy.id: policy for policy in audit.policies} if whole else {}
    return list((policies | {f.policy.id: f.policy for f in findings}).values())


def _tool(audit: Audit, asked: list[Policy], controls: Controls) -> Node:
    name, version = audit.engine
    driver: Node = {
        "name": "auditor",
        "fullName": f"auditor {__version__}",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": rules(asked, controls),
    }
    if controls:
        driver["supportedTaxonomies"] = [
            {"name": framework, "index": index} for index, framework in enumerate(controls)
        ]
    engine = [{"name": name, "version": version}] if name and version else []
    return {"driver": driver} | ({"extensions": engine} if engine else {})


def _invocation(audit: Audit) -> Node:
    open_now = [gap for gap in audit.gaps if not gap.acknowledged]
    added = [_note(_waiver(waiver), "waiver-added") for waiver in audit.added]
    return {
        "executionSuccessful": all(gap.severity is not Unseen.INCOMPLETE for gap in open_now),
        "toolExecutionNotifications": [*map(_notification, audit.gaps), *added],
    }


def _warning(text: str) -> Node:
    return {"descriptor": {"id": "left-out"}, "level": "warning", "message": {"text": text + "."}}


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
    return (_physical(place) or _nowhere(finding.ref)) | {
        "logicalLocations": [_logical(finding.ref)]
    }


def _nowhere(ref: Ref) -> Node:
    """A made-up place for an object that was not read: GitLab refuses a report without."""
    name = f"cluster/{ref.namespace or '_cluster'}/{ref.kind.lower()}/{ref.name}.yaml"
    start = {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 1}
    return {"physicalLocation": {"artifactLocation": located(name, live=True), "region": start}}


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
            "assumes": list(proof.assumes),
        }
    return about
