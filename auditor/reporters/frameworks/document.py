"""Controls for programs, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.frameworks.assessment import Assessed
from auditor.model import Finding
from auditor.reporters.assessed import date, digest
from auditor.reporters.encoded import encoded
from auditor.reporters.frameworks.view import WORDS, Answer, View
from auditor.reporters.gaps import gap_documents
from auditor.reporters.words import kubernetes_version

FORMAT = "auditor-controls/1"


def render(view: View) -> str:
    """One document."""
    return encoded(document(view))


def document(view: View) -> dict[str, Any]:
    """The answers as mappings and lists, before they are written."""
    from auditor import __version__

    audit = view.audit
    return {
        "format": FORMAT,
        "auditor": __version__,
        "words": WORDS,
        "kubernetesVersion": kubernetes_version(audit.kubernetes),
        "evidence": {
            "date": date(),
            "paths": list(view.paths),
            "policiesDigest": f"sha256:{digest(audit.policies)}",
            "objects": len(audit.snapshot.resources),
        },
        "frameworks": [_framework(answer, view) for answer in view.answers],
        "gaps": gap_documents(audit.gaps),
    }


def _framework(answer: Answer, view: View) -> dict[str, Any]:
    framework = answer.framework
    return {
        "id": framework.id,
        "title": framework.title,
        "source": framework.source,
        "about": framework.about,
        "summary": {status.value: number for status, number in answer.counts.items()},
        "sections": framework.sections,
        "controls": [_control(one, view) for one in answer.controls],
    }


def _control(one: Assessed, view: View) -> dict[str, Any]:
    control = one.control
    return {
        "id": one.name,
        "title": control.title,
        "section": one.framework.section_of(one.name),
        **_particulars(one),
        "status": one.status.value,
        "why": list(one.why),
        "partly": list(one.partly),
        "policies": [
            {
                "id": look.policy.id,
                "asked": look.asked,
                "objects": look.objects,
                "findings": len(look.findings),
            }
            for look in one.looks
        ],
        "findings": [_finding(finding, view) for finding in one.findings],
        "gaps": [gap.what for gap in one.gaps],
        "see": [
            {"object": str(r.ref), "file": r.origin.uri, "line": r.origin.span(()).line}
            for r in one.places
        ],
    }


def _particulars(one: Assessed) -> Mapping[str, Any]:
    """What is said of some controls alone."""
    control = one.control
    told = {
        "also": list(control.also),
        "level": control.level,
        "elsewhere": list(control.elsewhere),
        "note": control.note,
    }
    return {key: value for key, value in told.items() if value}


def _finding(finding: Finding, view: View) -> dict[str, Any]:
    told = view.told(finding)
    place = {"file": told.file, "line": told.line, "column": told.column} if told.file else {}
    return {
        "policy": finding.policy.id,
        "object": str(finding.ref),
        "severity": finding.severity.value,
        "status": finding.status.value,
        "message": finding.message,
        **({"reason": finding.reason} if finding.reason else {}),
        **place,
        "fingerprint": finding.fingerprint,
    }
